"""Reading what others wrote, in flat memory: unpacked as a stream, by lines of bounded length, as strict JSON.

A gzip file of 300 KB may unpack to 300 MB, and JSON of a megabyte may hold a million lists. So each reader of a
file goes through here, and every limit has a name.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import IO, AnyStr, NoReturn

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

MOST_FILE = 4 << 30
"""Bytes of a file, packed and unpacked: a hundred million lead ids. What is larger was made by mistake, or to harm."""

MOST_LINE = 1 << 20
"""Characters of a line, a row or a word: a row of an export has some thousands, and a megabyte is soon read."""

MOST_BLANK_LINES = 1_000_000
"""Blank lines in a row: 300 KB of gzip hold 300 million of them, which take minutes to read for nothing."""

MOST_NESTING = 100
"""How deep JSON may be nested: LeadSquared's own has 5 levels, and Python can neither show nor write a thousand."""

MOST_VALUES = 400_000
"""Values in one JSON text: each may take 70 bytes of memory for its 3 in the file."""

MOST_DIGITS = 100
"""Digits of a whole number in JSON: the largest of any database has 76, and Python takes long to read thousands."""

BLOCK = 1 << 16
"""Bytes that are read at once."""

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)
"""What reading raises that was cut off, changed, or saved in another encoding."""


class _LimitedFile(io.RawIOBase):
    """Another file's bytes, up to a limit.

    :param read: gives at most so many of them, none at the end.
    """

    def __init__(self, read: Callable[[int], bytes], most: int, what: str) -> None:
        super().__init__()
        self._read = read
        self._left = most
        self._most = most
        self._what = what

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise InputError(
                f"{self._what} more than {size(self._most)}: divide it into several, or look what it holds"
            )
        buffer[: len(block)] = block
        return len(block)


def limited(file: IO[bytes], most: int = MOST_FILE) -> io.BufferedReader:
    """Return a reader of another file's bytes that raises InputError beyond ``most``."""
    return io.BufferedReader(_LimitedFile(file.read, most, "it holds"), BLOCK)


@contextmanager
def unpacked(file: IO[bytes], most: int = MOST_FILE) -> Generator[io.BufferedReader, None, None]:
    """Unpack a gzip file as a stream.

    Reading from what this gives raises InputError beyond ``most`` bytes, and :data:`DAMAGED` for what is no gzip file.
    """
    with gzip.open(file) as content:
        # read1: what could be unpacked before damage comes first.
        yield io.BufferedReader(_LimitedFile(content.read1, most, "it unpacks to"), BLOCK)


def bounded_lines(file: IO[AnyStr], most: int = MOST_LINE) -> Iterator[AnyStr]:
    """Return the lines of a file with their ends, none longer than ``most`` (bytes or characters).

    :raises InputError: one is longer, or there are too many blank ones in a row.
    """
    blank = 0
    for number in count(1):
        line = file.readline(most + 1)
        if not line:
            return
        if len(line) > most:
            refuse_long(f"line {number}", most)
        blank = blank + 1 if line.isspace() else 0
        if blank > MOST_BLANK_LINES:
            refuse_blank_lines(number)
        yield line


def refuse_long(what: str, most: int) -> NoReturn:
    """Refuse what goes on for more than ``most`` bytes or characters.

    :raises InputError: always.
    """
    raise InputError(f"{what} is longer than {size(most)}: break it into lines, or look what the file holds")


def refuse_blank_lines(number: int) -> NoReturn:
    """Refuse a file with too many blank lines in a row, at the last of them.

    :raises InputError: always.
    """
    raise InputError(
        f"line {number} is one of more than {MOST_BLANK_LINES} blank ones: look what the file holds"
    )


def size(most: int) -> str:
    """Return a number of bytes as text."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if most >= unit:
            return f"{most / unit:.3g} {name}"
    return f"{most} bytes"


def parse_json(text: str | bytes, what: str) -> object:
    """Read JSON strictly: no NaN, no number beyond Python's own, no name twice in an object, not nested for ever.

    :param text: bytes are UTF-8.
    :param what: how an error calls it, for example ``line 7``.
    :raises InputError: it is no such JSON.
    """
    try:
        content = text if isinstance(text, str) else text.decode()
        # No shorter text is nested too deep, and most lines are shorter.
        values, nested = separators(content) if len(content) > 2 * MOST_NESTING else (0, 0)
        if values > MOST_VALUES:
            raise InputError(f"{what} holds more than {MOST_VALUES} values: divide it")
        value = _DECODER.decode(content)
    except UnicodeDecodeError:
        _refuse(text, what, "it is not UTF-8")
    except json.JSONDecodeError as error:
        _refuse(text, what, f"{error.msg} at its character {error.pos + 1}")
    except _OddJsonError as error:
        _refuse(text, what, str(error))
    except RecursionError:
        _refuse(text, what, f"it is nested more than {MOST_NESTING} deep")
    if nested > MOST_NESTING and is_deep(value):
        _refuse(text, what, f"it is nested more than {MOST_NESTING} deep")
    return value


class _OddJsonError(Exception):
    """JSON that Python would read, but not as it was meant."""


def _refuse(text: str | bytes, what: str, why: str) -> NoReturn:
    raise InputError(
        f"{what} is {quoted(text[:10_000].strip())}, which is no JSON to rely on: {why}"
    ) from None


def separators(text: str) -> tuple[int, int]:
    """Return at least how many values a text may hold, and how many of them hold others."""
    nested = text.count("[") + text.count("{")
    return nested + text.count(","), nested


def is_deep(value: object) -> bool:
    """Return whether lists and objects are nested more than :data:`MOST_NESTING` deep."""
    level = [value]
    for _ in range(MOST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, times in counts.items() if times > 1)
        raise _OddJsonError(f"{quoted(twice)} stands in it twice, and which of them is meant cannot be told")
    return found


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise _OddJsonError(f"it has a number of {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _OddJsonError(f"it has a number too large, {quoted(text)}")
    return value


def _constant(name: str) -> NoReturn:
    raise _OddJsonError(f"it has {name}, where JSON has null")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole_number, parse_float=_number, parse_constant=_constant
)
