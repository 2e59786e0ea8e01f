"""The rows of the table, how it is shown, and how it is kept."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

COLUMNS = (
    "way",
    "wall s",
    "ratio to the limit",
    "throttled",
    "reset twice",
    "lost",
    "CPU s",
    "memory MiB",
    "figures to reach",
)

HOW_TO_READ = """\
- All rows of one table come from one run, against the emulator, which accepts 25 calls in any 5 s (10 where \
the row says so) and judges a call when it arrives. Where nothing else is said it answers 300 ms later.
- **ratio to the limit**: from the first call to the last as the server saw them, over the least time the account's \
limit allows, (⌈leads / calls⌉ − 1) · 5 s. 1.00 is as fast as the account is.
- **throttled**: calls the server turned away. **reset twice**: leads whose reset was accepted more than once. \
**lost**: leads whose reset was never accepted.
- **in Airflow**: a DAG run of its own: api-server, scheduler with LocalExecutor at its default parallelism, \
DAG processor. Wall: from the run's start to its end. CPU and memory: all of Airflow's processes, less what they \
need when idle and asked each half second how a run stands (CPU) and had just before (memory), and less the same of \
a run of one empty task; memory is the most \
seen at looks one second apart, shared pages counted once. The operator's wall includes the wait for its last \
window of 5 s, after which its pool slots are free.
- **alone**: the same pacing in one process without Airflow's scheduler, several at once. CPU and memory: that \
process past its imports.
- HttpOperator has 5 retries, 5 s apart. The thread pools try a lead 6 times, 1 s apart.
- **a file of ids**: wall: from the start of `execute` to the first call as the server saw it. Memory: the peak of \
the whole process, less the same with 1,000 ids.
- **import**: wall: `python -X importtime`, cumulative, above `airflow.sdk.BaseOperator`; median of 7.
- Figures drift by some percent from run to run, CPU most of all; a difference below 15 % in the rows in Airflow \
means nothing.
"""


@dataclass(frozen=True)
class Target:
    """A figure to reach. It never fails a run: wall time depends on the machine."""

    what: str
    value: float
    most: float
    digits: int = 2

    def __str__(self) -> str:
        missed = self.value - self.most
        # NaN, a value that was not measured, is no success.
        verdict = "reached" if missed <= 0 else f"missed by {missed:.{self.digits}f}"
        return f"{self.what} ≤ {self.most:g}: {verdict}"


@dataclass(frozen=True)
class Row:
    """One line; None for what it does not measure."""

    way: str
    wall: float | None = None
    ratio: float | None = None
    throttled: int | None = None
    twice: int | None = None
    lost: int | None = None
    cpu: float | None = None
    memory: float | None = None
    targets: tuple[Target, ...] = ()
    note: str = ""

    def cells(self) -> list[str]:
        texts = [self.note] if self.note else []
        return [
            self.way,
            _number(self.wall, 3 if self.wall is not None and self.wall < 1 else 1),
            _number(self.ratio, 3),
            _number(self.throttled, 0),
            _number(self.twice, 0),
            _number(self.lost, 0),
            _number(self.cpu, 1),
            _number(self.memory, 1),
            "; ".join([*map(str, self.targets), *texts]),
        ]


@dataclass(frozen=True)
class Section:
    name: str
    rows: Sequence[Row]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def show(sections: Sequence[Section]) -> None:
    table = Table(*COLUMNS[:1], title="LeadSquared resets, side by side", show_lines=False)
    for name in COLUMNS[1:-1]:
        table.add_column(name, justify="right")
    table.add_column(COLUMNS[-1])
    for section in sections:
        table.add_section()
        table.add_row(f"[bold]{section.name}[/]")
        for row in section.rows:
            table.add_row(*row.cells())
    # A pipe has no width, and a cut table is none.
    console = Console()
    (console if console.is_terminal else Console(width=190)).print(table)


def machine(database: str | None) -> str:
    """Describe on what the run was made, in general terms."""
    versions = [
        f"{name} {version(name)}"
        for name in (
            "apache-airflow",
            "apache-airflow-providers-http",
            "limits",
            "pyrate-limiter",
            "airflow-provider-leadreset",
        )
    ]
    parts = [
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *versions,
    ]
    return ", ".join([*parts, f"Airflow's tables in {database}"] if database else parts)


def write(path: Path, sections: Sequence[Section], database: str | None, load: float) -> None:
    """Keep the table as Markdown."""
    header = f"| {' | '.join(COLUMNS)} |"
    lines = [
        "# Side by side",
        "",
        f"Made by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine(database)}.",
    ]
    lines += [f"Load of the machine when the run began: {load:.1f}.", "", header]
    lines.append(f"|---|{'---:|' * (len(COLUMNS) - 2)}---|")
    for section in sections:
        lines.append(f"| **{section.name}** |{' |' * (len(COLUMNS) - 1)}")
        lines += [f"| {' | '.join(row.cells())} |" for row in section.rows]
    lines += ["", "## How to read it", "", HOW_TO_READ]
    text = "\n".join(lines)
    if path.exists():
        # What bench_nights.py keeps there takes another run.
        _, found, nights = path.read_text(encoding="utf-8").partition("<!-- nights -->")
        text += f"\n{found}{nights}" if found else ""
    path.write_text(text, encoding="utf-8")
