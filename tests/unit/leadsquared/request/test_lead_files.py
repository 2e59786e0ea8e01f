from __future__ import annotations

import codecs
import csv
import gc
import gzip
import io
import json
import os
import tracemalloc
import uuid
from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.lead_files import read_lead_file
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads

A = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
B = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
C = "3f2504e0-4f89-11d3-9a0c-0305e82c3303"


def file_of(folder: Path, name: str, content: bytes, *, packed: bool = False) -> Path:
    path = folder / (f"{name}.GZ" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


BOM = codecs.BOM_UTF8.decode()

FILES = [
    ("a.txt", f"{A}\n{B}\n"),
    ("a.txt", f"{A}\r\n\r\n  {B}  "),
    ("a.txt", f"{A}\r{B}"),
    ("a.txt", f"{BOM}{A}, {B}"),
    ("a.txt", f"'{A}',\n'{B}',\n"),
    ("a", f"{A} {B}"),
    ("a.ids.log", f"{A}\n{B}"),
    ("a.json", json.dumps([A, B])),
    ("a.csv", f"ProspectID\n{A}\n{B}\n"),
    ("a.CSV", f"PROSPECTID\n{A}\n{B}\n"),
    ("a.csv", f"Name, prospectId ,Stage\nx,{A},y\nx,{B},y\n"),
    ("a.csv", f"{BOM}ProspectID,Name\n{A},x\n{B},y"),
    ("a.csv", f'"ProspectID","Name"\r\n"{A}","Doe, ""J""\nand so on"\r\n\r\n"{B}",""\r\n'),
    ("a.csv", f"Name,ProspectID\nJos\N{LATIN SMALL LETTER E WITH ACUTE},{A},more,cells\n,{B}\n"),
    ("a.csv", f"ProspectID\n {A} \n{B}\t\n"),
    ("a.jsonl", f'"{A}"\n"{B}"\n'),
    ("a.ndjson", f'{{"ProspectID": "{A}", "x": {{}}}}\n\n{{"prospectid": "{B}"}}'),
    ("a.JSONL", f'{BOM}{{"x": 1, "ProspectId": "{A}"}}\r\n"{B}"\r\n'),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "text"), FILES)
def test_file_formats(tmp_path: Path, name: str, text: str, packed: bool) -> None:
    """Lead IDs are read from every kind of file."""
    path = file_of(tmp_path, name, text.encode(), packed=packed)
    assert list(read_lead_file(path)) == [A, B]


def test_file_duplicates_kept(tmp_path: Path) -> None:
    """Lead IDs come as often as they stand in the file."""
    assert list(read_lead_file(file_of(tmp_path, "a.txt", f"{B}\n{A}\n{B}\n{B.upper()}".encode()))) == [
        B,
        A,
        B,
        B.upper(),
    ]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", ""),
        ("a.txt", "\n \n"),
        ("a.csv", ""),
        ("a.csv", "ProspectID\n"),
        ("a.jsonl", ""),
        ("a.jsonl", "\n"),
    ],
)
def test_empty_file(tmp_path: Path, name: str, text: str, packed: bool) -> None:
    """An empty file has no leads."""
    leads = Leads.from_file(file_of(tmp_path, name, text.encode(), packed=packed))
    assert leads.count == 0
    assert list(leads) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", f"{A}\n\nlead-7\n", "line 3 holds 'lead-7'"),
        ("a.txt", f"{A}\nNone\n", "line 2 holds 'None', which is no lead id"),
        ("a.txt", f"{A}\n[]\n", "line 2 is '\\[\\]"),
        ("a.csv", f"ProspectID\n{A}\nlead-7\n", "column ProspectID of line 3 holds 'lead-7'"),
        ("a.csv", f'ProspectID,Name\n{A},"two\nlines"\nx,y\n', "column ProspectID of line 4 holds 'x'"),
        ("a.csv", f"ProspectID,Name\n{A},x\n,y\n", "column ProspectID of line 3 holds ''"),
        ("a.csv", f"Name,ProspectID\nx,{A}\ny\n", "column ProspectID of line 3 holds ''"),
        ("a.csv", f"Name,ProspectID\nx,{{{A}}}\n", "column ProspectID of line 2"),
        (
            "a.csv",
            f"Lead,Name\n{A},x\n",
            "no column named ProspectID or LeadID or .*; its columns are: 'Lead', 'Name'",
        ),
        ("a.csv", f"{A}\n{B}\n", "no column named ProspectID"),
        ("a.csv", f"Lead;Name\n{A};x\n", "its columns are: 'Lead', 'Name'"),
        (
            "a.csv",
            f"ProspectID,prospectid\n{A},{B}\n",
            "2 columns that may be the lead id.*: 'ProspectID', 'prospectid'",
        ),
        ("a.csv", f"\n{A}\n", "line 1 is empty"),
        # An open quotation mark must not swallow the leads after it.
        ("a.csv", f'ProspectID,Name\n{A},"open\n{B},x\n', "line 3 cannot be read as CSV"),
        ("a.csv", f'ProspectID,Name\n{A},"x"y"\n{B},z\n', "line 2 cannot be read as CSV"),
        ("a.csv", f"ProspectID,Name\n{A},{'x' * 200_000}\n", "line 2 cannot be read as CSV"),
        ("a.jsonl", f'"{A}"\n{B}\n', "line 2 is .*, which is no JSON"),
        ("a.jsonl", f'"{A}"\n{{"Id": "{B}"}}\n', "line 2 has no ProspectID; it has: 'Id'"),
        ("a.jsonl", f'"{A}"\n\nnull\n', "line 3 holds None"),
        ("a.jsonl", f'["{A}"]\n', "is one JSON array"),
        (
            "a.jsonl",
            f'{{"ProspectID": "{A}", "prospectId": "{B}"}}\n',
            "line 1 has 2 keys that may be the lead id",
        ),
        ("a.jsonl", "[" * 100_000, "is one JSON array"),
        ("a.json", f'[{{"ProspectID": "{A}"}}]', "it is JSON with objects"),
    ],
)
def test_unreadable_line_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    """Content that cannot be read is refused, with the file and the line in the error."""
    path = file_of(tmp_path, name, text.encode())
    with pytest.raises(InputError, match=said) as caught:
        Leads.from_file(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < 700


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _spoilt(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(255 - byte for byte in data[middle : middle + 40]) + data[middle + 40 :]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f"ProspectID,Name\n{A},Jos\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode("latin-1")),
        ("a.txt.gz", f"{A}\n".encode()),
        (
            "a.txt.gz",
            _cut(
                gzip.compress(
                    "".join(f"{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}\n" for n in range(99)).encode()
                )
            ),
        ),
        (
            "a.txt.gz",
            _spoilt(
                gzip.compress(
                    "".join(f"{uuid.uuid5(uuid.NAMESPACE_URL, str(n))}\n" for n in range(999)).encode()
                )
            ),
        ),
        ("a.txt.gz", gzip.compress(f"{A}\n".encode()) + b"more"),
    ],
    ids=["latin-1", "not packed", "cut", "spoilt", "more after it"],
)
def test_damaged_file_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """A damaged file is refused as a whole."""
    path = file_of(tmp_path, name, content)
    with pytest.raises(InputError, match="cannot be read to its end"):
        Leads.from_file(path)


@pytest.mark.parametrize("path", ["missing.csv", "folder.csv", "file.txt/below.csv"])
def test_missing_file(tmp_path: Path, path: str) -> None:
    """The error says that a file is missing."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.txt").touch()
    with pytest.raises(InputError, match="there is no such file"):
        Leads.from_file(tmp_path / path)


def test_digest_of_leads(tmp_path: Path) -> None:
    """The digest depends on which leads come in which order, and not on the spelling of their IDs."""
    given_ = Leads.parse([A, B])
    assert (given_.count, list(given_), list(given_)) == (2, [A, B], [A, B])
    spelled = Leads.from_file(file_of(tmp_path, "a.csv", f"ProspectID\n{A.upper()}\n{B}".encode()))
    assert spelled.digest == given_.digest
    assert len({leads.digest for leads in map(Leads.parse, ([A, B], [B, A], [A], [A, C], []))}) == 5


@pytest.mark.parametrize("later", ["", f"{A}\n", f"{A}\n{B}\n{C}\n", f"{A}\n{C}\n", "no lead"])
def test_later_file_changes_ignored(tmp_path: Path, later: str) -> None:
    """A file is used as it was counted, whatever happens to it later."""
    path = file_of(tmp_path, "a.txt", f"{A}\n{B}\n".encode())
    leads = Leads.from_file(path)
    path.write_text(later)
    assert list(leads) == list(leads) == [A, B]
    path.unlink()
    first, second = iter(leads), iter(leads)
    assert [next(first), next(second), next(first)] == [A, A, B]


def test_private_copy_removed(tmp_path: Path) -> None:
    """The private copy of a file disappears with its last reader."""
    gc.collect()
    before = set(os.listdir("/dev/fd"))
    leads = Leads.from_file(file_of(tmp_path, "a.txt", f"{A}\n{B}\n".encode()))
    ids = iter(leads)
    del leads
    gc.collect()
    assert list(ids) == [A, B]
    del ids
    gc.collect()
    assert set(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize(("name", "count"), [("a.csv.gz", 100_000), ("a.txt", 10_000), ("a.jsonl", 10_000)])
def test_ids_streamed(tmp_path: Path, name: str, count: int) -> None:
    """Lead IDs are streamed from a file in constant memory."""
    ids = (f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(count))
    text = io.StringIO()
    if ".csv" in name:
        csv.writer(text).writerows([["ProspectID", "Name"], *([lead, "x"] for lead in ids)])
    else:
        text.writelines(f'"{lead}"\n' for lead in ids)
    content = text.getvalue().encode()
    path = file_of(tmp_path, name, gzip.compress(content, 1) if name.endswith(".gz") else content)
    del text, content
    leads = Leads.from_file(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in leads) == count == leads.count
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400_000
