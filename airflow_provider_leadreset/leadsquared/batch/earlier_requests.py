"""What earlier tries of a task were asked for that is not what is asked for now, and what became of it.

A retry may be asked for other leads, selectors or another window than the try before. What became of the first is no
outcome of the second, and must not go untold: above all that a reset was sent, and no answer came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.batch.progress import Failure, Progress
from airflow_provider_leadreset.leadsquared.request.guids import guid_key
from airflow_provider_leadreset.leadsquared.text import pluralize

MOST_TOLD = 100
"""How many leads of earlier requests are told with their reason, those that are unanswered first."""

AT_AN_EARLIER_TRY = "at an earlier try, which was asked for something else: "
"""How the reason of such a lead begins, where leads of this request are listed too."""


class EarlierRequests:
    """The outcomes of all that earlier tries were asked for otherwise: for each request they add up to its leads.

    :param told: what :meth:`summary` of an earlier try gave; None for nothing.
    """

    def __init__(self, told: dict[str, Any] | None = None) -> None:
        told = told or {}
        self.leads: int = told.get("leads", 0)
        """Leads asked for; one that two requests name counts twice."""
        self._outcomes = Counter({kind: told.get(kind, 0) for kind in OUTCOMES})
        self._failures = [
            Failure(one["prospect_id"], one["outcome"], one["error"]) for one in told.get("failures", ())
        ]
        self._places: dict[bytes, int] = {}

    def add(self, leads: int, progress: Progress) -> None:
        """Add one request.

        :param leads: how many it was of.
        :param progress: what became of them.
        """
        self.leads += leads
        told = {kind: progress.count(kind) for kind in OUTCOMES}
        told["not_reached"] = leads - sum(told.values())
        self._outcomes.update(told)
        self._failures += progress.failures.values()

    def find_places(self, leads: Iterable[str]) -> None:
        """Find the unanswered leads among those that are asked for now.

        :param leads: all of them, in order.
        """
        doubts = {guid_key(one.prospect_id) for one in self._failures if one.kind == "unanswered"}
        if doubts:
            self._places = {
                key: index for index, lead in enumerate(leads) if (key := guid_key(lead)) in doubts
            }

    @property
    def unanswered(self) -> int:
        """Leads that were sent, and of which no answer came."""
        return self._outcomes["unanswered"]

    def open_doubts(self, progress: Progress) -> Iterator[Failure]:
        """Yield each unanswered lead that is asked for no more, or of which no answer has come now either.

        :param progress: of what is asked for now.
        """
        yielded = set()
        for one in self._failures:
            key = guid_key(one.prospect_id)
            if one.kind != "unanswered" or key in yielded:
                continue
            yielded.add(key)
            place = self._places.get(key)
            if place is None or not progress.is_answered(place):
                yield one._replace(reason=AT_AN_EARLIER_TRY + one.reason)

    def count_doubts(self, progress: Progress) -> int:
        """Return how many :meth:`open_doubts` there are, and those whose id is not known any more."""
        named = sum(one.kind == "unanswered" for one in self._failures)
        return sum(1 for _ in self.open_doubts(progress)) + self.unanswered - named

    def summary(self) -> dict[str, Any] | None:
        """Return it for the summary; None where nothing else was asked for."""
        if not self.leads:
            return None
        first = sorted(self._failures, key=lambda one: one.kind != "unanswered")[:MOST_TOLD]
        return {
            "leads": self.leads,
            **{kind: self._outcomes[kind] for kind in OUTCOMES},
            "failures": [
                {"prospect_id": one.prospect_id, "outcome": one.kind, "error": one.reason} for one in first
            ],
        }

    def describe(self) -> str:
        """Return it as text; empty where nothing else was asked for."""
        if not self.leads:
            return ""
        told = [
            f"{self._outcomes[kind]} {kind.replace('_', ' ')}" for kind in OUTCOMES if self._outcomes[kind]
        ]
        return (
            f"earlier tries were asked for something else, {pluralize(self.leads, 'lead')}: {', '.join(told)}"
        )
