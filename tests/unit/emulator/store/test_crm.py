"""What moves a lead's LeadLastModifiedOn, and leads that are merged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.dialect import Mover
from airflow_provider_leadreset.emulator.store.crm import Crm
from support.emulator_client import DETAILS, Api
from support.leadsquared_control import CONTROL

AT = "2026-10-01 12:00:00"
OUTSIDE = "2025-01-01 00:00:00"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"


@pytest.mark.parametrize("mover", get_args(Mover))
def test_what_moves_last_modified(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None], mover: Mover
) -> None:
    """A record moves LeadLastModifiedOn, to its own time, only where the dialect says so of its kind."""
    lsq.add_activity(lead_id, 166, "2026-10-01 00:00:01")
    lsq.add_note(lead_id, "x", "2026-10-01 00:00:02")
    lsq.add_task(lead_id, TYPE, "2026-10-01 00:00:03")
    lsq.add_audit(lead_id, "StageChange", "2026-10-01 00:00:04")
    lsq.add_audit(lead_id, "OwnerChange", "2026-10-01 00:00:05")
    api.reset(lead_id, ShouldDeleteProspectNotes=True)
    lsq.apply_queue()
    # One that deletes nothing moves nothing either.
    api.reset(lead_id, ShouldDeleteProspectNotes=True)
    before = lsq.now()
    lsq.apply_queue()
    second = {"activity": 1, "note": 2, "task": 3, "stage": 4, "owner": 5}
    speak(moves_last_modified={mover})
    seen = api.last_modified(lead_id)
    if mover == "reset":
        assert abs(datetime.fromisoformat(f"{seen}+00:00") - before) < timedelta(seconds=60)
        assert datetime.fromisoformat(f"{seen}+00:00") <= before
    else:
        assert seen == f"2026-10-01 00:00:0{second[mover]}.000"
    speak(moves_last_modified="")
    assert api.last_modified(lead_id) == "2020-01-01 00:00:00.000", "the lead's creation"


def test_last_modified_by_default(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """By default activities and changes of stage and owner move it, also when modified, and notes do not."""
    lsq.add_note(lead_id, "x", "2026-10-02 00:00:00")
    lsq.add_task(lead_id, TYPE, "2026-10-02 00:00:00")
    lsq.add_activity(lead_id, 166, AT, modified_on="2026-10-01 13:00:00")
    assert api.last_modified(lead_id) == "2026-10-01 13:00:00.000"
    (lead,) = api.get("LeadManagement.svc/Leads.GetById", id=lead_id).json()
    assert lead["LeadLastModifiedOn"] == "2026-10-01 13:00:00.000"
    lsq.add_audit(lead_id, "OwnerChange", "2026-10-01 14:00:00")
    assert api.last_modified(lead_id) == "2026-10-01 14:00:00.000"


def test_events_that_move_nothing(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """An activity of a still event does not move it, however it was made; one of another event does."""
    lsq.add_activity(lead_id, 166, AT)
    lsq.add_activity(lead_id, 201, "2026-10-01 13:00:00")
    body = {"RelatedProspectId": lead_id, "ActivityEvent": 201}
    assert api.post("ProspectActivity.svc/Create", body).status_code == 200
    assert api.last_modified(lead_id) > "2026-10-02"
    speak(still_events=[201])
    assert api.last_modified(lead_id) == "2026-10-01 12:00:00.000"
    speak(still_events=[166, 201])
    assert api.last_modified(lead_id) == "2020-01-01 00:00:00.000", "the lead's creation"


def test_lag_of_last_modified(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """A move is readable only after the lag, and one of long ago at once."""
    lsq.add_activity(lead_id, 166, AT)
    lsq.add_activity(lead_id, 166, lsq.now())
    assert api.last_modified(lead_id) > "2026-10-02"
    speak(last_modified_lag=3600)
    assert api.last_modified(lead_id) == f"{AT}.000"


def test_end_of_the_lag() -> None:
    """A move becomes readable at the very second its lag is over."""
    now = datetime(2026, 10, 1, 12, tzinfo=UTC)
    crm = Crm(now=lambda: now, dialect={"last_modified_lag": 10})
    lead = crm.lead(crm.add_lead(created_on=OUTSIDE))
    crm.add_activity(lead.id, 166, now)
    added, now = now, now + timedelta(seconds=9)
    assert crm.last_modified(lead) == lead.created_on
    now = added + timedelta(seconds=10)
    assert crm.last_modified(lead) == added


def test_merged_leads(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A merged lead is unknown, its records belong to the survivor under their own ids, and no reset reaches it."""
    other = lsq.add_lead()
    activity = lsq.add_activity(other, 166, AT)
    lsq.add_task(other, TYPE, AT)
    lsq.add_note(other, "x", AT)
    lsq.add_audit(other, "StageChange", AT)
    kept = lsq.add_activity(lead_id, 166, "2026-10-01 13:00:00")
    list_id = lsq.add_list("Both", [lead_id, other])
    before = lsq.remaining(other)
    api.reset(other, ActivityEventList=[166])
    merged = requests.post(
        f"{lsq.url}/_emulator/merge", json={"survivor": lead_id, "merged": other}, headers=CONTROL, timeout=60
    )
    assert merged.json() == lsq.remaining(lead_id)
    assert lsq.apply_queue() == 0
    assert api.get("LeadManagement.svc/Leads.GetById", id=other).json() == []
    assert [row["Id"] for row in api.activities(lead_id, code=166)] == [kept, activity]
    assert {row["RelatedProspectId"] for row in api.activities(lead_id)} == {lead_id}
    assert lsq.remaining(lead_id)["notes"] == before["notes"]
    assert [len(lsq.remaining(lead_id)[kind]) for kind in ("tasks", "audits")] == [1, 1]
    assert [one.lead_ids for one in lsq.lists() if one.id == list_id] == [[lead_id]]
    assert api.get(DETAILS, activityId=activity).status_code == 200
    with pytest.raises(KeyError, match="No lead"):
        lsq.merge_leads(lead_id, other)
    with pytest.raises(ValueError, match="merged with itself"):
        lsq.merge_leads(lead_id, lead_id.upper())
    for pair in ({"survivor": lead_id, "merged": lead_id}, {"survivor": other, "merged": lead_id}):
        assert (
            requests.post(f"{lsq.url}/_emulator/merge", json=pair, headers=CONTROL, timeout=60).status_code
            == 422
        )
