"""The request as evidence keeps it: what was asked for, by whom, and what ran it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.journal.schema import (
    EarlierTry,
    FileDigest,
    PlanReference,
    Request,
    SentDates,
)
from airflow_provider_leadreset.runtime.checkpoint import generation
from airflow_provider_leadreset.runtime.provenance import (
    account_of,
    approver_is_trigger,
    code_of,
    keys_user_of,
    trigger_of,
    versions,
)

if TYPE_CHECKING:
    from airflow_provider_leadreset.runtime.base import ResetRequest
    from airflow_provider_leadreset.runtime.guarded_run import GuardedRun


def request_record(
    run: GuardedRun,
    request: ResetRequest,
    *,
    excluded: int,
    shown: FileDigest | None,
    continues: list[EarlierTry],
) -> Request:
    """Return what was asked for. Asks LeadSquared whose keys they are, unless that is known.

    :param excluded: how many of the leads are not to be reset.
    :param shown: the text that was shown to whoever approved.
    :param continues: the tries whose progress is taken over.
    :raises LeadSquaredError: LeadSquared cannot be asked now.
    """
    dag_id, run_id, task_id, map_index = run.identity
    trigger = trigger_of(run.context)
    return Request(
        dag_id=dag_id,
        run_id=run_id,
        task_id=task_id,
        map_index=map_index,
        try_number=run.context["ti"].try_number,
        generation=generation(run.context),
        request_digest=request.digest,
        asked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        account=account_of(run.account),
        keys_user=keys_user_of(run.account),
        leads=request.leads.count,
        leads_path=run.source.path,
        selectors=request.selectors.arguments(),
        window=request.window.text,
        sent=sent_dates(request),
        plan=PlanReference(path=str(request.plan.path), digest=request.plan.digest) if request.plan else None,
        excluded=excluded,
        archive=bool(run.task.archive),
        reason=run.reason,
        rules=run.hook.settings.rules.as_json(),
        account_check=run.findings.as_json() if run.findings else None,
        skip_unmodified=run.task.skip_unmodified is True,
        approval=run.approval,
        approver_is_trigger=approver_is_trigger(run.approval, trigger),
        shown=shown,
        trigger=trigger,
        code=code_of(run.context),
        versions=versions(),
        continues=continues,
    )


def sent_dates(request: ResetRequest) -> SentDates:
    """Return the window's ends as they are sent."""
    return SentDates(FromDate=request.window.from_date, ToDate=request.window.to_date)
