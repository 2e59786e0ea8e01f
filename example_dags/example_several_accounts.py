"""The same nightly clean-up for several LeadSquared accounts: a loop in the DAG file, a DAG and a pool for each.

A pool is one account's calls, and a task is in one pool. Pools cannot be mapped over: Airflow takes no notice of
`expand(pool=…)`, so such a task is refused. Before the first run, make a connection and a pool for each account, named
alike, with as many slots as its plan allows calls in 5 seconds:

    airflow pools set leadsquared_india 25 "LeadSquared calls in 5 s"
    airflow pools set leadsquared_ireland 10 "LeadSquared calls in 5 s"
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

ACCOUNTS = {
    "india": {
        "timezone": "Asia/Kolkata",
        "pool_slots": 20,
        "list_id": "11111111-2222-3333-4444-555555555555",
    },
    "ireland": {
        "timezone": "Europe/Dublin",
        "pool_slots": 8,
        "list_id": "66666666-7777-8888-9999-aaaaaaaaaaaa",
    },
}


def clean_up(account: str, *, timezone: str, pool_slots: int, list_id: str):
    """Make the DAG of one account."""
    connection = pool = f"leadsquared_{account}"

    @dag(
        f"example_several_accounts_{account}",
        schedule="30 2 * * *",
        start_date=pendulum.datetime(2026, 1, 1, tz=timezone),
        catchup=False,
        max_active_runs=1,
        tags=["leadsquared"],
        doc_md=__doc__,
        default_args={"retries": 3, "retry_delay": timedelta(minutes=10), "pool": pool},
        params={
            "list_id": list_id,
            "evidence": "file:///tmp/leadreset-evidence",  # a folder that all workers share
        },
    )
    def example_several_accounts():
        LeadResetOperator(
            task_id="reset",
            list_id="{{ params.list_id }}",
            activity_event_list=[166],  # Test call
            window="P1D/run_day",  # the account's own day before
            timezone=timezone,
            evidence_path="{{ params.evidence }}",
            max_leads=500,
            max_calls=2000,  # of the account's day
            pool_slots=pool_slots,
            leadsquared_conn_id=connection,
        )

    return example_several_accounts()


for name, settings in ACCOUNTS.items():
    globals()[f"example_several_accounts_{name}"] = clean_up(name, **settings)
