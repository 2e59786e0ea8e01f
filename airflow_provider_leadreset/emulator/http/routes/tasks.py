"""The calls that read tasks and notes."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, ApiError
from airflow_provider_leadreset.emulator.http.request_body import (
    date_range,
    integer,
    json_body,
    mandatory,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.http.row_paging import page, record_count
from airflow_provider_leadreset.emulator.store.entities import Note, Task

_DONE = "Completed"
_TO_DO = 1


def task_routes(account: Account) -> APIRouter:
    """Return the routes, reading from ``account``."""
    router = APIRouter()

    def id_key(documented: str) -> str:
        key = account.dialect.task_id_key
        return documented if key == "documented" else key

    def lead_row(task: Task) -> dict[str, object]:
        owner = account.directory.user_name(task.owner_id)
        # Documented as a fixed set of columns: the type of the task is not among them.
        return {
            id_key("TaskID"): task.id,
            "Name": task.name,
            "Description": task.description,
            "DueDate": account.shown_time(task.due_date),
            "CreatedOn": account.shown_time(task.created_on),
            "OwnerID": task.owner_id,
            "OwnerName": owner,
            "CreatedBy": task.owner_id,
            "CreatedByName": owner,
            "Status": task.status,
            "Reminder": "15",
        }

    def owner_row(task: Task) -> dict[str, object]:
        owner = account.directory.user_name(task.owner_id)
        # The columns of two sibling calls' samples, and the lead's id, which this call's sample leaves out.
        return {
            id_key("UserTaskId"): task.id,
            "ProspectID": task.lead_id,
            "Name": task.name,
            "Category": _TO_DO,
            "Description": task.description,
            "RelatedEntity": 1,
            "DueDate": account.shown_time(task.due_date, millis=True),
            "Reminder": 15,
            "ReminderBeforeDays": 0,
            "NotifyBy": "1000",
            "StatusCode": _status_code(task),
            "OwnerId": task.owner_id,
            "OwnerName": owner,
            "CreatedBy": task.owner_id,
            "CreatedByName": owner,
            "CreatedOn": account.shown_time(task.created_on, millis=True),
            "ModifiedBy": task.owner_id,
        }

    @router.get("/LeadManagement.svc/RetrieveTaskByLeadId")
    async def of_lead(request: Request) -> Response:
        lead = account.find_lead(mandatory(request.query_params, "leadId"))
        rows = [lead_row(task) for task in lead.tasks] if lead else []
        shown = rows[: account.dialect.task_cap]
        return reply({**record_count(account.dialect, len(rows), len(shown)), "TaskList": shown})

    @router.post("/Task.svc/Retrieve")
    async def by_owner(request: Request) -> Response:
        body = await json_body(request)
        parameter = section(body, "Parameter")
        name, owner = mandatory(parameter, "LookupName"), mandatory(parameter, "LookupValue").lower()
        if name == "OwnerEmailAddress":
            owner = next((u.id for u in account.directory.users.values() if u.email.lower() == owner), "")
        elif name != "OwnerId":
            raise ApiError(500, INVALID_INPUT, f"Invalid LookupName: {name}")
        type_id = str(parameter.get("TypeName") or "").lower()
        wanted = integer(parameter, "StatusCode", -1)
        start, end = date_range(parameter)
        found = [
            task
            for lead in account.leads()
            for task in lead.tasks
            if task.owner_id == owner
            and type_id in ("", task.type_id)
            and wanted in (-1, _status_code(task))
            # That these dates mean the due date is a guess.
            and start <= task.due_date <= end
        ]
        hidden = {c.strip() for c in str(section(body, "Columns").get("Exclude_CSV") or "").split(",")}
        rows = [
            {name: value for name, value in owner_row(task).items() if name not in hidden}
            for task in page(found, section(body, "Paging"), account.dialect, offset="rows")
        ]
        return reply({**record_count(account.dialect, len(found), len(rows)), "List": rows})

    @router.get("/Task.svc/RetrieveTaskType")
    async def types(request: Request) -> Response:
        column, value = request.query_params.get("ColumnName"), request.query_params.get("ColumnValue", "")
        fields = {"TaskTypeId": "Id", "TaskTypeName": "Name", "Category": "Category"}
        if column is not None and column not in fields:
            raise ApiError(500, INVALID_INPUT, f"Invalid ColumnName: {column}")
        rows = [
            {"Id": type_id, "Name": name, "Category": _TO_DO, "Color": "#2b7de9", "ColumnConfiguration": []}
            for type_id, name in account.directory.task_types.items()
        ]
        return reply([r for r in rows if column is None or str(r[fields[column]]).lower() == value.lower()])

    @router.post("/LeadManagement.svc/RetrieveNote")
    async def notes(request: Request) -> Response:
        if not account.dialect.notes_api:
            raise HTTPException(404, "Not Found")
        body = await json_body(request)
        parameter, sorting = section(body, "Parameter"), section(body, "Sorting")
        lead = account.find_lead(mandatory(parameter, "RelatedId"))
        note_id = str(parameter.get("Id") or "").lower()
        # Lists are kept oldest first; 1 means descending.
        found = [note for note in lead.notes if note_id in ("", note.id)] if lead else []
        if integer(sorting, "Direction", 1) == 1:
            found.reverse()
        author = account.directory.user_name(account.user_id)
        rows = page(found, section(body, "Paging"), account.dialect)
        count = record_count(account.dialect, len(found), len(rows)) if account.dialect.note_counts else {}
        return reply(
            {**count, account.dialect.notes_key: [_note_row(account, note, author) for note in rows]}
        )

    return router


def _status_code(task: Task) -> int:
    return 1 if task.status == _DONE else 0


def _note_row(account: Account, note: Note, author: str) -> dict[str, object]:
    return {
        "ProspectNoteId": note.id,
        "RelatedProspectId": note.lead_id,
        "Note": note.text,
        "AttachmentName": note.attachment_url.rpartition("/")[2] if note.attachment_url else None,
        "AttachmentURL": note.attachment_url,
        "CreatedByName": author,
        "CreatedOn": account.shown_time(note.created_on, millis=True),
    }
