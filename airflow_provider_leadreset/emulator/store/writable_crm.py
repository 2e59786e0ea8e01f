"""What the calls that create and change records do to the CRM, and how its times are shown."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_leadreset.emulator.store.crm import Crm
from airflow_provider_leadreset.emulator.store.entities import Activity, Audit, Lead, Note, Task
from airflow_provider_leadreset.emulator.store.times import time_text

_OFFSETS = {"UTC": timedelta(), "Asia/Kolkata": timedelta(hours=5, minutes=30)}

_TEXTS = {Activity: "note", Task: "description", Note: "text"}

Record = Activity | Task | Note | Audit


@dataclass(frozen=True, slots=True)
class NewTask:
    """What a call says of the task that it creates."""

    type_id: str
    name: str
    due_date: datetime
    owner_id: str


class WritableCrm(Crm):
    """A CRM whose records can be created by calls: at the present moment, and seen a replica's lag later.

    Methods answer at once, as the call does, with the id of what they made.
    """

    def _forget_records(self) -> None:
        super()._forget_records()
        self._made: dict[str, Lead] = {}
        self._changeable: dict[str, Activity | Task | Note] = {}

    def knows(self, lead_id: str) -> bool:
        """Return whether a lead can be written to, be it seen by reads or not yet."""
        with self._changed:
            return lead_id.strip().lower() in {**self._leads, **self._made}

    def shown_time(self, moment: datetime, *, millis: bool = False) -> str:
        """Write the time of a record as answers show it."""
        if not self.dialect.fractions_shown:
            moment = moment.replace(microsecond=0)
        return time_text(moment, millis=millis)

    def shown_last_modified(self, lead: Lead) -> str:
        """Write a lead's LeadLastModifiedOn as answers show it."""
        return self.shown_time(
            self.last_modified(lead) + _OFFSETS[self.dialect.last_modified_zone], millis=True
        )

    def create_lead(self, first_name: str, last_name: str, email: str) -> str:
        """Create a lead."""
        with self._changed:
            lead_id, created = self._new_id(), self._moment()
            lead = Lead(
                id=lead_id,
                number=len(self._leads) + len(self._made) + 1,
                first_name=first_name,
                last_name=last_name,
                email=email,
                stage="Prospect",
                owner_id=self.user_id,
                created_on=created,
            )
            self._made[lead_id] = lead

            def show() -> None:
                self._leads[lead_id] = self._made.pop(lead_id)

            self._show_later(show)
            return lead_id

    def create_activity(
        self, lead_id: str, code: int, note: str, at: datetime | None, fields: Mapping[str, str]
    ) -> str:
        """Create an activity.

        :param at: its ActivityDateTime; None for the present moment.
        """
        with self._changed:
            created = self._moment()
            as_created = at is not None and self.dialect.activity_time_sets == "CreatedOn"
            activity = Activity(
                id=self._new_id(),
                lead_id=self._lead_to_write(lead_id).id,
                code=code,
                created_on=at if at is not None and as_created else created,
                modified_on=created,
                activity_date_time=created if at is None else at,
                note=note,
                fields=fields,
            )
            self.directory.activity_type(code)
            self._changeable[activity.id] = activity

            def show() -> None:
                lead = self._leads[activity.lead_id]
                insort(lead.activities, activity, key=lambda one: one.created_on)
                self._activities[activity.id] = activity
                lead.moves.append((created, "activity", code))

            self._show_later(show)
            return activity.id

    def create_note(self, lead_id: str, text: str) -> str:
        """Create a note."""
        with self._changed:
            created = self._moment()
            note = Note(self._new_id(), self._lead_to_write(lead_id).id, created, created, text, None)
            self._changeable[note.id] = note

            def show() -> None:
                lead = self._leads[note.lead_id]
                insort(lead.notes, note, key=lambda one: one.created_on)
                lead.moved_by(note, "note")

            self._show_later(show)
            return note.id

    def create_task(self, lead_id: str, new: NewTask) -> str:
        """Create a task."""
        with self._changed:
            created = self._moment()
            lead_id = self._lead_to_write(lead_id).id
            task = Task(
                self._new_id(),
                lead_id,
                new.type_id,
                created,
                created,
                new.name,
                new.due_date,
                new.owner_id,
                "Pending",
            )
            self._changeable[task.id] = task

            def show() -> None:
                lead = self._leads[lead_id]
                insort(lead.tasks, task, key=lambda one: one.created_on)
                lead.moved_by(task, "task")

            self._show_later(show)
            return task.id

    def change_record(self, record_id: str, kind: type[Activity | Task | Note], text: str) -> bool:
        """Change the text of a record that a call has created, which moves its ModifiedOn.

        :returns: whether there is such a record.
        """
        with self._changed:
            record, at = self._changeable.get(record_id.lower()), self._moment()
            if not isinstance(record, kind):
                return False
            changed = record

            def show() -> None:
                changed.modified_on = at
                setattr(changed, _TEXTS[kind], text)

            self._show_later(show)
            return True

    def change_stage(self, lead_id: str, stage: str) -> None:
        """Change a lead's stage, which makes an audit."""
        with self._changed:
            old = self._lead_to_write(lead_id).stage
            self._audit(lead_id, "StageChange", (old, stage), lambda lead: setattr(lead, "stage", stage))

    def change_owner(self, lead_id: str, owner_id: str) -> None:
        """Change a lead's owner, which makes an audit."""
        with self._changed:
            old = self.directory.user_name(self._lead_to_write(lead_id).owner_id)
            names = old, self.directory.user_name(owner_id)
            self._audit(lead_id, "OwnerChange", names, lambda lead: setattr(lead, "owner_id", owner_id))

    def _audit(self, lead_id: str, kind: str, names: tuple[str, str], change: Callable[[Lead], None]) -> None:
        created = self._moment()
        audit = Audit(self._new_id(), lead_id.lower(), kind, created, created, *names)

        def show() -> None:
            lead = self._leads[audit.lead_id]
            change(lead)
            insort(lead.audits, audit, key=lambda one: one.created_on)
            lead.moved_by(audit, "stage" if kind == "StageChange" else "owner")

        self._show_later(show)

    def _lead_to_write(self, lead_id: str) -> Lead:
        key = lead_id.strip().lower()
        return self._leads.get(key) or self._made[key]

    def _moment(self) -> datetime:
        now = self.now()
        return now if self.dialect.fractions_kept else now.replace(microsecond=0)
