"""What a reset does that names an event code or a task type the account does not have, or a system event's code."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedKind
from airflow_provider_leadreset.leadsquared.account_check.trials import Trial, TrialRunner, seconds_around
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.trials import Specimen
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

TIMES = 4
"""How often each is tried: that nothing goes must not be told of resets that got lost."""
CONTROLS = 2
REFUSED, IGNORED, IN_VAIN = "refused", "ignored", "in vain"


@dataclass(slots=True)
class UnknownQuestion:
    """One question, from the records to the answer.

    :param name: under what the finding is kept.
    :param what: what is named that is not there, for people.
    :param selectors: the kind's own, with it.
    """

    runner: TrialRunner
    kind: CheckedKind
    name: str
    what: str
    selectors: Selectors
    specimens: list[Specimen] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    controls: list[Trial] = field(default_factory=list)
    """The same without what is not there: they must go."""

    def prepare(self) -> None:
        """Create records that go if the rest of the call is carried out, whichever of their dates decides."""
        for _ in range(TIMES + CONTROLS):
            self.runner.step_away()
            self.specimens.append(self.runner.make(self.kind, self.runner.server_now()))

    def plan(self) -> list[Trial]:
        """Return the resets."""
        for number, one in enumerate(self.specimens):
            if one.seen is None:
                continue
            window = seconds_around(one.seen.dates["CreatedOn"], one.seen.dates["CreatedOn"])
            if number < TIMES:
                self.trials.append(Trial(self.name, self.selectors, window, [one]))
            else:
                self.controls.append(Trial("control", self.kind.selectors, window, [one]))
        return [*self.trials, *self.controls]

    def answers(self) -> list[CheckedQuestion]:
        """Return what was found."""
        refused = [trial.refused for trial in self.trials if trial.refused is not None]
        gone = sum(trial.all_gone for trial in self.trials)
        controlled = sum(trial.all_gone for trial in self.controls)
        found, saw = None, f"{len(refused)} were refused, and of {gone} the record went"
        if refused and len(refused) == len(self.trials):
            found, saw = REFUSED, f"each was refused: {refused[0][:200]}"
        elif gone and not refused:
            found = IGNORED
        elif self.trials and not refused and controlled:
            found = IN_VAIN
        return [
            CheckedQuestion(
                self.name,
                f"What does a reset do that names {self.what}?",
                f"{pluralize(len(self.trials), 'reset')} with it beside what {self.kind.a_record} needs to go",
                saw,
                f"{controlled} of {len(self.controls)} went by resets without it; the records were watched for "
                f"{self.runner.watch:.0f} s",
                found,
            )
        ]


def unknown_event_code(known: set[int]) -> int:
    """Return an event code that the account does not have."""
    return next(code for code in range(997, 0, -1) if code not in known and code > 300)


def with_code(selectors: Selectors, code: int) -> Selectors:
    """Return selectors that name an event code more."""
    return replace(selectors, activity_event_list=(*selectors.activity_event_list, code))


def with_unknown_type(selectors: Selectors) -> Selectors:
    """Return selectors that name a task type more, which nobody has."""
    return replace(selectors, task_type_list=(*selectors.task_type_list, str(uuid.uuid4())))
