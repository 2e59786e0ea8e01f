"""An Airflow with a scheduler, for the time of a measurement: nothing of the user's own is used or changed."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from subprocess import STDOUT, Popen, run
from typing import Any

import requests
from bench_processes import OUT, Load, environment, load_of, running

GIVE_UP_AFTER = 120.0
LOOK_EVERY = 0.5
PARTS = ("api-server", "scheduler", "dag-processor")
POSTGRES = os.environ.get("BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
"""A server where a database of its own may be made; without one SQLite is used."""


class LocalAirflow:
    """A running Airflow, by its REST API."""

    def __init__(self, url: str, processes: Sequence[Popen[str]], database_kind: str) -> None:
        self.url = url
        self.database_kind = database_kind
        self._processes = processes
        self._last = ""
        self._session = requests.Session()
        self._session.trust_env = False

    def wait_until_up(self) -> None:
        def healthy() -> bool:
            health = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=10).json()
            # The API for tasks builds itself on its first request, which takes seconds.
            ping = self._session.get(f"{self.url}/execution/health/ping", timeout=20)
            return bool(health["scheduler"]["status"] == "healthy" and ping.ok)

        self._poll(healthy, "Airflow came up")
        token = self._session.get(f"{self.url}/auth/token", timeout=20).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def make_pool(self, name: str, slots: int) -> None:
        self._ask("POST", "pools", {"name": name, "slots": slots, "include_deferred": False})

    def wait_for_dags(self, names: Sequence[str]) -> None:
        self._poll(lambda: all(self._get(f"dags/{name}").ok for name in names), "the DAGs were parsed")

    def run(self, dag: str, most_seconds: float) -> tuple[float, str]:
        """Run a DAG once; return the seconds it took and its state, ``running`` if it was given up."""
        run_id = self._ask("POST", f"dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
        self._last = f"dags/{dag}/dagRuns/{run_id}"
        until = time.monotonic() + most_seconds
        while True:
            found = self.look_at_last_run()
            if found["state"] in ("success", "failed"):
                began, ended = (datetime.fromisoformat(found[name]) for name in ("start_date", "end_date"))
                return (ended - began).total_seconds(), found["state"]
            if time.monotonic() > until:
                # Else its tasks would go on beside the next way's.
                self._ask("PATCH", self._last, {"state": "failed"})
                return most_seconds, "given up"
            time.sleep(LOOK_EVERY)

    def look_at_last_run(self) -> dict[str, Any]:
        """Ask how the last run stands. That costs Airflow CPU, as :meth:`run` does each half second."""
        return self._ask("GET", self._last)

    def load(self) -> Load:
        """Return what all processes use now."""
        return load_of([process.pid for process in self._processes])

    def _get(self, path: str) -> requests.Response:
        return self._session.get(f"{self.url}/api/v2/{path}", timeout=30)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._session.request(method, f"{self.url}/api/v2/{path}", json=body, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _poll(self, good: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + GIVE_UP_AFTER
        while time.monotonic() < until:
            for name, process in zip(PARTS, self._processes, strict=True):
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended by itself: see {OUT.name}/{name}.log")
            with suppress(requests.RequestException, ValueError, KeyError):
                if good():
                    return
            time.sleep(0.3)
        raise RuntimeError(f"{GIVE_UP_AFTER:g} s went by before {what}: see {OUT.name}/*.log")


@contextmanager
def local_airflow(dags: Path, variables: dict[str, str]) -> Generator[LocalAirflow, None, None]:
    """Run api-server, scheduler (LocalExecutor) and dag-processor; end them and remove their database."""
    home = OUT / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        kind, database = stack.enter_context(_database(home))
        env = environment(
            AIRFLOW_HOME=str(home),
            AIRFLOW__CORE__DAGS_FOLDER=str(dags),
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__CORE__EXECUTOR="LocalExecutor",
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{url}/execution/",
            AIRFLOW__API__HOST="127.0.0.1",
            AIRFLOW__API__PORT=str(port),
            AIRFLOW__API__BASE_URL=url,
            AIRFLOW__API__WORKERS="1",
            AIRFLOW__API__SECRET_KEY=secrets.token_hex(32),
            AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(64),
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=database,
            # Parsing again and again would be counted to the way that runs meanwhile.
            AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL="3600",
            AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES="1",
            **variables,
        )
        with (OUT / "migrate.log").open("w") as log:
            run(_command("db", "migrate"), env=env, check=True, stdout=log, stderr=STDOUT)
        processes = []
        for part in PARTS:
            log = stack.enter_context((OUT / f"{part}.log").open("w"))
            processes.append(stack.enter_context(running(_command(part), env=env, stdout=log, stderr=STDOUT)))
        airflow = LocalAirflow(url, processes, kind)
        airflow.wait_until_up()
        yield airflow


@contextmanager
def _database(home: Path) -> Generator[tuple[str, str], None, None]:
    """Return the kind of database and its address: one of its own on PostgreSQL, else a file."""
    import psycopg2

    try:
        connection = psycopg2.connect(POSTGRES, connect_timeout=3)
    except psycopg2.OperationalError:
        yield "SQLite", f"sqlite:///{home}/airflow.db"
        return
    name = f"leadreset_bench_{os.getpid()}"
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                base = POSTGRES.rpartition("/")[0].replace("postgresql://", "postgresql+psycopg2://")
                yield f"PostgreSQL {connection.server_version // 10000}", f"{base}/{name}"
            finally:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        connection.close()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
