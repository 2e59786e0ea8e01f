"""How far a batch has come: small enough to be kept between the tries of a task, counted and logged."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.resets import Outcome
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 100
"""How many failed leads are remembered with their reason."""


MOST_NAMED = 20
"""How many failed leads an error's text names."""

PROGRESS_EVERY = 10.0
"""Seconds between two progress lines."""


class IndexSet:
    """Whole numbers as spans ``[start, end)``: a low-water mark and a few spans beyond it while a batch runs."""

    def __init__(self, spans: Iterable[Iterable[int]] = ()) -> None:
        self._spans = [(start, end) for start, end in spans]

    def __len__(self) -> int:
        return sum(end - start for start, end in self._spans)

    def __contains__(self, index: int) -> bool:
        at = bisect_right(self._spans, index, key=itemgetter(0))
        return at > 0 and index < self._spans[at - 1][1]

    def add(self, index: int) -> None:
        """Add a number; adding it again changes nothing.

        In one step: a signal may raise an exception between any two.
        """
        if index in self:
            return
        start, end = index, index + 1
        first = last = bisect_right(self._spans, index, key=itemgetter(0))
        if first > 0 and self._spans[first - 1][1] == index:
            first -= 1
            start = self._spans[first][0]
        if last < len(self._spans) and self._spans[last][0] == index + 1:
            end = self._spans[last][1]
            last += 1
        self._spans[first:last] = [(start, end)]

    def spans(self) -> list[list[int]]:
        """Return the spans, in order."""
        return [list(span) for span in self._spans]


class Progress:
    """Which leads of a batch, by their place in it, need no call any more: queued, or failed permanently.

    :param stored: what :meth:`as_json` of an earlier try gave; None for a new batch.
    """

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        stored = stored or {}
        self.queued = IndexSet(stored.get("queued", ()))
        self.failed = IndexSet(stored.get("failed", ()))
        self._earlier_failures: list[dict[str, str]] = list(stored.get("failures", ()))
        self._failures: dict[int, dict[str, str]] = {}
        self.in_earlier_tries = len(self.queued) + len(self.failed)

    def __contains__(self, index: int) -> bool:
        return index in self.queued or index in self.failed

    @property
    def failures(self) -> list[dict[str, str]]:
        """The first hundred leads that failed permanently, each with its reason."""
        return [*self._earlier_failures, *self._failures.values()][:MOST_LISTED]

    def add(self, outcome: Outcome) -> None:
        """Record an outcome. One that a retry may change is not kept; one that is told again changes nothing."""
        if outcome.error is None:
            self.queued.add(outcome.index)
        elif outcome.final:
            _list_failure(self._failures, outcome)
            self.failed.add(outcome.index)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "queued": self.queued.spans(),
            "failed": self.failed.spans(),
            "failures": self.failures,
        }


def _list_failure(failures: dict[int, dict[str, str]], outcome: Outcome) -> None:
    if len(failures) < MOST_LISTED:
        failures[outcome.index] = outcome.failure()


def fingerprint(account: str, leads: Leads, selectors: Selectors, window: Window) -> str:
    """Return a text that is equal for batches that ask for the same."""
    asked = [account, leads.digest, leads.count, selectors.body(), window.from_date, window.to_date]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


class BatchCounts:
    """Outcomes of one batch, added up over its tries.

    :param total: leads asked for.
    :param limiter: the batch's limiter, whose clock and counts are shown.
    :param progress: what earlier tries have done; kept up to date.
    """

    def __init__(self, total: int, limiter: RateLimiter, progress: Progress | None = None) -> None:
        self.total = total
        self.progress = progress or Progress()
        self.excluded = 0
        """Leads that are not to be reset, and were not in an earlier try."""
        self._passing = IndexSet()
        self._passing_failures: dict[int, dict[str, str]] = {}
        self._limiter = limiter
        self._began = limiter.clock.now()
        self._logged_at = self._began

    @property
    def queued(self) -> int:
        """Leads whose reset LeadSquared has queued, in earlier tries too."""
        return len(self.progress.queued)

    @property
    def worth_retrying(self) -> int:
        """Leads that failed in this try so that a retry may help."""
        return len(self._passing)

    @property
    def failed(self) -> int:
        """Leads that failed: permanently, in earlier tries too, or in this try so that a retry may help."""
        return len(self.progress.failed) + self.worth_retrying

    @property
    def not_reached(self) -> int:
        """Leads that were neither queued nor failed, nor excluded."""
        return self.total - self.queued - self.failed - self.excluded

    @property
    def failures(self) -> list[dict[str, str]]:
        """The first hundred failed leads, each with its reason."""
        return [*self.progress.failures, *self._passing_failures.values()][:MOST_LISTED]

    @property
    def seconds(self) -> float:
        """Seconds since this try began."""
        return self._limiter.clock.now() - self._began

    def add(self, outcome: Outcome) -> None:
        """Count one lead; told again, it counts once."""
        self.progress.add(outcome)
        if not outcome.final:
            _list_failure(self._passing_failures, outcome)
            self._passing.add(outcome.index)

    def log_progress(self, log: Callable[[str], None]) -> None:
        """Log a progress line if the last is ten seconds old."""
        now = self._limiter.clock.now()
        if now - self._logged_at < PROGRESS_EVERY:
            return
        self._logged_at = now
        done = self.queued + self.failed
        rate = self._limiter.calls / max(self.seconds, 0.001)
        done_now = done - self.progress.in_earlier_tries
        left = f", about {self.not_reached * self.seconds / done_now:.0f} s left" if done_now else ""
        log(
            f"{done} of {self.total} leads, {rate:.1f} calls/s, {self._limiter.throttlings} throttled, "
            f"{self.failed} failed{left}"
        )

    def summary(self) -> dict[str, Any]:
        """Return the numbers for the summary."""
        return {
            "leads": self.total,
            "queued": self.queued,
            "failed": self.failed,
            "not_reached": self.not_reached,
            "excluded": self.excluded,
            "done_in_earlier_tries": self.progress.in_earlier_tries,
            "calls": self._limiter.calls,
            "throttled": self._limiter.throttlings,
            "seconds": round(self.seconds, 1),
            "failures": self.failures,
        }

    def named_failures(self) -> str:
        """Name the first failed leads and why, for an error's text."""
        lines = [f"{failure['prospect_id']}: {failure['error']}" for failure in self.failures[:MOST_NAMED]]
        more = self.failed - len(lines)
        return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def least_seconds(calls: int, calls_per_window: int) -> float:
    """Return the least time that ``calls`` take at so many calls in 5 s: the first window's start at once."""
    return max(0, math.ceil(calls / calls_per_window) - 1) * WINDOW
