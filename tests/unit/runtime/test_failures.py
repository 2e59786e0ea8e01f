"""How a batch that did not go well ends its task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_leadreset.compat import AirflowFailException
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter, SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.progress import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.resets import Outcome
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    InputError,
    LeadRejectedError,
    OutageError,
    QuotaError,
    SameErrorsError,
    UnavailableError,
)
from airflow_provider_leadreset.runtime.failures import LeadResetFailedError, failure

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
FOR_GOOD, PASSING = LeadRejectedError("unknown lead", status=500), UnavailableError("no answer")


def counts_of(*errors, total=10):
    result = BatchCounts(total, RateLimiter(SlidingWindow(25)))
    for index, error in enumerate(errors):
        result.add(Outcome(index, LEAD, error))
    return result


@pytest.mark.parametrize(
    ("errors", "stopped", "most", "expected"),
    [
        ([None], None, 0, None),
        ([FOR_GOOD, None], None, 1, None),
        ([PASSING, None], None, 1, None),
        ([FOR_GOOD, None], None, 0, AirflowFailException),
        ([FOR_GOOD, FOR_GOOD], None, 1, AirflowFailException),
        ([PASSING, None], None, 0, LeadResetFailedError),
        ([PASSING, FOR_GOOD], None, 0, LeadResetFailedError),
        ([None], AccessError("wrong keys", status=401), 5, AirflowFailException),
        ([None], InputError("the file changed"), 5, AirflowFailException),
        ([None], QuotaError("used up"), 5, LeadResetFailedError),
        ([None], OutageError("silence"), 5, LeadResetFailedError),
        ([None], ClosedError("stopped"), 5, LeadResetFailedError),
        ([FOR_GOOD], SameErrorsError("alike"), 50, AirflowFailException),
        ([PASSING], SameErrorsError("alike"), 50, LeadResetFailedError),
    ],
)
def test_kind_of_failure(errors, stopped, most, expected):
    """A task fails at once when a retry would only repeat the failure."""
    assert type(failure(counts_of(*errors, total=10 if stopped else len(errors)), stopped, most)) is (
        expected or type(None)
    )


def test_retry_delays():
    """The retry after a used-up quota waits an hour, and after an outage a minute."""
    quota, outage = failure(counts_of(), QuotaError("x"), 0), failure(counts_of(), OutageError("x"), 0)
    assert (quota.retry_after, outage.retry_after) == (timedelta(hours=1), timedelta(minutes=1))


def test_failure_message():
    """The message counts every lead and names those that failed."""
    text = str(failure(counts_of(None, FOR_GOOD), AccessError("wrong keys", status=401), 0))
    assert "1 of 10 leads queued, 1 failed and 8 not reached: HTTP 401: wrong keys" in text
    assert f"{LEAD}: HTTP 500: unknown lead" in text


def test_leads_not_reached():
    """A batch with leads that were not reached is never a success."""
    error = failure(counts_of(None, total=2), None, 5)
    assert type(error) is LeadResetFailedError
    assert "1 of 2 leads were not reached" in str(error)
