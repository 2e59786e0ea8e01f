"""One DAG for each lane: a LeadSquared account of its own, so that lanes share no limit and no record of calls."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.runtime import reset_run

archiving: dict[str, Any] = {}
if "KILL_EVIDENCE" in os.environ:
    archiving["evidence_path"] = os.environ["KILL_EVIDENCE"] + "/{{ run_id }}"
if "KILL_PART_LEADS" in os.environ:
    # Parts of a known size. The task's process reads this file too, before it runs the operator.
    reset_run.leads_per_part = lambda *_: int(os.environ["KILL_PART_LEADS"])
    archiving |= {
        "task_type_list": ["3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"],
        "should_delete_prospect_notes": True,
        "archive": True,
    }

for lane in range(1, int(os.environ["KILL_LANES"]) + 1):
    with DAG(
        f"kill_{lane}",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        default_args={"retries": int(os.environ["KILL_RETRIES"]), "retry_delay": timedelta(seconds=1)},
        params={"leads": []},
    ):
        LeadResetOperator(
            task_id="reset",
            prospect_ids="{{ params.leads }}",
            activity_event_list=[166],
            window="2025-01-01/2026-01-01",
            leadsquared_conn_id=f"kill_{lane}",
            **archiving,
        )
