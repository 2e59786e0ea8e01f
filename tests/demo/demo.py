"""The scheduled clean-up, run by a real Airflow against the emulator, and checked against a separate sum.

Everything it writes is in .demo/ beside the Makefile: Airflow's home, and one lead's page before and after.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from rich.console import Console
from rich.table import Table

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.seed import demo_leads

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / ".demo"
KINDS = ("activities", "tasks", "notes", "audits")
DAYS = 30
INDIA = ZoneInfo("Asia/Kolkata")

Records = dict[str, dict[str, list[dict[str, Any]]]]


def main() -> int:
    console = Console()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    prepare_airflow()
    with LeadSquaredEmulator() as lsq:
        os.environ["AIRFLOW_CONN_LEADSQUARED_DEFAULT"] = lsq.conn_json
        now = datetime.now(UTC)
        demo = demo_leads(lsq, n=40, now=now)
        before = everything(lsq)
        expected = what_should_be_left(before, demo.list_id, lsq, now)
        shown = max(demo.lead_ids, key=lambda lead: records(before[lead]) - records(expected[lead]))
        save_page(lsq, shown, "before")

        console.rule("Airflow runs example_scheduled_cleanup")
        state = run_dag("example_scheduled_cleanup", list_id=demo.list_id)
        lsq.wait_until_idle()

        after = everything(lsq)
        save_page(lsq, shown, "after")
        show(console, before, after, expected)
        good = state == "success" and after == expected
        console.print(
            f"DAG run: {state}; {len(lsq.resets)} resets, {len(lsq.calls)} calls, "
            f"at most {lsq.worst_window()} in any 5 s"
        )
        console.print(f"One lead's page: {OUT.name}/lead-before.html and {OUT.name}/lead-after.html")
        console.print(
            "[green]Exactly what a separate calculation says is left[/]"
            if good
            else "[red]NOT what a separate calculation says should be left[/]"
        )
        return 0 if good else 1


def prepare_airflow() -> None:
    """Make an Airflow of the demo's own; the user's is not touched."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    home = OUT / "airflow"
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__API_AUTH__JWT_SECRET="demo-only-" * 8,
        AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
        AIRFLOW__LOGGING__NAMESPACE_LEVELS="airflow.task.operators.airflow_provider_leadreset=INFO",
    )
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


def run_dag(dag_id: str, **conf: Any) -> str:
    """Run an example DAG once, in this process; give the run's final state."""
    path = ROOT / "example_dags" / f"{dag_id}.py"
    spec = importlib.util.spec_from_file_location(dag_id, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag_run = getattr(module, dag_id)().test(run_conf=conf)
    return str(dag_run.state.value)


def what_should_be_left(before: Records, list_id: str, lsq: LeadSquaredEmulator, now: datetime) -> Records:
    """Work out, without the provider's code, what the clean-up leaves: by local days, not by moments."""
    today = now.astimezone(INDIA).date()
    days = {today - timedelta(days=back) for back in range(1, DAYS + 1)}

    def goes(kind: str, record: dict[str, Any]) -> bool:
        created = datetime.fromisoformat(record["created_on"]).replace(tzinfo=UTC)
        wanted = kind == "notes" or (kind == "activities" and record["event_code"] == 166)
        return wanted and created.astimezone(INDIA).date() in days

    members = next(set(a_list.lead_ids) for a_list in lsq.lists() if a_list.id == list_id)
    return {
        lead: {kind: [r for r in kinds[kind] if not (lead in members and goes(kind, r))] for kind in KINDS}
        for lead, kinds in before.items()
    }


def everything(lsq: LeadSquaredEmulator) -> Records:
    return {lead: lsq.remaining(lead) for lead in lsq.lead_ids()}


def records(kinds: dict[str, list[Any]]) -> int:
    return sum(map(len, kinds.values()))


def save_page(lsq: LeadSquaredEmulator, lead: str, when: str) -> None:
    page = requests.get(f"{lsq.url}/LeadManagement/LeadDetails", params={"LeadID": lead}, timeout=10)
    page.raise_for_status()
    (OUT / f"lead-{when}.html").write_text(page.text, encoding="utf-8")


def show(console: Console, before: Records, after: Records, expected: Records) -> None:
    """Print what was there, is there, and should be there."""
    totals = Table("kind", "before", "after", "should be", title="All 40 leads")
    for kind in KINDS:
        counts = [sum(len(lead[kind]) for lead in state.values()) for state in (before, after, expected)]
        totals.add_row(kind, *map(str, counts))
    console.print(totals)
    leads = Table("lead", *KINDS, title="The first leads, before → after")
    for lead in list(before)[:8]:
        leads.add_row(lead, *(f"{len(before[lead][kind])} → {len(after[lead][kind])}" for kind in KINDS))
    console.print(leads)


if __name__ == "__main__":
    sys.exit(main())
