"""What a task says while it calls: what is being done, how far it has come, and how long it still takes."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from types import TracebackType
from typing import Self

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.batch.counts import least_seconds
from airflow_provider_leadreset.leadsquared.text import duration, pluralize

SAID_EVERY = 10.0
"""Seconds between two lines."""

LAST_LINE = 1.0
"""Seconds that a line which is being said at the end is waited for."""

MARKS = 7
"""Of so many lines the oldest is what the pace is measured from: that of the last minute."""


def _none() -> int:
    return 0


@dataclass(frozen=True)
class Work:
    """One stretch of work. Its counts are asked for by another thread than the one that does it.

    :param doing: what is being done, as a line begins: ``Counting``.
    :param total: how many leads; None where that is not known, or where there are none.
    :param done: gives how many of them are done.
    :param calls_left: gives how many calls are left at least.
    :param failed: gives how many leads failed.
    """

    doing: str
    total: Callable[[], int | None]
    done: Callable[[], int] = _none
    calls_left: Callable[[], int] = _none
    failed: Callable[[], int] = _none


@dataclass(frozen=True, slots=True)
class _Mark:
    """How far it had come at a moment."""

    at: float
    calls: int
    calls_left: int


class ProgressLog:
    """Says every ten seconds how far the work has come, in a thread of its own: so whatever keeps a call waiting.

    A context manager, for one thread that begins one :class:`Work` after the other.

    :param limiter: whose calls are counted, by whose clock.
    :param say: is told each line.
    """

    def __init__(self, limiter: RateLimiter, say: Callable[[str], None]) -> None:
        self._limiter = limiter
        self._say = say
        self._ended = threading.Event()
        # As a daemon: it must not keep the process from ending, whatever interrupts its owner.
        self._thread = threading.Thread(target=self._run, name="lead-reset-progress", daemon=True)
        self._work = Work("Asking the account", lambda: None)
        self._marks: deque[_Mark] = deque(maxlen=MARKS)
        self._marks.append(self._mark(self._work))

    def __enter__(self) -> Self:
        try:
            self._thread.start()
        except BaseException:
            self._ended.set()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let no further line be said. What is being said is waited for, but not where an error is on its way."""
        self._ended.set()
        if kind is None:
            self._thread.join(LAST_LINE)

    def begin(self, work: Work) -> None:
        """Begin a stretch of work, of which the following lines tell."""
        # A list of marks of its own: the thread may be at work on that of the work before.
        self._work, self._marks = work, deque([self._mark(work)], maxlen=MARKS)

    def next_line(self) -> str:
        """Return how far the work has come since a minute ago, or since it began, and keep this moment."""
        work, marks = self._work, self._marks
        now, before = self._mark(work), marks[0]
        marks.append(now)
        calls, seconds = now.calls - before.calls, now.at - before.at
        rate = f"{calls / max(seconds, 0.001):.1f} calls/s, {self._limiter.throttlings} throttled"
        total = work.total()
        if total is None:
            return f"{work.doing}: {pluralize(now.calls, 'call')} so far, {rate}"
        left = seconds_left(before.calls_left, now.calls_left, seconds, self._limiter.sliding_window.share)
        said = f", about {duration(left)} left" if left else ""
        return (
            f"{work.doing}: {work.done()} of {pluralize(total, 'lead')}, {rate}, {work.failed()} failed{said}"
        )

    def _mark(self, work: Work) -> _Mark:
        return _Mark(self._limiter.clock.now(), self._limiter.calls, work.calls_left())

    def _run(self) -> None:
        while not self._ended.wait(SAID_EVERY):
            # A log that cannot be written to, such as a closed pipe, costs a line and not those after it.
            with contextlib.suppress(Exception):
                self._say(self.next_line())


class ListProgress:
    """Told how far a list of the CRM has been read, page by page.

    :param progress: that says so.
    :param list_id: GUID of the list.
    """

    def __init__(self, progress: ProgressLog, list_id: str) -> None:
        self._progress = progress
        self._list_id = list_id
        self._announced: int | None = None
        self._given = self._page = 0
        progress.begin(Work(f"Looking for the list {list_id}", lambda: None))

    def __call__(self, given: int, announced: int | None) -> None:
        """Record how many members were given so far, and how many the list says it has."""
        is_first, self._given, self._announced = not self._page, given, announced
        if is_first:
            self._page = max(1, given)
            self._progress.begin(
                Work(
                    f"Reading the list {self._list_id}",
                    lambda: self._announced,
                    lambda: self._given,
                    self._calls_left,
                )
            )

    def _calls_left(self) -> int:
        return ceil(max(0, (self._announced or 0) - self._given) / self._page)


def seconds_left(before: int, now: int, seconds: float, share: int) -> float | None:
    """Return how long the calls that are left will take; None where nothing went on, or nothing is left.

    :param before: calls that were left so many ``seconds`` ago.
    :param now: calls that are left.
    :param share: calls that may start in 5 s. The first of them start at once, so that what was measured over a few
        seconds is faster than what follows.
    """
    if now <= 0 or before <= now:
        return None
    return max(now * seconds / (before - now), least_seconds(now, share), 1.0)
