"""The moment that a run stands for, by its type and its timetable: real runs of a scheduler, on SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.airflow_api import AirflowApi, airflow_environment
from support.dag_runs import airflow_version, is_airflow_2
from support.local_airflow import local_environment, migrate, start_airflow
from support.processes import Processes, free_ports

DAGS = Path(__file__).parent / "moment_dags"
WAIT = 600.0
"""Seconds in which all runs must have ended."""

TIMETABLES = ("cron", "interval", "none")
BY_HAND = datetime(2026, 3, 5, 10, 20, 30, tzinfo=UTC)
BACKFILLED = datetime(2026, 2, 3, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    airflow_version() not in ((2, 11), (3, 3)), reason="tried on the oldest and the newest Airflow"
)


@dataclass
class Ended:
    """A run that has ended, as the database tells it."""

    run_type: str
    run_after: datetime | None
    logical_date: datetime | None
    cleared: int
    moment: datetime
    """The end of the window that was reset."""


class Moments:
    """Runs of all DAGs, by DAG and by how they came to be."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.began = datetime.now(UTC)
        self.first: dict[tuple[str, str], Ended] = {}
        self.again: dict[tuple[str, str], Ended] = {}

    def query(self, text: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(text).fetchall()

    def parsed(self) -> bool:
        """Whether the scheduler knows all DAGs."""
        return self.query("SELECT count(*) FROM serialized_dag")[0][0] >= 6

    def ended(self) -> dict[tuple[str, str], Ended]:
        """Return the runs that have ended well; the time of the window's end is what is looked at."""
        new = not is_airflow_2()
        date, after = ("logical_date", "run_after") if new else ("execution_date", "NULL")
        rows = self.query(
            f"SELECT r.dag_id, r.run_id, r.run_type, r.{date}, {after}, r.clear_number, x.value FROM dag_run r "
            "JOIN xcom x ON x.dag_id = r.dag_id AND x.run_id = r.run_id AND x.task_id = 'reset' "
            "AND x.key = 'return_value' WHERE r.state = 'success'"
        )
        found = {}
        for dag_id, run_id, run_type, logical, run_after, cleared, value in rows:
            summary = json.loads(value)
            if isinstance(summary, str):
                summary = json.loads(summary)
            how = run_type if run_type in ("scheduled", "backfill") else run_id
            found[dag_id, "asset" if dag_id == "asset" else how] = Ended(
                run_type,
                _time(run_after),
                _time(logical),
                cleared,
                _time(summary["window"].partition("/")[2]),
            )
        return found


def _time(text: str | None) -> Any:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


BACKFILLS = {(name, "backfill") for name in ("cron", "interval")}
EXPECTED = {
    *((name, how) for name in TIMETABLES for how in ("ui", "api", "operator")),
    *((name, "scheduled") for name in ("cron", "interval")),
    *BACKFILLS,
    ("asset", "asset"),
}


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Moments:
    """All runs, made as users make them, and those without a logical date cleared and run again."""
    home = tmp_path_factory.mktemp("moments")
    mark, found = uuid.uuid4().hex, Moments(home / "airflow.db")
    with LeadSquaredEmulator() as lsq:
        lsq.add_lead("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
        # Airflow 2's executor starts tasks by the program's name.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        given = {"AIRFLOW_CONN_LEADSQUARED_DEFAULT": lsq.conn_json, "PATH": path}
        ports = free_ports(2)
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        settings = {"DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"}
        if is_airflow_2():
            environment = airflow_environment(home, {**settings, "CORE__DAGS_FOLDER": str(DAGS)}, **given)
        else:
            environment = local_environment(home, DAGS, urls[0], urls[1], settings, **given)
        with Processes(home / "logs", mark, environment) as processes:
            migrate(processes)
            if is_airflow_2():
                _on_airflow_2(processes, found)
            else:
                _on_airflow_3(processes, found, urls)
    return found


def _all_ended(processes: Processes, found: Moments) -> None:
    processes.wait_for("all runs", lambda: found.ended().keys() >= EXPECTED, WAIT)
    found.first = found.ended()


def _post(processes: Processes, api: AirflowApi, path: str, body: dict[str, Any]) -> None:
    """Ask until it is done: a write may find SQLite locked, which Airflow answers as an error of the server."""
    processes.wait_for(f"POST {path}", lambda: api.ask("POST", path, body), WAIT)


def _backfill(processes: Processes, found: Moments, api: AirflowApi) -> None:
    """Ask for the backfills once nothing else runs: the scheduler's own writes lock SQLite."""
    processes.wait_for("the other runs", lambda: found.ended().keys() >= EXPECTED - BACKFILLS, WAIT)
    for name, _ in sorted(BACKFILLS):
        dates = {"from_date": BACKFILLED.isoformat(), "to_date": BACKFILLED.isoformat()}
        _post(processes, api, "/backfills", {"dag_id": name, **dates})


def _all_again(processes: Processes, found: Moments) -> None:
    cleared = {(name, "api") for name in TIMETABLES}

    def done() -> bool:
        found.again = {key: run for key, run in found.ended().items() if run.cleared}
        return found.again.keys() >= cleared

    processes.wait_for("the cleared runs", done, WAIT)


def _on_airflow_3(processes: Processes, found: Moments, urls: list[str]) -> None:
    api = start_airflow(processes, urls[0], urls[1])
    processes.wait_for("the DAGs", found.parsed, WAIT)
    for name in TIMETABLES:
        for how, date in (("ui", BY_HAND.isoformat()), ("api", None)):
            _post(processes, api, f"/dags/{name}/dagRuns", {"dag_run_id": how, "logical_date": date})
    for name in ("source", "trigger"):
        _post(processes, api, f"/dags/{name}/dagRuns", {"logical_date": None})
    _backfill(processes, found, api)
    _all_ended(processes, found)
    for name in TIMETABLES:
        _post(processes, api, f"/dags/{name}/dagRuns/api/clear", {"dry_run": False})
    _all_again(processes, found)


def _on_airflow_2(processes: Processes, found: Moments) -> None:
    airflow = (sys.executable, "-m", "airflow")
    other = [sys.executable, str(Path(__file__).parents[1] / "support" / "old_airflow_runs.py")]
    processes.start("scheduler", [*airflow, "scheduler", "--skip-serve-logs"])
    processes.wait_for("the DAGs", found.parsed, WAIT)
    processes.run("start", [*other, "start"], WAIT)
    for name in ("cron", "interval"):
        date = BACKFILLED.isoformat()
        processes.run(f"backfill-{name}", [*airflow, "dags", "backfill", "-s", date, "-e", date, name], WAIT)
    _all_ended(processes, found)
    processes.run("clear", [*other, "clear", "api", *TIMETABLES], WAIT)
    _all_again(processes, found)


@pytest.mark.parametrize("dag_id", ["cron", "interval"])
def test_scheduled_run(moments: Moments, dag_id: str) -> None:
    """A scheduled run stands for the end of its interval: the last midnight."""
    run = moments.first[dag_id, "scheduled"]
    days = {
        moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for moment in (moments.began, datetime.now(UTC))
    }
    assert run.moment in days


@pytest.mark.parametrize("dag_id", ["cron", "interval"])
def test_backfill_run(moments: Moments, dag_id: str) -> None:
    """A run of a backfill stands for the end of its interval, which the two timetables of Airflow 3 see differently."""
    at_once = dag_id == "cron" and not is_airflow_2()
    expected = BACKFILLED if at_once else BACKFILLED + timedelta(days=1)
    assert moments.first[dag_id, "backfill"].moment == expected


@pytest.mark.parametrize("dag_id", TIMETABLES)
def test_run_by_hand_with_a_date(moments: Moments, dag_id: str) -> None:
    """A run that a person starts in the interface stands for its logical date, whatever its interval."""
    run = moments.first[dag_id, "ui"]
    assert (run.run_type, run.logical_date, run.moment) == ("manual", BY_HAND, BY_HAND)


@pytest.mark.parametrize("dag_id", TIMETABLES)
@pytest.mark.parametrize("how", ["api", "operator"])
def test_run_without_a_date(moments: Moments, dag_id: str, how: str) -> None:
    """A run that nobody gave a date stands for when it was asked for."""
    run = moments.first[dag_id, how]
    due = run.logical_date or run.run_after
    assert due is not None
    assert run.moment == due.replace(microsecond=0)
    assert moments.began - timedelta(seconds=1) < run.moment < datetime.now(UTC)


def test_run_of_an_asset(moments: Moments) -> None:
    """A run that an asset made stands for when it was due; on Airflow 2 for its logical date."""
    run = moments.first["asset", "asset"]
    due = run.logical_date if is_airflow_2() else run.run_after
    assert due is not None
    assert run.moment == due.replace(microsecond=0)
    assert run.run_type == ("dataset_triggered" if is_airflow_2() else "asset_triggered")


@pytest.mark.parametrize("dag_id", TIMETABLES)
def test_cleared_run(moments: Moments, dag_id: str) -> None:
    """A run that is cleared and runs again stands for the same moment."""
    assert moments.again[dag_id, "api"].moment == moments.first[dag_id, "api"].moment


def test_no_other_runs(moments: Moments) -> None:
    """There are the runs that were asked for, shown by -s as a table, and no others."""
    for (dag_id, how), run in sorted(moments.first.items()):
        print(f"{dag_id:9} {how:10} {run.run_type:19} {run.logical_date} {run.run_after} -> {run.moment}")
    assert set(moments.first) == EXPECTED
