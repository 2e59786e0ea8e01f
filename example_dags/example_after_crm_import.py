"""After an import: leads that come back from elsewhere start afresh, without what happened on them before.

Needs the connection `leadsquared_default` and its pool, see example_scheduled_cleanup.py.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag, task

from airflow_provider_leadreset.operators.lead_reset import ENTIRE_HISTORY, LeadResetOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    params={"returned": []},
)
def example_after_crm_import():
    @task
    def import_leads(params: dict) -> list[str]:
        # Your import goes here. It returns the ids of those leads that LeadSquared already had; on a quiet
        # night that is an empty list, and the reset is skipped.
        return params["returned"]

    LeadResetOperator(
        task_id="start_afresh",
        prospect_ids=import_leads(),
        activity_event_list=[166, 167, 201],
        audit_activity_list=["StageChange", "OwnerChange"],
        should_delete_prospect_notes=True,
        window=ENTIRE_HISTORY,  # up to when this DAG run was due: what the import adds stays
        pool="leadsquared_default",
        pool_slots=20,
    )


example_after_crm_import()
