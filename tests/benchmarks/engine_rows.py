"""Pacing alone: each way in each case in a process of its own, with a server of its own, all at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from processes import environment, python, running
from results import Row, Target
from servers import Seen, Travel, server

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


def engine_rows(*, quick: bool, progress: Callable[[str], None]) -> list[Row]:
    """Measure every case; the quick ones alone if so asked."""
    cases = [case for case in CASES if case.in_quick or not quick]
    pairs = [(case, way) for case in cases for way in WAYS]
    progress(f"{len(pairs)} ways of pacing alone, at once")

    def measure(pair: tuple[Case, str]) -> Row:
        row = _row(*pair)
        progress(f"  {row.way}: ratio {row.ratio or 0:.3f}, {row.throttled} throttled")
        return row

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(measure, pairs))


def _row(case: Case, way: str) -> Row:
    with server(case.travel) as lsq:
        # Told 25 in every case: in the last one the connection is wrong, and the answers say so.
        env = environment(AIRFLOW_CONN_LEADSQUARED_DEFAULT=lsq.connection(calls=25))
        command = python("engine_process.py", way, lsq.url, lsq.access_key, lsq.secret_key, case.leads)
        with running(command, env=env, stdout=subprocess.PIPE) as process:
            try:
                output, _ = process.communicate(timeout=MOST_SECONDS)
                note = "" if process.returncode == 0 else f"ended with status {process.returncode}"
            except subprocess.TimeoutExpired:
                output, note = "", f"not through after {MOST_SECONDS} s"
        usage = json.loads(output.splitlines()[-1]) if output and not note else {}
        seen = lsq.seen(case.leads)
    return Row(
        f"{WAYS[way]}; {case.name}",
        ratio=seen.ratio,
        throttled=seen.throttled,
        twice=seen.twice,
        lost=seen.lost,
        wall=usage.get("wall"),
        cpu=usage.get("cpu"),
        memory=usage.get("memory"),
        targets=case.targets(seen) if way == "provider" else (),
        note=note,
    )
