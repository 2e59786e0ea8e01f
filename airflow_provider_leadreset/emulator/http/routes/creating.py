"""The calls that create records, and those that change what they created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.replies import (
    INVALID_INPUT,
    INVALID_REFERENCE,
    MANDATORY,
    UNKNOWN_ACTIVITY,
    ApiError,
)
from airflow_provider_leadreset.emulator.http.request_body import (
    date_of,
    integer,
    json_body,
    mandatory,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.store.entities import Activity, Note, Task
from airflow_provider_leadreset.emulator.store.writable_crm import NewTask

_NAMING = ("FirstName", "LastName", "EmailAddress", "Phone")


def creating_routes(account: Account) -> APIRouter:
    """Return the routes, writing to ``account``."""
    router = APIRouter()

    def lead_of(values: Mapping[str, object], name: str) -> str:
        lead_id = mandatory(values, name)
        if not account.knows(lead_id):
            raise ApiError(500, INVALID_REFERENCE, "Lead not found")
        return lead_id.lower()

    @router.post("/LeadManagement.svc/Lead.Create")
    async def create_lead(request: Request) -> Response:
        values = _attributes(await json_body(request))
        if not any(values.get(name) for name in _NAMING):
            raise ApiError(500, MANDATORY, f"One of {', '.join(_NAMING)} is mandatory")
        lead_id = account.create_lead(
            values.get("FirstName", ""), values.get("LastName", ""), values.get("EmailAddress", "")
        )
        return _made(lead_id)

    @router.post("/LeadManagement.svc/Lead.Update")
    async def update_lead(request: Request) -> Response:
        lead_id = lead_of(request.query_params, "leadId")
        values = _attributes(await json_body(request))
        if "ProspectStage" in values:
            # Seen: a stage that is no option of the list is stored all the same.
            account.change_stage(lead_id, values["ProspectStage"])
        if "OwnerId" in values:
            if values["OwnerId"].lower() not in account.directory.users:
                raise ApiError(500, INVALID_REFERENCE, "User not found")
            account.change_owner(lead_id, values["OwnerId"].lower())
        return reply({"Status": "Success", "Message": {"AffectedRows": 1}})

    @router.post("/ProspectActivity.svc/Create")
    async def create_activity(request: Request) -> Response:
        body = _object(await json_body(request))
        lead_id, code = lead_of(body, "RelatedProspectId"), integer(body, "ActivityEvent", 0)
        if code not in account.directory.activity_types:
            raise ApiError(500, INVALID_INPUT, "Invalid event code")
        at = body.get("ActivityDateTime")
        fields = {
            str(field.get("SchemaName")): str(field.get("Value") or "") for field in body.get("Fields") or []
        }
        moment = date_of(str(at), "ActivityDateTime") if at else None
        return _made(
            account.create_activity(lead_id, code, str(body.get("ActivityNote") or ""), moment, fields)
        )

    @router.post("/ProspectActivity.svc/CustomActivity/Update")
    async def update_activity(request: Request) -> Response:
        return await changed(request, "ProspectActivityId", "ActivityNote", Activity, UNKNOWN_ACTIVITY)

    @router.post("/LeadManagement.svc/CreateNote")
    async def create_note(request: Request) -> Response:
        if not account.dialect.notes_api:
            raise HTTPException(404, "Not Found")
        body = _object(await json_body(request))
        return _made(account.create_note(lead_of(body, "RelatedProspectId"), mandatory(body, "Note")))

    @router.post("/LeadManagement.svc/UpdateNote")
    async def update_note(request: Request) -> Response:
        if not account.dialect.notes_api:
            raise HTTPException(404, "Not Found")
        return await changed(request, "ProspectNoteId", "Note", Note, INVALID_REFERENCE)

    @router.post("/Task.svc/Create")
    async def create_task(request: Request) -> Response:
        body = _object(await json_body(request))
        lead_id, name = lead_of(body, "RelatedEntityId"), mandatory(body, "Name")
        wanted = mandatory(section(body, "TaskType"), "Name").lower()
        types = account.directory.task_types.items()
        type_id = next((key for key, known in types if known.lower() == wanted), None)
        if type_id is None:
            raise ApiError(500, INVALID_INPUT, "Invalid task type")
        owner = str(body.get("OwnerId") or "").lower()
        if owner not in account.directory.users:
            raise ApiError(500, INVALID_REFERENCE, "User not found")
        due = date_of(mandatory(body, "DueDate"), "DueDate")
        return _made(account.create_task(lead_id, NewTask(type_id, name, due, owner)))

    @router.post("/Task.svc/Update")
    async def update_task(request: Request) -> Response:
        return await changed(request, "UserTaskId", "Description", Task, INVALID_REFERENCE)

    async def changed(
        request: Request, key: str, text: str, kind: type[Activity | Task | Note], unknown: str
    ) -> Response:
        if not account.dialect.update_calls:
            raise HTTPException(404, "Not Found")
        body = _object(await json_body(request))
        if not account.change_record(mandatory(body, key), kind, str(body.get(text) or "")):
            raise ApiError(500, unknown, f"{key} does not exist")
        return reply({"Status": "Success", "Message": {"AffectedRows": 1}})

    return router


def _made(record_id: str) -> Response:
    return reply({"Status": "Success", "Message": {"Id": record_id}})


def _object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise ApiError(400, INVALID_INPUT, "The body is not a JSON object")
    return body


def _attributes(body: Any) -> dict[str, str]:
    """Return the values of a lead's body by their names."""
    if not isinstance(body, list) or not all(isinstance(pair, dict) for pair in body):
        raise ApiError(400, INVALID_INPUT, "The body is not a list of attributes")
    return {str(pair.get("Attribute")): str(pair.get("Value") or "") for pair in body}
