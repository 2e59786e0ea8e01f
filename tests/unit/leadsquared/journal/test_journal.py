from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.errors import InputError, ThrottledError
from airflow_provider_leadreset.leadsquared.journal.journal import (
    PART_LINES,
    PART_SECONDS,
    Report,
    evidence_folder,
)

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
AT = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return evidence_folder(
        tmp_path,
        dag_id="d",
        run_id="manual__2026-10-01T00:00:00+00:00",
        task_id="g.t",
        map_index=-1,
        try_number=2,
    )


def test_evidence_folder_path(folder, tmp_path):
    """The evidence folder belongs to a single try and has a safe name."""
    assert str(folder) == str(
        tmp_path / "d" / "manual__2026-10-01T00_00_00_00_00" / "g.t" / "unmapped" / "try-2"
    )


def test_files_never_overwritten(folder):
    """A file is never written twice."""
    folder.write("a", b"1")
    with pytest.raises(InputError, match="never written over"):
        folder.write("a", b"2")
    assert (folder.path / "a").read_bytes() == b"1"


def test_report_parts(folder):
    """A report has one line per call, and is written in parts."""
    report = Report(folder)
    report.add(Call(LEAD, AT, 0.5, ThrottledError("slow down", status=429)))
    report.write_if_due(0.0)
    report.add(Call(LEAD, AT, 0.25, None))
    report.write_if_due(PART_SECONDS - 1)
    assert not folder.path.exists()
    report.write_if_due(PART_SECONDS)
    for _ in range(PART_LINES):
        report.add(Call(LEAD, AT, 0.25, None))
    report.write_if_due(PART_SECONDS)
    report.write()
    parts = sorted(folder.path.iterdir())
    assert [part.name for part in parts] == ["report-00001.jsonl", "report-00002.jsonl"]
    first = [json.loads(line) for line in parts[0].read_text().splitlines()]
    assert first == [
        {
            "prospect_id": LEAD,
            "sent_at": "2026-10-01T00:00:00.000+00:00",
            "seconds": 0.5,
            "answer": "HTTP 429: slow down",
            "status": 429,
        },
        {
            "prospect_id": LEAD,
            "sent_at": "2026-10-01T00:00:00.000+00:00",
            "seconds": 0.25,
            "answer": "queued",
            "status": 200,
        },
    ]
    assert len(parts[1].read_text().splitlines()) == PART_LINES


@pytest.mark.parametrize("name", ["..", ".", "...", "../x"])
def test_ids_stay_in_folder(tmp_path, name):
    """No ID leads out of its folder."""
    folder = evidence_folder(tmp_path, dag_id=name, run_id=name, task_id=name, map_index=-1, try_number=1)
    assert len(folder.path.relative_to(tmp_path).parts) == 5
    assert not {".", "..", ""} & set(folder.path.parts)


def test_failed_part_kept_for_next(folder, monkeypatch):
    """Calls whose part could not be written are in the next part."""
    report = Report(folder)
    report.add(Call(LEAD, AT, 0.5, None))
    with monkeypatch.context() as patched:
        patched.setattr(type(folder), "write", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            report.write()
    report.write()
    (part,) = folder.path.iterdir()
    assert (part.name, len(part.read_text().splitlines())) == ("report-00002.jsonl", 1)
