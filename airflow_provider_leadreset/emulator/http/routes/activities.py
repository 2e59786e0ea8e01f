"""The calls that read activities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, UNKNOWN_ACTIVITY, ApiError
from airflow_provider_leadreset.emulator.http.request_body import (
    date_range,
    integer,
    json_body,
    mandatory,
    page,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.store.entities import FIRST_CUSTOM_EVENT, Activity
from airflow_provider_leadreset.emulator.store.times import time_text

_SORT_KEYS: dict[str, Callable[[Activity], Any]] = {
    "ProspectActivityId": lambda activity: activity.id,
    "CreatedOn": lambda activity: activity.created_on,
    "ModifiedOn": lambda activity: activity.modified_on,
}


def activity_routes(account: Account) -> APIRouter:
    """Return the routes, reading from ``account``."""
    router = APIRouter()

    def row(activity: Activity) -> dict[str, Any]:
        custom = activity.code >= FIRST_CUSTOM_EVENT
        return {
            "Id": activity.id,
            "EventCode": activity.code,
            "EventName": account.directory.activity_type(activity.code),
            "ActivityScore": 10 if custom else 0,
            "CreatedOn": time_text(activity.created_on),
            # 2 on the custom activities of the documented samples; 1 for the others is a guess.
            "ActivityType": 2 if custom else 1,
            "IsEmailType": False,
            "Type": "Custom" if custom else "System",
            "SessionId": None,
            "TrackLocation": None,
            "Latitude": None,
            "Longitude": None,
            "RelatedProspectId": activity.lead_id,
            "ModifiedOn": time_text(activity.modified_on),
            "Data": [{"Key": "NotableEventDescription", "Value": activity.note}],
        }

    @router.post("/ProspectActivity.svc/Retrieve")
    async def of_lead(request: Request) -> Response:
        lead_id = mandatory(request.query_params, "leadId")
        body = await json_body(request, optional=True)
        code = integer(section(body, "Parameter"), "ActivityEvent", 0)
        lead = account.find_lead(lead_id)
        # Newest first is a guess; so is an empty answer for an unknown lead.
        found = lead.activities[::-1] if lead else []
        if code:
            found = [activity for activity in found if activity.code == code]
        rows = page(found, section(body, "Paging"))
        return reply({"RecordCount": len(found), "ProspectActivities": [row(activity) for activity in rows]})

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
        rows = page(found, section(body, "Paging"))
        return reply({"RecordCount": len(found), "List": [_event_row(activity) for activity in rows]})

    @router.get("/ProspectActivity.svc/GetActivityDetails")
    async def details(request: Request) -> Response:
        activity = account.find_activity(mandatory(request.query_params, "activityId"))
        if activity is None:
            raise ApiError(500, UNKNOWN_ACTIVITY, "Activity does not exist")
        return reply(row(activity))

    @router.get("/ProspectActivity.svc/ActivityTypes.Get")
    async def types() -> Response:
        known = sorted(account.directory.activity_types.items())
        return reply([{"ActivityEvent": code, "ActivityEventName": name} for code, name in known])

    return router


def _event_row(activity: Activity) -> dict[str, Any]:
    return {
        "ProspectActivityId": activity.id,
        "RelatedProspectId": activity.lead_id,
        "ActivityType": "2",
        # As text here, as a number in the other calls: so documented.
        "ActivityEvent": str(activity.code),
        "Status": "Active",
        "CreatedOn": time_text(activity.created_on, millis=True),
        "ModifiedOn": time_text(activity.modified_on, millis=True),
        "CreatedBy": "",
        "ActivityEvent_Note": activity.note,
    }
