"""What a preview can tell of the reset that follows it in its DAG: copy, calls, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.batch.counts import least_seconds
from airflow_provider_leadreset.leadsquared.safety.preview_text import ResetAhead
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.runtime.max_calls import need_of_reset

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.runtime.base import BaseRun


def reset_ahead(run: BaseRun, leads: int, selectors: Selectors) -> ResetAhead:
    """Return what the reset does at least; of one that is not in the DAG, neither copy nor slots are known.

    :param leads: how many it resets.
    """
    reset = _following_reset(run)
    planned = run.task.evidence_path is not NOT_GIVEN
    archives = bool(reset and reset.archive is True)
    relies = planned and not archives and run.findings is not None
    need = need_of_reset(
        leads,
        selectors,
        reads_first=archives or (planned and not relies),
        counts_first=False,
        planned=planned,
        asks_unchanged=relies,
    )
    settings = run.hook.settings
    share = run.client.limiter.sliding_window.share
    if reset:
        in_pool = reset.pool == settings.pool
        share = min(reset.pool_slots, settings.calls_per_5s) if in_pool else settings.calls_per_5s
    return ResetAhead(
        need.calls,
        least_seconds(need.calls, share),
        share,
        archives if reset else None,
        bool(reset and reset.exclude is not NOT_GIVEN),
    )


def _following_reset(run: BaseRun) -> Any:
    """Return the one LeadResetOperator of the DAG that takes this preview's plan, as the DAG file makes it.

    None where there is none or more, or it is mapped: then its arguments are known when it runs only.
    """
    dag: Any = run.context.get("dag")
    if dag is None:  # a unit test may have next to no context
        return None
    task_id = run.task.task_id
    found = [
        one
        for one in dag.get_task(task_id).get_flat_relatives(upstream=False)
        if hasattr(one, "approval_names_plan")  # operators stand above this module
        and getattr(getattr(one.plan, "operator", None), "task_id", None) == task_id
    ]
    return found[0] if len(found) == 1 else None


def zone_for_people(run: BaseRun, timezone: str) -> str:
    """Return the time zone that times are shown in: the one that was asked for, or the DAG's where that is UTC.

    :param timezone: of the window.
    """
    dag: Any = run.context.get("dag")
    if timezone != "UTC" or dag is None:
        return timezone
    return getattr(dag.timezone, "name", None) or timezone
