"""Resets by this operator and by what people use today, measured side by side against the emulator.

It judges nothing by its exit status, which only says whether everything ran: how fast a machine is, is no error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time

from airflow_rows import LEADS, airflow_rows
from bench_processes import HERE, OUT
from cost_rows import file_rows, import_rows
from engine_rows import engine_rows
from results import Section, show, write

PARTS = ("costs", "airflow", "engine")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure resets side by side, against the emulator.")
    parser.add_argument(
        "--quick", action="store_true", help="what needs no Airflow and few leads: under 2 minutes"
    )
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    parser.add_argument(
        "--leads", type=int, default=LEADS, help=f"for the rows in Airflow (default: {LEADS})"
    )
    given = parser.parse_args()
    # So that a terminated run, too, ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load, began = os.getloadavg()[0], time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    # Whatever the user's git is told to ignore, a run's logs are not for it.
    (OUT / ".gitignore").write_text("*\n")
    parts = {given.only} if given.only else {"costs", "engine"} if given.quick else set(PARTS)

    def progress(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    sections: list[Section] = []
    database = None
    costs: list[Section] = []
    if "costs" in parts:
        # First, while nothing else of this run disturbs the short times.
        rows = import_rows(3 if given.quick else 7, progress)
        costs.append(Section("beside the calls", [*file_rows(progress), *rows]))
    if "airflow" in parts:
        rows, database = airflow_rows(given.leads, progress)
        sections.append(Section(f"in Airflow, {given.leads} leads, 300 ms", rows))
    if "engine" in parts:
        sections.append(Section("alone", engine_rows(quick=given.quick, progress=progress)))
    sections += costs
    show(sections)
    if parts == set(PARTS):
        # A part of the table must not take the place of the whole.
        write(HERE / "RESULTS.md", sections, database, load)
        print(f"Kept in tests/system/benchmarks/RESULTS.md; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
