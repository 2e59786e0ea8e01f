"""What the operator costs apart from its calls: memory for a large file, and time in every DAG parse."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench_processes import OUT, environment, python
from results import Row, Target
from servers import Travel, server
from work import lead_id

MANY, FEW = 1_000_000, 1_000
OURS = "airflow_provider_leadreset.operators.lead_reset"
HTTP = "airflow.providers.http.operators.http"
FAMILIES = ("requests", "tenacity")
"""Libraries that no DAG parse should load for this operator."""


def file_rows(progress: Callable[[str], None]) -> list[Row]:
    """Measure the operator with a file of a million ids, against one of a thousand."""
    progress(f"a file of {MANY:,} ids and one of {FEW:,}")
    few, many = _file(FEW), _file(MANY)
    difference = many["peak"] - few["peak"]
    first = math.nan if many["first"] is None else many["first"]
    note = "" if many["first"] and few["first"] else many["problem"] or few["problem"]
    return [
        Row(f"a file of {FEW:,} ids", wall=few["first"], cpu=few["cpu"]),
        Row(
            f"a file of {MANY:,} ids",
            wall=many["first"],
            cpu=many["cpu"],
            memory=difference,
            targets=(
                Target("s to the first call", first, 10, 1),
                Target("MiB more", difference, 30, 1),
            ),
            note=note,
        ),
    ]


def _file(count: int) -> dict[str, Any]:
    path = OUT / f"leads-{count}.txt"
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{lead_id(number)}\n" for number in range(count))
    try:
        with server(Travel()) as lsq:
            env = environment(
                AIRFLOW_HOME=str(OUT / "file"), AIRFLOW_CONN_LEADSQUARED_DEFAULT=lsq.connection()
            )
            done = subprocess.run(
                python("file_process.py", path, lsq.url, count),
                env=env, check=True, text=True, capture_output=True, timeout=120,
            )  # fmt: skip
    finally:
        path.unlink()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def import_rows(runs: int, progress: Callable[[str], None]) -> list[Row]:
    """Measure what a DAG file pays for importing the operator, and HttpOperator beside it."""
    progress("imports")
    rows = []
    for module in (OURS, HTTP):
        found = [_import(module) for _ in range(runs)]
        seconds = statistics.median(spent for spent, _ in found)
        names = found[0][1]
        unwanted = sorted({name.partition(".")[0] for name in names} & set(FAMILIES))
        targets = (
            Target("ms", 1000 * seconds, 15, 1),
            Target("new modules", len(names), 25, 0),
            Target(f"of {', '.join(FAMILIES)}", len(unwanted), 0, 0),
        )
        loads = f"{len(names)} new modules" + (f", {', '.join(unwanted)} among them" if unwanted else "")
        rows.append(
            Row(
                f"import {'this operator' if module == OURS else 'HttpOperator'}",
                wall=seconds,
                targets=targets if module == OURS else (),
                note=loads,
            )
        )
    return rows


def _import(module: str) -> tuple[float, list[str]]:
    mark = "above BaseOperator"
    code = (
        f"from airflow.sdk import BaseOperator; import sys; print('{mark}', file=sys.stderr); import {module}"
    )
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        env=environment(AIRFLOW_HOME=str(OUT / "import")), check=True, text=True, capture_output=True,
    )  # fmt: skip
    lines = done.stderr.partition(f"{mark}\n")[2].splitlines()
    spent, names = 0.0, []
    for line in lines:
        if not line.startswith("import time:"):
            continue
        _, cumulative, name = line.removeprefix("import time:").split("|")
        names.append(name.strip())
        # One blank before the name: imported by the command itself, so its sum holds all below it.
        if not name.startswith("  "):
            spent += int(cumulative) / 1e6
    return spent, names
