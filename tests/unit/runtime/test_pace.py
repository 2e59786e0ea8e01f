"""A task's share of its account: the slots that the scheduler gave it, and the calls that it may make at all."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetMaxCallsError
from airflow_provider_leadreset.leadsquared.api import account_window
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime.base import BaseRun
from airflow_provider_leadreset.runtime.max_calls import need_of_preview, need_of_reset
from airflow_provider_leadreset.runtime.verification_run import VerificationRun
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
WINDOW = "2026-09-01/2026-10-01"
POOL = "leadsquared_default"
CONNECTION = {
    "conn_type": "leadsquared",
    "host": "api-in21.leadsquared.com",
    "login": "access",
    "password": "secret",
    "extra": {"calls_per_5s": 10},
}


@pytest.fixture(autouse=True)
def _connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_window, "_windows", {})
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(CONNECTION))


class Log:
    """Keeps the warnings of a run."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def warning(self, text: str, *values: object) -> None:
        self.told.append(text % values)

    def info(self, text: str, *values: object) -> None:
        pass


def a_task(kind: Any = LeadResetOperator, **given: Any) -> Any:
    return kind(task_id="task", prospect_ids=LEAD, should_delete_prospect_notes=True, window=WINDOW, **given)


def run_of(task: Any, context: Any = None) -> tuple[BaseRun, Log]:
    run = BaseRun(task, context or {})
    run.log = log = Log()
    return run, log


@pytest.mark.parametrize(("slots", "share"), [(1, 1), (4, 4), (25, 10)])
def test_slots_are_the_share(slots: int, share: int) -> None:
    """In the account's pool, a task paces itself to its slots, and to the account's limit."""
    run, log = run_of(a_task(pool=POOL, pool_slots=slots))
    window = run.client.limiter.sliding_window
    assert (window.share, window.limit, run.in_account_pool) == (share, 10, True)
    assert log.told == []


def test_slots_of_another_pool() -> None:
    """In any other pool it paces itself to the account's limit, and warns of it on a line of its own."""
    run, log = run_of(a_task(pool_slots=3))
    assert run.client.limiter.sliding_window.share == 10
    assert not run.in_account_pool
    assert log.told == [], "nothing is called yet"
    run.tell_account()
    run.tell_account()
    assert len(log.told) == 3
    assert log.told[0].startswith("This task is in the pool 'default_pool', not in 'leadsquared_default'")
    assert "the calls of other tasks are not counted" in log.told[1]
    assert "give the task pool='leadsquared_default'" in log.told[2]


def test_sensor_warns_once() -> None:
    """A sensor that pokes in one process says it once."""
    task, log = a_task(LeadResetSensor), Log()
    for _ in range(3):
        run = VerificationRun(task, {})
        run.log = log
        run.tell_account()
    assert len(log.told) == 3


def test_share_of_a_mapped_pool() -> None:
    """A pool that was mapped over is refused before any call: the scheduler has the task in another."""
    task = a_task(pool=POOL, pool_slots=5)
    scheduled = SimpleNamespace(task_id="task", pool="default_pool", pool_slots=5)
    dag = SimpleNamespace(has_task=lambda _: True, get_task=lambda _: scheduled)
    with pytest.raises(LeadResetInputError, match=r"pool is 'leadsquared_default' by expand\(\)"):
        task.execute({"dag": dag, "ti": SimpleNamespace(task_id="task")})


# -- max_calls --------------------------------------------------------------------------------------------------

ALL = Selectors(
    (166,), ("3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01",), ("StageChange",), should_delete_prospect_notes=True
)
NOTES = Selectors(should_delete_prospect_notes=True)


@pytest.mark.parametrize(
    ("leads", "selectors", "calls"), [(10, NOTES, 11), (10, ALL, 32), (1000, NOTES, 1001), (1001, ALL, 3006)]
)
def test_need_of_a_preview(leads: int, selectors: Selectors, calls: int) -> None:
    """A preview reads each kind of each lead, and looks up types and leads."""
    assert need_of_preview(leads, selectors, asks_account=False).calls == calls
    assert need_of_preview(leads, selectors, asks_account=True).calls == calls + 1


@pytest.mark.parametrize(
    ("selectors", "how", "calls"),
    [
        (NOTES, (), 11),
        (ALL, (), 12),
        (NOTES, ("reads_first",), 21),
        (ALL, ("reads_first",), 42),
        (ALL, ("counts_first",), 43),
        (ALL, ("reads_first", "counts_first"), 73),
        (ALL, ("reads_first", "planned"), 41),
    ],
)
def test_need_of_a_reset(selectors: Selectors, how: tuple[str, ...], calls: int) -> None:
    """A reset is one call a lead, and its reads with a plan, an archive or max_records."""
    given = {name: name in how for name in ("reads_first", "counts_first", "planned")}
    assert need_of_reset(10, selectors, **given).calls == calls


@pytest.fixture
def lsq(monkeypatch: pytest.MonkeyPatch) -> Any:
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", emulator.conn_json)
        yield emulator


def a_reset(leads: list[str], kind: Any = LeadResetOperator, **given: Any) -> Any:
    return kind(task_id="task", prospect_ids=leads, should_delete_prospect_notes=True, window=WINDOW, **given)


@pytest.mark.parametrize("value", [0, -1, True, "5", 2.5])
@pytest.mark.parametrize("kind", [LeadResetOperator, LeadResetPreviewOperator])
def test_max_calls_must_be_whole(lsq: Any, kind: Any, value: Any) -> None:
    """It is a whole number of at least 1."""
    with pytest.raises(LeadResetInputError, match=r"max_calls is .*: give a whole number of at least 1"):
        a_reset([LEAD], kind, max_calls=value).execute({})
    assert lsq.calls == []


@pytest.mark.parametrize(
    ("kind", "given", "need"),
    [
        (LeadResetOperator, {}, 5),
        (LeadResetOperator, {"activity_event_list": [166], "max_records": 9}, 15),
        (LeadResetPreviewOperator, {}, 5),
        (LeadResetPreviewOperator, {"activity_event_list": [166]}, 10),
    ],
)
def test_too_few_calls_are_refused(lsq: Any, kind: Any, given: dict[str, Any], need: int) -> None:
    """What needs more is refused before the first call, naming the need and what to change; with as many it runs."""
    leads = [lsq.add_lead() for _ in range(4)]
    lsq.add_activity_type(166, "Test call")
    with pytest.raises(LeadResetInputError) as caught:
        a_reset(leads, kind, max_calls=need - 1, **given).execute({})
    assert f"max_calls is {need - 1}, and {need} calls at least are needed for 4 leads" in str(caught.value)
    assert f"Set max_calls={need} or more, or give fewer leads or kinds" in str(caught.value)
    assert lsq.calls == []
    a_reset(leads, kind, max_calls=need, **given).execute({})
    assert len(lsq.calls) == need


@pytest.mark.parametrize("kind", [LeadResetOperator, LeadResetPreviewOperator])
def test_calls_of_a_list_are_needed(lsq: Any, kind: Any) -> None:
    """What it took to read a list counts among what is needed; no lead is touched when the rest is too little."""
    listed = lsq.add_list("Test leads", [lsq.add_lead() for _ in range(4)])
    asked = {"should_delete_prospect_notes": True, "window": WINDOW, "list_id": listed, "retries": 0}
    kind(task_id="task", **asked).execute({})
    need = len(lsq.calls)
    with pytest.raises(LeadResetInputError) as caught:
        kind(task_id="task", max_calls=need - 1, **asked).execute({})
    assert f"max_calls is {need - 1}, and {need} calls at least are needed for 4 leads" in str(caught.value)
    assert "to read the list): no lead was touched. Set" in str(caught.value)
    assert len({call.prospect_id for call in lsq.calls[need:]} - {None}) == 0
    before = len(lsq.calls)
    kind(task_id="task", max_calls=need, **asked).execute({})
    assert len(lsq.calls) == before + need


def test_reached_max_calls_end_the_reset(lsq: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where repetitions use them up no further call is made, and what was not reached is said; it is not retried."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", (0.0, 0.0, 0.0))
    leads = [lsq.add_lead() for _ in range(40)]
    for lead in leads[:15]:
        lsq.fault("500", times=None, path="Lead.Reset", prospect_id=lead)
    kept: dict[str, Any] = {}
    ti = SimpleNamespace(
        task_id="task", max_tries=3, xcom_push=lambda *, key, value: kept.update({key: value})
    )
    with pytest.raises(LeadResetMaxCallsError) as caught:
        a_reset(leads, max_calls=46).execute({"ti": ti})
    assert len(lsq.calls) == 46
    assert "max_calls=46 is reached: no further call is made" in str(caught.value)
    summary = kept["return_value"]
    assert summary["stopped_because"] == "max_calls=46 is reached: no further call is made"
    assert summary["calls"] == 46
    assert summary["not_reached"] + summary["unanswered"] >= 10
    assert sum(summary[kind] for kind in OUTCOMES) == 40
    assert summary["unanswered"]
    doubts = [one["error"] for one in summary["failures"] if one["outcome"] == "unanswered"]
    assert all(why.startswith("HTTP 500: ") for why in doubts), "not only what ended the batch"
    assert len({call.prospect_id for call in lsq.resets}) == summary["queued"]


def test_reached_max_calls_end_the_preview(lsq: Any) -> None:
    """A preview that uses them up ends, and is not retried."""
    leads = [lsq.add_lead() for _ in range(4)]
    lsq.fault("429", times=2, path="RetrieveNote")
    with pytest.raises(LeadResetMaxCallsError, match="max_calls=5 is reached"):
        a_reset(leads, LeadResetPreviewOperator, max_calls=5).execute({})
    assert len(lsq.calls) == 5


def test_no_limit_of_calls() -> None:
    """Nothing limits what names no max_calls, nor a sensor."""
    for kind in (LeadResetOperator, LeadResetPreviewOperator, LeadResetSensor):
        run, _ = run_of(a_task(kind))
        run.before_first_call(Leads.of([LEAD]), NOTES)
        assert run.client.limiter.max_calls is None
