"""DAGs whose tasks have links, and outlets."""

from __future__ import annotations

from datetime import UTC, datetime

try:
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

ASKED = {"activity_event_list": [166], "window": "2026-09-01/2026-10-01"}
START = datetime(2026, 1, 1, tzinfo=UTC)
ACTIVITIES = Asset("leadsquared://api-in21.leadsquared.com/activities")
NOTES = Asset("leadsquared://api-in21.leadsquared.com/notes")

with DAG(
    "linked", params={"leads": None, "evidence": None}, schedule=None, start_date=START, catchup=False
) as linked:
    LeadResetOperator(task_id="reset", prospect_ids="{{ params.leads }}", **ASKED)

with DAG(
    "linked_mapped", params={"leads": None}, schedule=None, start_date=START, catchup=False
) as linked_mapped:
    LeadResetOperator.partial(task_id="reset", **ASKED).expand(
        prospect_ids=["{{ params.leads[0] }}", "{{ params.leads[1] }}"]
    )

with DAG(
    "with_outlets", params={"leads": None}, schedule=None, start_date=START, catchup=False
) as with_outlets:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        should_delete_prospect_notes=True,
        outlets=[ACTIVITIES, NOTES],
        **ASKED,
    )
