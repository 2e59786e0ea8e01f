"""An accepted Reset a Lead, and which records it covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.store.entities import Activity, Audit, Lead, Note, Task

_DATES = {
    "CreatedOn": "created_on",
    "ModifiedOn": "modified_on",
    "ActivityDateTime": "activity_date_time",
    "DueDate": "due_date",
}


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

    def covers(self, record: Activity | Task | Note | Audit, date: str, dialect: Dialect) -> bool:
        """Return whether the span covers a record.

        :param date: the name of the record's date that is compared.
        """
        moment: datetime = getattr(record, _DATES[date])
        if dialect.fractions == "dropped":
            moment = moment.replace(microsecond=0)
        after_start = (
            self.start is None or moment > self.start or (moment == self.start and dialect.from_included)
        )
        return after_start and (moment < self.end or (moment == self.end and dialect.to_included))

    def apply(self, lead: Lead, dialect: Dialect, is_custom: Callable[[int], bool]) -> int:
        """Delete what the reset covers from ``lead``, and return how many records that were.

        Activities that go are added to the lead's ``deleted_activities``.

        :param is_custom: whether an event code is a custom one. Documented: system activities stay, whatever
            the list says.
        """
        before = _size(lead)
        kept: list[Activity] = []
        for activity in lead.activities:
            goes = activity.code in self.event_codes and is_custom(activity.code)
            goes = goes and self.covers(activity, dialect.activity_date, dialect)
            (lead.deleted_activities if goes else kept).append(activity)
        lead.activities = kept
        lead.tasks = [
            task
            for task in lead.tasks
            if task.type_id not in self.task_types or not self.covers(task, dialect.task_date, dialect)
        ]
        lead.audits = [
            audit
            for audit in lead.audits
            if audit.kind not in self.audit_kinds or not self.covers(audit, dialect.audit_date, dialect)
        ]
        if self.notes:
            lead.notes = [note for note in lead.notes if not self.covers(note, dialect.note_date, dialect)]
        return before - _size(lead)


def _size(lead: Lead) -> int:
    return len(lead.activities) + len(lead.tasks) + len(lead.notes) + len(lead.audits)
