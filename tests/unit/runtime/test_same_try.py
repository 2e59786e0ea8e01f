"""Two processes of one try number, as Airflow starts them when it has lost a worker that is still at work."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.compat import is_airflow_2
from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetOvertakenError
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.journal import storage
from airflow_provider_leadreset.runtime import preview_run, reset_run, try_evidence
from support.evidence_files import objects_in
from support.processes import wait_for
from support.reset_tries import ResetTask, make_leads

SHARE = 10


@pytest.fixture
def lsq(monkeypatch):
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    with LeadSquaredEmulator(calls_per_5s=None, latency=0.01) as emulator:
        connection = json.loads(emulator.conn_json)
        connection["extra"] = {**json.loads(connection.get("extra") or "{}"), "calls_per_5s": SHARE}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
        # The pace is tested elsewhere.
        monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
        yield emulator


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """The same task twice, as two processes have it."""
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)
    return [ResetTask(tmp_path / "evidence") for _ in range(2)]


def run(task: ResetTask, leads: list[str]) -> dict[str, Any]:
    """Run a task's first try in any thread."""
    if is_airflow_2():  # what guards `execute` there knows one thread alone
        from airflow.models.baseoperator import ExecutorSafeguard

        ExecutorSafeguard._sentinel.callers = {}
    return task.run(1, prospect_ids=leads)


def digests(task: ResetTask) -> dict[Path, str]:
    return {path: sha256(path.read_bytes()).hexdigest() for path in task.files("*") if path.is_file()}


def accepted(lsq: Any) -> Counter[str]:
    return Counter(call.prospect_id for call in lsq.resets if call.status == 200)


def told_by(process: str, task: ResetTask) -> set[str]:
    """Return the leads that a process says are queued."""
    lines = objects_in(task.folder, f"report/*/*/*/*/try-1/{process}-0????.jsonl")
    return {line["prospect_id"] for line in lines if line.get("outcome") == "queued"}


def test_second_process_takes_over(lsq, tasks):
    """A process finds what another one of its try number did: what that named and did not end is called again."""
    leads = make_leads(lsq, 40)
    tasks[0].run(1, prospect_ids=leads)
    for path in [*tasks[0].files("*-summary.json"), *tasks[0].files("*-0????.jsonl")[-2:]]:
        path.unlink()  # as a kill leaves it
    before, done, named = digests(tasks[0]), tasks[0].told()["queued"], tasks[0].named()
    lsq.reset_calls()
    summary = tasks[1].run(1, prospect_ids=leads)
    assert (summary["queued"], summary["done_in_earlier_tries"]) == (40, len(done))
    assert set(accepted(lsq)) == set(leads) - done
    assert 0 < len(done) < len(named)
    assert before.items() <= digests(tasks[1]).items()
    (request,) = (path for path in tasks[1].files("*-request.json") if path not in before)
    (read,) = json.loads(request.read_text())["continues"]
    names = sorted(path.name for path in before)
    assert [file["name"] for file in read["files"]] == [names[-1], names[-2]], "its request and its last part"


def test_doubts_of_the_other_process_are_told(lsq, tasks):
    """A lead that the other process left unanswered stays so where the account refuses it now."""
    (lead, other) = make_leads(lsq, 2)
    lsq.fault("500", times=None, prospect_id=lead)
    tasks[0].arguments["max_failed_leads"] = tasks[1].arguments["max_failed_leads"] = 1
    tasks[0].run(1, prospect_ids=[lead, other])
    lsq.clear_faults()
    lsq.fault("500-mx", times=None, prospect_id=lead)
    for task, number in ((tasks[1], 1), (tasks[0], 2)):
        summary = task.run(number, prospect_ids=[lead, other])
        assert (summary["queued"], summary["unanswered"], summary["failed"]) == (1, 1, 0)
        assert "; later: " in summary["failures"][0]["error"]


@pytest.mark.parametrize("tokens", [("00000000", "ffffffff"), ("ffffffff", "00000000")])
def test_older_process_stops(lsq, tasks, monkeypatch, tokens):
    """The process that began first stops once another of its try number is at work: nothing untold or overwritten."""
    given = iter(tokens)
    monkeypatch.setattr(try_evidence, "secrets", SimpleNamespace(token_hex=lambda _: next(given)))
    leads = make_leads(lsq, 120)
    under_way, both, reset = threading.Event(), threading.Event(), LeadSquaredClient.reset

    def watched(self: Any, asked: Any, **when: Any) -> None:
        reset(self, asked, **when)
        if len(lsq.resets) >= 25:
            under_way.set()
            both.wait(20)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    with ThreadPoolExecutor() as threads:
        older = threads.submit(run, tasks[0], leads)
        assert under_way.wait(20)
        before = digests(tasks[0])
        newer = threads.submit(run, tasks[1], leads)
        wait_for("both requests", lambda: len(tasks[0].files("*-request.json")) == 2, 20, every=0.01)
        both.set()
        summary = newer.result(20)
        with pytest.raises(LeadResetOvertakenError, match="another process of try 1 of this task is at work"):
            older.result(20)
    after, calls = digests(tasks[1]), accepted(lsq)
    assert before.items() <= after.items()
    assert (summary["queued"], set(calls)) == (120, set(leads))
    assert set(calls) <= tasks[0].named()
    assert tasks[0].told()["queued"] == set(leads)
    assert len(tasks[0].files("try-1/*-summary.json")) == 2
    (told,) = account_of(tasks[0].folder).runs
    (digest, last), counts = RunPage(told).digests[-1], told.tasks[0].outcomes()
    assert (counts["queued"], counts["not_reached"]) == (120, 0), "the one that went on tells"
    assert (digest, last) == ("evidence of t, try 1, process 2 of 2", [summary["evidence_digest"]])
    # What the older one had named when the newer one read, and what it named or called until it saw the newer one.
    assert calls.total() - 120 <= 4 * SHARE


def test_two_that_begin_at_once(lsq, tasks, monkeypatch):
    """Of two that begin at once, and so know nothing of each other, one goes on: all is done, and all is told."""
    leads = make_leads(lsq, 60)
    both, read = threading.Barrier(2), reset_run.earlier_tries

    def read_at_once(*given: Any, **more: Any) -> Any:
        found = read(*given, **more)
        both.wait(20)
        return found

    monkeypatch.setattr(reset_run, "earlier_tries", read_at_once)
    with ThreadPoolExecutor() as threads:
        futures = [threads.submit(run, task, leads) for task in tasks]
        errors = [future.exception(30) for future in futures]
    monkeypatch.undo()
    assert sorted(type(error) for error in errors if error) == [LeadResetOvertakenError]
    (winner,) = (future for future, error in zip(futures, errors, strict=True) if error is None)
    assert winner.result()["queued"] == 60
    assert set(accepted(lsq)) == set(leads) == tasks[0].named() == tasks[0].told()["queued"]
    tokens = {path.name[:8] for path in tasks[0].files("*-request.json")}
    assert told_by(max(tokens), tasks[0]) == set(leads)


def test_second_process_of_a_preview(lsq, tasks, monkeypatch):
    """A process of a preview that finds another's plan at its end gives that one."""
    leads = make_leads(lsq, 3)
    count_each, others = preview_run.count_each, []

    def beside(*args: Any, **given: Any) -> Any:
        if not others:
            others.append(None)
            others[0] = tasks[1].plan(leads)
        return count_each(*args, **given)

    monkeypatch.setattr(preview_run, "count_each", beside)
    assert tasks[0].plan(leads) == others[0]
    (path,) = tasks[0].files("plan-*")
    assert others[0]["plan"] == str(path)


def test_second_process_of_a_preview_of_others(lsq, tasks, monkeypatch):
    """A process of a preview that cannot write its plan for what is no plan fails."""
    leads = make_leads(lsq, 3)
    path = Path(tasks[0].plan(leads)["plan"])
    found = path.read_bytes()
    path.unlink()
    count_each = preview_run.count_each

    def beside(*args: Any, **given: Any) -> Any:
        path.write_bytes(found[:100])
        return count_each(*args, **given)

    monkeypatch.setattr(preview_run, "count_each", beside)
    with pytest.raises(LeadResetInputError, match="exists already"):
        tasks[0].plan(leads)
