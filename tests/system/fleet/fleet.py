"""Four tasks on two Celery workers reset 400 leads, beside a hook, a sensor and a mapped group in the same pool.

Did they together keep the account's limit, and use what their slots allow?

Judged by the emulator's record of calls, not by what the tasks say of themselves. Needs PostgreSQL and Redis on
this machine; the record, and what Airflow and the workers wrote, is in .fleet/ beside the Makefile.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Starting and ending processes, and asking Airflow and LeadSquared, is the same for every test that starts them.
sys.path.append(str(Path(__file__).parents[2]))

from airflow_fleet import HOME, ROOT, Fleet, running_fleet
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from support.processes import RunError, end_on_signals, leftovers

DAG, BESIDE = "example_fleet", "fleet_beside"
DAG_FILES = (ROOT / "example_dags" / f"{DAG}.py", Path(__file__).with_name(f"{BESIDE}.py"))
LEADS = 400
LEADS_BESIDE, CHUNKS_BESIDE = 30, 2
RESETS_SLOTS, TASK_SLOTS = 25, 6
BESIDE_SLOTS = 3 + 4 + CHUNKS_BESIDE * 2
"""Of the hook, the sensor and the mapped group."""
SLOTS = RESETS_SLOTS + BESIDE_SLOTS
BESIDE_AT_ONCE = 2 + CHUNKS_BESIDE
RESET = "LeadManagement.svc/Lead.Reset"
WINDOW = 5.0
WORKERS = ("w1", "w2")
RATIO, STRICT_RATIO = 1.15, 1.06
"""How much longer than the least time it may take: a busy machine starts tasks further apart."""

console = Console(width=110)


@dataclass
class Checks:
    """What has to hold, and whether it does."""

    rows: list[tuple[str, str, bool]] = field(default_factory=list)

    def add(self, what: str, found: object, good: bool) -> None:
        self.rows.append((what, str(found), good))

    @property
    def good(self) -> bool:
        return all(good for _, _, good in self.rows)

    def show(self) -> None:
        table = Table("check", "found", "")
        for what, found, good in self.rows:
            table.add_row(what, found, "[green]holds[/]" if good else "[red]FAILS[/]")
        console.print(table)


@dataclass(frozen=True)
class Plan:
    """How the leads are cut.

    :param tasks: how many tasks reset them.
    """

    tasks: int

    @property
    def leads_per_task(self) -> int:
        return math.ceil(LEADS / self.tasks)

    @property
    def at_once(self) -> int:
        """How many tasks the pool lets run."""
        return RESETS_SLOTS // TASK_SLOTS

    @property
    def concurrency(self) -> int:
        """Tasks a worker takes: few, so that both are used; more tasks than four are to wait for the pool alone."""
        return BESIDE_AT_ONCE // 2 + (2 if self.tasks <= self.at_once else self.at_once)

    @property
    def least_seconds(self) -> float:
        """From first to last call, if tasks started in no time and each slot was used at every moment."""
        rounds = math.ceil(self.tasks / self.at_once)
        return (rounds * math.ceil(self.leads_per_task / TASK_SLOTS) - 1) * WINDOW


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tasks",
        type=int,
        default=4,
        metavar="N",
        help="cut the leads for N tasks (4); the pool lets 4 run at once",
    )
    parser.add_argument("--strict", action="store_true", help=f"allow {STRICT_RATIO} of the least time only")
    given = parser.parse_args()
    plan = Plan(given.tasks)
    end_on_signals(console.print)
    began = time.monotonic()
    try:
        with running_fleet(DAG_FILES, workers=WORKERS, concurrency=plan.concurrency, slots=SLOTS) as fleet:
            up = time.monotonic()
            console.print(
                f"Up in {up - began:.0f} s: scheduler, dag-processor, api-server, {', '.join(WORKERS)}"
            )
            leads, others = seed(fleet, LEADS), seed(fleet, LEADS_BESIDE)
            chunks = [others[start::CHUNKS_BESIDE] for start in range(CHUNKS_BESIDE)]
            beside = trigger(fleet, BESIDE, {"chunks": chunks})
            run = run_dag(fleet, leads, plan)
            beside = ended(fleet, BESIDE, beside, 240.0)
            done = time.monotonic()
            checks = judge(fleet, leads, run, plan, STRICT_RATIO if given.strict else RATIO)
            judge_beside(fleet, others, beside, checks)
        down = time.monotonic()
    except RunError as error:
        console.print(f"[red]Not done:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        return 1
    left = leftovers(str(HOME))
    checks.add("nothing left running", len(left), not left)
    checks.show()
    console.print(
        f"Up {up - began:.0f} s, run {done - up:.0f} s, down {down - done:.0f} s; logs in {HOME.name}/"
    )
    return 0 if checks.good else 1


def seed(fleet: Fleet, count: int) -> list[str]:
    """Add leads, each with one activity to delete and one after the window; return their ids."""
    activities = [{"event_code": 166, "created_on": f"{year}-06-01 09:00:00"} for year in (2025, 2026)]
    added = fleet.leadsquared.ask("POST", "/seed", {"leads": [{"activities": activities}] * count})
    return list(added["lead_ids"])


def trigger(fleet: Fleet, dag_id: str, conf: dict[str, Any]) -> str:
    """Begin a run; return the path that tells of it."""
    run = fleet.airflow.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
    return f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}"


def ended(fleet: Fleet, dag_id: str, path: str, seconds: float) -> dict[str, Any]:
    """Wait for a run's end, and return the run."""
    told = time.monotonic()

    def look() -> dict[str, Any] | None:
        nonlocal told
        if time.monotonic() - told > 15:
            told = time.monotonic()
            state = fleet.leadsquared.ask("GET", "/state")
            total = LEADS + LEADS_BESIDE
            console.print(f"{state['resets']} of {total} leads, {state['throttled']} throttled")
        now: dict[str, Any] = fleet.airflow.ask("GET", path)
        return now if now["state"] in {"success", "failed"} else None

    return fleet.processes.wait_for(f"the end of {dag_id}", look, seconds, every=1.0)


def run_dag(fleet: Fleet, leads: list[str], plan: Plan) -> dict[str, Any]:
    """Trigger the DAG of the resets, wait for its end, give the run."""
    path = trigger(fleet, DAG, {"leads": leads, "leads_per_task": plan.leads_per_task})
    return ended(fleet, DAG, path, 4 * plan.least_seconds)


def judge_beside(fleet: Fleet, leads: list[str], run: dict[str, Any], checks: Checks) -> None:
    """Compare what went on beside the resets with what was promised."""
    path = f"/dags/{BESIDE}/dagRuns/{run['dag_run_id']}/taskInstances"
    tasks = fleet.airflow.ask("GET", path)["task_instances"]
    good = run["state"] == "success" and {task["state"] for task in tasks} == {"success"}
    checks.add("hook, sensor and mapped group succeeded", f"{run['state']}, {len(tasks)} tasks", good)
    calls = fleet.leadsquared.calls()
    own = {lead.lower() for lead in leads}
    resets = Counter(
        call["prospect_id"] for call in calls if call["prospect_id"] in own and call["path"] == RESET
    )
    checks.add("each of its leads reset once", f"{resets.total()} resets", resets == Counter(own))
    looks = [call["arrived"] for call in calls if call["path"].endswith("RetrieveTaskType")]
    worst = most_within(looks, WINDOW)
    checks.add("the hook keeps to its 3 slots", f"{len(looks)} calls, worst {worst}", 0 < worst <= 3)


def judge(fleet: Fleet, leads: list[str], run: dict[str, Any], plan: Plan, most_ratio: float) -> Checks:
    """Compare the emulator's record, and Airflow's, with what was promised."""
    calls = fleet.leadsquared.calls()
    (HOME / "calls.json").write_text(json.dumps(calls))
    tasks = fleet.airflow.ask("GET", f"/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances")[
        "task_instances"
    ]
    resets = sorted(
        (task for task in tasks if task["task_id"] == "reset"), key=lambda task: task["map_index"]
    )
    starts = show_tasks(resets, leads, calls, plan)

    checks = Checks()
    states = Counter(task["state"] for task in tasks)
    checks.add(
        "the run and its tasks succeeded",
        f"{run['state']}, {dict(states)}",
        run["state"] == "success" and set(states) == {"success"},
    )
    checks.add(
        "at the first try",
        max(task["try_number"] for task in tasks),
        all(task["try_number"] == 1 for task in tasks),
    )
    # The calls for the account's types name no lead; the pace below is that of all.
    own = {lead.lower() for lead in leads}
    done = Counter(
        call["prospect_id"]
        for call in calls
        if call["prospect_id"] in own and call["status"] == 200 and not call["throttled"]
    )
    once = done == Counter(own)
    checks.add(
        "every lead reset exactly once", f"{len(done)} leads, {done.total()} resets, {len(calls)} calls", once
    )
    fleet.leadsquared.ask("POST", "/apply")
    left = fleet.leadsquared.ask("GET", "/state")["records"]["activities"]
    total = LEADS + LEADS_BESIDE
    checks.add("what is after the window stays", f"{left} of {2 * total} activities", left == total)
    stamps = sorted(call["arrived"] for call in calls)
    worst = most_within(stamps, WINDOW)
    checks.add(f"no {WINDOW:g} s held more than {SLOTS} calls", f"worst {worst}", 0 < worst <= SLOTS)
    throttled = sum(call["throttled"] for call in calls)
    checks.add("throttled: none", throttled, throttled == 0)
    workers = Counter(task["hostname"] for task in resets)
    checks.add("both workers took part", dict(workers), set(workers) == set(WORKERS))
    of_resets = sorted(call["arrived"] for call in calls if call["prospect_id"] in own)
    span = of_resets[-1] - of_resets[0] if of_resets else math.inf
    ratio = span / plan.least_seconds
    apart = max(sorted(starts)[: plan.at_once], default=math.nan)
    checks.add(
        f"at most {most_ratio} × the least time of {plan.least_seconds:g} s",
        f"{span:.1f} s, ratio {ratio:.3f}; {plan.at_once} tasks started within {apart:.1f} s",
        ratio <= most_ratio,
    )
    return checks


def show_tasks(
    tasks: list[dict[str, Any]], leads: list[str], calls: list[dict[str, Any]], plan: Plan
) -> list[float]:
    """Print which worker ran what, and when its calls arrived; give when each task's first one did."""
    starts = []
    table = Table(
        "task", "worker", "state", "try", "calls", "throttled", "first call", "last call", "worst 5 s"
    )
    first = min((call["arrived"] for call in calls), default=0.0)
    for task in tasks:
        start = task["map_index"] * plan.leads_per_task
        own = {lead.lower() for lead in leads[start : start + plan.leads_per_task]}
        made = [call for call in calls if call["prospect_id"] in own]
        stamps = [call["arrived"] - first for call in made] or [math.nan]
        starts.append(min(stamps))
        table.add_row(
            f"{task['task_id']} {task['map_index']}",
            str(task["hostname"]),
            str(task["state"]),
            str(task["try_number"]),
            str(len(made)),
            str(sum(call["throttled"] for call in made)),
            f"{min(stamps):.1f} s",
            f"{max(stamps):.1f} s",
            str(most_within(stamps, WINDOW)),
        )
    console.print(table)
    return starts


def most_within(stamps: Iterable[float], seconds: float) -> int:
    """Count the most stamps that lie less than ``seconds`` apart."""
    recent: deque[float] = deque()
    most = 0
    for stamp in sorted(stamps):
        recent.append(stamp)
        while stamp - recent[0] >= seconds:
            recent.popleft()
        most = max(most, len(recent))
    return most


if __name__ == "__main__":
    sys.exit(main())
