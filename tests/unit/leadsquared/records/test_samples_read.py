"""The readers take every form of an answer that is documented or was seen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.records import catalog, lead_lists
from airflow_provider_leadreset.leadsquared.records.leads_by_id import known_leads
from airflow_provider_leadreset.leadsquared.records.records import (
    activity_exists,
    read_activities,
    read_lead,
    read_notes,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from support.samples import Sample, samples

LEAD = "1f0c6f5e-3b1d-4a57-9a44-0a6f3f1f7a01"
WIDE = parse_window("2001-01-01/2026-11-01")


def answered(call: str) -> Any:
    """Parametrize by the successful samples of a call."""
    found = [sample for sample in samples(call) if sample.status == 200]
    return pytest.mark.parametrize("sample", found, ids=lambda sample: sample.name)


def client_answering(sample: Sample) -> Any:
    return SimpleNamespace(paging_styles={}, host="api.example.com", call=lambda *_, **__: sample.body)


def rows_in(sample: Sample) -> list[dict[str, Any]]:
    if isinstance(sample.body, list):
        return sample.body
    (rows,) = [value for value in sample.body.values() if isinstance(value, list)]
    return rows


@answered("ProspectActivity.svc/Retrieve")
def test_activities(sample):
    """Each activity of the codes asked for is a row of its own, audits among them, whatever its other fields are."""
    rows = rows_in(sample)
    codes = {int(row["EventCode"]) for row in rows}
    assert read_activities(client_answering(sample), LEAD, codes) == rows


def test_mirror_rows_hide_nothing():
    """Rows that share an Id with their mirror are counted, each once, and the mirrors are not."""
    (sample,) = [one for one in samples("ProspectActivity.svc/Retrieve") if one.name == "seen-mirror-rows"]
    for count in (None, 3, 5):
        sample.body["RecordCount"] = count
        found = read_lead(
            client_answering(sample),
            LEAD,
            Selectors(activity_event_list=(201, 202)),
            WIDE,
            TaskTypes(client_answering(sample), (), {}),
        )
        assert [record.type for record in found.records] == ["201", "201", "202"]
        assert len({record.key for record in found.records}) == 3


@pytest.mark.parametrize(
    ("name", "audit"), [("seen-stage-change-3002", "StageChange"), ("seen-owner-change-3001", "OwnerChange")]
)
def test_audits(name, audit):
    """A stage or owner change is read as an audit, and shows that the account shows audits."""
    (sample,) = [one for one in samples("ProspectActivity.svc/Retrieve") if one.name == name]
    client = client_answering(sample)
    selectors = Selectors(audit_activity_list=(audit,))
    found = read_lead(client, LEAD, selectors, WIDE, TaskTypes(client, (), {}))
    assert {(record.kind, record.type) for record in found.records} == {("audits", audit)}
    assert found.shows_audits


@answered("LeadManagement.svc/RetrieveTaskByLeadId")
def test_tasks_of_a_lead(sample):
    """A lead's tasks are told by their TaskID."""
    assert read_tasks(client_answering(sample), LEAD) == (rows_in(sample), True)


@answered("Task.svc/Retrieve")
def test_tasks_of_an_owner(sample):
    """An owner's tasks are told by their UserTaskId, so that a lead's task is found among them."""
    kind = "3e000000-7777-4888-9999-aaaabbbbcc01"
    types = TaskTypes(client_answering(sample), [kind], {}, keeps_fields=True)
    for row in rows_in(sample):
        task_id = row.get("UserTaskId") or row["TaskID"]
        task = {"TaskID": task_id.upper(), "OwnerID": "0b000000-1111-4222-8333-444455556601"}
        assert types.matches(task) == (True, kind)
        assert types.complete(task) == {**row, **task}


@answered("LeadManagement.svc/RetrieveNote")
def test_notes(sample):
    """Notes stand under either name."""
    assert read_notes(client_answering(sample), LEAD) == rows_in(sample)


@answered("LeadManagement.svc/Leads/Retrieve/ByIds")
def test_leads_by_ids(sample):
    """Leads are known by their id, in either spelling; an answer whose rows have none is unreadable."""
    rows = rows_in(sample)
    ids = [row.get("ProspectID") or row.get("ProspectId") for row in rows]
    if all(ids):
        assert known_leads(client_answering(sample), ids) == {lead.lower() for lead in ids}
    else:
        with pytest.raises(catalog.UnreadableError, match="without its ProspectID"):
            known_leads(client_answering(sample), [LEAD])


@answered("LeadManagement.svc/Leads/Retrieve/BySearchParameter")
def test_members_of_a_list(sample):
    """Members are read from property lists; one without an id makes the answer unreadable."""
    (listed,) = samples("LeadManagement.svc/Lists.Get")
    (wanted,) = [row for row in rows_in(listed) if row["ListName"] == "Test leads"]
    wanted["MemberCount"] = len(rows_in(sample))
    answers = {"Lists.Get": listed.body, "BySearchParameter": sample.body}
    client: Any = SimpleNamespace(
        paging_styles={},
        host="api.example.com",
        call=lambda _, path, **__: next(body for name, body in answers.items() if path.endswith(name)),
    )
    named = [
        [pair["Value"] for pair in row["LeadPropertyList"] if pair["Attribute"] == "ProspectID"]
        for row in rows_in(sample)
    ]
    if all(named):
        assert lead_lists.list_members(client, wanted["ListId"]) == [ids[0] for ids in named]
    else:
        with pytest.raises(catalog.UnreadableError, match="without a readable ProspectID"):
            lead_lists.list_members(client, wanted["ListId"])


@answered("ProspectActivity.svc/ActivityTypes.Get")
def test_activity_types(sample):
    """Activity types are read with or without their EventType."""
    types = catalog.read_activity_types(client_answering(sample))
    assert types.keys() == {int(row["ActivityEvent"]) for row in rows_in(sample)}
    assert {one.is_custom is None for one in types.values()} == {"EventType" not in rows_in(sample)[0]}


@answered("Task.svc/RetrieveTaskType")
def test_task_types(sample):
    """Task types are read under the names of the documented sample."""
    assert len(catalog.task_types(client_answering(sample))) == len(rows_in(sample))


def test_one_activity():
    """A single activity is there when it is given, and gone when its id is unknown."""
    from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError

    given = {one.name: one for one in samples("ProspectActivity.svc/GetActivityDetails")}
    documented = given["documented"]
    shown = documented.body.get("ID") or documented.body["Id"]
    assert activity_exists(client_answering(documented), shown.upper()) is True
    assert activity_exists(client_answering(documented), "another") is None
    deleted = given["seen-deleted"].body

    def raising(error: Exception) -> Any:
        def call(*_: Any, **__: Any) -> Any:
            raise error

        return SimpleNamespace(call=call)

    gone = LeadRejectedError(deleted["ExceptionMessage"], status=500, exception_type=deleted["ExceptionType"])
    assert activity_exists(raising(gone), "a") is False
    for error in (LeadRejectedError("no", exception_type="MXInvalidInputException"), UnavailableError("no")):
        assert activity_exists(raising(error), "a") is None
