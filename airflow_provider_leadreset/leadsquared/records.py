"""Reading what a reset would delete: activities, tasks and notes of a lead. Audits cannot be read.

What is read is filtered here, on CreatedOn: the calls that read take no dates (documented), and that a reset's
dates compare with CreatedOn is inferred.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider_leadreset.leadsquared.catalog import task_types
from airflow_provider_leadreset.leadsquared.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.reset import Selectors
from airflow_provider_leadreset.leadsquared.window import EARLIEST, Window

KINDS = ("activities", "tasks", "notes")
"""The kinds of records that can be read."""

ACTIVITY_PAGE = 1000
"""Activities asked for at once (seen in use; above it, LeadSquared was seen to refuse)."""

NOTE_PAGE = 200
"""Notes asked for at once (seen in use; the most is unknown)."""

SMALLEST_PAGE = 25
"""Rows that a page holds at least when more follow, whatever was asked for (25 is the documented default)."""

TASK_PAGE = 1000
"""Tasks of an owner asked for at once."""

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


class TaskTypes:
    """Which type a task has. Shared by threads.

    The call that gives a lead's tasks does not tell their types (documented). So the tasks of an owner are asked
    for by type (``Task.svc/Retrieve``, documented), the types that matter first, until the task is found. Its
    dates are given as wide as they go, since what they compare with is not documented.

    :param wanted: GUIDs of the types that matter.
    :param names: all the account's types, GUID to name.
    """

    def __init__(self, client: LeadSquaredClient, wanted: Iterable[str], names: dict[str, str]) -> None:
        self._client = client
        self.names = names
        self.wanted = list(dict.fromkeys(kind.lower() for kind in wanted))
        self._order = list(dict.fromkeys([*self.wanted, *(kind.lower() for kind in names)]))
        self._found: dict[str, dict[int, str]] = {}
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def matches(self, task: dict[str, Any]) -> tuple[bool, str]:
        """Say whether a task may be of a wanted type, and which type it has, empty where none is found.

        A task whose type cannot be found out counts as matching: a preview must not show less than goes.
        """
        owner, mark = str(task.get("OwnerID") or "").lower(), hash(str(task.get("TaskID")).lower())
        if not owner:
            return True, ""
        with self._lock:
            found = self._found.setdefault(owner, {})
            for kind in self._order[self._asked.get(owner, 0) :]:
                if mark in found:
                    break
                for status in (0, 1):
                    for row in self._of_owner(owner, kind, status):
                        # Hashes, not ids: an owner can have very many tasks.
                        found[hash(str(row.get("TaskID")).lower())] = kind
                self._asked[owner] = self._asked.get(owner, 0) + 1
            kind = found.get(mark, "")
        return kind in self.wanted or not kind, kind

    def _of_owner(self, owner: str, kind: str, status: int) -> Iterator[dict[str, Any]]:
        def page(number: int) -> tuple[list[dict[str, Any]], int | None]:
            answer = self._client.call(
                "POST",
                "Task.svc/Retrieve",
                body={
                    "Parameter": {
                        "LookupName": "OwnerId",
                        "LookupValue": owner,
                        "FromDate": EARLIEST.strftime("%Y-%m-%d %H:%M:%S"),
                        "ToDate": "2099-12-31 23:59:59",
                        "StatusCode": status,
                        "TypeName": kind,
                    },
                    "Paging": {"Offset": (number - 1) * TASK_PAGE, "RowCount": TASK_PAGE},
                },
            )
            return _rows(answer, "List"), _count(answer)

        return _paged(page, TASK_PAGE, "TaskID")


def task_types_of(client: LeadSquaredClient, selectors: Selectors) -> TaskTypes:
    """Give the types that matter to ``selectors``. One call, if any does."""
    names = task_types(client) if selectors.task_type_list else {}
    return TaskTypes(client, selectors.task_type_list, names)


def read_activities(client: LeadSquaredClient, lead: str, codes: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Give a lead's activities of some events, in pages (``ProspectActivity.svc/Retrieve``, documented).

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
        return _rows(answer, "ProspectActivities"), _count(answer)

    for row in _paged(page, ACTIVITY_PAGE, "Id"):
        if _event_code(row) in wanted:
            yield row


def read_tasks(client: LeadSquaredClient, lead: str) -> list[dict[str, Any]]:
    """Give a lead's tasks, of any type (``LeadManagement.svc/RetrieveTaskByLeadId``, documented; no paging)."""
    answer = client.call("GET", "LeadManagement.svc/RetrieveTaskByLeadId", params={"leadId": lead})
    rows, total = _rows(answer, "TaskList"), _count(answer)
    if total is not None and len(rows) < total:
        raise UnavailableError(f"{total} tasks were announced and only {len(rows)} given")
    for row in rows:
        _id(row, "TaskID")
    return rows


def read_notes(client: LeadSquaredClient, lead: str) -> Iterator[dict[str, Any]]:
    """Give a lead's notes, in pages (``LeadManagement.svc/RetrieveNote``, documented).

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
        return _rows(answer, "List", "Notes"), _count(answer)

    return _paged(page, NOTE_PAGE, "ProspectNoteId")


def read_records(
    client: LeadSquaredClient, lead: str, selectors: Selectors, window: Window, types: TaskTypes
) -> Iterator[Record]:
    """Give what a reset of one lead would delete, as far as it can be read.

    :raises LeadSquaredError: it could not be read whole.
    """
    if selectors.activity_event_list:
        custom = [code for code in selectors.activity_event_list if code >= CUSTOM_EVENTS_FROM]
        for row in read_activities(client, lead, custom) if custom else ():
            yield from _inside(window, "activities", row, "Id", str(_event_code(row)))
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
    """Give those of at most 1,000 leads that the account has, in lower case (``Leads/Retrieve/ByIds``, documented)."""
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
        rows, total, before = _rows(answer, "Leads"), _count(answer), len(known)
        # Whether the key comes back as ProspectId or ProspectID is not documented.
        ids = [value for row in rows for key, value in row.items() if key.lower() == "prospectid"]
        if len(ids) != len(rows):
            raise UnavailableError("the answer names leads without their ids")
        known.update(str(value).lower() for value in ids)
        # A page may hold fewer than asked for: leads that come on the next must not pass for unknown.
        if len(known) == before or len(known) >= (len(leads) if total is None else total):
            return known


def _inside(window: Window, kind: str, row: dict[str, Any], key: str, type_: str) -> Iterator[Record]:
    created = _moment(row.get("CreatedOn"))
    if created in window:
        yield Record(kind, _id(row, key), created, type_, row)


def _paged(
    page: Callable[[int], tuple[list[dict[str, Any]], int | None]], size: int, key: str
) -> Iterator[dict[str, Any]]:
    """Read pages to the end: all that were announced, or a page that cannot be full.

    How pages are numbered differs between calls and is partly unknown, so a page may come twice: one without
    anything new is no end yet if more was announced, two are an error, since rows are missing. Nothing but rows that
    came before, where no count tells the end, is an error too: page numbers may have no effect.
    """
    seen: set[int] = set()
    number, empty = 0, 0
    while True:
        number += 1
        rows, total = page(number)
        new = 0
        for row in rows:
            # Hashes, not ids: a lead can have many thousands of records.
            mark = hash(_id(row, key))
            if mark not in seen:
                seen.add(mark)
                new += 1
                yield row
        if total is not None and total < len(seen):
            total = None  # whatever it counts, it is not these
        if total is None and (len(rows) < min(size, SMALLEST_PAGE)):
            return
        if total is None and not new:
            raise UnavailableError("a page was given twice, and it was not said how many records there are")
        if total is not None and len(seen) >= total:
            return
        empty = 0 if new else empty + 1
        if empty == 2:
            raise UnavailableError(f"{total} records were announced and only {len(seen)} given")


def _rows(answer: Any, *names: str) -> list[dict[str, Any]]:
    rows = (
        next((answer[name] for name in names if name in answer), None) if isinstance(answer, dict) else None
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnavailableError(f"the answer has no list {' or '.join(names)}")
    return rows


def _count(answer: Any) -> int | None:
    total = answer.get("RecordCount") if isinstance(answer, dict) else None
    if isinstance(total, str) and total.isdecimal():
        return int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _id(row: dict[str, Any], key: str) -> str:
    """Give a record's id in lower case. A record without one could be neither counted once nor proven gone."""
    if not row.get(key):
        raise UnavailableError(f"the answer has a record without its {key}")
    return str(row[key]).lower()


def _event_code(row: dict[str, Any]) -> int:
    try:
        return int(row["EventCode"])
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(f"an activity has the event code {str(row.get('EventCode'))[:20]!r}") from None


def _moment(value: object) -> datetime:
    """Read a time as LeadSquared gives it: UTC, ``YYYY-MM-DD HH:MM:SS``, with or without fractions (documented)."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UnavailableError(f"a record was created at {str(value)[:40]!r}, which is no date") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
