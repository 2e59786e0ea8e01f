"""What a LeadResetSensor does at each look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import ObjectStoragePath, PokeReturnValue
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet, fingerprint
from airflow_provider_leadreset.leadsquared.batch.worker_pool import Crew
from airflow_provider_leadreset.leadsquared.errors import InputError, QuotaError, UnavailableError
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.safety.verification import (
    Left,
    Proof,
    look,
    planned_left,
    window_left,
)
from airflow_provider_leadreset.runtime.base import Asked, LeadTaskRun, or_fail, unless_stopped
from airflow_provider_leadreset.runtime.checkpoint import times_cleared

if TYPE_CHECKING:
    from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

PLAN_DEPTH = 5
"""A plan lies in ``evidence_path/dag/run/task/map index/``: so many steps up is the evidence path."""


class ProofRun(LeadTaskRun):
    """One look of a LeadResetSensor."""

    plan_may_be_old = True

    def look(self, sensor: LeadResetSensor) -> PokeReturnValue:
        """Read what is not known to be gone, and judge."""
        with self.share_of_account():
            try:
                asked = or_fail(self.asked)
            except (QuotaError, UnavailableError) as error:  # a plan's account is asked for
                self.log.warning("This look failed, the next will try again: %s", error)
                return PokeReturnValue(is_done=False)
            or_fail(lambda: _refuse_audits_alone(asked.selectors))
            store: Any = self.context.get("task_state_store")
            key = self._key(asked)
            if sensor._seen is None or sensor._seen_of != key:  # a file of leads may have changed since
                sensor._seen = Proof(IndexSet(store.get(key) or ()) if store is not None else IndexSet())
                sensor._seen_of = key
            proof = sensor._seen
            unless_stopped(lambda: self._read(asked, proof))
            if store is not None and len(proof.clear):
                self._save(store, key, proof)
            done = len(proof.clear) == asked.leads.count
            output = _output(self.client.host, asked, proof)
            if done:
                self.log.info("%s: %d leads are clear", self._said(output), output["leads_clear"])
                self._keep(asked, output)
            else:
                self.log.info(
                    "%d of %d leads are clear; %s", len(proof.clear), asked.leads.count, proof.what_is_left()
                )
            return PokeReturnValue(is_done=done, xcom_value=output)

    def _save(self, store: Any, key: str, proof: Proof) -> None:
        try:
            store.set(key, proof.clear.spans())
        except Exception as error:  # whatever it is: it costs some repeated calls, the look itself went well
            self.log.warning("What is clear could not be saved, the next look may read it again: %s", error)

    def _key(self, asked: Asked) -> str:
        digest = asked.plan.digest[:32] if asked.plan else ""
        asked_for = fingerprint(self.client.host, asked.leads, asked.selectors, asked.window)
        return f"leadreset-proof/{asked_for}{digest}/{times_cleared(self.context)}"

    def _read(self, asked: Asked, proof: Proof) -> None:
        read: Callable[[str, Any], Left]
        proof.forget()
        try:
            if asked.plan:
                read = partial(planned_left, self.client, asked.selectors)
            else:
                types = task_types_of(self.client, asked.selectors)
                read = partial(window_left, self.client, asked.selectors, asked.window, types)
            with Crew(self.client, lambda: None) as crew:
                look(crew, _leads(asked), proof, read)
        except (QuotaError, UnavailableError) as error:
            self.log.warning("This look failed, the next will try again: %s", error)
            proof.unread = asked.leads.count - len(proof.clear) - proof.unclear
            proof.why_unread = proof.why_unread or str(error)

    def _keep(self, asked: Asked, output: dict[str, Any]) -> None:
        """Beside the plan, say that it is proven."""
        if asked.plan is None:
            return
        root = ObjectStoragePath(str(asked.plan.path))
        for _ in range(PLAN_DEPTH):
            root = root.parent
        folder = self.evidence_in(root, of_this_try=True)
        content = {"plan": str(asked.plan.path), "digest": asked.plan.digest, **output}
        or_fail(lambda: folder.write("proof.json", json.dumps(content).encode()))

    @staticmethod
    def _said(output: dict[str, Any]) -> str:
        if output["records"] is None:
            return "Nothing is left in the window"
        return f"{output['gone']} of {output['records']} records are gone"


def _leads(asked: Asked) -> Iterator[tuple[int, str, Left | None]]:
    if asked.plan:
        for index, (lead, planned) in enumerate(asked.plan.records()):
            yield index, lead, planned
    else:
        for index, lead in enumerate(asked.leads):
            yield index, lead, None


def _output(account: str, asked: Asked, proof: Proof) -> dict[str, Any]:
    records = sum(asked.plan.counts.values()) if asked.plan else None
    return {
        "account": account,
        "leads": asked.leads.count,
        "leads_clear": len(proof.clear),
        "records": records,
        "gone": None if records is None else records - proof.records_left,
        "left": proof.left,
        "not_provable": list(asked.selectors.audit_activity_list),
    }


def _refuse_audits_alone(selectors: Selectors) -> None:
    if set(selectors.arguments()) == {"audit_activity_list"}:
        raise InputError(
            "audits alone cannot be proven gone, since LeadSquared has no call that reads them: leave the sensor out"
        )
