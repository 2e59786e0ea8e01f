"""What the log of a task says, called directly: short lines, each once, in an order that a reader can follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.batch.progress_log import ProgressLog
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.operators._selection import LeadSelection
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import IN_WINDOW
from support.task_context import task_context

ASKED: dict[str, Any] = {"should_delete_prospect_notes": True, "window": "2026-09-01/2026-10-01"}
LONGEST = 125
"""Characters of a line that still fits on a screen. Paths and digests have lines of their own."""


class Log:
    """Keeps what a task's log is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str, *values: object) -> None:
        if "cannot be called outside" not in text:  # Airflow's own: a test calls the task
            self.lines.append(text % values)

    warning = exception = info


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what tasks have logged since the last time."""
    log = Log()
    monkeypatch.setattr(LeadSelection, "log", log)

    def lines() -> list[str]:
        found, log.lines = log.lines, []
        return found

    return lines


@pytest.fixture
def leads(lsq: Any) -> list[str]:
    made = [str(lsq.add_lead()) for _ in range(2)]
    for lead in made:
        lsq.add_note(lead, "a note", IN_WINDOW)
    return made


def test_small_run_of_each(lsq, leads, told, tmp_path, monkeypatch):
    """Preview, reset and sensor say account, leads, window, dates as sent, and calls; then how it ended."""
    monkeypatch.setattr("airflow_provider_leadreset.runtime.base.drain", lambda *_, **__: None)
    first = [f"Account: {lsq.host}, by connection leadsquared_default"]
    window = "from 2026-09-01 00:00:00 up to, not including, 2026-10-01 00:00:00 UTC"
    sent = "FromDate 2026-09-01 00:00:00, ToDate 2026-09-30 23:59:59 UTC"
    pool = {"pool": "leadsquared_default", "pool_slots": 5}
    pace = "5 in 5 s (5 slots of pool leadsquared_default): a few seconds"
    folder = {"evidence_path": f"file://{tmp_path}"}

    preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=leads, **ASKED, **pool, **folder)
    plan = preview.execute(task_context("preview"))
    lines = told()
    assert lines[:5] == [
        *first,
        "To count, deleting nothing, of 2 leads: notes",
        f"Created: {window}",
        f"A reset would send: {sent}",
        f"At least 2 calls, {pace}",
    ]
    assert lines[5] == "What a reset would delete, times in UTC:"
    assert lines[-2:] == [f"Plan: {plan['plan']}", f"Its digest: {plan['digest']}"]

    said_yes = {"approved": True, "by": "Meera\x1b[31m " + 200 * "x", "at": "2999-01-01T00:00:00+00:00"}
    asked = {"approval": [{**said_yes, "by": {"name": "Asha", "id": 7}}, said_yes]}
    reset = LeadResetOperator(task_id="reset", plan=plan, archive=True, **asked, **pool, **folder)
    summary = reset.execute(task_context("reset"))
    lines = [line for line in told() if not line.startswith("A retry will repeat")]
    finished = Plan.read(Path(plan["plan"].removeprefix("file://"))).finished_at.isoformat()
    assert lines[:8] == [
        *first,
        "To reset, of 2 leads: notes",
        f"Created: {window}",
        f"Sent as: {sent}",
        f"By the plan with digest {plan['digest'][:8]}…, finished at {finished}",
        "Approved by Asha (id 7) at 2999-01-01T00:00:00+00:00",
        f"Approved by Meera {74 * 'x'}… at 2999-01-01T00:00:00+00:00",
        f"At least 4 calls, {pace}",
    ]
    del lines[5:8]
    assert lines[5] == "Copied 2 records of 2 leads, which may now be reset"
    assert lines[6].startswith("Done after ")
    assert lines[6].endswith(" s: 2 of 2 leads queued, 0 failed and 0 not reached")
    assert lines[7:] == [f"Evidence: {summary['evidence']}", f"Its digest: {summary['evidence_digest']}"]

    lsq.wait_until_idle()
    sensor = LeadResetSensor(task_id="verify", plan=plan, **pool)
    assert sensor.poke(task_context("verify"))
    lines = told()
    assert [line.partition(": ")[0] for line in lines[-2:]] == ["Evidence", "Its digest"]
    assert lines[:-2] == [
        *first,
        "To verify, of 2 leads: notes",
        f"Created: {window}",
        f"The reset sent: {sent}",
        f"At least 2 calls, {pace}",
        "The API no longer gives 2 of 2 records, of 2 leads",
    ]


def test_no_line_runs_off_the_screen(lsq, leads, told):
    """Lines are short, whatever was asked for: many kinds have a line each."""
    types = [lsq.add_task_type(f"type {number}") for number in range(3)]
    LeadResetOperator(
        task_id="reset",
        prospect_ids=leads,
        task_type_list=types,
        activity_event_list=[166, 201, 404],
        audit_activity_list=["StageChange", "OwnerChange"],
        **ASKED,
    ).execute(task_context())
    lines = told()
    assert [line[:140] for line in lines if len(line) > LONGEST and "tasks of type" not in line] == []
    assert "To reset, of 2 leads:" in lines
    assert "- StageChange and OwnerChange audits" in lines


def test_sensor_tells_of_its_task_once(lsq, leads, told):
    """A sensor says once what it is about, and at each poke what is left."""
    sensor = LeadResetSensor(task_id="verify", prospect_ids=leads, **ASKED)
    for _ in range(2):
        assert not sensor.poke(task_context("verify"))
    lines = told()
    assert len([line for line in lines if line.startswith("Account: ")]) == 1
    assert len([line for line in lines if line.startswith("0 of 2 leads done; 2 records are left")]) == 2


@pytest.mark.parametrize("kind", [LeadResetOperator, LeadResetPreviewOperator, LeadResetSensor])
def test_skip_says_why_alone(lsq, told, kind):
    """A skip says why, and nothing of an account that is not called."""
    task = kind(task_id="one", prospect_ids=[], **ASKED)
    work = task.poke if kind is LeadResetSensor else task.execute
    with pytest.raises(AirflowSkipException, match="There are no leads"):
        work(task_context("one"))
    (line,) = told()
    assert line.startswith("Skipped: There are no leads to ")
    assert lsq.calls == []


def test_list_is_told_before_it_is_read(lsq, leads, told):
    """The account and the list are named before the list is read, which may take long."""
    listed = lsq.add_list("mine", leads)
    LeadResetOperator(task_id="reset", list_id=listed, **ASKED).execute(task_context())
    lines = told()
    account = next(place for place, line in enumerate(lines) if line.startswith("Account: "))
    assert lines[account + 1 : account + 3] == [
        f"Reading the list {listed}",
        f"The list {listed} has 2 leads",
    ]


@pytest.fixture
def lines_at_calls(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the lines that would be said at each call since the last time, if that took ten seconds."""
    lines: list[str] = []
    progress: list[ProgressLog] = []
    enter, call = ProgressLog.__enter__, LeadSquaredClient.call

    def entered(self: ProgressLog) -> ProgressLog:
        progress.append(self)
        return enter(self)

    def called(self: LeadSquaredClient, *args: Any, **more: Any) -> Any:
        lines.append(progress[-1].next_line())
        return call(self, *args, **more)

    monkeypatch.setattr(ProgressLog, "__enter__", entered)
    monkeypatch.setattr(LeadSquaredClient, "call", called)

    def taken() -> set[str]:
        found = {line.partition(",")[0] for line in lines}
        lines.clear()
        return found

    return taken


def test_progress_of_every_kind_of_work(lsq, leads, told, lines_at_calls, tmp_path):
    """Whatever calls says meanwhile what it is busy with: a preview, a reading reset, a sensor, a list."""
    listed = lsq.add_list("mine", leads)
    folder = {"evidence_path": f"file://{tmp_path}"}
    plan = LeadResetPreviewOperator(task_id="preview", list_id=listed, **ASKED, **folder).execute(
        task_context("preview")
    )
    found = lines_at_calls()
    assert {line.partition(":")[0] for line in found} == {
        "Asking the account",
        f"Looking for the list {listed}",
        "Counting",
    }
    assert "Counting: 0 of 2 leads" in found
    LeadResetOperator(task_id="reset", plan=plan, **folder).execute(task_context("reset"))
    assert "Reading and resetting: 0 of 2 leads" in lines_at_calls()
    LeadResetOperator(task_id="again", prospect_ids=leads, max_records=5, **ASKED).execute(task_context())
    assert {"Counting for max_records: 0 of 2 leads", "Resetting: 0 of 2 leads"} <= lines_at_calls()
    LeadResetSensor(task_id="verify", prospect_ids=leads, **ASKED).poke(task_context("verify"))
    assert "Verifying: 0 of 2 leads" in lines_at_calls()
    LeadResetHook().list_members(listed)
    assert f"Looking for the list {listed}: 0 calls so far" in lines_at_calls()
    assert [line for line in told() if "calls/s" in line] == [], "not so soon"
