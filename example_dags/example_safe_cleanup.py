"""The careful way: see what would go, have it approved, keep a copy, reset, and verify that the API no longer gives it.

Needs Airflow 3.1 or later for the approval, the connection `leadsquared_default` and its pool (see
example_scheduled_cleanup.py), and a folder for the evidence: any object storage, or a path all workers share.
The approver types the first 8 characters of the plan's digest, which stand at the end of the text.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag

from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10), "timeout": timedelta(hours=6)},
    params={"leads": [], "window": "2026-09-01/2026-10-01", "evidence": "file:///tmp/leadreset-evidence"},
)
def example_safe_cleanup():
    LeadResetTaskGroup(
        "clean_up",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166, 167],  # Test call, Site visit
        task_type_list=["3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"],
        should_delete_prospect_notes=True,
        window="{{ params.window }}",
        timezone="Asia/Kolkata",
        evidence_path="{{ params.evidence }}",
        archive=True,  # a copy of each record, before it goes
        pool="leadsquared_default",
        pool_slots=20,
    )


example_safe_cleanup()
