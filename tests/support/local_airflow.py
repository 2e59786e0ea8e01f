"""An Airflow with a LocalExecutor on SQLite, from nothing: its settings, its processes, and when it is ready."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from support.airflow_api import AirflowApi, airflow_environment, task_api_answers
from support.processes import Processes

UP = 180.0
"""Seconds in which everything must be up; it takes some 25 on two idle cores."""

_AIRFLOW = (sys.executable, "-m", "airflow")


def local_environment(
    home: Path, dags: Path, url: str, task_url: str, settings: Mapping[str, str], **others: str
) -> dict[str, str]:
    """Return the environment for :func:`migrate` and :func:`start_airflow`.

    :param home: Airflow's own folder.
    :param dags: the DAG files.
    :param url: where the api-server is to be.
    :param task_url: where the tasks' own api-server is to be.
    :param settings: more settings, or others.
    :param others: variables that are none of Airflow's.
    """
    mine = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__EXECUTION_API_SERVER_URL": f"{task_url}/execution/",
        "API__BASE_URL": url,
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    }
    return airflow_environment(home, {**mine, **settings}, **others)


def migrate(processes: Processes) -> None:
    """Make the database."""
    processes.run("migrate", [*_AIRFLOW, "db", "migrate"], UP)


def start_airflow(processes: Processes, url: str, task_url: str) -> AirflowApi:
    """Start all of Airflow that listens on 127.0.0.1 only, and wait until a DAG run would start at once.

    ``airflow standalone`` would be one process, but its log servers listen on every interface.
    """
    # A server that waits for SQLite's lock handles nothing else, not even the task's request that holds the lock:
    # what tasks ask for goes to a server of its own.
    for app, address in (("core", url), ("execution", task_url)):
        port = address.rpartition(":")[2]
        processes.start(f"api-server-{app}", [*_AIRFLOW, "api-server", "--apps", app, "--port", port])
    processes.start("dag-processor", [*_AIRFLOW, "dag-processor"])
    processes.start("scheduler", [*_AIRFLOW, "scheduler", "--skip-serve-logs"])
    api = AirflowApi(url)
    wait = partial(processes.wait_for, seconds=UP)
    wait("Airflow's api-server", api.log_in)
    wait("the task API", lambda: task_api_answers(task_url))
    wait("the scheduler", api.scheduler_is_healthy)
    return api
