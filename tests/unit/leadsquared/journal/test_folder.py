"""Folders of evidence, their names and their addresses."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import (
    ARCHIVE,
    REPORT,
    EvidenceFolder,
    digest_of,
    safe_name,
    task_folder,
)

IDS = {"dag_id": "d", "run_id": "r", "task_id": "g.t", "map_index": -1}


def test_two_roots(tmp_path):
    """Reports and copies of records lie below roots of their own."""
    assert str(task_folder(tmp_path, REPORT, **IDS)) == str(tmp_path / "report/d/r/g.t/unmapped")
    mapped = task_folder(tmp_path, ARCHIVE, **{**IDS, "map_index": 3}).folder("try-2")
    assert str(mapped) == str(tmp_path / "archive/d/r/g.t/map-3/try-2")


@pytest.mark.parametrize("name", ["..", ".", "...", "../x", "a/b", ""])
def test_ids_stay_in_folder(tmp_path, name):
    """No id leads out of its folder."""
    folder = task_folder(tmp_path, REPORT, dag_id=name, run_id="r", task_id=name, map_index=-1)
    parts = folder.path.relative_to(tmp_path).parts
    assert len(parts) == 5
    assert not {".", "..", ""} & set(parts)


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_do_not_coincide(one, other):
    """Two different ids never come to one name, and no name is longer than a file system takes."""
    assert (safe_name(one) == safe_name(other)) == (one == other)
    assert len(safe_name(one).encode()) <= 255


def test_replaced_signs_leave_a_hash():
    """Ids that differ only in signs that storages do not take get different names."""
    names = {safe_name(name) for name in ("a:b", "a+b", "a_b", "a/b")}
    assert len(names) == 4
    assert "a_b" in names


@pytest.mark.parametrize("name", ["a:b", "a" * 130, "..", "", "half \ud800"])
def test_twins_of_a_hash(name):
    """An id that is spelled as the folder of another gets a folder of its own."""
    twin = safe_name(name)
    assert twin != name
    assert safe_name(twin) != twin
    assert safe_name("export-20261001") == "export-20261001"


def test_files_never_overwritten(tmp_path):
    """A file is never written twice, and its digest is that of its bytes."""
    folder = EvidenceFolder(tmp_path)
    file = folder.write("a", b"1")
    assert file.sha256 == digest_of(io.BytesIO(b"1"))
    with pytest.raises(InputError, match="never written over"):
        folder.write("a", b"2")
    assert folder.read("a") == b"1"


def test_unfinished_files_do_not_count(tmp_path):
    """A file whose writing a kill ended is not among a folder's files."""
    (tmp_path / ".x.jsonl.0123.tmp").write_bytes(b"1")
    (tmp_path / "x.jsonl").write_bytes(b"1")
    assert EvidenceFolder(tmp_path).names() == ["x.jsonl"]
    assert [path.name for path in EvidenceFolder(tmp_path).files("x")] == ["x.jsonl"]


def test_tries_of_a_task(tmp_path):
    """The tries of a task are told by their folders, in order of their numbers."""
    for name in ("try-2", "try-10", "try-x", "try-1", "try-01", "plan-1.jsonl.gz", "try-1234567890"):
        (tmp_path / name).mkdir()
    assert EvidenceFolder(tmp_path).tries() == [1, 2, 10]
