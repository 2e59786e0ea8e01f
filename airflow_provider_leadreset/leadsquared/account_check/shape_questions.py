"""What this account calls ids and lists, whether it has notes, fractions and mirror rows: read off its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import (
    CheckedQuestion,
    Finding,
    not_told,
)
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import MIRROR_CODE, CheckedActivity
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError
from airflow_provider_leadreset.leadsquared.records.records import ACTIVITY_ID, TASK_ID
from airflow_provider_leadreset.leadsquared.records.rows import LEAD_ID, event_code, id_of, rows_of
from airflow_provider_leadreset.leadsquared.request.window import EARLIEST
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.trials import Specimen, TrialRunner
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

ENOUGH = 8
"""Moments that must all read as whole seconds before it is said that they do."""


def _read_off(name: str, question: str, call: str, found: Finding | None, saw: str = "") -> CheckedQuestion:
    said = saw or (str(found) if found is not None else "nothing of the kind")
    return CheckedQuestion(
        name, question, f"read an answer of {call}", said, "a record of one's own is in it", found
    )


def lead_id_name(client: LeadSquaredClient, lead_id: str) -> CheckedQuestion:
    """Return what ``Leads/Retrieve/ByIds`` calls a lead's id."""
    call = "LeadManagement.svc/Leads/Retrieve/ByIds"
    body = {
        "SearchParameters": {"LeadIds": [lead_id]},
        "Columns": {"Include_CSV": "ProspectID,CreatedOn"},
        "Paging": {"PageIndex": 1, "PageSize": 25},
    }
    rows = rows_of(client.call("POST", call, body=body), "Leads")
    found = _name_in(rows, lead_id, LEAD_ID)
    return _read_off("lead_id_name", f"What does {call} call a lead's id?", call, found)


def task_id_names(
    client: LeadSquaredClient, specimen: Specimen | None, owner_id: str, type_id: str
) -> list[CheckedQuestion]:
    """Return what the two calls for tasks call a task's id.

    :param specimen: a task of one's own that was read; None if there is none.
    """
    calls = {
        "task_id_name": "LeadManagement.svc/RetrieveTaskByLeadId",
        "owners_task_id_name": "Task.svc/Retrieve",
    }
    texts = {name: f"What does {call} call a task's id?" for name, call in calls.items()}
    if specimen is None or specimen.seen is None:
        return [not_told(name, text, "no task was made: name a task type") for name, text in texts.items()]
    parameter = {
        "LookupName": "OwnerId",
        "LookupValue": owner_id,
        "FromDate": EARLIEST.strftime("%Y-%m-%d %H:%M:%S"),
        "ToDate": "2099-12-31 23:59:59",
        "StatusCode": 0,
        "TypeName": type_id,
    }
    paging = {"Offset": "0", "RowCount": "200", "PageIndex": 1, "PageSize": 200}
    body = {"Parameter": parameter, "Paging": paging}
    by_owner = rows_of(client.call("POST", calls["owners_task_id_name"], body=body), "List")
    found = {
        "task_id_name": _name_in([specimen.seen.row], specimen.id, TASK_ID),
        "owners_task_id_name": _name_in(by_owner, specimen.id, TASK_ID),
    }
    return [_read_off(name, text, calls[name], found[name]) for name, text in texts.items()]


def notes_there(client: LeadSquaredClient, lead_id: str) -> tuple[bool, list[CheckedQuestion]]:
    """Return whether the account has calls for notes, and what they call their rows."""
    call = "LeadManagement.svc/RetrieveNote"
    texts = "Does the account have calls for notes?", f"Under which name does {call} give its rows?"
    body = {"Parameter": {"RelatedId": lead_id}, "Paging": {"PageIndex": 1, "PageSize": 25}}
    try:
        answer = client.call("POST", call, body=body)
    except LeadRejectedError as error:
        missing = error.status == 404
        said = error.reason[:200]
        control = "the other calls were answered"
        first = CheckedQuestion(
            "notes_api", texts[0], f"called {call}", said, control, False if missing else None
        )
        return False, [first, not_told("notes_name", texts[1], "notes cannot be read")]
    keys = [name for name in ("List", "Notes") if isinstance(answer, dict) and name in answer]
    name = keys[0] if len(keys) == 1 else None
    return True, [
        _read_off("notes_api", texts[0], call, True, "it was answered"),
        _read_off("notes_name", texts[1], call, name),
    ]


def fractions_read(runner: TrialRunner) -> CheckedQuestion:
    """Return whether the times of records read with fractions of a second."""
    moments = [one.seen.dates["CreatedOn"] for one in runner.specimens if one.seen]
    some = any(moment.microsecond for moment in moments)
    found = True if some else False if len(moments) >= ENOUGH else None
    return CheckedQuestion(
        "fractions_read",
        "Do the times of records read with fractions of a second?",
        f"read the CreatedOn of {pluralize(len(moments), 'record')}",
        "some have one" if some else "none has one",
        "records of one's own, made at odd moments",
        found,
    )


def mirror_rows(kind: CheckedActivity | None, runner: TrialRunner) -> list[CheckedQuestion]:
    """Return whether activities are repeated as rows of code 3011, and whether those stay. Asked after all resets."""
    texts = {
        "mirror_rows": f"Is each activity repeated by a row of code {MIRROR_CODE} with the same Id?",
        "mirror_rows_kept": "Does that row stay when the activity is deleted?",
    }
    own = [one for one in runner.specimens if one.kind is kind and one.seen]
    if kind is None or not own:
        return [
            not_told(name, text, "no activity was made: name an event code") for name, text in texts.items()
        ]
    rows = {id_of(row, *ACTIVITY_ID) for row in kind.others if event_code(row) == MIRROR_CODE}
    gone = {one.id for one in own if one.is_gone}
    shown = kind.mirrored or bool(rows)
    kept = bool(rows & gone) if shown and gone else None
    said = {
        "mirror_rows": "rows with the Ids of activities"
        if shown
        else f"none beside {pluralize(len(own), 'activity', 'activities')}",
        "mirror_rows_kept": (
            f"of {pluralize(len(gone), 'deleted activity', 'deleted activities')}, {len(rows & gone)} still with one"
        ),
    }
    found = {"mirror_rows": shown, "mirror_rows_kept": kept}
    return [
        CheckedQuestion(
            name,
            text,
            f"read the rows of {pluralize(len(own), 'activity', 'activities')}",
            said[name],
            "the activities were read beside",
            found[name],
        )
        for name, text in texts.items()
    ]


def _name_in(rows: list[dict[str, object]], wanted: str, names: tuple[str, ...]) -> str | None:
    for row in rows:
        for name in names:
            if str(row.get(name) or "").strip("{} ").lower() == wanted:
                return name
    return None
