"""Copies of records, and what a plan does not show."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import AccessError, LeadRejectedError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.archive import (
    PendingReset,
    PreResetCheck,
    _refuse_unplanned,
)

INSIDE = "2026-09-15 10:00:00"
WINDOW = parse_window("2026-09-01/2026-10-01")
NOTES = Selectors(should_delete_prospect_notes=True)


@pytest.fixture
def lsq():
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        yield emulator


@pytest.fixture
def client(lsq):
    client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, limiter=RateLimiter(SlidingWindow(5)))
    yield client
    client.close()


def check_and_archive(client: LeadSquaredClient, leads: list[str], folder: Path) -> BatchJudge:
    """Read and copy as the operator does."""
    check = PreResetCheck(client, EvidenceFolder(folder), task_types_of(client, NOTES), "0123abcd")
    judge = BatchJudge()
    pending = [PendingReset(index, LeadReset(lead, NOTES, WINDOW)) for index, lead in enumerate(leads)]
    with WorkerPool(client) as pool, check.new_part() as part:
        for item, found in pool.map_unordered(pending, check.read):
            try:
                part.add(item, found)
            except LeadSquaredError as error:
                judge.refuse(item.index, item.prospect_id, error)
                pool.stop()
        if not judge.stop_reason:
            assert check.close_part(part)
            assert sorted(one.index for one in part.passed) == [one.index for one in pending]
    return judge


def test_half_emoji_copied(lsq, client, monkeypatch, tmp_path):
    """A record that contains half of an emoji is copied unchanged."""
    lead = lsq.add_lead()
    row = {"ProspectNoteId": "n1", "CreatedOn": INSIDE, "Note": "cut off \ud83d ज"}
    monkeypatch.setattr(client, "call", lambda *_, **__: {"List": [row]})
    assert check_and_archive(client, [lead], tmp_path).stop_reason is None
    (part,) = tmp_path.iterdir()
    assert json.loads(gzip.decompress(part.read_bytes()))["record"] == row


def test_late_reads_after_failure(lsq, client, monkeypatch, tmp_path):
    """Reads that end after their part of the archive was given up do not hide the error."""
    leads = [lsq.add_lead() for _ in range(5)]
    for lead in leads:
        lsq.add_note(lead, "a note", INSIDE)
    call, started, given_up = client.call, threading.Barrier(5), threading.Event()
    close = client.limiter.close
    monkeypatch.setattr(client.limiter, "close", lambda: (close(), given_up.set()))

    def slow(*args: Any, **kwargs: Any) -> Any:
        answer = call(*args, **kwargs)
        if started.wait(5) == 0:
            raise AccessError("wrong keys", status=401)
        assert given_up.wait(5)
        return answer

    monkeypatch.setattr(client, "call", slow)
    assert isinstance(check_and_archive(client, leads, tmp_path).stop_reason, AccessError)
    assert list(tmp_path.iterdir()) == []


def test_late_reads_after_a_time_out(lsq, client, monkeypatch, tmp_path):
    """What is read when a time-out has broken the part off is neither copied nor told as a reset."""
    leads = [lsq.add_lead() for _ in range(3)]
    go_on, begun = threading.Event(), threading.Barrier(4)
    call = client.call

    def slow(*args: Any, **kwargs: Any) -> Any:
        begun.wait(5)
        assert go_on.wait(5)
        return call(*args, **kwargs)

    check = PreResetCheck(client, EvidenceFolder(tmp_path), task_types_of(client, NOTES))
    monkeypatch.setattr(client, "call", slow)
    pending = [PendingReset(index, LeadReset(lead, NOTES, WINDOW)) for index, lead in enumerate(leads)]
    pool = WorkerPool(client)

    def lead() -> None:
        with pool, check.new_part():
            for ended in pool.map_with_ticks(pending, check.read):
                assert ended is None
                if len(pool._unsettled) == len(leads):
                    begun.wait(5)
                    go_on.set()
                    raise TimeoutError

    with pytest.raises(TimeoutError):
        lead()
    assert list(pool.leftovers(client.reset)) == []
    assert list(tmp_path.iterdir()) == []
    assert check.records == 0


def test_fast_comparison_with_plan():
    """Thousands of records are compared with a plan in a single pass."""
    from types import SimpleNamespace

    class Read(list[str]):
        """Searched for each record, it would be read twenty thousand times."""

        times = 0

        def __iter__(self) -> Any:
            self.times += 1
            return super().__iter__()

        def __contains__(self, _: object) -> bool:
            raise AssertionError("searched")

    ids = Read(f"{number:036}" for number in range(20_000))
    records: list[Any] = [SimpleNamespace(kind="activities", key=id_) for id_ in ids]
    ids.times = 0
    _refuse_unplanned(records, {"activities": ids, "tasks": [], "notes": []})
    assert ids.times == 1
    with pytest.raises(LeadRejectedError, match="1 record came into the window"):
        _refuse_unplanned(records, {"activities": ids[1:], "tasks": ids, "notes": []})
