"""Reading the journals of earlier tries: whole parts of a known version, and what else is there by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError, OvertakenError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.journal import Journal
from airflow_provider_leadreset.leadsquared.journal.reader import parse_part, read_tries
from airflow_provider_leadreset.leadsquared.journal.schema import OutcomeLine, VersionError
from support.evidence_files import a_request

TOKEN = "0123abcd"


def written(task: Path, number: int, *, token: str = TOKEN, leads: int = 3) -> Path:
    """Write a try of which each lead was queued."""
    folder = EvidenceFolder(task / f"try-{number}")
    first = folder.write(f"{token}-request.json", a_request(try_number=number, leads=leads).as_line())
    journal = Journal(folder, token=token, first=first, ahead=2, later_try=lambda: None)
    for index, lead in journal.written_ahead(enumerate(map(str, range(leads))), lambda one: one):
        journal.ended(OutcomeLine(index=index, prospect_id=lead, outcome="queued", final=True))
    journal.close()
    return task / f"try-{number}"


def test_earlier_tries_are_read(tmp_path):
    """All parts of all earlier tries are read, in their order, with the digests of their files."""
    written(tmp_path, 1, leads=5)
    written(tmp_path, 2)
    written(tmp_path, 2, token="ffff0000")
    written(tmp_path, 3)
    first, second = read_tries(EvidenceFolder(tmp_path), before=3)
    assert (first.try_number, len(first.processes), len(second.processes)) == (1, 1, 2)
    (process,) = first.processes
    lines = list(process.lines())
    assert [file.name for file in process.files] == sorted(p.name for p in (tmp_path / "try-1").iterdir())[
        -1:
    ] + [f"{TOKEN}-{number:05}.jsonl" for number in range(1, 5)]
    outcomes = [line.index for line in lines if isinstance(line, OutcomeLine)]
    assert outcomes == list(range(5))
    assert first.unreadable == second.unreadable == []


def test_later_try_is_refused(tmp_path):
    """Where there is a later try already, this one does not begin."""
    written(tmp_path, 1)
    written(tmp_path, 3)
    with pytest.raises(OvertakenError, match="try 3 of this task is at work"):
        read_tries(EvidenceFolder(tmp_path), before=2)
    assert len(read_tries(EvidenceFolder(tmp_path))) == 2


TORN = {
    "torn": lambda data: data[:-9],
    "empty": lambda data: b"",
    "no JSON": lambda data: b"\0" * 100,
    "another file's": lambda data: b'{"a": 1}\n',
    "a line too much": lambda data: data + b'{"line": "outcome"}\n',
    "deep": lambda data: b"[" * 100_000 + b"\n",
    "not UTF-8": lambda data: data + b"\xff\n",
    "cut at a line's end": lambda data: b"".join(data.splitlines(keepends=True)[:-1]),
    "cut after its head": lambda data: data.splitlines(keepends=True)[0],
    "a line twice": lambda data: data + data.splitlines(keepends=True)[-1],
    "another part's": lambda data: data.replace(b'"part": 2', b'"part": 3'),
    "a lead beyond the batch": lambda data: data.replace(b'"index": 1', b'"index": 6'),
    "a lead before the batch": lambda data: data.replace(b'"index": 1', b'"index": -1'),
    "a named lead beyond the batch": lambda data: data.replace(b'[3, "3"]', b'[6, "3"]'),
}


@pytest.mark.parametrize("how", list(TORN))
def test_torn_part_is_named(tmp_path, how):
    """A part that is not whole counts for nothing and is named, the others count."""
    folder = written(tmp_path, 1, leads=6)
    part = folder / f"{TOKEN}-00002.jsonl"
    part.write_bytes(TORN[how](part.read_bytes()))
    (found,) = read_tries(EvidenceFolder(tmp_path), before=2)
    (process,) = found.processes
    lines = list(process.lines())
    assert found.unreadable[0].startswith(f"{part.name}: ")
    assert [line.index for line in lines if isinstance(line, OutcomeLine)] == [2, 3, 4, 5]
    assert not found.other_version


def test_request_that_cannot_be_read(tmp_path):
    """Without a readable request the parts count for nothing, since nothing tells what they are about."""
    folder = written(tmp_path, 1)
    (folder / f"{TOKEN}-request.json").write_bytes(b"{}")
    (found,) = read_tries(EvidenceFolder(tmp_path), before=2)
    assert (found.processes, len(found.unreadable)) == ([], 1)


@pytest.mark.parametrize("name", [f"{TOKEN}-request.json", f"{TOKEN}-00001.jsonl"])
@pytest.mark.parametrize("version", [2, "1", True, None])
def test_other_version_is_told(tmp_path, name, version):
    """A file of a version that is not known is told as such."""
    path = written(tmp_path, 1) / name
    head, _, rest = path.read_text().partition("\n")
    path.write_text(json.dumps({**json.loads(head), "schema_version": version}) + "\n" + rest)
    (found,) = read_tries(EvidenceFolder(tmp_path), before=2)
    for process in found.processes:
        list(process.lines())
    assert found.other_version
    assert "schema version" in found.unreadable[0]


def test_broken_chain_is_told(tmp_path):
    """A part that was changed whole shows at the one that follows it."""
    folder = written(tmp_path, 1, leads=6)
    part = folder / f"{TOKEN}-00002.jsonl"
    part.write_text(part.read_text().replace('"queued"', '"failed"'))
    (found,) = read_tries(EvidenceFolder(tmp_path), before=2)
    assert list(found.processes[0].lines())
    assert found.changed == [
        f"{part.name}: it is not as it was when {TOKEN}-00003.jsonl was written after it"
    ]
    assert found.unreadable == []


def test_part_is_checked():
    """A part begins with its head, and holds lines that are known alone."""
    with pytest.raises(InputError, match="it is no JournalHead: part"):
        parse_part(b'{"schema_version": 1, "line": "head"}\n')
    with pytest.raises(VersionError, match="schema version 7"):
        parse_part(b'{"schema_version": 7}\n')


def test_parts_without_a_request(tmp_path):
    """Parts whose request is missing are named: nobody can tell what they are about, and calls were made."""
    (written(tmp_path, 1) / f"{TOKEN}-request.json").unlink()
    (found,) = read_tries(EvidenceFolder(tmp_path))
    assert found.processes == []
    assert [told.partition(":")[0] for told in found.unreadable] == [
        f"{TOKEN}-00001.jsonl",
        f"{TOKEN}-00002.jsonl",
        f"{TOKEN}-00003.jsonl",
    ]
    assert "its request is missing" in found.unreadable[0]
