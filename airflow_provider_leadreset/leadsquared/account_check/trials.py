"""Trials: records of one's own in known places, resets that reach only some of them, and what went.

Each record lies in the window of one reset at most, under whatever date may decide. So what went tells which reset took
it, however late it came, however many were lost on the way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import (
    CheckedKind,
    SeenRecord,
    one_of_each,
)
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.text import duration, pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock
    from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead

log = logging.getLogger(__name__)

TIMES_SLOWEST = 10
"""A record that stays is watched so many times as long as the slowest reset seen took."""

CALIBRATION = 12
"""The first resets are waited for so many times the patience."""

APART = timedelta(seconds=4)
"""Between two records, so that a window to the second can hold one and not the other."""

_FIRST_POLL, _NEXT_POLLS, _LATER_POLLS = 2.0, 15.0, 0.1
"""Seconds to the second reading, and most seconds between the next ones; later, the part of what was waited so far: an
hour's queue need not be known to the minute, and each reading takes calls from the account."""
_SAY_EVERY = 30.0
_TRULY_GONE = 2
"""Readings in a row that a record must be missing in: replicas can differ."""


@dataclass(eq=False, slots=True)
class Specimen:
    """A record that was made to be reset, or to stay."""

    kind: CheckedKind
    id: str
    made_at: datetime
    """By this machine's clock."""
    own: datetime | None = None
    changed_at: datetime | None = None
    """When it was changed, by this machine's clock; None if it was not."""
    before: SeenRecord | None = None
    """As it was read before it was changed."""
    seen: SeenRecord | None = None
    """As it was last read."""
    missing: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether it was read once, and is not any more."""
        return self.seen is not None and self.missing >= _TRULY_GONE


@dataclass(eq=False, slots=True)
class Trial:
    """One reset of the throw-away lead, and the records it is about.

    :param specimens: in the window.
    :param bystanders: of another kind, or another event code, in the same window; they must stay.
    """

    label: str
    selectors: Selectors
    window: Window
    specimens: Sequence[Specimen]
    bystanders: Sequence[Specimen] = ()
    sent_at: float | None = field(default=None, init=False)
    refused: str | None = field(default=None, init=False)
    took: float | None = field(default=None, init=False)
    """Seconds from its sending until all its specimens were gone."""

    @property
    def all_gone(self) -> bool:
        """Whether each of its specimens is gone."""
        return all(one.is_gone for one in self.specimens)


class TrialRunner:
    """Makes records, sends resets, and waits for what goes.

    :param lead: the throw-away lead.
    :param kinds: what is read in each round.
    :param clock: injected in tests.
    :param patience: seconds for which a record that stays is watched at least.
    :param say: told what is being done, for people.
    """

    def __init__(
        self,
        lead: OwnLead,
        kinds: Sequence[CheckedKind],
        clock: CheckClock,
        patience: float,
        say: Callable[[str], None],
    ) -> None:
        self._lead = lead
        self.lead_id = lead.id
        self.kinds = kinds
        self.clock = clock
        self.patience = patience
        self.say = say
        self.specimens: list[Specimen] = []
        self.slowest: float | None = None
        """Seconds that the slowest reset took that was seen to work."""
        self.offset = timedelta()
        """How far LeadSquared's clock is ahead of this machine's."""
        self._last_made: datetime | None = None
        self._said = (-1, 0.0)

    @property
    def watch(self) -> float:
        """Seconds after which a record that is still there counts as staying."""
        return max(self.patience, TIMES_SLOWEST * (self.slowest or 0.0))

    def server_now(self) -> datetime:
        """Return the present moment by LeadSquared's clock."""
        return self.clock.now() + self.offset

    def server_time_of(self, specimen: Specimen) -> datetime:
        """Return when a record was made, by LeadSquared's clock."""
        return specimen.made_at + self.offset

    def step_away(self, apart: timedelta = APART) -> None:
        """Wait until what is made next lies far enough from what was made last."""
        if self._last_made is not None:
            left = (self._last_made + apart - self.clock.now()).total_seconds()
            if left > 0:
                self.clock.sleep(left)

    def make(self, kind: CheckedKind, own: datetime | None = None, *, apart: bool = True) -> Specimen:
        """Create a record.

        :param own: a date of its own, where the kind has one and the account takes it.
        :param apart: whether to keep a distance to what was made before.
        :raises LeadSquaredError: the account does not make it.
        """
        if apart:
            self.step_away()
        now = self.clock.now()
        own = own if kind.takes_own_date else None
        try:
            record_id = kind.make(own, now + self.offset)
        except LeadRejectedError:
            if own is None:
                raise
            # An account may take no DueDate that has passed.
            kind.takes_own_date, own = False, None
            record_id = kind.make(None, now + self.offset)
        specimen = Specimen(kind, record_id, now, own)
        self._last_made = self.clock.now()
        self.specimens.append(specimen)
        return specimen

    def change(self, specimen: Specimen) -> None:
        """Change a record, where the account has a call for it."""
        if not specimen.kind.can_change:
            return
        self.step_away()
        at = self.clock.now()
        try:
            specimen.kind.change(specimen.id)
            specimen.changed_at, specimen.before = at, specimen.seen
        except (LeadRejectedError, UnavailableError) as error:
            specimen.kind.can_change = False
            log.info("A %s cannot be changed by a call: %s", specimen.kind.name, error)
        self._last_made = self.clock.now()

    def read(self) -> None:
        """Read the lead's records once, and note which specimens are there."""
        pending = [one for one in self.specimens if not one.is_gone]
        for kind in one_of_each(self.kinds):
            own = [one for one in pending if one.kind.name == kind.name]
            if not own:
                continue
            try:
                rows = kind.read()
            except (LeadRejectedError, UnavailableError) as error:
                log.info("The %s rows could not be read this time: %s", kind.name, error)
                continue
            for one in own:
                row = rows.get(one.id)
                if row:
                    one.missing, one.seen = 0, row
                elif not kind.may_be_cut:
                    one.missing += 1

    def wait_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Read again and again until something is so; return whether it came to be.

        :param seconds: for how long.
        """
        began, pause = self.clock.seconds(), _FIRST_POLL
        while True:
            self.read()
            if done():
                return True
            waited = self.clock.seconds() - began
            if waited >= seconds:
                return False
            self.clock.sleep(min(pause, seconds - waited))
            pause = min(pause * 1.5, max(_NEXT_POLLS, waited * _LATER_POLLS))

    def wait_seen(self, specimens: Iterable[Specimen]) -> bool:
        """Wait until records that are not gone can be read, with their changes; return whether all can."""
        wanted = list(specimens)

        def are_seen() -> bool:
            return all(one.is_gone or (one.seen and not one.missing and _shows_change(one)) for one in wanted)

        return self.wait_until(are_seen, self.patience)

    def send(self, trials: Iterable[Trial]) -> None:
        """Send the resets. One that is refused is noted, and why."""
        for trial in trials:
            # Its end must have passed by LeadSquared's clock too.
            early = (trial.window.end - self.server_now()).total_seconds() + 1
            if early > 0:
                self.clock.sleep(early)
            at = self.clock.seconds()
            try:
                self._lead.reset(LeadReset(self._lead.id, trial.selectors, trial.window))
                trial.sent_at = at
            except LeadRejectedError as error:
                trial.refused = error.reason
            except UnavailableError as error:
                # Whether it was queued is not known: it is waited for, and what stays goes by the last control.
                log.info("A reset was not answered: %s", error)
                trial.sent_at = at

    def wait_gone(self, trials: Sequence[Trial], seconds: float) -> bool:
        """Wait until all records of all trials that were sent are gone; return whether they are.

        The time that the slowest took is noted.
        """
        sent = [trial for trial in trials if trial.sent_at is not None]
        began, self._said = self.clock.seconds(), (-1, 0.0)

        def are_gone() -> bool:
            for trial in sent:
                if trial.took is None and trial.all_gone and trial.sent_at is not None:
                    trial.took = self.clock.seconds() - trial.sent_at
                    self.slowest = max(self.slowest or 0.0, trial.took)
            left = sum(trial.took is None for trial in sent)
            self._say_how_far(len(sent) - left, len(sent), began + seconds - self.clock.seconds())
            return not left

        return self.wait_until(are_gone, seconds)

    def _say_how_far(self, done: int, of: int, left: float) -> None:
        said, at = self._said
        if done != said or self.clock.seconds() - at >= _SAY_EVERY:
            self._said = done, self.clock.seconds()
            self.say(
                f"{done} of {pluralize(of, 'reset')}: the API no longer gives their records; waiting for the others, "
                f"at most {duration(max(left, 0))} more"
            )


def _shows_change(specimen: Specimen) -> bool:
    # One that was answered with Success and changed nothing is waited for in vain, and then counts as not changed.
    return specimen.changed_at is None or is_changed(specimen)


def is_changed(specimen: Specimen) -> bool:
    """Return whether a record reads as changed: its text, or its ModifiedOn."""
    if specimen.seen is None or specimen.before is None:
        return False
    now, before = (one.dates.get("ModifiedOn") for one in (specimen.seen, specimen.before))
    return specimen.seen.changed or (now is not None and before is not None and now > before)


def seconds_around(first: datetime, last: datetime, *, before: int = 2, after: int = 3) -> Window:
    """Return the window from whole seconds before a moment to whole seconds after another."""
    return Window(
        first.replace(microsecond=0) - timedelta(seconds=before),
        last.replace(microsecond=0) + timedelta(seconds=after),
    )
