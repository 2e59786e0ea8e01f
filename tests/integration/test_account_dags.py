"""The account's pace in real DAG runs: hooks in tasks, pools, max_calls, waits before retries, mapped previews."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api import account_window, client
from airflow_provider_leadreset.runtime import failures as failure
from support.dag_runs import IN_WINDOW, airflow_version, is_airflow_2, load_dag_file, printed

pytestmark = pytest.mark.usefixtures("airflow_db")

HAS_POLICIES = airflow_version() >= (3, 3)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("account_dags")


@pytest.fixture(autouse=True)
def _none_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_window, "_windows", {})


def noted(lsq: Any) -> str:
    lead = str(lsq.add_lead())
    lsq.add_note(lead, "a note", IN_WINDOW)
    return lead


def notes_left(lsq: Any, leads: list[str]) -> list[int]:
    lsq.wait_until_idle()
    return [len(lsq.remaining(lead)["notes"]) for lead in leads]


# -- slots --------------------------------------------------------------------------------------------------------


def test_hook_finds_the_slots_of_its_task(dags, lsq, run, capfd):
    """A hook in a task of the account's pool takes that task's slots; outside it, it warns and takes the limit."""
    result = run(dags.hook_in_pool)
    assert result.state == "success"
    assert [result.xcoms(name) for name in ("plain", "slots", "outside")] == [[[1, 1]], [[7, 7]], [[25, 20]]]
    assert result.xcoms("left") == [[False]]
    told = [line for line in printed(capfd).splitlines() if "This task is in the pool" in line]
    # Airflow 2 prints each line of a task twice here.
    assert len(told) == (4 if is_airflow_2() else 2), "once for each of the hooks outside"
    assert all("WARNING" in line or "warning" in line for line in told)


def test_warning_on_a_line_of_its_own(dags, lsq, run, capfd):
    """A task outside the account's pool warns on a line of its own; one in it says its slots."""
    result = run(dags.calls_in_pool, leads=[noted(lsq)])
    assert result.state == "success"
    lines = list(dict.fromkeys(printed(capfd).splitlines()))
    assert len([line for line in lines if "This task is in the pool" in line]) == 1
    assert len([line for line in lines if "So the calls of other tasks are not counted" in line]) == 1
    # Which of the two tasks runs first is Airflow's affair.
    paces = [line for line in lines if "At least 1 call" in line]
    assert len(paces) == 2
    assert len([line for line in paces if "3 in 5 s (3 slots of pool leadsquared_default)" in line]) == 1


@pytest.mark.skipif(is_airflow_2(), reason="Airflow 2.11 refuses to map a pool itself")
def test_mapped_pool_is_refused(dags, lsq, run, capfd):
    """A pool or slots that were mapped over fail the task before any call, naming what Airflow schedules by."""
    result = run(dags.mapped_slots)
    assert result.states("pool") == ["failed"]
    assert result.states("pool_slots") in ([], ["failed"]), "not mapped at all, or refused"
    text = printed(capfd)
    assert "pool is 'leadsquared_default' by expand()" in text
    assert "the task has 'default_pool'" in text
    assert lsq.calls == []


# -- max_calls ------------------------------------------------------------------------------------------------------


def test_max_calls_in_a_run(dags, lsq, run, monkeypatch, capfd):
    """A task that comes to max_calls stops, says what was not reached, and is not retried."""
    monkeypatch.setattr(client, "RETRY_DELAYS", (0.0,))
    leads = [noted(lsq) for _ in range(4)]
    lsq.fault("429", times=2, path="Lead.Reset")
    result = run(dags.few_calls, leads=leads)
    assert result.states() == ["failed"]
    assert len(lsq.calls) == 5
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["not_reached"], summary["calls"]) == (2, 2, 5)
    assert summary["stopped_because"] == "max_calls=5 is reached: no further call is made"
    assert "max_calls=5 is reached" in printed(capfd)
    assert sum(notes_left(lsq, leads)) == 2


def test_max_calls_too_few(dags, lsq, run, capfd):
    """A task that needs more is refused before its first call, and not retried."""
    assert run(dags.few_calls, leads=[noted(lsq) for _ in range(5)]).states() == ["failed"]
    assert "max_calls is 5, and 6 calls at least are needed for 5 leads" in printed(capfd)
    assert lsq.calls == []


# -- waits before retries -------------------------------------------------------------------------------------------


def test_delay_between_the_tasks_bounds(dags, lsq, run, monkeypatch, caplog):
    """The wait before a retry is at most max_retry_delay, and said; before Airflow 3.3 it is the task's own."""
    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    monkeypatch.setattr(failure, "AFTER_OUTAGE", timedelta(hours=1))
    lead = noted(lsq)
    lsq.fault("500", times=1, path="Lead.Reset")
    assert run(dags.retried_with_delay, leads=[lead]).state == "success"
    first, second = (call.arrived for call in lsq.calls if call.path.endswith("Lead.Reset"))
    assert 1.5 < second - first < 30
    said = "The next try begins in 0:00:04 (the task's max_retry_delay): 1 of 1 lead failed"
    assert (said in caplog.text) == HAS_POLICIES


@pytest.mark.skipif(not HAS_POLICIES, reason="retry policies came with Airflow 3.3")
def test_policy_switched_off(dags, lsq, run, monkeypatch, caplog):
    """A policy without rules switches the default one off, for plain and mapped tasks."""
    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    lead = noted(lsq)
    lsq.fault("500", times=1, path="Lead.Reset")
    assert run(dags.retried_without_policy, leads=[lead]).state == "success"
    lsq.fault("500", times=2, path="Lead.Reset")
    assert run(dags.retried_without_policy, leads=[lead]).state == "success"
    assert "The next try begins in" not in caplog.text


# -- mapped previews ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "left"), [("none_failed", [0, 0]), ("all_success", [1, 1])])
def test_one_empty_mapped_preview(dags, lsq, run, tmp_path, rule, left):
    """With none_failed, a preview of no leads skips no reset of the others; with Airflow's default it skips all."""
    leads = [noted(lsq), noted(lsq)]
    result = run(dags.MAPPED[rule], leads=[[leads[0]], [], [leads[1]]], evidence=str(tmp_path))
    assert sorted(result.states("preview")) == ["skipped", "success", "success"]
    assert notes_left(lsq, leads) == left
    done = {"none_failed": ["success", "success"], "all_success": ["skipped"]}[rule]
    assert sorted(set(result.states("reset"))) == sorted(set(done))


def test_failed_mapped_preview(dags, lsq, run, tmp_path):
    """With none_failed, a preview that failed lets nothing be reset."""
    leads = [noted(lsq)]
    result = run(dags.MAPPED["none_failed"], leads=[leads, [UNKNOWN]], evidence=str(tmp_path))
    assert sorted(result.states("preview")) == ["failed", "success"]
    assert set(result.states("reset")) == {"upstream_failed"}
    assert notes_left(lsq, leads) == [1]


def test_no_chunks_at_all(dags, lsq, run, tmp_path):
    """A night without leads skips all tasks, and fails none."""
    result = run(dags.MAPPED["none_failed"], leads=[], evidence=str(tmp_path))
    assert result.state == "success"
    assert {*result.states("preview"), *result.states("reset"), *result.states("verify")} == {"skipped"}
    assert lsq.calls == []
