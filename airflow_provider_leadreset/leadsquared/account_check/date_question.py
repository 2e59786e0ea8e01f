"""Which date of a record FromDate and ToDate compare with.

For each of its dates that differs from the others, records are made that lie in a window by that date alone. The one
that goes tells. Nothing is concluded from one that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedActivity, CheckedKind
from airflow_provider_leadreset.leadsquared.account_check.trials import (
    Specimen,
    Trial,
    TrialRunner,
    is_changed,
    seconds_around,
)
from airflow_provider_leadreset.leadsquared.records.deciding_dates import ACTIVITY_CODES
from airflow_provider_leadreset.leadsquared.text import pluralize

A_YEAR = timedelta(days=400)
ALIKE = timedelta(seconds=2)
"""Dates nearer to one another read alike: no window to the second holds one of them alone."""
TIMES = 2
"""Records for each date, should a reset get lost."""


@dataclass(slots=True)
class DateQuestion:
    """The question for one kind, from the records to the answer."""

    runner: TrialRunner
    kind: CheckedKind
    other: CheckedKind | None
    """Another kind, or another event code, for bystanders; None where nothing else is asked about."""
    pairs: list[tuple[Specimen, Specimen | None]] = field(default_factory=list)
    trials: list[tuple[tuple[str, ...], Trial]] = field(default_factory=list)
    """What was tried, by the names of the dates that lie in its window."""

    def prepare(self) -> None:
        """Create the records, and change them, so that their dates differ."""
        wanted = TIMES * (3 if self.kind.own_date else 2)
        for number in range(wanted):
            own = None
            if self.kind.own_date:
                own = (self.runner.server_now() - A_YEAR - timedelta(hours=number)).replace(microsecond=0)
            one = self.runner.make(self.kind, own)
            bystander = self.runner.make(self.other, own, apart=False) if self.other else None
            self.pairs.append((one, bystander))

    def change(self) -> None:
        """Change the records, which moves their ModifiedOn."""
        for one, _ in self.pairs:
            self.runner.change(one)

    def plan(self) -> list[Trial]:
        """Return the resets: for each date of a record that differs from the others, one that reaches it alone."""
        groups: dict[tuple[str, ...], None] = {}
        for one, _ in self.pairs:
            # What has not passed cannot be in a window.
            groups |= dict.fromkeys(
                names for names, at in self._moments(one) if at < self.runner.server_now()
            )
        order = list(groups)
        for number, (one, bystander) in enumerate(self.pairs):
            if not order or one.seen is None:
                break
            names = order[number % len(order)]
            moment = next((at for found, at in self._moments(one) if found == names), None)
            if moment is None or any(
                self._lies_near(other, moment) for other in self.pairs if other[0] is not one
            ):
                continue
            bystanders = [bystander] if bystander and bystander.seen else []
            trial = Trial(
                " or ".join(names), self.kind.selectors, seconds_around(moment, moment), [one], bystanders
            )
            self.trials.append((names, trial))
        return [trial for _, trial in self.trials]

    def answers(self) -> list[CheckedQuestion]:
        """Return what was found."""
        kind = self.kind.name
        went = {names for names, trial in self.trials if trial.all_gone}
        disturbed = [one for _, trial in self.trials for one in trial.bystanders if one.is_gone]
        tried = ", ".join(dict.fromkeys(trial.label for _, trial in self.trials)) or "nothing"
        saw = f"gone were those in the window by {', '.join(' or '.join(names) for names in sorted(went)) or 'none'}"
        if disturbed:
            saw += f"; {pluralize(len(disturbed), 'bystander')} went too, so something else deletes"
        found = None
        if len(went) == 1 and not disturbed:
            (names,) = went
            if len(names) == 1:
                (found,) = names
            else:
                saw += f"; {' and '.join(names)} of these records read alike"
        beside = (
            f"bystanders ({self.other.full_name}) lay in the windows"
            if self.other
            else "there were no bystanders, as nothing else was asked about"
        )
        stayed = [trial for names, trial in self.trials if not trial.all_gone]
        return [
            CheckedQuestion(
                f"{kind}_date",
                f"Which date of {self.kind.a_record} do FromDate and ToDate compare with?",
                f"{pluralize(len(self.trials), 'reset')}, each of a window that one record lies in by one date alone: "
                f"{tried}",
                saw,
                f"each record was in the window of one reset at most; {len(stayed)} stayed for "
                f"{self.runner.watch:.0f} s, and {beside}",
                found,
            )
        ]

    def _moments(self, one: Specimen) -> list[tuple[tuple[str, ...], datetime]]:
        """Return the moments at which the dates of a record lie, each with the names of those that lie there."""
        if one.seen is None:
            return []
        dates = dict(one.seen.dates)
        own = self.kind.own_date
        if own and one.own:
            dates.setdefault(own, one.own)
        changed_at = None if one.changed_at is None else one.changed_at + self.runner.offset
        if is_changed(one) and changed_at is not None:
            dates.setdefault("ModifiedOn", changed_at)
        else:
            # As far as anyone can tell, it was not modified since it was made.
            dates.setdefault("ModifiedOn", dates["CreatedOn"])
        made_at = one.made_at + self.runner.offset
        if all(abs(at - made_at) > 2 * ALIKE for name, at in dates.items() if name != "ModifiedOn"):
            # Its CreatedOn reads as the date that was given: then the moment of its making may be kept elsewhere.
            dates["the moment it was made"] = made_at
        groups: list[tuple[list[str], datetime]] = []
        for name, at in sorted(dates.items(), key=lambda item: item[1]):
            if groups and at - groups[-1][1] <= ALIKE:
                groups[-1][0].append(name)
            else:
                groups.append(([name], at))
        return [(self._plain(names), at) for names, at in groups]

    def _plain(self, names: list[str]) -> tuple[str, ...]:
        # An own date that the account makes the CreatedOn is no other date.
        own = self.kind.own_date
        if own == "ActivityDateTime" and own in names and "CreatedOn" in names:
            names = [name for name in names if name != own]
        return tuple(names)

    def _lies_near(self, other: tuple[Specimen, Specimen | None], moment: datetime) -> bool:
        return any(abs(at - moment) < 2 * ALIKE for _, at in self._moments(other[0]))


def codes_of_all(
    told: Sequence[tuple[CheckedKind, CheckedQuestion]], date: CheckedQuestion
) -> list[CheckedQuestion]:
    """Return the event codes that the date of activities was found of; nothing for another kind.

    :param told: the answer of each.
    :param date: what :func:`date_of_all` makes of them.
    """
    codes = ", ".join(str(kind.code) for kind, _ in told if isinstance(kind, CheckedActivity))
    if not codes:
        return []
    saw = "no date that is one for all of them" if date.found is None else f"{date.found}, of each of them"
    return [
        CheckedQuestion(
            ACTIVITY_CODES,
            "Of which event codes does that date decide?",
            f"asked of each: {codes}",
            saw,
            date.control,
            None if date.found is None else codes,
        )
    ]


def date_of_all(told: Sequence[tuple[CheckedKind, CheckedQuestion]]) -> CheckedQuestion:
    """Return the date that decides for all kinds of one name; of several event codes, that which was found of each.

    Else it is not told: what is counted, copied and left out goes by one date for all activities.

    :param told: the answer of each.
    """
    (_, first), *others = told
    if not others:
        return first
    found = {one.found for _, one in told}
    did, saw = (
        "; ".join(f"{kind.full_name}: {text}" for (kind, _), text in zip(told, texts, strict=True))
        for texts in ([one.did for _, one in told], [one.saw for _, one in told])
    )
    if len(found) > 1:
        why = "is not the same of each" if len(found - {None}) > 1 else "could not be told of each"
        return replace(first, did=did, saw=f"{saw}; that {why}", found=None)
    return replace(first, did=did, saw=saw)
