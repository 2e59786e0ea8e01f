"""Unusual DAGs and damaged files: nothing more goes than was asked, and nothing is said that is not so."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset import evidence
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from support.dag_runs import IN_WINDOW, Run, Runner, load_dag_file
from support.evidence_files import a_request

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("attack_dags")


@pytest.fixture
def leads(lsq: Any) -> list[str]:
    """Three leads with an activity and a note each."""
    made = [lsq.add_lead() for _ in range(3)]
    for lead in made:
        lsq.add_activity(lead, 166, IN_WINDOW)
        lsq.add_note(lead, "a note", IN_WINDOW)
    return made


@pytest.fixture
def planned(dags: ModuleType, run: Runner, tmp_path: Path, monkeypatch: Any) -> Callable[..., Run]:
    def start(leads: list[str], between: Callable[[], Any] = lambda: None) -> Run:
        monkeypatch.setattr(dags, "pause", between)
        return run(dags.everything_planned, leads=leads, evidence=str(tmp_path))

    return start


def left(lsq: Any, lead: str) -> int:
    lsq.wait_until_idle()
    return sum(map(len, lsq.remaining(lead).values()))


def test_mapped_plans_reset_and_verified(lsq, leads, dags, run, tmp_path):
    """Mapped previews make a plan each, and each plan is reset and verified."""
    result = run(dags.mapped_plans, leads=[leads[:2], leads[2:]], evidence=str(tmp_path))
    assert result.state == "success"
    assert sorted(proof["gone"] for proof in result.xcoms("verify")) == [2, 4]
    assert sorted(path.parent.name for path in tmp_path.rglob("plan-*")) == ["map-0", "map-1"]
    assert [left(lsq, lead) for lead in leads] == [0, 0, 0]


def test_default_args_reach_all_tasks(lsq, leads, dags, run, tmp_path):
    """Default arguments reach all three tasks, and a rescheduled sensor reads a lead twice at most."""
    lsq.reset_calls()
    result = run(dags.by_default_args, leads=leads, evidence=str(tmp_path))
    assert result.state == "success"
    assert result.xcoms("reset")[0]["approval"] == {"approved": True, "by": "Asha", "ticket": "CRM-17"}
    assert list(tmp_path.rglob("*-archive-*"))
    reads = sum(call.path == "LeadManagement.svc/RetrieveNote" for call in lsq.calls)
    assert reads <= 4 * len(leads)  # preview, copy, and two pokes


def test_pool_task_waits_out_window(lsq, leads, dags, run, tmp_path, monkeypatch):
    """Only a task in the account's pool waits until its last sliding window is over."""
    waits: list[RateLimiter] = []
    monkeypatch.setattr(RateLimiter, "drain", lambda limiter: waits.append(limiter))
    assert run(dags.by_default_args, leads=leads, evidence=str(tmp_path)).state == "success"
    assert len(waits) >= 3, "preview, reset, and each look"
    waits.clear()
    assert run(dags.archived, leads=leads, evidence=str(tmp_path)).state == "success"
    assert waits == []


def test_entire_history_plan_end(lsq, leads, planned):
    """A plan of the entire history is reset up to the moment when the run was due."""

    def add() -> None:
        lsq.add_note(leads[0], "new", datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))

    result = planned(leads, add)
    assert result.state == "success"
    assert [left(lsq, lead) for lead in leads] == [1, 0, 0]
    assert result.xcoms("preview")[0]["window"].startswith("2000-01-01T00:00:00Z/")


def test_repeated_preview_keeps_first_plan(lsq, leads, dags, run, tmp_path, monkeypatch):
    """A preview that runs again in the same run returns its first plan."""
    from airflow_provider_leadreset.runtime.preview_run import PreviewRun

    count, results = PreviewRun._count, []

    def count_and_die(self: Any, *args: Any) -> Any:
        results.append(count(self, *args))
        lsq.add_note(leads[0], "written since", IN_WINDOW)
        raise OSError("the worker died before it could tell")

    monkeypatch.setattr(PreviewRun, "_count", count_and_die)
    result = run(dags.previewed_twice, leads=leads, evidence=str(tmp_path))
    (told,) = result.xcoms("preview")
    assert [told] == results, "the second try counted nothing, and tells what the first had found"
    assert len(list(tmp_path.rglob("plan-*"))) == 1
    # What was shown goes; the lead with a record that was not shown is left alone.
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads[1:])


def test_leads_appended_to_plan_ignored(lsq, leads, planned, tmp_path):
    """Leads that are written behind the end of a plan are not reset."""

    def add() -> None:
        (path,) = tmp_path.rglob("plan-*.jsonl.gz")
        line = json.dumps({"prospect_id": leads[2], "activities": [], "notes": []}) + "\n"
        path.write_bytes(path.read_bytes() + gzip.compress(line.encode()))

    assert planned(leads[:2], add).state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads[:2])
    assert left(lsq, leads[2]) == 2


def test_missing_plan_resets_nothing(lsq, leads, planned, tmp_path, capfd):
    """A plan that vanished resets nothing."""
    result = planned(leads, lambda: next(tmp_path.rglob("plan-*")).unlink())
    assert result.states("reset") == ["failed"]
    assert lsq.resets == []
    assert "there is no plan at" in capfd.readouterr().out


def test_plan_of_other_run_refused(lsq, leads, planned, tmp_path, monkeypatch, capfd):
    """A plan of another run in the same folder is not taken for the plan of this run."""
    from airflow_provider_leadreset.leadsquared.journal import folder as folders

    monkeypatch.setattr(
        "airflow_provider_leadreset.runtime.base.task_folder",
        lambda root, kind, **ids: folders.task_folder(root, kind, **{**ids, "run_id": "a_b"}),
    )
    assert planned(leads[:1]).state == "success"
    lsq.reset_calls()
    assert planned(leads[1:]).states("preview") == ["failed"]
    assert lsq.resets == []
    assert "is of another run" in capfd.readouterr().out


@pytest.mark.parametrize("path", ["Task.svc/RetrieveTaskType", "LeadManagement.svc/RetrieveTaskByLeadId"])
def test_outage_costs_one_poke(lsq, leads, dags, run, monkeypatch, path):
    """An outage of any call costs the sensor one poke."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    lsq.fault("502-html", times=3, path=path)
    assert run(dags.tasks_verified, leads=leads).state == "success"


def test_account_outage_costs_one_poke(lsq, leads, planned, monkeypatch):
    """An outage while the account of a plan is asked for costs the sensor one poke."""
    from airflow_provider_leadreset.runtime.verification_run import VerificationRun

    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    verify, pokes = VerificationRun.verify, []

    def once(self: Any, sensor: Any) -> Any:
        if not pokes:
            lsq.fault("502-html", times=1, path="Authentication.svc/UserByAccessKey.Get")
        pokes.append(1)
        return verify(self, sensor)

    monkeypatch.setattr(VerificationRun, "verify", once)
    assert planned(leads).state == "success"
    assert len(pokes) >= 2


def test_full_outage_reported_at_timeout(lsq, leads, dags, run, monkeypatch, capfd):
    """An outage of all leads is reported when the time of the sensor is over."""
    from airflow_provider_leadreset.leadsquared.api import client
    from airflow_provider_leadreset.leadsquared.safety.verification import Verification

    def used_up(*_: Any, **__: Any) -> Any:
        raise client.QuotaError("not one call was accepted")

    monkeypatch.setattr(client.LeadSquaredClient, "call", used_up)
    seen: list[str] = []
    said = Verification.describe_remaining
    monkeypatch.setattr(Verification, "describe_remaining", lambda self: seen.append(said(self)) or seen[-1])
    monkeypatch.setattr(dags.tasks_verified.get_task("verify"), "timeout", 1)
    assert run(dags.tasks_verified, leads=leads).state == "failed"
    assert "3 leads could not be read: not one call was accepted" in seen[-1]
    assert capfd.readouterr().out.count("This poke failed, the next will try again") >= 1


def test_changed_file_read_anew(lsq, leads, dags, run, tmp_path, monkeypatch):
    """A file that changes between two pokes is read anew."""
    from airflow_provider_leadreset.compat import PokeReturnValue
    from airflow_provider_leadreset.runtime.verification_run import VerificationRun

    clean = lsq.add_lead()
    path = tmp_path / "leads.txt"
    path.write_text(f"{clean}\n{leads[0]}")
    verify, pokes = VerificationRun.verify, []

    def change(self: Any, sensor: Any) -> Any:
        pokes.append(verify(self, sensor).is_done)
        path.write_text(f"{leads[0]}\n{clean}")
        return PokeReturnValue(is_done=pokes[-1] or len(pokes) == 3)

    monkeypatch.setattr(VerificationRun, "verify", change)
    run(dags.file_verified, path=str(path))
    assert pokes == [False, False, False]


def test_dag_serialization_is_stable(dags):
    """A DAG serializes alike at each parse."""
    from airflow.serialization import serialized_objects

    # Renamed in the course of Airflow 3.
    serializing = getattr(serialized_objects, "DagSerialization", None) or serialized_objects.SerializedDAG
    first, second = load_dag_file("attack_dags"), load_dag_file("attack_dags")
    for name in ("mapped_plans", "by_default_args", "everything_planned", "archived", "file_verified"):
        one, other = (serializing.to_dict(getattr(module, name)) for module in (first, second))
        assert one == other


HOSTILE = {
    "report:try-1/0123abcd-request.json": b"[1]",
    "report:try-3/0123abcd-00001.jsonl": b'{"prospect_id": [1], "sent_at": null, "answer": {"a": 1}}\n5\n',
    "archive:try-1/0123abcd-archive-00001.jsonl.gz": gzip.compress(b'{"kind": "notes"}\n' * 9)[:-9]
    + b"\0" * 9,
    "archive:try-2/0123abcd-archive-00001.jsonl.gz": b"\x1f\x8b\x08\x00" + b"\xff" * 99,
    "report:try-2/0123abcd-request.json": b"[" * 100_000,
    "report:try-10/0123abcd-verification.json": b'{"gone": 1}',
    "report:plan-1.jsonl.gz": b"\x1f\x8b\x08\x00" + b"\xff" * 99,
}


def test_hostile_evidence_files(tmp_path, capsys):
    """Hostile files are named in the report and forge no line of it."""
    folder = tmp_path / "report" / "d" / "r" / "t" / "unmapped"
    for name, content in HOSTILE.items():
        root, _, rest = name.partition(":")
        path = tmp_path / root / "d" / "r" / "t" / "unmapped" / rest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "try-9").write_text("no folder")
    forged = "Asha\n\x1b[2JVerified by verify\n    9 of 9 planned records are gone <marquee>"
    approval = {"chosen_options": ["Approve"], "responded_by_user": {"name": forged}}
    (folder / "try-3" / "0123abcd-request.json").write_bytes(a_request(approval=approval).as_line())
    page = tmp_path / "page.html"
    assert evidence.main([str(tmp_path), "--html", str(page)]) == 0
    told, html = capsys.readouterr().out, page.read_text()
    assert not [
        line for line in told.splitlines() if line.strip().startswith(("Verified by", "Copied by", "9 of 9"))
    ]
    assert "<marquee>" not in html
    assert "\x1b" not in told + html
    for name in HOSTILE:
        if ":try-" in name:
            assert f"{name.partition(':')[2]} cannot be read" in told


def test_repeated_copies_count_once(tmp_path, capsys, monkeypatch):
    """What a retry copied again counts once."""
    line = b'{"kind": "notes", "id": "n1"}\n'
    for attempt in ("try-1", "try-2"):
        folder = tmp_path / "archive" / "d" / "r" / "t" / "unmapped" / attempt
        folder.mkdir(parents=True)
        (folder / "0123abcd-archive-00001.jsonl.gz").write_bytes(gzip.compress(line))
    monkeypatch.chdir(tmp_path / "archive" / "d" / "r")
    for path in (str(tmp_path), "."):
        evidence.main([path])
        told = capsys.readouterr().out
        assert "1 note, in 2 closed parts" in told
        assert told.startswith("d/r\n")


def test_requested_copy_never_skipped(lsq, leads, dags, run):
    """A copy that was asked for is never left out."""
    assert run(dags.archived, leads=leads, evidence=None).state == "failed"
    assert lsq.resets == []


def test_empty_mapped_approval_refused(lsq, leads, dags, run):
    """An approval that came to nothing is no approval in a mapped task either."""
    assert run(dags.mapped_approvals, leads=leads, approvals=[None]).state == "failed"
    assert lsq.resets == []


def test_changed_leads_fail_alone(lsq, dags, planned, run, tmp_path):
    """Leads that changed since the preview say nothing of the others, which are reset."""
    leads = [lsq.add_lead() for _ in range(24)]
    for lead in leads:
        lsq.add_activity(lead, 166, IN_WINDOW)
    result = planned(leads, lambda: [lsq.add_activity(lead, 166, IN_WINDOW) for lead in leads[:21]])
    (summary,) = result.xcoms("reset")
    assert (summary["queued"], summary["failed"], summary["not_reached"]) == (3, 21, 0)


def test_unwritable_evidence_keeps_summary(lsq, leads, dags, run, tmp_path, monkeypatch):
    """Evidence that cannot be written at the end hides no lead."""
    from airflow_provider_leadreset.leadsquared.journal.journal import Journal

    def full(_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Journal, "close", full)
    result = run(dags.archived, leads=leads, evidence=str(tmp_path))
    assert result.state == "failed"
    (summary,) = result.xcoms("reset")
    assert summary["queued"] == 3


def test_lost_progress_keeps_summary(lsq, leads, dags, run, tmp_path, monkeypatch):
    """Progress that cannot be kept loses no summary."""
    from airflow_provider_leadreset.runtime.checkpoint import Checkpoint

    def gone(_: Any) -> None:
        raise BrokenPipeError("nobody listens")

    monkeypatch.setattr(Checkpoint, "save_if_due", lambda *_: None)
    monkeypatch.setattr(Checkpoint, "save", gone)
    result = run(dags.plain, leads=leads)
    assert result.state == "failed"
    (summary,) = result.xcoms("reset")
    assert summary["queued"] == 3


def test_broken_off_task_keeps_summary(lsq, leads, dags, run, monkeypatch):
    """A summary is kept when a task is broken off after the last answer."""
    from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool

    loop = WorkerPool.map_with_ticks

    def loop_and_break_off(*given: Any) -> Any:
        yield from loop(*given)
        raise RuntimeError("broken off")

    monkeypatch.setattr(WorkerPool, "map_with_ticks", loop_and_break_off)
    result = run(dags.plain, leads=leads)
    assert result.state == "failed"
    (summary,) = result.xcoms("reset")
    assert (summary["queued"], summary["not_reached"]) == (3, 0)


def test_changes_after_check_ignored(lsq, leads, dags, planned, run, tmp_path, monkeypatch):
    """A plan or file that is changed once it was checked is reset as it was."""
    from airflow_provider_leadreset.runtime import reset_run

    announce, path = reset_run.announce_calls, tmp_path / "leads.txt"

    def change_and_announce(*given: Any, **named: Any) -> None:
        for changed in (*tmp_path.rglob("plan-*"), path):
            changed.write_bytes(b"other")
        announce(*given, **named)

    monkeypatch.setattr(reset_run, "announce_calls", change_and_announce)
    result = planned(leads[:2])
    assert (result.states("reset"), result.states("verify")) == (["success"], ["failed"])
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads[:2])
    path.write_text(f"{leads[2]}\n")
    assert run(dags.of_a_file, path=str(path)).state == "success"
    assert lsq.resets[-1].prospect_id == leads[2]


def test_connection_without_host_fails(lsq, leads, dags, run, monkeypatch, capfd):
    """A connection without a host fails and says what is missing."""
    connection = json.loads(lsq.conn_json) | {"host": ""}
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    assert run(dags.archived, leads=leads, evidence="/nowhere").state == "failed"
    output = capfd.readouterr().out
    assert "LeadResetInputError" in output
    assert "the connection's Host is" in output
