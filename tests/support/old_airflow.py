"""An Airflow 2.11 with a LocalExecutor on SQLite, from nothing: settings, processes, and a way to ask it."""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from support.airflow_api import AirflowApi, airflow_environment
from support.local_airflow import UP
from support.processes import Processes

_AIRFLOW = (sys.executable, "-m", "airflow")

_EVERYBODY_IS_ADMINISTRATOR = 'AUTH_ROLE_PUBLIC = "Admin"\n'
"""The web server's settings. To check a password takes a third of a second each time."""


class OldAirflowApi(AirflowApi):
    """Airflow 2's REST API, asked as that of Airflow 3."""

    base = "/api/v1"

    def log_in(self) -> bool:
        """Return whether the server answers: it asks for no password."""
        return self.ask("GET", "/health") is not None

    def scheduler_is_healthy(self) -> bool:
        """Return whether the scheduler has just been heard of."""
        health = self.ask("GET", "/health")
        return bool(health and health["scheduler"]["status"] == "healthy")

    def start_run(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Any:
        """Start a run; None while there is no such DAG."""
        return self.ask("POST", f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "conf": conf})

    def clear(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Clear a task of a run."""
        return self._clear(dag_id, run_id, task_id, reset_dag_runs=True)


def old_environment(
    home: Path, dags: Path, url: str, settings: Mapping[str, str], **others: str
) -> dict[str, str]:
    """Return the environment for :func:`.migrate` and :func:`start_old_airflow`; see :func:`.local_environment`."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "webserver_config.py").write_text(_EVERYBODY_IS_ADMINISTRATOR)
    mine = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__DAGS_FOLDER": str(dags),
        # One that writes makes the others wait, and they must do so for longer than 5 s.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "API__AUTH_BACKENDS": "airflow.api.auth.backend.default",
        "WEBSERVER__BASE_URL": url,
        "WEBSERVER__SECRET_KEY": secrets.token_hex(32),
        # On a busy machine the server takes its own master for dead.
        "WEBSERVER__WEB_SERVER_MASTER_TIMEOUT": "3600",
        "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "3600",
        "SCHEDULER__PARSING_PROCESSES": "1",
        "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
        "SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return airflow_environment(
        home,
        {**mine, **settings},
        # Airflow 2 allows SQLite for one task at a time only, unless this is set: several wait for each other.
        _AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK="1",
        # Tasks are started by the program's name.
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **others,
    )


def start_old_airflow(processes: Processes, url: str) -> OldAirflowApi:
    """Start the scheduler and the web server, on 127.0.0.1 only, and wait until a DAG run would start at once."""
    with closing(sqlite3.connect(Path(processes.environment["AIRFLOW_HOME"], "airflow.db"))) as database:
        database.execute("PRAGMA journal_mode=WAL")  # who reads waits for nobody then
    port = url.rpartition(":")[2]
    processes.start(
        "webserver",
        [*_AIRFLOW, "webserver", "--hostname", "127.0.0.1", "--port", port, "--workers", "1"],
    )
    processes.start("scheduler", [*_AIRFLOW, "scheduler", "--skip-serve-logs"])
    api = OldAirflowApi(url)
    wait = partial(processes.wait_for, seconds=UP)
    wait("Airflow's web server", api.log_in)
    wait("the scheduler", api.scheduler_is_healthy)
    return api
