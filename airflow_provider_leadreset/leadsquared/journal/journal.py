"""The journal of a try: which leads may be called next, written before; what became of them, written after.

A part is closed before the first lead that it names is called. So a lead that no closed part names was never called,
and one that is named and has no outcome may have been: it is unanswered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.schema import (
    ArchivedLine,
    CallLine,
    ContradictionLine,
    EvidenceRecord,
    FileDigest,
    JournalHead,
    NamedLine,
    OutcomeLine,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed

WRITE_EVERY = 2.0
"""Seconds that outcomes wait at most for their part: a killed try repeats the calls of so long, and those under way."""

MOST_LINES = 5000
"""Lines of one part, beside those that it names."""

MOST_BYTES = 4 << 20
"""Bytes of the lines of one part, about: an error in Devanagari takes six for each letter, and a reader has a limit."""

MOST_ANSWER = 500
"""Characters of an error that are kept."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Begun:
    """A part whose writing has begun."""

    file: FileDigest
    lines: list[EvidenceRecord]


class Journal:
    """Writes the parts of one process, ``<token>-00001.jsonl``, …: each names the file before it, by its SHA-256.

    Only the owner's thread writes; calls may be told by any. A signal may raise between any two steps: then a line is
    written twice, never lost.

    :param folder: of this try.
    :param token: what this process's names begin with, unlike any other's.
    :param first: the file before the first part, the request.
    :param ahead: how many leads a part names at most.
    :param later_try: names the later try or process that is at work on the task, if any: then no more leads are named.
    """

    def __init__(
        self,
        folder: EvidenceFolder,
        *,
        token: str,
        first: FileDigest,
        ahead: int,
        later_try: Callable[[], str | None],
    ) -> None:
        self.files: list[FileDigest] = [first]
        """What was written, in its order, the request first."""
        self.overtaken_by: str | None = None
        """The later try or process that this one found at work; None while there is none."""
        self._folder = folder
        self._token = token
        self._ahead = ahead
        self._later_try = later_try
        self._parts = 0
        self._lines: list[EvidenceRecord] = []
        self._begun: _Begun | None = None
        self._open: dict[int, str] = {}
        self._oldest: float | None = None

    @property
    def open_leads(self) -> dict[int, str]:
        """Leads that are named and have no outcome yet, place to id."""
        return dict(self._open)

    def written_ahead(
        self, items: Iterable[Item], lead_of: Callable[[Item], tuple[int, str]]
    ) -> Iterator[Item]:
        """Yield items, each after the part that names its lead is closed; no more once it is overtaken.

        It reads and names a few at a time, so the owner of a worker pool, which reads ahead, is not held up.

        :param lead_of: the lead of an item: its place, and its id.
        """
        source = iter(items)
        while chunk := list(islice(source, self._ahead)):
            self._look_for_later_try()
            if self.overtaken_by is not None:
                return
            leads = [lead_of(item) for item in chunk]
            self._open.update(leads)
            self._write(NamedLine(leads=leads))
            yield from chunk

    def called(self, call: Call) -> None:
        """Record a call about a lead, from any thread."""
        self._lines.append(
            CallLine(
                prospect_id=call.prospect_id,
                sent_at=call.sent_at.isoformat(timespec="milliseconds"),
                seconds=round(call.seconds, 3),
                answer=scrubbed(call.error.reason, MOST_ANSWER) if call.error else "queued",
                status=call.error.status if call.error else 200,
            )
        )

    def ended(self, outcome: OutcomeLine) -> None:
        """Record what became of a lead; told again, it is written again."""
        self._lines.append(outcome)
        self._open.pop(outcome.index, None)

    def archived(self, line: ArchivedLine) -> None:
        """Record a closed part of the archive."""
        self._lines.append(line)

    def contradicted(self, line: ContradictionLine) -> None:
        """Record that no lead may be left out any more."""
        self._lines.append(line)

    def write_if_due(self, now: float) -> None:
        """Write a part if lines have waited for it long enough.

        :param now: seconds of a clock that never goes back.
        """
        if not self._lines:
            self._oldest = None
        elif self._oldest is None:
            self._oldest = now
        elif now - self._oldest >= WRITE_EVERY:
            self._look_for_later_try()
            self._write(None)
            self._oldest = None

    def write_if_full(self) -> None:
        """Write a part if as many lines wait as one holds."""
        if len(self._lines) >= MOST_LINES:
            self._write(None)

    def close(self) -> None:
        """Write what waits."""
        self._settle_begun()
        while self._lines:
            self._write(None)

    def _look_for_later_try(self) -> None:
        if self.overtaken_by is None:
            self.overtaken_by = self._later_try()

    def _write(self, named: NamedLine | None) -> None:
        self._settle_begun()
        packed = list(_up_to(MOST_BYTES, self._lines[:MOST_LINES]))
        lines = self._lines[: len(packed)]
        if named:
            packed.append(named.as_line())
        self._parts += 1
        name = f"{self._token}-{self._parts:05}.jsonl"
        head = JournalHead(part=self._parts, lines=len(packed), previous=self.files[-1])
        data = b"".join((head.as_line(), *packed))
        self._begun = _Begun(FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest()), lines)
        del self._lines[: len(lines)]
        self._folder.write(name, data)
        self.files.append(self._begun.file)
        self._begun = None

    def _settle_begun(self) -> None:
        """Find out whether a part whose writing was interrupted is there; if not, its lines go into the next."""
        begun = self._begun
        if begun is None:
            return
        if begun.file not in self.files and self._is_there(begun.file):
            self.files.append(begun.file)
        if begun.file not in self.files:
            self._lines[:0] = begun.lines
        self._begun = None

    def _is_there(self, file: FileDigest) -> bool:
        try:
            return hashlib.sha256(self._folder.read(file.name)).hexdigest() == file.sha256
        except Exception:  # a storage that is away raises what it likes; the lines are then written again
            return False


def _up_to(most: int, records: list[EvidenceRecord]) -> Iterator[bytes]:
    """Yield the lines of records, at least one, until they have so many bytes."""
    length = 0
    for record in records:
        line = record.as_line()
        length += len(line)
        yield line
        if length >= most:
            return
