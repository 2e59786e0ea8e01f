"""What every Airflow that is started from nothing needs: an environment, and a way to ask it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import requests

from support.processes import RunError


class AirflowApi:
    """Airflow's REST API. Each thread has its own.

    :param url: the api-server.
    """

    base = "/api/v2"
    """What all paths begin with."""

    _writing = threading.Lock()
    """Two writes at once can stop each other, as the server takes turns at them while SQLite is locked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def log_in(self) -> bool:
        """Get a token, as the administrator that everybody is."""
        answer = self._session.get(f"{self.url}/auth/token", timeout=10)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def scheduler_is_healthy(self) -> bool:
        """Return whether the scheduler has just been heard of."""
        health = self.ask("GET", "/monitor/health")
        return bool(health and health["scheduler"]["status"] == "healthy")

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call; None while what is asked for does not exist. A server's error may pass, any other ends the run."""
        with nullcontext() if method == "GET" else self._writing:
            answer = self._session.request(
                method, f"{self.url}{self.base}{path}", json=body, params=query, timeout=30
            )
        if answer.status_code == 404:
            return None
        if 400 <= answer.status_code < 500:
            raise RunError(f"{method} {path}: {answer.status_code} {answer.text}")
        answer.raise_for_status()
        return answer.json()

    def start_run(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> Any:
        """Start a run without a logical date; None while there is no such DAG."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        return self.ask("POST", f"/dags/{dag_id}/dagRuns", body)

    def clear(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Clear a task of a run."""
        return self._clear(dag_id, run_id, task_id)

    def _clear(self, dag_id: str, run_id: str, task_id: str, **more: Any) -> Any:
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False, **more}
        return self.ask("POST", f"/dags/{dag_id}/clearTaskInstances", body)


def task_api_answers(url: str) -> bool:
    """Ask the part of the server that tasks use. The first request builds it, and the first tasks would time out."""
    return requests.get(f"{url}/execution/health/ping", timeout=10).ok


def airflow_environment(home: Path, settings: Mapping[str, str], **others: str) -> dict[str, str]:
    """Return this process's environment with an Airflow's settings.

    :param home: Airflow's own folder.
    :param settings: by section and name, ``CORE__EXECUTOR``; they come before those that always hold here.
    :param others: variables that are none of Airflow's.
    """
    mine = {
        name: value
        for name, value in os.environ.items()
        # Without compiled files Airflow starts more than twice as slowly.
        if not name.startswith("AIRFLOW") and name != "PYTHONDONTWRITEBYTECODE"
    }
    always = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__WORKERS": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__STALE_BUNDLE_CLEANUP_INTERVAL": "0",
    }
    return {
        **mine,
        **{f"AIRFLOW__{name}": value for name, value in {**always, **settings}.items()},
        "AIRFLOW_HOME": str(home),
        **others,
    }
