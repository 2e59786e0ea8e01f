"""Whether a change of stage or owner can be read as an activity, and whether a reset takes it away again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion, not_told
from airflow_provider_leadreset.leadsquared.account_check.last_modified_question import Deed
from airflow_provider_leadreset.leadsquared.account_check.trials import seconds_around
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnreadableError
from airflow_provider_leadreset.leadsquared.records.records import ACTIVITY_ID, AUDIT_CODES, read_activities
from airflow_provider_leadreset.leadsquared.records.rows import event_code, field_of, id_of, moment_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead
    from airflow_provider_leadreset.leadsquared.account_check.trials import TrialRunner
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

TIMES = 2
"""Resets of the same audit, should one get lost."""
SHOWN, NOT_SHOWN, GOES = "shown", "not shown", "goes"


@dataclass(slots=True)
class AuditsQuestion:
    """The question for changes of the stage, or of the owner.

    :param name: ``stage`` or ``owner``.
    :param audit: as a reset names it.
    :param attribute: the lead's field.
    :param values: what it is now, and what it is changed to.
    """

    client: LeadSquaredClient
    lead: OwnLead
    runner: TrialRunner
    name: str
    audit: str
    attribute: str
    values: tuple[str, str]
    is_changed: bool = field(default=False, init=False)
    """Whether the lead was last read with the other value."""
    may_be_changed: bool = field(default=False, init=False)
    """Whether it may have it."""

    def change(self) -> Deed:
        """Change the lead to the other value, or back where it has that one.

        :raises LeadRejectedError: the account refuses it.
        """
        wanted = self.values[0 if self.is_changed else 1]
        began = self.runner.server_now()
        self.may_be_changed = True
        self.lead.change_lead(self.attribute, wanted)
        return Deed(began, self.runner.server_now(), lambda: self._reads(wanted))

    def change_back(self) -> None:
        """Change the lead back, unless it was never changed."""
        if not self.may_be_changed:
            return
        try:
            self.lead.change_lead(self.attribute, self.values[0])
            self.is_changed = self.may_be_changed = False
        except LeadRejectedError as error:
            self.runner.say(f"the lead's {self.name} could not be changed back: {error.reason}")

    def _reads(self, wanted: str) -> bool:
        """Wait until the lead reads with a value; return whether it does. A call may change nothing and not say so."""
        clock, began, pause = self.runner.clock, self.runner.clock.seconds(), 2.0
        while value_of_lead(self.client, self.runner, self.attribute).lower() != wanted.lower():
            if clock.seconds() - began > self.runner.patience:
                return False
            clock.sleep(pause)
            pause = min(2 * pause, 30.0)
        self.is_changed = wanted == self.values[1]
        return True

    def ask(self) -> list[CheckedQuestion]:
        """Change it, look for the audit, reset it, look again, and change it back."""
        self.runner.say(f"changes of the {self.name}")
        before = set(self._audits())
        try:
            deed = self.change()
        except LeadRejectedError as error:
            self.may_be_changed = False
            return audits_not_asked(self.name, self.audit, f"the change was refused: {error.reason[:200]}")
        row = self._new_row(before)
        questions = [self._shown(row, was_done=bool(row) or deed.was_done())]
        questions.append(
            self._goes(row) if row else self._not_asked("no audit was shown, so none can be seen to go")
        )
        self.change_back()
        return questions

    def _audits(self) -> dict[str, dict[str, object]]:
        rows = read_activities(self.client, self.lead.id, {AUDIT_CODES[self.audit]})
        own = [row for row in rows if event_code(row) == AUDIT_CODES[self.audit]]
        return {id_of(row, *ACTIVITY_ID): row for row in own}

    def _new_row(self, before: set[str]) -> dict[str, object] | None:
        clock, began, pause = self.runner.clock, self.runner.clock.seconds(), 2.0
        while True:
            new = [row for key, row in self._audits().items() if key not in before]
            if new:
                return new[0]
            if clock.seconds() - began > self.runner.watch:
                return None
            clock.sleep(pause)
            pause = min(2 * pause, 30.0)

    def _shown(self, row: dict[str, object] | None, *, was_done: bool) -> CheckedQuestion:
        # Of an account that shows nothing at all, or did not change the lead, a missing audit says nothing.
        others = any(one.seen for one in self.runner.specimens)
        found = SHOWN if row else NOT_SHOWN if others and was_done else None
        control = (
            "records made before it could be read" if others else "no record was made that could be read"
        )
        control += (
            f"; the lead reads with the other {self.name}" if was_done else "; the lead reads as before"
        )
        return CheckedQuestion(
            f"{self.name}_audits",
            f"Is a change of the {self.name} shown as an activity of code {AUDIT_CODES[self.audit]}?",
            f"the lead's {self.name} was changed once, and back",
            "a row that was not there before" if row else f"no row within {self.runner.watch:.0f} s",
            control,
            found,
        )

    def _goes(self, row: dict[str, object]) -> CheckedQuestion:
        key, moment = id_of(row, *ACTIVITY_ID), moment_of(field_of(row, "CreatedOn"))
        window = seconds_around(moment, moment)
        clock = self.runner.clock
        try:
            for _ in range(TIMES):
                late = (window.end + timedelta(seconds=1) - self.runner.server_now()).total_seconds()
                clock.sleep(max(0.0, late))
                selectors = Selectors(audit_activity_list=(self.audit,))
                self.lead.reset(LeadReset(self.lead.id, selectors, window))
        except LeadRejectedError as error:
            return self._not_asked(f"the reset was refused: {error.reason[:200]}")
        began, pause, missing = clock.seconds(), 2.0, 0
        while clock.seconds() - began <= self.runner.watch and missing < TIMES:
            missing = 0 if key in self._audits() else missing + 1
            clock.sleep(pause)
            pause = min(2 * pause, 30.0)
        gone = missing >= TIMES
        return CheckedQuestion(
            f"{self.name}_audits_reset",
            f"Does a reset of {self.audit} delete that row?",
            f"{TIMES} resets of {self.audit} in the seconds around it",
            "it went" if gone else f"it stayed for {self.runner.watch:.0f} s",
            "it had been read before" if gone else "none: no reset is known that would take it",
            GOES if gone else None,
        )

    def _not_asked(self, why: str) -> CheckedQuestion:
        return not_told(f"{self.name}_audits_reset", f"Does a reset of {self.audit} delete that row?", why)


def audits_not_asked(name: str, audit: str, why: str) -> list[CheckedQuestion]:
    """Return the two questions as they stand where the lead was not changed."""
    return [
        not_told(
            f"{name}_audits",
            f"Is a change of the {name} shown as an activity of code {AUDIT_CODES[audit]}?",
            why,
        ),
        not_told(f"{name}_audits_reset", f"Does a reset of {audit} delete that row?", why),
    ]


def value_of_lead(client: LeadSquaredClient, runner: TrialRunner, attribute: str) -> str:
    """Return a field of the lead (``Leads.GetById``, seen), which reads may show late.

    :raises UnreadableError: it cannot be read.
    """
    clock, began = runner.clock, runner.clock.seconds()
    while True:
        answer = client.call("GET", "LeadManagement.svc/Leads.GetById", params={"id": runner.lead_id})
        row = answer[0] if isinstance(answer, list) and answer and isinstance(answer[0], dict) else {}
        value = str(field_of(row, attribute) or "")
        if value:
            return value
        if clock.seconds() - began > runner.patience:
            raise UnreadableError(f"the answer does not say the {attribute} of the lead")
        clock.sleep(5.0)
