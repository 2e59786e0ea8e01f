"""What a LeadResetOperator does when it runs. Imported by ``execute`` only, so that DAGs parse quickly."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import AirflowFailException, AirflowSkipException, ObjectStoragePath
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.bulk import reset_leads
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError, shown
from airflow_provider_leadreset.leadsquared.evidence import (
    EvidenceFolder,
    Report,
    checked_root,
    evidence_folder,
)
from airflow_provider_leadreset.leadsquared.leads import Leads
from airflow_provider_leadreset.leadsquared.pace import WINDOW
from airflow_provider_leadreset.leadsquared.progress import fingerprint
from airflow_provider_leadreset.leadsquared.reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.tally import Tally, least_seconds
from airflow_provider_leadreset.leadsquared.window import Window, parse_window
from airflow_provider_leadreset.operators.checkpoint import Checkpoint
from airflow_provider_leadreset.operators.failure import failure

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.client import LeadSquaredClient
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


class ResetBatch:
    """One run of a LeadResetOperator: its rendered values, checked, and what became of each lead."""

    def __init__(self, operator: LeadResetOperator, context: Context) -> None:
        self.operator = operator
        self.context = context
        self.log = operator.log

    @cached_property
    def hook(self) -> LeadResetHook:
        """The hook, paced to this task's share of the account's limit."""
        hook = LeadResetHook(self.operator.leadsquared_conn_id)
        if self.in_account_pool(hook):
            hook.calls = self.operator.pool_slots
        return hook

    @property
    def client(self) -> LeadSquaredClient:
        """The hook's client."""
        return self.hook.get_conn()

    def in_account_pool(self, hook: LeadResetHook) -> bool:
        """Whether this task's slots are its share of the account's limit."""
        return hook.settings.pool == self.operator.pool

    def stop(self) -> None:
        """Let no further call start."""
        if "hook" in self.__dict__:
            self.client.gate.close()

    def run(self) -> dict[str, Any]:
        """Check everything, then reset the leads; see :class:`.LeadResetOperator`."""
        try:
            selectors, window, leads = self.selectors(), self.window(), self.leads()
            evidence = self.evidence()
            self.hook.get_conn()
        except InputError as error:
            raise AirflowFailException(str(error)) from None
        if leads.count == 0:
            raise AirflowSkipException("The list of leads is empty: nothing to reset")
        checkpoint = Checkpoint(
            self.context, fingerprint(self.client.host, leads, selectors, window), self.log
        )
        tally = Tally(leads.count, self.client.gate, checkpoint.progress)
        self.announce(tally, selectors, window)
        report = Report(evidence) if evidence else None
        if report:
            self.client.on_call = report.add
        return self.reset(leads, selectors, window, tally, checkpoint, report)

    def selectors(self) -> Selectors:
        """What to delete."""
        return Selectors.given(
            self.operator.activity_event_list,
            self.operator.task_type_list,
            self.operator.audit_activity_list,
            self.operator.should_delete_prospect_notes,
        )

    def window(self) -> Window:
        """Created when."""
        run = self.context["dag_run"]
        return parse_window(
            self.operator.window, timezone=self.operator.timezone, run_start=run.start_date or run.run_after
        )

    def leads(self) -> Leads:
        """Of which leads; no more than ``max_leads``."""
        for name in ("max_leads", "max_failed_leads"):
            value = getattr(self.operator, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InputError(f"{name} is {shown(value)}: give a whole number")
        path = self.operator.prospect_ids_path
        if path is None:
            leads = Leads.given(self.operator.prospect_ids)
        elif str(path).strip() in {"", "None"}:
            raise InputError(f"prospect_ids_path is {shown(path)}, which names no file")
        else:
            leads = Leads.from_file(ObjectStoragePath(str(path).strip()))
        most = self.operator.max_leads
        if leads.count > most:
            raise InputError(
                f"{leads.count} leads were given, more than max_leads={most} allows; none was reset. If all are "
                f"meant, set max_leads={leads.count} or more"
            )
        return leads

    def evidence(self) -> EvidenceFolder | None:
        """Where this try's report goes."""
        if self.operator.evidence_path is None:
            return None
        ti = self.context["ti"]
        return evidence_folder(
            ObjectStoragePath(checked_root(self.operator.evidence_path)),
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            map_index=-1 if ti.map_index is None else ti.map_index,
            try_number=ti.try_number,
        )

    def announce(self, tally: Tally, selectors: Selectors, window: Window) -> None:
        """Say, before the first call, what is about to happen and how long it takes."""
        share, slots, pool = self.client.gate.pace.share, self.operator.pool_slots, self.hook.settings.pool
        in_pool = self.in_account_pool(self.hook)
        self.log.info(
            "LeadSquared at %s (connection %s): resetting %d leads: %s, created %s. %d calls at %d in %g s (%s): "
            "at least %.0f s",
            self.client.host,
            self.operator.leadsquared_conn_id,
            tally.total,
            selectors.describe(),
            window.describe(),
            tally.not_reached,
            share,
            WINDOW,
            f"{slots} slots of pool {pool}"
            if in_pool
            else f"not in the account's pool {pool}, so other tasks' calls are not counted",
            least_seconds(tally.not_reached, share),
        )
        if in_pool and slots == 1 and tally.not_reached > MANY_ON_ONE_SLOT:
            self.log.warning(
                "%d leads on one slot take one call in %g s: give the task more of them with pool_slots=",
                tally.not_reached,
                WINDOW,
            )

    def reset(
        self,
        leads: Leads,
        selectors: Selectors,
        window: Window,
        tally: Tally,
        checkpoint: Checkpoint,
        report: Report | None,
    ) -> dict[str, Any]:
        """Reset the leads; give the summary, or push it and raise what the task must end with."""
        gate = self.client.gate
        stopped: LeadSquaredError | InputError | None = None
        because: str | None = "interrupted"

        def on_tick() -> None:
            tally.tell(self.log.info)
            checkpoint.save_if_due(gate.clock.now())
            if report:
                report.write_if_due(gate.clock.now())

        try:
            reset_leads(
                self.client,
                (
                    (index, LeadReset(lead, selectors, window))
                    for index, lead in enumerate(leads)
                    if index not in tally.progress
                ),
                on_outcome=tally.add,
                on_tick=on_tick,
            )
            because = None
        except (LeadSquaredError, InputError) as error:
            stopped = error
            because = error.reason if isinstance(error, LeadSquaredError) else str(error)
        finally:
            summary = {
                "account": self.client.host,
                **tally.counts(),
                "window": window.text,
                "sent": {"FromDate": window.from_date, "ToDate": window.to_date},
                "selectors": selectors.arguments(),
                "evidence": str(report.folder) if report else None,
                "stopped_because": because,
            }
            failed = failure(tally, stopped, self.operator.max_failed_leads)
            checkpoint.save()
            if self.operator.do_xcom_push and (failed or because):
                self.context["ti"].xcom_push(key="return_value", value=summary)
            self.client.close()
            if self.in_account_pool(self.hook):
                # Once this task gives back its slots, another may start as many calls at once.
                gate.drain()
            if report:
                report.write()
        if failed:
            raise failed
        self.log.info("Queued the reset of %(queued)d leads in %(seconds)g s; %(failed)d failed", summary)
        return summary
