"""Where threads wait until their call may start, by the rule of :mod:`.sliding_window`."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Protocol

from airflow_provider_leadreset.leadsquared.api.edge_pause import EdgePause
from airflow_provider_leadreset.leadsquared.api.sliding_window import Permit, SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import ClosedError, MaxCallsError

log = logging.getLogger(__name__)

IDLE = 30.0
"""Seconds without any call after which a silence begins anew: nobody was there to be answered."""


class Clock(Protocol):
    """Time as :class:`RateLimiter` needs it."""

    def now(self) -> float:
        """Seconds that never go back."""

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait on a held condition for at most ``seconds``."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait on a held condition for at most ``seconds``."""
        condition.wait(seconds)


class RateLimiter:
    """Where threads wait until their call may start.

    :param sliding_window: the rule; several limiters may share it.
    :param clock: injected in tests.
    """

    def __init__(self, sliding_window: SlidingWindow, clock: Clock | None = None) -> None:
        self.sliding_window = sliding_window
        self.clock = clock or SystemClock()
        self.calls = 0
        self.throttlings = 0
        self.max_calls: int | None = None
        """How many calls may start here at all; None for any number."""
        self.departed = 0
        """Calls that have started here. The first ones, as many as may at once, open a connection each."""
        self._condition = sliding_window.changed
        self._edge = EdgePause()
        self._blocked_at = 0.0
        self._closed = False
        self._last_success_at = self._last_activity_at = float("-inf")

    def acquire(self, kind: str = "") -> Permit:
        """Wait until a call may start, and take its permit.

        :param kind: which call it is, by its path: some have a limit of their own.
        :raises MaxCallsError: as many as :attr:`max_calls` have started.
        :raises ClosedError: the limiter was closed meanwhile.
        """
        with self._condition:
            while True:
                if self._closed:
                    raise ClosedError("not sent: the batch was stopped")
                if self.max_calls is not None and self.calls >= self.max_calls:
                    raise MaxCallsError(f"max_calls={self.max_calls} is reached: no further call is made")
                now = self.clock.now()
                start = max(self.sliding_window.starts_at(now, kind), self._edge.starts_at(now))
                if start <= now:
                    return self._depart(now, kind)
                if start == math.inf:
                    self._condition.wait(1.0)  # for an event: a probe's answer wakes it
                else:
                    self.clock.wait(self._condition, start - now)

    def _depart(self, now: float, kind: str) -> Permit:
        self.calls += 1
        if self.calls == self.max_calls:
            self._condition.notify_all()  # whoever waits, waits for nothing
        # Waiting between two probes is no idle time.
        if now - self._last_activity_at > IDLE and not self._edge.active:
            self._last_success_at = now
        self._last_activity_at = now
        opens_connection = self.departed < self.sliding_window.capacity
        self.departed += 1
        permit = self.sliding_window.depart(now, opens_connection=opens_connection, kind=kind)
        self._edge.departs(permit)
        return permit

    def sent(self, permit: Permit) -> None:
        """Record that a call has its connection, and that its request is about to be sent."""
        with self._condition:
            permit.sent = self.clock.now()

    def accepted(self, permit: Permit) -> None:
        """Record an answer that is not about the limit."""
        with self._condition:
            self._last_success_at = self._last_activity_at = self.clock.now()
            self.sliding_window.accepted(permit, self._last_success_at)
            self._wake()
            over = self._edge_over(permit)
        self._log_edge_over(over)

    def unanswered(self, permit: Permit) -> None:
        """Record a call that ended without an answer."""
        with self._condition:
            self._last_activity_at = self.clock.now()
            self.sliding_window.unanswered(permit, self._last_activity_at)
            self._wake()
            self._edge.unanswered(permit, self._last_activity_at)

    def blocked(self, permit: Permit, said: str) -> None:
        """Record a call that something on the way there answered: all calls wait, one probe at a time goes out.

        :param said: what it said, for the log, without keys.
        """
        with self._condition:
            self._last_activity_at = self.clock.now()
            self.sliding_window.unanswered(permit, self._last_activity_at)
            self._wake()
            began = not self._edge.active
            if began:
                self._blocked_at = self._last_activity_at
            self._edge.page(permit, self._last_activity_at)
        if began:
            log.warning("%s; one call at a time until LeadSquared answers again", said)

    def broken_off(self, permit: Permit) -> None:
        """Record a call that ended before its answer, by a stop or an interruption."""
        with self._condition:
            self._last_activity_at = self.clock.now()
            self.sliding_window.broken_off(permit, self._last_activity_at)
            self._wake()
            self._edge.gave_up(permit)

    def give_back(self, permit: Permit) -> None:
        """Withdraw the permit of a call that is not made after all."""
        with self._condition:
            self.calls -= 1
            self.departed -= 1
            self.sliding_window.broken_off(permit, self.clock.now())
            self._wake()
            self._edge.gave_up(permit)

    def throttled(self, permit: Permit, limit: int | None) -> None:
        """Record that a call was refused for a limit; see :meth:`.SlidingWindow.throttled`."""
        with self._condition:
            self.throttlings += 1
            self._last_activity_at = self.clock.now()
            change = self.sliding_window.throttled(permit, self._last_activity_at, limit)
            self._wake()
            over = self._edge_over(permit)
        self._log_edge_over(over)
        if change:
            log.warning("Throttled by LeadSquared: %s", change)

    def _edge_over(self, permit: Permit) -> float | None:
        """Record an answer of LeadSquared's; return how many seconds the pause took that it ends, None for none."""
        before = self._edge.active
        self._edge.answered(permit)
        return self._last_activity_at - self._blocked_at if before and not self._edge.active else None

    def _log_edge_over(self, seconds: float | None) -> None:
        if seconds is not None:
            log.warning("LeadSquared answers again after %.0f s", seconds)

    def _wake(self) -> None:
        # One permit, one waiter; but all where it matters which one it is.
        if self._edge.active or self.sliding_window.kinds_limited or self.sliding_window.is_shared:
            self._condition.notify_all()
        else:
            self._condition.notify()

    def since_last_success(self) -> float:
        """Seconds since a call was last let through and answered, or since the first one of late was made."""
        with self._condition:
            return self.clock.now() - self._last_success_at if self.calls else 0.0

    def pause(self, seconds: float) -> None:
        """Wait before a repetition; a closed limiter ends the wait.

        :raises ClosedError: the limiter was closed meanwhile.
        """
        with self._condition:
            until = self.clock.now() + seconds
            while not self._closed and (left := until - self.clock.now()) > 0:
                self.clock.wait(self._condition, left)
            if self._closed:
                raise ClosedError("not repeated: the batch was stopped")

    def release(self) -> None:
        """Record that nothing is called here for now, so that others need not keep to what holds here."""

    def close(self) -> None:
        """Let no further call start; wake all who wait."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def drains_in(self) -> float:
        """Return the seconds until no call started here counts against the account's limit any more; 0 for none."""
        with self._condition:
            return max(0.0, self.sliding_window.drained_at() - self.clock.now())

    def drain(self) -> None:
        """Wait until no call started here counts against the account's limit any more."""
        with self._condition:
            while (left := self.sliding_window.drained_at() - self.clock.now()) > 0:
                self.clock.wait(self._condition, left)
