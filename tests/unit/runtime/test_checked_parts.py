"""Leads that are read before their reset: soon before, again where it took too long, and not at all in vain."""

from __future__ import annotations

import json
from collections import Counter
from math import inf
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetFailedError, LeadResetInputError
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.batch import worker_pool
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.safety import archive
from airflow_provider_leadreset.leadsquared.safety.archive import (
    PreResetCheck,
    leads_per_part,
    reads_per_lead,
)
from airflow_provider_leadreset.runtime import checked_parts
from airflow_provider_leadreset.runtime.checked_parts import MOST_READINGS
from support.evidence_files import objects_in
from support.reset_tries import IN_WINDOW, ResetTask, make_leads


@pytest.fixture
def lsq(monkeypatch):
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        connection = json.loads(emulator.conn_json)
        connection["extra"] = {**json.loads(connection.get("extra") or "{}"), "calls_per_5s": 3}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
        # The pace is tested elsewhere.
        monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
        yield emulator


@pytest.fixture
def task(tmp_path):
    return ResetTask(tmp_path / "evidence", archive=True)


@pytest.fixture
def readings(monkeypatch) -> list[str]:
    """The leads that were read, in order."""
    read, found = PreResetCheck.read, []

    def watched(self: Any, pending: Any) -> Any:
        found.append(pending.prospect_id)
        return read(self, pending)

    monkeypatch.setattr(PreResetCheck, "read", watched)
    return found


@pytest.mark.parametrize(
    ("share", "selectors", "leads"),
    [
        (25, {"activity_event_list": (166,)}, 50),
        (25, {"activity_event_list": (166,), "audit_activity_list": ("StageChange",)}, 50),
        (
            25,
            {"activity_event_list": (166,), "task_type_list": ("x",), "should_delete_prospect_notes": True},
            25,
        ),
        (
            2,
            {"activity_event_list": (166,), "task_type_list": ("x",), "should_delete_prospect_notes": True},
            2,
        ),
        (
            1,
            {"activity_event_list": (166,), "task_type_list": ("x",), "should_delete_prospect_notes": True},
            1,
        ),
        (1000, {"activity_event_list": (166,)}, 500),
    ],
)
def test_parts_take_twenty_seconds(share, selectors, leads):
    """A part is as many leads as are read and reset in some twenty seconds, one at least."""
    chosen = Selectors(**selectors)
    assert leads_per_part(share, chosen) == leads
    assert leads in {1, 500} or leads * (1 + reads_per_lead(chosen)) / share * 5 <= 20


def test_late_reset_is_read_again(lsq, task, readings, monkeypatch):
    """A reset that waited too long after the reading of its records is not sent before they are read again."""
    leads = make_leads(lsq, 3)
    reset, sent_early = LeadSquaredClient.reset, set()

    def watched(self: Any, asked: Any, *, not_after: float) -> None:
        first = asked.prospect_id not in sent_early
        sent_early.add(asked.prospect_id)
        reset(self, asked, not_after=-inf if first else not_after)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    assert task.run(1, prospect_ids=leads)["queued"] == 3
    assert sorted(readings) == sorted(2 * leads)
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)
    assert task.told() == {"not_reached": set(leads), "queued": set(leads)}
    assert len(task.lines("call")) == 3


def test_late_for_ever_is_given_up(lsq, task, readings, monkeypatch):
    """A reset that always comes too late is given up after a few readings, and its lead is told as not reached."""
    leads = make_leads(lsq, 2)
    monkeypatch.setattr(archive, "READ_BEFORE", -1.0)
    with pytest.raises(
        LeadResetFailedError, match=r"Not reached: 2 of 2 leads: .* read too long ago, 3 times"
    ):
        task.run(1, prospect_ids=leads)
    assert sorted(readings) == sorted(MOST_READINGS * leads)
    assert lsq.resets == []
    assert task.told() == {"not_reached": set(leads)}


@pytest.mark.parametrize("archived", [True, False])
def test_hanging_read(lsq, task, readings, monkeypatch, archived):
    """A read that hangs holds up its own lead alone, which is read again: no reset is sent long after its reading."""
    monkeypatch.setattr(archive, "READ_BEFORE", 1.0)
    monkeypatch.setattr(checked_parts, "HEADWAY", 0.7)
    monkeypatch.setattr(checked_parts, "WINDOW", 0.02)
    monkeypatch.setattr(worker_pool, "TICK", 0.05)
    leads = make_leads(lsq, 6)
    planned = task.plan(leads)
    lsq.reset_calls()
    readings.clear()
    lsq.fault("hang", seconds=1.3, prospect_id=leads[2], path="ProspectActivity.svc/Retrieve")
    del task.arguments["activity_event_list"], task.arguments["window"]
    assert task.run(1, plan=planned, archive=archived)["queued"] == 6
    assert Counter(readings)[leads[2]] >= 2
    for lead in leads:
        *_, last_read, reset = (call for call in lsq.calls if call.prospect_id == lead)
        assert reset.path.endswith("Lead.Reset")
        assert reset.arrived - last_read.arrived < 1.0 + 0.25  # of the way there
    hung = next(call for call in lsq.calls if call.prospect_id == leads[2])
    assert lsq.resets[0].arrived < hung.arrived + 1.3, "the others need not wait for it"
    assert (len(lsq.resets), lsq.resets[-1].prospect_id) == (6, leads[2])


def test_nothing_to_reset_needs_no_call(lsq, task):
    """A lead without records in the window needs no call, and an unknown one is told as such."""
    leads, unknown = make_leads(lsq, 2), "00000000-0000-4000-8000-000000000000"
    empty = str(lsq.add_lead())
    lsq.add_activity(empty, 166, "2026-10-15 10:00:00")
    summary = task.run(1, prospect_ids=[empty, *leads, unknown])
    assert (summary["queued"], summary["nothing_to_reset"], summary["unknown"]) == (2, 1, 1)
    assert summary["nothing_to_reset_by"]["without_records"] == 1
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)
    assert task.told() == {"queued": set(leads), "nothing_to_reset": {empty}, "unknown": {unknown}}


def test_audits_that_are_not_shown_go_unread(lsq, task):
    """A lead that shows no audits may have some: it is reset all the same where audits are asked for."""
    lead = str(lsq.add_lead())
    summary = task.run(1, prospect_ids=[lead], activity_event_list=[166], audit_activity_list=["StageChange"])
    assert (summary["queued"], summary["nothing_to_reset"]) == (1, 0)


def test_unanswered_and_gone(lsq, task, monkeypatch):
    """A lead whose reset was not answered and that has no records left is told as already gone."""
    (lead,) = make_leads(lsq, 1)
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    lsq.fault("truncated", times=1, path="LeadManagement.svc/Lead.Reset")
    task.arguments["max_failed_leads"] = 1
    task.run(1, prospect_ids=[lead])
    lsq.wait_until_idle()
    assert task.summary["unanswered"] == 1
    summary = task.run(2, prospect_ids=[lead])
    assert summary["nothing_to_reset_by"]["already_gone"] == 1


def test_copies_lie_apart_and_are_named(lsq, task):
    """Copies lie below a root of their own, and the journal and the summary have their digests."""
    leads = make_leads(lsq, 3)
    task.run(1, prospect_ids=leads)
    parts = task.files("archive/d/r/t/unmapped/try-1/*-archive-*.jsonl.gz")
    assert parts
    rows = [row for part in parts for row in objects_in(part.parent, part.name)]
    assert {row["prospect_id"] for row in rows} == set(leads)
    archived = {line["file"]["name"]: line["file"]["sha256"] for line in task.lines("archived")}
    from hashlib import sha256

    assert archived == {part.name: sha256(part.read_bytes()).hexdigest() for part in parts}
    (kept,) = task.files("*-summary.json")
    assert {file["name"] for file in json.loads(kept.read_text())["archive_files"]} == set(archived)
    assert not task.files("report/**/*archive*")


def test_limit_of_records_holds_with_a_plan(lsq, task):
    """More records than `max_records` are refused where a plan shows them, before anything is reset."""
    leads = make_leads(lsq, 2)
    lsq.add_activity(leads[0], 166, IN_WINDOW)
    plan = task.plan(leads)
    del task.arguments["activity_event_list"], task.arguments["window"]
    with pytest.raises(
        LeadResetInputError, match=r"3 records would go \(3 activities\), more than max_records=2"
    ):
        task.run(1, plan=plan, max_records=2)
    assert lsq.resets == []
    summary = task.run(2, plan=plan, max_records=3)
    assert summary["queued"] == 2
    (shown,) = task.files("try-2/*-shown.md")
    assert shown.read_text() == plan["markdown"]
    request = json.loads(task.files("try-2/*-request.json")[0].read_text())
    assert request["shown"]["name"] == shown.name
    assert request["plan"]["digest"] == plan["digest"]
