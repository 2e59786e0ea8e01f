"""How a batch that did not go well ends its task: retried, or failed at once."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_leadreset.compat import AirflowException, AirflowFailException
from airflow_provider_leadreset.leadsquared.batch.progress import BatchCounts
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    InputError,
    LeadSquaredError,
    QuotaError,
    SameErrorsError,
)

AFTER_OUTAGE = timedelta(minutes=1)
AFTER_QUOTA = timedelta(hours=1)


class LeadResetFailedError(AirflowException):
    """Leads were not reset, and a retry may get further.

    :param retry_after: how long to wait before the first retry.
    """

    def __init__(self, text: str, retry_after: timedelta = AFTER_OUTAGE) -> None:
        super().__init__(text)
        self.retry_after = retry_after


def failure(
    counts: BatchCounts, stopped: LeadSquaredError | InputError | None, max_failed_leads: int
) -> AirflowException | None:
    """Return the exception that the task must end with; None if it went well enough.

    :param stopped: what ended the batch before its last lead, if anything.
    """
    if stopped is None and counts.not_reached:
        text = f"{counts.not_reached} of {counts.total} leads were not reached, for no reason that is known"
    elif stopped is None and counts.failed <= max_failed_leads:
        return None
    elif stopped is None:
        text = f"{counts.failed} of {counts.total} leads failed, more than max_failed_leads={max_failed_leads} allows"
    else:
        text = (
            f"Stopped with {counts.queued} of {counts.total} leads queued, {counts.failed} failed and "
            f"{counts.not_reached} not reached: {stopped}"
        )
    if counts.failed:
        text += f"\n{counts.named_failures()}"
    for_good = isinstance(stopped, (AccessError, InputError)) or (
        counts.worth_retrying == 0
        and ((stopped is None and not counts.not_reached) or isinstance(stopped, SameErrorsError))
    )
    if for_good:
        return AirflowFailException(text)
    return LeadResetFailedError(text, retry_after(stopped))


def retry_after(error: BaseException | None) -> timedelta:
    """Return how long an error needs until a first retry may get further."""
    return AFTER_QUOTA if isinstance(error, QuotaError) else AFTER_OUTAGE
