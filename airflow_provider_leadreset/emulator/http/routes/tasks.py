"""The calls that read tasks and notes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, ApiError
from airflow_provider_leadreset.emulator.http.request_body import (
    date_range,
    integer,
    json_body,
    mandatory,
    page,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.store.entities import Note, Task
from airflow_provider_leadreset.emulator.store.times import time_text

_DONE = "Completed"


def task_routes(account: Account) -> APIRouter:
    """Return the routes, reading from ``account``."""
    router = APIRouter()

    def row(task: Task) -> dict[str, Any]:
        owner = account.directory.user_name(task.owner_id)
        # Documented as a fixed set of columns: the type of the task is not among them.
        return {
            "TaskID": task.id,
            "Name": task.name,
            "Description": "",
            "DueDate": time_text(task.due_date, millis=True),
            "CreatedOn": time_text(task.created_on, millis=True),
            "OwnerID": task.owner_id,
            "OwnerName": owner,
            "CreatedBy": task.owner_id,
            "CreatedByName": owner,
            "Status": task.status,
            "Reminder": 0,
        }

    @router.get("/LeadManagement.svc/RetrieveTaskByLeadId")
    async def of_lead(request: Request) -> Response:
        lead = account.find_lead(mandatory(request.query_params, "leadId"))
        rows = [row(task) for task in lead.tasks] if lead else []
        return reply({"RecordCount": len(rows), "TaskList": rows})

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
            {
                name: value
                for name, value in {"ProspectID": t.lead_id, **row(t), "StatusCode": _status_code(t)}.items()
                if name not in hidden
            }
            for t in page(found, section(body, "Paging"), offset="rows")
        ]
        return reply({"RecordCount": len(found), "List": rows})

    @router.get("/Task.svc/RetrieveTaskType")
    async def types(request: Request) -> Response:
        column, value = request.query_params.get("ColumnName"), request.query_params.get("ColumnValue", "")
        fields = {"TaskTypeId": "Id", "TaskTypeName": "Name", "Category": "Category"}
        if column is not None and column not in fields:
            raise ApiError(500, INVALID_INPUT, f"Invalid ColumnName: {column}")
        rows = [
            {"Id": type_id, "Name": name, "Category": 1, "Color": "#2b7de9", "ColumnConfiguration": []}
            for type_id, name in account.directory.task_types.items()
        ]
        return reply([r for r in rows if column is None or str(r[fields[column]]).lower() == value.lower()])

    @router.post("/LeadManagement.svc/RetrieveNote")
    async def notes(request: Request) -> Response:
        body = await json_body(request)
        parameter, sorting = section(body, "Parameter"), section(body, "Sorting")
        lead = account.find_lead(mandatory(parameter, "RelatedId"))
        note_id = str(parameter.get("Id") or "").lower()
        # Lists are kept oldest first; 1 means descending.
        found = [note for note in lead.notes if note_id in ("", note.id)] if lead else []
        if integer(sorting, "Direction", 1) == 1:
            found.reverse()
        author = account.directory.user_name(account.user_id)
        # No RecordCount: whether the real answer has one is unknown, so clients must do without.
        return reply({"List": [_note_row(note, author) for note in page(found, section(body, "Paging"))]})

    return router


def _status_code(task: Task) -> int:
    return 1 if task.status == _DONE else 0


def _note_row(note: Note, author: str) -> dict[str, Any]:
    return {
        "ProspectNoteId": note.id,
        "RelatedProspectId": note.lead_id,
        "Note": note.text,
        "AttachmentName": note.attachment_url.rpartition("/")[2] if note.attachment_url else None,
        "AttachmentURL": note.attachment_url,
        "CreatedByName": author,
        "CreatedOn": time_text(note.created_on, millis=True),
    }
