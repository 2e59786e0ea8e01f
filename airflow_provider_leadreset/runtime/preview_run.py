"""What a LeadResetPreviewOperator does when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError, UnknownLeadsError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.lead_names import lead_names
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, PlanWriter
from airflow_provider_leadreset.leadsquared.safety.preview import RecordCounts, count_each
from airflow_provider_leadreset.leadsquared.safety.preview_text import MOST_SHOWN, PreviewText, with_digest
from airflow_provider_leadreset.leadsquared.safety.type_names import TypeNames
from airflow_provider_leadreset.leadsquared.safety.unmodified import (
    settling_time,
    why_not_allowed,
)
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import pluralize
from airflow_provider_leadreset.runtime.announcement import announce_calls
from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest, task_errors
from airflow_provider_leadreset.runtime.kept_contradiction import KeptContradiction
from airflow_provider_leadreset.runtime.max_calls import Need, need_of_preview
from airflow_provider_leadreset.runtime.reset_ahead import reset_ahead, zone_for_people
from airflow_provider_leadreset.runtime.unmodified_leads import (
    NOTHING,
    describe_contradiction,
    find_unmodified,
    refuse_flag_without_check,
    refuse_skipping,
)
from airflow_provider_leadreset.runtime.work_told import counting_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator

MOST_NAMED = 20
"""How many unknown leads an error names."""

MOST_UNKNOWN = 1000
"""How many unknown leads the output names."""


class PreviewRun(BaseRun):
    """One run of a LeadResetPreviewOperator."""

    task: LeadResetPreviewOperator
    purpose, sends = "count, deleting nothing", "A reset would send"
    _contradiction: str = ""
    _kept: KeptContradiction

    def run(self) -> dict[str, object]:
        """Count, or give again what was counted before in this DAG run."""
        with self.account_session():
            with task_errors():
                refuse_flag_without_check(self)
                folder = self._folder()
                self._kept = KeptContradiction(
                    self.context, folder, self.identity if folder else None, self.log
                )
                request = self.checked_request()
                earlier = self._earlier(folder, request) if folder else None
                if earlier:
                    self._refuse_contradicted(earlier)
            if earlier:
                self.link(request.leads, folder)
                return self._given_again(request, earlier)
            if request.leads.count == 0:
                raise AirflowSkipException(f"There are no leads to preview: {self.source.describe_empty()}")
            if self.task.skip_unmodified:
                with task_errors():
                    refuse_skipping(self, request)
            self.link(request.leads, folder)
            need = self.least_need(request.leads.count, request.selectors)
            announce_calls(self, request.leads.count, need.for_leads)
            with task_errors():
                try:
                    self.output = self._count(request, folder)
                except (LeadSquaredError, OSError) as error:
                    if self._contradiction and not self._kept.is_kept:  # a retry might leave leads out
                        found = describe_contradiction(self._contradiction, self.findings)
                        raise InputError(f"{found}\n{error}") from error
                    raise
                if self._contradiction:
                    raise InputError(describe_contradiction(self._contradiction, self.findings))
            return self.output

    def least_need(self, leads: int, selectors: Selectors) -> Need:
        """Return the calls that so many leads take at least."""
        return need_of_preview(
            leads,
            selectors,
            asks_account=self.task.evidence_path is not NOT_GIVEN
            or self.hook.settings.account_check is not None,
            names=self.task.names is True,
            skips=self.task.skip_unmodified is True,
        )

    @property
    def account_text(self) -> str:
        """What tells the account: it is asked for where a plan is kept under it, and only there."""
        return super().account_text if self.task.evidence_path is NOT_GIVEN else self.account.text

    def _left_out(self, pool: WorkerPool, request: ResetRequest) -> IndexSet:
        """Return the places of the leads that were not modified since the window began, where that is asked for."""
        if not self.task.skip_unmodified:
            return NOTHING
        self._contradiction = self._kept.read()
        if self._contradiction:
            self.log.warning("All leads are counted, as an earlier try found: %s", self._contradiction)
            return NOTHING
        found = find_unmodified(pool, self, request, enumerate(request.leads))
        if found.contradiction:
            self._contradiction = found.contradiction.describe()
            self._kept.keep(found.contradiction)
            self.log.warning("All leads are counted: %s", self._contradiction)
        else:
            self.log.info(
                "Not read, since they were not modified since the window began: %d of %s",
                len(found.places),
                pluralize(request.leads.count, "lead"),
            )
        return found.places

    def _settled_before(self, request: ResetRequest) -> Callable[[], datetime] | None:
        """Return what says how old a lead's LeadLastModifiedOn must be for a reset to rely on it; None for never."""
        findings = self.findings
        if findings is None or why_not_allowed(
            findings, request.selectors, host=request.account, today=self.now().date()
        ):
            return None
        settling = settling_time(findings)
        return lambda: self.now() - settling

    def _folder(self) -> EvidenceFolder | None:
        """Where the plans of all tries go."""
        if self.task.evidence_path is NOT_GIVEN:
            return None
        return self.evidence_in(self.task.evidence_path)

    def _earlier(self, folder: EvidenceFolder, request: ResetRequest) -> Plan | None:
        for path in folder.files("plan-"):
            plan = Plan.read(path)
            if plan and plan.made_by != self.identity:
                # Folders are named after runs, with a hash where a sign was replaced; files can be moved.
                raise InputError(
                    f"the plan {path} is of another run, {plan.made_by}: use another evidence_path or run id"
                )
            if plan and plan.request_digest != request.digest:
                raise InputError(
                    f"this run has the plan {path}, made for other leads, selectors, window or account than are "
                    "asked for now, and keeps it: start another run"
                )
            if plan:
                return plan
        return None

    def _refuse_contradicted(self, plan: Plan) -> None:
        """Refuse a plan that leaves leads out where what was found speaks against leaving any out.

        :raises InputError: both stand, as another process of a try wrote one of them at the end of this one.
        """
        left_out = plan.preview.get("not_modified")
        if left_out and (found := self._kept.read(_try_of(plan))):
            raise InputError(
                f"the plan {plan.path} leaves out {pluralize(left_out, 'lead')} as not modified, but {found}. So "
                "leads that were left out may have records too, and the plan is not used: check the account anew, or "
                "leave skip_unmodified out, and start another run"
            )

    def _given_again(self, request: ResetRequest, earlier: Plan) -> dict[str, object]:
        """Return what an earlier try or another process of this one has counted."""
        self.log.info(
            "This run has a plan already, %s, and keeps it: what was approved must be what goes. To preview anew, "
            "start another run",
            earlier.path,
        )
        self.request = ResetRequest(
            request.account, earlier.leads, earlier.selectors, earlier.window, earlier
        )
        return _output(earlier.preview, str(earlier.path), earlier.digest)

    def _count(self, request: ResetRequest, folder: EvidenceFolder | None) -> dict[str, object]:
        writer = None
        if folder:
            writer = PlanWriter(
                account=self.account.as_json(),
                made_by=self.identity,
                request_digest=request.digest,
                window=request.window,
                selectors=request.selectors,
                now=self.now(),
                account_check=self.findings.checksum if self.findings else None,
            )
        counts = RecordCounts()
        to_reset = 0
        with WorkerPool(self.client) as pool:
            left_out = self._left_out(pool, request)
            if self._contradiction:
                writer = None  # a plan would rely on what was just found not to hold, and a later try would give it
            counts.leads = counts.not_modified = len(left_out)
            to_read = request.leads.count - len(left_out)
            self.begin_work(counting_work("Counting", request, counts, to_read))
            for lead in count_each(
                pool,
                (lead for index, lead in enumerate(request.leads) if index not in left_out),
                request.selectors,
                request.window,
                counts,
                dates=self.dates,
                settled_before=self._settled_before(request) if writer else None,
            ):
                # A lead without records needs no reset; one that shows no audits may have some all the same.
                if lead.count or request.selectors.audit_activity_list:
                    to_reset += 1
                    if writer:
                        writer.add(lead.prospect_id, lead.ids, last_modified=lead.last_modified)
            if counts.leads and len(counts.unknown) == counts.leads:
                raise UnknownLeadsError(
                    f"none of {pluralize(counts.leads, 'lead')} is known to the account at {self.client.host}: is it "
                    f"the right account? They are {', '.join(counts.unknown[:MOST_NAMED])}"
                    f"{', …' if len(counts.unknown) > MOST_NAMED else ''}"
                )
            text = PreviewText(
                counts,
                request.selectors,
                request.window,
                TypeNames(request.event_codes, counts.task_names),
                self.client.host,
                zone=zone_for_people(self, request.window.timezone),
                reset=reset_ahead(self, to_reset if writer else counts.leads, request.selectors),
                lead_names=self._lead_names(counts),
                address_of=self.hook.lead_url,
            )
        output = {
            "account": self.client.host,
            "leads": counts.leads,
            "unknown_leads": counts.unknown[:MOST_UNKNOWN],
            "not_modified": counts.not_modified,
            "totals": counts.totals(),
            "window": request.window.text,
            "selectors": request.selectors.arguments(),
            "system_event_codes": list(request.event_codes.system),
            "unknown_event_codes": list(request.event_codes.unknown),
            "markdown": text.markdown(),
        }
        path = digest = None
        if self.task.skip_unmodified and not self._contradiction:
            # Another process of this try may have kept one since.
            self._contradiction = self._kept.read()
            if self._contradiction:
                raise InputError(describe_contradiction(self._contradiction, self.findings))
        if writer and folder:
            file, digest = writer.finish(output, self.now())
            try:
                with file:
                    path = folder.write_file(f"plan-{self.context['ti'].try_number}.jsonl.gz", file)
            except InputError:
                # Airflow may start a try twice, when it has lost its worker: the plan that came first is the run's.
                if first := self._earlier(folder, request):
                    self._refuse_contradicted(first)
                    return self._given_again(request, first)
                raise
        for line in text.log_lines(path):
            self.log.info("%s", line)
        if path:
            self.log.info("Plan: %s", path)
            self.log.info("Its digest: %s", digest)
        return _output(output, path, digest)

    def _lead_names(self, counts: RecordCounts) -> dict[str, str] | None:
        """Return the names of the leads that the text lists, where they are asked for."""
        if not self.task.names:
            return None
        return lead_names(self.client, [lead.prospect_id for lead in counts.listed[:MOST_SHOWN]])


def _try_of(plan: Plan) -> int:
    """Return the number of the try that made a plan; of the first where its name tells none."""
    number = str(plan.path).rpartition("plan-")[2].partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() else 1


def _output(preview: dict[str, Any], path: str | None, digest: str | None) -> dict[str, Any]:
    """Return what the task gives: what its plan holds, with what is known once that is written."""
    markdown = with_digest(preview["markdown"], digest)
    return {**preview, "markdown": markdown, "plan": path, "digest": digest}
