"""An emulator in a process of its own, with latencies drawn anew for each call. Prints one line of JSON when up."""

from __future__ import annotations

import argparse
import json
import random
import signal
import threading

from work import lead_ids

from airflow_provider_leadreset.emulator import LeadSquaredEmulator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--calls-per-5s", type=int, default=25)
    parser.add_argument("--count-rejected", action="store_true")
    for name in ("before", "after"):
        # Seconds before and after the moment that the limit judges by.
        parser.add_argument(f"--{name}", type=float, nargs=2, default=(0.0, 0.0), metavar=("LOW", "HIGH"))
    given = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # Seeded, so that the ways of one case meet the same spread.
    draw = random.Random(5)
    with LeadSquaredEmulator(
        calls_per_5s=given.calls_per_5s,
        count_rejected=given.count_rejected,
        latency_before=lambda: draw.uniform(*given.before),
        latency=lambda: draw.uniform(*given.after),
    ) as lsq:
        for lead in lead_ids(given.leads):
            lsq.add_lead(lead)
        up = {"url": lsq.url, "access_key": lsq.access_key, "secret_key": lsq.secret_key}
        print(json.dumps(up), flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
