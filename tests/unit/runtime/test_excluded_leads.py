"""Excluded leads over the tries of a task, with evidence and with Airflow's store."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.exceptions import (
    LeadResetInputError,
    LeadResetLeadsFailedError,
    LeadResetRejectedError,
)
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.journal import journal as journal_module
from airflow_provider_leadreset.leadsquared.journal import storage
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.runtime import reset_run
from support.reset_tries import IN_WINDOW, ResetTask, make_leads, tries_of, unanswered
from support.task_context import StateStore, task_context


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)


@pytest.fixture
def task(tmp_path) -> ResetTask:
    return ResetTask(tmp_path / "evidence")


def called(lsq: Any) -> set[str]:
    return {call.prospect_id for call in lsq.resets}


def test_each_lead_has_its_outcome(lsq, task):
    """Every lead asked for has exactly one outcome in the journal, the excluded ones too."""
    leads = make_leads(lsq, 8)
    summary = task.run(1, prospect_ids=leads, exclude=leads[:3])
    assert task.told() == {"excluded": set(leads[:3]), "queued": set(leads[3:])}
    assert len(task.lines("outcome")) == 8
    assert task.named() == set(leads[3:])
    assert (summary["excluded"], sum(summary[kind] for kind in OUTCOMES)) == (3, 8)


def test_many_excluded_are_told_in_parts(lsq, task, monkeypatch):
    """More excluded leads than a part holds are written in several, before the first call."""
    monkeypatch.setattr(journal_module, "MOST_LINES", 10)
    leads = make_leads(lsq, 35)
    task.run(1, prospect_ids=leads, exclude=leads[:33])
    assert task.told() == {"excluded": set(leads[:33]), "queued": set(leads[33:])}
    assert max(len(path.read_text().splitlines()) for path in task.files("*-0????.jsonl")) <= 12


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("now", [{}, {"exclude": []}])
def test_excluded_once(lsq, task, caplog, capfd, kept, now):
    """A lead that a try was told to leave out stays so at its retry, and is reset after a Clear."""
    leads, store = make_leads(lsq, 4), StateStore()
    del task.arguments["evidence_path"]

    def run(number: int, max_tries: int = 1, **given: Any) -> dict[str, Any]:
        if kept:
            task.max_tries = max_tries
            return task.run(number, prospect_ids=leads, evidence_path=str(task.folder), **given)
        context = task_context(try_number=number, task_state_store=store)
        context["ti"].max_tries = max_tries
        operator = LeadResetOperator(task_id="t", prospect_ids=leads, **task.arguments, **given)
        return operator.execute(context)

    lsq.fault("500", times=1, prospect_id=leads[3], path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        run(1, exclude=leads[:2])
    summary = run(2, **now)
    assert (summary["queued"], summary["excluded"]) == (2, 2)
    assert called(lsq) == set(leads[2:])
    assert "named 2 leads at an earlier try that it does not name now" in caplog.text + capfd.readouterr().out
    summary = run(3, max_tries=3, **now)
    assert (summary["queued"], summary["excluded"]) == (4, 0)
    assert called(lsq) == set(leads)


@pytest.mark.parametrize("kept", [True, False])
def test_excluded_by_a_killed_try(lsq, task, monkeypatch, kept):
    """A lead that a try was told to leave out stays so, even where that try was killed before its first call."""
    leads, store = make_leads(lsq, 4), StateStore()
    if not kept:
        del task.arguments["evidence_path"]

    def run(number: int, exclude: list[str]) -> dict[str, Any]:
        context = task_context("t", try_number=number, task_state_store=store)
        operator = LeadResetOperator(task_id="t", prospect_ids=leads, exclude=exclude, **task.arguments)
        return operator.execute(context)

    with monkeypatch.context() as patched:
        # A kill leaves what was written so far, and writes no more.
        patched.setattr(reset_run.ResetRun, "_reset", lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            run(1, leads[:2])
    summary = run(2, [])
    assert (summary["queued"], summary["excluded"]) == (2, 2)
    assert called(lsq) == set(leads[2:])


@pytest.mark.parametrize("now", [{}, {"exclude": []}])
def test_excluded_from_other_leads(lsq, task, caplog, capfd, now):
    """A lead that a try was told to leave out stays so where the retry asks for other leads, until a Clear."""
    leads = make_leads(lsq, 5)
    lsq.fault("500", times=1, prospect_id=leads[3], path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, prospect_ids=leads[:4], exclude=leads[:2])
    lsq.reset_calls()
    other = [leads[4], *(lead.upper() for lead in leads[1:4])]
    summary = task.run(2, prospect_ids=other, **now)
    assert (summary["queued"], summary["excluded"]) == (3, 1)
    assert {lead.lower() for lead in called(lsq)} == set(leads[2:])
    assert "named 1 lead at an earlier try that it does not name now" in caplog.text + capfd.readouterr().out
    summary = task.run(3, prospect_ids=leads, **now)
    assert (summary["queued"], summary["excluded"]) == (3, 2)
    task.max_tries += 3
    assert task.run(4, prospect_ids=leads, **now)["queued"] == 5


def test_excluded_beside_another_version(lsq, task):
    """A lead that one try was told to leave out stays so where the journal of another try cannot be read."""
    leads = make_leads(lsq, 3)
    for number in (1, 2):
        lsq.fault("500", times=1, prospect_id=leads[2], path="Lead.Reset")
        with pytest.raises(LeadResetLeadsFailedError):
            task.run(number, prospect_ids=leads, exclude=leads[:1])
    (path,) = task.files("try-2/*-request.json")
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    lsq.reset_calls()
    summary = task.run(3, prospect_ids=leads)
    assert (summary["queued"], summary["excluded"]) == (2, 1)


def test_other_leads_without_evidence(lsq, task):
    """Where only places of leads are kept, a retry that asks for others after an exclusion is refused."""
    leads, store = make_leads(lsq, 4), StateStore()
    del task.arguments["evidence_path"]

    def run(number: int, asked: list[str], max_tries: int = 3, **given: Any) -> dict[str, Any]:
        context = task_context(try_number=number, task_state_store=store)
        context["ti"].max_tries = max_tries
        operator = LeadResetOperator(task_id="t", prospect_ids=asked, **task.arguments, **given)
        return operator.execute(context)

    lsq.fault("500", times=1, prospect_id=leads[2], path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        run(1, leads[:3], exclude=leads[:1])
    lsq.reset_calls()
    for _ in range(2):
        with pytest.raises(LeadResetInputError, match="clear the task to start anew"):
            run(2, leads)
    assert lsq.resets == []
    assert run(3, leads[:3])["excluded"] == 1
    assert run(4, leads, max_tries=6)["queued"] == 4


def test_excluded_later(lsq, task):
    """A lead that is excluded at a retry is not called any more, and stays as the earlier try left it."""
    leads = make_leads(lsq, 4)
    lsq.fault("500", times=1, prospect_id=leads[3], path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, prospect_ids=leads)
    with pytest.raises(LeadResetRejectedError, match="3 of 4 leads queued, 1 unanswered and 0 not reached"):
        task.run(2, prospect_ids=leads, exclude=leads)
    assert called(lsq) == set(leads[:3])
    assert task.told() == {"queued": set(leads[:3]), "unanswered": {leads[3]}, "excluded": set(leads)}
    (run,) = account_of(task.folder).runs
    assert run.tasks[0].outcomes() == {kind: task.summary[kind] for kind in OUTCOMES}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("now", [{}, {"exclude": []}])
def test_excluded_after_it_was_called(lsq, task, caplog, capfd, kept, now):
    """A lead that was unanswered before it was excluded is not called again by a try that names it no more."""
    leads = make_leads(lsq, 3)
    run = tries_of(task, kept)
    unanswered(lsq, run, leads[:2])
    with pytest.raises(LeadResetRejectedError, match="1 of 2 leads queued, 1 unanswered and 0 not reached"):
        run(2, prospect_ids=leads[:2], exclude=leads[:1])
    for number in (3, 4):
        with pytest.raises(
            LeadResetRejectedError, match="1 of 2 leads queued, 1 unanswered and 0 not reached"
        ):
            run(number, prospect_ids=leads[:2], max_records=0, **now)
    assert called(lsq) == set()
    assert "named 1 lead at an earlier try that it does not name now" in caplog.text + capfd.readouterr().out
    assert task.files("try-[34]/*-failed.jsonl") == []


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("change", [{"activity_event_list": [167]}, {"window": "2026-09-01/2026-09-20"}])
def test_excluded_after_it_was_done(lsq, task, first, change):
    """A lead that was called before it was excluded is not called for another reset either."""
    leads = make_leads(lsq, 2)
    unanswered(lsq, task.run, leads)
    if first:
        lsq.fault("500", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(AirflowException):
        task.run(2, prospect_ids=leads, exclude=leads[first : first + 1])
    lsq.reset_calls()
    with pytest.raises(AirflowException):
        task.run(3, prospect_ids=leads, **change)
    assert called(lsq) == {leads[0], leads[1]} - {leads[first]}
    assert (task.summary["excluded"], task.summary["queued"]) == (1, 1)


def test_excluded_by_another_request(lsq, task):
    """A lead that another request was told to leave out is not called again, though this one left it unanswered."""
    leads = make_leads(lsq, 2)
    unanswered(lsq, task.run, leads)
    with pytest.raises(LeadResetRejectedError):
        task.run(2, prospect_ids=leads[:1], exclude=leads[:1])
    with pytest.raises(LeadResetRejectedError, match="1 unanswered"):
        task.run(3, prospect_ids=leads)
    assert called(lsq) == set()


def test_other_leads_after_a_later_exclusion(lsq, task):
    """Where only places are kept, other leads are refused too after a lead was excluded that had been called."""
    leads = make_leads(lsq, 2)
    run = tries_of(task, kept=False)
    unanswered(lsq, run, leads)
    with pytest.raises(LeadResetRejectedError):
        run(2, prospect_ids=leads, exclude=leads)
    with pytest.raises(LeadResetInputError, match="clear the task to start anew"):
        run(3, prospect_ids=leads[::-1])
    assert called(lsq) == set()


def test_one_excluded(lsq, task, caplog, capfd):
    """The log counts them in words that hold for one, too."""
    leads = make_leads(lsq, 2)
    task.run(1, prospect_ids=leads, exclude=leads[:1])
    assert "Excluded and not reset: 1 of 2 leads; exclude names 1" in caplog.text + capfd.readouterr().out


def test_max_calls_leave_excluded_leads_out(lsq, task):
    """Leads that are excluded need no call, so `max_calls` need not suffice for them."""
    leads = make_leads(lsq, 6)
    with pytest.raises(
        LeadResetInputError, match="max_calls is 5, and 8 calls at least are needed for 6 leads"
    ):
        task.run(1, prospect_ids=leads, max_calls=5)
    assert lsq.calls == []
    assert task.run(1, prospect_ids=leads, exclude=leads[:3], max_calls=5)["queued"] == 3


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("now", [{}, {"exclude": []}])
def test_max_calls_of_what_is_left(lsq, task, kept, now):
    """A retry needs calls for the leads that it may still call: not for those done, or excluded by an earlier try."""
    leads, output = make_leads(lsq, 8), {}
    run = tries_of(task, kept, output)
    for lead in leads[6:]:
        lsq.fault("500", times=1, prospect_id=lead, path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        run(1, prospect_ids=leads, exclude=leads[:3], max_calls=7)
    lsq.reset_calls()
    with pytest.raises(
        LeadResetInputError,
        match=r"max_calls is 3, and 4 calls at least are needed for 2 leads .*no lead was",
    ):
        run(2, prospect_ids=leads, max_calls=3, **now)
    assert called(lsq) == set()
    assert (output["queued"], output["excluded"], output["unanswered"]) == (3, 3, 2)
    lsq.reset_calls()
    assert run(3, prospect_ids=leads, max_calls=4, **now)["queued"] == 5
    assert called(lsq) == set(leads[6:])
    assert len(lsq.calls) == 4


@pytest.mark.parametrize("most", [3, 4])
def test_max_records_of_what_is_left(lsq, task, most):
    """A retry counts the records of the leads that it may still reset, whatever has come to the others."""
    leads = make_leads(lsq, 3)
    lsq.fault("500", times=1, prospect_id=leads[2], path="Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, prospect_ids=leads, max_records=3)
    lsq.wait_until_idle()
    for _ in range(5):
        lsq.add_activity(leads[0], 166, IN_WINDOW)
    for _ in range(3):
        lsq.add_activity(leads[2], 166, IN_WINDOW)
    lsq.reset_calls()
    if most == 3:
        with pytest.raises(LeadResetInputError, match=r"4 records would go .* more than max_records=3"):
            task.run(2, prospect_ids=leads, max_records=most)
        assert lsq.resets == []
    else:
        assert task.run(2, prospect_ids=leads, max_records=most)["queued"] == 3
        assert called(lsq) == {leads[2]}
    assert {call.prospect_id for call in lsq.calls if call.prospect_id} == {leads[2]}


def test_max_records_with_audits_of_what_is_left(lsq, task):
    """A retry whose leads show no audits goes on: the account showed them to the try before."""
    leads = make_leads(lsq, 2)
    lsq.add_audit(leads[0], "StageChange", IN_WINDOW)
    lsq.fault("500", times=1, prospect_id=leads[1], path="Lead.Reset")
    asked = {"prospect_ids": leads, "audit_activity_list": ["StageChange"], "max_records": 5}
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, **asked)
    assert task.run(2, **asked)["queued"] == 2
    task.max_tries += 3
    lsq.wait_until_idle()
    with pytest.raises(LeadResetInputError, match="none of the leads shows any"):
        task.run(3, **asked)
    assert json.loads(task.files("try-2/*-request.json")[0].read_text())["excluded"] == 0
