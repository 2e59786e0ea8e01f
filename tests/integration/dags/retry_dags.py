"""DAGs whose reset task is retried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

ASKED = {"activity_event_list": [166], "window": "2026-09-01/2026-10-01"}

with DAG(
    "retried",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(0)},
    params={"leads": None, "evidence": None},
) as retried:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        evidence_path="{{ params.evidence }}",
        **ASKED,
    )

with DAG(
    "retried_mapped",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(0)},
    params={"leads": None},
) as retried_mapped:
    LeadResetOperator.partial(task_id="reset", **ASKED).expand(
        prospect_ids=["{{ params.leads[0] }}", "{{ params.leads[1] }}"]
    )
