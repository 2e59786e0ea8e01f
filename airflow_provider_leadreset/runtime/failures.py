"""How a batch that did not go well ends its task: retried, or failed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetLeadsFailedError,
    LeadResetRejectedError,
)
from airflow_provider_leadreset.hooks.task_errors import AFTER_OUTAGE, as_task_error
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError, SameErrorsError
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import AirflowException
    from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts


def with_contradiction(
    failed: AirflowException | None, contradiction: str, *, keeps: bool
) -> AirflowException:
    """Return what a task ends with in which leads were to be left out, and something spoke against it.

    :param failed: what it ends with anyway; None for nothing.
    :param contradiction: what spoke against it.
    :param keeps: whether a retry knows of it; else there must be none, which might leave leads out.
    """
    if failed is None:
        return LeadResetInputError(contradiction)
    text = f"{contradiction}\n{failed}"
    if not keeps:
        return LeadResetInputError(text)
    failed.args = (text,)
    return failed


HOW_TO_SETTLE = (
    "A lead that is unanswered may have been reset: see what it holds. To reset it, have it asked for again; a Clear "
    "of the task starts anew, without what was asked for before"
)
"""What to do about leads that only an earlier try was asked for."""


def failure(
    counts: BatchCounts, stopped: LeadSquaredError | InputError | None, max_failed_leads: int
) -> AirflowException | None:
    """Return the exception that the task must end with; None if it went well enough.

    :param stopped: what ended the batch before its last lead, if anything.
    """
    counted = counts.counted_as_failed
    if stopped is None and counts.not_reached:
        text = f"{counts.not_reached} of {pluralize(counts.total, 'lead')} were not reached: {counts.why_not_reached}"
    elif stopped is None and counted <= max_failed_leads:
        return None
    elif stopped is None:
        text = (
            f"{_counted_of(counts)} failed, more than max_failed_leads={max_failed_leads} allows: "
            f"{counts.describe()}"
        )
    else:
        text = f"Stopped with {counts.describe()}: {stopped}"
    if told := counts.earlier_requests.describe():
        text += f"; {told}"
    if counts.earlier_doubts:
        text += f". {HOW_TO_SETTLE}"
    if named := counts.named_failures():
        text += f"\n{named}"
    if stopped is not None and not isinstance(stopped, SameErrorsError):
        return as_task_error(stopped, text)
    if stopped is None and counts.not_reached:
        return LeadResetFailedError(text, AFTER_OUTAGE)
    if counts.worth_retrying:
        return LeadResetLeadsFailedError(text, AFTER_OUTAGE)
    return LeadResetRejectedError(text)


def _counted_of(counts: BatchCounts) -> str:
    """Return how many leads count as failed, of how many."""
    earlier = counts.earlier_doubts
    own = f"{counts.counted_as_failed - earlier} of {pluralize(counts.total, 'lead')}"
    return f"{own} and {earlier} of an earlier request" if earlier else own
