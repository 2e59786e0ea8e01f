"""Reset a Lead: the call, and how its body is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import ADMINISTRATOR, Account
from airflow_provider_leadreset.emulator.http.middleware import ENTRY
from airflow_provider_leadreset.emulator.http.replies import (
    FORBIDDEN,
    INVALID_INPUT,
    INVALID_REFERENCE,
    MANDATORY,
    QUEUED,
    ApiError,
)
from airflow_provider_leadreset.emulator.http.request_body import date_of, json_body, reply
from airflow_provider_leadreset.emulator.store.accepted_reset import Reset
from airflow_provider_leadreset.emulator.store.entities import AUDIT_KINDS, guid


def reset_routes(account: Account) -> APIRouter:
    """Return the route of Lead.Reset."""
    router = APIRouter()

    @router.post("/LeadManagement.svc/Lead.Reset")
    async def lead_reset(request: Request) -> Response:
        body = await json_body(request)
        if account.directory.users[account.user_id].role != ADMINISTRATOR:
            raise ApiError(403, FORBIDDEN, "Only an administrator can reset a lead")
        reset = parse_reset(body, account.now())
        _check_types(reset, account)
        if not account.knows(reset.lead_id) and account.dialect.unknown_lead == "refused":
            raise ApiError(500, INVALID_REFERENCE, "Lead not found")
        account.enqueue(reset)
        request.scope[ENTRY].accepted = True
        return reply(QUEUED)

    return router


def parse_reset(body: object, now: datetime) -> Reset:
    """Read the body of a Lead.Reset call.

    Fields that are absent or null count as not given. Without FromDate the span starts at the lead's creation,
    without ToDate it ends at ``now``: documented for both dates missing, a guess for one of them.

    :param now: the present moment, aware.
    :raises ApiError: 400 for values of the wrong JSON type (documented as "body not as specified"), otherwise
        500 with an MX type, as other calls of the API answer (a guess for this one).
    """
    if not isinstance(body, dict):
        raise ApiError(400, INVALID_INPUT, "The body is not a JSON object")
    prospect_id = _typed(body, "ProspectId", str, "")
    codes = _list(body, "ActivityEventList", int)
    types = _list(body, "TaskTypeList", str)
    kinds = _list(body, "AuditActivityList", str)
    notes = _typed(body, "ShouldDeleteProspectNotes", bool, False)
    start_text = _typed(body, "FromDate", str, None)
    end_text = _typed(body, "ToDate", str, None)

    if not prospect_id.strip():
        raise ApiError(500, MANDATORY, "ProspectId is mandatory")
    lead_id = _guid(prospect_id, "ProspectId")
    if not (codes or types or kinds or notes):
        raise ApiError(
            500,
            MANDATORY,
            "At least one of ActivityEventList, TaskTypeList, AuditActivityList and ShouldDeleteProspectNotes"
            " is mandatory",
        )
    for kind in kinds:
        if kind not in AUDIT_KINDS:
            raise ApiError(500, INVALID_INPUT, f"Invalid audit activity: {kind}")
    start = None if start_text is None else date_of(start_text, "FromDate")
    end = now if end_text is None else date_of(end_text, "ToDate")
    if start is not None and start > end:
        raise ApiError(500, INVALID_INPUT, "FromDate is after ToDate")
    return Reset(
        lead_id=lead_id,
        event_codes=frozenset(codes),
        task_types=frozenset(_guid(t, "TaskTypeList") for t in types),
        audit_kinds=frozenset(kinds),
        notes=notes,
        start=start,
        end=end,
    )


def _check_types(reset: Reset, account: Account) -> None:
    dialect, directory = account.dialect, account.directory
    for code in sorted(reset.event_codes):
        if code not in directory.activity_types:
            if dialect.unknown_types == "refused":
                raise ApiError(500, INVALID_INPUT, "Invalid event code")
        elif not directory.is_custom(code) and dialect.system_events == "refused":
            raise ApiError(500, INVALID_INPUT, "Invalid event code")
    if dialect.unknown_types == "refused" and not reset.task_types <= set(directory.task_types):
        raise ApiError(500, INVALID_INPUT, "Invalid task type")


def _guid(text: str, field: str) -> str:
    try:
        return guid(text)
    except ValueError:
        raise ApiError(500, INVALID_INPUT, f"Invalid {field}: {text}") from None


def _is(value: object, wanted: type) -> bool:
    # A JSON true is an int to Python, but not to a deserialiser.
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


def _typed(body: Mapping[str, object], field: str, wanted: type, default: object) -> Any:
    value = body.get(field)
    if value is None:
        return default
    if not _is(value, wanted):
        raise ApiError(400, INVALID_INPUT, f"{field} is not of the type specified")
    return value


def _list(body: Mapping[str, object], field: str, wanted: type) -> list[Any]:
    values = body.get(field)
    if values is None:
        return []
    if not isinstance(values, list) or not all(_is(value, wanted) for value in values):
        raise ApiError(400, INVALID_INPUT, f"{field} is not of the type specified")
    return values
