"""How a batch that did not go well ends its task: retried, or failed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetLeadsFailedError,
    LeadResetRejectedError,
)
from airflow_provider_leadreset.hooks.task_errors import AFTER_OUTAGE, as_task_error
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError, SameErrorsError
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import AirflowException
    from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts


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
            f"{counted} of {pluralize(counts.total, 'lead')} failed, more than max_failed_leads={max_failed_leads} "
            "allows: "
            f"{counts.describe()}"
        )
    else:
        text = f"Stopped with {counts.describe()}: {stopped}"
    if named := counts.named_failures():
        text += f"\n{named}"
    if stopped is not None and not isinstance(stopped, SameErrorsError):
        return as_task_error(stopped, text)
    if stopped is None and counts.not_reached:
        return LeadResetFailedError(text, AFTER_OUTAGE)
    if counts.worth_retrying:
        return LeadResetLeadsFailedError(text, AFTER_OUTAGE)
    return LeadResetRejectedError(text)
