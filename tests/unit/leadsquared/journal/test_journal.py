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
    checked_root,
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


def test_a_folder_is_one_tries_own_and_its_name_is_safe(folder, tmp_path):
    assert str(folder) == str(
        tmp_path / "d" / "manual__2026-10-01T00_00_00_00_00" / "g.t" / "unmapped" / "try-2"
    )


def test_a_file_is_never_written_twice(folder):
    folder.write("a", b"1")
    with pytest.raises(InputError, match="never written over"):
        folder.write("a", b"2")
    assert (folder.path / "a").read_bytes() == b"1"


def test_a_report_has_a_line_per_call_in_parts(folder):
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


@pytest.mark.parametrize("value", ["", "  ", "None", None])
def test_a_path_that_rendered_to_nothing_is_refused(value):
    with pytest.raises(InputError, match="evidence_path"):
        checked_root(value)


@pytest.mark.parametrize("name", ["..", ".", "...", "../x"])
def test_no_id_leads_out_of_its_folder(tmp_path, name):
    folder = evidence_folder(tmp_path, dag_id=name, run_id=name, task_id=name, map_index=-1, try_number=1)
    assert len(folder.path.relative_to(tmp_path).parts) == 5
    assert not {".", "..", ""} & set(folder.path.parts)


def test_calls_whose_part_could_not_be_written_stand_in_the_next(folder, monkeypatch):
    report = Report(folder)
    report.add(Call(LEAD, AT, 0.5, None))
    with monkeypatch.context() as patched:
        patched.setattr(type(folder), "write", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            report.write()
    report.write()
    (part,) = folder.path.iterdir()
    assert (part.name, len(part.read_text().splitlines())) == ("report-00002.jsonl", 1)
