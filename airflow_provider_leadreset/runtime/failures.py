"""How a batch that did not go well ends its task: retried, or failed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.compat import AirflowFailException
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
    "See what the lead holds (a sensor, or LeadSquared). To reset it, name it in another run, or name it and clear the "
    "task: a Clear forgets this doubt. If nothing is left to do, mark the task as success"
)
"""What to do about a lead in doubt that only an earlier try was asked for."""


def failure(
    counts: BatchCounts, stopped: LeadSquaredError | InputError | None, max_failed_leads: int
) -> AirflowException | None:
    """Return the exception that the task must end with; None if it went well enough.

    :param stopped: what ended the batch before its last lead, if anything.
    """
    counted = counts.counted_as_failed
    if stopped is None and counts.not_reached:
        text = f"Not reached: {counts.not_reached} of {pluralize(counts.total, 'lead')}: {counts.why_not_reached}"
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
    error = _error(counts, stopped, text)
    if counts.earlier_doubts:
        text += f". {_how_to_settle(counts, retried=not isinstance(error, AirflowFailException))}"
    if named := counts.named_failures():
        text += f"\n{named}"
    error.args = (text,)
    return error


def _error(counts: BatchCounts, stopped: LeadSquaredError | InputError | None, text: str) -> AirflowException:
    if stopped is not None and not isinstance(stopped, SameErrorsError):
        return as_task_error(stopped, text)
    if stopped is None and counts.not_reached:
        return LeadResetFailedError(text, AFTER_OUTAGE)
    if counts.worth_retrying:
        return LeadResetLeadsFailedError(text, AFTER_OUTAGE)
    return LeadResetRejectedError(text)


def _how_to_settle(counts: BatchCounts, *, retried: bool) -> str:
    """Return what to do about leads in doubt that only an earlier try was asked for."""
    text = f"{'A retry does not call it' if retried else 'No retry follows'}. {HOW_TO_SETTLE}"
    if lost := counts.earlier_requests.doubts_without_id:
        text += (
            f". Of {lost} of them no id is kept, so that no answer can settle them: to have them told no more, "
            "clear the task"
        )
    return text


def _counted_of(counts: BatchCounts) -> str:
    """Return how many leads count as failed, of how many."""
    earlier = counts.earlier_doubts
    own = f"{counts.counted_as_failed - earlier} of {pluralize(counts.total, 'lead')}"
    return f"{own} and {earlier} of an earlier request" if earlier else own
