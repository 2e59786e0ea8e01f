"""What a reset says before its first call: what is about to happen, and how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts, least_seconds
from airflow_provider_leadreset.leadsquared.safety.archive import reads_per_lead

if TYPE_CHECKING:
    from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest

MANY_ON_ONE_SLOT = 25
"""More leads than this on a single slot of the account's pool are worth a warning."""


def announce(run: BaseRun, request: ResetRequest, counts: BatchCounts, *, reads_before: bool) -> None:
    """Log what is about to happen.

    :param counts: of what is left to do.
    :param reads_before: whether each lead's records are read before its reset.
    """
    share, slots, pool = (
        run.client.limiter.sliding_window.share,
        run.task.pool_slots,
        run.hook.settings.pool,
    )
    calls = counts.not_reached
    if reads_before:
        calls *= 1 + reads_per_lead(request.selectors)
    run.log.info(
        "LeadSquared at %s (connection %s): resetting %d leads: %s, created %s. At least %d calls, %d in %g s "
        "(%s): %.0f s or more",
        run.client.host,
        run.conn_id,
        counts.total,
        request.selectors.describe(),
        request.window.describe(),
        calls,
        share,
        WINDOW,
        f"{slots} slots of pool {pool}"
        if run.in_account_pool
        else f"not in the account's pool {pool}, so other tasks' calls are not counted",
        least_seconds(calls, share),
    )
    if run.in_account_pool and slots == 1 and counts.not_reached > MANY_ON_ONE_SLOT:
        run.log.warning(
            "%d leads on one slot take one call in %g s: give the task more of them with pool_slots=",
            counts.not_reached,
            WINDOW,
        )
