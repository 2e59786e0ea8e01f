"""The calls that create and change records, in each dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import BY_IDS, NOTES, OF_LEAD, Api

CREATE = "ProspectActivity.svc/Create"
CREATE_TASK = "Task.svc/Create"
CREATE_NOTE = "LeadManagement.svc/CreateNote"
CREATE_LEAD = "LeadManagement.svc/Lead.Create"
UPDATE_LEAD = "LeadManagement.svc/Lead.Update"
LONG_AGO = "2025-01-01 12:00:00"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"


@pytest.fixture(autouse=True)
def types(lsq: LeadSquaredEmulator) -> None:
    lsq.add_activity_type(201, "Demo booked")
    lsq.add_task_type("Follow-up call", TYPE)


def made(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.json()["Status"] == "Success"
    return str(answer.json()["Message"]["Id"])


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["ExceptionType"]


def test_lead_is_created_and_changed(lsq: LeadSquaredEmulator, api: Api) -> None:
    """A lead is created with what was given, and changes of stage and owner make audits."""
    lead = made(api.post(CREATE_LEAD, [{"Attribute": "FirstName", "Value": "Asha"}]))
    assert (lsq.lead(lead).first_name, lsq.lead(lead).email) == ("Asha", "")
    assert refused(api.post(CREATE_LEAD, [{"Attribute": "Website", "Value": "x"}]))[0] == 500
    assert refused(api.post(CREATE_LEAD, {"FirstName": "Asha"}))[0] == 400
    other = lsq.directory.user_id("meera@example.com")
    for attribute, value in (("ProspectStage", "Contacted"), ("OwnerId", other)):
        body = [{"Attribute": attribute, "Value": value}]
        assert api.post(UPDATE_LEAD, body, leadId=lead).json()["Status"] == "Success"
    audits = [(one["kind"], one["old"], one["new"]) for one in lsq.remaining(lead)["audits"]]
    assert audits == [("StageChange", "Prospect", "Contacted"), ("OwnerChange", "Asha Admin", "meera")]
    nobody = [{"Attribute": "OwnerId", "Value": UNKNOWN}]
    assert refused(api.post(UPDATE_LEAD, nobody, leadId=lead)) == (500, "MXInvalidEntityReferenceException")


def test_records_are_created(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """An activity, a task and a note are created at the present moment, with the dates that are given."""
    activity = made(
        api.post(CREATE, {"RelatedProspectId": lead_id, "ActivityEvent": 201, "ActivityDateTime": LONG_AGO})
    )
    task = made(
        api.post(
            CREATE_TASK,
            {
                "Name": "Call",
                "RelatedEntityId": lead_id,
                "DueDate": LONG_AGO,
                "OwnerId": lsq.user_id,
                "TaskType": {"Name": "follow-up call"},
            },
        )
    )
    note = made(api.post(CREATE_NOTE, {"RelatedProspectId": lead_id, "Note": "x"}))
    left = lsq.remaining(lead_id)
    assert [row["id"] for kind in ("activities", "tasks", "notes") for row in left[kind]] == [
        activity,
        task,
        note,
    ]
    assert left["activities"][0]["activity_date_time"] == left["tasks"][0]["due_date"] == LONG_AGO
    now = f"{lsq.now():%Y-%m-%d}"
    assert all(left[kind][0]["created_on"].startswith(now) for kind in ("activities", "tasks", "notes"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CREATE, {"RelatedProspectId": UNKNOWN, "ActivityEvent": 201}),
        (CREATE_NOTE, {"RelatedProspectId": UNKNOWN, "Note": "x"}),
        (CREATE_TASK, {"RelatedEntityId": UNKNOWN, "Name": "x", "TaskType": {"Name": "Follow-up call"}}),
    ],
)
def test_unknown_lead_gets_no_record(api: Api, path: str, body: dict[str, Any]) -> None:
    """A record for an unknown lead is refused."""
    assert refused(api.post(path, body)) == (500, "MXInvalidEntityReferenceException")


def test_bad_records_are_refused(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """An unknown event code, task type or owner, and a bad date, are refused."""
    activity = {"RelatedProspectId": lead_id, "ActivityEvent": 999}
    task = {"RelatedEntityId": lead_id, "Name": "x", "DueDate": LONG_AGO, "OwnerId": lsq.user_id}
    bad = [
        (CREATE, activity),
        (CREATE, activity | {"ActivityEvent": 201, "ActivityDateTime": "yesterday"}),
        (CREATE_TASK, task | {"TaskType": {"Name": "no such type"}}),
        (CREATE_TASK, task | {"TaskType": {"Name": "Follow-up call"}, "OwnerId": UNKNOWN}),
        (CREATE_NOTE, {"RelatedProspectId": lead_id}),
    ]
    assert [refused(api.post(path, body))[0] for path, body in bad] == [500] * 5
    assert refused(api.post(CREATE, [activity]))[0] == 400


def test_records_are_changed(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """A record that was created can be changed, which moves its ModifiedOn; where not, the calls are not there."""
    note = made(api.post(CREATE_NOTE, {"RelatedProspectId": lead_id, "Note": "x"}))
    change = {"ProspectNoteId": note, "Note": "y"}
    assert api.post("LeadManagement.svc/UpdateNote", change).json()["Status"] == "Success"
    (left,) = lsq.remaining(lead_id)["notes"]
    assert left["text"] == "y"
    assert left["modified_on"] > left["created_on"]
    assert refused(api.post("Task.svc/Update", {"UserTaskId": note}))[0] == 500
    speak(update_calls=False)
    assert api.post("LeadManagement.svc/UpdateNote", change).status_code == 404
    speak(notes_api=False)
    assert api.post("LeadManagement.svc/UpdateNote", change).status_code == 404
    assert api.post(CREATE_NOTE, {"RelatedProspectId": lead_id, "Note": "x"}).status_code == 404


def test_what_activity_time_sets(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """A given ActivityDateTime becomes a date of its own, or the CreatedOn."""
    body = {"RelatedProspectId": lead_id, "ActivityEvent": 201, "ActivityDateTime": LONG_AGO}
    speak(activity_time_sets="CreatedOn")
    made(api.post(CREATE, body))
    (row,) = lsq.remaining(lead_id)["activities"]
    assert row["created_on"] == LONG_AGO < row["modified_on"]


def test_fractions_of_created_records(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """A created record's moment is kept and shown with its fraction, or not."""
    lsq._now, before = (lambda: lsq_now), lsq._now
    lsq_now = before().replace(microsecond=123_000)
    try:
        speak(fractions_shown=False)
        made(api.post(CREATE_NOTE, {"RelatedProspectId": lead_id, "Note": "x"}))
        shown = api.post(NOTES, {"Parameter": {"RelatedId": lead_id}}).json()["List"][0]["CreatedOn"]
        assert shown.endswith(".000")
        assert lsq.lead(lead_id).notes[0].created_on.microsecond == 123_000
        speak(fractions_kept=False)
        made(api.post(CREATE_NOTE, {"RelatedProspectId": lead_id, "Note": "x"}))
        assert lsq.lead(lead_id).notes[0].created_on.microsecond == 0
    finally:
        lsq._now = before


def test_replica_shows_changes_late(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """Reads show what was created, changed and deleted a replica's lag later, in order; writes know it at once."""
    seconds, before = [0.0], lsq._clock
    lsq._clock = lsq._queue._clock = lambda: seconds[0]
    lsq._queue.delay = 1.0
    try:
        speak(replica_lag=5)
        lead = made(api.post(CREATE_LEAD, [{"Attribute": "FirstName", "Value": "Asha"}]))
        note = made(api.post(CREATE_NOTE, {"RelatedProspectId": lead, "Note": "x"}))
        assert lsq.find_lead(lead) is None
        seconds[0] = 5.0
        assert [one.id for one in lsq.lead(lead).notes] == [note]
        wide = {"FromDate": "2020-01-01 00:00:00", "ToDate": "2099-01-01 00:00:00"}
        assert api.reset(lead, ShouldDeleteProspectNotes=True, **wide).status_code == 200
        later = made(api.post(CREATE_NOTE, {"RelatedProspectId": lead, "Note": "after the queue"}))
        seconds[0] = 10.9
        assert {one.id for one in lsq.lead(lead).notes} == {note, later}
        seconds[0] = 11.0
        assert lsq.lead(lead).notes == []
    finally:
        lsq._clock = lsq._queue._clock = before
        lsq._queue.delay = None


def test_lost_and_vain_resets(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """One accepted reset in ten gets lost; one that names what is not there may do nothing at all."""
    speak(lost_resets="one in ten")
    lsq._losses.seed("some")
    kept = 0
    for _ in range(60):
        lsq.add_note(lead_id, "x", LONG_AGO)
        api.reset(lead_id, ShouldDeleteProspectNotes=True, FromDate=LONG_AGO)
        lsq.apply_queue()
        kept += bool(lsq.lead(lead_id).notes)
    assert 1 <= kept <= 15
    speak(unknown_types="in vain", system_events="in vain")
    lsq.add_note(lead_id, "x", LONG_AGO)
    for codes, gone in (([999], 0), ([22], 0), ([201], 1)):
        api.reset(lead_id, ShouldDeleteProspectNotes=True, ActivityEventList=codes, FromDate=LONG_AGO)
        assert bool(lsq.apply_queue()) == bool(gone)


def test_last_modified_zone_and_automation(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """LeadLastModifiedOn may be written in another time zone, and be moved by an automation."""
    asked = {"SearchParameters": {"LeadIds": [lead_id]}, "Columns": {"Include_CSV": "LeadLastModifiedOn"}}
    utc = api.last_modified(lead_id)
    speak(last_modified_zone="Asia/Kolkata")
    assert (utc[:16], api.last_modified(lead_id)[:16]) == ("2020-01-01 00:00", "2020-01-01 05:30")
    speak(automation_every=90)
    moved = api.post(BY_IDS, asked).json()["Leads"][0]["LeadLastModifiedOn"]
    assert moved[:10] >= f"{lsq.now():%Y-%m-%d}"[:8]
    assert api.get(OF_LEAD, leadId=lead_id).json()["TaskList"] == []
