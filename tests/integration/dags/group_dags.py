"""DAGs made of the task group: approved by Airflow's own operator where there is one, and by a task of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

try:
    from airflow.sdk import DAG, task, task_group
    from airflow.sdk.exceptions import AirflowSkipException
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.decorators import task, task_group
    from airflow.exceptions import AirflowSkipException
from airflow import __version__

from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup

HAS_APPROVAL = tuple(map(int, __version__.split(".")[:2])) >= (3, 1)
MONTHS = ["2026-08-01/2026-09-01", "2026-09-01/2026-10-01"]
PARAMS = {"leads": None, "evidence": None, "says": None, "hold": []}
ASKED: dict[str, Any] = {
    "prospect_ids": "{{ params.leads }}",
    "activity_event_list": [166],
    "should_delete_prospect_notes": True,
    "evidence_path": "{{ params.evidence }}",
    "archive": True,
    "default_args": {"poke_interval": 0.1, "timeout": 20},
}


def a_dag(dag_id: str) -> DAG:
    return DAG(
        dag_id,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        params=PARAMS,
        render_template_as_native_obj=True,
        # None of these may reach what it is not meant for.
        default_args={"retries": 0, "trigger_rule": "none_failed"},
    )


@task(multiple_outputs=False, trigger_rule="all_success")
def ticket(preview: dict[str, Any], params: Any = None, ti: Any = None) -> dict[str, Any]:
    """What a ticket system says of a plan; for a mapped group a text for each index."""
    says = params["says"] if isinstance(params["says"], str) else params["says"][ti.map_index]
    if says == "no":
        raise AirflowSkipException("the ticket says no")
    return {"approved": True, "by": "Asha", "ticket": "CRM-17", "plan": preview["digest"]}


with a_dag("ticketed") as ticketed:
    LeadResetTaskGroup(
        "clean_up", window=MONTHS[1], approve_with=ticket, exclude="{{ params.hold }}", **ASKED
    )

with a_dag("ticketed_months") as ticketed_months:

    @task_group
    def ticketed_month(window: str) -> None:
        LeadResetTaskGroup("clean_up", window=window, approve_with=ticket, **ASKED)

    ticketed_month.expand(window=MONTHS)

if HAS_APPROVAL:
    with a_dag("approved") as approved:
        LeadResetTaskGroup(
            "clean_up",
            window=MONTHS[1],
            timezone="Asia/Kolkata",
            names=True,
            prefix_group_id=False,
            assigned_users={"id": "1", "name": "Asha"},
            **ASKED,
        )

    with a_dag("approved_months") as approved_months:

        @task_group
        def approved_month(window: str) -> None:
            LeadResetTaskGroup("clean_up", window=window, **ASKED)

        approved_month.expand(window=MONTHS)
