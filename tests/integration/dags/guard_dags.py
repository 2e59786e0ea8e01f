"""DAGs in which an argument came to None, or something that a task needs is wrong or away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowSkipException
except ImportError:  # Airflow 2.11, and 3.0 for the exception
    from airflow.decorators import task
    from airflow.exceptions import AirflowSkipException
    from airflow.models.dag import DAG

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
ASKED: dict[str, Any] = {
    "prospect_ids": LEAD,
    "window": "2026-09-01/2026-10-01",
    "should_delete_prospect_notes": True,
}
TEMPLATED = (
    *("plan", "approval", "evidence_path", "prospect_ids", "prospect_ids_path", "window"),
    *("activity_event_list", "task_type_list", "audit_activity_list", "should_delete_prospect_notes"),
)
GUARDS = (*TEMPLATED, "max_records")
SOON: dict[str, Any] = {"poke_interval": 0.1, "timeout": 20}


def a_dag(dag_id: str, defaults: dict[str, Any] | None = None, **given: Any) -> DAG:
    return DAG(
        dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        default_args={"retries": 1, "retry_delay": timedelta(0), **(defaults or {})},
        params={"leads": LEAD, "conn": "leadsquared_default", "evidence": "", "path": ""},
        **given,
    )


def but(name: str) -> dict[str, Any]:
    """What a reset is otherwise asked for, without the argument that is tried."""
    if name == "plan":
        return {}
    return {key: value for key, value in ASKED.items() if key not in (name, name.removesuffix("_path"))}


@task
def skips() -> None:
    raise AirflowSkipException("nothing today")


@task
def returns_nothing() -> None:
    return None


GUARD_DAGS: dict[str, DAG] = {}
for guard in GUARDS:
    with a_dag(f"none_as_{guard}") as none_dag:
        LeadResetOperator.partial(task_id="partial", **{**but(guard), guard: None}).expand(timezone=["UTC"])
        LeadResetOperator.partial(task_id="expand", **but(guard)).expand(**{guard: [None]})
        LeadResetOperator.partial(task_id="expand_kwargs", **but(guard)).expand_kwargs([{guard: None}])
        if guard in TEMPLATED:
            from_skipped: Any = {**but(guard), guard: skips()}
            LeadResetOperator(task_id="skipped", trigger_rule="all_done", **from_skipped)
            from_nothing: Any = {**but(guard), guard: returns_nothing()}
            LeadResetOperator(task_id="empty", **from_nothing)
    GUARD_DAGS[guard] = none_dag


with a_dag("none_defaults_in_mapped", {"approval": None}) as none_defaults_in_mapped:
    LeadResetOperator.partial(task_id="reset", **but("prospect_ids")).expand(prospect_ids=[LEAD])

with a_dag("none_for_sensor") as none_for_sensor:
    LeadResetSensor(task_id="verify", plan=returns_nothing(), soft_fail=True, **SOON)


# -- which failures are retried -------------------------------------------------------------------------------

TEMPLATES = {
    "syntax": "{{ x }",
    "undefined": "{{ no_such_name }}",
    "type": "{{ 1 + 'a' }}",
    "value": "{{ macros.datetime.fromisoformat('nonsense') }}",
    "zone": "{{ zone('Mars/Olympus') }}",
    "key": "{{ lookup('x') }}",
    "division": "{{ 1 / 0 }}",
    "variable": "{{ var.value.no_such_variable }}",
    "connection": "{{ conn.no_such_connection.host }}",
    "backend": "{{ away() }}",
}


def zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def away() -> Any:
    raise OSError("the vault did not answer")


MACROS: dict[str, Any] = {"zone": zone, "away": away, "lookup": {"a": 1}.__getitem__}
TEMPLATE_DAGS: dict[str, DAG] = {}
for kind, template in TEMPLATES.items():
    with a_dag(f"template_{kind}", user_defined_macros=MACROS) as template_dag:
        LeadResetOperator(task_id="reset", **{**ASKED, "timezone": template})
    TEMPLATE_DAGS[kind] = template_dag

with a_dag("by_conn") as by_conn:
    LeadResetOperator(
        task_id="reset",
        leadsquared_conn_id="{{ params.conn }}",
        **{**ASKED, "prospect_ids": "{{ params.leads }}"},
    )

with a_dag("with_evidence") as with_evidence:
    LeadResetOperator(task_id="reset", evidence_path="{{ params.evidence }}", **ASKED)

with a_dag("with_file") as with_file:
    LeadResetOperator(task_id="reset", prospect_ids_path="{{ params.path }}", **but("prospect_ids"))

with a_dag("wrong_codes") as wrong_codes:
    LeadResetOperator(task_id="reset", activity_event_list="x", **but(""))

with a_dag("planned", render_template_as_native_obj=True) as planned:
    preview = LeadResetPreviewOperator(
        task_id="preview",
        evidence_path="{{ params.evidence }}",
        timezone="Asia/Kolkata",
        **{**ASKED, "prospect_ids": "{{ params.leads }}"},
    )
    LeadResetOperator(task_id="reset", plan=preview.output)
    LeadResetOperator.partial(task_id="mapped").expand(plan=[preview.output])

for name in ("soft_fail", "never_fail"):
    with a_dag(f"sensor_{name}") as sensor_dag:
        LeadResetSensor(task_id="verify", **{name: True}, **SOON, **ASKED)
    globals()[sensor_dag.dag_id] = sensor_dag


@task(multiple_outputs=True)
def skips_by_key() -> dict[str, Any]:
    raise AirflowSkipException("nothing today")


with a_dag("by_key_of_skipped") as by_key_of_skipped:
    of_skipped: Any = skips_by_key()["ids"]
    LeadResetOperator(
        task_id="reset", trigger_rule="all_done", prospect_ids=of_skipped, **but("prospect_ids")
    )

with a_dag("sensor_away") as sensor_away:
    LeadResetSensor(task_id="verify", soft_fail=True, **{**SOON, "timeout": 0.3}, **ASKED)

with a_dag("sensor_alone") as sensor_alone:
    LeadResetSensor(
        task_id="verify",
        allow_nested_operators=False,
        **{**SOON, "timeout": 0.3},
        **{**ASKED, "prospect_ids": "{{ params.leads }}"},
    )
