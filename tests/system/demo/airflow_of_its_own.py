"""An Airflow for the demo: its own home, its own database; the user's is not touched."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[3]
START_WITHIN = 90.0


def prepare(home: Path) -> None:
    """Set the environment and make the database."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    port = free_port()
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "example_dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__API__HOST="127.0.0.1",
        AIRFLOW__API__PORT=str(port),
        AIRFLOW__API__BASE_URL=f"http://127.0.0.1:{port}",
        AIRFLOW__API__WORKERS="1",
        AIRFLOW__API_AUTH__JWT_SECRET="demo-only-" * 8,
        AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
        AIRFLOW__LOGGING__NAMESPACE_LEVELS=(
            "airflow.task.operators.airflow_provider_leadreset=INFO "
            "airflow.task.sensors.airflow_provider_leadreset=INFO"
        ),
    )
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_dag(dag_id: str, **conf: Any) -> str:
    """Run an example DAG once, in this process; return the run's final state."""
    path = ROOT / "example_dags" / f"{dag_id}.py"
    spec = importlib.util.spec_from_file_location(dag_id, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag_run = getattr(module, dag_id)().test(run_conf=conf)
    return str(dag_run.state.value)


@contextlib.contextmanager
def api_server(log: Path) -> Iterator[Callable[[], str]]:
    """Airflow's API, as a process of its own; gives what waits until it answers, and returns its address."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "api-server"],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    base = os.environ["AIRFLOW__API__BASE_URL"]

    def address() -> str:
        wait_for(lambda: requests.get(f"{base}/api/v2/monitor/health", timeout=5).ok, process)
        return base

    try:
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def wait_for(ready: Any, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            if ready():
                return
        time.sleep(0.2)
    raise RuntimeError(f"Airflow's API did not start within {START_WITHIN:.0f} s")


class Approver(threading.Thread):
    """A person who reads the first question under Required Actions, types what tells the plan, and says yes.

    All by Airflow's API.
    """

    def __init__(self, base: str) -> None:
        super().__init__(daemon=True)
        self._base = base
        self.read: str | None = None
        """The text that was approved."""

    def run(self) -> None:
        token = requests.get(f"{self._base}/auth/token", timeout=10).json()["access_token"]
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline and self.read is None:
            waiting = session.get(
                f"{self._base}/api/v2/dags/~/dagRuns/~/hitlDetails",
                params={"response_received": "false"},
                timeout=10,
            ).json()["hitl_details"]
            for question in waiting:
                of = question["task_instance"]
                digest = re.findall(r"digest begins with `([0-9a-f]{8})`", question["body"])[0]
                answer = session.patch(
                    f"{self._base}/api/v2/dags/{of['dag_id']}/dagRuns/{of['dag_run_id']}/taskInstances/"
                    f"{of['task_id']}/{of['map_index']}/hitlDetails",
                    json={"chosen_options": ["Approve"], "params_input": {"digest": digest}},
                    timeout=10,
                )
                answer.raise_for_status()
                self.read = question["body"]
            time.sleep(0.3)
