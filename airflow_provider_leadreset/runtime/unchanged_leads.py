"""Leads of a plan that need not be read again before their reset: LeadLastModifiedOn is what it was for the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, is_fatal
from airflow_provider_leadreset.leadsquared.errors import ClosedError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.records.last_modified import LastModified, read_last_modified
from airflow_provider_leadreset.leadsquared.safety.archive import (
    AIM,
    MOST_PART_LEADS,
    READ_BEFORE,
    PendingReset,
)


class UnchangedLeads:
    """Asks, for as many leads as are reset in some 20 s, when they were last modified: one call.

    :param share: the calls that the task may make in 5 s.
    """

    def __init__(self, share: int, *, log: Any) -> None:
        self.size = max(1, min(MOST_PART_LEADS, int(share * AIM / WINDOW)))
        self._log = log

    def part(
        self, pool: WorkerPool, pending: Sequence[PendingReset]
    ) -> tuple[list[PendingReset], list[PendingReset]]:
        """Part leads into those that may be reset now, as the plan saw them, and those that are to be read.

        :raises LeadSquaredError: one that every further call would meet.
        """
        asked = [one.prospect_id for one in pending if one.last_modified is not None]
        clock = pool.client.limiter.clock
        not_after = clock.now() + READ_BEFORE
        values: dict[str, LastModified | None] = {}
        for _, future in pool.map_unordered(
            [asked] if asked else [], lambda leads: read_last_modified(pool.client, leads)
        ):
            try:
                values = future.result()
            except LeadSquaredError as error:
                if is_fatal(error) or isinstance(error, ClosedError):
                    raise
                self._log.warning("When leads were last modified cannot be read, so each is read: %s", error)
        unchanged, to_read = [], []
        for one in pending:
            value = values.get(one.prospect_id.lower())
            if value is not None and value.text == one.last_modified:
                unchanged.append(replace(one, not_after=not_after))
            else:
                to_read.append(one)
        return unchanged, to_read
