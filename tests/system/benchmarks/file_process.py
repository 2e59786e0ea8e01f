"""The operator with a file of ids, stopped after its first calls: ``file_process.py PATH URL COUNT``.

Tells the seconds from the start of ``execute`` to the first call as the server saw it, and the peak memory.
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import requests
from work import CONTROL, EVENT_CODES, WINDOW, measured, peak_memory, tell

from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator

ENOUGH = 25
"""Calls after which the operator is stopped: the first window's."""


def context() -> Any:
    """Return what a task would be given; no scheduler is needed to read a file."""
    now = datetime.now(UTC)
    names: dict[str, Any] = {
        "dag_id": "bench",
        "task_id": "reset",
        "run_id": "manual__bench",
        "map_index": -1,
    }
    pushed: dict[str, object] = {}
    ti = SimpleNamespace(
        **names, try_number=1, max_tries=0, xcom_push=lambda key, value: pushed.update({key: value})
    )
    run = SimpleNamespace(dag_id="bench", run_id="manual__bench", start_date=now, run_after=now)
    return {"dag_run": run, "ti": ti, "task_instance": ti, "run_id": run.run_id, "params": {}}


def first_call(url: str, operator: LeadResetOperator, found: list[float]) -> None:
    """Wait for the first window's calls, then stop the operator as Airflow would."""
    session = requests.Session()
    session.trust_env = False
    while True:
        calls = session.get(f"{url}/_emulator/calls", headers=CONTROL, timeout=30).json()["calls"]
        if len(calls) >= ENOUGH:
            # The stamp is of the monotonic clock, which all processes of a machine share on Linux.
            found.append(calls[0]["arrived"])
            operator.on_kill()
            return
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    operator = LeadResetOperator(
        task_id="reset",
        prospect_ids_path=f"file://{given.path}",
        activity_event_list=EVENT_CODES,
        window=WINDOW,
        max_leads=given.count,
    )
    found: list[float] = []
    watcher = threading.Thread(target=first_call, args=(given.url, operator, found), daemon=True)
    watcher.start()
    problem = ""

    def run() -> None:
        nonlocal problem
        try:
            operator.execute(context())
        except Exception as error:
            # It was stopped on purpose; what else may be wrong shows in the missing calls.
            problem = str(error)[:300]

    began = time.monotonic()
    usage = measured(run)
    watcher.join(2)
    tell(usage, peak=peak_memory(), first=found[0] - began if found else None, problem=problem)


if __name__ == "__main__":
    main()
