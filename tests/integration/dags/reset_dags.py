"""DAGs that the integration tests run: each takes what varies from the run's conf, through params."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task

from airflow_provider_leadreset.operators.lead_reset import ENTIRE_HISTORY, LeadResetOperator

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_dag(dag_id: str, **kwargs: Any) -> DAG:
    params = {"leads": None, "window": None, "codes": None}
    return DAG(dag_id, schedule=None, start_date=START, catchup=False, **{"params": params, **kwargs})


with a_dag("text") as text:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list="{{ params.codes }}",
        window="{{ params.window }}",
    )

with a_dag("native", render_template_as_native_obj=True) as native:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list="{{ params.codes }}",
        window="{{ params.window }}",
    )

with a_dag("interval") as interval:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],
        window="P30D/{{ data_interval_end }}",
    )

with a_dag("whole_days") as whole_days:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],
        window="P30D/run_day",
    )

with a_dag("everything") as everything:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],
        window=ENTIRE_HISTORY,
    )

with a_dag("from_task") as from_task:

    @task
    def leads(params: dict[str, Any]) -> Any:
        return params["leads"]

    LeadResetOperator(
        task_id="reset", prospect_ids=leads(), activity_event_list=[166], window="2026-09-01/2026-10-01"
    )

with a_dag("mapped") as mapped:

    @task
    def chunks(params: dict[str, Any]) -> Any:
        return params["leads"]

    @task
    def one(lead: str) -> list[str]:
        return [lead]

    LeadResetOperator.partial(
        task_id="reset", activity_event_list=[166], window="2026-09-01/{{ params.window }}"
    ).expand(prospect_ids=chunks())

with a_dag("after_mapped") as after_mapped:

    @task
    def listed(params: dict[str, Any]) -> Any:
        return params["leads"]

    @task
    def as_list(lead: str) -> list[str]:
        return [lead]

    LeadResetOperator(
        task_id="reset",
        prospect_ids=as_list.expand(lead=listed()),
        activity_event_list=[166],
        window="2026-09-01/2026-10-01",
    )

with a_dag("mapped_everything") as mapped_everything:
    LeadResetOperator.partial(task_id="reset", activity_event_list=[166], window=ENTIRE_HISTORY).expand(
        prospect_ids=listed()
    )

with a_dag("file", params={"path": None}) as file:
    LeadResetOperator(
        task_id="reset",
        prospect_ids_path="{{ params.path }}",
        activity_event_list=[166],
        window="2026-09-01/2026-10-01",
        max_leads=5,
    )

with a_dag("in_pool", default_args={"pool": "leadsquared_default", "pool_slots": 2}) as in_pool:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],
        window="2026-09-01/2026-10-01",
        max_failed_leads=1,
    )
