"""A reset's run that is ended by a signal, at whatever moment: no lead that was sent goes untold."""

from __future__ import annotations

import dis
import gzip
import json
import logging
import os
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import airflow_provider_leadreset
from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts, IndexSet
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder, Report
from airflow_provider_leadreset.leadsquared.records.records import Record
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety import archive
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.runtime import reset_run
from airflow_provider_leadreset.runtime.base import ResetRequest
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.reset_run import ResetRun

PACKAGE = str(Path(airflow_provider_leadreset.__file__).parent)
LEADS = [str(uuid.UUID(int=number, version=4)) for number in range(4)]
FAILING = LEADS[2]
MOMENTS = 60
"""At so many moments each run is interrupted, all over it; with ALL_MOMENTS set, at every one."""

# A signal between the opening of a file and its ``with`` leaves it to be closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class TaskTimeoutError(BaseException):
    """As a signal handler of Airflow raises it."""


class Interruption:
    """Raises where CPython lets a signal handler raise: where a function begins or goes on, after a call, in a loop.

    :param at: the how-manieth of these places it is, from 0.
    """

    _CHECKED = frozenset(
        code for name, code in dis.opmap.items() if name.startswith(("CALL", "JUMP_BACKWARD"))
    )

    def __init__(self, at: int) -> None:
        self.at = at
        self.places = 0
        self.where = ""
        self._last: dict[Any, int] = {}

    def __call__(self, frame: Any, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        if event == "call":
            self._reach(frame)
        elif event == "opcode":
            before = self._last.get(frame)
            self._last[frame] = frame.f_code.co_code[frame.f_lasti]
            if before in self._CHECKED:
                self._reach(frame)
        return self

    def _reach(self, frame: Any) -> None:
        self.places += 1
        if self.places == self.at + 1:
            self.where = f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
            time.sleep(0.002)  # the pool's threads go on meanwhile
            raise TaskTimeoutError


class StubClient:
    """What a run needs of a client. One lead's reset fails so that a retry may help."""

    host = "stub"

    def __init__(self) -> None:
        self.limiter = RateLimiter(SlidingWindow(1000))
        self.limiter.sliding_window.share = 1
        self.on_call: Any = None
        self.sent: list[str] = []

    def reset(self, reset: Any) -> None:
        permit = self.limiter.acquire()
        self.sent.append(reset.prospect_id)
        self.limiter.accepted(permit)
        error = UnavailableError("down") if reset.prospect_id == FAILING else None
        self.on_call(Call(reset.prospect_id, datetime.now(UTC), 0.0, error))
        if error:
            raise error

    def redact(self, text: str) -> str:
        return text

    def stop(self) -> None:
        self.limiter.close()


class Store(dict[str, Any]):
    """As Airflow keeps a task's state."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


class Started:
    """A run about to reset four leads, and what it leaves behind."""

    def __init__(self, folder: Path, *, archives: bool) -> None:
        self.client, self.store, self.folder = StubClient(), Store(), folder
        self.xcom: dict[str, Any] = {}
        ti = SimpleNamespace(max_tries=1, xcom_push=lambda *, key, value: self.xcom.update({key: value}))
        context: Any = {
            "ti": ti,
            "dag_run": SimpleNamespace(clear_number=0),
            "task_state_store": self.store,
        }
        task: Any = SimpleNamespace(
            log=logging.getLogger("test"),
            archive=archives,
            max_records=NOT_GIVEN,
            max_failed_leads=1,
            do_xcom_push=True,
        )
        run = self.run = ResetRun(task, context)
        run._hook = SimpleNamespace(get_conn=lambda: self.client)  # type: ignore[assignment]
        run.approval, run.evidence = None, EvidenceFolder(folder)
        run.checkpoint = Checkpoint(context, "x", run.log)
        run.counts = BatchCounts(4, self.client.limiter, run.checkpoint.progress)
        run.report = Report(run.evidence)
        self.client.on_call = run.report.add

    def reset(self, interruption: Interruption) -> bool:
        """Run, and say whether it was interrupted."""
        selectors = Selectors(should_delete_prospect_notes=True)
        request = ResetRequest(
            self.client.host, Leads.parse(LEADS), selectors, parse_window("2026-09-01/2026-10-01")
        )
        before = sys.gettrace()
        sys.settrace(interruption)
        try:
            self.run._reset(request)
        except TaskTimeoutError:
            return True
        finally:
            sys.settrace(before)
        return False

    def assert_told(self) -> None:
        """Check that summary, report, evidence, progress and XCom tell of all that was sent."""
        sent, summary = set(self.client.sent), self.run.output
        assert len(self.client.sent) == len(sent)
        if not summary:  # before anything was begun
            assert not sent
            return
        assert (summary["queued"], summary["failed"]) == (len(sent - {FAILING}), int(FAILING in sent))
        assert summary["queued"] + summary["failed"] + summary["not_reached"] == summary["leads"] == 4
        assert [failure["prospect_id"] for failure in summary["failures"]] == [FAILING] * (FAILING in sent)
        assert self.xcom == {"return_value": summary}
        assert json.loads((self.folder / "summary.json").read_text()) == summary
        lines = [
            json.loads(line)
            for part in self.folder.glob("report-*")
            for line in part.read_text().splitlines()
        ]
        assert {line["prospect_id"] for line in lines} == sent
        stored = next(iter(self.store.values()), {"queued": []})
        saved = IndexSet(stored["queued"])
        assert {LEADS[index] for index in range(4) if index in saved} == sent - {FAILING}

    def copied(self) -> set[str]:
        """Return the leads in closed parts of the archive."""
        parts = sorted(self.folder.glob("archive-*"))
        lines = [line for part in parts for line in gzip.decompress(part.read_bytes()).splitlines()]
        return {json.loads(line)["prospect_id"] for line in lines}


@pytest.fixture(autouse=True)
def _parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset_run, "PART_LEADS", 2)
    monkeypatch.setattr(reset_run, "task_types_of", lambda *_, **__: SimpleNamespace(names={}))
    record = Record("notes", "n", datetime(2026, 9, 2, tzinfo=UTC), "", {})
    monkeypatch.setattr(archive, "read_lead", lambda *_: SimpleNamespace(records=[record]))
    # Every outcome and line is due for saving at once.
    monkeypatch.setattr("airflow_provider_leadreset.runtime.checkpoint.SAVE_EVERY", 0.0)
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.journal.journal.PART_SECONDS", 0.0)


@pytest.mark.parametrize("archives", [False, True])
def test_signal_at_any_moment(tmp_path, archives):
    """A signal at any moment loses no lead that was sent, and none is sent that was not copied."""
    whole = Interruption(-1)
    started = Started(tmp_path / "whole", archives=archives)
    assert not started.reset(whole)
    started.assert_told()
    assert set(started.client.sent) == set(LEADS)
    step = 1 if "ALL_MOMENTS" in os.environ else max(1, whole.places // MOMENTS)
    interrupted, lost = 0, []
    for at in range(0, whole.places + 20, step):
        interruption = Interruption(at)
        started = Started(tmp_path / str(at), archives=archives)
        interrupted += started.reset(interruption)
        try:
            started.assert_told()
            assert not archives or set(started.client.sent) <= started.copied()
        except AssertionError as error:
            lost.append(f"{interruption.where}: {error}")
    assert lost == []
    assert interrupted > MOMENTS // 2
