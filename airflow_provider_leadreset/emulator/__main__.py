"""Run the emulator: ``python -m airflow_provider_leadreset.emulator``."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Sequence

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.server import LeadSquaredEmulator

_PLAIN = Dialect().as_json()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_leadreset.emulator",
        description="A local LeadSquared with demo leads. It listens on 127.0.0.1 and keeps nothing.",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port; 0, the default, takes a free one"
    )
    parser.add_argument(
        "--leads", type=int, default=40, metavar="N", help="demo leads to start with (default: 40)"
    )
    parser.add_argument(
        "--calls-per-5s",
        type=int,
        default=25,
        metavar="N",
        help="the account's limit (default: 25); 0 for none",
    )
    parser.add_argument(
        "--dialect",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how it behaves where LeadSquared's behaviour is unknown, such as page_cap=200, or a JSON object; "
        "may be repeated; python -c \"help('airflow_provider_leadreset.emulator.dialect')\" lists them",
    )
    parser.add_argument("--version", action="version", version=__version__)
    given = parser.parse_args(arguments)
    # Before anything is said, so that whoever reads the first line may already stop the process.
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        lsq = LeadSquaredEmulator(
            port=given.port,
            calls_per_5s=given.calls_per_5s or None,
            dialect=Dialect.parse(given.dialect),
        ).start()
    except (ImportError, OSError, OverflowError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        print(_greeting(lsq, given.leads), flush=True)
        stopped.wait()
    finally:
        lsq.stop()
    return 0


def _greeting(lsq: LeadSquaredEmulator, leads: int) -> str:
    from airflow_provider_leadreset.emulator.http.routes.lead_page import LEAD_PAGE
    from airflow_provider_leadreset.emulator.store.demo_data import (
        EVENT_CODES,
        LIST_NAME,
        TASK_TYPES,
        demo_leads,
    )

    lines = [
        f"LeadSquared emulator {__version__} listens on {lsq.url}, this machine only. Ctrl-C ends it.",
        "",
    ]
    if leads > 0:
        demo = demo_leads(lsq, leads)
        lines += [
            f"Leads      {lsq.url}/",
            f"One lead   {lsq.url}{LEAD_PAGE}?LeadID={demo.lead_ids[0]}",
            f"List       {demo.list_id}  {LIST_NAME}",
            *(f"Event      {code}  {name}" for code, name in EVENT_CODES.items()),
            *(f"Task type  {type_id}  {name}" for type_id, name in TASK_TYPES.items()),
            "",
        ]
    limit = lsq.limit.calls
    different = [f"{name}={value}" for name, value in lsq.dialect.as_json().items() if value != _PLAIN[name]]
    if different:
        lines += [f"Dialect    {', '.join(different)}", ""]
    lines += [
        "The connection, for the environment of Airflow:",
        f"export AIRFLOW_CONN_LEADSQUARED_DEFAULT={shlex.quote(lsq.conn_json)}",
        "",
        "or for its form:",
        "  Connection Id    leadsquared_default",
        "  Connection Type  LeadSquared",
        f"  API host         {lsq.url}",
        f"  Access key       {lsq.access_key}",
        f"  Secret key       {lsq.secret_key}",
        f"  Port             {lsq.url.rpartition(':')[2]}",
        f"  Calls per 5 seconds  {limit if limit is not None else 'no limit here'}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
