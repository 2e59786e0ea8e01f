"""The first one to try: ask for the deletion of one lead's test calls. Trigger it with a lead's id and a window.

When it has run, its task has a link on the Details tab, "Lead in LeadSquared", to look at what is left. Needs the
connection `leadsquared_default` and its pool, see example_scheduled_cleanup.py.
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
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    params={"lead": "", "window": "2026-09-01/2026-10-01"},
)
def example_one_lead():
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.lead }}",  # left empty, the task fails: it never means "all leads"
        activity_event_list=[166],  # Test call
        window="{{ params.window }}",  # local days; the last one is not included
        timezone="Asia/Kolkata",
        pool="leadsquared_default",
    )


example_one_lead()
