"""Each way as a DAG run in a real Airflow, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench_airflow import LOOK_EVERY, LocalAirflow, local_airflow
from bench_processes import HERE, Load
from results import Row, Target
from servers import Server, Travel, server

LEADS = 200
MOST_SECONDS = 400

WAYS = {
    "bench_operator": "this operator",
    "bench_limits": "one task, 8 threads, limits 25/5 s",
    "bench_pyrate": "one task, 8 threads, pyrate-limiter 25/5 s",
    "bench_http_expand_pool": "HttpOperator.expand, pool of 5",
    "bench_http_expand": "HttpOperator.expand",
}


@dataclass(frozen=True)
class Run:
    """What one DAG run took: ``cpu`` seconds and growth of ``memory`` are of all of Airflow."""

    wall: float
    state: str
    cpu: float
    memory: float


def airflow_rows(leads: int, progress: Callable[[str], None]) -> tuple[list[Row], str]:
    """Measure every way; also say where Airflow kept its tables."""
    with server(Travel()) as lsq:
        variables = {
            "BENCH_LEADS": str(leads),
            "BENCH_URL": lsq.url,
            "BENCH_HEADERS": lsq.headers_json(),
            "AIRFLOW_CONN_LEADSQUARED_DEFAULT": lsq.connection(),
            "AIRFLOW_CONN_BENCH_HTTP": lsq.http_connection(),
        }
        progress("starting Airflow")
        with local_airflow(HERE / "dags", variables) as airflow:
            airflow.make_pool("leadsquared_default", 25)
            airflow.make_pool("bench_5", 5)
            airflow.wait_for_dags(["bench_empty", *WAYS])
            _run(airflow, "bench_empty")  # the first task of an Airflow loads much
            idle = _idle(airflow)
            empty = _run(airflow, "bench_empty")
            spare = Load(empty.cpu - idle * empty.wall, empty.memory)
            progress(
                f"  idle: {idle:.2f} CPU s/s; an empty task: {spare.cpu:.1f} CPU s, {spare.memory:.0f} MiB"
            )
            rows = [_row(airflow, lsq, dag, leads, idle, spare, progress) for dag in WAYS]
    return rows, airflow.database_kind


def _row(
    airflow: LocalAirflow,
    lsq: Server,
    dag: str,
    leads: int,
    idle: float,
    spare: Load,
    progress: Callable[[str], None],
) -> Row:
    time.sleep(6)  # the account's window and the schedulers' rest of work from the run before
    lsq.forget_calls()
    run = _run(airflow, dag)
    seen = lsq.seen(leads)
    cpu = run.cpu - idle * run.wall - spare.cpu
    progress(f"  {WAYS[dag]}: {run.wall:.0f} s, ratio {seen.ratio:.2f}, {seen.throttled} throttled")
    targets = (
        Target("ratio", seen.ratio, 1.03, 3),
        Target("throttled", seen.throttled, 0, 0),
        Target("lost", seen.lost, 0, 0),
        Target("CPU s", cpu, 2, 1),
    )
    return Row(
        WAYS[dag],
        wall=run.wall,
        ratio=seen.ratio,
        throttled=seen.throttled,
        twice=seen.twice,
        lost=seen.lost,
        cpu=cpu,
        memory=run.memory - spare.memory,
        targets=targets if dag == "bench_operator" else (),
        note="" if run.state == "success" else f"the run: {run.state}",
    )


def _idle(airflow: LocalAirflow, seconds: float = 20.0) -> float:
    """Return the CPU seconds that Airflow needs each second without any task, asked as often as during a run."""
    time.sleep(2)
    before, began = airflow.load().cpu, time.monotonic()
    while time.monotonic() < began + seconds:
        airflow.look_at_last_run()
        time.sleep(LOOK_EVERY)
    return (airflow.load().cpu - before) / (time.monotonic() - began)


def _run(airflow: LocalAirflow, dag: str) -> Run:
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(1.0):
            peak.append(airflow.load().memory)

    before = airflow.load()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        wall, state = airflow.run(dag, MOST_SECONDS)
        time.sleep(1.0)  # until the last task's process is gone, and counted to its parent
        after = airflow.load()
    finally:
        stop.set()
        watcher.join()
    # Airflow's own size grows from run to run, so each is compared with the moment before it.
    return Run(wall, state, after.cpu - before.cpu, max(*peak, before.memory) - before.memory)
