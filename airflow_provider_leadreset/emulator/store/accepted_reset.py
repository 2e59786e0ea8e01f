"""An accepted Reset a Lead, and which records it covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from airflow_provider_leadreset.emulator.store.entities import FIRST_CUSTOM_EVENT, Lead

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
        """Return whether a record of that creation time lies in the span.

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
