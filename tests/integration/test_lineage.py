"""OpenLineage events of real DAG runs, as a receiver gets them over HTTP.

The DAGs run in a process of their own, with OpenLineage's provider sending to a server of this test. No installed
package ships the schema of OpenLineage's events, so:

- our facet is judged by the schema that this package publishes, with a stand-in for OpenLineage's `RunFacet`, which
  asks for `_producer` and `_schemaURL`, both URIs;
- of the rest, the OpenLineage client's own classes check run id, event type and event time, when the event is built
  again from them, and the assertions below check producer, schema address, job and datasets.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

from support.dag_runs import IN_WINDOW
from support.facet_schema import check_facet
from support.openlineage_receiver import Receiver, receiver

FACET = "leadReset_summary"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SENT = {"FromDate": "2026-09-01 00:00:00", "ToDate": "2026-09-30 23:59:59"}
WINDOW = "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z"


@dataclass
class Told:
    """What the receiver was told of the runs, and what they ran on."""

    receiver: Receiver
    lsq: Any
    leads: list[str]
    states: list[str]
    output: str

    @property
    def host(self) -> str:
        return urlsplit(self.lsq.url).netloc


@pytest.fixture(scope="module")
def told(airflow_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

    home = tmp_path_factory.mktemp("lineage")
    dags = home / "dags"
    dags.mkdir()
    shutil.copy(Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "lineage_dags.py"), dags)
    shutil.copy(Path(os.environ["AIRFLOW_HOME"], "airflow.db"), home)
    with LeadSquaredEmulator() as lsq, receiver() as kept:
        leads = [lsq.add_lead(), lsq.add_lead()]
        for lead in leads:
            lsq.add_activity(lead, 166, IN_WINDOW)
        with_notes = lsq.add_lead()
        lsq.add_note(with_notes, "note", IN_WINDOW)
        lsq.fault("500-mx", times=None, prospect_id=UNKNOWN)
        wanted = [
            ("told", {"leads": leads}),
            ("told", {"leads": [leads[0], UNKNOWN]}),
            ("told_refused", {"leads": leads}),
            ("told_mapped", {"leads": leads}),
            ("told_plan", {"leads": [with_notes], "evidence": f"file://{home}/evidence"}),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "support.run_dags", "lineage_dags", json.dumps(wanted)],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
                "AIRFLOW__OPENLINEAGE__DISABLED": "False",
                "AIRFLOW__OPENLINEAGE__NAMESPACE": "of_the_test",
                "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "http", "url": kept.url}),
                "AIRFLOW_CONN_LEADSQUARED_DEFAULT": lsq.conn_json,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        states = re.search(r"^states: (.*)$", done.stdout, re.MULTILINE)
        assert states, output
        yield Told(kept, lsq, [*leads, with_notes], json.loads(states[1]), output)


def facet(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event["run"]["facets"][FACET].items() if not name.startswith("_")}


def named(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]


def test_run_states_unchanged(told):
    """The runs end as they do without lineage."""
    assert told.states == ["success", "failed", "failed", "success", "success"], told.output


def test_reset_outputs_and_facet(told):
    """A reset has an output for each kind of record, and the facet."""
    event = told.receiver.one("told", "reset", "COMPLETE")
    assert event["inputs"] == []
    kinds = ["activities", "tasks", "notes", "audits"]
    assert named(event["outputs"]) == [(f"leadsquared://{told.host}", kind) for kind in kinds]
    assert facet(event) == {
        "leads": 2,
        "window": WINDOW,
        "sent": SENT,
        "selectors": {
            "activity_event_list": [166, 167],
            "task_type_list": ["3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"],
            "audit_activity_list": ["OwnerChange"],
            "should_delete_prospect_notes": True,
        },
        "queued": 2,
        "failed": 0,
        "unknown": 0,
        "unanswered": 0,
        "nothing_to_reset": 0,
        "excluded": 0,
        "not_reached": 0,
    }


def test_failed_reset_reports_progress(told):
    """A reset that failed tells how far it came."""
    event = told.receiver.one("told", "reset", "FAIL")
    assert len(event["outputs"]) == 4
    told_of = facet(event)
    assert (told_of["leads"], told_of["queued"], told_of["failed"], told_of["not_reached"]) == (2, 1, 1, 0)


def test_refused_reset_has_no_datasets(told):
    """A reset that was refused tells of no datasets."""
    event = told.receiver.one("told_refused", "reset", "FAIL")
    assert (event["inputs"], event["outputs"]) == ([], [])
    assert FACET not in event["run"]["facets"]


def test_preview_inputs_match_reset_outputs(told):
    """A preview reads what the reset of its plan then deletes."""
    preview, reset, verify = (
        told.receiver.one("told_plan", task, "COMPLETE") for task in ("preview", "reset", "verify")
    )
    datasets = [(f"leadsquared://{told.host}", kind) for kind in ("activities", "notes")]
    assert named(preview["inputs"]) == named(verify["inputs"]) == named(reset["outputs"]) == datasets
    assert preview["outputs"] == verify["outputs"] == reset["inputs"] == []
    assert not {"queued", "failed", "not_reached"} & {*facet(preview), *facet(verify)}
    digests = {facet(event)["plan_digest"] for event in (preview, reset, verify)}
    assert len(digests) == 1
    assert facet(reset)["queued"] == 1


def test_mapped_tasks_report_own_leads(told):
    """Each mapped task tells of its own leads."""
    events = told.receiver.of("told_mapped", "reset", "COMPLETE")
    assert [facet(event)["leads"] for event in events] == [1, 1]
    assert len({event["run"]["runId"] for event in events}) == 2


def test_starts_and_ends_match(told):
    """Each end has its start under the same run."""

    def run_ids(*kinds: str) -> list[str]:
        return sorted(
            event["run"]["runId"]
            for event in told.receiver.events
            if event["eventType"] in kinds
            and event["job"]["name"].endswith((".reset", ".preview", ".verify"))
        )

    assert len(run_ids("START")) == 8
    assert run_ids("START") == run_ids("COMPLETE", "FAIL")


def test_events_are_valid_openlineage(told):
    """Every event is one by OpenLineage's own classes."""
    assert len(told.receiver.events) >= 16
    assert set(told.receiver.paths) == {"/api/v1/lineage"}
    for event in told.receiver.events:
        run, job = event["run"], event["job"]
        RunEvent(
            eventType=RunState[event["eventType"]],
            eventTime=event["eventTime"],
            run=Run(runId=run["runId"], facets=run["facets"]),
            job=Job(namespace=job["namespace"], name=job["name"], facets=job["facets"]),
            inputs=[InputDataset(**dataset) for dataset in event["inputs"]],
            outputs=[OutputDataset(**dataset) for dataset in event["outputs"]],
            producer=event["producer"],
        )
        assert uuid.UUID(run["runId"])
        assert datetime.fromisoformat(event["eventTime"]).utcoffset() is not None
        assert event["schemaURL"].startswith("https://openlineage.io/spec/")
        assert event["schemaURL"].endswith("#/$defs/RunEvent")
        assert urlsplit(event["producer"]).scheme == "https"
        assert job["namespace"] == "of_the_test"


def test_facets_match_their_schema(told):
    """Every facet of this provider is as its schema says."""
    facets = [
        event["run"]["facets"][FACET] for event in told.receiver.events if FACET in event["run"]["facets"]
    ]
    assert len(facets) == 7
    for one in facets:
        check_facet(one)


def test_events_hold_no_secrets(told):
    """No event holds a key, and no facet of this provider holds a lead."""
    everything = json.dumps(told.receiver.events)
    assert told.lsq.access_key not in everything
    assert told.lsq.secret_key not in everything
    ours = json.dumps(
        [event["run"]["facets"].get(FACET) for event in told.receiver.events]
        + [event["inputs"] + event["outputs"] for event in told.receiver.events]
    )
    assert not [lead for lead in [*told.leads, UNKNOWN] if lead in ours]


def test_lineage_costs_no_call(told):
    """Before the planned reset, the last of the DAGs, there is a call for each lead, and what each task asks once."""
    # Which event codes can be deleted, and which account it is.
    once = {"ProspectActivity.svc/ActivityTypes.Get", "Authentication.svc/UserByAccessKey.Get"}
    paths = [call.path for call in told.lsq.calls if call.path not in once]
    assert paths[:6] == ["LeadManagement.svc/Lead.Reset"] * 6
    # The plan's lead is read by the preview, and again before its reset.
    assert paths[6:].count("LeadManagement.svc/Lead.Reset") == 1
