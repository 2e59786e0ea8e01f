"""The calls that read activities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.activity_rows import (
    activity_details,
    activity_row,
    event_row,
    shown_activities,
)
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, UNKNOWN_ACTIVITY, ApiError
from airflow_provider_leadreset.emulator.http.request_body import (
    date_range,
    integer,
    json_body,
    mandatory,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.http.row_paging import page, record_count
from airflow_provider_leadreset.emulator.store.entities import Activity, Audit

_SORT_KEYS: dict[str, Callable[[Activity], Any]] = {
    "ProspectActivityId": lambda activity: activity.id,
    "CreatedOn": lambda activity: activity.created_on,
    "ModifiedOn": lambda activity: activity.modified_on,
}

_UNLISTED = range(3000, 4000)
"""System codes that ActivityTypes.Get does not name (seen)."""


def activity_routes(account: Account) -> APIRouter:
    """Return the routes, reading from ``account``."""
    router = APIRouter()

    @router.post("/ProspectActivity.svc/Retrieve")
    async def of_lead(request: Request) -> Response:
        lead_id = mandatory(request.query_params, "leadId")
        body = await json_body(request, optional=True)
        code = integer(section(body, "Parameter"), "ActivityEvent", 0)
        lead = account.find_lead(lead_id)
        # An empty answer for an unknown lead is a guess.
        found = shown_activities(account, lead, code) if lead else []
        rows = page(found, section(body, "Paging"), account.dialect)
        activities = [activity_row(account, row) for row in rows]
        count = record_count(account.dialect, len(found), len(rows))
        return reply({**count, "ProspectActivities": activities})

    @router.post("/ProspectActivity.svc/CustomActivity/RetrieveByActivityEvent")
    async def by_event(request: Request) -> Response:
        body = await json_body(request)
        parameter, sorting = section(body, "Parameter"), section(body, "Sorting")
        mandatory(parameter, "ActivityEvent")
        code = integer(parameter, "ActivityEvent", 0)
        # Documented: these dates compare with ModifiedOn, unlike (as far as anyone can tell) those of a reset.
        start, end = date_range(parameter)
        column = sorting.get("ColumnName") or "ModifiedOn"
        if column not in _SORT_KEYS:
            raise ApiError(500, INVALID_INPUT, f"Invalid ColumnName: {column}")
        found = [a for a in account.activities() if a.code == code and start <= a.modified_on <= end]
        found.sort(key=_SORT_KEYS[column], reverse=integer(sorting, "Direction", 1) == 1)
        rows = page(found, section(body, "Paging"), account.dialect)
        count = record_count(account.dialect, len(found), len(rows))
        return reply({**count, "List": [event_row(account, activity) for activity in rows]})

    @router.get("/ProspectActivity.svc/GetActivityDetails")
    async def details(request: Request) -> Response:
        activity_id = mandatory(request.query_params, "activityId")
        found: Activity | Audit | None = account.find_activity(activity_id)
        if found is None and account.dialect.audits_shown:
            # That an audit that is shown as an activity can be asked for by its id is a guess.
            found = account.find_audit(activity_id)
        if found is None:
            raise ApiError(500, UNKNOWN_ACTIVITY, "Activity does not exist")
        return reply(activity_details(account, found))

    @router.get("/ProspectActivity.svc/ActivityTypes.Get")
    async def types() -> Response:
        if not account.dialect.types_api:
            raise HTTPException(404, "Not Found")
        rows: list[dict[str, object]] = []
        for code, kind in sorted(account.directory.activity_types.items()):
            if not kind.custom and code in _UNLISTED:
                continue
            row: dict[str, object] = {"ActivityEvent": code, "ActivityEventName": kind.name}
            if account.dialect.event_types_shown:
                # 2 is custom (seen); 1 for a system activity is a guess.
                row["EventType"] = 2 if kind.custom else 1
            rows.append(row)
        return reply(rows)

    return router
