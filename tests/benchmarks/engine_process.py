"""One way of pacing, alone in its process: ``engine_process.py WAY URL ACCESS_KEY SECRET_KEY LEADS``."""

from __future__ import annotations

import argparse

from work import EVENT_CODES, WINDOW, Usage, key_headers, lead_ids, measured, tell


def provider(leads: int) -> Usage:
    """The hook's client and the provider's batch, as its operator uses them."""
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
    from airflow_provider_leadreset.leadsquared.bulk import reset_leads
    from airflow_provider_leadreset.leadsquared.reset import LeadReset, Selectors
    from airflow_provider_leadreset.leadsquared.window import parse_window

    client = LeadResetHook().get_conn()
    selectors, window = Selectors.given(activity_event_list=EVENT_CODES), parse_window(WINDOW)
    resets = ((index, LeadReset(lead, selectors, window)) for index, lead in enumerate(lead_ids(leads)))
    return measured(
        lambda: reset_leads(client, resets, on_outcome=lambda _: None, on_tick=lambda: None),
    )


def limiter(name: str, url: str, headers: dict[str, str], leads: int) -> Usage:
    from threads import WAITS, reset_all

    WAITS[name]()  # loads the library
    return measured(lambda: reset_all(name, url, headers, lead_ids(leads)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("way", "url", "access_key", "secret_key"):
        parser.add_argument(name)
    parser.add_argument("leads", type=int)
    given = parser.parse_args()
    if given.way == "provider":
        tell(provider(given.leads))
    else:
        tell(limiter(given.way, given.url, key_headers(given.access_key, given.secret_key), given.leads))


if __name__ == "__main__":
    main()
