"""Preview, plan, approval, archive and verification, in real DAG runs against the emulator."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset import evidence
from support.dag_runs import Run, Runner, load_dag_file

pytestmark = pytest.mark.usefixtures("airflow_db")

IN_WINDOW, OUTSIDE = "2026-09-15 10:00:00", "2026-10-01 00:00:00"
OTHER_TYPE = "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602"
UNKNOWN = "11111111-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("safe_dags")


@pytest.fixture
def world(lsq: Any, dags: ModuleType) -> list[str]:
    """Two leads with 2 activities, 1 task and 1 note inside the window each, and as many others; one lead without."""
    lsq.add_task_type("Follow-up | call", dags.TASK_TYPE)
    lsq.add_task_type("Site meeting", OTHER_TYPE)
    lsq.add_activity_type(166, "Test *call*")
    lsq.add_activity_type(167, "Site visit")
    leads = [lsq.add_lead() for _ in range(3)]
    for lead in leads[:2]:
        for when in (IN_WINDOW, OUTSIDE):
            lsq.add_activity(lead, 166, when)
            lsq.add_activity(lead, 167, when)
            lsq.add_task(lead, dags.TASK_TYPE, when, owner="meera@example.com")
            lsq.add_note(lead, "a note", when)
        lsq.add_activity(lead, 201, IN_WINDOW)
        lsq.add_task(lead, OTHER_TYPE, IN_WINDOW, owner="meera@example.com")
        lsq.add_audit(lead, "StageChange", IN_WINDOW)
    lsq.reset_calls()
    return leads


@pytest.fixture
def safe(dags: ModuleType, run: Runner, tmp_path: Path) -> Callable[..., Run]:
    return lambda leads, **conf: run(
        dags.safe, leads=leads, evidence=str(tmp_path), **{"approval": {"ticket": "CRM-17"}, **conf}
    )


def count(lsq: Any, lead: str) -> dict[str, int]:
    lsq.wait_until_idle()
    return {kind: len(rows) for kind, rows in lsq.remaining(lead).items()}


def test_what_was_previewed_goes_is_copied_and_proven(lsq, world, safe, tmp_path):
    gone = {lead: ids_in_window(lsq, lead) for lead in world[:2]}
    result = safe([*world, UNKNOWN])
    assert result.state == "success"
    (preview,), (summary,), (verification,) = (result.xcoms(name) for name in ("preview", "reset", "prove"))
    assert preview["totals"] == {"activities": 4, "tasks": 2, "notes": 2, "audits": None}
    assert (preview["leads"], preview["unknown_leads"]) == (4, [UNKNOWN])
    assert (summary["leads"], summary["queued"], summary["failed"]) == (2, 2, 0)
    assert summary["approval"] == {"ticket": "CRM-17"}
    assert (verification["gone"], verification["records"], verification["leads_done"]) == (8, 8, 2)
    assert [count(lsq, lead) for lead in world[:2]] == [
        {"activities": 3, "tasks": 2, "notes": 1, "audits": 1}
    ] * 2
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(world[:2])
    copied = read_archive(tmp_path)
    assert {lead: {line["id"] for line in copied if line["prospect_id"] == lead} for lead in gone} == gone
    assert {line["record"]["Note"] for line in copied if line["kind"] == "notes"} == {"a note"}
    (kept,) = tmp_path.rglob("verification.json")
    assert json.loads(kept.read_text())["gone"] == 8
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json*") if path.suffix != ".gz")
    assert lsq.access_key.encode() not in everything
    assert lsq.secret_key.encode() not in everything


def test_an_auditor_reads_from_the_folder_what_happened(lsq, world, safe, tmp_path, capsys):
    approved = {
        "chosen_options": ["Approve"],
        "responded_by_user": {"id": "1", "name": "Asha"},
        "responded_at": "noon",
    }
    assert safe(world, approval=approved).state == "success"
    page = tmp_path / "page.html"
    capsys.readouterr()
    assert evidence.main([str(tmp_path), "--html", str(page)]) == 0
    told, html = capsys.readouterr().out, page.read_text()
    parts = [
        "Planned by preview",
        "4 activities, 2 tasks, 2 notes of 2 leads",
        "Asked of reset, try-1",
        "Approve, by Asha, at noon",
        "2 resets in 1 try: 2 leads queued by LeadSquared",
        "4 activities, 2 notes, 2 tasks, in 1 closed part",
        "8 of 8 planned records are gone, 2 of 2 leads are done",
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert all(part in html for part in parts)


def test_an_auditor_is_told_what_cannot_be_read(lsq, world, safe, tmp_path, capsys):
    safe(world)
    (part,) = tmp_path.rglob("archive-*.jsonl.gz")
    part.write_bytes(part.read_bytes()[:-20])
    (plan,) = tmp_path.rglob("plan-*.jsonl.gz")
    plan.write_bytes(plan.read_bytes()[:-20])
    capsys.readouterr()
    assert evidence.main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "archive-00001.jsonl.gz cannot be read" in told
    assert "was never finished and counts for nothing" in told


def test_an_empty_folder_has_nothing_to_tell(tmp_path, capsys):
    assert evidence.main([str(tmp_path)]) == 1
    assert "No evidence was found" in capsys.readouterr().out


def ids_in_window(lsq: Any, lead: str) -> set[str]:
    rows = lsq.remaining(lead)
    wanted = [row for row in rows["activities"] if row["event_code"] in (166, 167)]
    wanted += [row for row in rows["tasks"] if row["task_type_id"] != OTHER_TYPE] + rows["notes"]
    return {row["id"] for row in wanted if row["created_on"].startswith("2026-09")}


def read_archive(folder: Path) -> list[dict[str, Any]]:
    parts = sorted(folder.rglob("archive-*.jsonl.gz"))
    assert parts
    return [json.loads(line) for part in parts for line in gzip.open(part, "rt", encoding="utf-8")]


def test_a_copy_is_closed_before_the_first_of_its_leads_is_reset(lsq, world, safe, tmp_path, monkeypatch):
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

    found: list[int] = []
    reset = LeadSquaredClient.reset

    def watched(self: Any, asked: Any) -> None:
        found.append(sum(line["prospect_id"] == asked.prospect_id for line in read_archive(tmp_path)))
        reset(self, asked)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    assert safe(world).state == "success"
    assert found == [4, 4]


def test_a_lead_whose_copy_fails_is_not_reset_and_is_named(lsq, world, dags, safe, monkeypatch):
    from airflow_provider_leadreset.leadsquared.api import client

    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    state = {}

    def break_notes() -> None:
        lsq.fault("500", times=None, path="LeadManagement.svc/RetrieveNote")
        state["before"] = [count(lsq, lead) for lead in world]

    monkeypatch.setattr(dags, "pause", break_notes)
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    (summary,) = result.xcoms("reset")
    assert summary["failed"] == 2
    assert "not reset, because of its records" in summary["failures"][0]["error"]


def test_a_record_that_came_after_the_preview_is_named_and_its_lead_is_left_alone(
    lsq, world, dags, safe, monkeypatch
):
    new: list[str] = []
    monkeypatch.setattr(dags, "pause", lambda: new.append(lsq.add_activity(world[0], 166, IN_WINDOW)))
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert [call.prospect_id for call in lsq.resets] == [world[1]]
    (summary,) = result.xcoms("reset")
    assert summary["failures"] == [{"prospect_id": world[0], "error": summary["failures"][0]["error"]}]
    assert new[0] in summary["failures"][0]["error"]


@pytest.mark.parametrize(
    "approval",
    [
        None,
        "",
        {"chosen_options": ["Reject"]},
        {"chosen_options": ["Approve", "Reject"]},
        {"chosen_options": []},
        {"chosen_options": ["Approve"], "timedout": True},
    ],
)
def test_without_a_yes_nothing_is_reset(lsq, world, safe, approval):
    result = safe(world, approval=approval)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []


def test_a_plan_that_was_changed_is_refused(lsq, world, dags, safe, tmp_path, monkeypatch, capfd):
    def change() -> None:
        (path,) = tmp_path.rglob("plan-*.jsonl.gz")
        lines = gzip.decompress(path.read_bytes()).replace(b"2026-09-01", b"2026-08-01")
        path.write_bytes(gzip.compress(lines))

    monkeypatch.setattr(dags, "pause", change)
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    assert "was changed since it was written" in capfd.readouterr().out


def test_a_plan_of_another_account_is_refused(lsq, world, dags, safe, monkeypatch, capfd):
    monkeypatch.setattr(dags, "pause", lambda: lsq.set_user("Administrator", org_short_code="OTHER"))
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    assert "OTHER" in capfd.readouterr().out


def test_a_preview_alone_names_what_it_cannot_count_or_does_not_know(lsq, world, dags, run, capfd):
    result = run(dags.look_only, leads=[*world, UNKNOWN])
    assert result.state == "success"
    (preview,) = result.xcoms("preview")
    assert (preview["plan"], preview["digest"]) == (None, None)
    text = preview["markdown"]
    for part in (
        "### 6 records of 2 leads would be deleted",
        "| activities | Test \\*call\\* (166) | 2 |",
        "| activities | event 999, **unknown to the account** | 0 |",
        "Follow-up \\| call",
        "| audits | StageChange | **cannot be counted** |",
        f"**Unknown to the account: 1 lead**, not reset: {UNKNOWN}.",
        "inferred, not documented",
    ):
        assert part in text
    assert lsq.resets == []
    assert "What a reset would delete:" in capfd.readouterr().out


def test_a_preview_takes_no_more_calls_than_it_must(lsq, world, dags, run):
    run(dags.look_only, leads=world)
    by_path: dict[str, int] = {}
    for call in lsq.calls:
        by_path[call.path] = by_path.get(call.path, 0) + 1
    assert by_path == {
        "LeadManagement.svc/Leads/Retrieve/ByIds": 1,
        "ProspectActivity.svc/Retrieve": 3,
        "LeadManagement.svc/RetrieveTaskByLeadId": 3,
        "LeadManagement.svc/RetrieveNote": 3,
        "Task.svc/Retrieve": 4,  # one owner, two types, open and done
        "Task.svc/RetrieveTaskType": 1,
        "ProspectActivity.svc/ActivityTypes.Get": 1,
    }


def test_more_records_than_max_records_are_refused_with_their_kinds(lsq, world, dags, run, capfd):
    assert run(dags.guarded, leads=world).state == "failed"
    assert lsq.resets == []
    assert (
        "8 records would go (4 activities, 2 tasks, 2 notes), more than max_records=3"
        in capfd.readouterr().out
    )


def test_fewer_records_than_max_records_go(lsq, world, dags, run):
    assert run(dags.guarded, leads=[world[2]]).state == "success"
    assert len(lsq.resets) == 1


def test_max_records_with_audits_is_an_error(lsq, world, dags, run, capfd):
    assert run(dags.guarded_audits, leads=world).state == "failed"
    assert lsq.resets == []
    assert "audits cannot be counted" in capfd.readouterr().out


def test_the_sensor_without_a_plan_waits_until_nothing_matches(lsq, world, dags, run):
    assert run(dags.verification, leads=[world[2]]).xcoms("prove")[0]["leads_done"] == 1


def test_the_sensor_names_what_is_left_when_its_time_is_over(lsq, world, dags, run, capfd):
    assert run(dags.verification, leads=world).state == "failed"
    output = capfd.readouterr().out
    assert "8 records are left" in output
    assert f"{world[0]}: 2 activities, 1 tasks, 1 notes" in output


def test_a_failed_look_is_repeated_at_the_next(lsq, world, dags, run, monkeypatch):
    from airflow_provider_leadreset.leadsquared.api import client

    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    lsq.fault("502-html", times=1, path="LeadManagement.svc/RetrieveNote")
    assert run(dags.verification, leads=[world[2]]).state == "success"


def test_audits_alone_cannot_be_proven(lsq, world, dags, run, capfd):
    assert run(dags.proof_of_audits, leads=world).state == "failed"
    assert lsq.calls == []
    assert "no call that reads them" in capfd.readouterr().out
