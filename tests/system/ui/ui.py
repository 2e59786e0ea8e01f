"""Airflow's user interface on this machine alone, with the examples, and a LeadSquared for them; until Ctrl-C.

Nobody has to log in. Leads, connection and pool are there, and everything starts anew each time. What Airflow and the
tasks wrote is in .ui/ beside the Makefile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

# Starting and ending processes, and asking Airflow, is the same for every test that starts them.
sys.path.append(str(Path(__file__).parents[2]))

from examples import PAUSED, seed_and_copy

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.local_airflow import UP, local_environment, migrate, start_airflow
from support.processes import Processes, RunError, end_on_signals, free_ports, only_one, sweep

_HOME = Path(__file__).parents[3] / ".ui"
_SLOTS = 25
_GRACE = 2.0
"""Seconds after Ctrl-C. A scheduler would wait for its tasks, and whoever has pressed it does not care for them."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--home", type=Path, default=_HOME, metavar="DIR", help="where it keeps everything (.ui)"
    )
    home = parser.parse_args().home.resolve()
    say = partial(print, flush=True)
    end_on_signals(say)
    try:
        say("Airflow starts; some half a minute", end="\n\n")
        with running(home) as (airflow_url, lsq):
            say(f"Open         {airflow_url}  (nobody has to log in)")
            say(f"LeadSquared  {lsq.url}/  (its leads: what they have, and what is left)", end="\n\n")
            say(
                "Trigger example_one_lead first, then example_safe_cleanup: its question waits under Required Actions "
                "and asks for what stands at the end of its text."
            )
            say("Those that run nightly are paused until you let them run. Ctrl-C ends everything.")
            signal.pause()
    except RunError as error:
        say(f"Not started: {error}")
        return 1
    return 0


@contextmanager
def running(home: Path) -> Generator[tuple[str, LeadSquaredEmulator], None, None]:
    """Start everything, and give Airflow's address and the emulator; end everything, however that comes about."""
    with ExitStack() as stack:
        stack.enter_context(only_one(home))
        sweep(str(home))  # what one that was killed left behind
        for name in ("airflow", "dags", "evidence", "logs"):
            shutil.rmtree(home / name, ignore_errors=True)
        lsq = stack.enter_context(LeadSquaredEmulator(calls_per_5s=_SLOTS))
        examples = seed_and_copy(lsq, home / "dags", home / "evidence")
        url, task_url = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        settings = {"CORE__PARALLELISM": "4", "CORE__TEST_CONNECTION": "Enabled"}
        environment = local_environment(home / "airflow", home / "dags", url, task_url, settings)
        processes = stack.enter_context(Processes(home / "logs", str(home), environment, _GRACE))
        migrate(processes)
        api = start_airflow(processes, url, task_url)
        api.ask(
            "POST",
            "/pools",
            {"name": "leadsquared_default", "slots": _SLOTS, "description": "LeadSquared calls in 5 s"},
        )
        api.ask("POST", "/connections", _connection(lsq))
        for name in examples:
            processes.wait_for(name, partial(api.ask, "GET", f"/dags/{name}"), UP)
        for dag in api.ask("GET", "/dags")["dags"]:
            api.ask("PATCH", f"/dags/{dag['dag_id']}", {"is_paused": dag["dag_id"] in PAUSED})
        yield url, lsq


def _connection(lsq: LeadSquaredEmulator) -> dict[str, object]:
    fields = lsq.connection()
    # The form's Test button of Airflow 3.3.2 needs a port.
    host, _, port = lsq.url.rpartition(":")
    extra = json.dumps(fields.pop("extra"))
    return {**fields, "connection_id": "leadsquared_default", "host": host, "port": int(port), "extra": extra}


if __name__ == "__main__":
    sys.exit(main())
