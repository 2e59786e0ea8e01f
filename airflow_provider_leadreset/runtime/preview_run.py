"""What a LeadResetPreviewOperator does when it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.batch.progress import fingerprint
from airflow_provider_leadreset.leadsquared.batch.worker_pool import Crew
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.catalog import activity_types
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, PlanWriter
from airflow_provider_leadreset.leadsquared.safety.preview import LeadSurvey, survey_leads
from airflow_provider_leadreset.leadsquared.safety.preview_text import Names, log_table, markdown
from airflow_provider_leadreset.runtime.base import Asked, LeadTaskRun, or_fail, unless_stopped

if TYPE_CHECKING:
    from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator

MOST_UNKNOWN = 1000
"""How many unknown leads the output names."""


class Preview(LeadTaskRun):
    """One run of a LeadResetPreviewOperator."""

    task: LeadResetPreviewOperator

    def run(self) -> dict[str, Any]:
        """Count, or give again what was counted before in this DAG run."""
        with self.share_of_account():
            folder = or_fail(self._folder)
            asked = unless_stopped(self.asked)
            earlier = or_fail(lambda: self._earlier(folder, asked)) if folder else None
            if earlier:
                self.link(asked.leads, folder)
                self.log.info(
                    "This run has a plan already, %s, and keeps it: what was approved must be what goes. To preview "
                    "anew, start another run",
                    earlier.path,
                )
                self.known = Asked(earlier.leads, earlier.selectors, earlier.window, earlier)
                return {**earlier.preview, "plan": str(earlier.path), "digest": earlier.digest}
            if asked.leads.count == 0:
                raise AirflowSkipException("There are no leads to preview")
            self.link(asked.leads, folder)
            self.log.info(
                "LeadSquared at %s (connection %s): counting, of %d leads, %s, created %s. Nothing is deleted",
                self.client.host,
                self.task.leadsquared_conn_id,
                asked.leads.count,
                asked.selectors.describe(),
                asked.window.describe(),
            )
            self.output = unless_stopped(lambda: self._count(asked, folder))
            return self.output

    def _folder(self) -> EvidenceFolder | None:
        """Where the plans of all tries go."""
        if not self.task.asked_for_evidence:
            return None
        return self.evidence_in(self.task.evidence_path, of_this_try=False)

    def _asked_for(self, asked: Asked) -> str:
        return fingerprint(self.client.host, asked.leads, asked.selectors, asked.window)

    def _earlier(self, folder: EvidenceFolder, asked: Asked) -> Plan | None:
        for path in folder.files("plan-"):
            plan = Plan.read(path)
            if plan and plan.made_by != self.identity:
                # Folders are named after runs, and two run ids can come to one name: a:b and a+b.
                raise InputError(
                    f"the plan {path} is of another run, {plan.made_by}: use another evidence_path or run id"
                )
            if plan and plan.asked != self._asked_for(asked):
                raise InputError(
                    f"this run has the plan {path}, made for other leads, selectors, window or account than are "
                    "asked for now, and keeps it: start another run"
                )
            if plan:
                return plan
        return None

    def _count(self, asked: Asked, folder: EvidenceFolder | None) -> dict[str, Any]:
        writer = None
        if folder:
            writer = PlanWriter(
                account=self.account,
                made_by=self.identity,
                asked=self._asked_for(asked),
                window=asked.window,
                selectors=asked.selectors,
                now=datetime.now(UTC),
            )

        def on_lead(lead: LeadSurvey) -> None:
            # A lead without records needs no reset, unless for its audits, which cannot be read.
            if writer and (lead.count or asked.selectors.audit_activity_list):
                writer.add(lead.prospect_id, lead.ids)

        with Crew(self.client, lambda: None) as crew:
            survey = survey_leads(crew, asked.leads, asked.selectors, asked.window, on_lead)
            names = Names(
                activity_types(self.client) if asked.selectors.activity_event_list else {},
                survey.task_names,
            )
        text = markdown(survey, asked.selectors, asked.window, names, self.client.host)
        self.log.info("%s", log_table(survey, asked.selectors, names))
        output = {
            "account": self.client.host,
            "leads": survey.leads,
            "unknown_leads": survey.unknown[:MOST_UNKNOWN],
            "totals": survey.totals(),
            "window": asked.window.text,
            "selectors": asked.selectors.arguments(),
            "markdown": text,
        }
        path = digest = None
        if writer and folder:
            file, digest = writer.finish(output)
            with file:
                path = folder.write_file(f"plan-{self.context['ti'].try_number}.jsonl.gz", file)
        return {**output, "plan": path, "digest": digest}
