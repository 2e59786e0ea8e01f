"""What a LeadResetOperator does when it runs. Imported by ``execute`` only, so that DAGs parse quickly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.assets import tell_consumers
from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.api.rate_limit import WINDOW
from airflow_provider_leadreset.leadsquared.batch.progress import Tally, fingerprint, least_seconds
from airflow_provider_leadreset.leadsquared.batch.resets import Resets
from airflow_provider_leadreset.leadsquared.batch.worker_pool import Crew
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder, Report
from airflow_provider_leadreset.leadsquared.records.records import CUSTOM_EVENTS_FROM
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.safety.approval import checked_approval
from airflow_provider_leadreset.leadsquared.safety.archive import PART_LEADS, Safeguard, Todo
from airflow_provider_leadreset.leadsquared.safety.preview import survey_leads
from airflow_provider_leadreset.runtime.base import Asked, LeadTaskRun, or_fail, unless_stopped
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.failures import failure

if TYPE_CHECKING:
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


class ResetBatch(LeadTaskRun):
    """One run of a LeadResetOperator, and what became of each lead."""

    task: LeadResetOperator
    deletes = True

    def run(self) -> dict[str, Any]:
        """Check everything, then reset the leads; see :class:`.LeadResetOperator`."""
        with self.share_of_account():
            asked = unless_stopped(self.asked)
            self.approval = or_fail(self._approval)
            self.evidence = or_fail(self._evidence)
            or_fail(lambda: self.checked("max_failed_leads"))
            if asked.leads.count == 0:
                raise AirflowSkipException("There are no leads to reset")
            self.link(asked.leads, self.evidence)
            checkpoint = Checkpoint(
                self.context,
                fingerprint(self.client.host, asked.leads, asked.selectors, asked.window),
                self.log,
            )
            tally = Tally(asked.leads.count, self.client.gate, checkpoint.progress)
            self._announce(tally, asked)
            return self._reset(asked, tally, checkpoint)

    def _approval(self) -> Any:
        return checked_approval(self.task.approval) if self.task.asked_for_approval else None

    def _evidence(self) -> EvidenceFolder | None:
        """Where this try's files go."""
        if not self.task.asked_for_evidence:
            return None
        return self.evidence_in(self.task.evidence_path, of_this_try=True)

    def _announce(self, tally: Tally, asked: Asked) -> None:
        """Say, before the first reset, what is about to happen and how long it takes."""
        share, slots, pool = self.client.gate.pace.share, self.task.pool_slots, self.hook.settings.pool
        calls = tally.not_reached
        if asked.plan or self.task.archive:
            what = asked.selectors
            kinds = (what.activity_event_list, what.task_type_list, what.should_delete_prospect_notes)
            calls *= 1 + sum(map(bool, kinds))  # each lead is read before its reset
        self.log.info(
            "LeadSquared at %s (connection %s): resetting %d leads: %s, created %s. At least %d calls, %d in %g s "
            "(%s): %.0f s or more",
            self.client.host,
            self.task.leadsquared_conn_id,
            tally.total,
            asked.selectors.describe(),
            asked.window.describe(),
            calls,
            share,
            WINDOW,
            f"{slots} slots of pool {pool}"
            if self.in_account_pool
            else f"not in the account's pool {pool}, so other tasks' calls are not counted",
            least_seconds(calls, share),
        )
        system = [str(code) for code in asked.selectors.activity_event_list if code < CUSTOM_EVENTS_FROM]
        if system:
            self.log.warning(
                "Events below %d, as %s, are system activities: LeadSquared deletes none of them",
                CUSTOM_EVENTS_FROM,
                ", ".join(system),
            )
        if self.in_account_pool and slots == 1 and tally.not_reached > MANY_ON_ONE_SLOT:
            self.log.warning(
                "%d leads on one slot take one call in %g s: give the task more of them with pool_slots=",
                tally.not_reached,
                WINDOW,
            )

    def _reset(self, asked: Asked, tally: Tally, checkpoint: Checkpoint) -> dict[str, Any]:
        """Reset the leads; give the summary, or push it and raise what the task must end with."""
        report = Report(self.evidence) if self.evidence else None
        if report:
            self.client.on_call = report.add
            or_fail(lambda: report.folder.write("asked.json", self._what_was_asked(asked)))
        gate = self.client.gate

        def on_tick() -> None:
            tally.tell(self.log.info)
            checkpoint.save_if_due(gate.clock.now())
            if report:
                report.write_if_due(gate.clock.now())

        stopped: LeadSquaredError | InputError | None = None
        because: str | None = "interrupted"
        try:
            with Crew(self.client, on_tick) as crew:
                self._refuse_too_many_records(crew, asked)
                resets = Resets(crew, tally.add)
                self._send(crew, resets, asked, tally)
            stopped = resets.verdict
        except (LeadSquaredError, InputError) as error:
            stopped = error
        finally:
            if stopped is not None:
                because = stopped.reason if isinstance(stopped, LeadSquaredError) else str(stopped)
            elif tally.not_reached == 0:
                because = None
            failed = failure(tally, stopped, self.task.max_failed_leads)
            summary = self.output = self._summary(asked, tally, because)
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
        """Keep evidence, progress and XCom; give what hindered it first, which must not hide how the batch ended.

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

    def _send(self, crew: Crew, resets: Resets, asked: Asked, tally: Tally) -> None:
        todo = self._todo(asked, tally)
        if not (self.task.archive or asked.plan):
            resets.run((index, reset) for index, reset, _ in todo)
            return
        folder = self.evidence if self.task.archive else None
        safeguard = Safeguard(folder, task_types_of(self.client, asked.selectors))
        while not resets.verdict and (part := list(islice(todo, PART_LEADS))):
            passed = safeguard.pass_on(crew, part, resets.refused, stop=lambda: resets.verdict is not None)
            resets.run((index, reset) for index, reset, _ in passed)
        if folder:
            self.log.info("Copied %d records to %s before their leads were reset", safeguard.records, folder)

    def _todo(self, asked: Asked, tally: Tally) -> Iterator[Todo]:
        leads: Iterable[tuple[str, dict[str, list[str]] | None]]
        leads = asked.plan.records() if asked.plan else ((lead, None) for lead in asked.leads)
        for index, (lead, planned) in enumerate(leads):
            if index not in tally.progress:
                yield index, LeadReset(lead, asked.selectors, asked.window), planned

    def _refuse_too_many_records(self, crew: Crew, asked: Asked) -> None:
        if self.task.max_records is None:
            return
        most = self.checked("max_records")
        if asked.selectors.audit_activity_list:
            raise InputError(
                "max_records cannot be held together with audit_activity_list: audits cannot be counted. "
                "Reset them by a task of their own, or leave max_records out"
            )
        if asked.plan:
            counts = asked.plan.counts
        else:
            survey = survey_leads(crew, asked.leads, asked.selectors, asked.window)
            counts = {kind: span.count for kind, span in survey.spans.items()}
        if sum(counts.values()) > most:
            named = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            raise InputError(
                f"{sum(counts.values())} records would go ({named}), more than max_records={most} allows; none was "
                "reset. If all are meant, set max_records higher"
            )

    def _what_was_asked(self, asked: Asked) -> bytes:
        content = {
            "account": self.client.host,
            "leads": asked.leads.count,
            "selectors": asked.selectors.arguments(),
            "window": asked.window.text,
            "sent": {"FromDate": asked.window.from_date, "ToDate": asked.window.to_date},
            "plan": {"path": str(asked.plan.path), "digest": asked.plan.digest} if asked.plan else None,
            "approval": self.approval,
            "archive": bool(self.task.archive),
        }
        return json.dumps(content).encode()

    def _summary(self, asked: Asked, tally: Tally, because: str | None) -> dict[str, Any]:
        return {
            "account": self.client.host,
            **tally.counts(),
            "window": asked.window.text,
            "sent": {"FromDate": asked.window.from_date, "ToDate": asked.window.to_date},
            "selectors": asked.selectors.arguments(),
            "approval": self.approval,
            "evidence": str(self.evidence) if self.evidence else None,
            "stopped_because": because,
        }
