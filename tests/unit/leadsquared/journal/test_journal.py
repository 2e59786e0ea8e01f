"""The journal: written ahead, chained, and nothing lost when a write fails."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, ThrottledError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.journal import WRITE_EVERY, Journal
from airflow_provider_leadreset.leadsquared.journal.reader import MOST_PART, parse_part
from airflow_provider_leadreset.leadsquared.journal.schema import ArchivedLine, FileDigest, OutcomeLine
from support.evidence_files import objects_in

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
AT = datetime(2026, 10, 1, tzinfo=UTC)


class FailingFolder(EvidenceFolder):
    """Does not write while it is full; may fail after the file is there."""

    full = False
    fails_late = False

    def write(self, name: str, data: bytes) -> FileDigest:
        if self.full:
            raise OSError("full")
        written = super().write(name, data)
        if self.fails_late:
            raise OSError("no answer")
        return written


@pytest.fixture
def folder(tmp_path: Path) -> FailingFolder:
    return FailingFolder(tmp_path)


@pytest.fixture
def later() -> list[str]:
    return []


@pytest.fixture
def journal(folder: FailingFolder, later: list[str]) -> Journal:
    return Journal(
        folder,
        token="0123abcd",
        first=folder.write("0123abcd-request.json", b"{}"),
        ahead=3,
        later_try=lambda: later[-1] if later else None,
    )


def lead_of(item: int) -> tuple[int, str]:
    return item, f"lead {item}"


def queued(index: int) -> OutcomeLine:
    return OutcomeLine(index=index, prospect_id=f"lead {index}", outcome="queued", final=True)


def lines_in(tmp_path: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in objects_in(tmp_path, "*-0????.jsonl") if line["line"] == kind]


def named_in(tmp_path: Path) -> list[int]:
    return [index for line in lines_in(tmp_path, "named") for index, _ in line["leads"]]


def test_lead_is_named_before_it_goes(journal, tmp_path):
    """Each lead is in a closed part before it is given out, and few others are."""
    for item in journal.written_ahead(range(8), lead_of):
        named = named_in(tmp_path)
        assert item in named
        assert len(named) <= item // 3 * 3 + 3
    assert named_in(tmp_path) == list(range(8))
    assert len(list(tmp_path.glob("*-0????.jsonl"))) == 3


def test_unwritten_part_sends_nothing(journal, folder, tmp_path):
    """Where a part cannot be written, none of its leads is given out."""
    items = journal.written_ahead(range(9), lead_of)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    folder.full = True
    with pytest.raises(OSError, match="full"):
        next(items)
    assert named_in(tmp_path) == [0, 1, 2]
    assert set(journal.open_leads) == {0, 1, 2, 3, 4, 5}


def test_parts_are_chained(journal, tmp_path):
    """Each part names the file before it by its SHA-256, the first one the request."""
    for item in journal.written_ahead(range(7), lead_of):
        journal.ended(queued(item))
    journal.archived(ArchivedLine(file=FileDigest(name="a", sha256="0" * 64), leads=1, records=2))
    journal.close()
    files = [tmp_path / file.name for file in journal.files]
    assert [path.name for path in files] == ["0123abcd-request.json"] + [
        f"0123abcd-{number:05}.jsonl" for number in range(1, 5)
    ]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert [file.sha256 for file in journal.files] == digests
    heads = [json.loads(path.read_text().splitlines()[0]) for path in files[1:]]
    assert [head["previous"]["sha256"] for head in heads] == digests[:-1]
    assert [head["previous"]["name"] for head in heads] == [path.name for path in files[:-1]]
    assert [(head["part"], head["schema_version"]) for head in heads] == [(n, 1) for n in range(1, 5)]


def test_outcomes_wait_two_seconds(journal, tmp_path):
    """Outcomes that have waited two seconds get a part of their own."""
    journal.write_if_due(0.0)
    journal.ended(queued(0))
    for now in (10.0, 10.0 + WRITE_EVERY - 0.1):
        journal.write_if_due(now)
        assert lines_in(tmp_path, "outcome") == []
    journal.write_if_due(10.0 + WRITE_EVERY)
    assert [line["index"] for line in lines_in(tmp_path, "outcome")] == [0]
    journal.write_if_due(99.0)
    assert len(list(tmp_path.glob("*-0????.jsonl"))) == 1


def test_calls_are_written(journal, tmp_path):
    """Each call has a line with its time and its answer, cut and on one line."""
    journal.called(Call(LEAD, AT, 0.51234, ThrottledError("slow\ndown " * 999, status=429)))
    journal.called(Call(LEAD, AT, 0.25, None))
    journal.close()
    first, second = lines_in(tmp_path, "call")
    assert first["answer"].startswith("HTTP 429: slow down slow")
    assert len(first["answer"]) < 510
    assert second == {
        "line": "call",
        "prospect_id": LEAD,
        "sent_at": "2026-10-01T00:00:00.000+00:00",
        "seconds": 0.25,
        "answer": "queued",
        "status": 200,
    }


@pytest.mark.parametrize("late", [False, True])
def test_failed_write_loses_no_line(journal, folder, tmp_path, late):
    """Lines whose part failed are in the next one, or in that one where it is there after all."""
    for item in journal.written_ahead(range(2), lead_of):
        journal.ended(queued(item))
    folder.full, folder.fails_late = not late, late
    with pytest.raises(OSError, match=r"full|no answer"):
        journal.close()
    folder.full = folder.fails_late = False
    journal.ended(queued(7))
    journal.close()
    assert [line["index"] for line in lines_in(tmp_path, "outcome")] == [0, 1, 7]
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(file.name for file in journal.files)


def test_long_answers_make_more_parts(journal, tmp_path):
    """However long the errors are, and in whatever script, no part is too large to be read again."""
    error = LeadRejectedError("\N{DEVANAGARI LETTER A}\N{GRINNING FACE}" * 999, status=500)
    for index in range(1500):
        journal.called(Call(LEAD, AT, 0.1, error))
        reason = "\N{GRINNING FACE}" * 500
        journal.ended(OutcomeLine(index=index, prospect_id=LEAD, outcome="failed", reason=reason, final=True))
    journal.close()
    parts = sorted(tmp_path.glob("*-0????.jsonl"))
    assert max(part.stat().st_size for part in parts) < MOST_PART
    told = [line for part in parts for line in parse_part(part.read_bytes())[1]]
    assert len(told) == 3000
    assert [line.index for line in told if isinstance(line, OutcomeLine)] == list(range(1500))


def test_later_try_ends_naming(journal, later, tmp_path):
    """Once a later try is at work no more leads are named, and what became of the others is still written."""
    given = []
    for item in journal.written_ahead(range(9), lead_of):
        given.append(item)
        if item == 4:
            later.append("try 2")
    assert given == [0, 1, 2, 3, 4, 5] == named_in(tmp_path)
    assert journal.overtaken_by == "try 2"
    journal.ended(queued(5))
    journal.close()
    assert [line["index"] for line in lines_in(tmp_path, "outcome")] == [5]


def test_later_try_is_seen_by_outcomes_too(journal, later):
    """A later try is noticed also where only outcomes are written."""
    assert next(journal.written_ahead(range(9), lead_of)) == 0
    later.append("try 3")
    journal.ended(queued(0))
    journal.write_if_due(0.0)
    journal.write_if_due(WRITE_EVERY)
    assert journal.overtaken_by == "try 3"


def test_later_try_before_the_first_part(journal, later):
    """A later try that is at work before the first part lets no lead be called."""
    later.append("try 3")
    assert list(journal.written_ahead(range(9), lead_of)) == []
    assert journal.overtaken_by == "try 3"


def test_open_leads(journal):
    """Open are leads that are named and have no outcome."""
    for item in journal.written_ahead(range(4), lead_of):
        if item != 1:
            journal.ended(queued(item))
    assert journal.open_leads == {1: "lead 1"}
