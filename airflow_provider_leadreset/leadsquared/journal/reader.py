"""Reading the journals of earlier tries: what is whole and of a known version counts, all else is named."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.schema import (
    ArchivedLine,
    CallLine,
    FileDigest,
    JournalHead,
    NamedLine,
    OutcomeLine,
    Request,
    VersionError,
    parse_journal_line,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json

MOST_PART = 64 << 20
"""Bytes of a part of a journal: one of the largest, of 5,000 lines and 25 leads, has some 2 MiB."""

READERS = 8
"""Threads that read parts side by side: an object store takes a third of a second for each."""

REQUEST_NAME = re.compile(r"([0-9a-f]{8})-request\.json")
PART_NAME = re.compile(r"([0-9a-f]{8})-([0-9]{5,9})\.jsonl")

Lines = list[NamedLine | CallLine | OutcomeLine | ArchivedLine]


@dataclass
class ProcessJournal:
    """The files of one process.

    :param files: the request and the parts that could be read, in order.
    :param lines: of the parts, in order.
    """

    request: Request
    files: list[FileDigest]
    lines: Lines = field(default_factory=list)


@dataclass
class TryJournal:
    """What a try's folder holds.

    :param processes: one, or several where two processes had the same try number.
    :param unreadable: what could not be read, and why.
    :param other_version: whether any of that is of another version than this package knows.
    """

    try_number: int
    processes: list[ProcessJournal] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    other_version: bool = False


def read_tries(task: EvidenceFolder, *, before: int) -> list[TryJournal]:
    """Read the journals of all tries before one, in order.

    :param task: the folder of all tries of the task.
    """
    tries = [number for number in task.tries() if number < before]
    with ThreadPoolExecutor(READERS) as readers:
        return [read_try(task.folder(f"try-{number}"), number, readers) for number in tries]


def read_try(folder: EvidenceFolder, number: int, readers: ThreadPoolExecutor) -> TryJournal:
    """Read one try's requests and parts."""
    found = TryJournal(number)
    names = [name for name in folder.names() if REQUEST_NAME.fullmatch(name) or PART_NAME.fullmatch(name)]
    contents = dict(zip(names, readers.map(lambda name: _read(folder, name), names), strict=True))
    for name in names:
        if match := REQUEST_NAME.fullmatch(name):
            parts = sorted(
                (int(part[2]), other)
                for other in names
                if (part := PART_NAME.fullmatch(other)) and part[1] == match[1]
            )
            _add_process(found, contents, name, [part for _, part in parts])
    return found


def parse_part(data: bytes) -> tuple[JournalHead, Lines]:
    """Return the head and the lines of a part.

    :raises VersionError: it is of another version.
    :raises InputError: it is no part, or torn.
    """
    lines = list(_objects(data))
    if not lines:
        raise InputError("it is empty")
    return JournalHead.parse(lines[0]), [parse_journal_line(line) for line in lines[1:]]


def parse_request(data: bytes) -> Request:
    """Return the request that a file holds.

    :raises VersionError: it is of another version.
    :raises InputError: it is none.
    """
    return Request.parse(parse_json(data, "it"))


def _add_process(
    found: TryJournal, contents: dict[str, bytes | Exception], request_name: str, parts: list[str]
) -> None:
    process: ProcessJournal | None = None
    for name in (request_name, *parts):
        try:
            content = _content(contents[name])
            file = FileDigest(name=name, sha256=hashlib.sha256(content).hexdigest())
            if process is None:
                process = ProcessJournal(parse_request(content), [file])
            else:
                process.lines += parse_part(content)[1]
                process.files.append(file)
        except Exception as error:  # storages raise what they like
            found.unreadable.append(f"{name}: {scrubbed(str(error), 300) or type(error).__name__}")
            found.other_version |= isinstance(error, VersionError)
        if process is None:
            return  # without its request, nothing tells what the parts are about
    if process:
        found.processes.append(process)


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
