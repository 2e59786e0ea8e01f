"""How activities look, and what is shown among them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import DETAILS, RETRIEVE, Api

AT = "2026-10-01 12:00:00"


def test_mirror_rows(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]) -> None:
    """A custom activity is preceded by a row of code 3011 with its Id, which goes with it or stays."""
    system = lsq.add_activity(lead_id, 22, "2026-10-01 11:00:00")
    custom = lsq.add_activity(lead_id, 201, AT)
    assert [row["EventCode"] for row in api.activities(lead_id)] == [201, 22]
    speak(mirror_rows=True)
    shown = [(row["Id"], row["EventCode"]) for row in api.activities(lead_id)]
    assert shown == [(custom, 3011), (custom, 201), (system, 22)]
    assert api.post(RETRIEVE, leadId=lead_id).json()["RecordCount"] == 3
    assert [row["Id"] for row in api.activities(lead_id, code=3011)] == [custom]
    assert [row["EventCode"] for row in api.activities(lead_id, code=201)] == [201]
    api.reset(lead_id, ActivityEventList=[201, 3011])
    assert lsq.apply_queue() == 1
    assert [row["EventCode"] for row in api.activities(lead_id)] == [22]
    speak(mirror_rows=True, mirrors_kept=True)
    assert [(row["Id"], row["EventCode"]) for row in api.activities(lead_id)] == [
        (custom, 3011),
        (system, 22),
    ]
    speak(mirrors_kept=True)
    assert len(api.activities(lead_id)) == 1


def test_audits_as_activities(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """Stage and owner changes are readable as activities 3002 and 3001, unless the account does not show them."""
    stage = lsq.add_audit(lead_id, "StageChange", AT, old="Prospect", new="Qualified")
    owner = lsq.add_audit(lead_id, "OwnerChange", "2026-10-01 13:00:00", old="Tom", new="Meera")
    call = lsq.add_activity(lead_id, 201, "2026-10-01 12:30:00")
    assert [row["Id"] for row in api.activities(lead_id)] == [owner, call, stage]
    (row,) = api.activities(lead_id, code=3002)
    assert (row["Id"], row["EventCode"], row["ActivityType"]) == (stage, 3002, 26)
    assert {pair["Key"]: pair["Value"] for pair in row["Data"]} == {
        "PreviousStage": "Prospect",
        "CurrentStage": "Qualified",
        "CreatedBy": "Asha Admin",
        "Comment": "",
    }
    assert "ActivityFields" not in row
    (row,) = api.activities(lead_id, code=3001)
    assert {pair["Key"]: pair["Value"] for pair in row["Data"]} == {
        "PreviousOwner": "Tom",
        "CurrentOwner": "Meera",
    }
    assert api.get(DETAILS, activityId=stage).json()["ID"] == stage
    # A reset by their codes deletes nothing, one by their kind deletes them.
    api.reset(lead_id, ActivityEventList=[3001, 3002])
    assert lsq.apply_queue() == 0
    api.reset(lead_id, AuditActivityList=["StageChange"])
    assert lsq.apply_queue() == 1
    assert api.activities(lead_id, code=3002) == []
    assert api.get(DETAILS, activityId=stage).status_code == 500
    speak(audits_shown=False)
    assert [row["Id"] for row in api.activities(lead_id)] == [call]
    assert api.get(DETAILS, activityId=owner).status_code == 500


def test_custom_and_system_types(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """An activity type is custom or a system one whatever its code is, and a reset deletes no system activity."""
    lsq.add_activity_type(201, "Built in", custom=False)
    lsq.add_activity_type(45, "Own", custom=True)
    for code in (201, 45, 33, 3004, 3006, 1001, 12000):
        lsq.add_activity(lead_id, code, AT)
    api.reset(lead_id, ActivityEventList=[201, 45, 33, 3004, 3006, 3011, 1001, 12000])
    assert lsq.apply_queue() == 3
    left = {row["event_code"] for row in lsq.remaining(lead_id)["activities"]}
    assert left == {201, 33, 3004, 3006}
    kinds = {row["EventCode"]: row["ActivityType"] for row in api.activities(lead_id)}
    assert set(kinds.values()) == {1}


def test_custom_fields(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """Custom fields of a custom activity stand in Data and in ActivityFields, with times in their own form."""
    at = datetime(2026, 7, 31, 5, 33, 50, tzinfo=UTC)
    lsq.add_activity(lead_id, 201, AT, fields={"mx_Custom_1": "x", "mx_Custom_2": at})
    lsq.add_activity(lead_id, 22, "2026-10-01 11:00:00")
    lsq.add_activity(lead_id, 202, "2026-10-01 10:00:00", fields={"mx_Custom_1": at + timedelta(hours=12)})
    custom, system, evening = api.activities(lead_id)
    assert custom["ActivityFields"] == {"mx_Custom_1": "x", "mx_Custom_2": "7/31/2026 5:33:50 AM"}
    assert {"Key": "mx_Custom_1", "Value": "x"} in custom["Data"]
    assert "ActivityFields" not in system
    assert system["ActivityType"] == 3
    assert evening["ActivityFields"] == {"mx_Custom_1": "7/31/2026 5:33:50 PM"}
    details = api.get(DETAILS, activityId=custom["Id"]).json()
    assert {field["SchemaName"]: field["Value"] for field in details["Fields"]}["mx_Custom_1"] == "x"
