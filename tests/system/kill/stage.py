"""An Airflow with a LocalExecutor on SQLite, started from nothing, and a LeadSquared account for each lane."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from plans import ARCHIVED_CALLS_PER_5S, CALLS_PER_5S, LATENCY, PART_LEADS

from support.airflow_api import AirflowApi
from support.dag_runs import is_airflow_2
from support.leadsquared_control import LeadSquaredControl, leadsquared_command
from support.local_airflow import UP, local_environment, migrate, start_airflow
from support.old_airflow import OldAirflowApi, old_environment, start_old_airflow
from support.processes import Processes, free_ports, only_one, sweep

HERE = Path(__file__).parent
HOME = HERE.parents[2] / ".kill"
EVIDENCE = HOME / "evidence"

_HEARTBEAT_TIMEOUT = 10
"""Seconds without heartbeat after which a task counts as dead; 300 is Airflow's own. Much less, and a busy machine
would have tasks taken for dead that are not."""


class Account(LeadSquaredControl):
    """A lane's LeadSquared, by its control API."""

    def seed(self, leads: int) -> list[str]:
        """Forget everything; add leads, each with one activity to delete; return their ids."""
        self.ask("POST", "/reset")
        lead = {"activities": [{"event_code": 166, "created_on": "2025-06-01 09:00:00"}]}
        return [
            lead_id.lower() for lead_id in self.ask("POST", "/seed", {"leads": [lead] * leads})["lead_ids"]
        ]

    def resets(self) -> int:
        """Count the resets accepted so far, those that are not answered yet too."""
        return int(self.ask("GET", "/state")["resets"])

    def called(self) -> int:
        """Count all calls so far."""
        return int(self.ask("GET", "/state")["calls"])

    def accepted(self) -> list[str]:
        """Return the lead of each accepted reset, in order. Calls that are not answered yet are not among them."""
        return [
            call["prospect_id"]
            for call in self.calls()
            if is_reset(call) and call["status"] == 200 and not call["throttled"]
        ]


def is_reset(call: Mapping[str, Any]) -> bool:
    """Return whether a recorded call deletes; all others only read."""
    return bool(call["path"].endswith("Lead.Reset"))


class Stage:
    """What runs.

    :param airflow_url: where Airflow's REST API is.
    :param account_urls: a LeadSquared for each lane.
    """

    def __init__(self, processes: Processes, airflow_url: str, account_urls: list[str]) -> None:
        self.processes = processes
        self.airflow_url = airflow_url
        self.account_urls = account_urls

    def airflow_api(self) -> AirflowApi:
        """Return a way to ask Airflow, for one thread."""
        return OldAirflowApi(self.airflow_url) if is_airflow_2() else AirflowApi(self.airflow_url)


@contextmanager
def running_stage(
    lanes: int, *, archived: bool, kept: bool = True, retries: int = 2
) -> Generator[Stage, None, None]:
    """Start everything; stop everything at the end, however that comes about.

    :param archived: whether the resets keep copies, in :data:`EVIDENCE`.
    :param kept: whether they keep evidence there.
    :param retries: of the tasks.
    """
    with ExitStack() as stack:
        stack.enter_context(only_one(HOME))
        sweep(str(HOME))  # what a run that was killed left behind
        for name in ("airflow", "logs", EVIDENCE.name):
            shutil.rmtree(HOME / name, ignore_errors=True)
        url, task_url = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        environment = _environment(url, task_url, lanes, archived=archived, kept=kept, retries=retries)
        processes = stack.enter_context(Processes(HOME / "logs", str(HOME), environment))
        wait = partial(processes.wait_for, seconds=UP)

        command = leadsquared_command(ARCHIVED_CALLS_PER_5S if archived else CALLS_PER_5S, LATENCY)
        for lane in range(1, lanes + 1):
            processes.start(f"account-{lane}", command)
        migrate(processes)
        urls = []
        for lane in range(1, lanes + 1):
            greeting = json.loads(wait("LeadSquared", processes.log(f"account-{lane}").read_text))
            processes.environment[f"AIRFLOW_CONN_KILL_{lane}"] = greeting["conn_json"]
            urls.append(greeting["url"])
        api = start_old_airflow(processes, url) if is_airflow_2() else start_airflow(processes, url, task_url)
        for lane in range(1, lanes + 1):
            wait("the DAGs", partial(api.ask, "PATCH", f"/dags/kill_{lane}", {"is_paused": False}))
        yield Stage(processes, url, urls)


def _environment(
    url: str, task_url: str, lanes: int, *, archived: bool, kept: bool, retries: int
) -> dict[str, str]:
    settings = {
        # A worker that was killed keeps its place until its task counts as dead.
        "CORE__PARALLELISM": str(2 * lanes),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(_HEARTBEAT_TIMEOUT),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
        # As Airflow 2 calls them.
        "SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": str(_HEARTBEAT_TIMEOUT),
        "SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "1",
    }
    others = {"KILL_LANES": str(lanes), "KILL_RETRIES": str(retries)}
    if kept:
        others["KILL_EVIDENCE"] = EVIDENCE.as_uri()
    if archived:
        others["KILL_PART_LEADS"] = str(PART_LEADS)
    if is_airflow_2():
        return old_environment(HOME / "airflow", HERE / "dags", url, settings, **others)
    return local_environment(HOME / "airflow", HERE / "dags", url, task_url, settings, **others)
