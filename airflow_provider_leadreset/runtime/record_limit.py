"""``max_records``: a reset that would delete more is refused before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.preview import count_records
from airflow_provider_leadreset.leadsquared.text import describe_counts

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
    from airflow_provider_leadreset.runtime.base import ResetRequest
    from airflow_provider_leadreset.runtime.guarded_run import GuardedRun


def refuse_too_many_records(pool: WorkerPool, run: GuardedRun, request: ResetRequest, most: int) -> None:
    """Count the records that would go, as the plan shows them or as the account does, of leads that are not excluded.

    :raises InputError: they are more than ``most``, or cannot be counted.
    """
    if request.plan:
        counts = run.counts_of(request.plan)
        cannot_be_counted = bool(request.selectors.audit_activity_list) and not request.plan.counts["audits"]
    else:
        leads = (lead for lead in request.leads if lead not in run.exclusions)
        found = count_records(pool, leads, request.selectors, request.window)
        counts = {kind: kind_count.count for kind, kind_count in found.kinds.items()}
        cannot_be_counted = found.audits_cannot_be_counted
    if cannot_be_counted:
        raise InputError(
            "max_records cannot be held: audits are asked for, and none of the leads shows any, so the account may "
            "not show them. Reset audits by a task of their own, or leave max_records out"
        )
    if sum(counts.values()) > most:
        raise InputError(
            f"{sum(counts.values())} records would go ({describe_counts(counts)}), more than max_records={most} "
            "allows; none was reset. If all are meant, set max_records higher"
        )
