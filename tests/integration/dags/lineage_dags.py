"""DAGs of which OpenLineage is told."""

from __future__ import annotations

from datetime import UTC, datetime

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

WINDOW = "2026-09-01/2026-10-01"
TASK_TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
COMMON = {
    "params": {"leads": None, "evidence": None},
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
}
LEADS = "{{ params.leads }}"

with DAG("told", schedule=None, **COMMON) as told:
    LeadResetOperator(
        task_id="reset",
        prospect_ids=LEADS,
        activity_event_list=[166, 167],
        task_type_list=[TASK_TYPE],
        audit_activity_list=["OwnerChange"],
        should_delete_prospect_notes=True,
        window=WINDOW,
    )

with DAG("told_refused", schedule=None, **COMMON) as told_refused:
    LeadResetOperator(task_id="reset", prospect_ids=LEADS, activity_event_list=[166], window="{{ None }}")

with DAG("told_mapped", schedule=None, **COMMON) as told_mapped:
    LeadResetOperator.partial(task_id="reset", activity_event_list=[166], window=WINDOW).expand(
        prospect_ids=["{{ params.leads[0] }}", "{{ params.leads[1] }}"]
    )

with DAG("told_plan", schedule=None, **COMMON) as told_plan:
    preview = LeadResetPreviewOperator(
        task_id="preview",
        prospect_ids=LEADS,
        activity_event_list=[166],
        should_delete_prospect_notes=True,
        window=WINDOW,
        evidence_path="{{ params.evidence }}",
    )
    reset = LeadResetOperator(task_id="reset", plan=preview.output)
    verify = LeadResetSensor(task_id="verify", plan=preview.output, poke_interval=0.2, timeout=30)
    reset >> verify
