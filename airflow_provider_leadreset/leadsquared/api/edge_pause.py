"""What to do while something on the way to LeadSquared answers in its place: let one probe at a time go out.

The bookkeeping alone: no thread, no clock, every method is told the moment, in seconds.
"""

from __future__ import annotations

import math

FIRST_DELAY = 1.0
"""Seconds before the first probe; each further one waits twice as long."""

LONGEST_DELAY = 60.0
"""Seconds that a probe waits at most."""


class EdgePause:
    """Whether calls may start. Calls are told apart by any object that stands for one, such as its permit."""

    def __init__(self) -> None:
        self._delay: float | None = None
        self._probe_at = 0.0
        self._probe: object = None

    @property
    def active(self) -> bool:
        """Whether calls must wait."""
        return self._delay is not None

    def starts_at(self, now: float) -> float:
        """Return when the next call may start: ``now`` or later; infinity while a probe is out."""
        if self._delay is None:
            return now
        return math.inf if self._probe is not None else max(now, self._probe_at)

    def departs(self, call: object) -> None:
        """Record a call that starts: while calls must wait, it is the probe."""
        if self._delay is not None:
            self._probe = call

    def page(self, call: object, now: float) -> None:
        """Record a call that something on the way answered, or, of a probe, one that nothing answered."""
        if self._delay is None:
            self._delay = FIRST_DELAY
        elif call is self._probe:
            self._delay = min(2 * self._delay, LONGEST_DELAY)
        else:
            return  # it was on its way already
        self._probe = None
        self._probe_at = now + self._delay

    def unanswered(self, call: object, now: float) -> None:
        """Record a call without an answer, which says something of a probe only."""
        if call is self._probe and self._probe is not None:
            self.page(call, now)

    def answered(self, call: object) -> None:
        """Record an answer of LeadSquared's: a probe's ends the pause."""
        if call is self._probe and self._probe is not None:
            self._delay = self._probe = None

    def gave_up(self, call: object) -> None:
        """Record a call that ended by nobody's answer, such as an interruption: another may be the probe."""
        if call is self._probe:
            self._probe = None
