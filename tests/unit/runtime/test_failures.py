"""How a batch that did not go well ends its task."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from airflow_provider_leadreset import exceptions
from airflow_provider_leadreset.compat import AirflowException, AirflowFailException, is_airflow_2
from airflow_provider_leadreset.exceptions import (
    LeadResetAccessError,
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetLeadsFailedError,
    LeadResetOutageError,
    LeadResetOvertakenError,
    LeadResetQuotaError,
    LeadResetRejectedError,
)
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    BrokenOffError,
    ClosedError,
    EdgeError,
    InputError,
    LeadRejectedError,
    NotFoundError,
    OutageError,
    OvertakenError,
    PageNotFoundError,
    QuotaError,
    ResponseTooLargeError,
    SameErrorsError,
    UnavailableError,
)
from airflow_provider_leadreset.runtime.base import task_errors
from airflow_provider_leadreset.runtime.failures import failure

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
FOR_GOOD, PASSING = LeadRejectedError("unknown lead", status=500), UnavailableError("no answer")
PASSING.in_doubt = True
NOT_SENT = UnavailableError("no connection")
TOO_LARGE = ResponseTooLargeError("larger than 16 MiB")


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
        ([FOR_GOOD, None], None, 0, LeadResetRejectedError),
        ([FOR_GOOD, FOR_GOOD], None, 1, LeadResetRejectedError),
        ([PASSING, None], None, 0, LeadResetLeadsFailedError),
        ([PASSING, FOR_GOOD], None, 0, LeadResetLeadsFailedError),
        ([TOO_LARGE, FOR_GOOD], None, 0, LeadResetLeadsFailedError),
        ([None], AccessError("wrong keys", status=401), 5, LeadResetAccessError),
        ([None], InputError("the file changed"), 5, LeadResetInputError),
        ([None], QuotaError("used up"), 5, LeadResetQuotaError),
        ([None], OutageError("silence"), 5, LeadResetOutageError),
        ([None], BrokenOffError("stopped"), 5, LeadResetOutageError),
        ([None], ClosedError("stopped"), 5, LeadResetFailedError),
        ([None], NotFoundError("no such call"), 5, LeadResetRejectedError),
        ([None], OvertakenError("try 2"), 5, LeadResetOvertakenError),
        ([NOT_SENT], SameErrorsError("alike"), 50, LeadResetLeadsFailedError),
        ([FOR_GOOD], SameErrorsError("alike"), 50, LeadResetRejectedError),
        ([PASSING], SameErrorsError("alike"), 50, LeadResetLeadsFailedError),
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
    assert "Not reached: 1 of 2 leads: for no reason that is known" in str(error)
    assert str(failure(counts_of(total=1), None, 5)).startswith("Not reached: 1 of 1 lead: ")
    told = failure(counts_of(None, NOT_SENT, total=2), None, 5)
    assert type(told) is LeadResetFailedError
    assert "Not reached: 1 of 2 leads: no connection" in str(told)


@pytest.mark.parametrize(
    ("error", "kind", "permanent"),
    [
        (InputError("x"), LeadResetInputError, True),
        (AccessError("x"), LeadResetAccessError, True),
        (LeadRejectedError("x"), LeadResetRejectedError, True),
        (NotFoundError("x"), LeadResetRejectedError, True),
        (QuotaError("x"), LeadResetQuotaError, False),
        (OutageError("x"), LeadResetOutageError, False),
        (UnavailableError("x"), LeadResetOutageError, False),
        (EdgeError("x"), LeadResetOutageError, False),
        (PageNotFoundError("x"), LeadResetOutageError, False),
        (BrokenOffError("x"), LeadResetOutageError, False),
        (ResponseTooLargeError("x"), LeadResetFailedError, False),
        (ClosedError("x"), LeadResetFailedError, False),
        # On Airflow 2 what it ends with ends the later try too, so it must be one that is retried.
        (OvertakenError("x"), LeadResetOvertakenError, not is_airflow_2()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_class_per_cause(error, kind, permanent):
    """What reaches Airflow has the class of its cause, and a permanent cause fails the task at once."""
    with pytest.raises(AirflowException) as caught, task_errors():
        raise error
    assert type(caught.value) is kind
    assert str(caught.value) == "x"
    assert isinstance(caught.value, AirflowFailException) is permanent
    assert isinstance(caught.value, LeadResetFailedError) is not permanent


def test_exceptions_of_the_module():
    """The public module holds the classes that reach Airflow, and nothing else of its own."""
    own = {
        name
        for name, value in vars(exceptions).items()
        if getattr(value, "__module__", "") == exceptions.__name__
    }
    assert own == {
        "LeadResetInputError",
        "LeadResetAccessError",
        "LeadResetRejectedError",
        "LeadResetMaxCallsError",
        "LeadResetFailedError",
        "LeadResetResourceError",
        "LeadResetQuotaError",
        "LeadResetOutageError",
        "LeadResetLeadsFailedError",
        "LeadResetOvertakenError",
    }


def test_exceptions_load_nothing_heavy():
    """A DAG file may import the exceptions: they load no part of what runs."""
    code = (
        "import sys, airflow_provider_leadreset.exceptions; "
        "print(any(name.startswith(('airflow_provider_leadreset.runtime', 'airflow_provider_leadreset.leadsquared')) "
        "for name in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "False"
