"""What a LeadResetOperator does when it runs. Imported by ``execute`` only, so that DAGs parse quickly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.assets import tell_consumers
from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.progress import BatchCounts, least_seconds
from airflow_provider_leadreset.leadsquared.batch.resets import ResetRunner
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder, Report
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.safety.approval import checked_approval
from airflow_provider_leadreset.leadsquared.safety.archive import PART_LEADS, PendingReset, PreResetCheck
from airflow_provider_leadreset.leadsquared.safety.preview import count_records
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize
from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest, task_errors
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.failures import failure

if TYPE_CHECKING:
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


class ResetRun(BaseRun):
    """One run of a LeadResetOperator, and what became of each lead."""

    task: LeadResetOperator
    deletes = True

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
            checkpoint = Checkpoint(
                self.context,
                request.digest,
                self.log,
            )
            counts = BatchCounts(request.leads.count, self.client.limiter, checkpoint.progress)
            self._announce(counts, request)
            return self._reset(request, counts, checkpoint)

    def _approval(self) -> Any:
        return checked_approval(self.task.approval) if self.task.asked_for_approval else None

    def _evidence(self) -> EvidenceFolder | None:
        """Where this try's files go."""
        if not self.task.asked_for_evidence:
            return None
        return self.evidence_in(self.task.evidence_path, of_this_try=True)

    def _announce(self, counts: BatchCounts, request: ResetRequest) -> None:
        """Log, before the first reset, what is about to happen and how long it takes."""
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
            self.task.leadsquared_conn_id,
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

    def _reset(self, request: ResetRequest, counts: BatchCounts, checkpoint: Checkpoint) -> dict[str, Any]:
        """Reset the leads; return the summary, or push it and raise what the task must end with."""
        report = Report(self.evidence) if self.evidence else None
        if report:
            self.client.on_call = report.add
            with task_errors():
                report.folder.write("request.json", self._what_was_asked(request))
        limiter = self.client.limiter

        def on_tick() -> None:
            counts.log_progress(self.log.info)
            checkpoint.save_if_due(limiter.clock.now())
            if report:
                report.write_if_due(limiter.clock.now())

        stopped: LeadSquaredError | InputError | None = None
        because: str | None = "interrupted"
        try:
            with WorkerPool(self.client, on_tick) as pool:
                self._refuse_too_many_records(pool, request)
                resets = ResetRunner(pool, counts.add)
                self._send(pool, resets, request, counts)
            stopped = resets.stop_reason
        except (LeadSquaredError, InputError) as error:
            stopped = error
        finally:
            if stopped is not None:
                because = stopped.reason if isinstance(stopped, LeadSquaredError) else str(stopped)
            elif counts.not_reached == 0:
                because = None
            failed = failure(counts, stopped, self.task.max_failed_leads)
            summary = self.output = self._summary(request, counts, because)
            self.log.info(
                "Queued the reset of %(queued)d of %(leads)d leads in %(seconds)g s; %(failed)d failed, "
                "%(not_reached)d not reached",
                summary,
            )
            unkept = self._keep(checkpoint, report, summary)
        if failed:
            raise failed
        if unkept:
            raise unkept
        if self.task.outlets:
            tell_consumers(self.task.outlets, self.context["outlet_events"], summary)
        return summary

    def _keep(
        self, checkpoint: Checkpoint, report: Report | None, summary: dict[str, Any]
    ) -> Exception | None:
        """Keep evidence, progress and XCom; return what hindered it first, which must not hide how the batch ended.

        Each is kept whatever became of the others.
        """
        steps: list[tuple[str, Callable[[], object]]] = []
        if report:
            steps += [
                (f"report, to {report.folder}", report.write),
                (
                    f"summary, to {report.folder}",
                    lambda: report.folder.write("summary.json", json.dumps(summary).encode()),
                ),
            ]
        steps.append(("progress", checkpoint.save))
        if self.task.do_xcom_push:
            # Of a task that fails or is stopped, Airflow itself keeps none.
            push = self.context["ti"].xcom_push
            steps.append(("summary, as XCom", lambda: push(key="return_value", value=summary)))
        hindered: Exception | None = None
        for what, keep in steps:
            try:
                keep()
            except Exception as error:  # storages raise what they like
                self.log.exception("This could not be kept: %s", what)
                hindered = hindered or error
        return hindered

    def _send(
        self, pool: WorkerPool, resets: ResetRunner, request: ResetRequest, counts: BatchCounts
    ) -> None:
        pending = self._pending(request, counts)
        if not (self.task.archive or request.plan):
            resets.run((index, reset) for index, reset, _ in pending)
            return
        folder = self.evidence if self.task.archive else None
        check = PreResetCheck(
            folder, task_types_of(self.client, request.selectors, keeps_fields=bool(folder))
        )
        while not resets.stop_reason and (part := list(islice(pending, PART_LEADS))):
            passed = check.check_and_archive(
                pool, part, resets.refused, stop=lambda: resets.stop_reason is not None
            )
            resets.run((index, reset) for index, reset, _ in passed)
        if folder and check.records:
            self.log.info("Copied %s to %s", pluralize(check.records, "record"), folder)

    def _pending(self, request: ResetRequest, counts: BatchCounts) -> Iterator[PendingReset]:
        leads: Iterable[tuple[str, dict[str, list[str]] | None]]
        leads = request.plan.records() if request.plan else ((lead, None) for lead in request.leads)
        for index, (lead, planned) in enumerate(leads):
            if index not in counts.progress:
                yield index, LeadReset(lead, request.selectors, request.window), planned

    def _refuse_too_many_records(self, pool: WorkerPool, request: ResetRequest) -> None:
        if self.task.max_records is None:
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

    def _summary(self, request: ResetRequest, counts: BatchCounts, because: str | None) -> dict[str, Any]:
        return {
            "account": self.client.host,
            **counts.summary(),
            "window": request.window.text,
            "sent": {"FromDate": request.window.from_date, "ToDate": request.window.to_date},
            "selectors": request.selectors.arguments(),
            "system_event_codes": list(request.event_codes.system),
            "unknown_event_codes": list(request.event_codes.unknown),
            "approval": self.approval,
            "evidence": str(self.evidence) if self.evidence else None,
            "stopped_because": because,
        }
