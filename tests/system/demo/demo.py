"""Clean-ups run by a real Airflow against the emulator, and checked against a separate sum.

First the nightly one, then the careful one: preview, approval by Airflow's API, copy, reset, verification. Last, the
account check. Everything it writes is in .demo/ beside the Makefile: Airflow's home, one lead's page before and after,
the evidence.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from airflow_of_its_own import ROOT, Approver, api_server, prepare, run_dag
from checked_account import check
from rich.console import Console
from rich.table import Table

from airflow_provider_leadreset import evidence
from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.store.demo_data import Demo, demo_leads

OUT = ROOT / ".demo"
KINDS = ("activities", "tasks", "notes", "audits")
INDIA = ZoneInfo("Asia/Kolkata")
FOLLOW_UP = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"

Records = dict[str, dict[str, list[dict[str, Any]]]]


def main() -> int:
    console = Console(width=100)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    prepare(OUT / "airflow")
    with LeadSquaredEmulator() as lsq:
        os.environ["AIRFLOW_CONN_LEADSQUARED_DEFAULT"] = lsq.conn_json
        now = datetime.now(UTC)
        demo = demo_leads(lsq, n=40, now=now)
        today = now.astimezone(INDIA).date()
        # It starts while the first clean-up runs.
        with api_server(OUT / "api-server.log") as api:
            good = [nightly(console, lsq, demo, today), careful(console, lsq, demo, today, api)]
        good.append(check(console, lsq))
    return 0 if all(good) else 1


def nightly(console: Console, lsq: LeadSquaredEmulator, demo: Demo, today: date) -> bool:
    """The scheduled clean-up: test calls and notes of the last 30 whole days, of a list's members."""
    days = {today - timedelta(days=back) for back in range(1, 31)}
    members = next(set(a_list.lead_ids) for a_list in lsq.lists() if a_list.id == demo.list_id)

    def goes(lead: str, kind: str, record: dict[str, Any]) -> bool:
        wanted = kind == "notes" or (kind == "activities" and record["event_code"] == 166)
        return lead in members and wanted and day_of(record) in days

    before = everything(lsq)
    expected = without(before, goes)
    shown = max(demo.lead_ids, key=lambda lead: size(before[lead]) - size(expected[lead]))
    save_page(lsq, shown, "before")
    console.rule("Airflow runs example_scheduled_cleanup")
    state = run_dag(
        "example_scheduled_cleanup", list_id=demo.list_id, evidence=(OUT / "nightly-evidence").as_uri()
    )
    good = judge(console, lsq, state, before, expected)
    save_page(lsq, shown, "after")
    console.print(f"One lead's page: {OUT.name}/lead-before.html and {OUT.name}/lead-after.html")
    return good


def careful(
    console: Console, lsq: LeadSquaredEmulator, demo: Demo, today: date, api: Callable[[], str]
) -> bool:
    """Preview, approve, reset with archive, verify: calls, visits, follow-ups and notes of 60 days, of 12 leads."""
    leads = set(demo.lead_ids[:12])
    start = today - timedelta(days=60)

    def goes(lead: str, kind: str, record: dict[str, Any]) -> bool:
        wanted = (
            kind == "notes"
            or (kind == "activities" and record["event_code"] in (166, 167))
            or (kind == "tasks" and record["task_type_id"] == FOLLOW_UP)
        )
        return lead in leads and wanted and start <= day_of(record) < today

    before = everything(lsq)
    console.rule("Airflow runs example_safe_cleanup; somebody approves under Required Actions")
    folder = OUT / "evidence"
    approver = Approver(api())
    approver.start()
    state = run_dag(
        "example_safe_cleanup", leads=sorted(leads), window=f"{start}/{today}", evidence=folder.as_uri()
    )
    console.print("What was approved:", style="bold")
    console.print((approver.read or "nothing").split("| lead |")[0], markup=False)
    good = judge(console, lsq, state, before, without(before, goes))
    with contextlib.redirect_stdout(sys.stderr):
        told = evidence.main([str(folder), "--html", str(OUT / "evidence.html")])
    console.print(f"The account of it: {OUT.name}/evidence.html")
    return good and told == 0


def day_of(record: dict[str, Any]) -> date:
    return datetime.fromisoformat(record["created_on"]).replace(tzinfo=UTC).astimezone(INDIA).date()


def without(state: Records, goes: Any) -> Records:
    """Work out what a clean-up leaves, without the provider's code: by local days, not by moments."""
    return {
        lead: {kind: [record for record in kinds[kind] if not goes(lead, kind, record)] for kind in KINDS}
        for lead, kinds in state.items()
    }


def everything(lsq: LeadSquaredEmulator) -> Records:
    lsq.wait_until_idle()
    return {lead: lsq.remaining(lead) for lead in lsq.lead_ids()}


def size(kinds: dict[str, list[Any]]) -> int:
    return sum(map(len, kinds.values()))


def save_page(lsq: LeadSquaredEmulator, lead: str, when: str) -> None:
    page = requests.get(f"{lsq.url}/LeadManagement/LeadDetails", params={"LeadID": lead}, timeout=10)
    page.raise_for_status()
    Path(OUT, f"lead-{when}.html").write_text(page.text, encoding="utf-8")


def judge(console: Console, lsq: LeadSquaredEmulator, state: str, before: Records, expected: Records) -> bool:
    """Print what was there, is there, and should be there."""
    after = everything(lsq)
    totals = Table("kind", "before", "after", "should be", title="All 40 leads")
    for kind in KINDS:
        counts = [sum(len(lead[kind]) for lead in records.values()) for records in (before, after, expected)]
        totals.add_row(kind, *map(str, counts))
    console.print(totals)
    leads = Table("lead", *KINDS, title="The first leads, before → after")
    for lead in list(before)[:8]:
        leads.add_row(lead, *(f"{len(before[lead][kind])} → {len(after[lead][kind])}" for kind in KINDS))
    console.print(leads)
    good = state == "success" and after == expected
    console.print(f"DAG run: {state}; {len(lsq.calls)} calls so far, at most {lsq.worst_window()} in any 5 s")
    console.print(
        "[green]Exactly what a separate calculation says is left[/]"
        if good
        else "[red]NOT what a separate calculation says should be left[/]"
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
