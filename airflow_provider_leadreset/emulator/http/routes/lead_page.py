"""The web page of a lead, at the address the real web application uses for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import NamedTuple

import jinja2
from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.store.entities import Lead
from airflow_provider_leadreset.emulator.store.times import time_text

LEAD_PAGE = "/LeadManagement/LeadDetails"
"""Seen in public integrations; not documented."""


class _Kind(NamedTuple):
    one: str
    many: str


_KINDS = {
    "custom": _Kind("Custom activity", "Custom activities"),
    "system": _Kind("System activity", "System activities"),
    "task": _Kind("Task", "Tasks"),
    "note": _Kind("Note", "Notes"),
    "audit": _Kind("Audit", "Audits"),
}


class _Row(NamedTuple):
    at: datetime
    kind: str
    type: str
    text: str


def page_routes(account: Account) -> APIRouter:
    """Return the routes, showing ``account``."""
    router = APIRouter()

    @router.get("/")
    async def overview() -> Response:
        return _page("leads", leads=list(account.leads()), lists=list(account.lists()), lead_page=LEAD_PAGE)

    @router.get(LEAD_PAGE)
    async def timeline(request: Request) -> Response:
        lead = account.find_lead(request.query_params.get("LeadID", ""))
        if lead is None:
            return _page("unknown_lead", status=404)
        return _page(
            "lead",
            lead=lead,
            owner=account.directory.user_name(lead.owner_id),
            queued=account.queued(lead.id),
            kinds=_KINDS,
            rows=sorted(_rows(account, lead), key=lambda row: row.at, reverse=True),
        )

    return router


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    text = _environment().get_template(f"{template}.html.j2").render(values)
    # Escaping should do; this makes sure that text of a record can never run or load anything.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(text, status, headers, "text/html; charset=utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("airflow_provider_leadreset.emulator.http"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["time"] = time_text
    return environment


def _rows(account: Account, lead: Lead) -> Iterable[_Row]:
    directory = account.directory
    for activity in lead.activities:
        kind = "custom" if directory.is_custom(activity.code) else "system"
        name = f"{activity.code} {directory.activity_type(activity.code).name}"
        yield _Row(activity.created_on, kind, name, activity.note)
    for task in lead.tasks:
        text = f"{task.name} ({task.status}, due {time_text(task.due_date)} UTC)"
        yield _Row(task.created_on, "task", directory.task_type(task.type_id), text)
    for note in lead.notes:
        yield _Row(note.created_on, "note", "Attachment" if note.attachment_url else "Text", note.text)
    for audit in lead.audits:
        yield _Row(
            audit.created_on, "audit", audit.kind, f"{audit.old or '(none)'} to {audit.new or '(none)'}"
        )
