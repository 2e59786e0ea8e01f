"""What OpenLineage is told of a task. Imported when its Airflow provider asks, so never where that is not installed.

Nothing here calls LeadSquared or reads a connection: it tells what the task came to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import Dataset
from openlineage.client.facet_v2 import RunFacet

from airflow_provider_leadreset.assets import SCHEME
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES

if TYPE_CHECKING:
    from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest

FACET = "leadReset_summary"

SCHEMA_URL = (
    "https://airflow-provider-leadreset.invalid/facets/2-0-0/LeadResetSummaryRunFacet.json"
    "#/$defs/LeadResetSummaryRunFacet"
)

_DATASETS = {
    "activity_event_list": "activities",
    "task_type_list": "tasks",
    "should_delete_prospect_notes": "notes",
    "audit_activity_list": "audits",
}


@attrs.define
class LeadResetSummaryRunFacet(RunFacet):
    """What a task was asked for, and how far a reset came. Names no lead.

    Published as ``facets/2-0-0/LeadResetSummaryRunFacet.json``. What does not apply is left out of an event: the
    outcomes where nothing was reset, earlier requests where there were none, the digests where there is no plan or no
    evidence.
    """

    leads: int
    window: str
    sent: dict[str, str]
    selectors: dict[str, Any]
    queued: int | None = None
    failed: int | None = None
    unknown: int | None = None
    unanswered: int | None = None
    nothing_to_reset: int | None = None
    excluded: int | None = None
    not_reached: int | None = None
    earlier_requests: dict[str, int] | None = None
    evidence_digest: str | None = None
    plan_digest: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return SCHEMA_URL


def lineage_of(run: BaseRun | None) -> OperatorLineage[Any, Any]:
    """Return the datasets that a task reads or deletes from, and the facet.

    :param run: None when the task ended before it began.
    """
    if run is None or run.request is None:
        return OperatorLineage()
    datasets = _datasets(run, run.request) if run.request.leads.count else []
    facets = {FACET: _facet(run, run.request)}
    if run.deletes:
        return OperatorLineage(outputs=datasets, run_facets=facets)
    return OperatorLineage(inputs=datasets, run_facets=facets)


def _datasets(run: BaseRun, request: ResetRequest) -> list[Dataset]:
    asked_for = request.selectors.arguments()
    namespace = f"{SCHEME}://{run.client.host}"
    return [
        Dataset(namespace=namespace, name=name)
        for argument, name in _DATASETS.items()
        if argument in asked_for
    ]


def _facet(run: BaseRun, request: ResetRequest) -> LeadResetSummaryRunFacet:
    return LeadResetSummaryRunFacet(
        leads=request.leads.count,
        window=request.window.text,
        sent={"FromDate": request.window.from_date, "ToDate": request.window.to_date},
        selectors=request.selectors.arguments(),
        queued=run.output.get("queued"),
        failed=run.output.get("failed"),
        unknown=run.output.get("unknown"),
        unanswered=run.output.get("unanswered"),
        nothing_to_reset=run.output.get("nothing_to_reset"),
        excluded=run.output.get("excluded"),
        not_reached=run.output.get("not_reached"),
        earlier_requests=_counts(run.output.get("earlier_requests")),
        evidence_digest=run.output.get("evidence_digest"),
        plan_digest=request.plan.digest if request.plan else run.output.get("digest"),
    )


def _counts(earlier_requests: dict[str, Any] | None) -> dict[str, int] | None:
    """Return the numbers alone: the leads that failed are named beside them."""
    if earlier_requests is None:
        return None
    return {name: earlier_requests[name] for name in ("leads", *OUTCOMES)}
