"""Pacing alone: each way in each case in a process of its own, with a server of its own, all at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from subprocess import PIPE, Popen

from bench_processes import OUT, environment, python, running
from results import Row, Target
from servers import SECONDS, Seen, Server, Travel, server

MOST_SECONDS = 700
"""A way that is not through by then is shown as it stands."""

WAYS = {
    "provider": "this operator's engine",
    "limits": "8 threads, limits 25/5 s",
    "pyrate": "8 threads, pyrate-limiter 25/5 s",
}


@dataclass(frozen=True)
class Case:
    """A number of leads and a server, and what the provider should reach there."""

    name: str
    leads: int
    travel: Travel
    ratio: float
    throttled: float
    """The most throttled calls, as a number or, below 1, as a part of all calls."""
    in_quick: bool = False

    def targets(self, seen: Seen) -> tuple[Target, ...]:
        throttled = (
            Target("throttled %", 100 * seen.throttled / max(1, seen.calls), 100 * self.throttled, 1)
            if 0 < self.throttled < 1
            else Target("throttled", seen.throttled, self.throttled, 0)
        )
        return Target("ratio", seen.ratio, self.ratio, 3), throttled, Target("lost", seen.lost, 0, 0)


CASES = (
    Case("200 leads, 300 ms", 200, Travel(), 1.03, 0, in_quick=True),
    Case("1,000 leads, 300 ms", 1000, Travel(), 1.02, 0),
    Case("1,000 leads, 50–800 ms after the stamp", 1000, Travel(after=(0.05, 0.8)), 1.02, 0),
    Case(
        "1,000 leads, 25–400 ms before and after, rejected calls count",
        1000,
        Travel(before=(0.025, 0.4), after=(0.025, 0.4), count_rejected=True),
        1.12,
        0.015,
    ),
    Case("100 leads, the account allows 10 in 5 s, told 25", 100, Travel(calls=10), 1.15, 20, in_quick=True),
)


@dataclass
class Run:
    """A way in a case, under way."""

    case: Case
    way: str
    server: Server
    process: Popen[str]
    row: Row | None = None


def engine_rows(*, quick: bool, progress: Callable[[str], None]) -> list[Row]:
    """Measure every case; the quick ones alone if so asked."""
    cases = [case for case in CASES if case.in_quick or not quick]
    pairs = [(case, way) for case in cases for way in WAYS]
    progress(f"{len(pairs)} ways of pacing alone, at once")
    with ExitStack() as stack:
        runs = [_start(stack, case, way) for case, way in pairs]
        for run in runs:
            assert run.process.stdout
            run.process.stdout.readline()
        for run in runs:
            assert run.process.stdin
            run.process.stdin.write("\n")
            run.process.stdin.flush()
            # Each sends a burst every 5 s: evenly apart, they do not wait for each other's.
            time.sleep(SECONDS / len(runs))
        until = time.monotonic() + MOST_SECONDS
        while any(run.row is None for run in runs):
            time.sleep(0.2)
            for run in runs:
                late = time.monotonic() > until
                if run.row is None and (late or run.process.poll() is not None):
                    run.row = _row(run)
                    progress(f"  {run.row.way}: ratio {run.row.ratio:.3f}, {run.row.throttled} throttled")
        return [run.row for run in runs if run.row]


def _start(stack: ExitStack, case: Case, way: str) -> Run:
    lsq = stack.enter_context(server(case.travel))
    # Told 25 in every case: in the last one the connection is wrong, and the answers say so.
    env = environment(
        AIRFLOW_CONN_LEADSQUARED_DEFAULT=lsq.connection(calls=25), AIRFLOW_HOME=str(OUT / "engine")
    )
    command = python("engine_process.py", way, lsq.url, lsq.access_key, lsq.secret_key, case.leads)
    return Run(case, way, lsq, stack.enter_context(running(command, env=env, stdin=PIPE, stdout=PIPE)))


def _row(run: Run) -> Row:
    usage, note = {}, ""
    if run.process.poll() is None:
        note = f"not through after {MOST_SECONDS} s"
    elif run.process.returncode:
        note = f"ended with status {run.process.returncode}"
    else:
        assert run.process.stdout
        usage = json.loads(run.process.stdout.readlines()[-1])
    seen = run.server.seen(run.case.leads)
    return Row(
        f"{WAYS[run.way]}; {run.case.name}",
        ratio=seen.ratio,
        throttled=seen.throttled,
        twice=seen.twice,
        lost=seen.lost,
        wall=usage.get("wall"),
        cpu=usage.get("cpu"),
        memory=usage.get("memory"),
        targets=run.case.targets(seen) if run.way == "provider" else (),
        note=note,
    )
