"""What evidence costs on a slow storage: 300 resets at 25 in 5 s, with and without, side by side.

The emulator answers after 300 ms; the storage takes 300 ms for each file that is put and each listing. Both tasks are
in the account's pool, so both wait their last window out, in which the last files are written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# How a LeadSquared is started is the same for every test that starts one.
sys.path.append(str(Path(__file__).parents[2]))

from support.leadsquared_control import LeadSquaredControl, leadsquared_command

LEADS, CALLS, LATENCY, STORAGE = 300, 25, 0.3, 0.3
MOST_RATIO = 1.03


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=LEADS)
    parser.add_argument("--task", choices=("with", "without"), help="one of the two, in this process")
    given = parser.parse_args()
    if given.task:
        return reset(with_evidence=given.task == "with")
    with ExitStack() as stack:
        tasks = {way: _started(stack, way, given.leads) for way in ("without", "with")}
        told = {way: json.loads(task.communicate()[0].splitlines()[-1]) for way, task in tasks.items()}
    for way, one in told.items():
        print(f"{way:<7}  {one['seconds']:.2f} s, {one['queued']} queued, {one['files']} files")
    ratio = told["with"]["seconds"] / told["without"]["seconds"]
    print(f"ratio    {ratio:.3f} (to reach: {MOST_RATIO})")
    return 0 if ratio <= MOST_RATIO else 1


def _started(stack: ExitStack, way: str, leads: int) -> subprocess.Popen[str]:
    """Start a LeadSquared, and one of the two tasks, which is told to end with this process."""
    server = stack.enter_context(
        subprocess.Popen(leadsquared_command(CALLS, LATENCY), stdout=subprocess.PIPE, text=True)
    )
    stack.callback(server.terminate)
    assert server.stdout
    greeting = json.loads(server.stdout.readline())
    seeded = LeadSquaredControl(greeting["url"]).ask("POST", "/seed", {"leads": [{}] * leads})
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="leadreset-bench-"))
    environment = {
        **os.environ,
        "AIRFLOW_CONN_LEADSQUARED_DEFAULT": greeting["conn_json"],
        "AIRFLOW_HOME": folder,
        "BENCH_LEADS": " ".join(seeded["lead_ids"]),
        "BENCH_EVIDENCE": f"{folder}/evidence",
    }
    command = [sys.executable, __file__, "--task", way]
    return stack.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))


def reset(*, with_evidence: bool) -> int:
    """Run the operator, and print how long it took."""
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
    from airflow_provider_leadreset.leadsquared.journal.storage import LocalStorage
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
    from airflow_provider_leadreset.runtime import base, reset_run  # noqa: F401 (loaded before the time runs)

    files = 0
    put, names = LocalStorage.put, LocalStorage.names

    def slow_put(self: LocalStorage, name: str, data: Any) -> None:
        nonlocal files
        files += 1
        time.sleep(STORAGE)
        put(self, name, data)

    def slow_names(self: LocalStorage) -> list[str]:
        time.sleep(STORAGE)
        return names(self)

    LocalStorage.put, LocalStorage.names = slow_put, slow_names  # type: ignore[method-assign]
    task = LeadResetOperator(
        task_id="reset",
        prospect_ids=os.environ["BENCH_LEADS"],
        activity_event_list=[166],
        window="2026-01-01/2026-02-01",
        pool="leadsquared_default",
        pool_slots=CALLS,
        **({"evidence_path": os.environ["BENCH_EVIDENCE"]} if with_evidence else {}),
    )
    ti = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="reset",
        map_index=-1,
        try_number=1,
        max_tries=0,
        xcom_push=lambda **_: None,
    )
    context: Any = {"ti": ti}
    if not with_evidence:
        # The request of the evidence says whose keys they are: a call that both are to make.
        hook = LeadResetHook()
        hook.calls = CALLS
    began = time.monotonic()
    if not with_evidence:
        hook.get_conn().current_user()
    summary = task.execute(context)
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "queued": summary["queued"], "files": files}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
