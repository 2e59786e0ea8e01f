from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.http.routes.reset import parse_reset
from airflow_provider_leadreset.emulator.store.crm import Crm
from support.emulator_client import FROM, RESET, TO, Api

CALL_TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
VISIT_TYPE = "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602"
NOON = "2026-10-01 12:00:00"


@pytest.fixture
def full(lsq: LeadSquaredEmulator, lead_id: str) -> str:
    """A lead with two of everything at noon, and one of everything the day before."""
    for at in (NOON, "2026-09-30 12:00:00"):
        for code in (166, 167, 22):
            lsq.add_activity(lead_id, code, at)
        lsq.add_task(lead_id, CALL_TYPE, at)
        lsq.add_task(lead_id, VISIT_TYPE, at)
        lsq.add_note(lead_id, "A note", at)
        lsq.add_audit(lead_id, "StageChange", at, old="Prospect", new="Qualified")
        lsq.add_audit(lead_id, "OwnerChange", at)
    return lead_id


def gone(lsq: LeadSquaredEmulator, lead_id: str) -> set[str]:
    """What is missing of the fixture above, as short words."""
    left = lsq.remaining(lead_id)
    names = {f"{a['event_code']} {a['created_on'][8:10]}" for a in left["activities"]}
    names |= {
        f"{'call' if t['task_type_id'] == CALL_TYPE else 'visit'} {t['created_on'][8:10]}"
        for t in left["tasks"]
    }
    names |= {f"note {n['created_on'][8:10]}" for n in left["notes"]}
    names |= {f"{a['kind'][:5]} {a['created_on'][8:10]}" for a in left["audits"]}
    kinds = ("166", "167", "22", "call", "visit", "note", "Stage", "Owner")
    return {f"{kind} {day}" for kind in kinds for day in ("01", "30")} - names


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ActivityEventList": [166]}, {"166 01"}),
        ({"ActivityEventList": [166, 167, 22, 999]}, {"166 01", "167 01"}),
        ({"TaskTypeList": [CALL_TYPE.upper()]}, {"call 01"}),
        ({"AuditActivityList": ["StageChange"]}, {"Stage 01"}),
        ({"AuditActivityList": ["StageChange", "OwnerChange"]}, {"Stage 01", "Owner 01"}),
        ({"ShouldDeleteProspectNotes": True}, {"note 01"}),
        ({"ShouldDeleteProspectNotes": False, "ActivityEventList": [167]}, {"167 01"}),
        ({"ActivityEventList": [166], "FromDate": None}, {"166 01", "166 30"}),
        ({"ActivityEventList": [166], "FromDate": "2026-09-30 12:00:01"}, {"166 01"}),
    ],
)
def test_only_named_records_are_deleted(
    lsq: LeadSquaredEmulator, api: Api, full: str, fields: dict[str, Any], expected: set[str]
) -> None:
    """Only what a reset names is deleted, and system activities never are."""
    answer = api.reset(full, **fields)
    assert answer.status_code == 200
    assert answer.json() == {
        "Status": "Success",
        "Message": {"Message": "Your request for lead reset has been queued."},
    }
    assert gone(lsq, full) == set(), "queued is not done"
    assert lsq.apply_queue() == len(expected)
    assert gone(lsq, full) == expected
    assert [call.prospect_id for call in lsq.resets] == [full]


def test_reset_without_dates(lsq: LeadSquaredEmulator, api: Api, full: str) -> None:
    """Without dates all of the past is deleted, and nothing of the future."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    kept = lsq.add_activity(full, 166, tomorrow)
    assert api.post(RESET, {"ProspectId": full, "ActivityEventList": [166]}).status_code == 200
    past = {a["id"] for a in lsq.remaining(full)["activities"] if a["event_code"] == 166} - {kept}
    assert lsq.apply_queue() == len(past) > 0
    assert kept in {a["id"] for a in lsq.remaining(full)["activities"]}


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"ProspectId": None}, 500, "MXMandatoryAttributeMissingException"),
        ({"ProspectId": " "}, 500, "MXMandatoryAttributeMissingException"),
        ({"ProspectId": "None"}, 500, "MXInvalidInputException"),
        ({"ProspectId": 7}, 400, "MXInvalidInputException"),
        ({"ProspectId": "00000000-0000-4000-8000-000000000000"}, 500, "MXInvalidEntityReferenceException"),
        ({"ActivityEventList": []}, 500, "MXMandatoryAttributeMissingException"),
        ({"ActivityEventList": None}, 500, "MXMandatoryAttributeMissingException"),
        (
            {"ActivityEventList": [], "ShouldDeleteProspectNotes": False},
            500,
            "MXMandatoryAttributeMissingException",
        ),
        ({"ActivityEventList": ["166"]}, 400, "MXInvalidInputException"),
        ({"ActivityEventList": [True]}, 400, "MXInvalidInputException"),
        ({"ActivityEventList": 166}, 400, "MXInvalidInputException"),
        ({"ShouldDeleteProspectNotes": "False"}, 400, "MXInvalidInputException"),
        ({"TaskTypeList": ["call"]}, 500, "MXInvalidInputException"),
        ({"AuditActivityList": ["Stage"]}, 500, "MXInvalidInputException"),
        ({"FromDate": "2026-10-01"}, 500, "MXInvalidInputException"),
        ({"ToDate": "2026-13-01 00:00:00"}, 500, "MXInvalidInputException"),
        ({"FromDate": "2026-10-02 00:00:00"}, 500, "MXInvalidInputException"),
    ],
)
def test_wrong_body(
    lsq: LeadSquaredEmulator, api: Api, full: str, change: dict[str, Any], status: int, kind: str
) -> None:
    """A wrong body is an error and deletes nothing."""
    body = {"ProspectId": full, "ActivityEventList": [166], "FromDate": FROM, "ToDate": TO, **change}
    answer = api.post(RESET, body)
    assert (answer.status_code, answer.json()["ExceptionType"]) == (status, kind)
    assert answer.json()["Status"] == "Error"
    assert answer.json()["ExceptionMessage"]
    assert lsq.resets == []
    assert lsq.apply_queue() == 0


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"{}", "text/plain"),
        (b"", "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_body_without_json_object(api: Api, data: bytes, content_type: str) -> None:
    """A body that is no JSON object is answered with a 400."""
    url = f"{api.lsq.url}/v2/{RESET}"
    answer = requests.post(url, data=data, headers={**api.keys, "Content-Type": content_type}, timeout=60)
    assert answer.status_code == 400


def test_reset_needs_administrator(lsq: LeadSquaredEmulator, api: Api, full: str) -> None:
    """The keys of a user who is no administrator reset nothing."""
    lsq.set_user(role="Sales User")
    assert api.reset(full, ActivityEventList=[166]).status_code == 403
    assert lsq.resets == []


def test_queue_delay() -> None:
    """Resets are applied after the delay and not before."""
    now = 100.0
    crm = Crm(queue_delay=2.0, clock=lambda: now)
    lead_id = crm.add_lead()
    crm.add_note(lead_id, "gone", NOON)
    body = {"ProspectId": lead_id, "ShouldDeleteProspectNotes": True, "FromDate": FROM, "ToDate": TO}
    crm.enqueue(parse_reset(body, crm.now()))
    now = 101.999
    assert len(crm.remaining(lead_id)["notes"]) == crm.queued(lead_id) == 1
    crm.add_note(lead_id, "too, as it is there in time", NOON)
    now = 102.0
    assert crm.remaining(lead_id)["notes"] == []
    assert crm.counts()["deleted"] == 2


def test_waiting_for_the_queue(lead_id: str) -> None:
    """Waiting until the emulator is idle means that all queued resets are applied."""
    with LeadSquaredEmulator(queue_delay=0.02) as lsq:
        lsq.add_lead(lead_id)
        activity = lsq.add_activity(lead_id, 166, NOON)
        api = Api(lsq)
        with api.session:
            api.reset(lead_id, ActivityEventList=[166])
            lsq.wait_until_idle()
            assert lsq.remaining(lead_id)["activities"] == []
            assert lsq.find_activity(activity) is None


def test_end_of_waiting() -> None:
    """Waiting ends when another thread applies the queue or the time is up."""
    crm = Crm(queue_delay=None)
    lead_id = crm.add_lead()
    crm.wait_until_idle(timeout=0)
    body = {"ProspectId": lead_id, "ShouldDeleteProspectNotes": True, "FromDate": FROM, "ToDate": TO}
    crm.enqueue(parse_reset(body, crm.now()))
    with pytest.raises(TimeoutError, match="1 resets are still queued"):
        crm.wait_until_idle(timeout=0.01)
    waiter = threading.Thread(target=crm.wait_until_idle)
    waiter.start()
    crm.apply_queue()
    waiter.join(5)
    assert not waiter.is_alive()


def test_accepted_times(lsq: LeadSquaredEmulator, lead_id: str) -> None:
    """Times are UTC texts or datetimes with a time zone, and nothing else."""
    india = timezone(timedelta(hours=5, minutes=30))
    lsq.add_note(lead_id, "aware", datetime(2026, 10, 1, 5, 30, tzinfo=india))
    assert lsq.remaining(lead_id)["notes"][0]["created_on"] == FROM
    for wrong in (datetime(2026, 10, 1), "2026-10-01T00:00:00Z", "2026-10-01", 5):  # ruff: ignore[call-datetime-without-tzinfo]
        with pytest.raises(ValueError, match="time"):
            lsq.add_note(lead_id, "?", wrong)  # type: ignore[arg-type]


def test_seed_checks(lsq: LeadSquaredEmulator, lead_id: str) -> None:
    """Seeding, like setting up the emulator, refuses values that make no sense."""
    with pytest.raises(ValueError, match="exists already"):
        lsq.add_lead(lead_id.upper())
    with pytest.raises(ValueError, match="not a GUID"):
        lsq.add_lead("7")
    with pytest.raises(ValueError, match="An audit is one of"):
        lsq.add_audit(lead_id, "Stage", NOON)
    with pytest.raises(KeyError, match="No lead"):
        lsq.add_note("00000000-0000-4000-8000-000000000000", "?", NOON)


def test_ten_thousand_activities(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """Ten thousand activities of one lead can be read page by page and reset."""
    start = datetime(2026, 10, 1, tzinfo=UTC)
    for number in range(10_000):
        lsq.add_activity(lead_id, 166 + number % 2, start + timedelta(seconds=number))
    ids = set()
    for page in range(1, 11):
        body = {"Paging": {"PageIndex": page, "PageSize": 1000}}
        answer = api.post("ProspectActivity.svc/Retrieve", body, leadId=lead_id).json()
        assert answer["RecordCount"] == 10_000
        ids |= {row["Id"] for row in answer["ProspectActivities"]}
    assert len(ids) == 10_000
    api.reset(lead_id, ActivityEventList=[167])
    assert lsq.apply_queue() == 5_000
