"""Lead ids from text, sequences and files. Whatever cannot be read is refused, never skipped."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import uuid
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_NIL = "00000000-0000-0000-0000-000000000000"
_AROUND = "'\"[](){}"
_EMPTY_LIST = re.compile(r"\[\s*\]|\(\s*\)")
_COLUMN = "prospectid"


def parse_guid(value: object, what: str) -> str:
    """Take one GUID, as text or ``uuid.UUID``; its letter case is kept.

    :raises InputError: anything else, naming ``what``.
    """
    text = str(value) if isinstance(value, uuid.UUID) else value
    if isinstance(text, str) and _is_guid(text):
        return text
    raise InputError(
        f"{what} holds {quoted(value)}, which is no GUID: write it like '3f2504e0-4f89-11d3-9a0c-0305e82c3301'"
    )


def _is_guid(text: str) -> bool:
    # All zeros is what .NET makes of a missing id.
    return bool(_GUID.fullmatch(text)) and text != _NIL


def parse_lead_ids(value: object) -> list[str]:
    """Read lead ids as an operator gets them, after templates were rendered.

    :param value: text of GUIDs separated by commas, blanks or line breaks, with or without quotes and
        brackets around them; or a sequence of such texts or of sequences of them (one level), such as the
        output of a mapped task.
    :returns: the ids in the order given, each once: two that differ in letter case are one lead. Empty
        only for a real empty list (also one that a template rendered: ``[]``).
    :raises InputError: None, empty text, ``"None"``, or anything in it that is no GUID.
    """
    if isinstance(value, str):
        found: Iterable[str] = (
            () if _EMPTY_LIST.fullmatch(value.strip()) else _from_text(value, "prospect_ids")
        )
    elif isinstance(value, uuid.UUID):
        found = (str(value),)
    elif isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        found = _from_sequence(value)
    else:
        raise InputError(
            f"prospect_ids is {quoted(value)}: give one lead id, text with several, or a list "
            "(a real empty list means that there is nothing to do, and skips the task)"
        )
    once: dict[str, str] = {}
    for lead in found:
        once.setdefault(lead.lower(), lead)
    return list(once.values())


def chunked(ids: Sequence[str], n: int) -> list[list[str]]:
    """Cut ``ids`` into lists of at most ``n``, for ``LeadResetOperator.partial(…).expand(prospect_ids=…)``.

    :raises InputError: ``n`` below 1.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"chunks of {quoted(n)} leads cannot be made: give a whole number of at least 1")
    leads = parse_lead_ids(ids)
    return [leads[start : start + n] for start in range(0, len(leads), n)]


@dataclass(frozen=True)
class Leads:
    """Counted and checked lead ids that can be read again, without holding a file's in memory.

    :param count: how many there are.
    :param digest: SHA-256 of all ids in their order, as hex: equal for the same leads.
    :param read: gives them in their order.
    """

    count: int
    digest: str
    read: Callable[[], Iterator[str]]

    @classmethod
    def parse(cls, value: object) -> Leads:
        """Take ids as :func:`parse_lead_ids` does.

        :raises InputError: as there.
        """
        return cls._counted(parse_lead_ids(value).__iter__)

    @classmethod
    def from_file(cls, path: ReadablePath) -> Leads:
        """Take the ids of a file, see :func:`read_lead_file`.

        It is read once, now, into a local copy: what was counted is what is used, whatever becomes of the file.

        :raises InputError: as there.
        """
        kept = PrivateCopy(f"{lead}\n".encode() for lead in read_lead_file(path))
        return cls._counted(lambda: (line.decode().rstrip() for line in kept.open()))

    @classmethod
    def _counted(cls, read: Callable[[], Iterator[str]]) -> Leads:
        count, digest = 0, hashlib.sha256()
        for lead in read():
            count += 1
            digest.update(lead.lower().encode())
        return cls(count, digest.hexdigest(), read)

    def __iter__(self) -> Iterator[str]:
        """Return the ids."""
        return self.read()


class ReadablePath(Protocol):
    """A path that can be opened, such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``."""

    @property
    def name(self) -> str:
        """The last part of the path, whose ending tells the format."""

    def open(self, mode: str) -> Any:
        """Open the file for reading bytes."""


def read_lead_file(path: ReadablePath) -> Iterator[str]:
    """Stream the lead ids of a file, in its order and as often as they stand there.

    :param path: its name's ending tells the format, ``.gz`` after it that it is packed: ``.csv`` (a header
        with a ``ProspectID`` column, letter case ignored), ``.jsonl`` or ``.ndjson`` (each line an id or an
        object with a ``ProspectID``), anything else is text (ids separated by commas, blanks or lines).
    :raises InputError: a line without a readable id, naming the file and the line; no ProspectID column;
        no such file.
    """
    name = path.name.lower()
    kind = name.removesuffix(".gz").rpartition(".")[2]
    read = {"csv": _csv_rows, "jsonl": _json_lines, "ndjson": _json_lines}.get(kind, _text_lines)
    with _opened(path, packed=name.endswith(".gz")) as lines:
        try:
            for ids in read(lines):
                yield from ids
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"{path}: cannot be read to its end ({error}): save it as UTF-8, packed whole"
            ) from None


@contextmanager
def _opened(path: ReadablePath, *, packed: bool) -> Generator[IO[str], None, None]:
    try:
        raw = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"prospect_ids_path is {quoted(str(path))}, and there is no such file") from None
    with raw, gzip.open(raw) if packed else raw as plain:
        # utf-8-sig: spreadsheets write a mark before the first column's name.
        yield io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")


def _text_lines(lines: IO[str]) -> Iterator[list[str]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _from_text(line, f"line {number}")


def _csv_rows(lines: IO[str]) -> Iterator[list[str]]:
    # Strict: else an open quotation mark would swallow the rows after it.
    rows = csv.reader(lines, strict=True)
    header = next(rows, None)
    if header is None:
        return
    columns = [index for index, name in enumerate(header) if name.strip().lower() == _COLUMN]
    if len(columns) != 1:
        raise InputError(
            f"the header {quoted(header)} has {len(columns)} columns named ProspectID, it must have one"
        )
    for row in rows:
        if row:
            value = row[columns[0]].strip() if len(row) > columns[0] else ""
            yield [parse_guid(value, f"column ProspectID of line {rows.line_num}")]


def _json_lines(lines: IO[str]) -> Iterator[list[str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"line {number} is {quoted(line.strip())}, which is no JSON") from None
        if isinstance(value, Mapping):
            named = [v for k, v in value.items() if k.lower() == _COLUMN]
            if len(named) > 1:
                raise InputError(f"line {number} has {len(named)} values named ProspectID, it must have one")
            value = named[0] if named else None
        yield [parse_guid(value, f"ProspectID of line {number}")]


def _from_sequence(values: Sequence[object]) -> Iterator[str]:
    for index, value in enumerate(values):
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
            for inner in value:
                yield from _from_item(inner, index)
        else:
            yield from _from_item(value, index)


def _from_item(value: object, index: int) -> list[str]:
    where = f"item {index} of prospect_ids"
    if isinstance(value, str):
        return _from_text(value, where)
    return [parse_guid(value, where)]


def _from_text(text: str, where: str) -> list[str]:
    tokens = [token.strip(_AROUND) for token in re.split(r"[\s,]+", text)]
    ids = [token for token in tokens if token]
    if not ids or ids == ["None"]:
        raise InputError(
            f"{where} is {quoted(text)}, which names no lead: a template may have rendered to nothing. Only a real "
            "empty list means that there is nothing to do"
        )
    for token in ids:
        if not _is_guid(token):
            raise InputError(
                f"{where} holds {quoted(token)}, which is no lead id: write GUIDs like "
                "'3f2504e0-4f89-11d3-9a0c-0305e82c3301', separated by commas, blanks or line breaks"
            )
    return ids
