"""Many leads over many workers: cut into tasks that share the account's calls, whichever worker runs them.

A slot of the pool is one call per 5 seconds. With the 25 slots of example_scheduled_cleanup.py:

- `pool_slots=6` lets four tasks run at once, 24 calls in 5 s together; a fifth waits for one of them to end.
  The slot that is left over is for single calls of others.
- All tasks together take as long as one task with all slots would. More tasks are for spreading the leads, and
  for clearing a part again; fewer and larger `pool_slots` do the same work.
- A task with more `pool_slots` than the pool has, or in a pool that does not exist, waits for ever.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag, task

from airflow_provider_leadreset.leadsquared import chunked
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10)},
    params={"leads": [], "leads_per_task": 100, "window": "2025-01-01/2026-01-01"},
)
def example_fleet():
    @task
    def leads_by_task(params: dict) -> list[list[str]]:
        # Your query for lead ids goes here.
        return chunked(params["leads"], params["leads_per_task"])

    LeadResetOperator.partial(
        task_id="reset",
        activity_event_list=[166],  # Test call
        window="{{ params.window }}",
        max_leads=1000,  # for each task
        pool="leadsquared_default",
        pool_slots=6,
    ).expand(prospect_ids=leads_by_task())


example_fleet()
