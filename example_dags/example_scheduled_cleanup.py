"""Each night: delete the test calls and notes of the last 30 days, for the members of a CRM list.

Before the first run, make the connection `leadsquared_default` and its pool, which has as many slots as your
LeadSquared plan allows calls in 5 seconds:

    airflow pools set leadsquared_default 25 "LeadSquared calls in 5 s"
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag, task

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator


@dag(
    schedule="30 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    params={"list_id": "11111111-2222-3333-4444-555555555555"},
)
def example_scheduled_cleanup():
    @task(pool="leadsquared_default", pool_slots=5)
    def members_of(list_id: str) -> list[str]:
        from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

        return LeadResetHook("leadsquared_default", calls=5).list_members(list_id)

    LeadResetOperator(
        task_id="reset",
        prospect_ids=members_of("{{ params.list_id }}"),
        activity_event_list=[166],  # Test call
        should_delete_prospect_notes=True,
        # The 30 whole days before the local day of the run: the same on Airflow 2.11 and 3.
        window="P30D/run_day",
        timezone="Asia/Kolkata",
        max_leads=500,
        pool="leadsquared_default",
        pool_slots=20,  # of the 25 calls in 5 s; the rest is for others
    )


example_scheduled_cleanup()
