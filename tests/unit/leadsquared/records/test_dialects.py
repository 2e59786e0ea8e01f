"""Reading over a real socket, in every dialect of paging and of rows, and in all pairs of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, get_args, get_type_hints

import pytest

from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError
from airflow_provider_leadreset.leadsquared.records.lead_lists import list_members
from airflow_provider_leadreset.leadsquared.records.leads_by_id import known_leads
from airflow_provider_leadreset.leadsquared.records.records import read_lead
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window

INSIDE, OUTSIDE = "2026-09-15 10:00:00", "2026-10-15 10:00:00"
WINDOW = parse_window("2026-09-01/2026-10-01")
FOLLOW_UP = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
EVERYTHING = Selectors(
    activity_event_list=(201, 202),
    task_type_list=(FOLLOW_UP,),
    audit_activity_list=("StageChange", "OwnerChange"),
    should_delete_prospect_notes=True,
)
PAGING = ("paging", "offset_means", "page_cap", "beyond_the_end", "counts", "note_counts")
ROWS = ("task_id_key", "lead_id_key", "notes_key", "mirror_rows", "event_types_shown", "fractions")
RICH = {"activities": 49, "tasks": 30, "notes": 26, "audits": 12}
"""Records in the window of one lead: of each kind more than the smallest page, together more than two of them."""
POOR = {"activities": 2, "tasks": 1, "notes": 1, "audits": 2}


def values(name: str) -> tuple[Any, ...]:
    hint = get_type_hints(Dialect)[name]
    if hint is bool:
        return (False, True)
    return tuple(
        value
        for part in get_args(hint)
        for value in (get_args(part) if get_args(part) else (None if part is type(None) else part,))
    )


def pairs(one: str) -> Iterator[dict[str, Any]]:
    """Yield each value of a field, with each value of each field after it."""
    fields = (*PAGING, *ROWS)
    for other in fields[fields.index(one) + 1 :]:
        for first, second in product(values(one), values(other)):
            yield {one: first, other: second}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[LeadSquaredEmulator, dict[str, dict[str, int]], str]]:
    """An account whose leads have so many records, and a list of them."""
    with LeadSquaredEmulator(calls_per_5s=None) as lsq:
        lsq.add_task_type("Follow-up", FOLLOW_UP)
        leads = {}
        for counts in (RICH, POOR):
            lead = lsq.add_lead()
            leads[lead] = counts
            for number in range(counts["activities"]):
                lsq.add_activity(lead, 201 + number % 2, INSIDE)
            for _ in range(counts["tasks"]):
                lsq.add_task(lead, FOLLOW_UP, INSIDE, owner="meera@example.com")
            for number in range(counts["notes"]):
                lsq.add_note(lead, f"note {number}", INSIDE)
            for number in range(counts["audits"]):
                lsq.add_audit(lead, ("StageChange", "OwnerChange")[number % 2], INSIDE)
            lsq.add_activity(lead, 201, OUTSIDE)
            lsq.add_note(lead, "outside", OUTSIDE)
        others = [lsq.add_lead() for _ in range(60)]
        yield lsq, leads, lsq.add_list("all", [*leads, *others])


def client_of(lsq: LeadSquaredEmulator) -> LeadSquaredClient:
    limiter = RateLimiter(SlidingWindow(100_000))
    return LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, limiter=limiter)


def read(lsq: LeadSquaredEmulator, dialect: dict[str, Any], leads: Any, listed: str) -> list[str]:
    """Read all there is in a dialect; return what was not read whole, which must be an error."""
    lsq.dialect = Dialect(**dialect)
    client = client_of(lsq)
    refused = []
    try:
        for lead, counts in leads.items():
            try:
                types = task_types_of(client, EVERYTHING)
                records = read_lead(client, lead, EVERYTHING, WINDOW, types).records
            except LeadSquaredError as error:
                refused.append(str(error))
            else:
                found = {kind: sum(record.kind == kind for record in records) for kind in counts}
                assert found == counts, dialect
        ids = lsq.lead_ids()
        for call in (
            lambda: known_leads(client, [*ids, "11111111-0000-4000-8000-000000000000"]),
            lambda: set(list_members(client, listed)),
        ):
            try:
                assert call() == set(ids), dialect
            except LeadSquaredError as error:
                refused.append(str(error))
    finally:
        client.close()
        lsq.dialect = Dialect()
    return refused


@pytest.mark.exhaustive
@pytest.mark.parametrize("one", (*PAGING, *ROWS)[:-1])
def test_every_pair_of_dialects(world, one):
    """In each pair of dialects all records, leads and members are read whole."""
    lsq, leads, listed = world
    for dialect in pairs(one):
        refused = read(lsq, dialect, leads, listed)
        if dialect.get("beyond_the_end") == "error":
            # A full page, then a refusal, and no count of all: the end cannot be told.
            assert all("refused" in text or "again" in text for text in refused), dialect
        else:
            assert refused == [], dialect


@pytest.mark.exhaustive
@pytest.mark.parametrize("page_cap", values("page_cap"))
def test_every_way_of_paging(world, page_cap):
    """In each combination of paging dialects what is read is whole, and what is not is an error."""
    lsq, leads, listed = world
    names = [name for name in PAGING if name not in ("page_cap", "note_counts")]
    for combination in product(*map(values, names)):
        dialect = {**dict(zip(names, combination, strict=True)), "page_cap": page_cap}
        refused = read(lsq, dialect, leads, listed)
        assert refused == [] or dialect["beyond_the_end"] == "error", (dialect, refused)


def test_an_account_without_audits(world):
    """Where audits are not shown, none is counted, and nothing says that there are none."""
    lsq, leads, _ = world
    lsq.dialect = Dialect(audits_shown=False)
    client = client_of(lsq)
    try:
        lead = next(iter(leads))
        found = read_lead(client, lead, EVERYTHING, WINDOW, task_types_of(client, EVERYTHING))
    finally:
        client.close()
        lsq.dialect = Dialect()
    assert not [record for record in found.records if record.kind == "audits"]
    assert not found.shows_audits


@pytest.mark.parametrize("counts", values("counts"))
def test_tasks_given_in_part(world, counts):
    """Where a lead's tasks are cut off and cannot be paged, another source tells: their owners' lists."""
    lsq, leads, _ = world
    lsq.dialect = Dialect(task_cap=25, counts=counts)
    client = client_of(lsq)
    rich, poor = leads
    try:
        with pytest.raises(
            LeadSquaredError, match=rf"lead {rich}: tasks: .*(announced|again|more are known)"
        ):
            read_lead(client, rich, EVERYTHING, WINDOW, task_types_of(client, EVERYTHING))
        found = read_lead(client, poor, EVERYTHING, WINDOW, task_types_of(client, EVERYTHING))
    finally:
        client.close()
        lsq.dialect = Dialect()
    assert sum(record.kind == "tasks" for record in found.records) == POOR["tasks"]
