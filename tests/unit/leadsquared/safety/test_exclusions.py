"""Leads that are never reset."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.distinct_keys import MOST_IN_MEMORY
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.exclusions import Exclusions
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from support.peak_memory import cost_of, needs_linux

A, B, C = (f"3f2504e0-4f89-11d3-9a0c-0305e82c33a{number}" for number in (1, 2, 3))


def parse(value: Any) -> Exclusions:
    return Exclusions.parse(value, lambda text: Path(text.removeprefix("file://")))


@pytest.mark.parametrize(
    "value", [[A, B], f"{A}, {B}", f"['{A}', '{B.upper()}']", [[A], [B, A]], (A, B), [uuid.UUID(A), B]]
)
def test_excluded_ids(value):
    """Ids are given as those to reset are, and are told in any letter case."""
    excluded = parse(value)
    assert (A in excluded, B.upper() in excluded, A.upper() in excluded, C in excluded) == (
        True,
        True,
        True,
        False,
    )
    assert len(excluded) == 2
    excluded.close()


def test_excluded_rows(tmp_path):
    """Rows are taken by the usual names of an id; no error of them names an argument that is not for them."""
    assert B in parse([{"Stage": "x", "Lead ID": A}, {"RelatedProspectId": B}])
    assert A in parse({"ProspectID": A})
    path = tmp_path / "hold.csv"
    for header in ("Owner", "ProspectID,LeadID"):
        path.write_text(f"{header}\n")
        with pytest.raises(InputError, match=r"Call it ProspectID, once$") as caught:
            parse(str(path))
        assert "prospect_id_field" not in str(caught.value)


def test_one_excluded_id():
    """One id is given as text or as a UUID."""
    for value in (A, uuid.UUID(A)):
        assert A in parse(value)
        assert B not in parse(value)


@pytest.mark.parametrize("value", [NOT_GIVEN, [], (), "[]", " [ ] "])
def test_nobody_excluded(value):
    """Left out, and a real empty list, exclude nobody."""
    excluded = parse(value)
    assert len(excluded) == 0
    assert A not in excluded


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hold.txt", f"{A}\n{B}\n".encode()),
        ("hold.csv", f"Name;Prospect ID\nAsha;{A}\nRavi;{B.upper()}\n".encode()),
        ("hold.jsonl.gz", gzip.compress(f'{{"ProspectID": "{A}"}}\n"{B}"\n'.encode())),
    ],
)
def test_excluded_by_file(tmp_path, name, content):
    """A file of ids is given by its path or URI, in the formats of files to reset."""
    path = tmp_path / name
    path.write_bytes(content)
    for value in (str(path), f"file://{path}", f" {path}\n", path):
        excluded = parse(value)
        assert (A in excluded, B in excluded, C in excluded, len(excluded)) == (True, True, False, 2)


def test_empty_file_excludes_nobody(tmp_path):
    """A file without ids excludes nobody."""
    path = tmp_path / "hold.txt"
    path.write_bytes(b"")
    assert len(parse(str(path))) == 0


def test_missing_file_stops(tmp_path):
    """A file that is missing is refused, naming the argument."""
    with pytest.raises(InputError, match=r"exclude is '.*hold\.txt', and there is no such file"):
        parse(f"file://{tmp_path}/hold.txt")


def test_damaged_file_stops(tmp_path):
    """A file that cannot be read to its end excludes nobody quietly."""
    path = tmp_path / "hold.txt.gz"
    path.write_bytes(gzip.compress(f"{A}\n{B}\n".encode())[:-9])
    with pytest.raises(InputError, match="cannot be read to its end"):
        parse(str(path))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "exclude came to None"),
        ("", "exclude is '', which names no lead"),
        ("None", "exclude is 'None', which names no lead"),
        ("hold.txt", "exclude holds 'hold.txt', which is no lead id"),
        (f"{A}, hold.txt", "exclude holds 'hold.txt', which is no lead id"),
        ([A, None], "item 1 of exclude came to None"),
        ([A, "file:///hold.txt"], "item 1 of exclude holds 'file:///hold.txt'"),
        (5, "exclude is 5: give lead ids, or the absolute URI of a file"),
        (True, "exclude is True: give lead ids"),
        ({A: True}, "exclude has no ProspectID .*Call it ProspectID, once"),
        ([{"Lead": A}], "item 0 of exclude has no ProspectID .*Call it ProspectID, once"),
        ({A}, "exclude is {.*: give lead ids"),
        (A.encode(), "exclude is b.*: give lead ids"),
    ],
)
def test_bad_exclusions_refused(value, said):
    """Anything else is refused, naming the argument and quoting the value."""
    with pytest.raises(InputError, match=said):
        parse(value)


def test_more_than_memory_holds():
    """More leads than are held in memory are told as well."""
    leads = [str(uuid.UUID(int=number)) for number in range(1, MOST_IN_MEMORY + 100)]
    excluded = parse(leads)
    assert all(lead in excluded for lead in leads)
    assert str(uuid.UUID(int=MOST_IN_MEMORY + 100)) not in excluded
    excluded.close()


@pytest.mark.exhaustive
@needs_linux
def test_million_exclusions_in_flat_memory(tmp_path):
    """A million excluded leads take little memory."""
    path = tmp_path / "hold.txt"
    with path.open("w") as file:
        file.writelines(f"{uuid.UUID(int=number << 64 | number)}\n" for number in range(1, 1_000_001))
    imports = "import uuid; from airflow_provider_leadreset.leadsquared.safety.exclusions import Exclusions"
    act = "held = Exclusions.parse(str(path), lambda text: path); assert len(held) == 1_000_000"
    cost = cost_of(imports, act, path)
    assert cost.error == "", cost
    assert cost.mib < 60
