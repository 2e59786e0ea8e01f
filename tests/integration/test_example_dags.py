"""Every example DAG, run to its end; assets are run by test_assets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.testing import approve_as, short_pace, unanswered_approvals
from support.dag_runs import airflow_version, load_dag_file
from support.simulated_account import compress

__all__ = ["approve_as", "short_pace", "unanswered_approvals"]

pytestmark = pytest.mark.usefixtures("airflow_db")

EXAMPLES = {path.stem for path in (Path(__file__).parent.parent.parent / "example_dags").glob("*.py")}


SEVERAL = "example_several_accounts"
SAFE, MONTHS = "example_safe_cleanup", "example_months"
HERE = EXAMPLES if airflow_version() >= (3, 1) else EXAMPLES - {SAFE, MONTHS}
"""Those that ask a person need Airflow 3.1."""

asks_a_person = pytest.mark.skipif(airflow_version() < (3, 1), reason="Airflow asks from 3.1 on")


def example(name: str) -> Any:
    if name == SEVERAL:
        return load_dag_file(name).example_several_accounts_india
    return getattr(load_dag_file(name), name)()


def test_all_examples_are_known():
    """All examples are known to this test file."""
    assert {
        "example_one_lead",
        "example_scheduled_cleanup",
        "example_after_crm_import",
        "example_fleet",
        SAFE,
        MONTHS,
        "example_asset_consumer",
        SEVERAL,
        "example_check_account",
    } == EXAMPLES


@pytest.mark.parametrize("name", sorted(HERE))
def test_example_has_careful_settings(airflow_db, name):
    """An example is as careful as it should be: no catch-up, one run at a time, and retries."""
    dag = example(name)
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    # A second try of the account check would make another lead.
    assert all(task.retries == (0 if name == "example_check_account" else 3) for task in dag.tasks)


def test_one_lead_example(lsq, run):
    """One lead loses its test calls of whole local days."""
    lead, stranger = lsq.add_lead(), lsq.add_lead()
    for one in (lead, stranger):
        lsq.add_activity(one, 166, "2026-08-31 18:29:59")
        lsq.add_activity(one, 166, "2026-08-31 18:30:00")
        lsq.add_activity(one, 167, "2026-09-15 10:00:00")
    result = run(example("example_one_lead"), lead=lead, window="2026-09-01/2026-10-01")
    assert result.state == "success"
    lsq.wait_until_idle()
    left = [(record["event_code"], record["created_on"][:19]) for record in lsq.remaining(lead)["activities"]]
    assert sorted(left) == [(166, "2026-08-31 18:29:59"), (167, "2026-09-15 10:00:00")]
    assert len(lsq.remaining(stranger)["activities"]) == 3


def test_one_lead_example_without_lead(lsq, run):
    """The example for one lead resets nobody where the lead is left empty."""
    lsq.add_activity(lsq.add_lead(), 166, "2026-09-15 10:00:00")
    assert run(example("example_one_lead")).state == "failed"
    assert lsq.calls == []


def test_scheduled_cleanup_example(lsq, run, tmp_path):
    """The nightly clean-up takes whole local days of the members of a list."""
    lead, stranger = lsq.add_lead(), lsq.add_lead()
    a_list = lsq.add_list("Test leads", [lead])
    for moment in (
        "2026-09-01 18:29:59",
        "2026-09-01 18:30:00",
        "2026-10-01 18:29:59",
        "2026-10-01 18:30:00",
    ):
        lsq.add_note(lead, "note", moment)
        lsq.add_note(stranger, "note", moment)
    run_at = datetime(2026, 10, 1, 21, 0, tzinfo=UTC)
    result = run(
        example("example_scheduled_cleanup"), logical_date=run_at, list_id=a_list, evidence=str(tmp_path)
    )
    assert result.state == "success"
    lsq.wait_until_idle()
    left = [note["created_on"][:19] for note in lsq.remaining(lead)["notes"]]
    assert left == ["2026-09-01 18:29:59", "2026-10-01 18:30:00"]
    assert len(lsq.remaining(stranger)["notes"]) == 4


def test_crm_import_example(lsq, run):
    """Leads start afresh after an import, and what the import adds stays."""
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, "2020-05-01 10:00:00")
    lsq.add_audit(lead, "StageChange", "2020-05-01 10:00:00")
    later = datetime.now(UTC) + timedelta(minutes=5)
    lsq.add_activity(lead, 166, later)
    assert run(example("example_after_crm_import"), returned=[lead]).state == "success"
    lsq.wait_until_idle()
    remaining = lsq.remaining(lead)
    assert (len(remaining["activities"]), remaining["audits"]) == (1, [])


def test_crm_import_example_without_leads(lsq, run):
    """A night on which no lead returns resets nothing."""
    result = run(example("example_after_crm_import"), returned=[])
    assert result.states("start_afresh") == ["skipped"]
    assert lsq.calls == []


def test_fleet_example_splits_leads(lsq, run):
    """The fleet example cuts its leads into tasks."""
    leads = [lsq.add_lead() for _ in range(5)]
    result = run(example("example_fleet"), leads=leads, leads_per_task=2)
    assert result.state == "success"
    assert sorted(summary["leads"] for summary in result.xcoms("reset")) == [1, 2, 2]
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)


@asks_a_person
@pytest.mark.parametrize("chosen", ["Approve", "Reject"])
def test_safe_example(lsq, run, tmp_path, approve_as, short_pace, chosen):
    """The careful example asks a person, and resets after a yes what was shown: calls, visits, follow-ups, notes."""
    lsq.limit.calls = None
    follow_up = lsq.add_task_type("Follow-up", "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01")
    lead = lsq.add_lead()
    for moment in ("2026-08-31 18:29:59", "2026-08-31 18:30:00"):
        lsq.add_activity(lead, 166, moment)
        lsq.add_activity(lead, 167, moment)
        lsq.add_task(lead, follow_up, moment)
        lsq.add_note(lead, "note", moment)
    approve_as("reviewer", chosen)
    result = run(example(SAFE), leads=[lead], evidence=str(tmp_path))
    assert result.states("clean_up.verify") == ["success" if chosen == "Approve" else "skipped"]
    lsq.wait_until_idle()
    left = [len(lsq.remaining(lead)[kind]) for kind in ("activities", "tasks", "notes")]
    assert left == ([2, 1, 1] if chosen == "Approve" else [4, 2, 2])


@asks_a_person
def test_months_example(lsq, run, tmp_path, approve_as, short_pace):
    """The mapped example asks about each month, and resets each that is approved."""
    lsq.limit.calls = None
    lead = lsq.add_lead()
    for moment in ("2026-06-30 18:30:00", "2026-08-31 18:29:59", "2026-08-31 18:30:00"):
        lsq.add_activity(lead, 166, moment)
    approve_as("reviewer")
    months = ["2026-07", "2026-08"]
    result = run(example(MONTHS), leads=[lead], months=months, evidence=str(tmp_path))
    assert result.states("month.clean_up.verify") == ["success"] * 2
    lsq.wait_until_idle()
    assert [row["created_on"][:19] for row in lsq.remaining(lead)["activities"]] == ["2026-08-31 18:30:00"]


@pytest.mark.parametrize(("account", "slots"), [("india", 20), ("ireland", 8)])
def test_several_accounts_example(lsq, run, monkeypatch, tmp_path, account, slots):
    """Each account of the loop has a DAG of its own, which calls that account alone, in its pool."""
    the_dag = getattr(load_dag_file(SEVERAL), f"{SEVERAL}_{account}")
    reset = the_dag.get_task("reset")
    assert (reset.pool, reset.pool_slots) == (f"leadsquared_{account}", slots)
    monkeypatch.delenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT")
    monkeypatch.setenv(f"AIRFLOW_CONN_LEADSQUARED_{account.upper()}", lsq.conn_json)
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, "2026-10-01 12:00:00")
    run_at = datetime(2026, 10, 2, 1, 30, tzinfo=UTC) + timedelta(minutes=slots)
    result = run(
        the_dag, logical_date=run_at, list_id=lsq.add_list("Test leads", [lead]), evidence=str(tmp_path)
    )
    assert result.state == "success"
    lsq.wait_until_idle()
    assert lsq.remaining(lead)["activities"] == []


@pytest.mark.parametrize(("given", "codes"), [(201, [201]), ("201, 202", [201, 202])])
def test_check_account_example(lsq, run, monkeypatch, given, codes):
    """The account check asks about what was filled in, and returns what goes into the connection's Extra."""
    for code in (201, 202):
        lsq.add_activity_type(code, f"Event {code}")
    lsq.limit.calls = None
    time = compress(lsq)
    check = LeadResetHook.check_account
    monkeypatch.setattr(
        LeadResetHook, "check_account", lambda self, **asked: check(self, clock=time, **asked)
    )
    result = run(example("example_check_account"), activity_event=given, task_type="")
    assert result.state == "success"
    kept = result.xcoms("check")[0]["account_check"]
    assert (kept["account"], kept["found"]["activity_date"]) == ("LSQEMU", "CreatedOn")
    assert "task_date" not in kept["found"]
    assert [code for code in (201, 202) if f"last_modified_activity_{code}" in kept["found"]] == codes
