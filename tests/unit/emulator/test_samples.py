"""The samples are what they say, and the emulator answers no field that they do not have."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from support.emulator_client import BY_EVENT, BY_IDS, BY_LIST, Api
from support.samples import EDGE, ENVELOPES, FOLDER, THROTTLING, calls, sample, samples

AT = "2026-10-01 12:00:00"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
FILES = sorted(FOLDER.rglob("*.json"))
NEEDED = [
    "Authentication.svc/UserByAccessKey.Get",
    "LeadManagement.svc/Lead.Reset",
    "LeadManagement.svc/Leads/Retrieve/ByIds",
    "LeadManagement.svc/Leads/Retrieve/BySearchParameter",
    "LeadManagement.svc/LeadsMetaData.Get",
    "LeadManagement.svc/Lists.Get",
    "LeadManagement.svc/RetrieveNote",
    "LeadManagement.svc/RetrieveTaskByLeadId",
    "ProspectActivity.svc/ActivityTypes.Get",
    "ProspectActivity.svc/GetActivityDetails",
    "ProspectActivity.svc/Retrieve",
    "Task.svc/Retrieve",
    "Task.svc/RetrieveTaskType",
    EDGE,
    ENVELOPES,
    THROTTLING,
]


def test_every_call_has_samples() -> None:
    """Each call that the client uses has samples, and so have errors, throttling and edge pages."""
    assert set(NEEDED) <= set(calls())
    assert sum(len(samples(call)) for call in calls()) == len(FILES) > 60


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_sample_is_well_formed(file: Path) -> None:
    """A sample names its call, its source and how sure that is, and holds an answer of its content type."""
    raw = json.loads(file.read_text(encoding="utf-8"))
    assert set(raw) - {"request"} == {"call", "source", "mark", "status", "content_type", "body"}
    one = sample(raw["call"], file.stem)
    assert file.parent == FOLDER / one.call
    assert one.source.startswith({"D": "documented ", "C": ("seen ", "documented ")}[one.mark])
    assert one.name.startswith("seen") <= (one.mark == "C")
    assert 200 <= one.status < 600
    if one.content_type == "application/json":
        assert isinstance(one.body, dict | list)
        assert json.loads(one.payload) == one.body
    else:
        assert one.content_type in ("text/html", "text/plain")
        assert one.payload.decode() == one.body


def test_unknown_samples_are_refused() -> None:
    """Asking for samples that do not exist is an error that lists those there are."""
    with pytest.raises(KeyError, match=r"No samples of 'Lead\.Rest'.*Task\.svc/Retrieve"):
        samples("Lead.Rest")
    with pytest.raises(KeyError, match=r"No sample 'other'.*documented-id"):
        sample("Task.svc/Retrieve", "other")


# -- the emulator against the samples -----------------------------------------------------------------------

GUESSES: dict[str, dict[str, str]] = {
    "ProspectActivity.svc/Retrieve": {
        # So that a note given to add_activity can be read at all.
        "ProspectActivities.Data=NotableEventDescription": "no key that Data has for an activity's note was found",
    },
    BY_EVENT: {
        "List.ActivityEvent_Note": "the name that a note has among the fields of single activities",
        "List.ModifiedOn": "the call filters by it (documented), so it should show it",
    },
    "LeadManagement.svc/RetrieveNote": {
        "RecordCount": "other reads have one; only where the dialect says note_counts",
    },
    "Task.svc/Retrieve": {
        "List.TaskID": "the key of the call by lead; only where the dialect says task_id_key=TaskID",
    },
    "LeadManagement.svc/RetrieveTaskByLeadId": {
        "TaskList.UserTaskId": "the key of the call by owner; only where the dialect says task_id_key=UserTaskId",
    },
    "Task.svc/RetrieveTaskType": {
        "Name": "the stored copies of the page break off before the name of a type",
    },
    BY_IDS: {
        "Leads.ProspectId": "as its sample asks for it; only where the dialect says lead_id_key=ProspectId",
    },
    BY_LIST: {
        "Leads.LeadPropertyList=ProspectId": "as for ByIds; only where the dialect says lead_id_key=ProspectId",
    },
}
"""The emulator's own guesses: fields it answers that no documented or seen form has, and why it has them."""


def paths(value: Any, at: str = "") -> set[str]:
    """Return the fields of an answer by path, without the places in lists.

    A list of attributes or keys with their values counts by the names in it.
    """
    if isinstance(value, list):
        return set().union(*(paths(item, at) for item in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    name = value.get("Attribute", value.get("Key"))
    found = {f"{at}={name}"} if isinstance(name, str) else set()
    for key, item in value.items():
        here = f"{at}.{key}" if at else key
        found |= {here} | paths(item, here)
    return found


def single_dialects() -> Iterator[Dialect]:
    """Every dialect that differs from the default in one field."""
    hints = get_type_hints(Dialect)
    for field in dataclasses.fields(Dialect):
        hint = hints[field.name]
        choices: tuple[Any, ...] = (True, False) if hint is bool else get_args(hint)
        if field.name == "page_cap":
            choices = (25, 200, 500)
        if field.name == "task_cap":
            choices = (25, 200)
        if field.name in ("moves_last_modified", "still_events") or hint is int:
            choices = ()
        for choice in choices:
            if choice != field.default:
                yield Dialect(**{field.name: choice})


def answers(api: Api, ids: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Call whatever the emulator answers."""
    lead = ids["lead"]
    reads: list[tuple[str, Any, dict[str, str]]] = [
        ("ProspectActivity.svc/Retrieve", {}, {"leadId": lead}),
        (BY_EVENT, {"Parameter": {"ActivityEvent": 201}}, {}),
        ("LeadManagement.svc/RetrieveNote", {"Parameter": {"RelatedId": lead}}, {}),
        ("Task.svc/Retrieve", {"Parameter": {"LookupName": "OwnerId", "LookupValue": ids["owner"]}}, {}),
        (BY_IDS, {"SearchParameters": {"LeadIds": [lead]}, "Columns": {"Include_CSV": ids["columns"]}}, {}),
        (
            BY_LIST,
            {"SearchParameters": {"ListId": ids["list"]}, "Columns": {"Include_CSV": "ProspectID"}},
            {},
        ),
        ("LeadManagement.svc/Lead.Reset", {"ProspectId": lead, "ActivityEventList": [999]}, {}),
        ("LeadManagement.svc/Lead.Reset", {"ProspectId": UNKNOWN, "ActivityEventList": [201]}, {}),
    ]
    for call, body, query in reads:
        yield call, api.post(call, body, **query)
    gets: list[tuple[str, dict[str, str]]] = [
        ("LeadManagement.svc/RetrieveTaskByLeadId", {"leadId": lead}),
        ("LeadManagement.svc/Leads.GetById", {"id": lead}),
        ("LeadManagement.svc/Lists.Get", {}),
        ("LeadManagement.svc/LeadsMetaData.Get", {}),
        ("ProspectActivity.svc/ActivityTypes.Get", {}),
        ("ProspectActivity.svc/GetActivityDetails", {"activityId": ids["activity"]}),
        ("ProspectActivity.svc/GetActivityDetails", {"activityId": ids["audit"]}),
        ("ProspectActivity.svc/GetActivityDetails", {"activityId": UNKNOWN}),
        ("Task.svc/RetrieveTaskType", {}),
        ("Authentication.svc/UserByAccessKey.Get", {}),
    ]
    for call, query in gets:
        yield call, api.get(call, **query)
    yield from written(api, ids)


def written(api: Api, ids: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Call whatever writes, with the bodies of the samples, about records that are there."""
    lead, made = ids["lead"], {}
    for call, key in {
        "ProspectActivity.svc/Create": "ProspectActivityId",
        "Task.svc/Create": "UserTaskId",
        "LeadManagement.svc/CreateNote": "ProspectNoteId",
    }.items():
        body = samples(call)[0].request
        body = body | {"RelatedEntityId": lead, "OwnerId": ids["owner"]} if "Task" in call else body
        body = body if "Task" in call else body | {"RelatedProspectId": lead}
        answer = api.post(call, body)
        made[key] = answer.json()["Message"]["Id"] if answer.status_code == 200 else UNKNOWN
        yield call, answer
    for call, key in {
        "ProspectActivity.svc/CustomActivity/Update": "ProspectActivityId",
        "Task.svc/Update": "UserTaskId",
        "LeadManagement.svc/UpdateNote": "ProspectNoteId",
    }.items():
        yield call, api.post(call, samples(call)[0].request | {key: made[key]})
    for call, query in {
        "LeadManagement.svc/Lead.Create": {},
        "LeadManagement.svc/Lead.Update": {"leadId": lead},
    }.items():
        yield call, api.post(call, samples(call)[0].request, **query)


def fill(lsq: LeadSquaredEmulator) -> dict[str, str]:
    """Add one of everything, so that every field of every answer shows."""
    lead = lsq.add_lead()
    lsq.add_task_type("Follow-up call", "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01")
    activity = lsq.add_activity(lead, 201, AT, note="x", fields={"mx_Custom_1": "x"})
    lsq.add_activity(lead, 22, AT)
    lsq.add_task(lead, "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01", AT)
    lsq.add_note(lead, "x", AT, attachment_url="https://files.example/a.pdf")
    lsq.add_audit(lead, "OwnerChange", AT)
    audit = lsq.add_audit(lead, "StageChange", AT)
    return {
        "lead": lead,
        "activity": activity,
        "audit": audit,
        "list": lsq.add_list("Mine", [lead]),
        "owner": lsq.user_id,
        "columns": "ProspectID,FirstName,CreatedOn,ModifiedOn,LeadLastModifiedOn,ProspectActivityDate_Max",
    }


def test_answered_fields_are_in_samples(lsq: LeadSquaredEmulator, api: Api) -> None:
    """Every field answered, in any single dialect, stands in a sample of its call or in the table above."""
    ids = fill(lsq)
    known = {call: paths([one.body for one in samples(call)]) for call in calls()}
    guessed: dict[str, set[str]] = defaultdict(set)
    answered: set[str] = set()
    dialects = [Dialect(), *single_dialects()]
    assert len(dialects) > 35
    for dialect in dialects:
        lsq.dialect = dialect
        for call, answer in answers(api, ids):
            answered.add(call)
            if not answer.headers["content-type"].startswith("application/json"):
                assert answer.status_code == 404
                continue
            sampled = known[call if answer.status_code == 200 else ENVELOPES] | known[ENVELOPES]
            guessed[call] |= paths(answer.json()) - sampled
    assert answered == set(known) - {EDGE, ENVELOPES, THROTTLING}
    unlisted = {call: sorted(found - set(GUESSES.get(call, {}))) for call, found in guessed.items()}
    assert {call: found for call, found in unlisted.items() if found} == {}, "in no sample and in no table"
    stale = {call: sorted(set(listed) - guessed[call]) for call, listed in GUESSES.items()}
    assert {call: found for call, found in stale.items() if found} == {}, "listed, but not answered any more"
    assert all(len(why) > 20 for listed in GUESSES.values() for why in listed.values())
