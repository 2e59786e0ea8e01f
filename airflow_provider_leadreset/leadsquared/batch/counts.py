"""The outcomes of a batch, counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.earlier_requests import EarlierRequests
from airflow_provider_leadreset.leadsquared.batch.outcomes import (
    NOTHING_KINDS,
    OUTCOMES,
    Outcome,
    OutcomeKind,
    without_ids,
)
from airflow_provider_leadreset.leadsquared.batch.progress import Failure, IndexSet, Progress
from airflow_provider_leadreset.leadsquared.text import pluralize

MOST_LISTED = 100
"""How many failed leads a summary names with their reason."""

MOST_NAMED = 20
"""How many failed leads an error's text names."""

MOST_REASONS = 20
"""How many reasons a summary adds up; the others are counted together."""


class BatchCounts:
    """Outcomes of one batch, added up over its tries.

    :param total: leads asked for.
    :param limiter: the batch's limiter, whose clock and counts are shown.
    :param progress: what earlier tries have done; kept up to date.
    :param earlier_requests: what earlier tries were asked for that is not asked for now.
    """

    def __init__(
        self,
        total: int,
        limiter: RateLimiter,
        progress: Progress | None = None,
        earlier_requests: EarlierRequests | None = None,
    ) -> None:
        self.total = total
        self.progress = progress or Progress()
        self.earlier_requests = earlier_requests or EarlierRequests()
        self.why_not_reached = "for no reason that is known"
        """Why the last lead was not reached of which that is known."""
        self._open = IndexSet()
        self._limiter = limiter
        self._began = limiter.clock.now()

    def of(self, kind: OutcomeKind) -> int:
        """Return how many leads have an outcome, those of earlier tries too."""
        if kind == "not_reached":
            return self.total - sum(self.progress.count(other) for other in OUTCOMES)
        return self.progress.count(kind)

    @property
    def queued(self) -> int:
        """Leads whose reset LeadSquared has queued, in earlier tries too."""
        return self.of("queued")

    @property
    def failed(self) -> int:
        """Leads that failed: permanently, in earlier tries too, or in this try so that a retry may help."""
        return self.of("failed")

    @property
    def not_reached(self) -> int:
        """Leads without any other outcome."""
        return self.of("not_reached")

    @property
    def worth_retrying(self) -> int:
        """Leads of this try whose outcome another call could change."""
        return len(self._open)

    @property
    def counted_as_failed(self) -> int:
        """Leads that count against ``max_failed_leads``.

        Unknown ones do only where no lead of the batch is known: then the connection leads elsewhere. Those do too that
        are in doubt since a try that was asked for something else; a lead counts once.
        """
        unknown = self.of("unknown")
        known = sum(self.of(kind) for kind in ("queued", "failed", "unanswered", "nothing_to_reset"))
        return self.failed + self.of("unanswered") + (0 if known else unknown) + self.earlier_doubts

    @property
    def earlier_doubts(self) -> int:
        """Leads that earlier tries left unanswered which were asked for something else, and no try has settled."""
        return self.earlier_requests.count_doubts(self.progress)

    @property
    def seconds(self) -> float:
        """Seconds since this try began."""
        return self._limiter.clock.now() - self._began

    def add(self, outcome: Outcome) -> None:
        """Count one lead; told again, it counts once."""
        self.progress.add(outcome)
        if outcome.final:
            self._open.discard(outcome.index)
        else:
            self._open.add(outcome.index)
        if outcome.kind == "not_reached":
            self.why_not_reached = outcome.reason

    def outcomes(self) -> dict[str, int]:
        """Return how many leads have each outcome; they add up to ``leads``."""
        return {kind: self.of(kind) for kind in OUTCOMES}

    def summary(self) -> dict[str, object]:
        """Return the numbers for the summary."""
        return {
            "leads": self.total,
            **self.outcomes(),
            "nothing_to_reset_by": {kind: self.progress.count_without_call(kind) for kind in NOTHING_KINDS},
            "failed_by_reason": self.failed_by_reason(),
            "done_in_earlier_tries": self.progress.in_earlier_tries,
            "calls": self._limiter.calls,
            "throttled": self._limiter.throttlings,
            "seconds": round(self.seconds, 1),
            "failures": [
                {"prospect_id": one.prospect_id, "outcome": one.kind, "error": one.reason}
                for one in self.listed(MOST_LISTED)
            ],
            "earlier_requests": self.earlier_requests.summary(),
        }

    def failed_by_reason(self) -> dict[str, int]:
        """Return how many leads failed, are unknown or unanswered for each reason, the most frequent first.

        They add up: of many reasons, and of leads whose reason an earlier try could not keep, the rest is one number.
        """
        found = Counter(without_ids(one.reason) for one in self.progress.failures.values())
        by_reason = dict(found.most_common(MOST_REASONS))
        if others := self._failures - sum(by_reason.values()):
            by_reason["other reasons"] = by_reason.get("other reasons", 0) + others
        return by_reason

    @property
    def _failures(self) -> int:
        return self.of("failed") + self.of("unknown") + self.of("unanswered")

    def listed(self, most: int | None = None) -> Iterator[Failure]:
        """Yield failed, unknown and unanswered leads, each with its reason, by their place.

        :param most: at most so many; None for all.
        """
        failures = self.progress.failures
        for index in sorted(failures)[:most]:
            yield failures[index]

    def all_listed(self) -> Iterator[Failure]:
        """Yield the same, and then the leads that earlier tries left unanswered which were asked for something else."""
        yield from self.listed()
        yield from self.earlier_requests.open_doubts(self.progress)

    def describe(self) -> str:
        """Return the outcomes as text: ``20 of 30 leads queued, 2 failed and 8 not reached``."""
        parts = [f"{self.of(kind)} {kind.replace('_', ' ')}" for kind in OUTCOMES[1:-1] if self.of(kind)]
        parts = parts or ["0 failed"]
        leads = pluralize(self.total, "lead")
        return f"{self.queued} of {leads} queued, {', '.join(parts)} and {self.not_reached} not reached"

    def named_failures(self) -> str:
        """Name the first failed leads and why, for an error's text."""
        lines = [f"{one.prospect_id}: {one.reason}" for one in islice(self.all_listed(), MOST_NAMED)]
        more = self._failures + self.earlier_doubts - len(lines)
        return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


def least_seconds(calls: int, calls_per_window: int) -> float:
    """Return the least time that ``calls`` take at so many calls in 5 s: the first window's start at once."""
    return max(0, math.ceil(calls / calls_per_window) - 1) * WINDOW
