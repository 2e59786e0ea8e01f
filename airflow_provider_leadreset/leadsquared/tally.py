"""Counting a batch: every lead asked for is queued, failed or not reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.leadsquared.bulk import Outcome
from airflow_provider_leadreset.leadsquared.pace import WINDOW, Gate

MOST_LISTED = 100
"""How many failed leads a summary names."""

MOST_NAMED = 20
"""How many failed leads an error's text names."""

PROGRESS_EVERY = 10.0
"""Seconds between two progress lines."""


class Tally:
    """Outcomes of one batch, added up.

    :param total: leads asked for.
    :param gate: the batch's gate, whose clock and counts are shown.
    """

    def __init__(self, total: int, gate: Gate) -> None:
        self.total = total
        self.queued = 0
        self.failed = 0
        self.worth_retrying = 0
        self.failures: list[dict[str, str]] = []
        self._gate = gate
        self._began = gate.clock.now()
        self._told = self._began

    @property
    def not_reached(self) -> int:
        """Leads that were neither queued nor failed."""
        return self.total - self.queued - self.failed

    @property
    def seconds(self) -> float:
        """Seconds since the batch began."""
        return self._gate.clock.now() - self._began

    def add(self, outcome: Outcome) -> None:
        """Count one lead."""
        if outcome.error is None:
            self.queued += 1
            return
        self.failed += 1
        if not outcome.final:
            self.worth_retrying += 1
        if len(self.failures) < MOST_LISTED:
            self.failures.append({"prospect_id": outcome.prospect_id, "error": outcome.error.reason})

    def tell(self, log: Callable[[str], None]) -> None:
        """Log a progress line if the last is ten seconds old."""
        now = self._gate.clock.now()
        if now - self._told < PROGRESS_EVERY:
            return
        self._told = now
        done = self.queued + self.failed
        rate = self._gate.calls / max(self.seconds, 0.001)
        left = f", about {self.not_reached * self.seconds / done:.0f} s left" if done else ""
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
