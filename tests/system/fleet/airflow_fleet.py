"""A whole Airflow with Celery on this machine, started from nothing, and a LeadSquared beside it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from celery import Celery
from services import postgres_database, redis_database

from support.airflow_api import AirflowApi, airflow_environment, task_api_answers
from support.leadsquared_control import LeadSquaredControl, leadsquared_command
from support.processes import Processes, free_ports, only_one, sweep

ROOT = Path(__file__).parents[3]
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
        self.broker_url = broker_url
        self.airflow = AirflowApi(airflow_url)
        self.leadsquared = LeadSquaredControl(leadsquared_url)

    def wait_until_ready(self, workers: Sequence[str], dag_ids: Sequence[str]) -> None:
        """Wait until a DAG run would start at once."""
        wait = partial(self.processes.wait_for, seconds=_UP)
        wait("Airflow's api-server", self.airflow.log_in)
        wait("the task API", lambda: task_api_answers(self.airflow.url))
        wait("the scheduler", self.airflow.scheduler_is_healthy)
        broker = Celery(broker=self.broker_url)
        wait(
            "the workers",
            lambda: (
                {f"celery@{worker}" for worker in workers}
                <= {name for pong in broker.control.ping(timeout=1) for name in pong}
            ),
        )
        broker.close()
        for name in dag_ids:
            path = f"/dags/{name}"
            wait(f"the DAG {name}", lambda path=path: self.airflow.ask("PATCH", path, {"is_paused": False}))


@contextmanager
def running_fleet(
    dag_files: Sequence[Path],
    *,
    workers: Sequence[str] = ("w1", "w2"),
    concurrency: int = 2,
    slots: int = 25,
    latency: float = 0.3,
) -> Generator[Fleet, None, None]:
    """Start everything for some DAGs; stop everything at the end, however that comes about.

    :param dag_files: the DAGs' files, each named like its DAG.
    :param workers: names of the Celery workers.
    :param concurrency: tasks that each runs at once; a sensor, a hook and a mapped group beside them need some.
    :param slots: slots of the account's pool, and calls the account has in 5 s.
    :param latency: seconds the emulator takes for a call.
    """
    with ExitStack() as stack:
        stack.enter_context(only_one(HOME))
        sweep(str(HOME))  # what a fleet that was killed left behind: it still uses the databases
        for name in ("airflow", "dags", "logs"):
            shutil.rmtree(HOME / name, ignore_errors=True)
        dags = HOME / "dags"
        dags.mkdir()
        for file in dag_files:
            shutil.copy(file, dags)
        database_url = stack.enter_context(postgres_database(HOME))
        broker_url = stack.enter_context(redis_database(HOME))
        airflow_url = f"http://127.0.0.1:{free_ports(1)[0]}"
        environment = _environment(airflow_url, database_url, broker_url)
        processes = stack.enter_context(Processes(HOME / "logs", str(HOME), environment))

        processes.start("leadsquared", leadsquared_command(slots, latency))
        airflow = [sys.executable, "-m", "airflow"]
        processes.run("migrate", [*airflow, "db", "migrate"], _UP)
        greeting = json.loads(processes.wait_for("LeadSquared", processes.log("leadsquared").read_text, _UP))
        fleet = Fleet(processes, airflow_url, greeting["url"], broker_url)
        processes.environment["AIRFLOW_CONN_LEADSQUARED_DEFAULT"] = greeting["conn_json"]
        processes.start("api-server", [*airflow, "api-server"])
        processes.start("dag-processor", [*airflow, "dag-processor"])
        processes.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])
        for worker in workers:
            options = ["--celery-hostname", worker, "--concurrency", str(concurrency)]
            quiet = ["--skip-serve-logs", "--without-mingle", "--without-gossip"]
            processes.start(worker, [*airflow, "celery", "worker", *options, *quiet], FLEET_WORKER=worker)
        fleet.wait_until_ready(workers, [file.stem for file in dag_files])
        fleet.airflow.ask("POST", "/pools", {"name": POOL, "slots": slots})
        yield fleet


def _environment(airflow_url: str, database_url: str, broker_url: str) -> dict[str, str]:
    settings = {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__DAGS_FOLDER": str(HOME / "dags"),
        "CORE__HOSTNAME_CALLABLE": "worker_name.name",
        "API__PORT": airflow_url.rpartition(":")[2],
        "API__BASE_URL": airflow_url,
        "API__SECRET_KEY": "fleet-only-" * 6,
        "API_AUTH__JWT_SECRET": "fleet-only-" * 6,
        "DATABASE__SQL_ALCHEMY_CONN": database_url,
        "CELERY__BROKER_URL": broker_url,
        "CELERY__RESULT_BACKEND": broker_url,
        # A worker notices only at a task's next heartbeat, by default after 5 s, that it has ended. The last of
        # the four tasks would wait so long for the place of the one before them.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    return airflow_environment(HOME / "airflow", settings, PYTHONPATH=str(Path(__file__).parent))
