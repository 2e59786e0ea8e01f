"""What a task says before its first call, in short lines: which account, what of which leads, when, how many calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.counts import least_seconds
from airflow_provider_leadreset.leadsquared.request.window import local_text, sent_text
from airflow_provider_leadreset.leadsquared.text import duration, pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window
    from airflow_provider_leadreset.runtime.base import BaseRun

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""

LONG_LINE = 100
"""Characters of a list of kinds beyond which each kind has a line of its own."""


def announce_account(run: BaseRun) -> None:
    """Log whom the task is about to call."""
    run.log.info("Account: %s, by connection %s", run.client.host, run.conn_id)


def announce_request(run: BaseRun, leads: int, selectors: Selectors, window: Window) -> None:
    """Log what the task is about, before it calls: leads and kinds of records, and when they were created."""
    kinds = selectors.describe()
    many = pluralize(leads, "lead")
    if len(kinds) <= LONG_LINE:
        run.log.info("To %s, of %s: %s", run.purpose, many, kinds)
    else:
        run.log.info("To %s, of %s:", run.purpose, many)
        for kind in kinds.split("; "):
            run.log.info("- %s", kind)
    # Which date decides may have been found out otherwise; that the account is this one's takes a call to know.
    run.log.info(
        "%s: %s", "In the window" if run.hook.settings.account_check else "Created", local_text(window)
    )
    run.log.info("%s: %s", run.sends, sent_text(window))


def announce_calls(run: BaseRun, leads: int, calls: int) -> None:
    """Log how many calls are about to be made at least, and how long they take.

    :param leads: that are left to do.
    """
    share, slots = run.client.limiter.sliding_window.share, run.slots
    seconds = least_seconds(calls, share)
    run.log.info(
        "At least %s, %d in %g s%s: %s",
        pluralize(calls, "call"),
        share,
        WINDOW,
        f" ({pluralize(slots.slots, 'slot')} of pool {slots.pool})" if run.in_account_pool else "",
        f"{duration(seconds)} or more" if seconds >= 1 else "a few seconds",
    )
    if run.in_account_pool and slots.slots == 1 and leads > MANY_ON_ONE_SLOT:
        run.log.warning(
            "%s on one slot take one call in %g s: give the task more of them with pool_slots=",
            pluralize(leads, "lead"),
            WINDOW,
        )
