"""What a task sent and copied over all its tries, counted in flat memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from airflow_provider_leadreset.evidence_report.evidence_files import read_objects
from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import (
    ArchivedLine,
    CallLine,
    NamedLine,
    OutcomeLine,
)
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted

MOST_REMEMBERED = 1000
"""Refused leads that are remembered, so that those can be named that stay refused."""

MOST_OPEN = 100_000
"""Leads that are named and have no outcome yet: a process of ours has a hundred at most."""

MOST_NAMED = 20
"""How many refused leads, unreadable files and kinds of records are named."""

MOST_KIND = 40
"""Characters of the name of a kind of records; a longer one is none."""


class Sent:
    """What one task (or one of its mapped parts) sent, over all its tries.

    A lead that is named for a call, and of which its process tells nothing more, is unanswered, unless another try
    tells what became of it.
    """

    def __init__(self) -> None:
        self.tries = 0
        self.asked_for = 0
        self.resets = 0
        self.queued = DistinctKeys()
        self.refused: dict[str, str] = {}
        self.refused_leads = 0
        self.others: Counter[str] = Counter()
        self.first = ""
        self.last = ""
        self._settled = DistinctKeys()
        self._answered = DistinctKeys()
        self._in_doubt = DistinctKeys()
        self._resolved = 0
        self._open: dict[int, str] = {}

    @property
    def unanswered(self) -> int:
        """Leads that may have been reset, and nobody knows."""
        return len(self._in_doubt) - self._resolved

    @property
    def never_sent(self) -> int:
        """Leads that were asked for, and of which no request was sent nor needed."""
        return max(0, self.asked_for - len(self._settled) - self.unanswered)

    def begin_try(self, leads: int) -> None:
        """Count a try.

        :param leads: how many it was asked for.
        """
        self.tries += 1
        self.asked_for = max(self.asked_for, leads)

    def add(self, line: NamedLine | CallLine | OutcomeLine | ArchivedLine) -> None:
        """Count a line of a journal."""
        if isinstance(line, CallLine):
            self.resets += 1
            self.first = min(self.first or line.sent_at, line.sent_at)
            self.last = max(self.last, line.sent_at)
        elif isinstance(line, NamedLine):
            self._open.update(line.leads)
            if len(self._open) > MOST_OPEN:
                raise InputError(f"it names more than {MOST_OPEN} leads without an outcome")
        elif isinstance(line, OutcomeLine):
            self._open.pop(line.index, None)
            self._add_outcome(line)

    def end_process(self) -> None:
        """Count what a process named and told no more of as unanswered."""
        for lead in self._open.values():
            self._doubt(key_of(lead.lower()))
        self._open.clear()

    def _add_outcome(self, line: OutcomeLine) -> None:
        key, lead = key_of(line.prospect_id.lower()), line.prospect_id[:100]
        if line.outcome == "unanswered":
            self._doubt(key)
        if line.outcome == "not_reached" or not line.final:
            return
        gone = line.outcome == "nothing_to_reset" and line.reason == "already_gone"
        if (line.outcome == "queued" or gone) and self._answered.add(key):
            self._resolved += key in self._in_doubt
        if self._settled.add(key):
            if line.outcome in {"failed", "unknown"}:
                self.refused_leads += 1
                if len(self.refused) < MOST_REMEMBERED:
                    self.refused[lead] = line.reason[:500]
            elif line.outcome != "queued":
                self.others[line.outcome] += 1
        if line.outcome == "queued":
            self.queued.add(key)

    def _doubt(self, key: bytes) -> None:
        if self._in_doubt.add(key):
            self._resolved += key in self._answered

    def close(self) -> None:
        """Forget it."""
        for keys in (self.queued, self._settled, self._answered, self._in_doubt):
            keys.close()

    def describe(self) -> str:
        """Return it as text."""
        said = f"{pluralize(self.resets, 'reset')} in {pluralize(self.tries, 'try', 'tries')}: "
        said += f"{pluralize(len(self.queued), 'lead')} queued by LeadSquared"
        if self.resets:
            said += f", from {self.first} to {self.last}"
        for outcome, count in sorted(self.others.items()):
            said += f"; {pluralize(count, 'lead')}: {outcome.replace('_', ' ')}"
        if self.unanswered:
            said += f"; {pluralize(self.unanswered, 'lead')} unanswered, which may have been reset"
        if self.never_sent:
            said += f"; {pluralize(self.never_sent, 'lead')} never sent"
        if self.refused:
            leads = "; ".join(f"{lead}: {why}" for lead, why in sorted(self.refused.items())[:MOST_NAMED])
            said += f". {pluralize(self.refused_leads, 'lead')} not: {leads}"
        return said


class Copied:
    """Which records one task copied: a retry copies again what it cannot know to be gone."""

    def __init__(self) -> None:
        self.parts = 0
        self.kinds: Counter[str] = Counter()
        self._records = DistinctKeys()

    def add_part(self, path: Any) -> None:
        """Count a part of an archive, whole or not at all.

        :raises InputError: it cannot be read.
        """
        for row in read_objects(path):
            _kind_and_id(row)
        for kind, id_ in map(_kind_and_id, read_objects(path)):
            if kind not in self.kinds and len(self.kinds) == MOST_NAMED:
                raise InputError(f"there are more than {MOST_NAMED} kinds of records")
            self.kinds[kind] += self._records.add(key_of(f"{kind} {id_}"))
        self.parts += 1

    def close(self) -> None:
        """Forget it."""
        self._records.close()

    def describe(self) -> str:
        """Return it as text."""
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items())) or "no records"
        return f"{counts}, in {pluralize(self.parts, 'closed part')}"


def key_of(text: str) -> bytes:
    """Return what tells a text from others, in few bytes."""
    # Half of an emoji, cut off by LeadSquared, is text that no encoding takes.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _kind_and_id(row: dict[str, Any]) -> tuple[str, str]:
    kind, id_ = row["kind"], row["id"]
    if not isinstance(kind, str) or len(kind) > MOST_KIND or not kind.isidentifier():
        raise InputError(f"{quoted(kind)} is no kind of records")
    return kind, str(id_)
