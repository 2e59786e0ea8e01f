"""Reading what a reset would delete: activities, tasks and notes of a lead. Audits cannot be read.

What is read is filtered here, on CreatedOn: the calls that read take no dates (documented), and that a reset's
dates compare with CreatedOn is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.records.pages import (
    count_of,
    event_code,
    id_of,
    moment_of,
    paged,
    rows_of,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window

KINDS = ("activities", "tasks", "notes")
"""The kinds of records that can be read."""

ACTIVITY_PAGE = 1000
"""Activities asked for at once (seen in use; above it, LeadSquared was seen to refuse)."""

NOTE_PAGE = 200
"""Notes asked for at once (seen in use; the most is unknown)."""

LEAD_PAGE = 1000
"""Leads looked up at once (documented sample; up to 10,000 ids a call)."""

CUSTOM_EVENTS_FROM = 100
"""Event codes below are LeadSquared's own (seen), and system activities are never deleted (documented)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a reset would delete.

    :param kind: one of :data:`KINDS`.
    :param id: LeadSquared's id of it.
    :param created_on: aware datetime, UTC.
    :param type: event code of an activity, as text; GUID of a task's type; empty for notes and where it is unknown.
    :param data: the record as the API gave it.
    """

    kind: str
    id: str
    created_on: datetime
    type: str
    data: dict[str, Any]


def read_activities(client: LeadSquaredClient, lead: str, codes: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Return a lead's activities of some events, in pages (``ProspectActivity.svc/Retrieve``, documented).

    One code is asked for by itself; for several, all activities are read, which takes fewer calls. Paging by
    ``PageIndex`` is seen in use; without paging only 25 come (documented). Rows given twice count once.
    """
    wanted = set(codes)
    parameter = {"ActivityEvent": next(iter(wanted))} if len(wanted) == 1 else {}

    def page(number: int) -> tuple[list[dict[str, Any]], int | None]:
        answer = client.call(
            "POST",
            "ProspectActivity.svc/Retrieve",
            params={"leadId": lead},
            body={"Parameter": parameter, "Paging": {"PageIndex": number, "PageSize": ACTIVITY_PAGE}},
        )
        return rows_of(answer, "ProspectActivities"), count_of(answer)

    for row in paged(page, ACTIVITY_PAGE, "Id"):
        if event_code(row) in wanted:
            yield row


def read_tasks(client: LeadSquaredClient, lead: str) -> list[dict[str, Any]]:
    """Return a lead's tasks, of any type (``LeadManagement.svc/RetrieveTaskByLeadId``, documented; no paging)."""
    answer = client.call("GET", "LeadManagement.svc/RetrieveTaskByLeadId", params={"leadId": lead})
    rows, total = rows_of(answer, "TaskList"), count_of(answer)
    if total is not None and len(rows) < total:
        raise UnavailableError(f"{total} tasks were announced and only {len(rows)} given")
    for row in rows:
        id_of(row, "TaskID")
    return rows


def read_notes(client: LeadSquaredClient, lead: str) -> Iterator[dict[str, Any]]:
    """Return a lead's notes, in pages (``LeadManagement.svc/RetrieveNote``, documented).

    That the answer tells how many there are is not documented, nor how many a page holds at most: without a count a
    page of fewer than 25 is the last.
    """

    def page(number: int) -> tuple[list[dict[str, Any]], int | None]:
        answer = client.call(
            "POST",
            "LeadManagement.svc/RetrieveNote",
            body={
                "Parameter": {"RelatedId": lead},
                "Paging": {"PageIndex": number, "PageSize": NOTE_PAGE},
                "Sorting": {"ColumnName": "CreatedOn", "Direction": "1"},
            },
        )
        return rows_of(answer, "List", "Notes"), count_of(answer)

    return paged(page, NOTE_PAGE, "ProspectNoteId")


def read_records(
    client: LeadSquaredClient, lead: str, selectors: Selectors, window: Window, types: TaskTypes
) -> Iterator[Record]:
    """Return what a reset of one lead would delete, as far as it can be read.

    :raises LeadSquaredError: it could not be read whole.
    """
    if selectors.activity_event_list:
        custom = [code for code in selectors.activity_event_list if code >= CUSTOM_EVENTS_FROM]
        for row in read_activities(client, lead, custom) if custom else ():
            yield from _inside(window, "activities", row, "Id", str(event_code(row)))
    if selectors.task_type_list:
        for row in read_tasks(client, lead):
            for record in _inside(window, "tasks", row, "TaskID", ""):
                match, kind = types.matches(row)
                if match:
                    yield replace(record, type=kind)
    if selectors.should_delete_prospect_notes:
        for row in read_notes(client, lead):
            yield from _inside(window, "notes", row, "ProspectNoteId", "")


def known_leads(client: LeadSquaredClient, leads: list[str]) -> set[str]:
    """Return which of at most 1,000 leads the account has, in lower case (``Leads/Retrieve/ByIds``, documented)."""
    known: set[str] = set()
    page = 0
    while True:
        page += 1
        answer = client.call(
            "POST",
            "LeadManagement.svc/Leads/Retrieve/ByIds",
            body={
                "SearchParameters": {"LeadIds": leads},
                "Columns": {"Include_CSV": "ProspectID,CreatedOn"},
                "Paging": {"PageIndex": page, "PageSize": LEAD_PAGE},
            },
        )
        rows, total, before = rows_of(answer, "Leads"), count_of(answer), len(known)
        # Whether the key comes back as ProspectId or ProspectID is not documented.
        ids = [value for row in rows for key, value in row.items() if key.lower() == "prospectid"]
        if len(ids) != len(rows):
            raise UnavailableError("the answer names leads without their ids")
        known.update(str(value).lower() for value in ids)
        # A page may hold fewer than asked for: leads that come on the next must not pass for unknown.
        if len(known) == before or len(known) >= (len(leads) if total is None else total):
            return known


def _inside(window: Window, kind: str, row: dict[str, Any], key: str, type_: str) -> Iterator[Record]:
    created = moment_of(row.get("CreatedOn"))
    if created in window:
        yield Record(kind, id_of(row, key), created, type_, row)
