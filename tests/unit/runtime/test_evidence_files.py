"""What a real run writes: as its schemas say, and the same in an object store."""

from __future__ import annotations

import gzip
import json
from typing import Any

import jsonschema
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetLeadsFailedError
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.evidence_schemas import FOLDER
from support.reset_tries import ResetTask, make_leads

WINDOW = "2026-09-01/2026-10-01"
KINDS = {
    "-request.json": "request",
    "-summary.json": "summary",
    "-verification.json": "verification",
    "-failed.jsonl": "failed-line",
    "-shown.md": None,
    ".jsonl.gz": "archive-line",
    ".jsonl": "journal-line",
}


@pytest.fixture
def lsq(monkeypatch):
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
    with LeadSquaredEmulator(calls_per_5s=None, queue_delay=0.0) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", emulator.conn_json)
        yield emulator


def schema_of(name: str) -> str | None:
    if name.startswith("plan-"):
        return "plan-line"
    return next(schema for ending, schema in KINDS.items() if name.endswith(ending))


def context(task_id: str, try_number: int = 1) -> Any:
    ti: Any = type("TI", (), {"xcom_push": lambda *_, **__: None})()
    ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.max_tries = "d", "r", task_id, -1, 1
    ti.try_number = try_number
    return {"ti": ti}


def test_files_hold_to_their_schemas(lsq, tmp_path):
    """Every file that preview, reset and sensor write is as its published schema says."""
    evidence = str(tmp_path / "evidence")
    leads = make_leads(lsq, 4)
    lsq.add_activity(leads[0], 166, "2026-09-20 10:00:00")
    asked = {"activity_event_list": [166], "window": WINDOW, "evidence_path": evidence}
    preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=leads, **asked)
    plan = preview.execute(context("preview"))
    task = ResetTask(tmp_path / "evidence", archive=True, plan=plan)
    del task.arguments["activity_event_list"], task.arguments["window"]
    lsq.fault("500", times=1, prospect_id=leads[1], path="LeadManagement.svc/Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1)
    task.run(2)
    lsq.wait_until_idle()
    assert LeadResetSensor(task_id="verify", plan=plan).poke(context("verify"))
    found = set()
    for path in task.files("*"):
        if not path.is_file() or (schema := schema_of(path.name)) is None:
            continue
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
        rules = json.loads((FOLDER / f"{schema}.json").read_text())
        for line in lines:
            jsonschema.validate(json.loads(line), rules)
        found.add(schema)
    # What a preview writes that finds skip_unmodified wrong is held to its schema where one does.
    assert found == {path.stem for path in FOLDER.iterdir()} - {"contradiction"}


def test_evidence_in_an_object_store(lsq, tmp_path, monkeypatch):
    """In an object store a reset writes, continues and archives as in a folder."""
    try:
        from airflow.sdk.io import attach
    except ImportError:
        from airflow.io.store import attach
    attach("memory", fs=MemoryFileSystem())
    leads = make_leads(lsq, 6)
    root = f"memory://bucket-{tmp_path.name}/leadreset"
    task = ResetTask(tmp_path, archive=True, evidence_path=root)
    lsq.fault("500", times=1, prospect_id=leads[1], path="LeadManagement.svc/Lead.Reset")
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, prospect_ids=leads)
    lsq.reset_calls()
    summary = task.run(2, prospect_ids=leads)
    assert (summary["queued"], [call.prospect_id for call in lsq.resets]) == (6, [leads[1]])
    names = [path.rpartition("/")[2] for path in MemoryFileSystem().find(f"/bucket-{tmp_path.name}")]
    assert sum(name.endswith("-summary.json") for name in names) == 2
    assert sum("-archive-" in name for name in names) == 2
    assert sum(name.endswith("-failed.jsonl") for name in names) == 1
