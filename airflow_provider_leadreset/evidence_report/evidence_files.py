"""Files of an evidence folder, read as a stream and in bounded memory: others may have changed them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.untrusted_files import (
    BLOCK,
    DAMAGED,
    bounded_lines,
    limited,
    parse_json,
    refuse_long,
    unpacked,
)

MOST_EVIDENCE_LINE = 8 << 20
"""Bytes of one line, or of one file that is one JSON value: a record with a note of a megabyte, escaped, is shorter."""

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, *DAMAGED)
"""What reading a file raises that is damaged, or was not written by this provider."""


def read_bytes(path: object) -> bytes:
    """Read a file that is one JSON value, as it is.

    :raises InputError: it is no file, or too long.
    """
    with _file(path).open("rb") as file:
        content: bytes = file.read(MOST_EVIDENCE_LINE + 1)
    if len(content) > MOST_EVIDENCE_LINE:
        refuse_long("it", MOST_EVIDENCE_LINE)
    return content


def digest_of_file(path: object) -> str:
    """Return the SHA-256 of what a file holds, as hex.

    :raises InputError: it is no file, or too large.
    """
    with _file(path).open("rb") as file:
        content, digest = limited(file), hashlib.sha256()
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_objects(path: Any) -> Iterator[dict[str, object]]:
    """Stream the JSON objects of a file with one in each line; gzip where the name ends in ``.gz``.

    :raises InputError: a line is none, or too long; the file is too large.
    """
    with _file(path).open("rb") as raw:
        if path.name.endswith(".gz"):
            with unpacked(limited(raw)) as content:
                yield from _objects(content)
        else:
            yield from _objects(limited(raw))


def _file(path: Any) -> Any:
    # To open a named pipe would wait for ever.
    if not path.is_file():
        raise InputError("it is no file")
    return path


def _objects(content: Any) -> Iterator[dict[str, object]]:
    for number, line in enumerate(bounded_lines(content, MOST_EVIDENCE_LINE), 1):
        yield _object(line, f"line {number}")


def _object(text: bytes, what: str) -> dict[str, object]:
    value = parse_json(text, what)
    if not isinstance(value, dict):
        raise InputError(f"{what} is no JSON object")
    return value
