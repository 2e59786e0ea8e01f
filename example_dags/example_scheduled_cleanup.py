"""Each night: ask for the deletion of test calls and notes of the last 30 days, for the members of a CRM list.

Before the first run, make the connection `leadsquared_default` and its pool, which has as many slots as your
LeadSquared plan allows calls in 5 seconds:

    airflow pools set leadsquared_default 25 "LeadSquared calls in 5 s"
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator


@dag(
    schedule="30 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    params={
        "list_id": "11111111-2222-3333-4444-555555555555",
        "evidence": "file:///tmp/leadreset-evidence",  # a folder that all workers share
    },
)
def example_scheduled_cleanup():
    LeadResetOperator(
        task_id="reset",
        list_id="{{ params.list_id }}",  # read once per run; a retry has the same leads
        activity_event_list=[166],  # Test call
        should_delete_prospect_notes=True,
        # The 30 whole local days before the run's, whoever started it.
        window="P30D/run_day",
        timezone="Asia/Kolkata",
        evidence_path="{{ params.evidence }}",
        max_leads=500,
        pool="leadsquared_default",
        pool_slots=20,  # of the 25 calls in 5 s; the rest is for others
    )


example_scheduled_cleanup()
