"""Reading what a reset would delete: activities, tasks, notes and audits of a lead.

What is read is filtered here: the calls that read take no dates (documented). It is filtered by CreatedOn, which a
reset's dates are inferred to compare with, or by the date that the account check found to decide.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError, UnreadableError
from airflow_provider_leadreset.leadsquared.records.deciding_dates import CREATED_ON, INFERRED, DecidingDates
from airflow_provider_leadreset.leadsquared.records.pages import SMALLEST_PAGE, PagedRead, Paging
from airflow_provider_leadreset.leadsquared.records.rows import (
    LEAD_ID,
    count_of,
    event_code,
    field_of,
    id_of,
    moment_of,
    reading,
    refuse_other_lead,
    rows_of,
)
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window

KINDS = ("activities", "tasks", "notes", "audits")
"""The kinds of records that a reset can delete."""

UNKNOWN_TYPE = "tasks_of_unknown_type"
"""Beside the kinds: tasks that may be of a type asked for, since no read tells their type."""

PLAN_KINDS = (*KINDS, UNKNOWN_TYPE)
"""Under what a plan lists records."""

AUDIT_CODES = {"StageChange": 3002, "OwnerChange": 3001}
"""As which activities audits can be read (seen on three accounts; whether every account shows them is unknown)."""

ACTIVITY_PAGE = 1000
"""Activities asked for at once (seen in use; above it, LeadSquared was seen to refuse)."""

NOTE_PAGE = 200
"""Notes asked for at once (seen in use; the most is unknown)."""

TASK_PAGE = 1000
"""Tasks asked for at once, where a page is asked for."""

ACTIVITY_ID = ("Id", "ProspectActivityId")
TASK_ID = ("TaskID", "UserTaskId")
"""Documented both: the first of a lead's tasks, the second of an owner's."""
NOTE_ID = ("ProspectNoteId",)

_AUDITS_OF_CODES = {code: audit for audit, code in AUDIT_CODES.items()}


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a reset would delete.

    :param kind: one of :data:`KINDS`.
    :param id: LeadSquared's id of it, in lower case.
    :param created_on: aware datetime, UTC.
    :param type: event code of an activity, as text; GUID of a task's type; ``StageChange`` or ``OwnerChange``; empty
        for notes, and for a task whose type could not be found out.
    :param data: the record as the API gave it.
    :param dated: the date by which it is in the window, aware, UTC; None where that is its creation.
    """

    kind: str
    id: str
    created_on: datetime
    type: str
    data: dict[str, object]
    dated: datetime | None = None

    @property
    def moment(self) -> datetime:
        """The date by which it is in the window, aware, UTC."""
        return self.dated or self.created_on

    @property
    def key(self) -> str:
        """What tells it from every other of its kind: an activity's id alone does not (seen: mirror rows)."""
        return f"{self.type}/{self.id}" if self.kind in ("activities", "audits") else self.id

    @property
    def plan_kind(self) -> str:
        """Under what a plan lists it: its kind, or that its type is unknown."""
        return UNKNOWN_TYPE if self.kind == "tasks" and not self.type else self.kind


@dataclass(slots=True)
class LeadRecords:
    """What a reset of one lead would delete.

    :param records: all that could be read in the window.
    :param shows_audits: whether the lead shows any audit of any time. One that shows none proves nothing: the
        account may not show them.
    """

    records: list[Record] = field(default_factory=list)
    shows_audits: bool = False


def read_activities(
    client: LeadSquaredClient, lead: str, codes: Iterable[int] | None
) -> list[dict[str, object]]:
    """Return a lead's activities of some events, None for all (``ProspectActivity.svc/Retrieve``, documented).

    One code is asked for by itself; for several, all activities are read, which takes fewer calls. A row is told by
    its Id and its code: an activity's mirror of code 3011 was seen with the same Id.

    Of one code fewer may be given than are announced, for good, where an account counts the lead's activities of every
    code (inferred). Then all are read: of those the count must be met, so that none goes unseen.

    :raises LeadSquaredError: they cannot be read whole.
    """
    wanted = set(codes or ())
    code = next(iter(wanted)) if len(wanted) == 1 else None
    read = _activities_read(client, lead, code)
    try:
        rows = read.rows()
    except UnreadableError:
        if code is None or not read.fell_short:
            raise
        rows = _activities_read(client, lead, None).rows()
    rows = [row for row in rows if codes is None or event_code(row) in wanted]
    for row in rows:
        refuse_other_lead(row, lead)
    return rows


def _activities_read(client: LeadSquaredClient, lead: str, code: int | None) -> PagedRead:
    parameter = {} if code is None else {"ActivityEvent": code}

    def fetch(paging: Paging) -> object:
        return client.call(
            "POST",
            "ProspectActivity.svc/Retrieve",
            params={"leadId": lead},
            body={"Parameter": parameter, "Paging": paging},
        )

    def key(row: dict[str, object]) -> Hashable:
        return id_of(row, *ACTIVITY_ID), event_code(row)

    return PagedRead(
        client,
        "ProspectActivity.svc/Retrieve",
        fetch,
        names=("ProspectActivities",),
        key=key,
        size=ACTIVITY_PAGE,
    )


def read_tasks(client: LeadSquaredClient, lead: str) -> tuple[list[dict[str, object]], bool]:
    """Return a lead's tasks, of any type (``LeadManagement.svc/RetrieveTaskByLeadId``, documented; no paging).

    One client of others says that there is no cap; where there are 25 or more, the next page is asked for all the
    same, until it was found once that the account has no pages here.

    :returns: the tasks, and whether their end was seen: not where there are 25 or more and paging has no effect. Then
        another source must tell whether they are all.
    :raises LeadSquaredError: they cannot be read whole.
    """

    def fetch(paging: Paging) -> object:
        # As documented at first; only what follows on a page that may be full is asked for.
        first = {"Offset", "PageIndex"} <= paging.keys()
        more = {} if first else {name: str(value) for name, value in paging.items()}
        answer = client.call("GET", path, params={"leadId": lead, **more})
        given.append(answer)
        return answer

    path = "LeadManagement.svc/RetrieveTaskByLeadId"
    given: list[object] = []
    read = PagedRead(
        client,
        path,
        fetch,
        names=("TaskList",),
        key=lambda row: id_of(row, *TASK_ID),
        size=TASK_PAGE,
    )

    def own(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        for row in rows:
            refuse_other_lead(row, lead, *LEAD_ID, "LeadID")
        return rows

    try:
        rows = read.rows()
    except UnreadableError:
        once = {id_of(row, *TASK_ID): row for row in rows_of(given[0], "TaskList")}
        if len(once) < SMALLEST_PAGE or count_of(given[0]) not in (None, len(once)):
            raise
        if read.has_no_effect:
            # Seven calls fewer for each such lead; what it says stays that another source must tell.
            client.paging_styles[path] = None
        return own(list(once.values())), False
    return own(rows), True


def read_notes(client: LeadSquaredClient, lead: str) -> list[dict[str, object]]:
    """Return a lead's notes (``LeadManagement.svc/RetrieveNote``, documented).

    :raises LeadSquaredError: they cannot be read whole; an account may have no such call (seen).
    """

    def fetch(paging: Paging) -> object:
        return client.call(
            "POST",
            "LeadManagement.svc/RetrieveNote",
            body={
                "Parameter": {"RelatedId": lead},
                "Paging": paging,
                "Sorting": {"ColumnName": "CreatedOn", "Direction": "1"},
            },
        )

    read = PagedRead(
        client,
        "LeadManagement.svc/RetrieveNote",
        fetch,
        names=("List", "Notes"),
        key=lambda row: id_of(row, *NOTE_ID),
        size=NOTE_PAGE,
    )
    rows = read.rows()
    for row in rows:
        refuse_other_lead(row, lead)
    return rows


def read_lead(
    client: LeadSquaredClient,
    lead: str,
    selectors: Selectors,
    window: Window,
    types: TaskTypes,
    dates: DecidingDates = INFERRED,
) -> LeadRecords:
    """Return what a reset of one lead would delete, as far as it can be read.

    Activities and audits are read by one call; tasks and notes by one each.

    :param dates: which date of a record must lie in the window.
    :raises LeadSquaredError: it could not be read whole; the error names the lead and the kind.
    """
    found = LeadRecords()
    audits = {AUDIT_CODES[audit] for audit in selectors.audit_activity_list}
    codes = {*selectors.activity_event_list, *audits}
    if codes:
        with reading("audits" if codes == audits else "activities", lead):
            for row in read_activities(client, lead, codes):
                code = event_code(row)
                found.shows_audits |= code in audits
                if code in audits:
                    found.records += _inside(
                        window, dates, "audits", row, ACTIVITY_ID, _AUDITS_OF_CODES[code]
                    )
                else:
                    found.records += _inside(window, dates, "activities", row, ACTIVITY_ID, str(code))
    if selectors.task_type_list:
        with reading("tasks", lead):
            rows, are_all = read_tasks(client, lead)
            if not are_all:
                types.refuse_missing(lead, rows)
            for row in rows:
                in_window = list(_inside(window, dates, "tasks", row, TASK_ID, ""))
                for record in in_window:
                    match, kind = types.matches(row)
                    if match:
                        found.records.append(replace(record, type=kind, data=types.complete(row)))
    if selectors.should_delete_prospect_notes:
        with reading("notes", lead):
            for row in read_notes(client, lead):
                found.records += _inside(window, dates, "notes", row, NOTE_ID, "")
    return found


def activity_exists(client: LeadSquaredClient, activity_id: str) -> bool | None:
    """Return whether one activity can still be read; None where it cannot be told.

    ``ProspectActivity.svc/GetActivityDetails`` (documented). A deleted one was seen to be answered with
    MXUnknownProspectActivityException; any other refusal, and an answer about something else, say nothing.

    :raises LeadSquaredError: one that every further call would meet.
    """
    try:
        answer = client.call(
            "GET", "ProspectActivity.svc/GetActivityDetails", params={"activityId": activity_id}
        )
    except (LeadRejectedError, UnavailableError) as error:
        return False if error.exception_type == "MXUnknownProspectActivityException" else None
    found = field_of(answer, "ID", *ACTIVITY_ID) if isinstance(answer, dict) else None
    return True if isinstance(found, str) and found.lower() == activity_id.lower() else None


def _inside(
    window: Window,
    dates: DecidingDates,
    kind: str,
    row: dict[str, object],
    id_names: tuple[str, ...],
    type_: str,
) -> Iterator[Record]:
    created, name = moment_of(field_of(row, "CreatedOn")), dates.of(kind)
    if name == CREATED_ON:
        dated = None
    elif (value := field_of(row, name)) is not None:
        dated = moment_of(value)
    else:
        raise LeadRejectedError(
            f"a record is given without {quoted(name, 40)}, which the account check of {dates.checked_on} found to "
            "decide, so what a reset would delete of this kind cannot be told: this account shows too little to count, "
            "copy or verify it"
        )
    if (dated or created) in window:
        yield Record(kind, id_of(row, *id_names), created, type_, row, dated)
