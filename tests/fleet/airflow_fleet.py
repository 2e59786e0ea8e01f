"""A whole Airflow with Celery on this machine, started from nothing, and a LeadSquared beside it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import requests
from celery import Celery
from processes import FleetError, Processes, sweep
from services import postgres_database, redis_database

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".fleet"
POOL = "leadsquared_default"

_UP = 180.0
"""Seconds in which the fleet must be up; it takes some 25 on two idle cores."""


class Fleet:
    """What runs: ask Airflow's REST API, or the emulator's control API.

    :param processes: all that was started.
    :param airflow_url: the api-server.
    :param leadsquared_url: the emulator.
    :param broker_url: where the workers listen.
    """

    def __init__(self, processes: Processes, airflow_url: str, leadsquared_url: str, broker_url: str) -> None:
        self.processes = processes
        self.airflow_url = airflow_url
        self.leadsquared_url = leadsquared_url
        self.broker_url = broker_url
        self._session = requests.Session()

    def airflow(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call Airflow's public API; None while what it asks for does not exist."""
        answer = self._session.request(
            method, f"{self.airflow_url}/api/v2{path}", json=body, params=query, timeout=10
        )
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise FleetError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def leadsquared(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call the emulator's control API."""
        answer = requests.request(
            method, f"{self.leadsquared_url}/_emulator{path}", json=body, params=query, timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    def calls(self) -> list[dict[str, Any]]:
        """Everything the emulator was called for."""
        found: list[dict[str, Any]] = []
        while page := self.leadsquared("GET", "/calls", since=len(found))["calls"]:
            found += page
        return found

    def wait_until_ready(self, workers: Sequence[str], dag_id: str) -> None:
        """Wait until a DAG run would start at once."""
        wait = partial(self.processes.wait_for, seconds=_UP)
        wait("Airflow's api-server", self._log_in)
        # The first request builds this part of the server. Without it the first tasks would time out.
        wait("the task API", lambda: requests.get(f"{self.airflow_url}/execution/health/ping", timeout=10).ok)
        wait("the scheduler", self._scheduler_is_healthy)
        broker = Celery(broker=self.broker_url)
        wait(
            "the workers",
            lambda: (
                {f"celery@{worker}" for worker in workers}
                <= {name for pong in broker.control.ping(timeout=1) for name in pong}
            ),
        )
        broker.close()
        wait("the DAG", lambda: self.airflow("PATCH", f"/dags/{dag_id}", {"is_paused": False}))

    def _log_in(self) -> bool:
        answer = self._session.get(f"{self.airflow_url}/auth/token", timeout=10)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def _scheduler_is_healthy(self) -> bool:
        health = self.airflow("GET", "/monitor/health")
        return bool(health and health["scheduler"]["status"] == "healthy")


@contextmanager
def running_fleet(
    dag_id: str,
    *,
    workers: Sequence[str] = ("w1", "w2"),
    concurrency: int = 2,
    slots: int = 25,
    latency: float = 0.3,
) -> Generator[Fleet, None, None]:
    """Start everything for one example DAG; stop everything at the end, however that comes about.

    :param dag_id: the DAG, and the file it is in.
    :param workers: names of the Celery workers.
    :param concurrency: tasks that each runs at once.
    :param slots: slots of the account's pool, and calls the account has in 5 s.
    :param latency: seconds the emulator takes for a call.
    """
    with ExitStack() as stack:
        stack.enter_context(_only_one())
        sweep(str(HOME))  # what a fleet that was killed left behind: it still uses the databases
        for name in ("airflow", "dags", "logs"):
            shutil.rmtree(HOME / name, ignore_errors=True)
        dags = HOME / "dags"
        dags.mkdir()
        shutil.copy(ROOT / "example_dags" / f"{dag_id}.py", dags)
        database_url = stack.enter_context(postgres_database(HOME))
        broker_url = stack.enter_context(redis_database(HOME))
        airflow_url = f"http://127.0.0.1:{_free_port()}"
        environment = _environment(airflow_url, database_url, broker_url)
        processes = stack.enter_context(Processes(HOME / "logs", str(HOME), environment))
        fleet = Fleet(processes, airflow_url, "", broker_url)

        command = [sys.executable, str(Path(__file__).with_name("leadsquared_process.py"))]
        processes.start("leadsquared", [*command, f"--calls-per-5s={slots}", f"--latency={latency}"])
        airflow = [sys.executable, "-m", "airflow"]
        processes.run("migrate", [*airflow, "db", "migrate"], _UP)
        greeting = json.loads(processes.wait_for("LeadSquared", processes.log("leadsquared").read_text, _UP))
        fleet.leadsquared_url = greeting["url"]
        processes.environment["AIRFLOW_CONN_LEADSQUARED_DEFAULT"] = greeting["conn_json"]
        processes.start("api-server", [*airflow, "api-server"])
        processes.start("dag-processor", [*airflow, "dag-processor"])
        processes.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])
        for worker in workers:
            options = ["--celery-hostname", worker, "--concurrency", str(concurrency)]
            quiet = ["--skip-serve-logs", "--without-mingle", "--without-gossip"]
            processes.start(worker, [*airflow, "celery", "worker", *options, *quiet], FLEET_WORKER=worker)
        fleet.wait_until_ready(workers, dag_id)
        fleet.airflow("POST", "/pools", {"name": POOL, "slots": slots})
        yield fleet


def _environment(airflow_url: str, database_url: str, broker_url: str) -> dict[str, str]:
    mine = {
        name: value
        for name, value in os.environ.items()
        # Without compiled files Airflow starts more than twice as slowly.
        if not name.startswith("AIRFLOW") and name != "PYTHONDONTWRITEBYTECODE"
    }
    settings = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__DAGS_FOLDER": str(HOME / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__HOSTNAME_CALLABLE": "worker_name.name",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__PORT": airflow_url.rpartition(":")[2],
        "API__BASE_URL": airflow_url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": "fleet-only-" * 6,
        "API_AUTH__JWT_SECRET": "fleet-only-" * 6,
        "DATABASE__SQL_ALCHEMY_CONN": database_url,
        "CELERY__BROKER_URL": broker_url,
        "CELERY__RESULT_BACKEND": broker_url,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        # A worker notices only at a task's next heartbeat, by default after 5 s, that it has ended. The last of
        # the four tasks would wait so long for the place of the one before them.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL": "0",
    }
    return {
        **mine,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "PYTHONPATH": str(Path(__file__).parent),
    }


@contextmanager
def _only_one() -> Generator[None, None, None]:
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FleetError("a fleet of this checkout is running already: wait for it or stop it") from None
        yield


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
