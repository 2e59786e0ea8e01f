"""A storage that fails at any of a run's writes: nothing is untold, and a retry does the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetResourceError
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.journal import journal, storage
from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator
from airflow_provider_leadreset.runtime import reset_run
from support.reset_tries import ResetTask, make_leads
from support.task_context import task_context

LEADS = 30

WRITES = 6
"""Of a run: the request, three parts of the journal that name leads, its last part, the summary."""

COPIES = 3
"""Parts of the archive, where there is one."""


@pytest.fixture(scope="module")
def shared() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        yield emulator


@pytest.fixture
def lsq(shared, monkeypatch):
    connection = json.loads(shared.conn_json)
    connection["extra"] = {**json.loads(connection.get("extra") or "{}"), "calls_per_5s": 10}
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    # The pace is tested elsewhere.
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)
    monkeypatch.setattr(reset_run, "leads_per_part", lambda *_: 10)
    monkeypatch.setattr(journal, "WRITE_EVERY", 60.0)
    return shared


@pytest.fixture(params=["folder", "folder, copies", "object store, copies"])
def task(request: Any, tmp_path: Path) -> ResetTask:
    """A reset that writes to a folder or to an object store, with copies of records or without."""
    if not request.param.startswith("object"):
        return ResetTask(tmp_path, archive="copies" in request.param)
    try:
        from airflow.sdk.io import attach
    except ImportError:  # Airflow 2.11
        from airflow.io.store import attach
    attach("memory", fs=MemoryFileSystem())
    return ResetTask(tmp_path, archive=True, evidence_path=f"memory://bucket-{tmp_path.name}/leadreset")


class LibraryError(Exception):
    """As the library of a storage raises it: no OSError."""


class Failing:
    """Counts writes, and fails from one of them on.

    :param how: "full" for good; "recovers": at one write alone; "answer lost": there, after it has written.
    """

    def __init__(self, at: int, how: str, patched: pytest.MonkeyPatch) -> None:
        self.writes, self.at, self.how = 0, at, how
        self.link, self.pipe_file = storage._give_name, MemoryFileSystem.pipe_file
        patched.setattr(storage, "_give_name", self.write_local)
        patched.setattr(
            MemoryFileSystem, "pipe_file", lambda *given, **more: self.write_object(*given, **more)
        )

    @property
    def failed(self) -> bool:
        return self.writes >= self.at

    def write_local(self, unfinished: Path, target: Path) -> None:
        self.write(lambda: self.link(unfinished, target), OSError(28, "No space left on device"))

    def write_object(self, *given: Any, **more: Any) -> None:
        self.write(lambda: self.pipe_file(*given, **more), LibraryError("HTTP 507"))

    def write(self, put: Any, error: Exception) -> None:
        self.writes += 1
        fails = self.writes >= self.at if self.how == "full" else self.writes == self.at
        if not fails or self.how == "answer lost":
            put()
        if fails:
            raise error


def local(task: ResetTask) -> ResetTask:
    """Have what lies in the object store in the task's folder too, where it is looked at."""
    for path in MemoryFileSystem().find(f"/bucket-{task.folder.name}"):
        copy = task.folder / path.partition("/leadreset/")[2]
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(MemoryFileSystem().cat_file(path))
    return task


def accepted(lsq: Any) -> set[str]:
    return {call.prospect_id for call in lsq.resets if call.status == 200}


@pytest.mark.parametrize("how", ["full", "recovers", "answer lost"])
@pytest.mark.parametrize("at", range(1, WRITES + COPIES + 2))
def test_failure_at_each_write(lsq, task, at, how):
    """Whichever write fails: each call is told, the error is a resource's, so retried, and the retry does the rest."""
    leads, error = make_leads(lsq, LEADS), None
    with pytest.MonkeyPatch.context() as patched:
        failing = Failing(at, how, patched)
        try:
            task.run(1, prospect_ids=leads)
        except LeadResetResourceError as raised:
            error = raised
    # Where an answer was lost, and at the end, the file is found to be there, or written again.
    assert failing.failed or not error
    assert error or not failing.failed or how != "full"
    assert "a storage refused or did not answer" in str(error or "a storage refused or did not answer")
    writes = WRITES + COPIES * task.arguments["archive"]
    assert failing.failed == (at <= writes), "all writes of a run are tried, and none is in vain"
    sent = accepted(lsq)
    local(task)
    assert sent <= task.named()
    assert task.told().get("queued", set()) <= sent
    if sent:
        summary = task.summary
        assert (summary["queued"], summary["queued"] + summary["not_reached"]) == (len(sent), LEADS)
    lsq.wait_until_idle()
    summary = task.run(2, prospect_ids=leads)
    assert (summary["queued"] + summary["nothing_to_reset"], accepted(lsq)) == (LEADS, set(leads))
    told = local(task).told()
    assert told.get("queued", set()) | told.get("nothing_to_reset", set()) == set(leads)


@pytest.mark.parametrize("at", [1, 2])
def test_failure_of_a_preview(lsq, task, at):
    """A plan that cannot be written leaves none, and the preview may be retried."""
    leads = make_leads(lsq, 2)
    given = {name: task.arguments[name] for name in ("activity_event_list", "window", "evidence_path")}
    preview = LeadResetPreviewOperator(task_id="p", prospect_ids=leads, **given)
    with pytest.MonkeyPatch.context() as patched:
        failing = Failing(at, "full", patched)
        if at == 1:
            with pytest.raises(LeadResetResourceError, match="a storage refused or did not answer"):
                preview.execute(task_context("p"))
            assert not list(local(task).folder.rglob("plan-*"))
    assert preview.execute(task_context("p"))["leads"] == 2
    assert failing.writes < 2
