"""DAGs whose leads are those of a CRM list, or rows of a task."""

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

ASKED: dict[str, Any] = {"activity_event_list": [166], "window": "2026-09-01/2026-10-01"}
LISTED: dict[str, Any] = {**ASKED, "list_id": "{{ params.list }}"}
EVIDENCE = "{{ params.evidence }}"


def a_dag(dag_id: str, retries: int = 0, **kwargs: Any) -> DAG:
    return DAG(
        dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        default_args={"retries": retries, "retry_delay": timedelta(0)},
        params={"list": None, "evidence": None, "rows": None, "field": None},
        **kwargs,
    )


with a_dag("listed", retries=2) as listed:
    reset = LeadResetOperator(task_id="reset", evidence_path=EVIDENCE, **LISTED)
    verify = LeadResetSensor(
        task_id="verify",
        prospect_ids_path="{{ ti.xcom_pull('reset')['leads_path'] }}",
        poke_interval=0.1,
        timeout=20,
        **ASKED,
    )
    reset >> verify

with a_dag("listed_without_evidence") as listed_without_evidence:
    LeadResetOperator(task_id="reset", max_leads=3, **LISTED)

with a_dag("listed_in_state") as listed_in_state:
    in_state = LeadResetOperator(task_id="reset", **LISTED)
    in_state.retries = 2  # before Airflow 3.3 it would not load

with a_dag("listed_and_planned") as listed_and_planned:
    preview = LeadResetPreviewOperator(task_id="preview", evidence_path=EVIDENCE, **LISTED)
    LeadResetOperator(task_id="reset", plan=preview.output)

with a_dag("rows_of_a_task") as rows_of_a_task:

    @task
    def rows(params: dict[str, Any]) -> Any:
        return params["rows"]

    @task
    def one(row: dict[str, str]) -> list[dict[str, str]]:
        return [row]

    LeadResetOperator(
        task_id="reset",
        prospect_ids=one.expand(row=rows()),
        prospect_id_field="{{ params.field or 'ProspectID' }}",
        **ASKED,
    )
