"""The patterns of README and guides, for the type checker alone: nothing runs this file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, dag, task

from airflow_provider_leadreset.operators.lead_reset import (
    ENTIRE_HISTORY,
    LeadResetOperator,
    LeadResetPreviewOperator,
)
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@task
def leads() -> list[str]:
    return [LEAD]


@task(multiple_outputs=False)
def ticket() -> dict[str, Any]:
    return {"approved": True, "by": "Asha", "ticket": "CRM-17"}


@task(multiple_outputs=False)
def ticket_about(preview: dict[str, Any]) -> dict[str, Any]:
    return {"approved": True, "by": "Asha", "plan": preview["digest"]}


@dag(schedule="30 2 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Kolkata"), catchup=False)
def documented() -> None:
    in_pool: dict[str, Any] = {"pool": "leadsquared_default", "leadsquared_conn_id": "leadsquared_default"}
    preview = LeadResetPreviewOperator(
        task_id="preview",
        prospect_ids=leads(),
        activity_event_list=[166, "{{ params.code }}"],
        task_type_list="{{ params.types }}",
        audit_activity_list=["StageChange", "OwnerChange"],
        should_delete_prospect_notes="{{ params.notes }}",
        window="P30D/run_day",
        timezone="Asia/Kolkata",
        evidence_path="s3://aws@bucket/leadreset",
        retries=3,
        retry_delay=timedelta(minutes=5),
        **in_pool,
    )
    reset = LeadResetOperator(
        task_id="reset",
        plan=preview.output,
        approval=ticket(),
        evidence_path="s3://aws@bucket/leadreset",
        archive=True,
        max_records=1000,
        pool_slots=20,
        trigger_rule="all_success",
        outlets=[],
        doc_md="why",
        executor_config=None,
    )
    verify = LeadResetSensor(
        task_id="verify",
        plan=preview.output,
        mode="reschedule",
        poke_interval=60,
        timeout=timedelta(hours=6),
        soft_fail=True,
        max_wait=None,
    )
    preview >> reset >> verify
    LeadResetOperator.partial(task_id="mapped", window=ENTIRE_HISTORY).expand(prospect_ids=leads())


with DAG("grouped", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), params={"leads": []}):
    group = LeadResetTaskGroup(
        "clean_up",
        prospect_ids="{{ params.leads }}",
        activity_event_list=[166],
        window="P30D/run_day",
        timezone="Asia/Kolkata",
        evidence_path="s3://aws@bucket/leadreset",
        archive=True,
        names=True,
        assigned_users=[{"id": "1", "name": "Asha"}],
        pool="leadsquared_default",
        pool_slots=20,
        default_args={"retries": 3},
        tooltip="careful",
    )
    group >> leads()
    LeadResetTaskGroup(
        "ticketed",
        list_id=LEAD,
        should_delete_prospect_notes=True,
        window=ENTIRE_HISTORY,
        evidence_path="s3://aws@bucket/leadreset",
        archive=False,
        approve_with=ticket_about,
    )

with DAG("plain", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), params={"leads": []}):
    LeadResetOperator(task_id="one", prospect_ids=LEAD, activity_event_list="166, 167", window=ENTIRE_HISTORY)
    LeadResetOperator(
        task_id="nested",
        prospect_ids=[[LEAD], LEAD],
        window="2026-09-01/P1D",
        approval={"approved": True, "by": "Asha"},
        max_plan_age=timedelta(days=1),
        exclude=[LEAD],
        reason="why",
    )
    LeadResetOperator(task_id="rows", prospect_ids=[{"ProspectID": LEAD}], window="P1D/run_moment")
    LeadResetOperator(
        task_id="list", list_id=LEAD, evidence_path="s3://b/leadreset", window="P1D/{{ data_interval_end }}"
    )
    LeadResetOperator(
        task_id="file", prospect_ids_path="s3://b/leads.csv", window="P1D/{{ ds }}", plan="{{ x }}"
    )
    LeadResetSensor(task_id="window", prospect_ids="{{ params.leads }}", window="2026-09-01/P1D")
