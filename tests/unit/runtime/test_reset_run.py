"""A reset's run that is ended by a signal, at whatever moment: no lead that was sent goes untold."""

from __future__ import annotations

import dis
import gzip
import hashlib
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
from airflow_provider_leadreset.hooks.lead_reset import AccountSettings
from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.batch.progress import Progress
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.records import LeadRecords, Record
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety import archive
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.runtime import checked_parts, reset_run
from airflow_provider_leadreset.runtime.base import ResetRequest
from airflow_provider_leadreset.runtime.batch_record import BatchRecord
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from airflow_provider_leadreset.runtime.earlier_tries import earlier_tries
from airflow_provider_leadreset.runtime.reset_run import ResetRun
from airflow_provider_leadreset.runtime.try_evidence import TryEvidence
from support.evidence_files import a_request, objects_in

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

    def reset(self, reset: Any, *, not_after: float | None = None) -> None:
        permit = self.limiter.acquire()
        self.sent.append(reset.prospect_id)
        self.limiter.accepted(permit)
        error = UnavailableError("down") if reset.prospect_id == FAILING else None
        if error:
            error.in_doubt = True
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
    """A run about to reset four leads, and what it leaves behind.

    :param stored: whether progress is kept in Airflow's store; else in the evidence.
    """

    def __init__(self, folder: Path, *, archives: bool, stored: bool = False) -> None:
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
            skip_unmodified=False,
            plan=NOT_GIVEN,
            max_records=NOT_GIVEN,
            max_failed_leads=1,
            do_xcom_push=True,
        )
        run = self.run = ResetRun(task, context)
        hook: Any = SimpleNamespace(get_conn=lambda: self.client, settings=AccountSettings())
        run._hook = hook
        run.approval = None
        if stored:
            run.checkpoint = Checkpoint(context, "x", 4, run.log)
            progress = run.checkpoint.progress
            self.client.on_call = lambda call: None
        else:
            run.evidence = TryEvidence(EvidenceFolder(folder), EvidenceFolder(folder / "copies"), 1)
            run.evidence.begin(a_request(leads=4, request_digest="x", generation="0"), ahead=1)
            self.client.on_call = run.evidence.journal.called
            progress = None
        counts = BatchCounts(4, self.client.limiter, progress)
        run.record = BatchRecord(counts, run.evidence, run.checkpoint, log=run.log)

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

    def assert_told(self, *, interrupted: bool) -> None:
        """Check that summary, journal, progress and XCom tell of all that was sent.

        Of a run that returns its summary, Airflow keeps the XCom: pushed too, it would be written twice.
        """
        sent, summary = set(self.client.sent), self.run.output
        assert len(self.client.sent) == len(sent)
        if not summary:  # before anything was begun
            assert not sent
            return
        assert (summary["queued"], summary["unanswered"]) == (len(sent - {FAILING}), int(FAILING in sent))
        assert sum(summary[kind] for kind in OUTCOMES) == summary["leads"] == 4
        assert [one["prospect_id"] for one in summary["failures"]] == [FAILING] * (FAILING in sent)
        assert self.xcom == ({"return_value": summary} if interrupted else {})
        if self.run.evidence is None:
            stored = next(iter(self.store.values()), {"queued": []})
            self.assert_known(Progress(stored), sent)
            return
        (kept,) = self.folder.glob("try-1/*-summary.json")
        told = json.loads(kept.read_text())
        assert {name: told[name] for name in summary if name != "evidence_digest"} == {
            name: value for name, value in summary.items() if name != "evidence_digest"
        }
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == summary["evidence_digest"]
        lines = objects_in(self.folder, "try-1/*-0????.jsonl")
        named = {lead for line in lines if line.get("line") == "named" for _, lead in line["leads"]}
        assert sent <= named
        assert {line["prospect_id"] for line in lines if line.get("line") == "call"} == sent
        found = earlier_tries(
            self.run.evidence.task,
            identity=["d", "r", "t", -1],
            before=2,
            generation="0",
            digest="x",
            log=self.run.log,
        )
        self.assert_known(found.progress, sent)

    @staticmethod
    def assert_known(progress: Progress, sent: set[str]) -> None:
        """Check what a later try would know: neither less nor more than what was sent."""
        assert {LEADS[index] for index in range(4) if index in progress} == sent - {FAILING}
        assert {LEADS[index] for index in range(4) if progress.is_unanswered(index)} == sent & {FAILING}

    def copied(self) -> set[str]:
        """Return the leads in closed parts of the archive."""
        parts = sorted(self.folder.glob("copies/*-archive-*"))
        lines = [line for part in parts for line in gzip.decompress(part.read_bytes()).splitlines()]
        return {json.loads(line)["prospect_id"] for line in lines}


@pytest.fixture(autouse=True)
def _parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset_run, "leads_per_part", lambda *_: 2)
    monkeypatch.setattr(reset_run, "task_types_of", lambda *_, **__: SimpleNamespace(names={}))
    monkeypatch.setattr(checked_parts, "known_leads", lambda *_: set(LEADS))
    record = Record("notes", "n", datetime(2026, 9, 2, tzinfo=UTC), "", {})
    monkeypatch.setattr(archive, "read_lead", lambda *_: LeadRecords([record]))
    # Every outcome and line is due for saving at once.
    monkeypatch.setattr("airflow_provider_leadreset.runtime.checkpoint.SAVE_EVERY", 0.0)
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.journal.journal.WRITE_EVERY", 0.0)


@pytest.mark.parametrize("kept", ["journal", "archive", "store"])
def test_signal_at_any_moment(tmp_path, kept):
    """A signal at any moment loses no lead that was sent, and none is sent that was not copied."""
    how = {"archives": kept == "archive", "stored": kept == "store"}
    whole = Interruption(-1)
    started = Started(tmp_path / "whole", **how)
    assert not started.reset(whole)
    started.assert_told(interrupted=False)
    assert set(started.client.sent) == set(LEADS)
    step = 1 if "ALL_MOMENTS" in os.environ else max(1, whole.places // MOMENTS)
    interrupted, lost = 0, []
    for at in range(0, whole.places + 20, step):
        interruption = Interruption(at)
        started = Started(tmp_path / str(at), **how)
        was_interrupted = started.reset(interruption)
        interrupted += was_interrupted
        try:
            started.assert_told(interrupted=was_interrupted)
            assert kept != "archive" or set(started.client.sent) <= started.copied()
        except AssertionError as error:
            lost.append(f"{interruption.where}: {error}")
    assert lost == []
    assert interrupted > MOMENTS // 2
