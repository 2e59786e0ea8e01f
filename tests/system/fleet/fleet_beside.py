"""What goes on beside the resets of the fleet, in the same pool: a hook, a sensor, and a mapped group."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag, task, task_group

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

POOL = "leadsquared_default"
ASKED = {"activity_event_list": [166], "window": "2025-01-01/2026-01-01"}
LOOKS = 24


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    params={"chunks": []},
    default_args={"retries": 1, "retry_delay": timedelta(seconds=5), "pool": POOL},
)
def fleet_beside():
    @task(pool_slots=3)
    def look() -> int:
        from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

        with LeadResetHook() as hook:
            return sum(len(hook.task_types()) for _ in range(LOOKS))

    @task(pool="default_pool")
    def chunks(params: dict) -> list[list[str]]:
        return list(params["chunks"])

    @task_group
    def clean_up(leads):
        preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=leads, pool_slots=2, **ASKED)
        reset = LeadResetOperator(task_id="reset", prospect_ids=leads, pool_slots=2, **ASKED)
        preview >> reset

    given = chunks()
    cleaned = clean_up.expand(leads=given)
    sensor = LeadResetSensor(
        task_id="verify",
        prospect_ids=given,
        mode="reschedule",
        poke_interval=5,
        timeout=600,
        pool_slots=4,
        **ASKED,
    )
    look()
    given >> [cleaned, sensor]


fleet_beside()
