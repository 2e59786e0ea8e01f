"""Lead ids from files: text, CSV and JSON lines, gzip too. Streamed, and refused where they cannot be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any, NoReturn, Protocol

from airflow_provider_leadreset.leadsquared.errors import InputError, MissingFileError
from airflow_provider_leadreset.leadsquared.request.file_kinds import refuse_other_kinds
from airflow_provider_leadreset.leadsquared.request.guids import (
    BETWEEN,
    guids_of,
    holds_guid,
    is_guid,
    parse_guid,
)
from airflow_provider_leadreset.leadsquared.request.id_fields import USUAL_NAMES, IdField, plain_name
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted
from airflow_provider_leadreset.leadsquared.untrusted_files import (
    BLOCK,
    DAMAGED,
    MOST_BLANK_LINES,
    MOST_FILE,
    MOST_LINE,
    bounded_lines,
    limited,
    parse_json,
    refuse_blank_lines,
    refuse_long,
    size,
    unpacked,
)

SEPARATORS = ",;\t|"
"""What may stand between two cells of a CSV file; the first of two that fit alike."""


class ReadablePath(Protocol):
    """A path that can be opened, such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``."""

    @property
    def name(self) -> str:
        """The last part of the path, whose ending tells the format."""

    def open(self, mode: str) -> Any:
        """Open the file for reading bytes."""


def read_lead_file(
    path: ReadablePath, field: object = None, *, argument: str = "prospect_ids_path"
) -> Iterator[str]:
    """Stream the lead ids of a file, in its order and as often as they stand there.

    :param path: its name's ending tells the format, ``.gz`` after it that it is packed: ``.csv`` (a header
        with a column for the id; cells separated by comma, semicolon, tab or ``|``), ``.jsonl`` or ``.ndjson`` (each
        line an id or an object with a key for it), anything else is text (ids separated by commas, blanks or lines).
    :param field: name of the column or key. By default the one called ``ProspectID``, ``LeadID`` or
        ``RelatedProspectID``. Blanks, underscores and letter case make no difference.
    :param argument: which one names the file, for an error.
    :raises InputError: a line without a readable id, naming the file and the line; none or several such columns;
        another kind of file, a larger one than :data:`.MOST_FILE`, a longer line than :data:`.MOST_LINE`; no such file.
    """
    name = path.name.lower()
    kind = name.removesuffix(".gz").rpartition(".")[2]
    wanted = IdField(field, can_be_named=argument == "prospect_ids_path")
    with _opened(path, argument) as raw:
        try:
            with _content(raw, packed=name.endswith(".gz")) as content:
                refuse_other_kinds(content, kind)
                # utf-8-sig: spreadsheets write a mark before the first column's name. Ends of lines become "\n".
                text = io.TextIOWrapper(content, encoding="utf-8-sig", newline=None)
                if kind == "csv":
                    yield from _csv_ids(text, wanted)
                elif kind in ("jsonl", "ndjson"):
                    yield from _json_ids(text, wanted)
                else:
                    yield from _text_ids(text)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except DAMAGED as error:
            raise InputError(
                f"{path}: cannot be read to its end ({error}): save it as UTF-8, packed whole"
            ) from None


@contextmanager
def _opened(path: ReadablePath, argument: str) -> Generator[IO[bytes], None, None]:
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise MissingFileError(
            f"{argument} is {quoted(str(path))}, and there is no such file, or its storage is away"
        ) from None
    except (IsADirectoryError, NotADirectoryError):
        raise InputError(f"{argument} is {quoted(str(path))}, which is no file") from None
    with raw:
        yield raw


@contextmanager
def _content(raw: IO[bytes], *, packed: bool) -> Generator[io.BufferedReader, None, None]:
    if not packed:
        yield limited(raw, MOST_FILE)
        return
    packed_bytes = limited(raw, MOST_FILE)
    if not packed_bytes.peek(1):
        raise EOFError("it is empty, and gzip packs even nothing to some bytes")  # else read as no leads
    with unpacked(packed_bytes, MOST_FILE) as content:
        yield content


def _text_ids(text: IO[str]) -> Iterator[str]:
    """Read a block at a time: a line may hold a million ids."""
    number, named, begun, kept, blank = 1, 0, "", "", 0
    while block := text.readline(BLOCK):
        goes_on = len(block) == BLOCK and not block.endswith("\n")
        if not kept and not goes_on and is_guid(lead := block.strip()):
            yield lead  # what most lines are
            number, named, begun, blank = number + 1, 0, "", 0
            continue
        if number == 1 and any(name in plain_name(block[:1000]) for name in USUAL_NAMES):
            raise InputError("line 1 is the header of a table: let the file's name end in .csv")
        words = BETWEEN.split(kept + block)
        kept = words.pop() if goes_on else ""
        if len(kept) > MOST_LINE:
            refuse_long(f"a word in line {number}, which begins {quoted(kept[:1000])},", MOST_LINE)
        begun = begun or block[:1000].strip()
        ids = guids_of(words, f"line {number}")
        named += len(ids)
        yield from ids
        if goes_on:
            continue
        if begun and not named:
            _refuse_nameless(number, begun)
        blank = 0 if begun else blank + 1
        if blank > MOST_BLANK_LINES:
            refuse_blank_lines(number)
        number, named, begun = number + 1, 0, ""
    # A last line of exactly so many characters.
    ids = guids_of([kept], f"line {number}")
    if begun and not named and not ids:
        _refuse_nameless(number, begun)
    yield from ids


def _refuse_nameless(number: int, line: str) -> NoReturn:
    raise InputError(f"line {number} is {quoted(line)}, which names no lead: take it out, or write its id")


def _csv_ids(text: IO[str], field: IdField) -> Iterator[str]:
    lines = bounded_lines(text)
    first = next(lines, None)
    if first is None:
        return
    separator = _separator(first, field)
    rest, taken = chain([first], lines), 0

    def counted() -> Iterator[str]:
        # A quotation mark that is never closed makes one row of all lines after it.
        nonlocal taken
        for line in rest:
            taken += len(line)
            if taken > MOST_LINE:
                raise InputError(
                    f"the row before line {rows.line_num + 1} goes on for more than {size(MOST_LINE)}: look for a "
                    "quotation mark that is never closed"
                )
            yield line

    # Strict: else an open quotation mark would swallow the rows after it.
    rows = csv.reader(counted(), delimiter=separator, strict=True)
    try:
        header = next(rows)
        column = field.column(header)
        _refuse_ids_in_header(header)
        what = f"column {field.spelled(header[column])}"
        taken = 0
        for row in rows:
            taken = 0
            if not row:
                continue
            if len(row) > len(header) and _may_have_moved(row, column, len(header)):
                raise InputError(
                    f"line {rows.line_num} has {len(row)} cells below {pluralize(len(header), 'column')}, so which of "
                    "its ids is the lead's cannot be told: put quotes around a cell that holds the separator"
                )
            lead = row[column].strip() if len(row) > column else ""
            yield lead if is_guid(lead) else parse_guid(lead, f"{what} of line {rows.line_num}")
    except csv.Error as error:
        raise InputError(
            f"line {rows.line_num} cannot be read as CSV ({error}), or the file ends in the middle of a row: look for "
            "a quotation mark that is never closed, or is not doubled inside a cell"
        ) from None


def _may_have_moved(row: list[str], column: int, columns: int) -> bool:
    """Return whether another cell of a row that is too long may hold the lead's id.

    A separator in a cell without quotes moves the cells after it: then an owner's id, or another lead's, stands where
    the lead's belongs.
    """
    others = row[column + 1 : column + 1 + len(row) - columns] if column else row[columns:]
    return any(map(holds_guid, others))


def _refuse_ids_in_header(header: list[str]) -> None:
    """Refuse a table whose rows all stand in its header: read as a table without rows, it would name no lead."""
    if any(map(holds_guid, header)):
        raise InputError(
            "line 1, where a CSV file names its columns, holds a lead id: write the names there, and each row in a "
            "line of its own that ends as lines of text do"
        )


def _separator(header: str, field: IdField) -> str:
    """Tell what separates the cells: what makes a column of the id, else what makes most columns."""

    def fitness(separator: str) -> tuple[bool, int]:
        try:
            cells = next(csv.reader([header], delimiter=separator), [])
        except csv.Error:
            return False, 0  # a cell beyond the limit: the strict reader says so
        return any(map(field.is_meant, cells)), len(cells)

    return max(SEPARATORS, key=fitness)


def _json_ids(text: IO[str], field: IdField) -> Iterator[str]:
    for number, line in enumerate(bounded_lines(text), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        value = parse_json(line, where)
        yield field.id_of(value, where) if isinstance(value, dict) else parse_guid(value, where)
