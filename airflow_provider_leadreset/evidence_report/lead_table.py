"""What became of single leads, for an appendix: as many as a page can show, those in trouble first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_leadreset.evidence_report.sent_and_copied import NO_MORE_TOLD
from airflow_provider_leadreset.leadsquared.journal.schema import (
    CallLine,
    Line,
    NamedLine,
    OutcomeLine,
)
from airflow_provider_leadreset.leadsquared.text import describe_counts, scrubbed

MOST_LEADS = 500
"""Leads of one run that are kept with what became of them; of those in trouble as many again."""

MOST_CALLS = 10_000
"""Calls that are kept until their lead's outcome comes: a process of ours has a hundred under way at most."""

MOST_ID, MOST_REASON = 100, 300
"""Characters of an id and of a reason that are shown."""

TROUBLE = ("failed", "unknown", "unanswered")
"""Outcomes after which a person must look."""

Key = tuple[str, int, str]
"""A task, its request, and a lead's id in small letters: two of them may reset the same lead in two windows."""


@dataclass(slots=True)
class LeadRow:
    """What became of one lead.

    :param sent_at: of its last reset, as the journal says; empty without one.
    :param planned: its records per kind, in words; empty where no plan tells them.
    :param request: which one of the task's, from 1.
    """

    task: str
    prospect_id: str
    outcome: str
    reason: str
    final: bool
    try_number: int
    calls: int = 0
    sent_at: str = ""
    planned: str = ""
    request: int = 1


class LeadTable:
    """Leads of one run, in bounded memory.

    :param most: how many are kept; of those in trouble as many again.
    """

    def __init__(self, most: int = MOST_LEADS) -> None:
        self._most = most
        self._rows: dict[Key, LeadRow] = {}
        self._troubled: dict[Key, LeadRow] = {}
        self._calls: dict[Key, tuple[int, str]] = {}
        self._open: dict[int, str] = {}
        self._request = 1

    def begin_process(self, request: int) -> None:
        """Begin the journal of a process.

        :param request: which one of the task's: what became of one says nothing of another.
        """
        self._request = request

    @property
    def rows(self) -> list[LeadRow]:
        """All that are kept, those in trouble first."""
        return [*self._troubled.values(), *self._rows.values()]

    @property
    def troubled(self) -> list[LeadRow]:
        """Those that failed, are unknown or unanswered."""
        return list(self._troubled.values())

    def reasons(self) -> list[tuple[str, str, int]]:
        """Return outcome, reason and how many of the leads in trouble have both, the most frequent first."""
        found = Counter((row.outcome, row.reason) for row in self._troubled.values())
        return [(outcome, reason, count) for (outcome, reason), count in found.most_common()]

    def add(self, task: str, try_number: int, line: Line) -> None:
        """Record a line of a journal."""
        if isinstance(line, NamedLine):
            self._open.update(line.leads)
        elif isinstance(line, CallLine):
            key = task, self._request, line.prospect_id.lower()
            if len(self._calls) < MOST_CALLS or key in self._calls:
                self._calls[key] = self._calls.get(key, (0, ""))[0] + 1, line.sent_at
        elif isinstance(line, OutcomeLine):
            self._open.pop(line.index, None)
            self._end(LeadRow(task, line.prospect_id, line.outcome, line.reason, line.final, try_number))

    def end_process(self, task: str, try_number: int) -> None:
        """Record the leads that a process named and told no more of."""
        for lead in self._open.values():
            self._end(LeadRow(task, lead, "unanswered", NO_MORE_TOLD, False, try_number))
        self._open.clear()
        self._calls.clear()

    def add_planned(self, planned: Iterable[tuple[str, dict[str, list[str]]]]) -> None:
        """Record of the leads that are kept which records a plan lists."""
        rows: dict[str, list[LeadRow]] = {}
        for row in self.rows:  # two tasks may tell of one lead
            rows.setdefault(row.prospect_id.lower(), []).append(row)
        for lead, ids in planned:
            for row in rows.get(lead.lower(), ()):
                row.planned = describe_counts({kind: len(keys) for kind, keys in ids.items()})

    def _end(self, row: LeadRow) -> None:
        row.request = self._request
        key = row.task, row.request, row.prospect_id.lower()
        calls, row.sent_at = self._calls.pop(key, (0, ""))
        before = self._troubled.pop(key, None) or self._rows.pop(key, None)
        if before is not None and _stays(before, row):
            before.calls += calls
            before.sent_at = max(before.sent_at, row.sent_at)
            row = before
        else:
            row.calls = calls + (before.calls if before else 0)
            row.sent_at = row.sent_at or (before.sent_at if before else "")
        rows = self._troubled if row.outcome in TROUBLE else self._rows
        if before is None and len(rows) >= self._most:
            return
        row.reason = row.reason.replace(row.prospect_id, "…")  # so that equal reasons are seen to be
        row.prospect_id = scrubbed(row.prospect_id, MOST_ID)
        row.reason, row.sent_at = scrubbed(row.reason, MOST_REASON), scrubbed(row.sent_at, MOST_ID)
        rows[key] = row


def _stays(before: LeadRow, row: LeadRow) -> bool:
    """Return whether an earlier word stays: a doubt until the lead is queued, or known to be gone."""
    if row.outcome in {"queued", "unanswered"}:
        return before.outcome == "queued"
    if before.outcome == "unanswered":
        return not (row.outcome == "nothing_to_reset" and row.reason == "already_gone")
    # A lead that one try left out as not modified is looked at anew by the next.
    return before.final and before.reason != "not_modified"
