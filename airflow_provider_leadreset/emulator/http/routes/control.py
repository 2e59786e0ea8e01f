"""Driving the emulator from another process: JSON under ``/_emulator``, without keys and without limit.

Each call says that it is meant, see :mod:`.control_guard`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.account.faults import Fault, FaultKind
from airflow_provider_leadreset.emulator.store.demo_data import demo_leads
from airflow_provider_leadreset.emulator.store.times import time_text


class _Strict(BaseModel):
    # A misspelt field must not be ignored in silence.
    model_config = ConfigDict(extra="forbid")


class ActivitySeed(_Strict):
    """An activity; times are UTC text, ``YYYY-MM-DD HH:MM:SS``."""

    event_code: int
    created_on: str
    note: str = ""
    modified_on: str | None = None
    activity_date_time: str | None = None
    fields: dict[str, str] | None = None


class TaskSeed(_Strict):
    """A task."""

    task_type_id: str
    created_on: str
    name: str = "Follow up"
    due_date: str | None = None
    owner: str | None = None
    status: str = "Pending"
    modified_on: str | None = None


class NoteSeed(_Strict):
    """A note."""

    text: str
    created_on: str
    attachment_url: str | None = None
    modified_on: str | None = None


class AuditSeed(_Strict):
    """An audit."""

    kind: str
    created_on: str
    old: str = ""
    new: str = ""
    modified_on: str | None = None


class LeadSeed(_Strict):
    """A lead with its records."""

    prospect_id: str | None = None
    first_name: str = "Test"
    last_name: str = "Lead"
    email: str | None = None
    stage: str = "Prospect"
    owner: str | None = None
    created_on: str = "2020-01-01 00:00:00"
    activities: list[ActivitySeed] = Field(default_factory=list)
    tasks: list[TaskSeed] = Field(default_factory=list)
    notes: list[NoteSeed] = Field(default_factory=list)
    audits: list[AuditSeed] = Field(default_factory=list)


class Seed(_Strict):
    """What to add: leads as given, and so many demo leads."""

    leads: list[LeadSeed] = Field(default_factory=list)
    list_name: str | None = None
    """A name for a list of the leads given; None for no list."""
    demo_leads: int = Field(default=0, ge=0, le=100_000)
    now: AwareDatetime | None = None
    """The moment the demo leads' history ends; None for the present one."""


class FaultSeed(_Strict):
    """A fault, as :meth:`Account.fault` takes it."""

    kind: FaultKind
    times: int | None = Field(default=1, ge=1)
    path: str | None = None
    prospect_id: str | None = None
    body: object = None
    status: int | None = None
    seconds: float | None = None
    size: int | None = Field(default=None, ge=4)


class Merge(_Strict):
    """Two leads to make one of; the id of the merged one is unknown from then on."""

    survivor: str
    merged: str


def control_routes(account: Account) -> APIRouter:
    """Return the routes, working on ``account``."""
    router = APIRouter()

    @router.post("/seed")
    async def seed(wanted: Seed) -> dict[str, object]:
        """Add records."""
        try:
            lead_ids = [_add(account, lead) for lead in wanted.leads]
            lists = [account.add_list(wanted.list_name, lead_ids)] if wanted.list_name else []
            if wanted.demo_leads:
                demo = demo_leads(account, wanted.demo_leads, wanted.now)
                lead_ids += demo.lead_ids
                lists.append(demo.list_id)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return {"lead_ids": lead_ids, "list_ids": lists}

    @router.get("/calls")
    async def calls(since: int = 0) -> dict[str, object]:
        """Return up to 1000 recorded calls from number ``since`` on, and the number to go on with."""
        # In pieces, since the calls under way wait meanwhile.
        found = [entry.call for entry in account.log.entries(max(0, since))[:1000]]
        rows = [asdict(call) | {"at": time_text(call.at, millis=True)} for call in found]
        return {"calls": rows, "next": max(0, since) + len(rows)}

    @router.post("/fault")
    async def add_fault(wanted: FaultSeed) -> dict[str, object]:
        """Let calls fail."""
        account.faults.add(Fault(**wanted.model_dump()))
        return {"pending": account.faults.pending()}

    @router.delete("/fault")
    async def clear_faults() -> dict[str, object]:
        """Forget all faults."""
        account.clear_faults()
        return {"pending": []}

    @router.get("/remaining/{lead_id}")
    async def remaining(lead_id: str) -> dict[str, Any]:
        """Return what a lead still has."""
        if account.find_lead(lead_id) is None:
            raise HTTPException(404, f"No lead {lead_id}")
        return account.remaining(lead_id)

    @router.post("/merge")
    async def merge(wanted: Merge) -> dict[str, Any]:
        """Merge two leads."""
        try:
            account.merge_leads(wanted.survivor, wanted.merged)
        except (KeyError, ValueError) as error:
            raise HTTPException(422, str(error.args[0])) from None
        return account.remaining(wanted.survivor)

    @router.get("/state")
    async def state() -> dict[str, object]:
        """Return a summary."""
        entries = account.log.entries()
        return {
            "version": __version__,
            "records": account.counts(),
            "calls": len(entries),
            "resets": sum(entry.accepted for entry in entries),
            "throttled": sum(entry.call.throttled for entry in entries),
            "worst_window": account.worst_window(),
            "calls_per_5s": account.limit.calls,
            "faults": account.faults.pending(),
            "dialect": account.dialect.as_json(),
        }

    @router.post("/apply")
    async def apply() -> dict[str, object]:
        """Apply everything queued now."""
        return {"deleted": account.apply_queue()}

    @router.post("/reset")
    async def reset(calls_only: bool = False) -> dict[str, object]:
        """Forget the calls and the limit's window and, unless ``calls_only``, all records and faults too."""
        if calls_only:
            account.reset_calls()
        else:
            account.forget()
        return {"records": account.counts()}

    return router


def _add(account: Account, lead: LeadSeed) -> str:
    kinds = {"activities", "tasks", "notes", "audits"}
    lead_id = account.add_lead(**lead.model_dump(exclude=kinds))
    for activity in lead.activities:
        account.add_activity(lead_id, **activity.model_dump())
    for task in lead.tasks:
        account.add_task(lead_id, **task.model_dump())
    for note in lead.notes:
        account.add_note(lead_id, **note.model_dump())
    for audit in lead.audits:
        account.add_audit(lead_id, **audit.model_dump())
    return lead_id
