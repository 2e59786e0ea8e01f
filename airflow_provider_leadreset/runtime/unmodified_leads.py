"""``skip_unmodified``: finds the leads that need neither be read nor reset, and holds that against their records.

A reset and a preview do it alike, each time anew: what a try left out, a retry looks at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, is_fatal
from airflow_provider_leadreset.leadsquared.errors import (
    ClosedError,
    InputError,
    LeadSquaredError,
)
from airflow_provider_leadreset.leadsquared.records.last_modified import LastModified, read_last_modified
from airflow_provider_leadreset.leadsquared.records.records import LeadRecords, read_lead
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes, task_types_of
from airflow_provider_leadreset.leadsquared.safety.unmodified import (
    HOW_TO_FIND_OUT,
    Contradiction,
    UnmodifiedLeads,
    contradiction_of,
    has_settled,
    in_calls,
    settling_time,
    why_not_allowed,
)
from airflow_provider_leadreset.leadsquared.text import pluralize
from airflow_provider_leadreset.runtime.work_told import looking_work

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest
    from airflow_provider_leadreset.runtime.reset_run import ResetRun

NOTHING = IndexSet()
"""The places of no lead."""


@dataclass(frozen=True, slots=True)
class FoundUnmodified:
    """What was found.

    :param places: of the leads that are left out.
    :param contradiction: what speaks against leaving any out; None for nothing.
    """

    places: IndexSet
    contradiction: Contradiction | None = None


def refuse_flag_without_check(run: BaseRun) -> None:
    """Refuse ``skip_unmodified`` of a connection without an account check, before any call.

    :raises InputError: there is none.
    """
    if run.task.skip_unmodified is True and run.hook.settings.account_check is None:
        raise InputError(
            f"skip_unmodified=True cannot be held: connection {run.conn_id} has no account_check. {HOW_TO_FIND_OUT}"
        )


def refuse_skipping(run: BaseRun, request: ResetRequest) -> None:
    """Refuse ``skip_unmodified`` where the account check does not allow it.

    :raises InputError: it does not; the error says how to find out.
    """
    why = why_not_allowed(run.findings, request.selectors, host=request.account, today=run.now().date())
    if why:
        raise InputError(f"skip_unmodified=True cannot be held: {why}. {HOW_TO_FIND_OUT}")


def leave_out_unmodified(
    pool: WorkerPool, run: ResetRun, request: ResetRequest, on_tick: Callable[[WorkerPool], None]
) -> None:
    """Tell the leads of a reset that were not modified since the window began as such: they need no call.

    :raises LeadSquaredError: one that every further call would meet.
    """
    if not run.task.skip_unmodified:
        return
    counts = run.record.counts
    if run.contradiction:
        run.log.warning("As an earlier try found: %s", run.contradiction)
        return
    leads = (
        (index, lead)
        for index, lead in enumerate(request.leads)
        if index not in counts.progress
        # A request that was sent may have been carried out: it is sent again, whatever is left.
        and not counts.progress.is_unanswered(index)
        and lead not in run.exclusions
    )
    found = find_unmodified(pool, run, request, leads, on_tick)
    if found.contradiction:
        run.record.tell_contradiction(found.contradiction)
        run.log.warning("%s. All leads are reset, then this task fails", run.contradiction)
    run.left_out = found.places
    told = 0
    for index, lead in enumerate(request.leads):
        if index in found.places:
            run.record.tell(Outcome(index, lead, without_call="not_modified"))
            told += 1
            if run.record.evidence:
                run.record.evidence.journal.write_if_full()  # of a million leads they are not all held
    run.log.info(
        "Left out as not modified since the window began: %d of %s. To be reset: %d",
        told,
        pluralize(counts.total, "lead"),
        counts.not_reached,
    )


def find_unmodified(
    pool: WorkerPool,
    run: BaseRun,
    request: ResetRequest,
    leads: Iterable[tuple[int, str]],
    on_tick: Callable[[WorkerPool], None] = lambda _: None,
) -> FoundUnmodified:
    """Find the leads that were not modified since the window began, and read some of them.

    :param leads: with their places; those that are to be reset.
    :param on_tick: called about each second; may stop the pool.
    :raises LeadSquaredError: one that every further call would meet.
    """
    findings = run.findings
    assert findings is not None  # ruff: ignore[assert] - refuse_skipping was asked before
    now = run.now()
    if not has_settled(request.window, findings, now):
        run.log.warning(
            "No lead is left out as not modified: the window ended %s ago, and it takes %s until LeadLastModifiedOn "
            "tells of all that was created in it. Let the run begin later, or end the window earlier",
            str(now - request.window.end).partition(".")[0],
            settling_time(findings),
        )
        return FoundUnmodified(NOTHING)
    found = UnmodifiedLeads(request.window, run.chance)
    run.begin_work(looking_work(request, found, request.leads.count))
    _look_up(pool, run, leads, found, on_tick)
    return _held_against_records(pool, run, request, found, on_tick)


def _look_up(
    pool: WorkerPool,
    run: BaseRun,
    leads: Iterable[tuple[int, str]],
    found: UnmodifiedLeads,
    on_tick: Callable[[WorkerPool], None],
) -> None:
    def read(chunk: list[tuple[int, str]]) -> dict[str, LastModified | None]:
        return read_last_modified(pool.client, [lead for _, lead in chunk])

    for ended in pool.map_with_ticks(in_calls(leads), read):
        if ended:
            chunk, future = ended
            try:
                values = future.result()
            except LeadSquaredError as error:
                if is_fatal(error) or isinstance(error, ClosedError):
                    raise
                run.log.warning(
                    "When %s were last modified cannot be read, so none of them is left out: %s",
                    pluralize(len(chunk), "lead"),
                    error,
                )
                values = {}
            for index, lead in chunk:
                found.add(index, lead, values.get(lead.lower()))
        on_tick(pool)


def _held_against_records(
    pool: WorkerPool,
    run: BaseRun,
    request: ResetRequest,
    found: UnmodifiedLeads,
    on_tick: Callable[[WorkerPool], None],
) -> FoundUnmodified:
    """Read some of the leads that would be left out: one record in the window, and none is."""
    if not found.sample:
        return FoundUnmodified(NOTHING)
    types = task_types_of(pool.client, request.selectors)
    read = partial(_records_of, pool.client, request, types)
    unread, contradiction = 0, None
    for ended in pool.map_with_ticks(found.sample, read):
        if ended:
            (index, lead, value), future = ended
            found.read += 1
            try:
                contradiction = contradiction or contradiction_of(
                    lead, value, future.result(), pool.client.redact
                )
            except LeadSquaredError as error:
                if is_fatal(error) or isinstance(error, ClosedError):
                    raise
                run.log.warning("Not left out, since it cannot be read: %s", error)
                found.places.discard(index)
                unread += 1
        on_tick(pool)
    if contradiction:
        return FoundUnmodified(NOTHING, contradiction)
    if found.read < len(found.sample):
        return FoundUnmodified(NOTHING)  # the batch was stopped before all were read
    if 2 * unread > len(found.sample):
        run.log.warning(
            "No lead is left out as not modified: %d of %d that were to show it could not be read",
            unread,
            len(found.sample),
        )
        return FoundUnmodified(NOTHING)
    return FoundUnmodified(found.places)


def _records_of(
    client: LeadSquaredClient,
    request: ResetRequest,
    types: TaskTypes,
    one: tuple[int, str, LastModified],
) -> LeadRecords:
    return read_lead(client, one[1], request.selectors, request.window, types)


def describe_contradiction(text: str, findings: AccountFindings | None) -> str:
    """Return what a run in which nothing may be left out ends with.

    :param text: what speaks against it, see :meth:`.Contradiction.describe`.
    """
    check = f"the account check of {findings.checked_on}" if findings else "the account check"
    return (
        f"nothing was left out by skip_unmodified, since {text}. So what {check} found of LeadLastModifiedOn does not "
        "hold: check the account anew, or leave skip_unmodified out"
    )
