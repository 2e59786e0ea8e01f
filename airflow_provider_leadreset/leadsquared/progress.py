"""How far a batch has come, small enough to be kept between the tries of a task."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from airflow_provider_leadreset.leadsquared.bulk import Outcome
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 100
"""How many failed leads are remembered with their reason."""


class IndexSet:
    """Whole numbers as spans ``[start, end)``: a low-water mark and a few spans beyond it while a batch runs."""

    def __init__(self, spans: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._count = 0
        for start, end in spans:
            self._starts.append(start)
            self._ends.append(end)
            self._count += end - start

    def __len__(self) -> int:
        return self._count

    def __contains__(self, index: int) -> bool:
        at = bisect_right(self._starts, index) - 1
        return at >= 0 and index < self._ends[at]

    def add(self, index: int) -> None:
        """Add a number; adding it again changes nothing."""
        if index in self:
            return
        self._count += 1
        at = bisect_right(self._starts, index)
        joins_left = at > 0 and self._ends[at - 1] == index
        joins_right = at < len(self._starts) and self._starts[at] == index + 1
        if joins_left and joins_right:
            self._ends[at - 1] = self._ends.pop(at)
            del self._starts[at]
        elif joins_left:
            self._ends[at - 1] = index + 1
        elif joins_right:
            self._starts[at] = index
        else:
            self._starts.insert(at, index)
            self._ends.insert(at, index + 1)

    def spans(self) -> list[list[int]]:
        """Give the spans, in order."""
        return [list(span) for span in zip(self._starts, self._ends, strict=True)]


class Progress:
    """Which leads of a batch, by their place in it, need no call any more: queued, or failed for good.

    :param stored: what :meth:`as_json` of an earlier try gave; None for a new batch.
    """

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        stored = stored or {}
        self.queued = IndexSet(stored.get("queued", ()))
        self.failed = IndexSet(stored.get("failed", ()))
        self.failures: list[dict[str, str]] = list(stored.get("failures", ()))
        self.in_earlier_tries = len(self.queued) + len(self.failed)

    def __contains__(self, index: int) -> bool:
        return index in self.queued or index in self.failed

    def add(self, outcome: Outcome) -> None:
        """Note an outcome. One that a retry may change is not kept."""
        if outcome.error is None:
            self.queued.add(outcome.index)
        elif outcome.final:
            self.failed.add(outcome.index)
            if len(self.failures) < MOST_LISTED:
                self.failures.append(outcome.failure())

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON-able values."""
        return {
            "queued": self.queued.spans(),
            "failed": self.failed.spans(),
            "failures": list(self.failures),
        }


def fingerprint(account: str, leads: Leads, selectors: Selectors, window: Window) -> str:
    """Give a text that is equal for batches that ask for the same."""
    asked = [account, leads.digest, leads.count, selectors.body(), window.from_date, window.to_date]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]
