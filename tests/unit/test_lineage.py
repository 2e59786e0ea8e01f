"""What OpenLineage is told, for runs that came more or less far; of real runs, see the integration test."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from openlineage.client.serde import Serde

from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.lineage import FACET, SCHEMA_URL, lineage_of
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest
from support.facet_schema import SCHEMA, check_facet

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
WINDOW = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
COUNTS = {**dict.fromkeys(OUTCOMES, 0), "failed": 1, "evidence_digest": "c" * 64}


def a_run(*, leads: list[str] | None = None, deletes: bool = True, **known: Any) -> BaseRun:
    task: Any = SimpleNamespace(log=None)
    run = BaseRun(task, {})
    run.deletes = deletes
    run._hook = SimpleNamespace(get_conn=lambda: SimpleNamespace(host="api.example.com"))
    selectors = Selectors(activity_event_list=(166,), should_delete_prospect_notes=True)
    run.request = ResetRequest(
        "api.example.com", Leads.parse([LEAD] if leads is None else leads), selectors, WINDOW, **known
    )
    return run


def sent(lineage: Any) -> dict[str, Any]:
    """Return the facet as it goes over the wire."""
    return Serde.to_dict(lineage.run_facets[FACET])


def names(datasets: Any) -> list[tuple[str, str]]:
    return [(dataset.namespace, dataset.name) for dataset in datasets]


def test_lineage_of_a_reset():
    """A reset has outputs and its counts."""
    run = a_run()
    run.output = {
        **COUNTS,
        "failures": [{"prospect_id": LEAD, "error": "unknown"}],
        "account": "api.example.com",
    }
    lineage = lineage_of(run)
    assert names(lineage.outputs) == [
        ("leadsquared://api.example.com", "activities"),
        ("leadsquared://api.example.com", "notes"),
    ]
    assert lineage.inputs == []
    facet = sent(lineage)
    check_facet(facet)
    assert {name: facet[name] for name in COUNTS} == COUNTS
    assert facet["_schemaURL"] == SCHEMA_URL
    assert LEAD not in json.dumps(facet)


def test_earlier_requests():
    """What earlier tries were asked for otherwise is told in numbers: a lead in doubt is not hidden, and not named."""
    run = a_run()
    told = {**dict.fromkeys(OUTCOMES, 0), "leads": 3, "queued": 2, "unanswered": 1}
    failures = [{"prospect_id": LEAD, "outcome": "unanswered", "error": f"no answer of {LEAD}"}]
    run.output = {**COUNTS, "earlier_requests": {**told, "failures": failures}}
    facet = sent(lineage_of(run))
    check_facet(facet)
    assert facet["earlier_requests"] == told
    assert LEAD not in json.dumps(facet)
    run.output = {**COUNTS, "earlier_requests": None}
    assert "earlier_requests" not in sent(lineage_of(run))
    with pytest.raises(jsonschema.ValidationError):
        check_facet({**facet, "earlier_requests": {"leads": 3}})


def test_lineage_of_a_reading_task():
    """A task that only reads has inputs and no counts."""
    lineage = lineage_of(a_run(deletes=False))
    assert names(lineage.inputs)[0] == ("leadsquared://api.example.com", "activities")
    assert lineage.outputs == []
    check_facet(sent(lineage))
    assert not {*COUNTS, "plan_digest"} & set(sent(lineage))


def test_plan_digest():
    """The plan is named by its digest, whether the task made it or was given it."""
    made = a_run(deletes=False)
    made.output = {"digest": "a" * 64}
    taken = a_run(plan=SimpleNamespace(digest="b" * 64))
    assert (sent(lineage_of(made))["plan_digest"], sent(lineage_of(taken))["plan_digest"]) == (
        "a" * 64,
        "b" * 64,
    )
    check_facet(sent(lineage_of(made)))


def test_facets_of_the_first_version():
    """A facet of version 1-0-0 is still judged by its own schema, at its own address."""
    old = {
        "_producer": "https://example.com",
        "_schemaURL": SCHEMA_URL.replace("2-0-0", "1-0-0"),
        **{name: sent(lineage_of(a_run()))[name] for name in ("leads", "window", "sent", "selectors")},
        "queued": 1,
        "failed": 0,
        "not_reached": 0,
    }
    check_facet(old)
    with pytest.raises(jsonschema.ValidationError):
        check_facet({**old, "_schemaURL": SCHEMA_URL})


def test_task_without_leads():
    """A task that came to no lead touches no dataset."""
    lineage = lineage_of(a_run(leads=[]))
    assert (lineage.inputs, lineage.outputs, sent(lineage)["leads"]) == ([], [], 0)
    check_facet(sent(lineage))


@pytest.mark.parametrize("known", [True, False])
def test_task_that_ended_early(known):
    """A task that ended before anything was known tells nothing."""
    run = a_run() if known else None
    if run:
        run.request = None
    lineage = lineage_of(run)
    assert (lineage.inputs, lineage.outputs, lineage.run_facets) == ([], [], {})


def test_operator_answers_openlineage():
    """The operator answers OpenLineage's provider."""
    task = LeadResetOperator(
        task_id="reset", prospect_ids=LEAD, activity_event_list=[166], window="2026-09-01/P1D"
    )
    assert task.get_openlineage_facets_on_complete(None).run_facets == {}
    task._run = a_run()
    for ask in (task.get_openlineage_facets_on_complete, task.get_openlineage_facets_on_failure):
        assert len(ask(None).outputs) == 2


def test_schema_address():
    """The schema is at the address that the facet names."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    address, _, pointer = SCHEMA_URL.partition("#/$defs/")
    assert SCHEMA["$id"] == address
    assert pointer in SCHEMA["$defs"]
    assert SCHEMA["properties"] == {FACET: {"$ref": f"#/$defs/{pointer}"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"leads": -1},
        {"window": "2026-09-01/2026-10-01"},
        {"sent": {"FromDate": "2026-09-01 00:00:00"}},
        {"selectors": {}},
        {"selectors": {"leads": [LEAD]}},
        {"queued": 1},
        {"unanswered": 1},
        {"evidence_digest": "a"},
        {"plan_digest": "a"},
        {"_producer": None},
    ],
)
def test_schema_refuses_wrong_facets(wrong):
    """The schema refuses what the facet never is."""
    facet = sent(lineage_of(a_run(deletes=False)))
    check_facet(facet)
    with pytest.raises(jsonschema.ValidationError):
        check_facet({**facet, **wrong})


def test_without_openlineage():
    """Without OpenLineage nothing breaks, and nothing of the lineage is imported."""
    code = (
        "import sys\n"
        "sys.modules['openlineage'] = sys.modules['airflow.providers.openlineage.extractors'] = None\n"
        "import airflow_provider_leadreset.operators.lead_reset, airflow_provider_leadreset.runtime.reset_run\n"
        "import airflow_provider_leadreset.runtime.preview_run, airflow_provider_leadreset.sensors.lead_reset\n"
        "import airflow_provider_leadreset.assets\n"
        "assert 'airflow_provider_leadreset.lineage' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
