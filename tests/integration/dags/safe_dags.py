"""DAGs that preview, reset a plan and verify it, without a person in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

TASK_TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
KINDS: dict[str, Any] = {
    "activity_event_list": [166, 167],
    "task_type_list": [TASK_TYPE],
    "should_delete_prospect_notes": True,
}
ASKED: dict[str, Any] = {"prospect_ids": "{{ params.leads }}", "window": "2026-09-01/2026-10-01", **KINDS}
PARAMS = {"leads": None, "evidence": None, "approval": None, "most": None}


def a_dag(dag_id: str) -> DAG:
    return DAG(
        dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        params=PARAMS,
        render_template_as_native_obj=True,
        default_args={"retries": 0},
    )


def pause() -> None:
    """What happens between preview and reset; the tests set it."""


with a_dag("safe") as safe:
    preview = LeadResetPreviewOperator(task_id="preview", evidence_path="{{ params.evidence }}", **ASKED)

    @task
    def between() -> None:
        pause()

    reset = LeadResetOperator(
        task_id="reset",
        plan=preview.output,
        approval="{{ params.approval }}",
        evidence_path="{{ params.evidence }}",
        archive=True,
    )
    verify = LeadResetSensor(
        task_id="verify", plan=preview.output, poke_interval=timedelta(seconds=0.1), timeout=20
    )
    preview >> between() >> reset >> verify

with a_dag("look_only") as look_only:
    LeadResetPreviewOperator(
        task_id="preview",
        **{**ASKED, "audit_activity_list": ["StageChange"], "activity_event_list": [166, 999]},
    )

with a_dag("guarded") as guarded:
    LeadResetOperator(task_id="reset", max_records=3, **ASKED)

with a_dag("guarded_audits") as guarded_audits:
    LeadResetOperator(task_id="reset", max_records=3, audit_activity_list=["OwnerChange"], **ASKED)

with a_dag("verification") as verification:
    LeadResetSensor(task_id="verify", poke_interval=timedelta(seconds=0.1), timeout=2, **ASKED)

with a_dag("verification_of_audits") as verification_of_audits:
    LeadResetSensor(
        task_id="verify",
        prospect_ids="{{ params.leads }}",
        window="2026-09-01/2026-10-01",
        audit_activity_list=["StageChange"],
        poke_interval=timedelta(seconds=0.1),
        timeout=2,
    )
