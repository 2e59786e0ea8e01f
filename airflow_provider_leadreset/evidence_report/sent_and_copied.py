"""What a task sent and copied over all its tries, counted in flat memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_provider_leadreset.evidence_report.evidence_files import read_objects
from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import (
    CallLine,
    ContradictionLine,
    Line,
    NamedLine,
    OutcomeLine,
    Request,
)
from airflow_provider_leadreset.leadsquared.text import LATER, describe_counts, pluralize, quoted

MOST_REMEMBERED = 1000
"""Refused and unanswered leads that are remembered each, so that those can be named that stay so."""

MOST_OPEN = 100_000
"""Leads that are named and have no outcome yet: a process of ours has a hundred at most."""

MOST_NAMED = 20
"""How many refused or unanswered leads, unreadable files and kinds of records are named."""

MOST_KIND = 40
"""Characters of the name of a kind of records; a longer one is none."""

MOST_WHY = 140
"""Characters of a reason that is told: with twenty of them, all that is said under a heading is shown."""

NO_MORE_TOLD = "named for a call, and the try was ended before it told what became of it"


@dataclass
class _OfRequest:
    """What was sent for one request: what asks for the same in the same generation of a run.

    :param number: of the request, from 1.
    :param excluded: leads that its last try was told to leave alone, those of earlier tries too.
    :param tries: the number of the try of each process.
    :param without_end: processes that came to write no summary.
    :param whole: whether the last process did.
    :param untold: leads that a process named, without a word on them or a call.
    :param told: leads of which anything is told but that none was sent.
    :param left_out: leads that the last try left out as not modified: each looks at them anew.
    :param contradicted_by: the lead and record that spoke against leaving any out; empty for none.
    :param refused: leads that failed or are unknown, the first thousand, and why.
    :param doubts: leads that are unanswered, the first thousand by their key: id, and why.
    """

    number: int
    asked_for: int = 0
    excluded: int = 0
    tries: list[int] = field(default_factory=list)
    without_end: int = 0
    whole: bool = False
    untold: int = 0
    resets: int = 0
    queued: int = 0
    told: int = 0
    left_out: int = 0
    contradicted_by: str = ""
    in_doubt: int = 0
    refused_leads: int = 0
    refused_by: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    doubts: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    first: str = ""
    last: str = ""

    @property
    def never_sent(self) -> int:
        """Leads that were asked for, and of which no request was sent nor needed."""
        return max(0, self.asked_for - self.excluded - self.told - self.left_out)

    def describe(self) -> str:
        """Return it as text."""
        said = f"{'at least ' if self.untold else ''}{pluralize(self.resets, 'reset')} in {self.describe_tries()}: "
        said += f"{pluralize(self.queued, 'lead')} queued by LeadSquared"
        if self.resets:
            said += f", from {self.first} to {self.last}"
        for outcome, count in sorted(self.others.items()):
            said += f"; {pluralize(count, 'lead')}: {outcome.replace('_', ' ')}"
        if self.excluded:
            said += f"; {pluralize(self.excluded, 'lead')}: excluded"
        if self.left_out:
            said += f"; {pluralize(self.left_out, 'lead')}: left out, not modified since the window began"
        if self.contradicted_by:
            said += (
                "; nothing left out after a record was found of a lead that was not modified "
                f"({self.contradicted_by})"
            )
        if self.refused_leads:
            said += f"; {pluralize(self.refused_leads, 'lead')} failed or unknown"
        if self.in_doubt:
            said += f"; {pluralize(self.in_doubt, 'lead')} unanswered, which may have been reset"
        if self.never_sent:
            said += f"; {pluralize(self.never_sent, 'lead')} never sent"
            said += "" if self.whole else ", as far as the evidence goes"
        return said

    def describe_tries(self) -> str:
        """Return how many tries there were; where that is not all, of how many processes, and how those ended."""
        tries, processes = len(set(self.tries)), len(self.tries)
        told = [pluralize(processes, "process", "processes")] if processes > tries else []
        if self.without_end:
            count = f"{self.without_end} of them " if processes > 1 else ""
            told.append(f"{count}ended without a summary")
        return pluralize(tries, "try", "tries") + (f" ({', '.join(told)})" if told else "")


class Sent:
    """What one task (or one of its mapped parts) sent, over all its tries.

    A lead that is named for a call, and of which its process tells nothing more, is unanswered, unless another try of
    the same request tells what became of it: what another request came to, with another window or after a Clear, says
    nothing of the first.
    """

    def __init__(self) -> None:
        self._settled = DistinctKeys()
        self._answered = DistinctKeys()
        self._in_doubt = DistinctKeys()
        self._left_out = DistinctKeys()
        self._requests: dict[tuple[str, str], _OfRequest] = {}
        self._now = _OfRequest(0)
        self._open: dict[int, str] = {}
        self._answers: dict[str, str] = {}

    def begin_process(self, number: int, asked: Request) -> int:
        """Begin what a process of a try was asked for; return the number of that request, from 1."""
        which = asked.generation, asked.request_digest
        now = self._now = self._requests.setdefault(which, _OfRequest(len(self._requests) + 1))
        now.tries.append(number)
        now.asked_for = max(now.asked_for, asked.leads)
        now.excluded = asked.excluded
        now.left_out = 0
        self._left_out.close()
        self._left_out = DistinctKeys()
        return now.number

    def add(self, line: Line) -> None:
        """Count a line of a journal."""
        now = self._now
        if isinstance(line, CallLine):
            now.resets += 1
            now.first = min(now.first or line.sent_at, line.sent_at)
            now.last = max(now.last, line.sent_at)
            if len(self._answers) < MOST_OPEN:
                self._answers[line.prospect_id.lower()] = line.answer
        elif isinstance(line, NamedLine):
            self._open.update(line.leads)
            if len(self._open) > MOST_OPEN:
                raise InputError(f"it names more than {MOST_OPEN} leads without an outcome")
        elif isinstance(line, OutcomeLine):
            self._open.pop(line.index, None)
            self._answers.pop(line.prospect_id.lower(), None)
            self._add_outcome(line)
        elif isinstance(line, ContradictionLine):
            now.contradicted_by = f"{line.prospect_id[:100]}: {line.kind[:MOST_KIND]} {line.record[:100]}"

    def end_process(self, *, whole: bool) -> None:
        """Count what a process named and told no more of as unanswered.

        :param whole: whether it came to write its summary.
        """
        self._now.whole = whole
        self._now.without_end += not whole
        for lead in self._open.values():
            answer = self._answers.get(lead.lower())
            self._now.untold += answer is None
            why = f"{NO_MORE_TOLD}, but for its call: {answer}" if answer else NO_MORE_TOLD
            self._doubt(self._key(lead), lead, why)
        self._open.clear()
        self._answers.clear()

    def _key(self, lead: str) -> bytes:
        return key_of(f"{self._now.number} {lead.lower()}")

    def _add_outcome(self, line: OutcomeLine) -> None:
        now, key, lead = self._now, self._key(line.prospect_id), line.prospect_id[:100]
        if line.outcome == "unanswered":
            self._doubt(key, lead, line.reason)
        if line.outcome in {"not_reached", "excluded"} or not line.final:
            return  # the request says how many are excluded: a try that was killed may not have come to tell each
        if line.outcome == "nothing_to_reset" and line.reason == "not_modified":
            now.left_out += self._left_out.add(key)
            return
        already_gone = line.outcome == "nothing_to_reset" and line.reason == "already_gone"
        if (line.outcome == "queued" or already_gone) and self._answered.add(key):
            now.queued += line.outcome == "queued"
            if key in self._in_doubt:
                now.in_doubt -= 1
                now.doubts.pop(key, None)
        if key in self._in_doubt and key not in self._answered:
            if key in now.doubts:  # what was sent first may have been carried out
                why = now.doubts[key][1].partition(LATER)[0]
                now.doubts[key] = lead, f"{why[: MOST_WHY // 2]}{LATER}{line.reason[: MOST_WHY // 2]}"
            return
        if self._settled.add(key):
            now.told += key not in self._in_doubt
            if line.outcome in {"failed", "unknown"}:
                now.refused_leads += 1
                now.refused_by[line.outcome] += 1
                if len(now.refused) < MOST_REMEMBERED:
                    now.refused[lead] = line.reason[:MOST_WHY]
            elif line.outcome != "queued":
                now.others[line.outcome] += 1

    def _doubt(self, key: bytes, lead: str, why: str) -> None:
        now = self._now
        if key in self._answered:
            return
        if self._in_doubt.add(key):
            now.in_doubt += 1
            now.told += key not in self._settled
        if key in now.doubts or len(now.doubts) < MOST_REMEMBERED:
            now.doubts[key] = lead[:100], why[:MOST_WHY]

    def close(self) -> None:
        """Forget it."""
        for keys in (self._settled, self._answered, self._in_doubt, self._left_out):
            keys.close()

    @property
    def requests(self) -> int:
        """How many requests there were: after a Clear, or for something else, another."""
        return len(self._requests)

    @property
    def resets(self) -> int:
        """How many resets were sent."""
        return sum(one.resets for one in self._requests.values())

    @property
    def first(self) -> str:
        """When the first was sent, as the journal says; empty where none was."""
        return min((one.first for one in self._requests.values() if one.first), default="")

    @property
    def last(self) -> str:
        """When the last was sent."""
        return max((one.last for one in self._requests.values()), default="")

    @property
    def untold(self) -> int:
        """Leads that a process named, without a word on them or a call: more may have been sent than is recorded."""
        return sum(one.untold for one in self._requests.values())

    def tries(self) -> list[str]:
        """Return of each request how many tries and processes there were, and whether they ended by themselves."""
        return [one.describe_tries() for one in self._requests.values()]

    def outcomes(self) -> Counter[str]:
        """Return leads per outcome, of all requests."""
        found: Counter[str] = Counter()
        for one in self._requests.values():
            found.update(one.others)
            found.update(one.refused_by)
            found["queued"] += one.queued
            found["unanswered"] += one.in_doubt
            found["nothing_to_reset"] += one.left_out
            found["excluded"] += one.excluded
            found["not_reached"] += one.never_sent
        return found

    def lines(self, task: str) -> Iterator[tuple[str, str]]:
        """Yield headings, and what is said under each: of several requests each by itself."""
        for one in self._requests.values():
            name = task if len(self._requests) == 1 else f"{task}, {_describe_tries(one.tries)}"
            yield f"Sent by {name}", one.describe()
            if one.refused:
                named = [f"{lead}: {why}" for lead, why in sorted(one.refused.items())]
                yield f"Failed of {name}", _some(named, one.refused_leads)
            if one.doubts:
                named = sorted(f"{lead}: {why}" for lead, why in one.doubts.values())
                yield f"Unanswered of {name}", _some(named, one.in_doubt)


def _describe_tries(numbers: list[int]) -> str:
    named = [f"try-{number}" for number in dict.fromkeys(numbers)]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(named[:MOST_NAMED]) + more


def _some(named: list[str], count: int) -> str:
    more = f"; and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    return "; ".join(named[:MOST_NAMED]) + more


class Copied:
    """Which records one task copied: a retry copies again what it cannot know to be done."""

    def __init__(self) -> None:
        self.parts = 0
        self.kinds: Counter[str] = Counter()
        self._records = DistinctKeys()

    def add_part(self, path: object) -> None:
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
        return (
            f"{describe_counts(dict(sorted(self.kinds.items())))}, in {pluralize(self.parts, 'closed part')}"
        )


def key_of(text: str) -> bytes:
    """Return what tells a text from others, in few bytes."""
    # Half of an emoji, cut off by LeadSquared, is text that no encoding takes.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _kind_and_id(row: dict[str, object]) -> tuple[str, str]:
    kind, id_ = row["kind"], row["id"]
    if not isinstance(kind, str) or len(kind) > MOST_KIND or not kind.isidentifier():
        raise InputError(f"{quoted(kind)} is no kind of records")
    return kind, str(id_)
