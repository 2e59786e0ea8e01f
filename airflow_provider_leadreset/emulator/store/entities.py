"""What a CRM keeps about a lead, as plain records."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from airflow_provider_leadreset.emulator.dialect import Mover
from airflow_provider_leadreset.emulator.store.times import time_text

AUDIT_KINDS = ("StageChange", "OwnerChange")
"""The audits that a reset can delete (documented)."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def guid(value: object) -> str:
    """Return ``value`` as a GUID in lower case.

    :raises ValueError: when it is not one.
    """
    text = str(value).strip().lower()
    if not _GUID.fullmatch(text):
        raise ValueError(f"{value!r} is not a GUID")
    return text


@dataclass(slots=True)
class Activity:
    """An activity of a lead."""

    id: str
    lead_id: str
    code: int
    created_on: datetime
    modified_on: datetime
    activity_date_time: datetime
    """Its own date, which may lie before its creation (documented for the call that makes it)."""
    note: str
    fields: Mapping[str, str]
    """Custom fields, ``mx_Custom_1`` and so on."""

    def view(self) -> dict[str, object]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "event_code": self.code,
            "created_on": time_text(self.created_on),
            "modified_on": time_text(self.modified_on),
            "activity_date_time": time_text(self.activity_date_time),
            "note": self.note,
            "fields": dict(self.fields),
        }


@dataclass(slots=True)
class Task:
    """A task of a lead."""

    id: str
    lead_id: str
    type_id: str
    created_on: datetime
    modified_on: datetime
    name: str
    due_date: datetime
    owner_id: str
    status: str
    description: str = ""

    def view(self) -> dict[str, object]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "task_type_id": self.type_id,
            "created_on": time_text(self.created_on),
            "modified_on": time_text(self.modified_on),
            "name": self.name,
            "due_date": time_text(self.due_date),
            "owner": self.owner_id,
            "status": self.status,
        }


@dataclass(slots=True)
class Note:
    """A note on a lead."""

    id: str
    lead_id: str
    created_on: datetime
    modified_on: datetime
    text: str
    attachment_url: str | None

    def view(self) -> dict[str, object]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "created_on": time_text(self.created_on),
            "modified_on": time_text(self.modified_on),
            "text": self.text,
            "attachment_url": self.attachment_url,
        }


@dataclass(slots=True)
class Audit:
    """An entry in the history of a lead's stage or owner; read as an activity of the lead (seen)."""

    id: str
    lead_id: str
    kind: str
    created_on: datetime
    modified_on: datetime
    old: str
    new: str

    def view(self) -> dict[str, object]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "kind": self.kind,
            "created_on": time_text(self.created_on),
            "modified_on": time_text(self.modified_on),
            "old": self.old,
            "new": self.new,
        }


def _created_on(record: Activity | Task | Note | Audit) -> datetime:
    return record.created_on


@dataclass(slots=True)
class Lead:
    """A lead with all its records, each kind sorted by creation, oldest first."""

    id: str
    number: int
    first_name: str
    last_name: str
    email: str
    stage: str
    owner_id: str
    created_on: datetime
    activities: list[Activity] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    deleted_activities: list[Activity] = field(default_factory=list)
    """Those that a reset deleted, newest last: their mirror rows may stay."""
    moves: list[tuple[datetime, Mover, int]] = field(default_factory=list)
    """All that was ever done to it: what may have moved its LeadLastModifiedOn, when, and by an activity of which event
    code; 0 for what is no activity."""

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def moved_by(self, record: Activity | Task | Note | Audit, mover: Mover) -> None:
        """Record that a record was added, as of its own times, so that histories can be built."""
        code = record.code if isinstance(record, Activity) else 0
        self.moves.append((max(record.created_on, record.modified_on), mover, code))

    def last_modified(
        self, movers: Collection[Mover], still_events: Collection[int], until: datetime
    ) -> datetime:
        """Return when one of ``movers`` last did anything, as far as that was not after ``until``.

        :param still_events: event codes whose activities move nothing.
        """
        moves = [
            at
            for at, mover, code in self.moves
            if mover in movers and code not in still_events and at <= until
        ]
        return max((self.created_on, *moves))

    def take_over(self, other: Lead) -> None:
        """Add another lead's records and history. Lists are replaced, as readers may hold the old ones."""
        records: list[Activity | Task | Note | Audit] = [*other.activities, *other.deleted_activities]
        records += [*other.tasks, *other.notes, *other.audits]
        for record in records:
            record.lead_id = self.id
        self.activities = sorted((*self.activities, *other.activities), key=_created_on)
        self.tasks = sorted((*self.tasks, *other.tasks), key=_created_on)
        self.notes = sorted((*self.notes, *other.notes), key=_created_on)
        self.audits = sorted((*self.audits, *other.audits), key=_created_on)
        self.deleted_activities = [*self.deleted_activities, *other.deleted_activities]
        self.moves = [*self.moves, *other.moves]


ListType = Literal["static", "dynamic"]
"""As answers write it (documented; how they write refreshable lists is not)."""


@dataclass(slots=True)
class LeadList:
    """A list of leads."""

    id: str
    name: str
    lead_ids: list[str]
    type: ListType = "static"
    description: str = ""


@dataclass(slots=True)
class User:
    """A user of the account."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()
