"""One DAG cleans leads, and Airflow runs the other after each clean-up, with what was cleaned.

They know each other by an asset only: an account and data of it, `leadsquared://account/data`. The reset's event for
it carries account, window, selectors and counts. A reset that fails or is skipped has no event.

Needs the connection `leadsquared_default` and its pool, see example_scheduled_cleanup.py.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import Asset, dag, task
except ImportError:  # Airflow 2.11 calls assets datasets
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import dag, task

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

CLEANED_LEADS = Asset("leadsquared://api-in21.leadsquared.com/leads")

COMMON = {
    "start_date": pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["leadsquared"],
    "doc_md": __doc__,
    "default_args": {"retries": 3, "retry_delay": timedelta(minutes=10)},
}


@dag(schedule=None, params={"leads": [], "window": "2026-09-01/2026-10-01"}, **COMMON)
def example_asset_producer():
    LeadResetOperator(
        task_id="clean",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],  # Test call
        window="{{ params.window }}",
        timezone="Asia/Kolkata",
        outlets=[CLEANED_LEADS],
        pool="leadsquared_default",
        pool_slots=20,
    )


@dag(schedule=[CLEANED_LEADS], **COMMON)
def example_asset_consumer():
    @task
    def tell(triggering_asset_events=None, triggering_dataset_events=None) -> list[str]:
        # Airflow gives the first, 2.11 the second. A run started by hand has no events.
        triggered_by = triggering_asset_events or triggering_dataset_events or {}
        lines = [
            "{queued} of {leads} leads at {account}: {selectors}, created in {window}".format(**event.extra)
            for events in triggered_by.values()
            for event in events
        ]
        # Your reload of what other systems keep of these leads goes here.
        print("\n".join(lines))  # noqa: T201
        return lines

    tell()


example_asset_producer()
example_asset_consumer()
