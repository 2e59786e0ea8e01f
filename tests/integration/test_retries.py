"""What a retry of a real task does: only what is still to be done, where Airflow can remember it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api import client
from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.runtime import failures as failure
from airflow_provider_leadreset.runtime.reset_run import ResetRun
from support.dag_runs import OUTSIDE, Run, Runner, a_lead, airflow_version, clear, left, load_dag_file
from support.slow_server import SlowServer

pytestmark = pytest.mark.usefixtures("airflow_db")

UNKNOWN = "00000000-0000-4000-8000-000000000000"
DRAIN = RateLimiter.drain
REMEMBERS = airflow_version() >= (3, 3)


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("retry_dags")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat a call of an outage once and at once, and retry a task at once."""
    monkeypatch.setattr(client, "RETRY_DELAYS", (0.0,))
    monkeypatch.setattr(failure, "AFTER_OUTAGE", timedelta(0))


@pytest.fixture
def reset(dags: ModuleType, run: Runner, tmp_path: Path) -> Callable[..., Run]:
    return lambda leads: run(dags.retried, leads=leads, evidence=str(tmp_path))


def sent(lsq: Any) -> list[str]:
    return [call.prospect_id for call in lsq.calls]


def test_retry_resumes_last_try(lsq, reset):
    """A retry goes on where the last try was."""
    leads = [a_lead(lsq) for _ in range(3)]
    lsq.fault("500", times=2, prospect_id=leads[1])
    result = reset(leads)
    assert result.state == "success"
    assert all(left(lsq, lead) == [OUTSIDE] for lead in leads)
    assert sent(lsq).count(leads[1]) == 3
    assert sent(lsq).count(leads[0]) == 1
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["failed"], summary["not_reached"]) == (3, 0, 0)
    assert summary["done_in_earlier_tries"] == 2


def test_clear_of_another_task(dags, lsq, run, tmp_path, monkeypatch):
    """A Clear of another task of the run, while this one waits for its retry, repeats nothing."""
    leads = [a_lead(lsq) for _ in range(3)]
    lsq.fault("500", times=2, prospect_id=leads[1], path="Lead.Reset")
    begin, cleared = ResetRun.run, []

    def clear_other_after(self: Any) -> Any:
        ti = self.context["ti"]
        try:
            return begin(self)
        finally:
            if ti.task_id == "reset" and ti.try_number == 1:
                cleared.append(clear(ti.dag_id, ti.run_id, "other"))

    monkeypatch.setattr(ResetRun, "run", clear_other_after)
    result = run(dags.retried_beside, leads=leads, evidence=str(tmp_path))
    assert (result.state, cleared) == ("success", [1])
    (summary,) = result.xcoms()
    assert summary["done_in_earlier_tries"] == 2
    windows = [call.prospect_id for call in lsq.resets if "ActivityEventList" in (call.body or {})]
    assert Counter(windows) == dict.fromkeys(leads, 1)


def test_permanent_failure_not_repeated(lsq, reset):
    """A lead that failed permanently is not called again."""
    shaky = a_lead(lsq)
    lsq.fault("500", times=2, prospect_id=shaky)
    result = reset([UNKNOWN, shaky])
    assert result.state == "success"  # an unknown lead counts as failed only where none is known
    assert sent(lsq).count(UNKNOWN) == 1
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["unknown"]) == (1, 1)
    assert summary["failures"][0]["prospect_id"] == UNKNOWN


def test_no_retry_for_permanent_failures(lsq, reset):
    """There is no retry when only leads that failed permanently remain."""
    result = reset([UNKNOWN])
    assert result.state == "failed"
    assert [lead for lead in sent(lsq) if lead] == [UNKNOWN]
    assert result.xcoms()[0]["unknown"] == 1


def test_wrong_keys_are_not_retried(lsq, reset):
    """Wrong keys fail the task in its first try, before its first reset."""
    lsq.fault("401", times=None)
    assert reset([a_lead(lsq)]).state == "failed"
    paths = [call.path for call in lsq.calls]
    assert paths
    assert len(set(paths)) == len(paths)
    assert not any(sent(lsq))


def test_mapped_tasks_resume_independently(dags, lsq, run):
    """Mapped tasks resume each for itself."""
    leads = [a_lead(lsq), a_lead(lsq)]
    lsq.fault("drop", times=2, prospect_id=leads[0])
    assert run(dags.retried_mapped, leads=leads).state == "success"
    assert (sent(lsq).count(leads[0]), sent(lsq).count(leads[1])) == (3, 1)


def test_each_try_has_own_report(lsq, reset, tmp_path):
    """Each try reports its calls in a folder of its own."""
    leads = [a_lead(lsq), UNKNOWN]
    lsq.fault("500", times=2, prospect_id=leads[0])
    result = reset(leads)
    parts = sorted(tmp_path.rglob("*-0????.jsonl"))
    assert {part.parent.name for part in parts} == {"try-1", "try-2"}
    assert parts[0].parents[1].name == "unmapped"
    told = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    lines = [line for line in told if line["line"] == "call"]
    assert len(lines) == len([call for call in lsq.calls if call.path.endswith("Lead.Reset")])
    assert [line["answer"] for line in lines if line["prospect_id"] == leads[0]][-1] == "queued"
    assert {line["status"] for line in lines} == {200, 500}
    (summary,) = result.xcoms()
    assert Path(summary["evidence"].removeprefix("file://")) == parts[-1].parent
    for secret in (lsq.access_key, lsq.secret_key):
        assert all(secret not in part.read_text() for part in parts)


@pytest.mark.skipif(not REMEMBERS, reason="retry policies came with Airflow 3.3")
@pytest.mark.parametrize(("fault", "tries"), [("429", 1), ("500", 3)])
def test_rules_of_a_users_own(dags, lsq, run, monkeypatch, fault, tries):
    """A retry policy of a DAG's own tells causes apart by the exported classes."""
    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    if fault == "429":
        monkeypatch.setattr(client, "GIVE_UP_AFTER", 0.0)
    lsq.fault(fault, times=None)
    assert run(dags.retried_by_rules, leads=[a_lead(lsq)]).state == "failed"
    assert len(lsq.calls) == tries


@pytest.fixture
def hanging(monkeypatch):
    """A LeadSquared that takes connections and answers nothing, and when it took them."""
    began: list[float] = []
    with SlowServer(lambda *_: server.hang(), before=lambda _: began.append(time.monotonic())) as server:
        connection = {"conn_type": "leadsquared", "host": server.url, "login": "access", "password": "secret"}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
        yield server, began


@pytest.mark.parametrize(("dag", "seconds"), [("timed_out", 2.0), ("timed_out_in_pool", 4.0)])
def test_time_out_while_an_answer_hangs(dags, hanging, run, monkeypatch, dag, seconds):
    """A task ends two seconds after its time-out, whatever hangs, and keeps its slots for its last window."""
    monkeypatch.setattr(RateLimiter, "drain", DRAIN)
    ended: list[float] = []
    close = LeadSquaredClient.close
    drain = RateLimiter.drain

    def note_end(limiter: RateLimiter) -> None:
        drain(limiter)
        ended.append(time.monotonic())

    monkeypatch.setattr(RateLimiter, "drain", note_end)
    monkeypatch.setattr(
        LeadSquaredClient, "close", lambda self: (close(self), ended.append(time.monotonic()))
    )
    monkeypatch.setattr(
        AccountIdentity, "ask", AccountIdentity.of_keys
    )  # so that the first call is the reset
    server, began = hanging
    result = run(getattr(dags, dag), leads=[UNKNOWN])
    assert result.state == "failed"
    assert len(server.requests) == 1
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["unanswered"]) == (0, 1)
    assert "broken off without an answer" in summary["failures"][0]["error"]
    # The time-out counts from the task's start, the hanging from its first call, which a busy machine makes late.
    assert 2 < ended[-1] - began[0] < 3 + seconds + 0.5
