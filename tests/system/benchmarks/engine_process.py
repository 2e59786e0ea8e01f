"""One way of pacing, alone in its process: ``engine_process.py WAY URL ACCESS_KEY SECRET_KEY LEADS``.

It says that it is ready, and begins at the next line of its input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from work import EVENT_CODES, WINDOW, key_headers, lead_ids, measured, tell

Work = Callable[[], object]


def provider(leads: int) -> Work:
    """The hook's client and the provider's batch, as its operator uses them."""
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
    from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
    from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
    from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, parse_selectors
    from airflow_provider_leadreset.leadsquared.request.window import parse_window

    client = LeadResetHook().get_conn()
    selectors, window = parse_selectors(activity_event_list=EVENT_CODES), parse_window(WINDOW)
    resets = ((index, LeadReset(lead, selectors, window)) for index, lead in enumerate(lead_ids(leads)))

    def work() -> None:
        judge = BatchJudge()
        with WorkerPool(client) as pool:
            for (index, reset), future in pool.map_unordered(resets, lambda item: client.reset(item[1])):
                judge.settle(index, reset.prospect_id, future)
                if judge.stop_reason:
                    pool.stop()

    return work


def limiter(name: str, url: str, headers: dict[str, str], leads: int) -> Work:
    from threads import WAITS, reset_all

    WAITS[name]()  # loads the library
    return lambda: reset_all(name, url, headers, lead_ids(leads))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("way", "url", "access_key", "secret_key"):
        parser.add_argument(name)
    parser.add_argument("leads", type=int)
    given = parser.parse_args()
    headers = key_headers(given.access_key, given.secret_key)
    work = (
        provider(given.leads)
        if given.way == "provider"
        else limiter(given.way, given.url, headers, given.leads)
    )
    # All begin once all have loaded: imports are long beside the spread of a few milliseconds that counts here.
    print("ready", flush=True)
    sys.stdin.readline()
    tell(measured(work))


if __name__ == "__main__":
    main()
