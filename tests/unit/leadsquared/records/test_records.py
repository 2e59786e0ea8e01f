"""Reading what a reset would delete, over a real socket."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.records.leads_by_id import known_leads
from airflow_provider_leadreset.leadsquared.records.records import (
    NOTE_PAGE,
    read_activities,
    read_lead,
    read_notes,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes, task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.preview import count_lead_records

INSIDE = "2026-09-15 10:00:00"
WINDOW = parse_window("2026-09-01/2026-10-01")
FOLLOW_UP, MEETING = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01", "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602"


@pytest.fixture
def lsq():
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        yield emulator


@pytest.fixture
def client(lsq):
    client = LeadSquaredClient(
        lsq.url, lsq.access_key, lsq.secret_key, limiter=RateLimiter(SlidingWindow(1000))
    )
    yield client
    client.close()


def read(client: LeadSquaredClient, lead: str, **asked: Any) -> list[Any]:
    selectors = parse_selectors(**asked)
    return read_lead(client, lead, selectors, WINDOW, task_types_of(client, selectors)).records


@pytest.mark.exhaustive
def test_ten_thousand_activities(lsq, client):
    """Ten thousand activities are counted exactly and in little memory."""
    lead = lsq.add_lead()
    for number in range(10_000):
        lsq.add_activity(lead, 166 + number % 2, INSIDE if number % 5 else "2026-10-15 10:00:00")
    tracemalloc.start()
    counted = Counter(row["EventCode"] for row in read_activities(client, lead, [166, 167]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == {166: 5_000, 167: 5_000}
    assert peak < 24 * 2**20
    assert len(lsq.calls) == 11
    reset = LeadReset(lead, Selectors((166, 167)), WINDOW)
    counts = count_lead_records(client, reset, task_types_of(client, reset.selectors))
    assert counts.kinds["activities"].count == 8_000


def test_single_event_filter(lsq, client):
    """A single event is asked for by its code, and several without a filter."""
    lead = lsq.add_lead()
    for code in (166, 167, 201):
        lsq.add_activity(lead, code, INSIDE)
    assert [record.type for record in read(client, lead, activity_event_list=[166])] == ["166"]
    assert lsq.calls[-1].body["Parameter"] == {"ActivityEvent": 166}
    assert {record.type for record in read(client, lead, activity_event_list=[166, 167])} == {"166", "167"}
    assert lsq.calls[-1].body["Parameter"] == {}


@pytest.mark.parametrize("notes", [0, 1, NOTE_PAGE - 1, NOTE_PAGE, NOTE_PAGE + 1])
def test_notes_read_completely(lsq, client, notes):
    """Notes are read to their end."""
    lead = lsq.add_lead()
    for number in range(notes):
        lsq.add_note(lead, f"note {number}", INSIDE)
    assert len({row["Note"] for row in read_notes(client, lead)}) == notes


def test_window_bounds_exact(lsq, client):
    """The window's bounds are kept to the second."""
    lead = lsq.add_lead()
    for moment in (
        "2026-08-31 23:59:59",
        "2026-09-01 00:00:00",
        "2026-09-30 23:59:59",
        "2026-10-01 00:00:00",
    ):
        lsq.add_note(lead, moment, moment)
    found = {record.data["Note"] for record in read(client, lead, should_delete_prospect_notes=True)}
    assert found == {"2026-09-01 00:00:00", "2026-09-30 23:59:59"}


def test_tasks_by_type(lsq, client):
    """Tasks are told apart by type, and each owner's tasks are read only once."""
    for type_id, name in ((FOLLOW_UP, "Follow-up"), (MEETING, "Meeting")):
        lsq.add_task_type(name, type_id)
    leads = [lsq.add_lead() for _ in range(3)]
    for lead in leads:
        lsq.add_task(lead, FOLLOW_UP, INSIDE, owner="meera@example.com")
        lsq.add_task(lead, FOLLOW_UP, INSIDE, owner="meera@example.com", status="Completed")
        lsq.add_task(lead, MEETING, INSIDE, owner="meera@example.com")
    selectors = Selectors(task_type_list=(FOLLOW_UP.upper(),))
    types = task_types_of(client, selectors)
    for lead in leads:
        records = read_lead(client, lead, selectors, WINDOW, types).records
        assert [record.type for record in records] == [FOLLOW_UP, FOLLOW_UP]
    assert Counter(call.path for call in lsq.calls)["Task.svc/Retrieve"] == 4


def test_tasks_without_pages(lsq, client):
    """That paging has no effect on a lead's tasks is found out once, not for every lead with more than a page."""
    lsq.add_task_type("Follow-up", FOLLOW_UP)
    leads = [lsq.add_lead() for _ in range(3)]
    for lead in leads:
        for _ in range(30):
            lsq.add_task(lead, FOLLOW_UP, INSIDE)
    read = [read_tasks(client, lead) for lead in leads]
    assert [(len(rows), whole) for rows, whole in read] == [(30, False)] * 3
    path = "LeadManagement.svc/RetrieveTaskByLeadId"
    of_leads = [
        sum(call.query["leadId"] == lead for call in lsq.calls if call.path == path) for lead in leads
    ]
    assert of_leads == [8, 1, 1]


def test_task_of_unknown_type(lsq, client):
    """A task whose type cannot be determined counts as matching."""
    lead = lsq.add_lead()
    lsq.add_task_type("Follow-up", FOLLOW_UP)
    hidden = lsq.add_task_type("Retired")
    lsq.add_task(lead, hidden, INSIDE, owner="meera@example.com")
    types = TaskTypes(client, [FOLLOW_UP], {FOLLOW_UP: "Follow-up"})
    (record,) = read_lead(client, lead, Selectors(task_type_list=(FOLLOW_UP,)), WINDOW, types).records
    assert record.type == ""
    assert types.matches({"TaskID": "x", "OwnerID": None}) == (True, "")


def test_known_leads_ignore_case(lsq, client):
    """Known leads are found whatever the letter case of their IDs."""
    lead = lsq.add_lead()
    assert known_leads(client, [lead.upper(), "11111111-0000-4000-8000-000000000000"]) == {lead.lower()}


@pytest.mark.parametrize("answer", ['{"RecordCount": 1}', '{"ProspectActivities": 5}', "[]"])
def test_answer_without_list(lsq, client, monkeypatch, answer):
    """An answer without its list does not count as an empty list."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    lead = lsq.add_lead()
    monkeypatch.setattr(client, "call", lambda *_, **__: __import__("json").loads(answer))
    with pytest.raises(UnavailableError, match="no list ProspectActivities"):
        list(read_activities(client, lead, [166]))


def test_notes_in_smaller_pages(lsq, client, monkeypatch):
    """Notes that come in smaller pages than asked for are read to their end."""
    lead = lsq.add_lead()
    for number in range(60):
        lsq.add_note(lead, f"note {number}", INSIDE)
    call = client.call

    def capped(method: str, path: str, **kwargs: Any) -> Any:
        kwargs["body"]["Paging"] |= {"PageSize": 25} if "PageSize" in kwargs["body"]["Paging"] else {}
        return call(method, path, **kwargs)

    monkeypatch.setattr(client, "call", capped)
    assert len({row["Note"] for row in read_notes(client, lead)}) == 60


@pytest.mark.parametrize("total", ["60", 60])
def test_activities_in_smaller_pages(client, monkeypatch, total):
    """Activities that come in smaller pages than asked for are read to their end."""
    rows = [{"Id": str(number), "EventCode": 166} for number in range(60)]

    def capped(*_: Any, body: Any, **__: Any) -> Any:
        start = (body["Paging"].get("PageIndex", 1) - 1) * 25
        return {"RecordCount": total, "ProspectActivities": rows[start : start + 25]}

    monkeypatch.setattr(client, "call", capped)
    assert len(list(read_activities(client, "any", [166]))) == 60


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        ({"TaskList": [{"OwnerID": "o", "CreatedOn": INSIDE}]}, {"task_type_list": [FOLLOW_UP]}),
        ({"RecordCount": 1, "List": [{"CreatedOn": INSIDE}]}, {"should_delete_prospect_notes": True}),
        ({"List": [{"CreatedOn": INSIDE}]}, {"should_delete_prospect_notes": True}),
        (
            {"RecordCount": 1, "ProspectActivities": [{"Id": "a", "CreatedOn": INSIDE}]},
            {"activity_event_list": [166]},
        ),
        ({"ProspectActivities": [{"Id": "a", "EventCode": 166}]}, {"activity_event_list": [166]}),
        (
            {"RecordCount": 2, "TaskList": [{"TaskID": "t", "CreatedOn": INSIDE}]},
            {"task_type_list": [FOLLOW_UP]},
        ),
    ],
)
def test_incomplete_record_refused(client, monkeypatch, answer, asked):
    """A record without a field that decides about it is an error, and is never left out."""
    selectors = parse_selectors(**asked)
    types = TaskTypes(client, selectors.task_type_list, {})
    monkeypatch.setattr(client, "call", lambda *_, **__: answer)
    with pytest.raises(UnavailableError):
        read_lead(client, "any", selectors, WINDOW, types)


@pytest.mark.parametrize("counted", [True, False])
def test_known_leads_second_page(client, monkeypatch, counted):
    """Leads that come on a second page are known."""
    leads = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(50)]

    def capped(*_: Any, body: Any, **__: Any) -> Any:
        start = (body["Paging"].get("PageIndex", 1) - 1) * 25
        rows = [{"ProspectId": lead.upper()} for lead in leads[start : start + 25]]
        return {"Leads": rows, **({"RecordCount": 50} if counted else {})}

    monkeypatch.setattr(client, "call", capped)
    assert known_leads(client, [*leads, "11111111-0000-4000-8000-000000000000"]) == set(leads)
