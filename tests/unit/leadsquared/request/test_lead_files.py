from __future__ import annotations

import codecs
import csv
import gc
import gzip
import io
import json
import os
import random
import re
import tracemalloc
import uuid
from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared import distinct_keys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request import lead_files
from airflow_provider_leadreset.leadsquared.request.lead_files import read_lead_file
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from support.peak_memory import bomb, cost_of, needs_linux

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
    ("a.csv", f"ProspectID,Owner,Name\n{A},{C},Doe, J\n{B},{C},x,,\n"),
    ("a.jsonl", f'"{A}"\n"{B}"\n'),
    ("a.ndjson", f'{{"ProspectID": "{A}", "x": {{}}}}\n\n{{"prospectid": "{B}"}}'),
    ("a.csv", f"Prospect ID,Name\n{A},x\n{B},y\n"),
    ("a.csv", f"Name;lead_id\nx;{A}\ny, z;{B}\n"),
    ("a.csv", f"Name\tRelated Prospect Id\r\nx\t{A}\r\n;\t{B}\r\n"),
    ("a.csv", f"PROSPECT_ID|Name, of it\n{A}|x,y\n{B}|\n"),
    ("a.csv", f'"Name; first";"Lead ID"\n"x;\n;y";"{A}"\nz;{B}\n'),
    ("a.csv", f"{BOM}ProspectID\r{A}\r{B}\r"),
    ("a.jsonl", f'{{"lead_id": "{A}"}}\n{{"Prospect ID": "{B}", "n": [1e3, -5, null]}}\n'),
    ("a.jsonl", f'{{"RelatedProspectId": "{A}", "x": {{"ProspectID": 1}}}}\r{{"leadId":"{B}"}}'),
    ("a.txt", f"{A}{' ' * 200_000}{B}"),
    ("a.txt", f"{' ' * 65_536}{A}{',' * 65_500}{B}"),
    ("a.txt", f"{' ' * 65_500}{A},{B}"),
    ("a.txt", f"{' ' * (65_536 - 36)}{A}\n{B}"),
    ("a.txt", f"{A}\n{B}{' ' * 65_500}"),
    ("a.txt", f"{A}{chr(0x2028)}{B}"),
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
            "no column named ProspectID or LeadID or .*; its columns are: 'Lead', 'Name'. Say by prospect_id_field",
        ),
        ("a.csv", f"{A}\n{B}\n", "no column named ProspectID"),
        ("a.csv", f"Lead;Name\n{A};x\n", "its columns are: 'Lead', 'Name'"),
        (
            "a.csv",
            f"ProspectID,prospectid\n{A},{B}\n",
            "2 columns that may be the lead id.*: 'ProspectID', 'prospectid'. Say by prospect_id_field",
        ),
        ("a.csv", f"\n{A}\n", "line 1 is empty"),
        # An open quotation mark must not swallow the leads after it.
        ("a.csv", f'ProspectID,Name\n{A},"open\n{B},x\n', "line 3 cannot be read as CSV"),
        ("a.csv", f'ProspectID,Name\n{A},"x"y"\n{B},z\n', "line 2 cannot be read as CSV"),
        ("a.csv", f"ProspectID,Name\n{A},{'x' * 200_000}\n", "line 2 cannot be read as CSV"),
        ("a.jsonl", f'"{A}"\n{B}\n', "line 2 is .*, which is no JSON"),
        (
            "a.jsonl",
            f'"{A}"\n{{"Id": "{B}"}}\n',
            "line 2 has no ProspectID or LeadID or RelatedProspectID; it has: 'Id'. Say by prospect_id_field",
        ),
        ("a.jsonl", f'"{A}"\n\nnull\n', "line 3 holds None"),
        ("a.jsonl", f'["{A}"]\n', "is one JSON array"),
        (
            "a.jsonl",
            f'{{"ProspectID": "{A}", "prospectId": "{B}"}}\n',
            "line 1 has 2 keys that may be the lead id.* Say by prospect_id_field",
        ),
        ("a.jsonl", "[" * 100_000, "is one JSON array"),
        ("a.txt", f"{A}\n{'[] ' * 60_000}\n", "line 2 is '\\[\\] "),
        ("a.txt", f"{A}\n{'[]' * 32_768}", "line 2 is '\\[\\]"),
        ("a.txt", f"{A}\n{f'{B} ' * 5000}\n\nlead-7", "line 4 holds 'lead-7'"),
        ("a.txt", f"{A}\n{f'{B},' * 5000}lead-7\n{C}", "line 2 holds 'lead-7'"),
        ("a.txt", f"ProspectID;Name\n{A};x\n", "line 1 is the header of a table"),
        ("a.txt", f"Lead ID\n{A}\n", "line 1 is the header of a table"),
        ("a.csv", f'"Prospect\n_\x1b{"_" * 5000}",x\n', "it has no column named"),
        ("a.csv", f'"Prospect\n{"_" * 5000} id",x\ny,z\n', "column ProspectID of line 3 holds 'y'"),
        ("a.csv", f"ProspectID,Lead ID\n{A},{B}\n", "2 columns that may be the lead id"),
        ("a.csv", f"ProspectID,Name\n{A},\0\n{B}\0,\n", "NUL"),
        ("a.csv", ",".join(f"c{number}" for number in range(500)), "'c9' and 490 more"),
        (
            "a.jsonl",
            f'{{"ProspectID": "{A}", "ProspectID": "{B}"}}\n',
            "line 1 is .*'ProspectID' stands in it twice",
        ),
        (
            "a.jsonl",
            f'{{"lead_id": "{A}", "ProspectID": "{B}"}}\n',
            "line 1 has 2 keys .*'lead_id', 'ProspectID'",
        ),
        (
            "a.jsonl",
            f'"{A}"\n{{}}\n',
            "line 2 has no ProspectID or LeadID or RelatedProspectID; it has: nothing",
        ),
        (
            "a.jsonl",
            f'"{A}"\n{{"\\ud800": 1}}\n',
            "line 2 has no ProspectID or LeadID or RelatedProspectID; it has: '\\\\ud800'",
        ),
        ("a.jsonl", '{"ProspectID": null}', "ProspectID of line 1 holds None"),
        ("a.jsonl", '{"ProspectID": "\\ud800"}', "ProspectID of line 1 holds '\\\\ud800'"),
        ("a.jsonl", '{"ProspectID": 1e400}', "line 1 is .* a number too large"),
        ("a.jsonl", '{"ProspectID": ' + "9" * 5000 + "}", "line 1 is .* a number of 5000 digits"),
        ("a.jsonl", f'{{"ProspectID": "{A}", "x": NaN}}', "line 1 is .* it has NaN"),
        ("a.jsonl", '{"ProspectID": ' + "[" * 50_000, "line 1 is .* nested more than 100 deep"),
        (
            "a.jsonl",
            '{"ProspectID": ' + "[" * 900 + "]" * 900 + "}",
            "line 1 is .* nested more than 100 deep",
        ),
        ("a.json", f'[{{"ProspectID": "{A}"}}]', "it is JSON with objects"),
        # Lines that end as no lines of a file do: all rows stand in the header, and no lead would be named.
        ("a.csv", f"ProspectID,Name\u2028{A},x\u2028{B},y\u2028", "line 1, where .* holds a lead id"),
        # A comma without quotes around its cell: the id there is another's, an owner's or another lead's.
        ("a.csv", f"Name,Owner,ProspectID\nDoe, J,{B},{A}\n", "line 2 has 4 cells below 3 columns"),
        ("a.csv", f"ProspectID\n{A}\n{B},{C}\n", "line 3 has 2 cells below 1 column,"),
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
        ("a.csv.gz", b""),
    ],
    ids=["latin-1", "not packed", "cut", "spoilt", "more after it", "nothing"],
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
    with pytest.raises(InputError, match=r"there is no such file|which is no file"):
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


# -- named twice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most_in_memory", [20_000, 1, 0])
def test_lead_named_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_in_memory: int) -> None:
    """A lead named twice in any letter case is one lead, at its first place and in its first spelling."""
    monkeypatch.setattr(distinct_keys, "MOST_IN_MEMORY", most_in_memory)
    named = [B.upper(), A, B, C, A, A.upper(), B.upper()]
    leads = Leads.from_file(file_of(tmp_path, "a.txt", "\n".join(named).encode()))
    assert list(leads) == [B.upper(), A, C]
    assert (leads.rows, leads.count) == (7, 3)
    assert leads.digest == Leads.parse([B, A, C]).digest
    listed = Leads.parse(named)
    assert (listed.rows, listed.count, list(listed)) == (7, 3, [B.upper(), A, C])


# -- another name of the column ---------------------------------------------------------------------------------


def test_named_field(tmp_path: Path) -> None:
    """The column or key of the ids can be named."""
    table = file_of(tmp_path, "a.csv", f"ProspectID;Owner Lead\n{A};{B}\n".encode())
    assert list(read_lead_file(table, "owner_lead")) == [B]
    assert list(read_lead_file(table)) == [A]
    lines = file_of(tmp_path, "a.jsonl", f'{{"ProspectID": "{A}", "ownerLead": "{B}"}}'.encode())
    assert list(read_lead_file(lines, "Owner Lead")) == [B]
    for path in (table, lines):
        with pytest.raises(InputError, match=r"'stage'.*: 'ProspectID', '"):
            list(read_lead_file(path, "Stage"))
        with pytest.raises(InputError, match="which names no column or key"):
            list(read_lead_file(path, " _"))


# -- any bytes --------------------------------------------------------------------------------------------------

WHOLE = {
    "a.txt": f"{A}\n{B}, {C}\n",
    "a.csv": f'ProspectID;"Name; of it"\n{A};x\n{B};"y ""z"""\n',
    "a.jsonl": f'{{"ProspectID": "{A}", "x": [1, 2.5e3, null, "\\u20ac"]}}\n"{B}"\n',
}
PIECES = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b'"',
    b"\n",
    b"\r",
    b";",
    b"[" * 2000,
    b"{",
    b"9" * 5000,
    b"1e999",
    b"NaN",
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_any_change_read_or_refused(tmp_path: Path, name: str, packed: bool) -> None:
    """A changed file gives ids of the file or an InputError that names it, and never another error."""
    content, chance = WHOLE[name].encode(), random.Random(11)
    refused = 0
    for _ in range(400):
        place = chance.randrange(len(content) + 1)
        odd = chance.choice([*PIECES, chance.randbytes(3)])
        changed = content[:place] + odd + content[place + chance.choice([0, 1, 40]) :]
        path = file_of(tmp_path, name, changed, packed=packed)
        if packed and chance.random() < 0.5:
            whole = path.read_bytes()
            at = chance.randrange(len(whole))
            path.write_bytes(whole[:at] + chance.randbytes(2) + whole[at + chance.choice([0, 2, 99]) :])
        try:
            assert set(Leads.from_file(path)) <= {A, B, C}
        except InputError as error:
            refused += str(error).startswith(f"{path}: ")
    assert refused > 150


# -- large, endless, hostile ------------------------------------------------------------------------------------

IDS = f"{A}\n".encode() * 300


@pytest.mark.exhaustive
@needs_linux
def test_million_ids_on_one_line(tmp_path: Path) -> None:
    """A million ids on one line are read a block at a time."""
    path = tmp_path / "a.txt"
    with path.open("w") as file:
        file.writelines(f"{number:08x}-0000-4000-8000-{number:012x}, " for number in range(1_000_000))
    cost = cost_of(IMPORTS, "leads = Leads.from_file(path); assert leads.count == leads.rows == 10**6", path)
    assert not cost.error, cost
    assert cost.mib < 40


@pytest.mark.exhaustive
@needs_linux
def test_duplicates_among_a_million(tmp_path: Path) -> None:
    """A million ids of which half are duplicates are told apart in flat memory."""
    path = tmp_path / "a.txt.gz"
    ids = [f"{number * 7919 % 500_000:08x}-0000-4000-8000-{number % 9:012x}" for number in range(500_000)]
    path.write_bytes(gzip.compress("\n".join([*ids, *(lead.upper() for lead in ids)]).encode(), 1))
    code = "leads = Leads.from_file(path); assert (leads.count, leads.rows) == (500_000, 10**6)"
    cost = cost_of(IMPORTS, code, path)
    assert not cost.error, cost
    assert cost.mib < 40


# A process may have lifted the limit of csv, which is the same for all that run in it.
IMPORTS = """
import csv
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
csv.field_size_limit(10**9)
"""
CSV = b"ProspectID,Name\n"
BOMBS = [
    ("a.txt", IDS, b"a", "line 301, which begins 'aaa.*is longer than 1 MiB"),
    ("a.txt", IDS, b"\0", "line 301, which begins"),
    ("a.txt", b"", b"\0", "it holds NUL bytes"),
    ("a.txt", IDS, f"[{A}".encode(), "line 301, which begins"),
    ("a.txt", IDS, b" \n", "line 1000301 is one of more than 1000000 blank ones"),
    ("a.csv", CSV, b"\n", "line 1000002 is one of more than 1000000 blank ones"),
    ("a.jsonl", b"", b"\r", "line 1000001 is one of more than 1000000 blank ones"),
    ("a.csv", b"", b"a", "line 1 is longer than 1 MiB"),
    ("a.csv", CSV, f"{A},".encode(), "line 2 is longer than 1 MiB"),
    ("a.csv", CSV + f'{A},"'.encode(), b"a", "line 2 is longer than 1 MiB"),
    ("a.csv", CSV + f'{A},"'.encode(), b"a,b\n", "the row before line .* goes on for more than 1 MiB"),
    ("a.csv", b'ProspectID,"', b"x\n", "the row before line .* goes on for more than 1 MiB"),
    ("a.jsonl", b'{"ProspectID": "', b"a", "line 1 is longer than 1 MiB"),
    ("a.jsonl", b'{"a": ', b"[", "line 1 is longer than 1 MiB"),
    ("a.jsonl", f'"{A}"\n'.encode(), b'{"a":', "line 2 is longer than 1 MiB"),
]


@needs_linux
@pytest.mark.parametrize(("name", "beginning", "block", "said"), BOMBS)
def test_bomb_refused_in_flat_memory(
    tmp_path: Path, name: str, beginning: bytes, block: bytes, said: str
) -> None:
    """A small file that unpacks to one endless thing is refused by name, line and limit, and takes little memory."""
    path = tmp_path / f"{name}.gz"
    path.write_bytes(bomb(beginning, block))
    assert path.stat().st_size < 1 << 20
    cost = cost_of(IMPORTS, "Leads.from_file(path)", path)
    assert (cost.error, re.search(said, cost.text, re.DOTALL) is not None) == ("InputError", True), cost.text
    assert cost.text.startswith(f"{path}: ")
    assert cost.mib < 60


def test_whole_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, packed or not, may not be larger than the limit."""
    monkeypatch.setattr(lead_files, "MOST_FILE", len(IDS))
    for packed in (False, True):
        assert Leads.from_file(file_of(tmp_path, "a.txt", IDS, packed=packed)).rows == 300
        with pytest.raises(InputError, match=r"more than 10\.8 KiB: divide it into several"):
            Leads.from_file(file_of(tmp_path, "a.txt", IDS + b"\n", packed=packed))
