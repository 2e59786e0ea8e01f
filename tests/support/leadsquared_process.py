"""The emulator as a process of its own: its stamps must not wait for Airflow's work, nor share its start."""

from __future__ import annotations

import argparse
import json
import signal
import threading

from airflow_provider_leadreset.emulator import LeadSquaredEmulator


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls-per-5s", type=int, required=True)
    parser.add_argument("--latency", type=float, required=True)
    given = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with LeadSquaredEmulator(calls_per_5s=given.calls_per_5s, latency=given.latency) as lsq:
        print(json.dumps({"url": lsq.url, "conn_json": lsq.conn_json}), flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
