"""Arguments as such, before any value is looked at: which are there, which exclude one another, and no None."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

from airflow_provider_leadreset.compat import BaseOperator
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.operators._arguments import BaseOperatorArguments
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import airflow_version, is_airflow_2

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
WINDOW = "2026-09-01/2026-10-01"
ASKED: dict[str, Any] = {"prospect_ids": LEAD, "window": WINDOW, "activity_event_list": [166]}
TASKS = (LeadResetOperator, LeadResetPreviewOperator, LeadResetSensor)
NONE = "came to None: leave it out if you do not want it; a task gives None when it was skipped"
AIRFLOWS_OF_A_SENSOR = {
    "poke_interval": 5,
    "timeout": 50,
    "soft_fail": True,
    "mode": "reschedule",
    "exponential_backoff": True,
    "max_wait": 9,
    "silent_fail": True,
}


def own_arguments(task: Any) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(task.__init__).parameters
    return {name: one for name, one in parameters.items() if name not in ("self", "kwargs")}


@pytest.mark.parametrize("given", [{}, {"prospect_ids": LEAD, "prospect_ids_path": "/leads.csv"}])
@pytest.mark.parametrize("task", TASKS)
def test_leads_from_exactly_one_place(task, given):
    """Leads come from exactly one place, and the error names the task."""
    sources = "prospect_ids and prospect_ids_path"
    if task is not LeadResetSensor:
        sources = "prospect_ids, prospect_ids_path and list_id"
    with pytest.raises(ValueError, match=rf"^task one: give exactly one of {sources}"):
        task(task_id="one", window=WINDOW, **given)


@pytest.mark.parametrize("task", TASKS)
def test_window_is_required(task):
    """A window must be given."""
    with pytest.raises(ValueError, match=r"^task one: give a window, such as"):
        task(task_id="one", prospect_ids=LEAD)


@pytest.mark.parametrize(
    "also",
    [
        {"prospect_ids": LEAD},
        {"prospect_ids_path": "/mnt/leads.txt"},
        {"prospect_id_field": "Lead"},
        {"activity_event_list": [166]},
        {"activity_event_list": []},
        {"should_delete_prospect_notes": True},
        {"window": WINDOW},
    ],
)
@pytest.mark.parametrize("task", [LeadResetOperator, LeadResetSensor])
def test_arguments_beside_a_plan(task, also):
    """Beside a plan no argument is accepted that the plan itself settles."""
    task(task_id="one", plan={"plan": "x"}, timezone="UTC")
    with pytest.raises(ValueError, match=rf"^task one: a plan says .*leave out {next(iter(also))}"):
        task(task_id="one", plan={"plan": "x"}, **also)


@pytest.mark.parametrize("task", [LeadResetOperator, LeadResetSensor])
def test_time_zone_beside_a_plan(task):
    """A time zone for all tasks of a DAG is no contradiction to a plan, which has its own; None is none."""
    for given in ({"timezone": "Asia/Kolkata"}, {"default_args": {"timezone": "Asia/Kolkata"}}):
        assert task(task_id="one", plan={"plan": "x"}, **given).timezone is NOT_GIVEN
    with pytest.raises(ValueError, match=r"a plan says .*leave out window \(in default_args, too\)"):
        task(task_id="one", plan={"plan": "x"}, default_args={"timezone": "Asia/Kolkata", "window": WINDOW})
    with pytest.raises(ValueError, match="timezone came to None"):
        task(task_id="one", plan={"plan": "x"}, default_args={"timezone": None})


@pytest.mark.parametrize("task", TASKS)
def test_types_can_be_asked_for(task):
    """Tools that read signatures, such as YAML factories, can ask for the types of the arguments."""
    hints = typing.get_type_hints(task.__init__)
    assert set(own_arguments(task)) <= set(hints)
    assert str in typing.get_args(hints["prospect_ids"])


def test_list_beside_others():
    """A list is one of the sources, goes with no field of an id, and beside no plan; a sensor has none."""
    listed = {**ASKED, "task_id": "one", "list_id": LEAD, "evidence_path": "/mnt"}
    listed.pop("prospect_ids")
    for task in (LeadResetOperator, LeadResetPreviewOperator):
        assert task(**listed).list_id == LEAD
        with pytest.raises(
            ValueError, match="give exactly one of prospect_ids, prospect_ids_path and list_id"
        ):
            task(**listed, prospect_ids=LEAD)
        with pytest.raises(ValueError, match=r"prospect_id_field names a column .* leave it out"):
            task(**listed, prospect_id_field="Lead")
    with pytest.raises(ValueError, match=r"a plan says .*leave out list_id"):
        LeadResetOperator(task_id="one", plan={}, list_id=LEAD, evidence_path="/mnt")
    with pytest.raises(Exception, match="list_id"):  # Airflow's own, of two kinds
        LeadResetSensor(task_id="one", window=WINDOW, list_id=LEAD)


@pytest.mark.parametrize("defaults", [False, True])
@pytest.mark.parametrize("task", [LeadResetOperator, LeadResetPreviewOperator])
def test_list_with_retries(task, defaults):
    """Before Airflow 3.3, retries need a place where the members of a list are kept."""
    retries = {"default_args": {"retries": 2}} if defaults else {"retries": 2}
    listed = {**ASKED, "task_id": "one", "list_id": LEAD}
    listed.pop("prospect_ids")
    task(**listed, **retries, evidence_path="/mnt")
    task(**listed, retries=0)
    if airflow_version() >= (3, 3):
        task(**listed, **retries)
    else:
        with pytest.raises(
            ValueError, match=r"list_id with retries=2 needs an evidence_path before Airflow 3.3"
        ):
            task(**listed, **retries)


def test_archive_needs_a_place():
    """An archive needs a place to be kept in, and to be asked for by True."""
    with pytest.raises(ValueError, match=r"^task one: archive=True needs an evidence_path"):
        LeadResetOperator(task_id="one", archive=True, **ASKED)
    with pytest.raises(ValueError, match=r"^task one: archive is 'yes': give True or False"):
        LeadResetOperator(task_id="one", archive="yes", evidence_path="/mnt", **ASKED)


def test_preview_takes_no_plan():
    """A preview has no such argument as a plan, mapped or not."""
    with pytest.raises(TypeError, match="plan"):
        LeadResetPreviewOperator.partial(task_id="one", plan={"plan": "x"})
    with pytest.raises(Exception, match="plan"):  # Airflow's own, of two kinds
        LeadResetPreviewOperator(task_id="one", plan={"plan": "x"}, **ASKED)


AIRFLOWS = {"poke_interval", "timeout", "soft_fail", "mode", "exponential_backoff", "max_wait", "silent_fail"}


@pytest.mark.parametrize("from_defaults", [False, True])
@pytest.mark.parametrize(
    ("task", "name"),
    [(task, name) for task in TASKS for name in own_arguments(task) if name not in {*AIRFLOWS, "never_fail"}],
)
def test_none_is_never_a_value(task, name, from_defaults):
    """None is refused for each argument, as a literal and from default_args, naming argument and task."""
    given = {key: value for key, value in ASKED.items() if key != name}
    none = {"default_args": {name: None}} if from_defaults else {name: None}
    with pytest.raises(ValueError, match=rf"^task one: {name} {NONE}"):
        task(task_id="one", **given, **none)


def test_defaults_of_others_are_ignored():
    """A None in default_args is no argument of a task that has no such one."""
    LeadResetPreviewOperator(task_id="one", default_args={"plan": None, "approval": None}, **ASKED)


SOURCES = ("prospect_ids", "prospect_ids_path", "list_id", "prospect_id_field", "exclude")
GUARDS = (*SOURCES, "plan", "approval", "reason", "evidence_path", "max_records", "max_calls", "window")
LISTS = ("activity_event_list", "task_type_list", "audit_activity_list")


@pytest.mark.parametrize("task", TASKS)
def test_defaults_of_guards(task):
    """What guards or narrows is by default not given."""
    own = own_arguments(task)
    assert {name for name, one in own.items() if one.default is NOT_GIVEN and name not in AIRFLOWS} == {
        name for name in (*GUARDS, *LISTS, "never_fail") if name in own
    }


def test_design_order_of_arguments():
    """Arguments come as the guide tells them: leads, what, when, plan, evidence, guards, connection."""
    assert list(own_arguments(LeadResetOperator)) == [
        "prospect_ids",
        "prospect_ids_path",
        "list_id",
        "prospect_id_field",
        "exclude",
        "activity_event_list",
        "task_type_list",
        "audit_activity_list",
        "should_delete_prospect_notes",
        "window",
        "timezone",
        "plan",
        "max_plan_age",
        "approval",
        "reason",
        "evidence_path",
        "archive",
        "skip_unmodified",
        "max_leads",
        "max_records",
        "max_calls",
        "max_failed_leads",
        "leadsquared_conn_id",
    ]


# -- for editors and YAML factories ---------------------------------------------------------------------------


def test_airflows_arguments_are_all_named():
    """Whatever this Airflow's BaseOperator takes is known to type checkers."""
    known = set(BaseOperatorArguments.__annotations__)
    assert set(inspect.signature(BaseOperator.__init__).parameters) - {"self", "kwargs"} <= known


def built_by_a_factory(task: Any, written: dict[str, Any]) -> Any:
    """Build a task as gusty does: of what the signatures of the class and of BaseOperator name."""
    named = {
        *inspect.signature(task.__init__).parameters,
        *inspect.signature(BaseOperator.__init__).parameters,
    }
    return task(**{name: value for name, value in written.items() if name in named})


@pytest.mark.parametrize("task", TASKS)
def test_yaml_factories(task):
    """A factory that passes only what signatures name loses nothing."""
    written = {
        "task_id": "one",
        "pool": "leadsquared_default",
        "timezone": "Asia/Kolkata",
        "max_leads": 3,
        "leadsquared_conn_id": "crm",
        "no_such_argument": 1,
        **ASKED,
        **(AIRFLOWS_OF_A_SENSOR if task is LeadResetSensor else {"evidence_path": "/mnt/evidence"}),
    }
    made = built_by_a_factory(task, written)
    assert {name: getattr(made, name, None) for name in written} == {
        **written,
        "no_such_argument": None,
        **({"max_wait": made.max_wait} if task is LeadResetSensor else {}),
    }


@pytest.mark.parametrize(("name", "value"), AIRFLOWS_OF_A_SENSOR.items())
def test_sensor_arguments_reach_airflow(name, value):
    """Each argument of Airflow's sensor reaches it, given or from default_args."""
    seconds = getattr(LeadResetSensor(task_id="one", **ASKED, **{name: value}), name)
    assert getattr(seconds, "total_seconds", lambda: seconds)() == value
    made = LeadResetSensor(task_id="one", default_args={name: value}, **ASKED)
    assert getattr(made, name) == seconds


def test_sensor_default_timeout(monkeypatch):
    """Where no timeout is given, Airflow's configuration says it."""
    if not is_airflow_2():  # which reads it once, when it is loaded
        monkeypatch.setenv("AIRFLOW__SENSORS__DEFAULT_TIMEOUT", "1234")
    made = LeadResetSensor(task_id="one", **ASKED)
    assert made.timeout == (604_800 if is_airflow_2() else 1234)
    assert (made.mode, made.soft_fail, made.never_fail) == ("poke", False, False)
    assert LeadResetSensor(task_id="one", never_fail=True, **ASKED).never_fail is True
