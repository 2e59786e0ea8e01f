"""The CRM: leads, their records, and resets that are carried out a moment after they were accepted."""

from __future__ import annotations

import random
import threading
import time
import uuid
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.store.accepted_reset import Reset
from airflow_provider_leadreset.emulator.store.directory import ActivityType, Directory
from airflow_provider_leadreset.emulator.store.entities import (
    AUDIT_KINDS,
    Activity,
    Audit,
    Lead,
    LeadList,
    ListType,
    Note,
    Task,
    User,
    guid,
)
from airflow_provider_leadreset.emulator.store.reset_queue import ResetQueue
from airflow_provider_leadreset.emulator.store.times import american_text, automation_before, parse_time

Time = datetime | str
"""An aware datetime, or UTC text ``YYYY-MM-DD HH:MM:SS``."""


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def _created(record: Activity | Task | Note | Audit) -> datetime:
    return record.created_on


def _id_of(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


class Crm:
    """Records in memory, safe to use from any thread.

    Ids are random-looking but the same in every run, so that a failing test fails the same way again.

    :param queue_delay: seconds from "queued" to applied; None to wait for :meth:`apply_queue`.
    :param dialect: how it behaves where LeadSquared's behaviour is unknown or differs.
    :param clock: seconds of a monotonic clock, for the queue.
    :param now: the present moment, aware.
    """

    def __init__(
        self,
        *,
        queue_delay: float | None = 0.05,
        dialect: Dialect | Mapping[str, object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.dialect: Dialect = Dialect.of(dialect)
        """May be exchanged for another one while the emulator runs."""
        self._changed = threading.Condition(threading.RLock())
        self._clock = clock
        self._now = now
        self._queue = ResetQueue(queue_delay, clock)
        self._forget_records()

    def _forget_records(self) -> None:
        self._random = random.Random("airflow_provider_leadreset")  # ruff: ignore[suspicious-non-cryptographic-random-usage] - ids, not keys
        self._leads: dict[str, Lead] = {}
        self._lists: dict[str, LeadList] = {}
        self._activities: dict[str, Activity] = {}
        self._deleted = 0
        self._queue.take_all()
        self._unseen: list[tuple[float, Callable[[], None]]] = []
        self._losses = random.Random("lost resets")  # ruff: ignore[suspicious-non-cryptographic-random-usage] - must repeat itself
        self.directory = Directory(self._new_id)
        self.user_id = self._new_id()
        self.directory.users[self.user_id] = User(
            self.user_id, "Asha", "Admin", "asha.admin@example.com", "Administrator"
        )

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    # -- filling ------------------------------------------------------------------------------------------

    def add_lead(
        self,
        prospect_id: str | None = None,
        *,
        first_name: str = "Test",
        last_name: str = "Lead",
        email: str | None = None,
        stage: str = "Prospect",
        owner: str | None = None,
        created_on: Time = "2020-01-01 00:00:00",
    ) -> str:
        """Add a lead and return its id, in lower case.

        :param prospect_id: a GUID; None to make one up.
        :param owner: a user's id, e-mail address or any name; None for the user of the keys.
        """
        with self._changed:
            lead_id = self._new_id() if prospect_id is None else guid(prospect_id)
            if lead_id in self._leads:
                raise ValueError(f"Lead {lead_id} exists already")
            number = len(self._leads) + 1
            self._leads[lead_id] = Lead(
                id=lead_id,
                number=number,
                first_name=first_name,
                last_name=last_name,
                email=f"lead{number}@example.com" if email is None else email,
                stage=stage,
                owner_id=self._owner(owner),
                created_on=parse_time(created_on),
            )
            return lead_id

    def add_activity(
        self,
        lead_id: str,
        event_code: int,
        created_on: Time,
        *,
        note: str = "",
        modified_on: Time | None = None,
        activity_date_time: Time | None = None,
        fields: Mapping[str, str | datetime] | None = None,
    ) -> str:
        """Add an activity and return its id. No reset deletes those of a system type: see :meth:`add_activity_type`.

        :param activity_date_time: its own date; None for its creation.
        :param fields: custom fields, such as ``{"mx_Custom_1": "x"}``. An aware datetime becomes text of the form
            that was seen in them, ``7/31/2026 5:33:50 AM``.
        """
        created = parse_time(created_on)
        with self._changed:
            lead = self.lead(lead_id)
            self.directory.activity_type(event_code)
            activity = Activity(
                id=self._new_id(),
                lead_id=lead.id,
                code=event_code,
                created_on=created,
                modified_on=created if modified_on is None else parse_time(modified_on),
                activity_date_time=created if activity_date_time is None else parse_time(activity_date_time),
                note=note,
                fields={
                    name: american_text(parse_time(value)) if isinstance(value, datetime) else value
                    for name, value in (fields or {}).items()
                },
            )
            insort(lead.activities, activity, key=_created)
            self._activities[activity.id] = activity
            lead.moved_by(activity, "activity")
            return activity.id

    def add_task(
        self,
        lead_id: str,
        task_type_id: str,
        created_on: Time,
        *,
        name: str = "Follow up",
        due_date: Time | None = None,
        owner: str | None = None,
        status: str = "Pending",
        modified_on: Time | None = None,
    ) -> str:
        """Add a task and return its id.

        :param task_type_id: a GUID; an unknown one becomes a new task type.
        :param due_date: None for one day after its creation.
        :param owner: as for :meth:`add_lead`; None for the lead's owner.
        """
        created = parse_time(created_on)
        due = created + timedelta(days=1) if due_date is None else parse_time(due_date)
        with self._changed:
            lead = self.lead(lead_id)
            type_id = guid(task_type_id)
            self.directory.task_type(type_id)
            owner_id = lead.owner_id if owner is None else self._owner(owner)
            modified = created if modified_on is None else parse_time(modified_on)
            task = Task(self._new_id(), lead.id, type_id, created, modified, name, due, owner_id, status)
            insort(lead.tasks, task, key=_created)
            lead.moved_by(task, "task")
            return task.id

    def add_note(
        self,
        lead_id: str,
        text: str,
        created_on: Time,
        *,
        attachment_url: str | None = None,
        modified_on: Time | None = None,
    ) -> str:
        """Add a note and return its id."""
        created = parse_time(created_on)
        modified = created if modified_on is None else parse_time(modified_on)
        with self._changed:
            lead = self.lead(lead_id)
            note = Note(self._new_id(), lead.id, created, modified, text, attachment_url)
            insort(lead.notes, note, key=_created)
            lead.moved_by(note, "note")
            return note.id

    def add_audit(
        self,
        lead_id: str,
        kind: str,
        created_on: Time,
        *,
        old: str = "",
        new: str = "",
        modified_on: Time | None = None,
    ) -> str:
        """Add an audit, ``"StageChange"`` or ``"OwnerChange"``, and return its id."""
        if kind not in AUDIT_KINDS:
            raise ValueError(f"An audit is one of {AUDIT_KINDS}, not {kind!r}")
        created = parse_time(created_on)
        modified = created if modified_on is None else parse_time(modified_on)
        with self._changed:
            lead = self.lead(lead_id)
            audit = Audit(self._new_id(), lead.id, kind, created, modified, old, new)
            insort(lead.audits, audit, key=_created)
            lead.moved_by(audit, "stage" if kind == "StageChange" else "owner")
            return audit.id

    def add_list(self, name: str, lead_ids: Iterable[str], *, list_type: ListType = "static") -> str:
        """Add a list of leads and return its id. A dynamic one has fixed members here, and is only called so."""
        with self._changed:
            members = [self.lead(lead_id).id for lead_id in lead_ids]
            lead_list = LeadList(self._new_id(), name, members, list_type)
            self._lists[lead_list.id] = lead_list
            return lead_list.id

    def add_activity_type(self, code: int, name: str, custom: bool = True) -> None:
        """Name an event code.

        :param custom: whether its activities are custom ones; no reset deletes others.
        """
        with self._changed:
            self.directory.activity_types[code] = ActivityType(name, custom)

    def merge_leads(self, survivor: str, merged: str) -> None:
        """Let a lead take over another's records, which keep their ids; the other's id is unknown from then on.

        :raises KeyError: when one of them does not exist.
        :raises ValueError: when they are the same.
        """
        with self._changed:
            into, gone = self.lead(survivor), self.lead(merged)
            if into is gone:
                raise ValueError(f"Lead {survivor} cannot be merged with itself")
            into.take_over(gone)
            del self._leads[gone.id]
            for one in self._lists.values():
                members = (into.id if lead_id == gone.id else lead_id for lead_id in one.lead_ids)
                one.lead_ids = list(dict.fromkeys(members))

    def add_task_type(self, name: str, task_type_id: str | None = None) -> str:
        """Add a task type and return its id."""
        with self._changed:
            type_id = self._new_id() if task_type_id is None else guid(task_type_id)
            self.directory.task_types[type_id] = name
            return type_id

    def _owner(self, owner: str | None) -> str:
        return self.user_id if owner is None else self.directory.user_id(owner)

    # -- reading ------------------------------------------------------------------------------------------

    def lead(self, lead_id: str) -> Lead:
        """Return a lead with its records, after what is due has been applied.

        The lead itself, not a copy: hold no longer than a thought. Records are never changed in place,
        but for a merge, and a reset replaces the lists.

        :raises KeyError: when there is none.
        """
        with self._changed:
            self._settle()
            try:
                return self._leads[lead_id.strip().lower()]
            except KeyError:
                raise KeyError(f"No lead {lead_id}") from None

    def find_lead(self, lead_id: str) -> Lead | None:
        """Return a lead, or None."""
        with self._changed:
            self._settle()
            return self._leads.get(lead_id.strip().lower())

    def leads(self) -> list[Lead]:
        """Return all leads in the order they were added."""
        with self._changed:
            self._settle()
            return list(self._leads.values())

    def lists(self) -> list[LeadList]:
        """Return all lists in the order they were added, without the system's."""
        with self._changed:
            return list(self._lists.values())

    def system_lists(self) -> list[LeadList]:
        """Return the lists that every account has (documented by a sample): nobody's stars, and all leads."""
        with self._changed:
            everyone = list(self._leads)
            return [
                LeadList(_id_of("Starred Leads"), "Starred Leads", [], "static", "Leads you have starred."),
                LeadList(_id_of("All Leads"), "All Leads", everyone, "dynamic", "All leads you may see"),
            ]

    def find_activity(self, activity_id: str) -> Activity | None:
        """Return an activity, or None when it does not exist (any more)."""
        with self._changed:
            self._settle()
            return self._activities.get(activity_id.strip().lower())

    def find_audit(self, audit_id: str) -> Audit | None:
        """Return an audit, or None when it does not exist (any more)."""
        wanted = audit_id.strip().lower()
        audits = (audit for lead in self.leads() for audit in lead.audits)
        return next((audit for audit in audits if audit.id == wanted), None)

    def last_modified(self, lead: Lead) -> datetime:
        """Return the LeadLastModifiedOn that can be read now, as the dialect moves it."""
        with self._changed:
            until = self.now() - timedelta(seconds=self.dialect.last_modified_lag)
            moved = lead.last_modified(self.dialect.moves_last_modified, self.dialect.still_events, until)
            every = self.dialect.automation_every
            return max(moved, automation_before(until, every)) if every else moved

    def activities(self) -> list[Activity]:
        """Return the activities of all leads, in no particular order."""
        with self._changed:
            self._settle()
            return list(self._activities.values())

    def lead_ids(self) -> list[str]:
        """Return the ids of all leads in the order they were added."""
        with self._changed:
            return list(self._leads)

    def remaining(self, lead_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return what a lead still has, by kind: activities, tasks, notes, audits; oldest first.

        :raises KeyError: when there is no such lead.
        """
        with self._changed:
            lead = self.lead(lead_id)
            names = self.directory
            return {
                "activities": [
                    a.view() | {"event_name": names.activity_type(a.code).name} for a in lead.activities
                ],
                "tasks": [t.view() | {"task_type": names.task_type(t.type_id)} for t in lead.tasks],
                "notes": [n.view() for n in lead.notes],
                "audits": [a.view() for a in lead.audits],
            }

    def counts(self) -> dict[str, int]:
        """Return how much of everything there is."""
        with self._changed:
            leads = self.leads()
            return {
                "leads": len(leads),
                "lists": len(self._lists),
                "activities": len(self._activities),
                "tasks": sum(len(lead.tasks) for lead in leads),
                "notes": sum(len(lead.notes) for lead in leads),
                "audits": sum(len(lead.audits) for lead in leads),
                "deleted": self._deleted,
                "queued": len(self._queue),
            }

    # -- resetting ----------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self._now()

    def enqueue(self, reset: Reset) -> None:
        """Accept a reset."""
        with self._changed:
            self._settle()
            self._queue.put(reset, self.dialect.replica_lag)

    def queued(self, lead_id: str) -> int:
        """Return how many resets of a lead are still queued."""
        with self._changed:
            self._settle()
            return self._queue.waiting_for(lead_id.strip().lower())

    def apply_queue(self) -> int:
        """Apply everything queued now, due or not, and return how many records went."""
        with self._changed:
            return self._apply(self._queue.take_all())

    def wait_until_idle(self, timeout: float = 5.0) -> None:
        """Block until the queue is empty.

        :param timeout: seconds.
        :raises TimeoutError: when it still is not.
        """
        with self._changed:
            deadline = self._clock() + timeout
            while True:
                self._settle()
                if not len(self._queue):
                    return
                left = deadline - self._clock()
                if left <= 0:
                    raise TimeoutError(f"{len(self._queue)} resets are still queued after {timeout:g} s")
                due_in = self._queue.next_due_in()
                self._changed.wait(left if due_in is None else min(left, due_in))

    def _show_later(self, show: Callable[[], None]) -> None:
        """Let reads see a change once the replica that they ask has it."""
        self._settle()
        lag = self.dialect.replica_lag
        if lag:
            self._unseen.append((self._clock() + lag, show))
        else:
            show()

    def _settle(self) -> None:
        # What is written and what is deleted is seen in the order in which it happened.
        now = self._clock()
        while self._unseen and self._unseen[0][0] <= now:
            at, show = self._unseen.pop(0)
            self._apply_due(at)
            show()
        self._apply_due(now)

    def _apply_due(self, until: float) -> None:
        due = self._queue.take_due(until)
        if due:
            self._apply(due)

    def _has_effect(self, reset: Reset) -> bool:
        names, dialect = self.directory, self.dialect
        unknown = reset.event_codes - set(names.activity_types) or reset.task_types - set(names.task_types)
        if unknown and dialect.unknown_types == "in vain":
            return False
        system = {code for code in reset.event_codes & set(names.activity_types) if not names.is_custom(code)}
        return not (system and dialect.system_events == "in vain")

    def _gets_lost(self) -> bool:
        return self.dialect.lost_resets == "one in ten" and self._losses.random() < 0.1

    def _apply(self, resets: Iterable[Reset]) -> int:
        gone = 0
        for reset in resets:
            lead = self._leads.get(reset.lead_id)
            if lead is None or self._gets_lost() or not self._has_effect(reset):
                # No lead: unknown from the start, or merged meanwhile.
                continue
            before = len(lead.deleted_activities)
            deleted = reset.apply(lead, self.dialect, self.directory.is_custom)
            for activity in lead.deleted_activities[before:]:
                del self._activities[activity.id]
            if deleted:
                lead.moves.append((self.now(), "reset", 0))
            gone += deleted
        self._deleted += gone
        self._changed.notify_all()
        return gone
