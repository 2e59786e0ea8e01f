"""What can be said of records after a reset: that LeadSquared no longer gives them, and never more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import AccessError, UnknownLeadsError
from airflow_provider_leadreset.leadsquared.records.deciding_dates import INFERRED
from airflow_provider_leadreset.leadsquared.records.records import UNKNOWN_TYPE
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.verification import (
    MOST_ASKED_OF_A_LEAD,
    LeadToVerify,
    Remaining,
    Verification,
    planned_remaining,
    verify,
    window_remaining,
)

INSIDE = "2026-09-15 10:00:00"
WINDOW = parse_window("2026-09-01/2026-10-01")
UNKNOWN = "11111111-0000-4000-8000-000000000000"
NOTHING: dict[str, list[str]] = {"activities": [], "tasks": [], "notes": [], "audits": [], UNKNOWN_TYPE: []}


@pytest.fixture
def lsq() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        yield emulator


@pytest.fixture
def client(lsq: LeadSquaredEmulator) -> Iterator[LeadSquaredClient]:
    limiter = RateLimiter(SlidingWindow(1000))
    client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, limiter=limiter)
    yield client
    client.close()


def verified(client: LeadSquaredClient, *leads: LeadToVerify, accepts: bool = False) -> Verification:
    verification = Verification()
    with WorkerPool(client) as pool:
        verify(pool, leads, verification, partial(planned_remaining, client), accepts_unknown_leads=accepts)
    return verification


def test_planned_records(lsq, client):
    """A lead is done when none of its planned records is given any more, whatever else it has."""
    lead, other = lsq.add_lead(), lsq.add_lead()
    activity, note = lsq.add_activity(lead, 201, INSIDE), lsq.add_note(other, "x", INSIDE)
    lsq.add_activity(lead, 202, INSIDE)
    lsq.add_note(other, "not planned", INSIDE)
    found = verified(
        client,
        (0, lead, {**NOTHING, "activities": [f"201/{activity}", "201/gone"]}),
        (1, other, {**NOTHING, "notes": ["gone"]}),
    )
    assert (len(found.done), found.not_done, found.records_left) == (1, 1, 1)
    assert found.left == {lead: {**NOTHING, "activities": [f"201/{activity}"]}}
    assert "1 record is left" in found.describe_remaining()
    assert note


def test_same_id_other_code(lsq, client, monkeypatch):
    """A record is told by its code and its id: the mirror of another does not stand for it."""
    lead = lsq.add_lead()
    rows = [{"Id": "a", "EventCode": code, "CreatedOn": INSIDE} for code in (3011, 202)]
    monkeypatch.setattr(client, "call", lambda *_, **__: {"ProspectActivities": rows})
    planned = {**NOTHING, "activities": ["201/a", "202/a"]}
    assert planned_remaining(client, lead, planned).ids["activities"] == ["202/a"]


def test_activity_that_a_list_leaves_out(lsq, client):
    """An activity that no list of its lead gives, and that is given by its id, is left."""
    lead, other = lsq.add_lead(), lsq.add_lead()
    hidden = lsq.add_activity(other, 201, INSIDE)
    planned = {**NOTHING, "activities": [f"201/{UNKNOWN}", f"201/{hidden}"]}
    found = verified(client, (0, lead, planned))
    assert (len(found.done), found.left) == (0, {lead: {**NOTHING, "activities": [f"201/{hidden}"]}})


def test_mirror_row_given_by_its_id(lsq, client, monkeypatch):
    """An id that is given, and stands in the list under another code, is the mirror row's: the activity is gone."""
    lead = lsq.add_lead()
    mirror = lsq.add_activity(lead, 202, INSIDE)
    found = verified(client, (0, lead, {**NOTHING, "activities": [f"201/{mirror}"]}))
    assert len(found.done) == 1


def test_few_are_asked_for_singly(lsq, client):
    """A lead's activities are asked for one by one only once its lists give nothing, and a few of them only."""
    lead = lsq.add_lead()
    note = lsq.add_note(lead, "x", INSIDE)
    planned = {**NOTHING, "activities": [f"201/{number:08x}{UNKNOWN[8:]}" for number in range(9)]}
    assert planned_remaining(client, lead, {**planned, "notes": [note]}).count == 1
    assert not [call for call in lsq.calls if call.path.endswith("GetActivityDetails")]
    assert planned_remaining(client, lead, planned).count == 0
    asked = [call for call in lsq.calls if call.path.endswith("GetActivityDetails")]
    assert len(asked) == MOST_ASKED_OF_A_LEAD


def test_audits_by_their_activities(client, monkeypatch):
    """Audits are verified by the activities that show them."""
    rows = [{"Id": "a", "EventCode": 3002, "CreatedOn": INSIDE}]
    monkeypatch.setattr(client, "call", lambda *_, **__: {"ProspectActivities": rows})
    planned = {**NOTHING, "audits": ["StageChange/a", "OwnerChange/b"]}
    remaining = planned_remaining(client, "x", planned)
    assert remaining.ids["audits"] == ["StageChange/a"]
    assert (remaining.count, remaining.shows_audits) == (1, True)


def test_tasks_of_unknown_type():
    """A task that nothing tells the type of is no proof against the reset: it may have had to stay."""
    verification = Verification()
    verification.add(0, "x", Remaining({**NOTHING, UNKNOWN_TYPE: ["t1", "t2"]}))
    assert (len(verification.done), verification.tasks_of_unknown_type) == (1, 2)
    verification.add(1, "y", Remaining({**NOTHING, UNKNOWN_TYPE: ["t1"], "tasks": ["t3"]}))
    assert (len(verification.done), verification.records_left) == (1, 1)


@pytest.mark.parametrize("planned", [None, {**NOTHING, "notes": ["n"]}])
def test_unknown_lead_is_not_gone(lsq, client, planned):
    """An unknown lead shows nothing, which proves nothing: it is named, at once."""
    lead = lsq.add_lead()
    with pytest.raises(
        UnknownLeadsError, match=f"1 of 2 leads cannot be verified, .*: {UNKNOWN}. Deleted, or merged"
    ):
        verified(client, (0, lead, NOTHING), (1, UNKNOWN, planned))


def test_no_lead_known(client):
    """Where no lead is known, the connection may lead to another account."""
    with pytest.raises(UnknownLeadsError, match="the connection leads to another account"):
        verified(client, (0, UNKNOWN, NOTHING))


def test_accepted_unknown_leads(lsq, client):
    """Unknown leads count as done where that is accepted, and are named."""
    found = verified(client, (0, lsq.add_lead(), NOTHING), (1, UNKNOWN, None), accepts=True)
    assert (len(found.done), found.unknown) == (2, [UNKNOWN])


def test_activities_of_an_unknown_lead(lsq, client):
    """Of an unknown lead's planned activities it is said how many can still be read one by one."""
    there = lsq.add_activity(lsq.add_lead(), 201, INSIDE)
    planned = {**NOTHING, "activities": [f"201/{there}", f"201/{UNKNOWN}"]}
    with pytest.raises(
        UnknownLeadsError,
        match="looked up by their ids 1 can still be read, 1 cannot, and 0 tell",
    ):
        verified(client, (0, UNKNOWN, planned))


def test_outage_leaves_a_lead_for_later(lsq, client, monkeypatch):
    """A lead that cannot be read is neither done nor left, and the reason names it."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    lead, other = lsq.add_lead(), lsq.add_lead()
    lsq.fault("500", times=None, prospect_id=lead, path="RetrieveNote")
    planned = {**NOTHING, "notes": ["n"]}
    found = verified(client, (0, lead, planned), (1, other, planned))
    assert (len(found.done), found.unread) == (1, 1)
    assert lead in found.why_unread


def test_fatal_error_hides_no_other_lead(lsq, client, monkeypatch):
    """An error that ends a poke is raised, and what else was under way is noted all the same."""
    leads = [(index, lsq.add_lead(), NOTHING) for index in range(3)]
    together, verification = threading.Barrier(3), Verification()

    def read(lead: str, _: Any) -> Remaining:
        together.wait(5)
        if lead == leads[1][1]:
            raise AccessError("wrong keys")
        time.sleep(0.2)
        return Remaining(NOTHING)

    with pytest.raises(AccessError), WorkerPool(client) as pool:
        verify(pool, leads, verification, read)
    assert verification.done.spans() == [[0, 1], [2, 3]]


def test_window_without_a_plan(lsq, client):
    """Without a plan, what is left in the window counts."""
    lead = lsq.add_lead()
    lsq.add_note(lead, "inside", INSIDE)
    lsq.add_note(lead, "outside", "2026-10-15 10:00:00")
    selectors = Selectors(should_delete_prospect_notes=True)
    read: Any = partial(
        window_remaining, client, selectors, WINDOW, task_types_of(client, selectors), INFERRED
    )
    assert read(lead, None).count == 1
