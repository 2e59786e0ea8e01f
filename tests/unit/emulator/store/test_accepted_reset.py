"""What a reset does, in each dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import FROM, TO, Api

AT = "2026-10-01 12:00:00"
OUTSIDE = "2025-01-01 00:00:00"
TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_unknown_lead(lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]) -> None:
    """The reset of an unknown lead is refused, or queued without effect."""
    assert api.reset(UNKNOWN, ActivityEventList=[166]).json()["ExceptionMessage"] == "Lead not found"
    speak(unknown_lead="ignored")
    assert api.reset(UNKNOWN, ActivityEventList=[166]).json()["Status"] == "Success"
    assert lsq.apply_queue() == 0


def test_unknown_and_system_types(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None]
) -> None:
    """Unknown event codes and task types, and system activities, are ignored or refused."""
    lsq.add_activity_type(166, "Call")
    asked: list[dict[str, Any]] = [
        {"ActivityEventList": [166, 999]},
        {"ActivityEventList": [166, 3002]},
        {"ActivityEventList": [166], "TaskTypeList": [UNKNOWN]},
        {"ActivityEventList": [166]},
    ]

    def statuses() -> list[int]:
        return [api.reset(lead_id, **fields).status_code for fields in asked]

    assert statuses() == [200, 200, 200, 200]
    speak(unknown_types="refused")
    assert statuses() == [500, 200, 500, 200]
    speak(system_events="refused")
    assert statuses() == [200, 500, 200, 200]


KINDS: dict[str, dict[str, Any]] = {
    "activity": {"ActivityEventList": [166]},
    "task": {"TaskTypeList": [TYPE]},
    "note": {"ShouldDeleteProspectNotes": True},
    "audit": {"AuditActivityList": ["StageChange"]},
}


def add_with_date(lsq: LeadSquaredEmulator, lead_id: str, kind: str, inside: str) -> None:
    """Add a record whose every date lies outside the window but the one named."""
    dates = {"created_on": OUTSIDE, "modified_on": OUTSIDE}
    own = {"ActivityDateTime": "activity_date_time", "DueDate": "due_date"}
    if kind == "activity":
        dates["activity_date_time"] = OUTSIDE
    if kind == "task":
        dates["due_date"] = OUTSIDE
    named = own.get(inside, {"CreatedOn": "created_on", "ModifiedOn": "modified_on"}.get(inside))
    assert named in dates
    dates[named] = AT
    match kind:
        case "activity":
            lsq.add_activity(lead_id, 166, **dates)  # type: ignore[arg-type]
        case "task":
            lsq.add_task(lead_id, TYPE, **dates)  # type: ignore[arg-type]
        case "note":
            lsq.add_note(lead_id, "x", **dates)  # type: ignore[arg-type]
        case _:
            lsq.add_audit(lead_id, "StageChange", **dates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "dates"),
    [
        ("activity", ["CreatedOn", "ModifiedOn", "ActivityDateTime"]),
        ("task", ["CreatedOn", "DueDate", "ModifiedOn"]),
        ("note", ["CreatedOn", "ModifiedOn"]),
        ("audit", ["CreatedOn", "ModifiedOn"]),
    ],
)
def test_compared_date(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None], kind: str, dates: list[str]
) -> None:
    """A reset compares with the one date that the dialect names for the kind."""
    for compared in dates:
        speak(**{f"{kind}_date": compared})
        for inside in dates:
            add_with_date(lsq, lead_id, kind, inside)
            api.reset(lead_id, **KINDS[kind])
            assert lsq.apply_queue() == (inside == compared), (compared, inside)
        lsq.forget()
        lsq.add_lead(lead_id)


@pytest.mark.parametrize(
    ("dialect", "gone"),
    [
        ({}, {FROM, f"{FROM}.500", TO}),
        ({"from_included": False}, {f"{FROM}.500", TO}),
        ({"to_included": False}, {FROM, f"{FROM}.500"}),
        ({"fractions": "dropped"}, {FROM, f"{FROM}.500", TO, f"{TO}.500"}),
        ({"fractions": "dropped", "from_included": False}, {TO, f"{TO}.500"}),
    ],
)
def test_bounds(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, speak: Callable[..., None], dialect: Any, gone: set[str]
) -> None:
    """Each end belongs to the span or not, and fractions of a second count or not."""
    speak(**dialect)
    edges = {"2026-09-30 23:59:59", FROM, f"{FROM}.500", TO, f"{TO}.500", "2026-10-02 00:00:00"}
    for at in edges:
        lsq.add_note(lead_id, "edge", at)
    api.reset(lead_id, ShouldDeleteProspectNotes=True)
    lsq.apply_queue()
    assert {note["created_on"] for note in lsq.remaining(lead_id)["notes"]} == edges - gone
