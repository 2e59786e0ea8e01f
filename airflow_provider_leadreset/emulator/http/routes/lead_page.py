"""The web page of a lead, at the address the real web application uses for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.store.entities import Lead
from airflow_provider_leadreset.emulator.store.times import time_text

LEAD_PAGE = "/LeadManagement/LeadDetails"
"""Seen in public integrations; not documented."""

_KINDS = {
    "custom": "Custom activity",
    "system": "System activity",
    "task": "Task",
    "note": "Note",
    "audit": "Audit",
}

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #66718a; --line: #e2e6ee; --back: #f5f7fa; --card: #fff;
  --custom: #2563eb; --system: #7a8499; --task: #b45309; --note: #15803d; --audit: #9333ea; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --dim: #98a2b8; --line: #2c3444; --back: #12161e;
  --card: #1a202b; --custom: #7aa7ff; --system: #98a2b8; --task: #f0b35e; --note: #6cd391; --audit: #c99bff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; }
a { color: var(--custom); text-decoration: none; } a:hover { text-decoration: underline; }
.dim { color: var(--dim); } .mono { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; }
.head { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 6px 0 22px; }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin-bottom: 22px; }
.count { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--of); border-radius: 8px;
  padding: 10px 14px; } .count b { display: block; font-size: 24px; line-height: 1.2; }
.queued { background: var(--card); border: 1px solid var(--task); border-radius: 8px; padding: 8px 14px; }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 8px 14px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-size: 12px; font-weight: 600; color: var(--dim); } tr:last-child td { border-bottom: 0; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; } td.number, th.number { text-align: right; }
.kind { white-space: nowrap; color: var(--of); font-weight: 600; } .empty { padding: 28px 14px; text-align: center; }
.custom { --of: var(--custom); } .system { --of: var(--system); } .task { --of: var(--task); }
.note { --of: var(--note); } .audit { --of: var(--audit); }
"""


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
        return _html("Leads", _overview(account))

    @router.get(LEAD_PAGE)
    async def timeline(request: Request) -> Response:
        lead = account.find_lead(request.query_params.get("LeadID", ""))
        if lead is None:
            return _html("No such lead", '<h1>No such lead</h1><p><a href="/">All leads</a></p>', 404)
        return _html(lead.name, _lead(account, lead))

    return router


def _html(title: str, body: str, status: int = 200) -> Response:
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - LeadSquared emulator'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n'
    )
    # Escaping should do; this makes sure that text of a record can never run or load anything.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(text, status, headers, "text/html; charset=utf-8")


def _lead(account: Account, lead: Lead) -> str:
    rows = sorted(_rows(account, lead), key=lambda row: row.at, reverse=True)
    queued = account.queued(lead.id)
    waiting = f'<p class="queued">Resets queued for this lead: {queued}</p>' if queued else ""
    cells = "".join(
        f'<tr class="{row.kind}"><td class="time mono">{time_text(row.at)}</td>'
        f'<td class="kind">{_KINDS[row.kind]}</td><td>{escape(row.type)}</td><td>{escape(row.text)}</td></tr>'
        for row in rows
    )
    owner = account.directory.user_name(lead.owner_id)
    return (
        f'<p><a href="/">All leads</a></p><h1>{escape(lead.name)}</h1>'
        f'<div class="head dim"><span>{escape(lead.email)}</span><span>Stage: {escape(lead.stage)}</span>'
        f'<span>Owner: {escape(owner)}</span><span class="mono">{lead.id}</span></div>'
        f"{_counts(row.kind for row in rows)}{waiting}"
        '<div class="table"><table><thead><tr><th>Time (UTC)</th><th>Kind</th><th>Type</th><th>Text</th></tr></thead>'
        f"<tbody>{cells}</tbody></table>{'' if rows else _EMPTY}</div>"
    )


_EMPTY = '<div class="empty dim">Nothing left on the timeline.</div>'


def _counts(kinds: Iterable[str]) -> str:
    found = list(kinds)
    boxes = (
        f'<div class="count {kind}"><b>{found.count(kind)}</b><span class="dim">{_plural(label)}</span></div>'
        for kind, label in _KINDS.items()
    )
    return f'<div class="counts">{"".join(boxes)}</div>'


def _plural(label: str) -> str:
    return f"{label[:-1]}ies" if label.endswith("y") else f"{label}s"


def _rows(account: Account, lead: Lead) -> Iterable[_Row]:
    directory = account.directory
    for activity in lead.activities:
        kind = "custom" if directory.is_custom(activity.code) else "system"
        name = f"{activity.code} {directory.activity_type(activity.code).name}"
        yield _Row(activity.created_on, kind, name, activity.note)
    for task in lead.tasks:
        text = f"{task.name} ({task.status}, due {time_text(task.due_date)})"
        yield _Row(task.created_on, "task", directory.task_type(task.type_id), text)
    for note in lead.notes:
        yield _Row(note.created_on, "note", "Attachment" if note.attachment_url else "Text", note.text)
    for audit in lead.audits:
        yield _Row(
            audit.created_on, "audit", audit.kind, f"{audit.old or '(none)'} to {audit.new or '(none)'}"
        )


def _overview(account: Account) -> str:
    counts = account.counts()
    lists = "".join(
        f'<span>List "{escape(one.name)}": {len(one.lead_ids)} leads</span><span class="mono">{one.id}</span>'
        for one in account.lists()
    )
    numbers = ("activities", "tasks", "notes", "audits")
    cells = "".join(
        f'<tr><td><a href="{LEAD_PAGE}?LeadID={lead.id}">{escape(lead.name)}</a></td>'
        f'<td class="mono dim">{lead.id}</td>'
        + "".join(f'<td class="number">{len(getattr(lead, kind))}</td>' for kind in numbers)
        + "</tr>"
        for lead in account.leads()
    )
    heads = "".join(f'<th class="number">{kind.capitalize()}</th>' for kind in numbers)
    return (
        f'<h1>Leads</h1><div class="head dim"><span>{counts["leads"]} leads</span>{lists}</div>'
        f'<div class="table"><table><thead><tr><th>Name</th><th>Id</th>{heads}</tr></thead>'
        f"<tbody>{cells}</tbody></table></div>"
    )
