"""What a LeadResetOperator does when it runs. Imported by ``execute`` only, so that DAGs parse quickly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.assets import tell_consumers
from airflow_provider_leadreset.compat import AirflowException, AirflowSkipException
from airflow_provider_leadreset.hooks.task_errors import as_task_error
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, first_cause
from airflow_provider_leadreset.leadsquared.errors import (
    InputError,
    LeadSquaredError,
    OverdueError,
    OvertakenError,
    StorageError,
)
from airflow_provider_leadreset.leadsquared.journal.folder import ARCHIVE
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.safety.archive import PendingReset, PreResetCheck, leads_per_part
from airflow_provider_leadreset.leadsquared.safety.preview_text import with_digest
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import duration, pluralize, scrubbed
from airflow_provider_leadreset.runtime.announcement import announce_calls
from airflow_provider_leadreset.runtime.base import ResetRequest, task_errors
from airflow_provider_leadreset.runtime.batch_record import BatchRecord
from airflow_provider_leadreset.runtime.checked_parts import CheckedParts
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint, generation, may_be_cleared
from airflow_provider_leadreset.runtime.earlier_tries import EarlierTries, describe_earlier, earlier_tries
from airflow_provider_leadreset.runtime.excluded_leads import leave_out_excluded, tell_excluded
from airflow_provider_leadreset.runtime.failures import failure, with_contradiction
from airflow_provider_leadreset.runtime.guarded_run import GuardedRun
from airflow_provider_leadreset.runtime.last_account import LastAccount
from airflow_provider_leadreset.runtime.max_calls import Need, need_of_reset
from airflow_provider_leadreset.runtime.record_limit import refuse_too_many_records
from airflow_provider_leadreset.runtime.request_record import request_record, sent_dates
from airflow_provider_leadreset.runtime.summary_xcom import keeps_summary_of_failure
from airflow_provider_leadreset.runtime.try_evidence import TryEvidence
from airflow_provider_leadreset.runtime.unchanged_leads import UnchangedLeads
from airflow_provider_leadreset.runtime.unmodified_leads import (
    describe_contradiction,
    leave_out_unmodified,
    refuse_skipping,
)
from airflow_provider_leadreset.runtime.work_told import resetting_work

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator


A_MINUTE = 60.0


class ResetRun(GuardedRun):
    """One run of a LeadResetOperator, and what became of each lead."""

    deletes = True
    purpose, sends = "reset", "Sent as"
    record: BatchRecord

    def __init__(self, task: LeadResetOperator, context: Context) -> None:
        super().__init__(task, context)
        self.judge = BatchJudge()
        self.evidence: TryEvidence | None = None
        self.checkpoint: Checkpoint | None = None
        self.checked_parts: CheckedParts | None = None
        self._interrupted_by = "interrupted"

    @keeps_summary_of_failure
    def run(self) -> dict[str, object]:
        """Check everything, then reset the leads; see :class:`.LeadResetOperator`."""
        try:
            return self._run()
        except BaseException as error:  # a time-out, too
            if not self.output:
                self._tell_earlier_tries(error)
            raise
        finally:
            self.exclusions.close()

    def _run(self) -> dict[str, object]:
        with self.account_session():
            with task_errors():
                self.check_values()
                self.evidence = self._evidence()
                request = self.checked_request()
            if request.leads.count == 0:
                raise AirflowSkipException(f"There are no leads to reset: {self.source.describe_empty()}")
            last_account = LastAccount(self.context, self.log)
            with task_errors():
                last_account.refuse_other(self.account)
                if request.plan:
                    request.plan.refuse_other_check(self.findings)
                if self.task.skip_unmodified:
                    refuse_skipping(self, request)
            self.link(request.leads, self.evidence and self.evidence.report)
            with task_errors():
                earlier = self._earlier_tries(request)
                earlier.requests.find_places(request.leads, request.reset_digest)
                counts = BatchCounts(
                    request.leads.count, self.client.limiter, earlier.progress, earlier.requests
                )
                excluded = leave_out_excluded(self, request.leads, counts, earlier.spared)
                to_call = counts.not_reached + counts.progress.to_call_again
                if self._is_retry:
                    self.refuse_too_few_calls(to_call, request.selectors, called=True)
                need = self.least_need(to_call, request.selectors)
                announce_calls(self, to_call, need.for_leads)
                self._begin_evidence(request, earlier, counts)
                self.record = BatchRecord(counts, self.evidence, self.checkpoint, log=self.log)
                tell_excluded(self.record, request.leads, excluded)
            last_account.keep(self.account)
            summary = self._reset(request)
            last_account.forget()
            # A unit test may have next to no context.
            if self.task.outlets and "outlet_events" in self.context:
                tell_consumers(self.task.outlets, self.context["outlet_events"], summary)
            if self.checkpoint:
                self.checkpoint.forget()
            return summary

    @property
    def _is_retry(self) -> bool:
        """Whether an earlier try may have done a part."""
        ti: Any = self.context.get("ti")  # a unit test may call the task with next to no context
        return getattr(ti, "try_number", 1) > 1

    def before_first_call(self, leads: Leads, selectors: Selectors) -> None:
        """Refuse to begin what ``max_calls`` does not suffice for; of a retry it is known later what is left to do."""
        if not self._is_retry:
            super().before_first_call(leads, selectors)

    def least_need(self, leads: int, selectors: Selectors) -> Need:
        """Return the calls that so many leads take at least."""
        planned = self.task.plan is not NOT_GIVEN
        return need_of_reset(
            leads,
            selectors,
            reads_first=(planned and not self.relies_on_plan) or self.task.archive is True,
            counts_first=not planned and self.task.max_records is not NOT_GIVEN,
            planned=planned,
            skips=self.task.skip_unmodified is True,
            asks_unchanged=self.relies_on_plan,
        )

    def _evidence(self) -> TryEvidence | None:
        """Where this try's files go."""
        root = self.task.evidence_path
        if root is NOT_GIVEN:
            return None
        archive = self.evidence_in(root, ARCHIVE).folder(self.try_name)
        return TryEvidence(self.evidence_in(root), archive, self.context["ti"].try_number)

    def _earlier_tries(self, request: ResetRequest | None) -> EarlierTries:
        """Return what earlier tries did, by evidence or by Airflow's store.

        :param request: None for whatever they were asked for.
        """
        digest = request.digest if request else None
        leads = request.leads.count if request else 0
        reset = request.reset_digest if request else ""
        if self.evidence:
            found = earlier_tries(
                self.evidence.task,
                identity=self.identity,
                before=self.context["ti"].try_number,
                generation=generation(self.context),
                digest=digest,
                log=self.log,
            )
        else:
            self.checkpoint = Checkpoint(self.context, digest, leads, self.log, reset=reset)
            found = EarlierTries(
                self.checkpoint.progress, self.checkpoint.leads, requests=self.checkpoint.requests
            )
        if request and (told := found.requests.describe()):
            self.log.warning(
                "In this run, %s. This try does what it is asked for now, and spares what they were told to spare",
                told,
            )
        if request and found.progress.in_earlier_tries:
            self.log.info(
                "Continuing where an earlier try stopped: %d of %s done",
                found.progress.in_earlier_tries,
                pluralize(leads, "lead"),
            )
            if may_be_cleared(self.context, self.task.retries):
                self.log.warning(
                    "The DAG has fewer retries of this task than at its earlier tries, so a Clear looks like a retry: "
                    "those leads are not reset again. If it was a Clear, clear the task once more, and it starts anew"
                )
        return found

    def _begin_evidence(self, request: ResetRequest, earlier: EarlierTries, counts: BatchCounts) -> None:
        """Write the request, and begin to write down each call."""
        if self.evidence is None:
            return
        plan = request.plan
        shown = plan.preview.get("markdown") if plan else None
        if plan and isinstance(shown, str):
            shown = with_digest(shown, plan.digest)
        record = request_record(
            self,
            request,
            excluded=counts.of("excluded"),
            shown=self.evidence.keep_shown(shown) if isinstance(shown, str) else None,
            continues=earlier.continued,
        )
        share = self.client.limiter.sliding_window.share
        self.evidence.begin(record, ahead=share, beside=earlier.beside)
        self.client.on_call = self.evidence.journal.called

    @keeps_summary_of_failure
    def _reset(self, request: ResetRequest) -> dict[str, object]:
        """Reset the leads; return the summary, or keep it and raise what the task must end with."""
        pool, judge = WorkerPool(self.client), self.judge
        stopped: LeadSquaredError | InputError | None = None
        try:
            with pool:
                leave_out_unmodified(pool, self, request, self._tick)
                if self.task.max_records is not NOT_GIVEN:
                    refuse_too_many_records(
                        pool, self, request, self.record.counts, self.checked("max_records")
                    )
                self.checked_parts = self._checked_parts(request)
                self.begin_work(resetting_work(request, self.record.counts, self.checked_parts))
                for part in self._parts(pool, request):
                    for ended in pool.map_with_ticks(self._written_ahead(part), self._send):
                        if ended:
                            self._settle(*ended)
                        self._tick(pool)
                    if judge.stop_reason:
                        break
            stopped = self._raised(judge.stop_reason)
        except (LeadSquaredError, InputError) as error:
            # One that only says that the batch had ended hides why.
            stopped = self._raised(first_cause(judge.stop_reason, error))
        except OSError as error:
            if isinstance(error, BrokenPipeError) and self.checkpoint:
                raise  # the process that watches over this task is gone
            stopped = StorageError.of(error)
        except BaseException as error:
            self._interrupted_by = f"interrupted by {type(error).__name__}"
            raise
        finally:
            try:
                hindered = self._finish(pool, request, stopped)
            except BaseException:  # a signal: what it interrupted is done again
                self._finish(pool, request, stopped)
                raise
        failed = failure(self.record.counts, stopped, self.task.max_failed_leads)
        if self.contradiction:
            failed = with_contradiction(failed, self.contradiction, keeps=self.record.keeps_progress)
        if failed:
            raise failed
        if isinstance(hindered, OSError):
            raise as_task_error(StorageError.of(hindered))
        if hindered:
            raise hindered
        return self.output

    @property
    def contradiction(self) -> str | None:
        """Why nothing may be left out as not modified; None where it is not asked for, or nothing speaks against it."""
        text = self.record.counts.progress.contradicted
        return describe_contradiction(text, self.findings) if text and self.task.skip_unmodified else None

    @staticmethod
    def _raised(reason: BaseException | None) -> LeadSquaredError | InputError | None:
        """Return why a batch ended, where that is for us to tell; raise anything else."""
        if reason is None or isinstance(reason, (LeadSquaredError, InputError)):
            return reason
        raise reason

    def _checked_parts(self, request: ResetRequest) -> CheckedParts | None:
        """Return what reads the leads before their resets; None where nothing is to be read."""
        if not self._reads_before(request):
            return None
        copies = self.evidence if self.task.archive else None
        types = task_types_of(self.client, request.selectors, keeps_fields=bool(copies))
        check = PreResetCheck(
            self.client,
            copies.archive if copies else None,
            types,
            copies.token if copies else "",
            self.dates,
        )
        share = self.client.limiter.sliding_window.share
        return CheckedParts(
            check,
            self.record,
            self.judge,
            size=leads_per_part(share, request.selectors),
            log=self.log,
            on_tick=self._tick,
            unchanged=UnchangedLeads(share, log=self.log) if self.relies_on_plan else None,
        )

    def _parts(self, pool: WorkerPool, request: ResetRequest) -> Iterable[Iterable[PendingReset]]:
        """Return the leads that are to be reset: all at once, or as many as are read before the first of them goes."""
        pending = self._pending(request)
        return self.checked_parts.of(pool, pending) if self.checked_parts else [pending]

    def _reads_before(self, request: ResetRequest) -> bool:
        return bool(self.task.archive or request.plan)

    def _written_ahead(self, pending: Iterable[PendingReset]) -> Iterable[PendingReset]:
        if self.evidence is None:
            return pending
        return self.evidence.journal.written_ahead(pending, lambda one: (one.index, one.prospect_id))

    def _send(self, pending: PendingReset) -> None:
        self.client.reset(pending.reset, not_after=pending.not_after)

    def _settle(self, pending: PendingReset, future: Future[None]) -> None:
        """Count what became of a lead; told again, it counts once."""
        error = future.exception()
        if isinstance(error, OverdueError) and self.checked_parts:
            self.checked_parts.add_overdue(pending)
            self.record.tell(Outcome(pending.index, pending.prospect_id, error))
        elif outcome := self.judge.settle(pending.index, pending.prospect_id, future):
            self.record.tell(outcome)

    def _tick(self, pool: WorkerPool) -> None:
        """Stop if that is due; log, save and write what is due."""
        if self.evidence and (other := self.evidence.journal.overtaken_by) is not None:
            self.judge.stop(OvertakenError(f"{other} is at work, so this one has stopped and calls no more"))
        if self.judge.stop_reason:
            pool.stop()
        self.record.tick(self.client.limiter.clock.now())

    def _finish(
        self, pool: WorkerPool, request: ResetRequest, stopped: LeadSquaredError | InputError | None
    ) -> Exception | None:
        """Count what the loop did not come to, and keep all that is known; return what hindered that first."""
        for pending, future in pool.leftovers(self._send):
            self._settle(pending, future)
        for pending in pool.unended(self._send):
            self.record.tell_unended(pending.index, pending.prospect_id)
        self.record.tell_not_sent()
        # Once, so that all that is kept says the same, the time taken included.
        self.output = self.output or self._summary(request, stopped)
        seconds = self.output["seconds"]
        took = f"{seconds:g} s" if seconds < A_MINUTE else duration(seconds)
        self.log.info("Done after %s: %s", took, self.record.counts.describe())
        if doubts := self.record.counts.earlier_doubts:
            self.log.warning(
                "Beside these, %s of an earlier request unanswered, which may have been reset: %s",
                pluralize(doubts, "lead"),
                self.record.counts.earlier_requests.describe(),
            )
        return self.record.keep(self.output)

    def _pending(self, request: ResetRequest) -> Iterator[PendingReset]:
        planned = request.plan.planned() if request.plan else ((lead, None, None) for lead in request.leads)
        for index, (lead, records, last_modified) in enumerate(planned):
            if self.is_to_be_called(index, lead, self.record.counts.progress):
                reset = LeadReset(lead, request.selectors, request.window)
                yield PendingReset(index, reset, records, last_modified)

    def _summary(
        self, request: ResetRequest, stopped: LeadSquaredError | InputError | None
    ) -> dict[str, Any]:
        because: str | None = self._interrupted_by if self.record.counts.not_reached else None
        if stopped is not None:
            because = stopped.reason if isinstance(stopped, LeadSquaredError) else str(stopped)
        return {
            "account": self.client.host,
            **self.record.counts.summary(),
            "window": request.window.text,
            "sent": sent_dates(request).model_dump(),
            "selectors": request.selectors.arguments(),
            "system_event_codes": list(request.event_codes.system),
            "unknown_event_codes": list(request.event_codes.unknown),
            "approval": self.approval,
            "reason": self.reason,
            "leads_path": self.source.path,
            "evidence": str(self.evidence.report) if self.evidence else None,
            "evidence_digest": None,
            "failed_path": None,
            "stopped_because": because,
            "contradiction": self.contradiction,
        }

    def _tell_earlier_tries(self, error: BaseException) -> None:
        """Report what earlier tries did, where this one fails before it could begin: in its error and as XCom."""
        try:
            with task_errors():
                self.evidence = self.evidence or self._evidence()
                earlier = describe_earlier(self._earlier_tries(None))
        except Exception as hindrance:  # how the task ended stands
            self.log.warning("What earlier tries did cannot be read: %s", hindrance)
            return
        if earlier is None:
            return
        told, summary = earlier
        self.log.warning("%s", told)
        if isinstance(error, AirflowException):
            error.args = (f"{error}\n{told}",)
        folder = str(self.evidence.task) if self.evidence else None
        self.output = {**summary, "evidence": folder, "stopped_because": scrubbed(str(error), 1000)}
