"""DAGs about the account's pace: hooks in tasks, pools, retries that wait, mapped previews of which one is empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

try:
    from airflow.sdk import DAG, Asset, AssetAlias, task
except ImportError:  # Airflow 2.11
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.datasets import DatasetAlias as AssetAlias
    from airflow.decorators import task

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

ASKED: dict[str, Any] = {"should_delete_prospect_notes": True, "window": "2026-09-01/2026-10-01"}
BASICS: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
POOL = "leadsquared_default"


def shares() -> list[int]:
    """Return how many calls in 5 s a plain hook may start, and one that asks for more."""
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

    found = []
    for hook in (LeadResetHook(), LeadResetHook(calls=20)):
        found.append(hook.get_conn().limiter.sliding_window.share)
        hook.get_conn().close()
    return found


with DAG("hook_in_pool", schedule=None, **BASICS) as hook_in_pool:
    task(task_id="plain", pool=POOL)(shares)()
    task(task_id="slots", pool=POOL, pool_slots=7)(shares)()
    task(task_id="outside", pool_slots=7)(shares)()

    @task(pool=POOL, pool_slots=2)
    def left() -> list[bool]:
        from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

        with LeadResetHook() as hook:
            hook.activity_types()
            window = hook.get_conn().limiter.sliding_window
        return [bool(window.in_use)]

    left()

with DAG("calls_in_pool", params={"leads": None, "more": {}}, schedule=None, **BASICS) as calls_in_pool:
    LeadResetOperator(task_id="reset", prospect_ids="{{ params.leads }}", pool=POOL, pool_slots=3, **ASKED)
    LeadResetOperator(task_id="outside", prospect_ids="{{ params.leads }}", **ASKED)

with DAG("few_calls", params={"leads": None}, schedule=None, **BASICS) as few_calls:
    LeadResetOperator(
        task_id="reset",
        prospect_ids="{{ params.leads }}",
        max_calls=5,
        retries=2,
        retry_delay=timedelta(0),
        **ASKED,
    )

with DAG("mapped_slots", schedule=None, **BASICS) as mapped_slots:
    for name, values in (("pool", [POOL]), ("pool_slots", [5])):
        try:
            LeadResetOperator.partial(task_id=name, prospect_ids="", **ASKED).expand(**{name: values})
        except TypeError:  # Airflow 2.11
            continue

ACTIVITIES = Asset("leadsquared://api-in21.leadsquared.com/activities")
with DAG("with_alias", params={"leads": None}, schedule=None, **BASICS) as with_alias:
    LeadResetOperator(
        task_id="reset", prospect_ids="{{ params.leads }}", outlets=[AssetAlias("cleaned")], **ASKED
    )

if hasattr(Asset, "ref"):
    BY_NAME = Asset(name="cleaned leads", uri="leadsquared://api-in21.leadsquared.com/cleaned")
    with DAG("defines_it", schedule=[BY_NAME, ACTIVITIES], start_date=BASICS["start_date"]) as defines_it:
        task(task_id="follow")(shares)()

    with DAG("with_references", params={"leads": None}, schedule=None, **BASICS) as with_references:
        LeadResetOperator(
            task_id="reset",
            prospect_ids="{{ params.leads }}",
            outlets=[Asset.ref(uri=ACTIVITIES.uri), Asset.ref(name="cleaned leads")],
            **ASKED,
        )

RULES = {"all_success": {}, "none_failed": {"trigger_rule": "none_failed"}}
MAPPED = {}
for rule, given in RULES.items():
    with DAG(f"mapped_{rule}", params={"leads": None, "evidence": None}, schedule=None, **BASICS) as made:

        @task
        def chunks(params: dict[str, Any]) -> list[list[str]]:
            return list(params["leads"])

        previews = LeadResetPreviewOperator.partial(
            task_id="preview", evidence_path="{{ params.evidence }}", **ASKED
        ).expand(prospect_ids=chunks())
        resets = LeadResetOperator.partial(
            task_id="reset", evidence_path="{{ params.evidence }}", **given
        ).expand(plan=previews.output)
        verified = LeadResetSensor.partial(task_id="verify", poke_interval=1, timeout=30, **given).expand(
            plan=previews.output
        )
        resets >> verified
    MAPPED[rule] = globals()[f"mapped_{rule}"] = made

with DAG(
    "retried_with_delay", params={"leads": None}, default_args={"retries": 1}, schedule=None, **BASICS
) as retried_with_delay:
    waits = {"retry_delay": timedelta(seconds=2), "max_retry_delay": timedelta(seconds=4)}
    LeadResetOperator(task_id="reset", prospect_ids="{{ params.leads }}", **waits, **ASKED)

try:
    from airflow.sdk import ExceptionRetryPolicy
except ImportError:  # before Airflow 3.3
    pass
else:
    with DAG(
        "retried_without_policy", params={"leads": None}, default_args={"retries": 1}, schedule=None, **BASICS
    ) as retried_without_policy:
        given = {"retry_policy": ExceptionRetryPolicy(rules=[]), "retry_delay": timedelta(0)}
        LeadResetOperator(task_id="plain", prospect_ids="{{ params.leads }}", **given, **ASKED)
        LeadResetOperator.partial(task_id="mapped", **given, **ASKED).expand(
            prospect_ids=["{{ params.leads[0] }}"]
        )
