"""The pace of the account check: a fifth of the account's calls, evenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW, Permit, SlidingWindow

if TYPE_CHECKING:
    import threading

    from airflow_provider_leadreset.leadsquared.account_check.check_clock import CheckClock

PART = 5
"""The account check takes one call of so many that the account has."""


def seconds_between(calls_per_5s: int) -> float:
    """Return the least seconds between two calls of the check: in no 5 s more than a fifth of the account's calls.

    Of an account with fewer than five calls in 5 s it is a fifth in the long run, and one in any 5 s.
    """
    share = calls_per_5s // PART
    return WINDOW / share if share else WINDOW * PART / calls_per_5s


class GentleLimiter(RateLimiter):
    """A limiter that also keeps a distance between the starts of two calls.

    :param calls_per_5s: what the account's plan allows.
    :param clock: injected in tests; None for the machine's own.
    """

    def __init__(self, calls_per_5s: int, clock: CheckClock | None = None) -> None:
        window = SlidingWindow(max(1, calls_per_5s // PART), calls_per_5s)
        super().__init__(window, None if clock is None else _ClockOfCheck(clock))
        self._distance = seconds_between(calls_per_5s)
        self._next = float("-inf")

    def acquire(self, kind: str = "") -> Permit:
        """Wait until a call may start, and take its permit; see the class."""
        with self._condition:
            while (left := self._next - self.clock.now()) > 0:
                self.clock.wait(self._condition, left)
        permit = super().acquire(kind)
        self._next = permit.departed + self._distance
        return permit


class _ClockOfCheck:
    """The check's clock, as a limiter asks for it."""

    def __init__(self, clock: CheckClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds that never go back."""
        return self._clock.seconds()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait for at most ``seconds``: nobody wakes the one thread of a check."""
        del condition
        # A hair more: a sum of floats may end just before the moment that is waited for.
        self._clock.sleep(seconds + 1e-6)
