"""Reset a Lead: reading the body of the call, and deciding which records it covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from airflow_provider_leadreset.emulator.answers import INVALID_INPUT, MANDATORY, ApiError
from airflow_provider_leadreset.emulator.records import AUDIT_KINDS, FIRST_CUSTOM_EVENT, Lead, guid
from airflow_provider_leadreset.emulator.times import parse_time

Bounds = Literal["both", "from"]


@dataclass(frozen=True, slots=True)
class Reset:
    """An accepted reset, as it waits in the queue."""

    lead_id: str
    event_codes: frozenset[int]
    task_types: frozenset[str]
    audit_kinds: frozenset[str]
    notes: bool
    start: datetime | None
    """First moment covered; None for the lead's creation: no record of a lead is older."""
    end: datetime

    def covers(self, created_on: datetime, bounds: Bounds) -> bool:
        """Say whether a record of that creation time lies in the span.

        A guess twice over: that the dates compare with CreatedOn, and that the comparison is exact, so that
        a record half a second after a ToDate is out.
        """
        if self.start is not None and created_on < self.start:
            return False
        return created_on <= self.end if bounds == "both" else created_on < self.end

    def apply(self, lead: Lead, bounds: Bounds) -> int:
        """Delete what the reset covers from ``lead``, and return how many records that were."""
        before = _size(lead)
        if self.event_codes:
            # Documented: system activities stay, whatever the list says.
            lead.activities = [
                a
                for a in lead.activities
                if a.code < FIRST_CUSTOM_EVENT
                or a.code not in self.event_codes
                or not self.covers(a.created_on, bounds)
            ]
        if self.task_types:
            lead.tasks = [
                t
                for t in lead.tasks
                if t.type_id not in self.task_types or not self.covers(t.created_on, bounds)
            ]
        if self.audit_kinds:
            lead.audits = [
                a
                for a in lead.audits
                if a.kind not in self.audit_kinds or not self.covers(a.created_on, bounds)
            ]
        if self.notes:
            lead.notes = [n for n in lead.notes if not self.covers(n.created_on, bounds)]
        return before - _size(lead)


def _size(lead: Lead) -> int:
    return len(lead.activities) + len(lead.tasks) + len(lead.notes) + len(lead.audits)


def parse_reset(body: Any, now: datetime) -> Reset:
    """Read the body of a Lead.Reset call.

    Fields that are absent or null count as not given. Without FromDate the span starts at the lead's creation,
    without ToDate it ends at ``now``: documented for both dates missing, a guess for one of them.

    :param now: the present moment, aware.
    :raises ApiError: 400 for values of the wrong JSON type (documented as "body not as specified"), otherwise
        500 with an MX type, as other calls of the API answer (a guess for this one).
    """
    if not isinstance(body, dict):
        raise ApiError(400, INVALID_INPUT, "The body is not a JSON object")
    prospect_id = _typed(body, "ProspectId", str, "")
    codes = _list(body, "ActivityEventList", int)
    types = _list(body, "TaskTypeList", str)
    kinds = _list(body, "AuditActivityList", str)
    notes = _typed(body, "ShouldDeleteProspectNotes", bool, False)
    start_text = _typed(body, "FromDate", str, None)
    end_text = _typed(body, "ToDate", str, None)

    if not prospect_id.strip():
        raise ApiError(500, MANDATORY, "ProspectId is mandatory")
    lead_id = _guid(prospect_id, "ProspectId")
    if not (codes or types or kinds or notes):
        raise ApiError(
            500,
            MANDATORY,
            "At least one of ActivityEventList, TaskTypeList, AuditActivityList and ShouldDeleteProspectNotes"
            " is mandatory",
        )
    for kind in kinds:
        if kind not in AUDIT_KINDS:
            raise ApiError(500, INVALID_INPUT, f"Invalid audit activity: {kind}")
    start = None if start_text is None else date_of(start_text, "FromDate")
    end = now if end_text is None else date_of(end_text, "ToDate")
    if start is not None and start > end:
        raise ApiError(500, INVALID_INPUT, "FromDate is after ToDate")
    return Reset(
        lead_id=lead_id,
        event_codes=frozenset(codes),
        task_types=frozenset(_guid(t, "TaskTypeList") for t in types),
        audit_kinds=frozenset(kinds),
        notes=notes,
        start=start,
        end=end,
    )


def date_of(text: str, field: str) -> datetime:
    """Read a date of a request body; a bad one is a 500 with an MX type (seen on other calls)."""
    try:
        return parse_time(text)
    except ValueError:
        raise ApiError(500, INVALID_INPUT, f"Invalid {field}: {text}") from None


def _guid(text: str, field: str) -> str:
    try:
        return guid(text)
    except ValueError:
        raise ApiError(500, INVALID_INPUT, f"Invalid {field}: {text}") from None


def _is(value: Any, wanted: type) -> bool:
    # A JSON true is an int to Python, but not to a deserialiser.
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _typed(body: Mapping[str, Any], field: str, wanted: type, default: Any) -> Any:
    value = body.get(field)
    if value is None:
        return default
    if not _is(value, wanted):
        raise ApiError(400, INVALID_INPUT, f"{field} is not of the type specified")
    return value


def _list(body: Mapping[str, Any], field: str, wanted: type) -> list[Any]:
    values = body.get(field)
    if values is None:
        return []
    if not isinstance(values, list) or not all(_is(value, wanted) for value in values):
        raise ApiError(400, INVALID_INPUT, f"{field} is not of the type specified")
    return values
