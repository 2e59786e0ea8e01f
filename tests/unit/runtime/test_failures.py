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


def tally(*errors, total=10):
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
def test_a_task_fails_at_once_when_a_retry_would_only_repeat_it(errors, stopped, most, expected):
    assert type(failure(tally(*errors, total=10 if stopped else len(errors)), stopped, most)) is (
        expected or type(None)
    )


def test_a_used_up_quota_waits_an_hour_and_an_outage_a_minute():
    quota, outage = failure(tally(), QuotaError("x"), 0), failure(tally(), OutageError("x"), 0)
    assert (quota.retry_after, outage.retry_after) == (timedelta(hours=1), timedelta(minutes=1))


def test_the_message_counts_every_lead_and_names_the_failed():
    text = str(failure(tally(None, FOR_GOOD), AccessError("wrong keys", status=401), 0))
    assert "1 of 10 leads queued, 1 failed and 8 not reached: HTTP 401: wrong keys" in text
    assert f"{LEAD}: HTTP 500: unknown lead" in text


def test_leads_that_were_not_reached_are_never_a_success():
    error = failure(tally(None, total=2), None, 5)
    assert type(error) is LeadResetFailedError
    assert "1 of 2 leads were not reached" in str(error)
