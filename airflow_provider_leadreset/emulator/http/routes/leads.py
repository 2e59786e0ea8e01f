"""The calls that read leads, lists, lead fields and the user of the keys."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.middleware import KEY_CHECK
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, LEAD_PAGE_TOO_LARGE, ApiError
from airflow_provider_leadreset.emulator.http.request_body import (
    integer,
    json_body,
    mandatory,
    reply,
    section,
)
from airflow_provider_leadreset.emulator.http.row_paging import page, record_count
from airflow_provider_leadreset.emulator.store.entities import Lead
from airflow_provider_leadreset.emulator.store.times import time_text

MOST_IDS = 10_000
"""Most lead ids in one call of ByIds (documented)."""

MOST_LEADS = 5000
"""Most leads in one answer (seen)."""

LISTS_A_PAGE = 200

_LIST_TYPES = {"0": "static", "1": "dynamic", "2": "refreshable"}


def lead_routes(account: Account) -> APIRouter:
    """Return the routes, reading from ``account``."""
    router = APIRouter()

    def row(lead: Lead) -> dict[str, object]:
        latest = lead.activities[-1].created_on if lead.activities else None
        return {
            "ProspectID": lead.id,
            "ProspectAutoId": str(lead.number),
            "FirstName": lead.first_name,
            "LastName": lead.last_name,
            "EmailAddress": lead.email,
            "Phone": None,
            "ProspectStage": lead.stage,
            "OwnerId": lead.owner_id,
            "OwnerIdName": account.directory.user_name(lead.owner_id),
            "CreatedOn": time_text(lead.created_on, millis=True),
            "ModifiedOn": time_text(lead.created_on, millis=True),
            "LeadLastModifiedOn": account.shown_last_modified(lead),
            "ProspectActivityDate_Max": time_text(latest, millis=True) if latest else None,
            "StatusCode": "0",
        }

    def columns(body: object, *, needed: bool) -> list[str] | None:
        include = section(body, "Columns")
        text = mandatory(include, "Include_CSV") if needed else str(include.get("Include_CSV") or "")
        return [name.strip().lower() for name in text.split(",") if name.strip()] or None

    def chosen(lead: Lead, wanted: list[str] | None) -> dict[str, object]:
        full = {account.dialect.lead_id_key if k == "ProspectID" else k: v for k, v in row(lead).items()}
        return full if wanted is None else {k: v for k, v in full.items() if k.lower() in wanted}

    @router.get("/LeadManagement.svc/Leads.GetById")
    async def by_id(request: Request) -> Response:
        lead = account.find_lead(mandatory(request.query_params, "id"))
        return reply([row(lead)] if lead else [])

    @router.post("/LeadManagement.svc/Leads/Retrieve/ByIds")
    async def by_ids(request: Request) -> Response:
        body = await json_body(request)
        ids = section(body, "SearchParameters").get("LeadIds")
        if not isinstance(ids, list) or not all(isinstance(lead_id, str) for lead_id in ids):
            raise ApiError(400, INVALID_INPUT, "LeadIds is not of the type specified")
        if len(ids) > MOST_IDS:
            raise ApiError(500, INVALID_INPUT, f"At most {MOST_IDS} lead ids")
        wanted = columns(body, needed=True)
        found = [
            lead for lead_id in dict.fromkeys(map(str.lower, ids)) if (lead := account.find_lead(lead_id))
        ]
        rows = page(
            found,
            section(body, "Paging"),
            account.dialect,
            default=1000,
            cap=MOST_LEADS,
            too_large=LEAD_PAGE_TOO_LARGE,
        )
        count = record_count(account.dialect, len(found), len(rows))
        return reply({**count, "Leads": [chosen(lead, wanted) for lead in rows]})

    @router.post("/LeadManagement.svc/Leads/Retrieve/BySearchParameter")
    async def of_list(request: Request) -> Response:
        body = await json_body(request)
        list_id = mandatory(section(body, "SearchParameters"), "ListId").lower()
        lists = (*account.system_lists(), *account.lists())
        lead_list = next((one for one in lists if one.id == list_id), None)
        if lead_list is None:
            raise ApiError(500, INVALID_INPUT, "List not found")
        wanted = columns(body, needed=False)
        found = [lead for lead_id in lead_list.lead_ids if (lead := account.find_lead(lead_id))]
        rows = page(
            found, section(body, "Paging"), account.dialect, cap=MOST_LEADS, too_large=LEAD_PAGE_TOO_LARGE
        )
        leads = [{"LeadPropertyList": _properties(chosen(lead, wanted))} for lead in rows]
        return reply({**record_count(account.dialect, len(found), len(rows)), "Leads": leads})

    @router.get("/LeadManagement.svc/Lists.Get")
    async def lists(request: Request) -> Response:
        query = request.query_params
        text = query.get("SearchText", "").lower()
        wanted = _LIST_TYPES.get(query.get("ListType", ""), "all")
        found = [
            one
            for one in (*account.system_lists(), *account.lists())
            if wanted in ("all", one.type) and text in one.name.lower()
        ]
        # How many lists a page has is not documented; 200 is a guess.
        start = (max(1, integer(query, "PageIndex", 1)) - 1) * LISTS_A_PAGE
        return reply(
            [
                {
                    "ListId": one.id,
                    "ListName": one.name,
                    "ListDescription": one.description,
                    "ListType": one.type,
                    "MemberCount": len(one.lead_ids),
                }
                for one in found[start : start + LISTS_A_PAGE]
            ]
        )

    @router.get("/LeadManagement.svc/LeadsMetaData.Get")
    async def fields(request: Request) -> Response:
        wanted = request.query_params.get("schemaName")
        return reply([field for field in _LEAD_FIELDS if wanted in (None, field["SchemaName"])])

    @router.get(f"/{KEY_CHECK}")
    async def key_check(request: Request) -> Response:
        user, settings = account.directory.users[account.user_id], account.settings
        own_host = request.headers.get("host", "")
        names = (
            {"Name": user.name, "PassPhrase": user.email, "EmailAddress": None}
            if account.dialect.key_check == "documented"
            else {"FirstName": user.first_name, "LastName": user.last_name, "EmailAddress": user.email}
        )
        return reply(
            {
                "Id": user.id,
                **names,
                "Role": user.role,
                "UserType": "Regular",
                "TimeZone": "UTC",
                "OrgId": "1",
                "OrgShortCode": settings.org_short_code,
                "OrgDisplayName": settings.org_display_name,
                "Plan": None,
                "LSQCommonServiceURLs": {
                    "api": settings.api_host or own_host,
                    "app": settings.app_host or own_host,
                    "tracking": own_host,
                },
            }
        )

    return router


_LEAD_FIELDS = [
    {"SchemaName": name, "DisplayName": label, "DataType": kind, "IsMandatory": False}
    for name, label, kind in (
        ("ProspectID", "Lead Id", "Text"),
        ("FirstName", "First Name", "Text"),
        ("LastName", "Last Name", "Text"),
        ("EmailAddress", "Email", "Email"),
        ("ProspectStage", "Lead Stage", "Select"),
        ("OwnerId", "Owner", "ActiveUsers"),
        ("CreatedOn", "Created On", "DateTime"),
        ("LeadLastModifiedOn", "Recently Modified On", "DateTime"),
    )
]


def _properties(lead: dict[str, object]) -> list[dict[str, object]]:
    # CanUpdate comes whatever was asked for (documented by a sample).
    values = {**lead, "CanUpdate": "true"}
    return [{"Attribute": name, "Value": value, "Fields": None} for name, value in values.items()]
