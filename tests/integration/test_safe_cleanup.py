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
from airflow_provider_leadreset.emulator import Dialect
from support.dag_runs import Run, Runner, load_dag_file

pytestmark = pytest.mark.usefixtures("airflow_db")

IN_WINDOW, OUTSIDE = "2026-09-15 10:00:00", "2026-10-01 00:00:00"
OTHER_TYPE = "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602"
TICKET = {"approved": True, "by": "Asha", "ticket": "CRM-17"}
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
        dags.safe, leads=leads, evidence=str(tmp_path), **{"approval": TICKET, **conf}
    )


def count(lsq: Any, lead: str) -> dict[str, int]:
    lsq.wait_until_idle()
    return {kind: len(rows) for kind, rows in lsq.remaining(lead).items()}


def test_plan_copied_reset_and_verified(lsq, world, safe, tmp_path):
    """What was previewed is copied and goes, and the API no longer gives it."""
    gone = {lead: ids_in_window(lsq, lead) for lead in world[:2]}
    result = safe([*world, UNKNOWN])
    assert result.state == "success"
    (preview,), (summary,), (verification,) = (result.xcoms(name) for name in ("preview", "reset", "verify"))
    assert preview["totals"] == {"activities": 4, "tasks": 2, "notes": 2, "audits": 0}
    assert (preview["leads"], preview["unknown_leads"]) == (4, [UNKNOWN])
    assert (summary["leads"], summary["queued"], summary["failed"]) == (2, 2, 0)
    assert summary["approval"] == TICKET
    assert (verification["gone"], verification["records"], verification["leads_done"]) == (8, 8, 2)
    assert [count(lsq, lead) for lead in world[:2]] == [
        {"activities": 3, "tasks": 2, "notes": 1, "audits": 1}
    ] * 2
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(world[:2])
    copied = read_archive(tmp_path)
    assert {lead: {line["id"] for line in copied if line["prospect_id"] == lead} for lead in gone} == gone
    assert {line["record"]["Note"] for line in copied if line["kind"] == "notes"} == {"a note"}
    (kept,) = tmp_path.rglob("*-verification.json")
    assert json.loads(kept.read_text())["gone"] == 8
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json*") if path.suffix != ".gz")
    assert lsq.access_key.encode() not in everything
    assert lsq.secret_key.encode() not in everything


def test_evidence_report(lsq, world, safe, tmp_path, capsys):
    """An auditor reads from the folder what happened."""
    approved = {
        "chosen_options": ["Approve"],
        "responded_by_user": {"id": "1", "name": "Asha"},
        "responded_at": "2099-10-01T12:00:00+00:00",
    }
    assert safe(world, approval=approved).state == "success"
    page = tmp_path / "page.html"
    capsys.readouterr()
    assert evidence.main([str(tmp_path), "--html", str(page)]) == 0
    told, html = capsys.readouterr().out, page.read_text()
    parts = [
        "Planned by preview",
        "4 activities, 2 tasks, 2 notes of 2 leads",
        "Requested of reset, try-1",
        "Approve, by Asha, at 2099-10-01T12:00:00+00:00",
        "2 resets in 1 try: 2 leads queued by LeadSquared",
        "4 activities, 2 notes, 2 tasks, in 1 closed part",
        "The API no longer gives 8 of 8 planned records; 2 of 2 leads done",
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)
    assert "The API no longer gives 8 of 8 planned records of 2 leads." in html


def test_evidence_report_names_damage(lsq, world, safe, tmp_path, capsys):
    """An auditor is told what cannot be read."""
    safe(world)
    (part,) = tmp_path.rglob("*-archive-*.jsonl.gz")
    part.write_bytes(part.read_bytes()[:-20])
    (plan,) = tmp_path.rglob("plan-*.jsonl.gz")
    plan.write_bytes(plan.read_bytes()[:-20])
    capsys.readouterr()
    assert evidence.main([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "archive-00001.jsonl.gz: it is not as the journal says, so it counts for nothing" in told
    assert "was never finished and counts for nothing" in told


def test_evidence_report_of_empty_folder(tmp_path, capsys):
    """An empty folder has nothing to tell."""
    assert evidence.main([str(tmp_path)]) == 1
    assert "No evidence was found" in capsys.readouterr().out


def ids_in_window(lsq: Any, lead: str) -> set[str]:
    rows = lsq.remaining(lead)
    wanted = [row for row in rows["activities"] if row["event_code"] in (166, 167)]
    wanted += [row for row in rows["tasks"] if row["task_type_id"] != OTHER_TYPE] + rows["notes"]
    return {row["id"] for row in wanted if row["created_on"].startswith("2026-09")}


def read_archive(folder: Path) -> list[dict[str, Any]]:
    parts = sorted(folder.rglob("*-archive-*.jsonl.gz"))
    assert parts
    return [json.loads(line) for part in parts for line in gzip.open(part, "rt", encoding="utf-8")]


def test_copy_precedes_reset(lsq, world, safe, tmp_path, monkeypatch):
    """A copy is closed before the first of its leads is reset."""
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

    found: list[int] = []
    reset = LeadSquaredClient.reset

    def watched(self: Any, asked: Any, **when: Any) -> None:
        found.append(sum(line["prospect_id"] == asked.prospect_id for line in read_archive(tmp_path)))
        reset(self, asked, **when)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    assert safe(world).state == "success"
    assert found == [4, 4]


def test_failed_copy_prevents_reset(lsq, world, dags, safe, monkeypatch):
    """A lead whose copy fails is not reset and is named."""
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


def test_new_record_spares_its_lead(lsq, world, dags, safe, monkeypatch):
    """A record that came after the preview is named, and its lead is left alone."""
    new: list[str] = []
    monkeypatch.setattr(dags, "pause", lambda: new.append(lsq.add_activity(world[0], 166, IN_WINDOW)))
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert [call.prospect_id for call in lsq.resets] == [world[1]]
    (summary,) = result.xcoms("reset")
    assert [(one["prospect_id"], one["outcome"]) for one in summary["failures"]] == [(world[0], "failed")]
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
        {
            "chosen_options": ["Approve"],
            "responded_by_user": {"id": "1"},
            "responded_at": "2025-10-01T12:00:00+00:00",
        },
        {**TICKET, "approved": False},
        "CRM-17",
        "{{ params.ticket }}",
    ],
)
def test_reset_needs_approval(lsq, world, safe, approval):
    """Nothing is reset without an approval."""
    result = safe(world, approval=approval)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []


def test_changed_plan_refused(lsq, world, dags, safe, tmp_path, monkeypatch, capfd):
    """A plan that was changed is refused."""

    def change() -> None:
        (path,) = tmp_path.rglob("plan-*.jsonl.gz")
        lines = gzip.decompress(path.read_bytes()).replace(b"2026-09-01", b"2026-08-01")
        path.write_bytes(gzip.compress(lines))

    monkeypatch.setattr(dags, "pause", change)
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    assert "was changed since it was written" in capfd.readouterr().out


def test_plan_of_other_account_refused(lsq, world, dags, safe, monkeypatch, capfd):
    """A plan of another account is refused."""
    monkeypatch.setattr(dags, "pause", lambda: lsq.set_user("Administrator", org_short_code="OTHER"))
    result = safe(world)
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    assert "OTHER" in capfd.readouterr().out


def test_preview_names_unknowns(lsq, world, dags, run, capfd):
    """A preview alone names what it cannot count or does not know."""
    result = run(dags.look_only, leads=[*world, UNKNOWN])
    assert result.state == "success"
    (preview,) = result.xcoms("preview")
    assert (preview["plan"], preview["digest"]) == (None, None)
    text = preview["markdown"]
    for part in (
        "### 8 records of 2 leads would be deleted",
        "| activities | Test \\*call\\* (166) | 2 |",
        "| activities | event 999, **unknown to the account** | 0 |",
        "Follow-up \\| call",
        "| audits | StageChange | 2 |",
        f"**Unknown to the account: 1 lead**, not reset: {UNKNOWN}.",
        "that it is this one is inferred.",
    ):
        assert part in text
    assert lsq.resets == []
    assert "What a reset would delete, times in UTC:" in capfd.readouterr().out


def test_preview_call_count(lsq, world, dags, run):
    """A preview takes no more calls than it must."""
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


def test_too_many_records_refused(lsq, world, dags, run, capfd):
    """More records than `max_records` are refused, and the message names their kinds."""
    assert run(dags.guarded, leads=world).state == "failed"
    assert lsq.resets == []
    assert (
        "8 records would go (4 activities, 2 tasks, 2 notes), more than max_records=3"
        in capfd.readouterr().out
    )


def test_records_below_limit_go(lsq, world, dags, run):
    """Fewer records than `max_records` are deleted."""
    assert run(dags.guarded, leads=[world[2]]).state == "success"
    assert len(lsq.resets) == 1


def test_record_limit_counts_audits(lsq, world, dags, run, capfd):
    """A limit of `max_records` counts audits where they are shown, and is an error where none is."""
    for lead in world[:2]:
        for _ in range(2):
            lsq.add_audit(lead, "OwnerChange", IN_WINDOW)
    assert run(dags.guarded_audits, leads=world).state == "failed"
    assert "4 audits), more than max_records=3 allows" in capfd.readouterr().out
    lsq.dialect = Dialect(audits_shown=False)
    assert run(dags.guarded_audits, leads=world).state == "failed"
    assert "max_records cannot be held: audits are asked for" in capfd.readouterr().out
    assert lsq.resets == []


def test_sensor_without_plan(lsq, world, dags, run):
    """The sensor without a plan waits until nothing matches."""
    assert run(dags.verification, leads=[world[2]]).xcoms("verify")[0]["leads_done"] == 1


def test_sensor_timeout_names_remaining(lsq, world, dags, run, capfd):
    """The sensor names what is left when its time is over."""
    assert run(dags.verification, leads=world).state == "failed"
    output = capfd.readouterr().out
    assert "8 records are left" in output
    assert f"{world[0]}: 2 activities, 1 task, 1 note" in output


def test_failed_poke_is_repeated(lsq, world, dags, run, monkeypatch):
    """A poke that failed is repeated at the next one."""
    from airflow_provider_leadreset.leadsquared.api import client

    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    lsq.fault("502-html", times=1, path="LeadManagement.svc/RetrieveNote")
    assert run(dags.verification, leads=[world[2]]).state == "success"


def test_audits_alone_are_verified(lsq, world, dags, run, capfd):
    """Audits alone are verified where the leads show some: those in the window are left, or gone."""
    assert run(dags.verification_of_audits, leads=world).state == "failed"
    assert "2 records are left" in capfd.readouterr().out
    lsq.add_audit(world[2], "StageChange", OUTSIDE)
    assert run(dags.verification_of_audits, leads=[world[2]]).state == "success"


def test_audits_that_are_not_shown(lsq, world, dags, run, capfd):
    """Where no lead shows any audit, audits alone cannot be verified, and the task fails at once."""
    lsq.dialect = Dialect(audits_shown=False)
    assert run(dags.verification_of_audits, leads=world).state == "failed"
    assert "audits alone cannot be verified here" in capfd.readouterr().out
