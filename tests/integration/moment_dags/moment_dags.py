"""DAGs of every timetable, whose task tells by the window that it reset which moment its run stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

try:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sdk import DAG, Asset, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

MIDNIGHT = "0 0 * * *"
LEADS = Asset("leadsquared://moments.example/leads")


def a_dag(dag_id: str, schedule: Any) -> DAG:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return DAG(dag_id, schedule=schedule, start_date=start, catchup=False, is_paused_upon_creation=False)


def dag_of(dag_id: str, schedule: Any) -> DAG:
    with a_dag(dag_id, schedule) as made:
        LeadResetOperator(
            task_id="reset",
            prospect_ids="3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            should_delete_prospect_notes=True,
            window="P1D/run_moment",
        )
    return made


cron = dag_of("cron", MIDNIGHT)
interval = dag_of("interval", CronDataIntervalTimetable(MIDNIGHT, timezone="UTC"))
none = dag_of("none", None)
asset = dag_of("asset", [LEADS])

with a_dag("source", None) as source:

    @task(outlets=[LEADS])
    def change() -> None:
        """Tell that leads have changed."""

    change()

with a_dag("trigger", None) as trigger:
    for name in ("cron", "interval", "none"):
        TriggerDagRunOperator(task_id=name, trigger_dag_id=name, trigger_run_id="operator")
