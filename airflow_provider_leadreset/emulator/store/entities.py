"""What a CRM keeps about a lead, as plain records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_leadreset.emulator.store.times import time_text

FIRST_CUSTOM_EVENT = 100
"""Event codes from here on are custom activities, the only ones a reset deletes (codes below were only
seen on system activities; the border itself is inferred)."""

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
    note: str

    def view(self) -> dict[str, Any]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "event_code": self.code,
            "created_on": time_text(self.created_on),
            "modified_on": time_text(self.modified_on),
            "note": self.note,
        }


@dataclass(slots=True)
class Task:
    """A task of a lead."""

    id: str
    lead_id: str
    type_id: str
    created_on: datetime
    name: str
    due_date: datetime
    owner_id: str
    status: str

    def view(self) -> dict[str, Any]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "task_type_id": self.type_id,
            "created_on": time_text(self.created_on),
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
    text: str
    attachment_url: str | None

    def view(self) -> dict[str, Any]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "created_on": time_text(self.created_on),
            "text": self.text,
            "attachment_url": self.attachment_url,
        }


@dataclass(slots=True)
class Audit:
    """An entry in the history of a lead's stage or owner. The real API has no call that reads them."""

    id: str
    lead_id: str
    kind: str
    created_on: datetime
    old: str
    new: str

    def view(self) -> dict[str, Any]:
        """Return the record as JSON-able fields."""
        return {
            "id": self.id,
            "kind": self.kind,
            "created_on": time_text(self.created_on),
            "old": self.old,
            "new": self.new,
        }


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

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class LeadList:
    """A static list of leads."""

    id: str
    name: str
    lead_ids: list[str]


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
