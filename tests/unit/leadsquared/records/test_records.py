"""Reading what a reset would delete, over a real socket."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter, SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.records.pages import paged
from airflow_provider_leadreset.leadsquared.records.records import (
    NOTE_PAGE,
    known_leads,
    read_activities,
    read_notes,
    read_records,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes, task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
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
    selectors = Selectors.parse(**asked)
    return list(read_records(client, lead, selectors, WINDOW, task_types_of(client, selectors)))


def test_ten_thousand_activities_are_counted_exactly_in_little_memory(lsq, client):
    lead = lsq.add_lead()
    for number in range(10_000):
        lsq.add_activity(lead, 166 + number % 2, INSIDE if number % 5 else "2026-10-15 10:00:00")
    tracemalloc.start()
    counted = Counter(row["EventCode"] for row in read_activities(client, lead, [166, 167]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == {166: 5_000, 167: 5_000}
    assert peak < 12 * 2**20
    assert len(lsq.calls) == 10
    reset = LeadReset(lead, Selectors((166, 167)), WINDOW)
    counts = count_lead_records(client, reset, task_types_of(client, reset.selectors))
    assert counts.kinds["activities"].count == 8_000


def test_one_event_is_asked_for_by_itself(lsq, client):
    lead = lsq.add_lead()
    for code in (166, 167, 201):
        lsq.add_activity(lead, code, INSIDE)
    assert [record.type for record in read(client, lead, activity_event_list=[166])] == ["166"]
    assert lsq.calls[-1].body["Parameter"] == {"ActivityEvent": 166}
    assert {record.type for record in read(client, lead, activity_event_list=[166, 167])} == {"166", "167"}
    assert lsq.calls[-1].body["Parameter"] == {}


def test_system_activities_never_count_since_they_are_never_deleted(lsq, client):
    lead = lsq.add_lead()
    lsq.add_activity(lead, 22, INSIDE)
    assert read(client, lead, activity_event_list=[22]) == []
    assert lsq.calls == []


@pytest.mark.parametrize("notes", [0, 1, NOTE_PAGE - 1, NOTE_PAGE, NOTE_PAGE + 1])
def test_notes_are_read_to_their_end(lsq, client, notes):
    lead = lsq.add_lead()
    for number in range(notes):
        lsq.add_note(lead, f"note {number}", INSIDE)
    assert len({row["Note"] for row in read_notes(client, lead)}) == notes


def test_the_window_is_kept_to_the_second(lsq, client):
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


def test_tasks_are_told_apart_by_type_and_an_owner_is_asked_once(lsq, client):
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
        records = list(read_records(client, lead, selectors, WINDOW, types))
        assert [record.type for record in records] == [FOLLOW_UP, FOLLOW_UP]
    assert Counter(call.path for call in lsq.calls)["Task.svc/Retrieve"] == 4


def test_a_task_whose_type_cannot_be_found_out_counts(lsq, client):
    lead = lsq.add_lead()
    lsq.add_task_type("Follow-up", FOLLOW_UP)
    hidden = lsq.add_task_type("Retired")
    lsq.add_task(lead, hidden, INSIDE, owner="meera@example.com")
    types = TaskTypes(client, [FOLLOW_UP], {FOLLOW_UP: "Follow-up"})
    (record,) = read_records(client, lead, Selectors(task_type_list=(FOLLOW_UP,)), WINDOW, types)
    assert record.type == ""
    assert types.matches({"TaskID": "x", "OwnerID": None}) == (True, "")


def test_known_leads_are_found_in_any_letter_case(lsq, client):
    lead = lsq.add_lead()
    assert known_leads(client, [lead.upper(), "11111111-0000-4000-8000-000000000000"]) == {lead.lower()}


def pages(*given: tuple[list[int], int | None]) -> Any:
    rows = iter(given)

    def page(number: int) -> tuple[list[dict[str, Any]], int | None]:
        ids, total = next(rows)
        return [{"Id": id_} for id_ in ids], total

    return page


def ids_of(*given: tuple[list[int], int | None]) -> list[int]:
    return [row["Id"] for row in paged(pages(*given), 2, "Id")]


def test_a_page_that_comes_twice_counts_once_and_is_no_end():
    assert ids_of(([1, 2], 4), ([1, 2], 4), ([3, 4], 4)) == [1, 2, 3, 4]


def test_rows_that_were_announced_and_do_not_come_are_an_error():
    with pytest.raises(UnavailableError, match="4 records were announced and only 2 given"):
        ids_of(([1, 2], 4), ([1, 2], 4), ([1, 2], 4))


def test_without_a_count_a_page_that_is_not_full_is_the_last():
    assert ids_of(([1, 2], None), ([3], None)) == [1, 2, 3]
    assert ids_of(([1, 2], None), ([], None)) == [1, 2]


@pytest.mark.parametrize("answer", ['{"RecordCount": 1}', '{"ProspectActivities": 5}', "[]"])
def test_an_answer_without_its_list_is_no_empty_list(lsq, client, monkeypatch, answer):
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    lead = lsq.add_lead()
    monkeypatch.setattr(client, "call", lambda *_, **__: __import__("json").loads(answer))
    with pytest.raises(UnavailableError, match="no list ProspectActivities"):
        list(read_activities(client, lead, [166]))


def test_notes_that_come_in_smaller_pages_than_asked_for_are_read_to_their_end(lsq, client, monkeypatch):
    lead = lsq.add_lead()
    for number in range(60):
        lsq.add_note(lead, f"note {number}", INSIDE)
    call = client.call

    def capped(method: str, path: str, **kwargs: Any) -> Any:
        kwargs["body"]["Paging"]["PageSize"] = 25
        return call(method, path, **kwargs)

    monkeypatch.setattr(client, "call", capped)
    assert len({row["Note"] for row in read_notes(client, lead)}) == 60


@pytest.mark.parametrize("total", ["60", 60])
def test_activities_that_come_in_smaller_pages_than_asked_for_are_read_to_their_end(
    client, monkeypatch, total
):
    rows = [{"Id": str(number), "EventCode": 166} for number in range(60)]

    def capped(*_: Any, body: Any, **__: Any) -> Any:
        start = (body["Paging"]["PageIndex"] - 1) * 20
        return {"RecordCount": total, "ProspectActivities": rows[start : start + 20]}

    monkeypatch.setattr(client, "call", capped)
    assert len(list(read_activities(client, "any", [166]))) == 60


def test_a_count_below_what_was_given_is_no_end():
    parts = [list(range(1, 26)), list(range(26, 51)), [51]]
    assert [row["Id"] for row in paged(pages(*((part, 1) for part in parts)), 25, "Id")] == list(range(1, 52))


def test_page_numbers_without_effect_are_an_error_where_no_count_tells_the_end():
    with pytest.raises(UnavailableError, match="given twice"):
        list(paged(pages((list(range(1, 26)), None), (list(range(1, 26)), None)), 200, "Id"))


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
def test_a_record_that_lacks_what_it_is_judged_by_is_an_error_and_never_left_out(
    client, monkeypatch, answer, asked
):
    selectors = Selectors.parse(**asked)
    types = TaskTypes(client, selectors.task_type_list, {})
    monkeypatch.setattr(client, "call", lambda *_, **__: answer)
    with pytest.raises(UnavailableError):
        list(read_records(client, "any", selectors, WINDOW, types))


@pytest.mark.parametrize("counted", [True, False])
def test_leads_that_come_on_a_second_page_are_known(client, monkeypatch, counted):
    leads = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(50)]

    def capped(*_: Any, body: Any, **__: Any) -> Any:
        start = (body["Paging"]["PageIndex"] - 1) * 20
        rows = [{"ProspectId": lead.upper()} for lead in leads[start : start + 20]]
        return {"Leads": rows, **({"RecordCount": 50} if counted else {})}

    monkeypatch.setattr(client, "call", capped)
    assert known_leads(client, [*leads, "11111111-0000-4000-8000-000000000000"]) == set(leads)
