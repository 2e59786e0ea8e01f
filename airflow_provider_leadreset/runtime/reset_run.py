"""What a LeadResetOperator does when it runs. Imported by ``execute`` only, so that DAGs parse quickly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.assets import tell_consumers
from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.progress import BatchCounts, least_seconds
from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder, Report
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.safety.approval import checked_approval
from airflow_provider_leadreset.leadsquared.safety.archive import PART_LEADS, PendingReset, PreResetCheck
from airflow_provider_leadreset.leadsquared.safety.preview import count_records
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import describe_counts
from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest, task_errors
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.failures import failure

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


class ResetRun(BaseRun):
    """One run of a LeadResetOperator, and what became of each lead."""

    task: LeadResetOperator
    deletes = True
    counts: BatchCounts
    checkpoint: Checkpoint
    report: Report | None

    def __init__(self, task: LeadResetOperator, context: Context) -> None:
        super().__init__(task, context)
        self.judge = BatchJudge()
        self._kept: set[str] = set()

    def run(self) -> dict[str, Any]:
        """Check everything, then reset the leads; see :class:`.LeadResetOperator`."""
        with self.account_session():
            with task_errors():
                request = self.checked_request()
                self.approval = self._approval()
                self.evidence = self._evidence()
                self.checked("max_failed_leads")
            if request.leads.count == 0:
                raise AirflowSkipException("There are no leads to reset")
            self.link(request.leads, self.evidence)
            self.checkpoint = Checkpoint(
                self.context,
                request.digest,
                self.log,
            )
            self.counts = BatchCounts(request.leads.count, self.client.limiter, self.checkpoint.progress)
            self._announce(request)
            self.report = self._begun_report(request)
            summary = self._reset(request)
            if (
                self.task.outlets and "outlet_events" in self.context
            ):  # a unit test may call with next to no context
                tell_consumers(self.task.outlets, self.context["outlet_events"], summary)
            return summary

    def _approval(self) -> Any:
        return None if self.task.approval is NOT_GIVEN else checked_approval(self.task.approval)

    def _evidence(self) -> EvidenceFolder | None:
        """Where this try's files go."""
        if self.task.evidence_path is NOT_GIVEN:
            return None
        return self.evidence_in(self.task.evidence_path, of_this_try=True)

    def _begun_report(self, request: ResetRequest) -> Report | None:
        """Write the request, and begin to record each call."""
        if self.evidence is None:
            return None
        with task_errors():
            self.evidence.write("request.json", self._what_was_asked(request))
        report = Report(self.evidence)
        self.client.on_call = report.add
        return report

    def _announce(self, request: ResetRequest) -> None:
        """Log, before the first reset, what is about to happen and how long it takes."""
        counts = self.counts
        share, slots, pool = (
            self.client.limiter.sliding_window.share,
            self.task.pool_slots,
            self.hook.settings.pool,
        )
        calls = counts.not_reached
        if request.plan or self.task.archive:
            what = request.selectors
            activities = what.activity_event_list or what.audit_activity_list  # read by one call
            kinds = (activities, what.task_type_list, what.should_delete_prospect_notes)
            calls *= 1 + sum(map(bool, kinds))  # each lead is read before its reset
        self.log.info(
            "LeadSquared at %s (connection %s): resetting %d leads: %s, created %s. At least %d calls, %d in %g s "
            "(%s): %.0f s or more",
            self.client.host,
            self.conn_id,
            counts.total,
            request.selectors.describe(),
            request.window.describe(),
            calls,
            share,
            WINDOW,
            f"{slots} slots of pool {pool}"
            if self.in_account_pool
            else f"not in the account's pool {pool}, so other tasks' calls are not counted",
            least_seconds(calls, share),
        )
        if self.in_account_pool and slots == 1 and counts.not_reached > MANY_ON_ONE_SLOT:
            self.log.warning(
                "%d leads on one slot take one call in %g s: give the task more of them with pool_slots=",
                counts.not_reached,
                WINDOW,
            )

    def _reset(self, request: ResetRequest) -> dict[str, Any]:
        """Reset the leads; return the summary, or keep it and raise what the task must end with."""
        pool, judge = WorkerPool(self.client), self.judge
        stopped: LeadSquaredError | InputError | None = None
        try:
            with pool:
                self._refuse_too_many_records(pool, request)
                check = self._pre_reset_check(request)
                for part in self._parts(request, check):
                    passed = self._check_and_archive(pool, check, part) if check else part
                    for ended in pool.map_with_ticks(passed, self._send):
                        if ended:
                            self._settle(*ended)
                        if judge.stop_reason:
                            pool.stop()
                        self._tick()
                    if judge.stop_reason:
                        break
            if check and check.folder:
                self.log.info(
                    "Copied %d records to %s before their leads were reset", check.records, check.folder
                )
            if judge.stop_reason:
                raise judge.stop_reason
        except (LeadSquaredError, InputError) as error:
            stopped = error
        finally:
            try:
                hindered = self._finish(pool, request, stopped)
            except BaseException:  # a signal: what it interrupted is done again
                self._finish(pool, request, stopped)
                raise
        if failed := failure(self.counts, stopped, self.task.max_failed_leads):
            raise failed
        if hindered:
            raise hindered
        return self.output

    def _send(self, pending: PendingReset) -> None:
        self.client.reset(pending[1])

    def _settle(self, pending: PendingReset, future: Future[None]) -> None:
        """Count what became of a lead; told again, it counts once."""
        index, reset, _ = pending
        if outcome := self.judge.settle(index, reset.prospect_id, future):
            self.counts.add(outcome)

    def _tick(self) -> None:
        """Log, save and write what is due."""
        now = self.client.limiter.clock.now()
        self.counts.log_progress(self.log.info)
        self.checkpoint.save_if_due(now)
        if self.report:
            self.report.write_if_due(now)

    def _check_and_archive(
        self, pool: WorkerPool, check: PreResetCheck, pending: Iterable[PendingReset]
    ) -> list[PendingReset]:
        """Read, and copy, the records of some leads; return those that may be reset, none if the batch must end."""
        with check.new_part() as part:
            for ended in pool.map_with_ticks(pending, check.read):
                if ended:
                    (index, reset, _), found = ended
                    try:
                        part.add(ended[0], found)
                    except LeadSquaredError as error:
                        if outcome := self.judge.refuse(index, reset.prospect_id, error):
                            self.counts.add(outcome)
                if self.judge.stop_reason:
                    pool.stop()
                self._tick()
            return [] if self.judge.stop_reason else check.close_part(part)

    def _finish(
        self, pool: WorkerPool, request: ResetRequest, stopped: LeadSquaredError | InputError | None
    ) -> Exception | None:
        """Count what the loop did not come to, and keep all that is known; return what hindered that first."""
        for pending, future in pool.leftovers(self._send):
            self._settle(pending, future)
        # Once, so that all that is kept says the same, the time taken included.
        summary = self.output = self.output or self._summary(request, stopped)
        self.log.info(
            "Queued the reset of %(queued)d of %(leads)d leads in %(seconds)g s; %(failed)d failed, "
            "%(not_reached)d not reached",
            summary,
        )
        return self._keep(summary)

    def _keep(self, summary: dict[str, Any]) -> Exception | None:
        """Keep evidence, progress and XCom; return what hindered it first, which must not hide how the batch ended.

        Each is kept whatever became of the others, and once.
        """
        steps: list[tuple[str, Callable[[], object]]] = []
        if report := self.report:
            content = json.dumps(summary).encode()
            steps += [
                (f"report, to {report.folder}", report.write),
                (f"summary, to {report.folder}", lambda: report.folder.write("summary.json", content)),
            ]
        steps.append(("progress", self.checkpoint.save))
        if self.task.do_xcom_push and "ti" in self.context:
            # Of a task that fails or is stopped, Airflow itself keeps none.
            push = self.context["ti"].xcom_push
            steps.append(("summary, as XCom", lambda: push(key="return_value", value=summary)))
        hindered: Exception | None = None
        for what, keep in steps:
            if what in self._kept:
                continue
            try:
                keep()
                self._kept.add(what)
            except Exception as error:  # storages raise what they like
                self.log.exception("This could not be kept: %s", what)
                hindered = hindered or error
        return hindered

    def _pre_reset_check(self, request: ResetRequest) -> PreResetCheck | None:
        if not (self.task.archive or request.plan):
            return None
        folder = self.evidence if self.task.archive else None
        types = task_types_of(self.client, request.selectors, keeps_fields=bool(folder))
        return PreResetCheck(self.client, folder, types)

    def _parts(self, request: ResetRequest, check: PreResetCheck | None) -> Iterator[Iterable[PendingReset]]:
        """Yield the leads that are to be reset: all at once, or as many as are read before the first of them goes."""
        pending = self._pending(request)
        if check is None:
            yield pending
            return
        while part := list(islice(pending, PART_LEADS)):
            yield part

    def _pending(self, request: ResetRequest) -> Iterator[PendingReset]:
        leads: Iterable[tuple[str, dict[str, list[str]] | None]]
        leads = request.plan.records() if request.plan else ((lead, None) for lead in request.leads)
        for index, (lead, planned) in enumerate(leads):
            if index not in self.counts.progress:
                yield index, LeadReset(lead, request.selectors, request.window), planned

    def _refuse_too_many_records(self, pool: WorkerPool, request: ResetRequest) -> None:
        if self.task.max_records is NOT_GIVEN:
            return
        most = self.checked("max_records")
        if request.plan:
            counts = request.plan.counts
            cannot_be_counted = bool(request.selectors.audit_activity_list) and not counts["audits"]
        else:
            found = count_records(pool, request.leads, request.selectors, request.window)
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

    def _what_was_asked(self, request: ResetRequest) -> bytes:
        content = {
            "account": self.client.host,
            "leads": request.leads.count,
            "selectors": request.selectors.arguments(),
            "window": request.window.text,
            "sent": {"FromDate": request.window.from_date, "ToDate": request.window.to_date},
            "plan": {"path": str(request.plan.path), "digest": request.plan.digest} if request.plan else None,
            "approval": self.approval,
            "archive": bool(self.task.archive),
        }
        return json.dumps(content).encode()

    def _summary(
        self, request: ResetRequest, stopped: LeadSquaredError | InputError | None
    ) -> dict[str, Any]:
        because: str | None = "interrupted" if self.counts.not_reached else None
        if stopped is not None:
            because = stopped.reason if isinstance(stopped, LeadSquaredError) else str(stopped)
        return {
            "account": self.client.host,
            **self.counts.summary(),
            "window": request.window.text,
            "sent": {"FromDate": request.window.from_date, "ToDate": request.window.to_date},
            "selectors": request.selectors.arguments(),
            "system_event_codes": list(request.event_codes.system),
            "unknown_event_codes": list(request.event_codes.unknown),
            "approval": self.approval,
            "evidence": str(self.evidence) if self.evidence else None,
            "stopped_because": because,
        }
