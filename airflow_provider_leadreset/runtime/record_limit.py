"""``max_records``: a try that would delete more is refused before its first reset.

A retry counts only the leads that are still to be reset: what earlier tries have queued goes whatever is decided now,
and their records, gone or not, say nothing of what this try deletes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.preview import RecordCounts, count_each
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize
from airflow_provider_leadreset.runtime.work_told import counting_work

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
    from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
    from airflow_provider_leadreset.runtime.base import ResetRequest
    from airflow_provider_leadreset.runtime.guarded_run import GuardedRun


def refuse_too_many_records(
    pool: WorkerPool, run: GuardedRun, request: ResetRequest, done: BatchCounts, most: int
) -> None:
    """Count the records that would go, as the plan shows them or as the account does, of leads still to be reset.

    :param done: what earlier tries have done, and which leads are excluded.
    :raises InputError: they are more than ``most``, or cannot be counted.
    """
    if not done.not_reached and not done.progress.to_call_again:
        return

    def is_left(index: int, lead: str) -> bool:
        return run.is_to_be_called(index, lead, done.progress)

    if request.plan:
        counts = dict.fromkeys(request.plan.counts, 0)
        for index, (lead, planned) in enumerate(request.plan.records()):
            if is_left(index, lead):
                for kind, ids in planned.items():
                    counts[kind] += len(ids)
        shows_no_audits = not request.plan.counts["audits"]
    else:
        found = RecordCounts()
        many = sum(is_left(index, lead) for index, lead in enumerate(request.leads))
        run.begin_work(counting_work("Counting for max_records", request, found, many))
        leads = (lead for index, lead in enumerate(request.leads) if is_left(index, lead))
        for _ in count_each(pool, leads, request.selectors, request.window, found, dates=run.dates):
            pass  # the sum alone is wanted
        counts = {kind: kind_count.count for kind, kind_count in found.kinds.items()}
        # Where a try has reset some, it was shown audits; those that are left need not have any.
        begun = done.of("queued") + done.of("unanswered")
        shows_no_audits = found.audits_cannot_be_counted and not begun
    cannot_be_counted = bool(request.selectors.audit_activity_list) and shows_no_audits
    if cannot_be_counted:
        raise InputError(
            "max_records cannot be held: audits are asked for, and none of the leads shows any, so the account may "
            "not show them. Reset audits by a task of their own, or leave max_records out"
        )
    if sum(counts.values()) > most:
        raise InputError(
            f"{pluralize(sum(counts.values()), 'record')} would go ({describe_counts(counts)}), more than "
            f"max_records={most} allows; none was reset. If all are meant, set max_records higher"
        )
