"""DAGs whose reset task is retried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

ASKED = {"activity_event_list": [166], "window": "2026-09-01/2026-10-01"}
# Without event codes, whose types are asked for first.
NOTES = {"window": ASKED["window"], "should_delete_prospect_notes": True}

with DAG(
    "retried",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(0)},
    params={"leads": None, "evidence": None},
) as retried:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        evidence_path="{{ params.evidence }}",
        **ASKED,
    )

with DAG(
    "retried_beside",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(0)},
    params={"leads": None, "evidence": None},
) as retried_beside:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        evidence_path="{{ params.evidence }}",
        **ASKED,
    )
    LeadResetOperator(task_id="other", prospect_ids="{{ params.leads[0] }}", **NOTES)

with DAG(
    "retried_mapped",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(0)},
    params={"leads": None},
) as retried_mapped:
    LeadResetOperator.partial(task_id="reset", **ASKED).expand(
        prospect_ids=["{{ params.leads[0] }}", "{{ params.leads[1] }}"]
    )

with DAG(
    "timed_out",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"leads": None},
) as timed_out:
    LeadResetOperator(
        task_id="reset", prospect_ids="{{ params.leads }}", execution_timeout=timedelta(seconds=3), **NOTES
    )

with DAG(
    "timed_out_in_pool",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"leads": None},
) as timed_out_in_pool:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        pool="leadsquared_default",
        pool_slots=2,
        execution_timeout=timedelta(seconds=3),
        **NOTES,
    )

try:
    from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
except ImportError:  # before Airflow 3.3
    pass
else:
    with DAG(
        "retried_by_rules",
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        default_args={"retries": 2, "retry_delay": timedelta(0)},
        params={"leads": None},
    ) as retried_by_rules:
        LeadResetOperator(
            task_id="reset",
            prospect_ids="{{ params.leads }}",
            retry_policy=ExceptionRetryPolicy(
                rules=[
                    RetryRule(
                        exception="airflow_provider_leadreset.exceptions.LeadResetQuotaError",
                        action=RetryAction.FAIL,
                    )
                ]
            ),
            **ASKED,
        )
