from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.file_kinds import BEGINNINGS
from airflow_provider_leadreset.leadsquared.request.lead_files import read_lead_file

A = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
TABLE = f"ProspectID,Name\n{A},x\n"
ROWS = [{"ProspectID": A, "Name": "x"}]


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("xl/worksheets/sheet1.xml", TABLE)
    return file.getvalue()


KINDS = [
    ("a.csv", workbook(), r"an Excel workbook \(.xlsx\) or a zip file: save it as CSV"),
    ("a.xlsx", workbook(), "an Excel workbook"),
    ("a.csv.gz", gzip.compress(workbook()), "an Excel workbook"),
    ("a.csv", TABLE.encode("utf-16"), "UTF-16.*save it as UTF-8"),
    ("a.csv", TABLE.encode("utf-16-le"), "it is text in UTF-16"),
    ("a.txt", A.encode("utf-16-be"), "it is text in UTF-16"),
    ("a.txt", A.encode("utf-32"), "text in UTF-32"),
    ("a.csv", b"  <!DOCTYPE html><html>Sign in", "it is HTML or XML, perhaps a page to sign in"),
    ("a.jsonl", b"\xef\xbb\xbf<?xml version='1.0'?>", "it is HTML or XML"),
    ("a.txt", b"%PDF-1.7\n", "a PDF"),
    ("a.csv", gzip.compress(TABLE.encode()), "packed with gzip: let its name end in .gz"),
    ("a.csv.gz", gzip.compress(gzip.compress(TABLE.encode())), "packed with gzip"),
    ("a.csv", bz2.compress(TABLE.encode()), "packed with bzip2: unpack it, or pack it with gzip"),
    ("a.csv", lzma.compress(TABLE.encode()), "packed with xz"),
    ("a.txt", A.encode() + b"\0", "it holds NUL bytes"),
    ("a.txt", bytes(500), "it holds NUL bytes"),
    ("a.jsonl", json.dumps(ROWS).encode(), "it is one JSON array, and JSON lines have a value in each line"),
    ("a.jsonl", json.dumps(ROWS, indent=1).encode(), "it is one JSON array"),
    ("a.jsonl", json.dumps(ROWS[0], indent=1).encode(), "it is pretty-printed JSON, and JSON lines"),
    ("a.ndjson", b"{\r\n}", "it is pretty-printed JSON"),
    ("a.json", json.dumps(ROWS).encode(), "it is JSON with objects"),
    ("a.json", json.dumps(ROWS, indent=1).encode(), "it is JSON with objects"),
    ("a.txt", json.dumps(ROWS[0]).encode(), "it is JSON with objects"),
    (
        "a.json",
        json.dumps([A], indent=1).encode(),
        "it is pretty-printed JSON: write the ids one in each line",
    ),
    ("a.csv", json.dumps(ROWS[0]).encode(), "it is JSON with objects"),
]


@pytest.mark.parametrize(("name", "content", "said"), KINDS)
def test_other_kind_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """A file of another kind is named as what it is, with what to do."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        list(read_lead_file(path))
    assert str(caught.value).startswith(f"{path}: it ")


@pytest.mark.parametrize(("beginning", "what", "advice"), BEGINNINGS)
def test_every_beginning_told(tmp_path: Path, beginning: bytes, what: str, advice: str) -> None:
    """Each beginning in the table is told, and none hides another."""
    path = tmp_path / "a.csv"
    path.write_bytes(beginning + b"\0\x01 and so on")
    with pytest.raises(InputError) as caught:
        list(read_lead_file(path))
    assert str(caught.value) == f"{path}: it is {what}: {advice}"


@pytest.mark.parametrize(
    "text", [f"['{A}']", f'["{A}"]', f"{{{A}}}", f"[ {A} ]", f'{{"{A}"}}', f"[[{A}]]", f"({A})"]
)
def test_ids_in_brackets_are_text(tmp_path: Path, text: str) -> None:
    """Ids with brackets and quotes around them are still text."""
    path = tmp_path / "a.txt"
    path.write_text(text)
    assert list(read_lead_file(path)) == [A]
