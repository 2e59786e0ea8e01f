"""DAGs that use preview, reset and sensor in unusual ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task

from airflow_provider_leadreset.operators.lead_reset import (
    ENTIRE_HISTORY,
    LeadResetOperator,
    LeadResetPreviewOperator,
)
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

WINDOW = "2026-09-01/2026-10-01"
KINDS: dict[str, Any] = {"activity_event_list": [166], "should_delete_prospect_notes": True}
PARAMS = {"leads": None, "evidence": None, "path": None, "approvals": None}
SOON = {"poke_interval": timedelta(seconds=0.1), "timeout": 20}


def a_dag(dag_id: str, **defaults: Any) -> DAG:
    return DAG(
        dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        params=PARAMS,
        render_template_as_native_obj=True,
        default_args={"retries": 0, **defaults},
    )


def pause() -> None:
    """What happens between two tasks; the tests set it."""


@task
def between() -> None:
    pause()


with a_dag("mapped_plans") as mapped_plans:

    @task
    def chunks(params: dict[str, Any]) -> Any:
        return params["leads"]

    previews = LeadResetPreviewOperator.partial(
        task_id="preview", window=WINDOW, evidence_path="{{ params.evidence }}", **KINDS
    ).expand(prospect_ids=chunks())
    resets = LeadResetOperator.partial(
        task_id="reset",
        evidence_path="{{ params.evidence }}",
        archive=True,
        approval={"approved": True, "by": "Asha", "ticket": "CRM-17"},
    ).expand(plan=previews.output)
    verifications = LeadResetSensor.partial(task_id="verify", **SOON).expand(plan=previews.output)
    resets >> verifications

with a_dag(
    "by_default_args",
    leadsquared_conn_id="leadsquared_default",
    pool="leadsquared_default",
    pool_slots=20,
    evidence_path="{{ params.evidence }}",
    archive=True,
    approval={"approved": True, "by": "Asha", "ticket": "CRM-17"},
    mode="reschedule",
    max_leads=3,
    poke_interval=timedelta(seconds=0.1),
    timeout=20,
) as by_default_args:
    seen = LeadResetPreviewOperator(
        task_id="preview", prospect_ids="{{ params.leads }}", window=WINDOW, **KINDS
    )
    (
        LeadResetOperator(task_id="reset", plan=seen.output)
        >> LeadResetSensor(task_id="verify", plan=seen.output)
    )

with a_dag("everything_planned") as everything_planned:
    all_seen = LeadResetPreviewOperator(
        task_id="preview",
        prospect_ids="{{ params.leads }}",
        window=ENTIRE_HISTORY,
        evidence_path="{{ params.evidence }}",
        **KINDS,
    )
    everything_reset = LeadResetOperator(task_id="reset", plan=all_seen.output)
    (
        all_seen
        >> between()
        >> everything_reset
        >> LeadResetSensor(task_id="verify", plan=all_seen.output, **SOON)
    )

with a_dag("previewed_twice", retries=1, retry_delay=timedelta(0)) as previewed_twice:
    seen_twice = LeadResetPreviewOperator(
        task_id="preview",
        prospect_ids="{{ params.leads }}",
        window=WINDOW,
        evidence_path="{{ params.evidence }}",
        **KINDS,
    )
    LeadResetOperator(task_id="reset", plan=seen_twice.output)

with a_dag("archived") as archived:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        window=WINDOW,
        evidence_path="{{ params.evidence }}",
        archive=True,
        **KINDS,
    )

with a_dag("plain") as plain:
    LeadResetOperator(task_id="reset", prospect_ids="{{ params.leads }}", window=WINDOW, **KINDS)

with a_dag("of_a_file") as of_a_file:
    LeadResetOperator(task_id="reset", prospect_ids_path="{{ params.path }}", window=WINDOW, **KINDS)

with a_dag("mapped_approvals") as mapped_approvals:

    @task
    def answers(params: dict[str, Any]) -> Any:
        return params["approvals"]

    LeadResetOperator.partial(
        task_id="reset", prospect_ids="{{ params.leads }}", window=WINDOW, **KINDS
    ).expand(approval=answers())

with a_dag("file_verified") as file_verified:
    LeadResetSensor(task_id="verify", prospect_ids_path="{{ params.path }}", window=WINDOW, **SOON, **KINDS)

with a_dag("tasks_verified") as tasks_verified:
    LeadResetSensor(
        task_id="verify",
        prospect_ids="{{ params.leads }}",
        window=WINDOW,
        task_type_list=["3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"],
        **SOON,
    )
