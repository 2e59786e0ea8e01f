"""An Airflow with a LocalExecutor on SQLite, started from nothing, and a LeadSquared account for each lane."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import leadsquared_process
import requests
from plans import CALLS_PER_5S, LATENCY
from processes import FleetError, Processes, sweep

HERE = Path(__file__).parent
HOME = HERE.parent.parent / ".kill"

_UP = 180.0
"""Seconds in which everything must be up; it takes some 25 on two idle cores."""

_HEARTBEAT_TIMEOUT = 10
"""Seconds without heartbeat after which a task counts as dead; 300 is Airflow's own. Much less, and a busy machine
would have tasks taken for dead that are not."""


class Airflow:
    """Airflow's REST API. Each thread has its own.

    :param url: the api-server.
    """

    _writing = threading.Lock()
    """Two writes at once can stop each other, as the server takes turns at them while SQLite is locked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self) -> bool:
        answer = self._session.get(f"{self.url}/auth/token", timeout=10)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call; None while what is asked for does not exist. A server's error may pass, any other ends the run."""
        with nullcontext() if method == "GET" else self._writing:
            answer = self._session.request(
                method, f"{self.url}/api/v2{path}", json=body, params=query, timeout=30
            )
        if answer.status_code == 404:
            return None
        if 400 <= answer.status_code < 500:
            raise FleetError(f"{method} {path}: {answer.status_code} {answer.text}")
        answer.raise_for_status()
        return answer.json()


class Account:
    """A lane's LeadSquared, by its control API.

    :param url: the emulator.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_emulator"
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self._session.request(method, f"{self._url}{path}", json=body, params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def seed(self, leads: int) -> list[str]:
        """Forget everything; add leads, each with one activity to delete; give their ids."""
        self.ask("POST", "/reset")
        lead = {"activities": [{"event_code": 166, "created_on": "2025-06-01 09:00:00"}]}
        return [
            lead_id.lower() for lead_id in self.ask("POST", "/seed", {"leads": [lead] * leads})["lead_ids"]
        ]

    def resets(self) -> int:
        """Count the resets accepted so far, those that are not answered yet too."""
        return int(self.ask("GET", "/state")["resets"])

    def calls(self) -> list[dict[str, Any]]:
        """Give everything it was called for."""
        found: list[dict[str, Any]] = []
        while page := self.ask("GET", "/calls", since=len(found))["calls"]:
            found += page
        return found

    def accepted(self) -> list[str]:
        """Give the lead of each accepted reset, in order. Calls that are not answered yet are not among them."""
        return [
            call["prospect_id"] for call in self.calls() if call["status"] == 200 and not call["throttled"]
        ]


class Stage:
    """What runs.

    :param airflow_url: the api-server.
    :param account_urls: a LeadSquared for each lane.
    """

    def __init__(self, processes: Processes, airflow_url: str, account_urls: list[str]) -> None:
        self.processes = processes
        self.airflow_url = airflow_url
        self.account_urls = account_urls


@contextmanager
def running_stage(lanes: int) -> Generator[Stage, None, None]:
    """Start everything; stop everything at the end, however that comes about."""
    with ExitStack() as stack:
        stack.enter_context(_only_one())
        sweep(str(HOME))  # what a run that was killed left behind
        for name in ("airflow", "logs"):
            shutil.rmtree(HOME / name, ignore_errors=True)
        url, task_url = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
        environment = _environment(url, task_url, lanes)
        processes = stack.enter_context(Processes(HOME / "logs", str(HOME), environment))
        wait = partial(processes.wait_for, seconds=_UP)

        command = [sys.executable, leadsquared_process.__file__]
        for lane in range(1, lanes + 1):
            processes.start(
                f"account-{lane}", [*command, f"--calls-per-5s={CALLS_PER_5S}", f"--latency={LATENCY}"]
            )
        airflow = [sys.executable, "-m", "airflow"]
        processes.run("migrate", [*airflow, "db", "migrate"], _UP)
        urls = []
        for lane in range(1, lanes + 1):
            greeting = json.loads(wait("LeadSquared", processes.log(f"account-{lane}").read_text))
            processes.environment[f"AIRFLOW_CONN_KILL_{lane}"] = greeting["conn_json"]
            urls.append(greeting["url"])
        # A server that waits for SQLite's lock handles nothing else, not even the task's request that holds the lock:
        # what tasks ask for goes to a server of its own.
        for app, address in (("core", url), ("execution", task_url)):
            port = address.rpartition(":")[2]
            processes.start(f"api-server-{app}", [*airflow, "api-server", "--apps", app, "--port", port])
        processes.start("dag-processor", [*airflow, "dag-processor"])
        processes.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])

        api = Airflow(url)
        wait("Airflow's api-server", api.log_in)
        # The first request builds this part of the server. Without it the first tasks would time out.
        wait("the task API", lambda: requests.get(f"{task_url}/execution/health/ping", timeout=10).ok)
        wait("the scheduler", lambda: api.ask("GET", "/monitor/health")["scheduler"]["status"] == "healthy")
        for lane in range(1, lanes + 1):
            wait("the DAGs", partial(api.ask, "PATCH", f"/dags/kill_{lane}", {"is_paused": False}))
        yield Stage(processes, url, urls)


def _environment(url: str, task_url: str, lanes: int) -> dict[str, str]:
    mine = {
        name: value
        for name, value in os.environ.items()
        # Without compiled files Airflow starts more than twice as slowly.
        if not name.startswith("AIRFLOW") and name != "PYTHONDONTWRITEBYTECODE"
    }
    settings = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__DAGS_FOLDER": str(HERE / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        # A worker that was killed keeps its place until its task counts as dead.
        "CORE__PARALLELISM": str(2 * lanes),
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__BASE_URL": url,
        "CORE__EXECUTION_API_SERVER_URL": f"{task_url}/execution/",
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(_HEARTBEAT_TIMEOUT),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        "DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL": "0",
    }
    return {
        **mine,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "KILL_LANES": str(lanes),
    }


@contextmanager
def _only_one() -> Generator[None, None, None]:
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FleetError("this checkout is being tried already: wait for it or stop it") from None
        yield


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]
