"""Tasks called directly, with next to no context, as Airflow's documentation recommends it for unit tests."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.compat import Asset
from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetOutageError,
    LeadResetQuotaError,
)
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.operators.lead_reset import (
    ENTIRE_HISTORY,
    LeadResetOperator,
    LeadResetPreviewOperator,
)
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import IN_WINDOW

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
ASKED: dict[str, Any] = {"window": "2026-09-01/2026-10-01", "should_delete_prospect_notes": True}


@pytest.fixture
def lead(lsq: Any) -> str:
    made = str(lsq.add_lead())
    lsq.add_note(made, "a note", IN_WINDOW)
    return made


def test_tasks_with_an_empty_context(lsq, lead):
    """Preview, reset and sensor work with an empty context."""
    context: Any = {}
    preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=lead, **ASKED).execute(context)
    assert preview["totals"]["notes"] == 1
    sensor = LeadResetSensor(task_id="verify", prospect_ids=lead, **ASKED)
    assert not sensor.poke(context)
    summary = LeadResetOperator(task_id="reset", prospect_ids=lead, **ASKED).execute(context)
    assert (summary["queued"], len(lsq.resets)) == (1, 1)
    lsq.wait_until_idle()
    assert sensor.poke(context)


def test_what_needs_a_context(lsq, lead, tmp_path):
    """The run's moment, and evidence, which is named after the run, say that they need one."""
    context: Any = {}
    asked = {"prospect_ids": lead, "should_delete_prospect_notes": True}
    with pytest.raises(LeadResetInputError, match="ENTIRE_HISTORY ends when the DAG run was due"):
        LeadResetOperator(task_id="reset", window=ENTIRE_HISTORY, **asked).execute(context)
    for task in (LeadResetOperator, LeadResetPreviewOperator):
        with pytest.raises(LeadResetInputError, match=r"evidence_path: .* no task instance in the context"):
            task(task_id="one", prospect_ids=lead, evidence_path=str(tmp_path), **ASKED).execute(context)
    assert lsq.resets == []


def test_outlets_without_a_context(lsq, lead):
    """Without events of outlets none is told, and the summary is returned."""
    outlet = Asset("leadsquared://api-in21.leadsquared.com/leads")
    task = LeadResetOperator(task_id="reset", prospect_ids=lead, outlets=[outlet], **ASKED)
    context: Any = {}
    assert task.execute(context)["queued"] == 1


def test_planned_sensor_without_a_context(lsq, lead, tmp_path):
    """A sensor verifies a plan without a task instance, and keeps no file of it."""
    ti: Any = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="preview",
        map_index=-1,
        try_number=1,
        max_tries=0,
        xcom_push=lambda **_: None,
    )
    preview = LeadResetPreviewOperator(
        task_id="preview", prospect_ids=lead, evidence_path=str(tmp_path), **ASKED
    )
    plan = preview.execute({"ti": ti})
    context: Any = {}
    LeadResetOperator(task_id="reset", plan=plan).execute(context)
    lsq.wait_until_idle()
    assert LeadResetSensor(task_id="verify", plan=plan).poke(context)
    assert list(tmp_path.rglob("verification.json")) == []


@pytest.mark.parametrize("when", ["before", "at the connection"])
def test_stopped_before_the_first_call(lsq, lead, monkeypatch, when):
    """A stop that comes before there is a client lets no call start."""
    task = LeadResetOperator(task_id="reset", prospect_ids=lead, **ASKED)
    found = LeadResetHook.get_conn

    def stopped_meanwhile(hook: LeadResetHook) -> Any:
        monkeypatch.setattr(LeadResetHook, "get_conn", found)
        task.on_kill()
        return found(hook)

    if when == "before":
        task.on_kill()
    else:
        monkeypatch.setattr(LeadResetHook, "get_conn", stopped_meanwhile)
    context: Any = {}
    with pytest.raises(LeadResetFailedError):
        task.execute(context)
    assert lsq.calls == []


def test_stopped_sensor_calls_no_more(lsq, lead):
    """After a stop a sensor's next poke makes no call."""
    sensor = LeadResetSensor(task_id="verify", prospect_ids=lead, **ASKED)
    context: Any = {}
    assert not sensor.poke(context)
    calls = len(lsq.calls)
    sensor.on_kill()
    with pytest.raises(LeadResetFailedError):
        sensor.poke(context)
    assert len(lsq.calls) == calls


@pytest.mark.parametrize("value", ["False", "no", 1, "{{ params.x }}"])
def test_flag_that_is_no_flag(value):
    """A text would count as true, so that a flag takes True and False alone."""
    with pytest.raises(ValueError, match=r"task verify: accept_unknown_leads is .*: give True or False"):
        LeadResetSensor(task_id="verify", prospect_ids="x", accept_unknown_leads=value, **ASKED)


@pytest.mark.parametrize(
    "conn_id", ["crm\n[2026-11-25] INFO - 40 leads queued", "lsq_{{ params.x }}", "x" * 251]
)
def test_connection_id_of_no_connection(lsq, lead, conn_id):
    """An id that no connection can have is quoted, on one line and cut."""
    task = LeadResetOperator(task_id="reset", prospect_ids=lead, leadsquared_conn_id=conn_id, **ASKED)
    context: Any = {}
    with pytest.raises(
        LeadResetInputError, match=r"leadsquared_conn_id is .*, which names no conn"
    ) as caught:
        task.execute(context)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_unreadable_variable_is_named(monkeypatch):
    """Of a connection that Airflow cannot read from the environment, the variable is named."""
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", '{"conn_type": "leadsquared", ')
    task = LeadResetOperator(task_id="reset", prospect_ids="x", leadsquared_conn_id="broken", **ASKED)
    context: Any = {}
    with pytest.raises(LeadResetFailedError, match="AIRFLOW_CONN_BROKEN is set, so it holds no readable"):
        task.execute(context)


@pytest.mark.usefixtures("quick_repeats")
def test_host_that_is_away_names_connection(monkeypatch):
    """An outage names the connection, too."""
    connection = {
        "conn_type": "leadsquared",
        "host": "http://127.0.0.1:9",
        "login": "u$r-access",
        "password": "s3cret-of-it",
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWAY", json.dumps(connection))
    task = LeadResetPreviewOperator(task_id="preview", prospect_ids=LEAD, leadsquared_conn_id="away", **ASKED)
    context: Any = {}
    with pytest.raises(LeadResetOutageError, match=r"^connection away: .* cannot be reached"):
        task.execute(context)


def test_used_up_quota_names_connection(lsq, lead, monkeypatch):
    """So does a quota that is used up: which account it is, is what a reader asks first."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.GIVE_UP_AFTER", 0.0)
    lsq.fault("429", times=None)
    task = LeadResetPreviewOperator(task_id="preview", prospect_ids=lead, **ASKED)
    context: Any = {}
    with pytest.raises(
        LeadResetQuotaError, match=r"^connection leadsquared_default: .*not one call was accepted"
    ):
        task.execute(context)
