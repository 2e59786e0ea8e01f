"""Reading the journals of earlier tries: what is whole and of a known version counts, all else is named."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from airflow_provider_leadreset.leadsquared.errors import InputError, OvertakenError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.schema import (
    FileDigest,
    JournalHead,
    Line,
    NamedLine,
    OutcomeLine,
    Request,
    VersionError,
    parse_journal_line,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json

MOST_PART = 8 << 20
"""Bytes of a part of a journal, of a request or of a summary: what is written keeps below it."""

READERS = 8
"""Threads that read parts side by side: an object store takes a third of a second for each."""

REQUEST_NAME = re.compile(r"([0-9a-f]{8})-request\.json")
PART_NAME = re.compile(r"([0-9a-f]{8})-([0-9]{5,9})\.jsonl")


@dataclass
class TryJournal:
    """What a try's folder holds.

    :param processes: one, or several where two processes had the same try number: in the order in which they came, so
        that the last is the one that went on.
    :param names: of all files and folders in it.
    :param unreadable: what could not be read, and why; of parts once they were read.
    :param changed: what was changed or removed since it was written, and what tells so; of parts once they were read.
    :param other_version: whether any of that is of another version than this package knows.
    """

    try_number: int
    processes: list[ProcessJournal] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    other_version: bool = False

    @property
    def tokens(self) -> frozenset[str]:
        """What the files' names begin with of each process that has written its request, readable or not."""
        return frozenset(match[1] for name in self.names if (match := REQUEST_NAME.fullmatch(name)))

    def refuse(self, name: str, error: BaseException) -> None:
        """Record a file that cannot be read."""
        self.unreadable.append(f"{name}: {scrubbed(str(error), 300) or type(error).__name__}")
        self.other_version |= isinstance(error, VersionError)

    def doubt(self, name: str, why: str) -> None:
        """Record a file that is not as it was written, or is missing."""
        told = f"{scrubbed(name, 300)}: {why}"
        if told not in self.changed:
            self.changed.append(told)


@dataclass
class ProcessJournal:
    """The files of one process.

    :param token: what their names begin with.
    :param files: the request and the parts that were read so far, in order.
    :param parts: names of the parts, in order.
    """

    token: str
    request: Request
    files: list[FileDigest]
    parts: list[str]
    folder: EvidenceFolder
    found: TryJournal
    strict: bool = False

    def lines(self) -> Iterator[Line]:
        """Stream the lines of all parts, in order, some parts side by side; parts that are not whole are refused."""
        for first in range(0, len(self.parts), READERS):
            names = self.parts[first : first + READERS]
            with ThreadPoolExecutor(READERS) as readers:
                contents = list(readers.map(partial(_read, self.folder), names))
            for name, content in zip(names, contents, strict=True):
                if (lines := self._lines_of(name, content)) is not None:
                    yield from lines

    @property
    def summary_name(self) -> str:
        """What its summary is called, if it came to write one."""
        return f"{self.token}-summary.json"

    def ends(self) -> list[FileDigest]:
        """Return what all its files can be told by: the request, the last part that was read, and the summary.

        :raises OSError: as ``strict`` says.
        """
        found = [self.files[0], *self.files[1:][-1:]]
        if (name := self.summary_name) not in self.found.names:
            return found
        try:
            data = self.folder.read(name, MOST_PART)
        except Exception as error:  # storages raise what they like
            if self.strict and isinstance(error, OSError):
                raise
            self.found.refuse(name, error)
            return found
        return [*found, FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest())]

    def _lines_of(self, name: str, content: bytes | Exception) -> list[Line] | None:
        try:
            data = _content(content)
            head, lines = parse_part(data)
            _check_place(name, head)
            _check_indices(lines, self.request.leads)
            file = FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest())
        except OSError as error:
            if self.strict:
                raise
            self.found.refuse(name, error)
            return None
        except Exception as error:  # storages raise what they like
            self.found.refuse(name, error)
            return None
        if head.previous not in self.files:
            self.found.doubt(head.previous.name, f"it is not as it was when {name} was written after it")
        self.files.append(file)
        return lines


def read_tries(
    task: EvidenceFolder, *, before: int | None = None, beside: bool = False, strict: bool = False
) -> list[TryJournal]:
    """Read the requests of all tries, in order; their journals are read by :meth:`ProcessJournal.lines`.

    :param task: the folder of all tries of the task.
    :param before: only of tries before this one; None for all.
    :param beside: of this one too, as far as other processes have begun it.
    :param strict: whether a storage that does not answer is an error; else what it keeps is named as unreadable.
    :raises OSError: as ``strict`` says: it may be away, and what was done must not be taken for not done.
    :raises OvertakenError: there is a later one.
    """
    found = task.tries()
    if before is not None and found and found[-1] > before:
        raise OvertakenError(
            f"try {found[-1]} of this task is at work, so this one calls nothing. If it is not, an earlier run of "
            "this id left its files: use another run id or evidence_path"
        )
    tries = [number for number in found if before is None or number < before + beside]
    with ThreadPoolExecutor(READERS) as readers:
        return list(
            readers.map(lambda number: _read_try(task.folder(f"try-{number}"), number, strict), tries)
        )


def _read_try(folder: EvidenceFolder, number: int, strict: bool) -> TryJournal:
    found = TryJournal(number)
    try:
        found.names = folder.names()
    except Exception as error:
        if strict and isinstance(error, OSError):
            raise
        found.refuse("the folder", error)
    for name in found.names:
        if match := REQUEST_NAME.fullmatch(name):
            parts = sorted(
                (int(part[2]), other)
                for other in found.names
                if (part := PART_NAME.fullmatch(other)) and part[1] == match[1]
            )
            try:
                data = folder.read(name, MOST_PART)
                request = parse_request(data)
            except Exception as error:  # storages raise what they like
                if strict and isinstance(error, OSError):
                    raise
                found.refuse(name, error)  # without it, nothing tells what the parts are about
                continue
            file = FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest())
            found.processes.append(
                ProcessJournal(match[1], request, [file], [part for _, part in parts], folder, found, strict)
            )
    # Of two that saw nothing of each other, the one with the greater token goes on: names come in order.
    found.processes.sort(key=lambda process: _seen_before(process.request))
    for name in found.names:
        if (part := PART_NAME.fullmatch(name)) and f"{part[1]}-request.json" not in found.names:
            found.refuse(name, InputError("its request is missing, so nothing tells what it is about"))
    return found


def _seen_before(request: Request) -> int:
    """Return how many processes of its own try one has read the files of: the later it came, the more."""
    return sum(other.try_number == request.try_number for other in request.continues)


def is_part(file: FileDigest) -> bool:
    """Return whether a file is a part of a journal, by its name."""
    return bool(PART_NAME.fullmatch(file.name))


def parse_part(data: bytes) -> tuple[JournalHead, list[Line]]:
    """Return the head and the lines of a part.

    :raises VersionError: it is of another version.
    :raises InputError: it is no part, or torn.
    """
    lines = list(_objects(data))
    if not lines:
        raise InputError("it is empty")
    head = JournalHead.parse(lines[0])
    if head.lines != len(lines) - 1:
        raise InputError(f"its head says that {head.lines} lines follow, and {len(lines) - 1} do")
    return head, [parse_journal_line(line) for line in lines[1:]]


def _check_place(name: str, head: JournalHead) -> None:
    """Refuse a part under the name of another.

    :raises InputError: it is one.
    """
    if (match := PART_NAME.fullmatch(name)) and int(match[2]) != head.part:
        raise InputError(f"its head says that it is part {head.part}")


def _check_indices(lines: list[Line], leads: int) -> None:
    """Refuse a part that tells of leads that were not asked for.

    :raises InputError: it does.
    """
    for line in lines:
        told = [index for index, _ in line.leads] if isinstance(line, NamedLine) else []
        told += [line.index] if isinstance(line, OutcomeLine) else []
        for index in told:
            if not 0 <= index < leads:
                raise InputError(f"it tells of a lead at place {index}, and {leads} were asked for")


def parse_request(data: bytes) -> Request:
    """Return the request that a file holds.

    :raises VersionError: it is of another version.
    :raises InputError: it is none.
    """
    return Request.parse(parse_json(data, "it"))


def _read(folder: EvidenceFolder, name: str) -> bytes | Exception:
    try:
        return folder.read(name, MOST_PART)
    except Exception as error:
        return error


def _content(read: bytes | Exception) -> bytes:
    if isinstance(read, Exception):
        raise read
    return read


def _objects(data: bytes) -> Iterator[object]:
    if data and not data.endswith(b"\n"):
        raise InputError("its last line has no end")
    for number, line in enumerate(data.splitlines(), 1):
        yield parse_json(line, f"line {number}")
