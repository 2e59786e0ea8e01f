"""The careful way, month by month: each is shown, approved, reset and verified by itself, beside the others.

One that is rejected is left alone, and the others go on. Needs what example_safe_cleanup.py needs. With `pool_slots=6`
of 25, four months at once have their share of the account's calls.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag, task, task_group

from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10), "timeout": timedelta(hours=6)},
    params={
        "leads": [],
        "months": ["2026-07", "2026-08", "2026-09"],
        "evidence": "file:///tmp/leadreset-evidence",
    },
)
def example_months():
    @task
    def windows(params: dict) -> list[str]:
        return [f"{month}-01/P1M" for month in params["months"]]

    @task_group
    def month(window: str) -> None:
        LeadResetTaskGroup(
            "clean_up",
            prospect_ids="{{ params.leads }}",
            activity_event_list=[166],  # Test call
            window=window,
            timezone="Asia/Kolkata",
            evidence_path="{{ params.evidence }}",
            archive=True,
            pool="leadsquared_default",
            pool_slots=6,
        )

    month.expand(window=windows())


example_months()
