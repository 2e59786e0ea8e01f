"""What earlier tries of a task were asked for that is not what is asked for now, and what became of it.

A retry may be asked for other leads, selectors or another window than the try before. What became of the first is no
outcome of the second, and must not go untold: above all that a reset was sent, and no answer came. Such a doubt is
settled once LeadSquared queues the same reset of the lead (the same selectors and dates), whichever request names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.batch.progress import MOST_REASON_STORED, Failure, Progress
from airflow_provider_leadreset.leadsquared.request.guids import guid_key
from airflow_provider_leadreset.leadsquared.text import pluralize

MOST_TOLD = 50
"""How many leads of earlier requests are told with their reason, those that are unanswered first."""

MOST_IN_DOUBT = 200
"""How many leads in doubt Airflow's store keeps by id: of the others only their number."""

AT_AN_EARLIER_TRY = "at an earlier try, which was asked for something else: "
"""How the reason of such a lead begins, where leads of this request are listed too."""

REASON_NOT_KEPT = "unanswered; its reason was not kept"


class EarlierRequests:
    """The outcomes of all that earlier tries were asked for otherwise: for each request they add up to its leads.

    :param told: what :meth:`as_json` of an earlier try gave; None for nothing.
    """

    def __init__(self, told: dict[str, Any] | None = None) -> None:
        told = told or {}
        self.leads: int = told.get("leads", 0)
        """Leads asked for; one that two requests name counts twice."""
        self._outcomes = Counter({kind: told.get(kind, 0) for kind in OUTCOMES})
        self._failures = [
            Failure(one["prospect_id"], one["outcome"], one["error"]) for one in told.get("failures", ())
        ]
        reasons = {guid_key(one.prospect_id): one for one in self._failures if one.kind == "unanswered"}
        self._doubts: dict[tuple[str, bytes], Failure] = {}
        for reset, leads in told.get("doubts", {}).items():
            for lead in leads:
                known = reasons.get(guid_key(lead), Failure(lead, "unanswered", REASON_NOT_KEPT))
                self._doubts[reset, guid_key(lead)] = known
        self.doubts_without_id: int = told.get("doubts_without_id", 0)
        """Leads in doubt whose id is not known any more, so that nothing can settle them."""
        self.includes_this = False
        """Whether one of them is what is asked for now: asked for, then something else, and now again."""
        self._reset = ""
        self._places: dict[bytes, int] = {}

    def add(self, leads: int, progress: Progress, *, reset: str, in_doubt: Set[bytes] | None = None) -> None:
        """Add one request.

        :param leads: how many it was of.
        :param progress: what became of them.
        :param reset: the :func:`.reset_fingerprint` of what it was to delete.
        :param in_doubt: keys (:func:`.guid_key`) of the leads of which no request for that reset had an answer at last;
            None for all that it left unanswered.
        """
        self.leads += leads
        told = {kind: progress.count(kind) for kind in OUTCOMES}
        told["not_reached"] = leads - sum(told.values())
        self._outcomes.update(told)
        self._failures += progress.failures.values()
        unanswered = [one for one in progress.failures.values() if one.kind == "unanswered"]
        self.doubts_without_id += max(0, told["unanswered"] - len(unanswered))
        for one in unanswered:
            key = guid_key(one.prospect_id)
            if in_doubt is None or key in in_doubt:
                self._doubts.setdefault((reset, key), one)

    def find_places(self, leads: Iterable[str], reset: str) -> None:
        """Find the leads in doubt among those that are asked for now.

        :param leads: all of them, in order.
        :param reset: the :func:`.reset_fingerprint` of what is to be deleted now.
        """
        self._reset = reset
        doubts = {key for _, key in self._doubts}
        if doubts:
            self._places = {
                key: index for index, lead in enumerate(leads) if (key := guid_key(lead)) in doubts
            }

    @property
    def unanswered(self) -> int:
        """Leads that were sent, and of which no answer came."""
        return self._outcomes["unanswered"]

    def open_doubts(self, progress: Progress) -> Iterator[Failure]:
        """Yield each lead in doubt, once, that does not count as failed now anyway.

        :param progress: of what is asked for now.
        """
        yielded = set()
        for (_, key), one in self._unsettled(progress):
            place = self._places.get(key)
            if key in yielded or (place is not None and progress.is_failed(place)):
                continue
            yielded.add(key)
            yield one._replace(reason=AT_AN_EARLIER_TRY + one.reason)

    def count_doubts(self, progress: Progress) -> int:
        """Return how many :meth:`open_doubts` there are, and those whose id is not known any more."""
        return sum(1 for _ in self.open_doubts(progress)) + self.doubts_without_id

    def _unsettled(self, progress: Progress) -> Iterator[tuple[tuple[str, bytes], Failure]]:
        for (reset, key), one in self._doubts.items():
            place = self._places.get(key)
            if place is None or reset != self._reset or not progress.is_answered(place):
                yield (reset, key), one

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

    def as_json(self, progress: Progress) -> dict[str, Any] | None:
        """Return it as JSON-able values, for a later try that may be asked for something else again.

        :param progress: of what is asked for now: it may have settled a doubt.
        """
        told = self.summary()
        if told is None:
            return None
        doubts: dict[str, list[str]] = {}
        unsettled = list(self._unsettled(progress))
        for (reset, _), one in unsettled[:MOST_IN_DOUBT]:
            doubts.setdefault(reset, []).append(one.prospect_id)
        without_id = self.doubts_without_id + len(unsettled[MOST_IN_DOUBT:])
        for one in told["failures"]:
            one["error"] = one["error"][:MOST_REASON_STORED]
        return {**told, "doubts": doubts, "doubts_without_id": without_id}

    def describe(self) -> str:
        """Return it as text; empty where nothing else was asked for."""
        if not self.leads:
            return ""
        told = [
            f"{self._outcomes[kind]} {kind.replace('_', ' ')}" for kind in OUTCOMES if self._outcomes[kind]
        ]
        what = "something else, or the same before something else" if self.includes_this else "something else"
        return f"earlier tries were asked for {what}, {pluralize(self.leads, 'lead')}: {', '.join(told)}"
