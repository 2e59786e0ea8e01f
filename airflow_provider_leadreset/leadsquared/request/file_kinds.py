"""Telling by its first bytes what a file is that holds no lead ids as they can be read."""

from __future__ import annotations

import io

from airflow_provider_leadreset.leadsquared.errors import InputError

HEAD = 4096
"""Bytes that are looked at."""

SAVE_AS_CSV = "save it as CSV in UTF-8"
UNPACK = "unpack it, or pack it with gzip"

BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or a zip file", f"{SAVE_AS_CSV}, or unpack it"),
    (b"PK\x05\x06", "an empty zip file", "export it again"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", SAVE_AS_CSV),
    (b"%PDF", "a PDF", "export the leads as CSV"),
    (b"{\\rtf", "a Rich Text document", "save it as plain text"),
    (b"\xff\xfe\x00\x00", "text in UTF-32", "save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32", "save it as UTF-8"),
    (b"\xff\xfe", "text in UTF-16 (Excel's “Unicode text”)", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
    (
        b"\x1f\x8b",
        "packed with gzip",
        "let its name end in .gz, once for each time that it is packed (once is read)",
    ),
    (b"BZh", "packed with bzip2", UNPACK),
    (b"\xfd7zXZ\x00", "packed with xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip", UNPACK),
    (b"Rar!", "packed with RAR", UNPACK),
    (b"PAR1", "a Parquet file", "export the ids as CSV or JSON lines"),
    (b"Obj\x01", "an Avro file", "export the ids as CSV or JSON lines"),
    (b"ORC\x11", "an ORC file", "export the ids as CSV or JSON lines"),
    (b"SQLite format 3\x00", "an SQLite database", "export the ids as CSV or JSON lines"),
)
"""First bytes, what such a file is, and what to do. The longer of two that begin alike stands first."""


def refuse_other_kinds(content: io.BufferedReader, kind: str) -> None:
    """Refuse a file that is none of what can be read, or is named as another kind than it is.

    :param content: at its beginning, where it stays.
    :param kind: the ending of its name, without ``.gz``.
    :raises InputError: saying what it is and what to do.
    """
    head = content.peek(HEAD)[:HEAD]
    for beginning, what, advice in BEGINNINGS:
        if head.startswith(beginning):
            raise InputError(f"it is {what}: {advice}")
    if b"\x00" in head:
        # In UTF-16, every other byte of an ASCII sign is NUL.
        often = len(head) // 4
        if max(head[0::2].count(0), head[1::2].count(0)) > often and min(
            head[0::2].count(0), head[1::2].count(0)
        ) < max(1, often // 4):
            raise InputError("it is text in UTF-16: save it as UTF-8")
        raise InputError("it holds NUL bytes, which no text does: save it as text in UTF-8")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        raise InputError(
            "it is HTML or XML, perhaps a page to sign in instead of the file: look at it, and save the ids as CSV"
        )
    if text.startswith((b"[", b"{")):
        _refuse_json_of_another_kind(text, kind)


def _refuse_json_of_another_kind(text: bytes, kind: str) -> None:
    first = text[:1] + text[1:].lstrip()[:1]
    spread = text[1:].lstrip(b" \t")[:1] in (b"\n", b"\r")
    if kind in ("jsonl", "ndjson"):
        if first.startswith(b"["):
            raise InputError(
                "it is one JSON array, and JSON lines have a value in each line: write it so (jq -c '.[]'), or name a "
                "list of bare ids .json"
            )
        if spread:
            raise InputError(
                "it is pretty-printed JSON, and JSON lines have a whole object in each line: write it so (jq -c .)"
            )
    elif (first in (b"[{", b'{"', b"{}") and b":" in text) or kind == "csv":
        raise InputError(
            "it is JSON with objects: write one object in each line (jq -c '.[]'), and let its name end in .jsonl"
        )
    elif spread:
        raise InputError(
            "it is pretty-printed JSON: write the ids one in each line without brackets (jq -r '.[]')"
        )
