"""How far a batch has come: small enough to be kept between the tries of a task."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from airflow_provider_leadreset.leadsquared.batch.outcomes import NOTHING_KINDS, Outcome, OutcomeKind
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.text import LATER

MOST_STORED = 100
"""How many failed leads Airflow's store keeps with their reason."""

MOST_REASON_STORED = 200
"""Characters of a reason that are kept there: of more than 65,535 bytes in all Airflow warns (documented default of its
``[state_store] max_value_storage_bytes``)."""


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

    def discard(self, index: int) -> None:
        """Remove a number; one that is not in it changes nothing. In one step, as :meth:`add`."""
        if index not in self:
            return
        at = bisect_right(self._spans, index, key=itemgetter(0)) - 1
        start, end = self._spans[at]
        self._spans[at : at + 1] = [span for span in ((start, index), (index + 1, end)) if span[0] < span[1]]

    def spans(self) -> list[list[int]]:
        """Return the spans, in order."""
        return [list(span) for span in self._spans]


class Failure(NamedTuple):
    """A lead that failed, is unknown or unanswered, and why."""

    prospect_id: str
    kind: OutcomeKind
    reason: str


def _ends_doubt(kind: OutcomeKind, reason: str) -> bool:
    """Return whether an outcome says what became of a request that was sent before it."""
    return kind == "unanswered" or is_answer(kind, reason)


def is_answer(kind: OutcomeKind, reason: str) -> bool:
    """Return whether LeadSquared has queued the lead's reset, or nothing of it is there any more."""
    return kind == "queued" or (kind == "nothing_to_reset" and reason == "already_gone")


class Progress:
    """What became of the leads of a batch, by their place in it. What is final needs no call any more.

    Told again, an outcome changes nothing; one that follows another takes its place, unless that was final.

    :param stored: what :meth:`as_json` of an earlier try gave; None for a new batch.
    """

    _FINAL = ("queued", "failed", "unknown", "excluded", *NOTHING_KINDS)

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        stored = stored or {}
        self._final = {name: IndexSet(stored.get(name, ())) for name in self._FINAL}
        self._unanswered = IndexSet(stored.get("unanswered", ()))
        self._spared = IndexSet(stored.get("spared", ()))
        self._failed_now = IndexSet()
        self.failures: dict[int, Failure] = {
            index: Failure(prospect_id, kind, reason)
            for index, prospect_id, kind, reason in stored.get("failures", ())
        }
        """Leads that failed, are unknown or unanswered, by their place."""
        self.contradicted: str = stored.get("contradicted", "")
        """Why no lead may be left out as not modified any more; empty where nothing speaks against it."""
        self.in_earlier_tries = 0
        """How many leads earlier tries were done with."""
        self.end_try()

    def __contains__(self, index: int) -> bool:
        """Whether a lead needs no call any more."""
        return any(index in indices for indices in self._final.values())

    def is_unanswered(self, index: int) -> bool:
        """Return whether a reset of the lead was sent, and is not known to have been answered."""
        return index in self._unanswered

    def is_answered(self, index: int) -> bool:
        """Return whether LeadSquared has queued the lead's reset, or has the lead no more."""
        return index in self._final["queued"] or index in self._final["already_gone"]

    def is_failed(self, index: int) -> bool:
        """Return whether the lead failed or is unanswered, so that it counts against ``max_failed_leads``."""
        return index in self._final["failed"] or index in self._failed_now or index in self._unanswered

    def is_excluded(self, index: int) -> bool:
        """Return whether the lead is not to be called, whatever a try did with it before it was excluded."""
        return index in self._final["excluded"] or index in self._spared

    def has_outcome(self, index: int) -> bool:
        """Return whether a try did something with the lead that stays its outcome, though it be excluded later."""
        without = (self._final["excluded"], self._final["not_modified"])
        return index in self._unanswered or (index in self and not any(index in one for one in without))

    @property
    def spared(self) -> int:
        """Leads that were excluded after a try did something with them."""
        return len(self._spared)

    @property
    def to_call_again(self) -> int:
        """Leads that are unanswered, and were not excluded since."""
        spans = self._unanswered.spans()
        return sum(index not in self._spared for start, end in spans for index in range(start, end))

    def count(self, kind: OutcomeKind) -> int:
        """Return how many leads have an outcome; of ``not_reached`` nothing is known here."""
        match kind:
            case "unanswered":
                return len(self._unanswered)
            case "failed":
                return len(self._final["failed"]) + len(self._failed_now)
            case "nothing_to_reset":
                return sum(self.count_without_call(name) for name in NOTHING_KINDS)
            case "not_reached":
                return 0
            case _:
                return len(self._final[kind])

    def count_without_call(self, name: str) -> int:
        """Return how many leads had nothing to reset for that reason."""
        return len(self._final[name])

    def add(self, outcome: Outcome) -> None:
        """Record an outcome of this try."""
        self.record(
            outcome.index, outcome.prospect_id, outcome.kind, reason=outcome.reason, final=outcome.final
        )

    def record(self, index: int, prospect_id: str, kind: OutcomeKind, *, reason: str, final: bool) -> None:
        """Record an outcome by its parts.

        :param reason: of a lead with nothing to reset, which of :data:`.NOTHING_KINDS`.
        """
        if kind == "excluded" and self.has_outcome(index):
            self._spared.add(index)
            return
        # Of two processes of one try, one may have sent what the other was told to spare.
        sent_all_the_same = kind == "unanswered" and index in self._final["excluded"]
        if (index in self._final["queued"] and kind != "queued") or (
            index in self and not final and not sent_all_the_same
        ):
            return
        if index in self._unanswered and not _ends_doubt(kind, reason):
            # A request that was sent may have been carried out, whatever was refused or not done after it.
            if kind in {"failed", "unknown"} and (known := self.failures.get(index)):
                told = known.reason.partition(LATER)[0]
                self.failures[index] = known._replace(reason=f"{told}{LATER}{reason}")
            return
        if kind == "not_reached":
            self._failed_now.discard(index)
            return
        target = self._set_of(kind, reason, final=final)
        if kind != "excluded" and index in self._final["excluded"]:
            self._spared.add(index)
        target.add(index)
        for other in (*self._final.values(), self._unanswered, self._failed_now):
            if other is not target:
                other.discard(index)
        if kind in {"failed", "unknown", "unanswered"}:
            self.failures[index] = Failure(prospect_id, kind, reason)
        else:
            self.failures.pop(index, None)

    def withdraw(self, index: int) -> None:
        """Withdraw that a lead is unanswered: no request of it was sent after all."""
        if index in self._spared:
            self._final["excluded"].add(index)
            self._spared.discard(index)
        self._unanswered.discard(index)
        self.failures.pop(index, None)

    def end_try(self) -> None:
        """Begin the next try: what only failed in passing is to be called again.

        Leads that were left out as not modified are looked at anew: what one try learns may speak against it.
        """
        for start, end in self._failed_now.spans():
            for index in range(start, end):
                self.failures.pop(index, None)
        self._failed_now = IndexSet()
        self._final["not_modified"] = IndexSet()
        self.in_earlier_tries = sum(map(len, self._final.values()))

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        kept = [
            [index, failure.prospect_id, failure.kind, failure.reason[:MOST_REASON_STORED]]
            for index, failure in self.failures.items()
            if index not in self._failed_now
        ]
        kept.sort(key=lambda one: one[2] != "unanswered")  # only their ids can settle what is in doubt
        found: dict[str, object] = {
            name: indices.spans() for name, indices in self._final.items() if name != "not_modified"
        }
        return {
            **found,
            "unanswered": self._unanswered.spans(),
            "spared": self._spared.spans(),
            "failures": kept[:MOST_STORED],
            "contradicted": self.contradicted,
        }

    def _set_of(self, kind: OutcomeKind, reason: str, *, final: bool) -> IndexSet:
        if kind == "unanswered":
            return self._unanswered
        if kind == "failed" and not final:
            return self._failed_now
        return self._final[reason if kind == "nothing_to_reset" else kind]


def fingerprint(account: str, leads: Leads, selectors: Selectors, window: Window) -> str:
    """Return a text that is equal for batches that ask for the same."""
    asked = [account, leads.digest, leads.count, selectors.body(), window.from_date, window.to_date]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


def reset_fingerprint(selectors: Mapping[str, object], from_date: str, to_date: str) -> str:
    """Return a text that is equal for resets which delete the same of a lead.

    :param selectors: as :meth:`.Selectors.arguments` gives them.
    :param from_date: the window's begin as it is sent.
    :param to_date: its end as it is sent.
    """
    chosen = {
        name: sorted(map(str, value)) if isinstance(value, (list, tuple)) else value
        for name, value in selectors.items()
    }
    asked = json.dumps([chosen, from_date, to_date], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
