"""Counting a batch: every lead asked for is queued, failed or not reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.leadsquared.api.rate_limit import WINDOW, Gate
from airflow_provider_leadreset.leadsquared.bulk import Outcome
from airflow_provider_leadreset.leadsquared.progress import MOST_LISTED, Progress

MOST_NAMED = 20
"""How many failed leads an error's text names."""

PROGRESS_EVERY = 10.0
"""Seconds between two progress lines."""


class Tally:
    """Outcomes of one batch, added up over its tries.

    :param total: leads asked for.
    :param gate: the batch's gate, whose clock and counts are shown.
    :param progress: what earlier tries have done; kept up to date.
    """

    def __init__(self, total: int, gate: Gate, progress: Progress | None = None) -> None:
        self.total = total
        self.progress = progress or Progress()
        self.worth_retrying = 0
        self._passing_failures: list[dict[str, str]] = []
        self._gate = gate
        self._began = gate.clock.now()
        self._told = self._began

    @property
    def queued(self) -> int:
        """Leads whose reset LeadSquared has queued, in earlier tries too."""
        return len(self.progress.queued)

    @property
    def failed(self) -> int:
        """Leads that failed: for good, in earlier tries too, or in this try so that a retry may help."""
        return len(self.progress.failed) + self.worth_retrying

    @property
    def not_reached(self) -> int:
        """Leads that were neither queued nor failed."""
        return self.total - self.queued - self.failed

    @property
    def failures(self) -> list[dict[str, str]]:
        """The first hundred failed leads, each with its reason."""
        return [*self.progress.failures, *self._passing_failures][:MOST_LISTED]

    @property
    def seconds(self) -> float:
        """Seconds since this try began."""
        return self._gate.clock.now() - self._began

    def add(self, outcome: Outcome) -> None:
        """Count one lead."""
        self.progress.add(outcome)
        if not outcome.final:
            self.worth_retrying += 1
            if len(self._passing_failures) < MOST_LISTED:
                self._passing_failures.append(outcome.failure())

    def tell(self, log: Callable[[str], None]) -> None:
        """Log a progress line if the last is ten seconds old."""
        now = self._gate.clock.now()
        if now - self._told < PROGRESS_EVERY:
            return
        self._told = now
        done = self.queued + self.failed
        rate = self._gate.calls / max(self.seconds, 0.001)
        done_now = done - self.progress.in_earlier_tries
        left = f", about {self.not_reached * self.seconds / done_now:.0f} s left" if done_now else ""
        log(
            f"{done} of {self.total} leads, {rate:.1f} calls/s, {self._gate.throttlings} throttled, "
            f"{self.failed} failed{left}"
        )

    def counts(self) -> dict[str, Any]:
        """Give the numbers for the summary."""
        return {
            "leads": self.total,
            "queued": self.queued,
            "failed": self.failed,
            "not_reached": self.not_reached,
            "done_in_earlier_tries": self.progress.in_earlier_tries,
            "calls": self._gate.calls,
            "throttled": self._gate.throttlings,
            "seconds": round(self.seconds, 1),
            "failures": self.failures,
        }

    def named_failures(self) -> str:
        """Name the first failed leads and why, for an error's text."""
        lines = [f"{failure['prospect_id']}: {failure['error']}" for failure in self.failures[:MOST_NAMED]]
        more = self.failed - len(lines)
        return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def least_seconds(calls: int, pace: int) -> float:
    """Give the least time that ``calls`` take at ``pace`` calls in 5 s: the first window's start at once."""
    return max(0, -(-calls // pace) - 1) * WINDOW
