"""Pages and counts, in each dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import BY_EVENT, BY_IDS, BY_LIST, BY_OWNER, NOTES, OF_LEAD, RETRIEVE, Api

AT = "2026-10-01 12:00:00"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"


BOTH = {"PageIndex": 2, "PageSize": 3, "Offset": "0", "RowCount": "5"}


@pytest.mark.parametrize(
    ("dialect", "paging", "expected"),
    [
        ({}, BOTH, range(3, 6)),
        ({"paging": "offset"}, BOTH, range(5)),
        ({"paging": "page_index"}, BOTH, range(3, 6)),
        ({"paging": "offset"}, {"PageIndex": 2, "PageSize": 3}, range(25)),
        ({"paging": "page_index"}, {"Offset": 2, "RowCount": 3}, range(25)),
        ({}, {"Offset": 0, "RowCount": 5}, range(5)),
        ({}, {"Offset": 1, "RowCount": 5}, range(5)),
        ({}, {"Offset": 2, "RowCount": 5}, range(5, 10)),
        ({"offset_means": "pages from 0"}, {"Offset": 1, "RowCount": 5}, range(5, 10)),
        ({"offset_means": "rows"}, {"Offset": 7, "RowCount": 5}, range(7, 12)),
        ({"page_cap": 25}, {"PageIndex": 2, "PageSize": 1000}, range(25, 50)),
        ({"page_cap": 200}, {"PageIndex": 1, "PageSize": 5000}, range(60)),
        ({"page_cap": 25}, {"PageIndex": 1, "PageSize": 10}, range(10)),
        ({}, {"PageIndex": 3, "PageSize": 30}, range(0)),
        ({"beyond_the_end": "last page again"}, {"PageIndex": 9, "PageSize": 25}, range(50, 60)),
        ({"beyond_the_end": "last page again"}, {"PageIndex": 3, "PageSize": 30}, range(30, 60)),
        ({"beyond_the_end": "last page again", "offset_means": "rows"}, {"Offset": 60}, range(50, 60)),
    ],
)
def test_paging(
    lsq: LeadSquaredEmulator,
    api: Api,
    lead_id: str,
    speak: Callable[..., None],
    dialect: Any,
    paging: Any,
    expected: range,
) -> None:
    """Of sixty activities a page brings those that the dialect's paging says."""
    ids = [lsq.add_activity(lead_id, 166, f"2026-10-01 12:00:{n:02d}") for n in range(60)][::-1]
    speak(**dialect)
    assert [row["Id"] for row in api.activities(lead_id, paging)] == [ids[n] for n in expected]


def test_page_beyond_the_end_as_error(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """A page past the end may be an error; the first page of nothing is empty."""
    speak(beyond_the_end="error")
    assert api.activities(lead_id, {"PageIndex": 1, "PageSize": 25}) == []
    lsq.add_activity(lead_id, 166, AT)
    answer = api.post(RETRIEVE, {"Paging": {"PageIndex": 2, "PageSize": 25}}, leadId=lead_id)
    assert (answer.status_code, answer.json()["ExceptionType"]) == (500, "MXInvalidInputException")


def test_last_page_of_nothing(
    api: Api,
    lead_id: str,
    speak: Callable[..., None],
) -> None:
    """Where the last page comes again, that of nothing is empty."""
    speak(beyond_the_end="last page again")
    assert api.activities(lead_id, {"PageIndex": 2, "PageSize": 25}) == []


def test_too_large_pages(
    api: Api,
    lead_id: str,
    speak: Callable[..., None],
) -> None:
    """A page above 1000 rows is an error where no smaller one is given instead."""
    body = {"Paging": {"PageIndex": 1, "PageSize": 1001}}
    assert api.post(RETRIEVE, body, leadId=lead_id).status_code == 500
    speak(page_cap=500)
    assert api.post(RETRIEVE, body, leadId=lead_id).status_code == 200


def read_page(api: Api, call: str, lead_id: str, list_id: str, paging: Any) -> dict[str, Any]:
    """One page of a call, as its rows' ids and its count."""
    owner = api.get("LeadManagement.svc/Leads.GetById", id=lead_id).json()[0]["OwnerId"]
    bodies: dict[str, Any] = {
        NOTES: {"Parameter": {"RelatedId": lead_id}},
        BY_OWNER: {"Parameter": {"LookupName": "OwnerId", "LookupValue": owner}},
        BY_EVENT: {"Parameter": {"ActivityEvent": 166}},
        BY_IDS: {
            "SearchParameters": {"LeadIds": api.lsq.lead_ids()},
            "Columns": {"Include_CSV": "ProspectID"},
        },
        BY_LIST: {"SearchParameters": {"ListId": list_id}, "Columns": {"Include_CSV": "ProspectID"}},
    }
    answer: dict[str, Any] = api.post(call, {**bodies[call], "Paging": paging}).json()
    return answer


@pytest.mark.parametrize("call", [NOTES, BY_OWNER, BY_EVENT, BY_IDS, BY_LIST])
def test_paging_of_other_calls(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None], call: str
) -> None:
    """Notes, tasks, leads and list members are paged by the same dialect, tasks always by rows to skip."""
    for n in range(12):
        lsq.add_note(lead_id, "x", f"2026-10-01 12:00:{n:02d}")
        lsq.add_task(lead_id, TYPE, f"2026-10-01 12:00:{n:02d}")
        lsq.add_activity(lead_id, 166, f"2026-10-01 12:00:{n:02d}")
    list_id = lsq.add_list("All", [lead_id, *(lsq.add_lead() for _ in range(11))])

    def ids(paging: Any) -> list[Any]:
        answer = read_page(api, call, lead_id, list_id, paging)
        return list(answer.get("List", answer.get("Leads")))

    everything = ids({"PageIndex": 1, "PageSize": 100})
    assert len(everything) == 12
    assert ids({"PageIndex": 2, "PageSize": 5}) == everything[5:10]
    speak(offset_means="pages from 0")
    start = 1 if call == BY_OWNER else 5
    assert ids({"Offset": "1", "RowCount": "5"}) == everything[start : start + 5]
    speak(paging="offset", page_cap=25)
    assert ids({"PageIndex": 2, "PageSize": 5}) == everything
    speak(paging="page_index")
    assert ids({"Offset": "1", "RowCount": "5"}) == everything
    speak(beyond_the_end="last page again")
    assert ids({"PageIndex": 9, "PageSize": 5}) == everything[10:]


@pytest.mark.parametrize("call", [NOTES, BY_OWNER, BY_EVENT, BY_IDS, BY_LIST])
@pytest.mark.parametrize(("counts", "expected"), [("all", 12), ("page", 5), ("none", None)])
def test_record_counts(
    lsq: LeadSquaredEmulator,
    api: Api,
    lead_id: str,
    speak: Callable[..., None],
    call: str,
    counts: str,
    expected: int | None,
) -> None:
    """RecordCount is that of all rows, of the page, or absent; notes have one only where the dialect says so."""
    for n in range(12):
        lsq.add_note(lead_id, "x", f"2026-10-01 12:00:{n:02d}")
        lsq.add_task(lead_id, TYPE, f"2026-10-01 12:00:{n:02d}")
        lsq.add_activity(lead_id, 166, f"2026-10-01 12:00:{n:02d}")
    list_id = lsq.add_list("All", [lead_id, *(lsq.add_lead() for _ in range(11))])
    paging = {"PageIndex": 1, "PageSize": 5}
    speak(counts=counts)
    count = read_page(api, call, lead_id, list_id, paging).get("RecordCount")
    assert count == (None if call == NOTES else expected)
    speak(counts=counts, note_counts=True)
    assert read_page(api, call, lead_id, list_id, paging).get("RecordCount") == expected


def test_counts_of_a_leads_records(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """Activities and tasks of a lead go without their count too."""
    lsq.add_activity(lead_id, 166, AT)
    lsq.add_task(lead_id, TYPE, AT)
    assert api.get(OF_LEAD, leadId=lead_id).json()["RecordCount"] == 1
    speak(counts="none")
    assert "RecordCount" not in api.get(OF_LEAD, leadId=lead_id).json()
    assert list(api.post(RETRIEVE, leadId=lead_id).json()) == ["ProspectActivities"]


def test_tasks_of_a_lead_capped(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Any) -> None:
    """A lead's tasks may be given only in part, whatever paging is asked for."""
    kind = lsq.add_task_type("Call back")
    for _ in range(30):
        lsq.add_task(lead_id, kind, "2026-10-01 10:00:00")
    path = "LeadManagement.svc/RetrieveTaskByLeadId"
    assert len(api.get(path, leadId=lead_id).json()["TaskList"]) == 30
    for counts, counted in (("all", 30), ("page", 25), ("none", None)):
        speak(task_cap=25, counts=counts)
        for paging in ({}, {"PageIndex": 2, "PageSize": 25}, {"Offset": 25, "RowCount": 25}):
            answer = api.get(path, leadId=lead_id, **paging).json()
            assert (len(answer["TaskList"]), answer.get("RecordCount")) == (25, counted)
