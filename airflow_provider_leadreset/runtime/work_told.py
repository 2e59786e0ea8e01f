"""What a task is at work on, for the log's progress lines: how much is done, and how many calls are left."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.batch.progress_log import Work
from airflow_provider_leadreset.leadsquared.safety.archive import reads_per_lead
from airflow_provider_leadreset.runtime.max_calls import LEADS_LOOKED_UP

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
    from airflow_provider_leadreset.leadsquared.safety.preview import RecordCounts
    from airflow_provider_leadreset.leadsquared.safety.unmodified import UnmodifiedLeads
    from airflow_provider_leadreset.leadsquared.safety.verification import Verification
    from airflow_provider_leadreset.runtime.base import ResetRequest
    from airflow_provider_leadreset.runtime.checked_parts import CheckedParts


def counting_work(doing: str, request: ResetRequest, counts: RecordCounts, leads: int | None = None) -> Work:
    """Return the work of counting the records of leads.

    :param counts: are added to while it goes on.
    :param leads: how many; None for all of the request.
    """
    total = request.leads.count if leads is None else leads
    each = reads_per_lead(request.selectors)
    return Work(
        doing,
        total=lambda: total,
        done=lambda: counts.done,
        calls_left=lambda: (total - counts.done) * each,
    )


def looking_work(request: ResetRequest, found: UnmodifiedLeads, leads: int) -> Work:
    """Return the work of finding leads that were not modified.

    :param found: is added to while it goes on.
    :param leads: how many are looked up.
    """
    reads = reads_per_lead(request.selectors)
    return Work(
        "Looking for leads that were not modified",
        total=lambda: leads,
        done=lambda: found.looked_up,
        calls_left=lambda: (
            ceil((leads - found.looked_up) / LEADS_LOOKED_UP) + (len(found.sample) - found.read) * reads
        ),
    )


def resetting_work(request: ResetRequest, counts: BatchCounts, parts: CheckedParts | None) -> Work:
    """Return the work of resetting leads.

    :param counts: are added to while it goes on.
    :param parts: reads each lead before its reset; None if nothing does.
    """
    # Leads that are as the plan saw them are not read.
    reads = reads_per_lead(request.selectors) if parts and not parts.relies_on_plan else 0
    done_before = counts.total - counts.not_reached

    def calls_left() -> int:
        left = counts.not_reached
        # Read, and not yet reset. A lead that is read twice counts for two.
        ahead = parts.read - (counts.total - left - done_before) if parts else 0
        return max(0, left * (1 + reads) - max(0, ahead) * reads)

    return Work(
        "Reading and resetting" if parts else "Resetting",
        total=lambda: counts.total,
        done=lambda: counts.total - counts.not_reached,
        calls_left=calls_left,
        failed=lambda: counts.failed + counts.of("unanswered"),
    )


def verifying_work(request: ResetRequest, verification: Verification) -> Work:
    """Return the work of one poke."""
    # Of a planned lead only the kinds are read that it had.
    each = 1 if request.plan else reads_per_lead(request.selectors)

    def done() -> int:
        return len(verification.done) + verification.not_done + verification.unread

    return Work(
        "Verifying",
        total=lambda: request.leads.count,
        done=done,
        calls_left=lambda: (request.leads.count - done()) * each,
        failed=lambda: verification.unread,
    )
