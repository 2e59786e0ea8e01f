"""The kinds of records that the check can make: how each is made, changed, read and reset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.own_lead import FIRST_NAME
from airflow_provider_leadreset.leadsquared.records.records import (
    ACTIVITY_ID,
    AUDIT_CODES,
    NOTE_ID,
    TASK_ID,
    read_activities,
    read_notes,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.rows import event_code, field_of, id_of, moment_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

MIRROR_CODE = 3011
"""The code of rows that repeat an activity under its own id (seen)."""

CHANGED = f"{FIRST_NAME}: changed"
_FAR = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """A record as a read gave it.

    :param dates: its dates that were read, by name; aware, UTC.
    :param changed: whether its text reads as changed.
    :param row: the whole row.
    """

    dates: dict[str, datetime]
    changed: bool
    row: dict[str, object]


class CheckedKind(ABC):
    """One kind of records on the throw-away lead."""

    name: str
    own_date: str | None = None
    """A date that is given when the record is made, beside those that LeadSquared sets."""

    def __init__(self, client: LeadSquaredClient, lead: OwnLead) -> None:
        self.client, self.lead = client, lead
        self.takes_own_date = True
        """Whether the account has been found to take a date of its own that lies in the past, or was not asked yet."""
        self.can_change = True
        """Whether the account has been found to have a call that changes such a record, or was not asked yet."""
        self.may_be_cut = False
        """Whether the last read may not have given all records: that one is not in it says nothing then."""

    @property
    def key(self) -> str:
        """Under what a finding about it alone is kept: where there are several of a name, each has its own."""
        return self.name

    @property
    def full_name(self) -> str:
        """What it is, for people, told from others of its name."""
        return self.name

    @property
    def a_record(self) -> str:
        """The kind's name with its article."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    @property
    @abstractmethod
    def selectors(self) -> Selectors:
        """What a reset of this kind names."""

    @abstractmethod
    def make(self, own: datetime | None, now: datetime) -> str:
        """Create a record and return its id.

        :param own: a date of its own, where the kind has one; None for none, or one that is far away.
        :param now: the present moment.
        """

    @abstractmethod
    def change(self, record_id: str) -> None:
        """Change a record's text."""

    @abstractmethod
    def read(self) -> dict[str, SeenRecord]:
        """Return the lead's records of this kind, by id."""


class CheckedActivity(CheckedKind):
    """Activities of one event code.

    :param code: a custom one.
    :param codes: all that the check asks about: one reading gives the activities of all.
    """

    name = "activity"
    own_date = "ActivityDateTime"

    def __init__(self, client: LeadSquaredClient, lead: OwnLead, code: int, codes: Collection[int]) -> None:
        super().__init__(client, lead)
        self.code = code
        self._codes = frozenset(codes)
        self.others: list[dict[str, object]] = []
        """Mirror rows and audits of the last read."""
        self.mirrored = False
        """Whether a mirror row was ever read beside its activity."""

    @property
    def key(self) -> str:
        """Its name and event code."""
        return f"{self.name}_{self.code}"

    @property
    def full_name(self) -> str:
        """Its name and event code, for people."""
        return f"{self.name} of event {self.code}"

    @property
    def selectors(self) -> Selectors:
        """The event code."""
        return Selectors(activity_event_list=(self.code,))

    def make(self, own: datetime | None, now: datetime) -> str:
        """Create an activity; see the base class."""
        del now
        return self.lead.create_activity(self.code, FIRST_NAME, None if own is None else time_sent(own))

    def change(self, record_id: str) -> None:
        """Change its note."""
        self.lead.change_activity(record_id, self.code, CHANGED)

    def read(self) -> dict[str, SeenRecord]:
        """Return the activities of all events that the check asks about, and keep what else is among them."""
        codes = {*self._codes, MIRROR_CODE, *AUDIT_CODES.values()}
        rows = read_activities(self.client, self.lead.id, codes)
        self.others = [row for row in rows if event_code(row) not in self._codes]
        own = {id_of(row, *ACTIVITY_ID): row for row in rows if event_code(row) in self._codes}
        self.mirrored = self.mirrored or any(
            event_code(row) == MIRROR_CODE and id_of(row, *ACTIVITY_ID) in own for row in self.others
        )
        return {key: _seen(row, "ModifiedOn") for key, row in own.items()}


class CheckedTask(CheckedKind):
    """Tasks of one type.

    :param type_id: GUID.
    :param type_name: as the account names it: the call that creates a task takes no id.
    :param owner_id: the keys' user.
    """

    name = "task"
    own_date = "DueDate"

    def __init__(
        self, client: LeadSquaredClient, lead: OwnLead, type_id: str, type_name: str, owner_id: str
    ) -> None:
        super().__init__(client, lead)
        self.type_id, self._type_name, self.owner_id = type_id, type_name, owner_id
        self._most = 0
        """Rows of the longest list that was read."""

    @property
    def selectors(self) -> Selectors:
        """The task's type."""
        return Selectors(task_type_list=(self.type_id,))

    def make(self, own: datetime | None, now: datetime) -> str:
        """Create a task; see the base class."""
        return self.lead.create_task(self._type_name, self.owner_id, time_sent(own or now + _FAR))

    def change(self, record_id: str) -> None:
        """Change its description."""
        self.lead.change_task(record_id, CHANGED)

    def read(self) -> dict[str, SeenRecord]:
        """Return the tasks."""
        rows, are_all = read_tasks(self.client, self.lead.id)
        # A list without pages may be cut at some length, and new tasks then push others out of it.
        self._most = max(self._most, len(rows))
        self.may_be_cut = not are_all and len(rows) == self._most
        return {id_of(row, *TASK_ID): _seen(row, "ModifiedOn", "DueDate") for row in rows}


class CheckedNote(CheckedKind):
    """Notes."""

    name = "note"

    @property
    def selectors(self) -> Selectors:
        """All notes: LeadSquared does not tell them apart."""
        return Selectors(should_delete_prospect_notes=True)

    def make(self, own: datetime | None, now: datetime) -> str:
        """Create a note; see the base class."""
        del own, now
        return self.lead.create_note(FIRST_NAME)

    def change(self, record_id: str) -> None:
        """Change its text."""
        self.lead.change_note(record_id, CHANGED)

    def read(self) -> dict[str, SeenRecord]:
        """Return the notes."""
        rows = read_notes(self.client, self.lead.id)
        return {id_of(row, *NOTE_ID): _seen(row, "ModifiedOn") for row in rows}


def one_of_each(kinds: Iterable[CheckedKind]) -> list[CheckedKind]:
    """Return the first of each name: of the activities, those of the first event code."""
    found: dict[str, CheckedKind] = {}
    for kind in kinds:
        found.setdefault(kind.name, kind)
    return list(found.values())


def time_sent(moment: datetime) -> str:
    """Write a moment as calls take it: UTC, to the second (documented)."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _seen(row: dict[str, object], *names: str) -> SeenRecord:
    # A record without a CreatedOn cannot be read; another date may not be shown.
    dates = {"CreatedOn": moment_of(field_of(row, "CreatedOn"))}
    dates |= {name: moment_of(value) for name in names if (value := field_of(row, name)) is not None}
    return SeenRecord(dates, CHANGED in repr(row), row)
