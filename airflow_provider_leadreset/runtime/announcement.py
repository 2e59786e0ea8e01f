"""What a reset says before its first call: what is about to happen, and how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts, least_seconds

if TYPE_CHECKING:
    from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


def announce(run: BaseRun, request: ResetRequest, counts: BatchCounts) -> None:
    """Log what is about to happen.

    :param counts: of what is left to do.
    """
    share, slots = run.client.limiter.sliding_window.share, run.slots.slots
    need = run.least_need(counts.not_reached, request.selectors)
    calls = need.for_leads if need else counts.not_reached
    run.log.info(
        "LeadSquared at %s (connection %s): resetting %d leads: %s, %s %s. At least %d calls, %d in %g s%s: "
        "%.0f s or more",
        run.client.host,
        run.conn_id,
        counts.total,
        request.selectors.describe(),
        run.dates.verb(request.selectors),
        request.window.describe(),
        calls,
        share,
        WINDOW,
        f" ({slots} slots of pool {run.slots.pool})" if run.in_account_pool else "",
        least_seconds(calls, share),
    )
    if run.in_account_pool and slots == 1 and counts.not_reached > MANY_ON_ONE_SLOT:
        run.log.warning(
            "%d leads on one slot take one call in %g s: give the task more of them with pool_slots=",
            counts.not_reached,
            WINDOW,
        )
