"""How long the default retry policy waits, between what the error needs and what the task allows."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.exceptions import (
    LeadResetOutageError,
    LeadResetQuotaError,
    LeadResetResourceError,
)
from support.dag_runs import airflow_version

if airflow_version() < (3, 3):
    pytest.skip("retry policies came with Airflow 3.3", allow_module_level=True)

from airflow.sdk import RetryAction

from airflow_provider_leadreset.runtime.retry_policy import LeadResetRetryPolicy

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OUTAGE, QUOTA = LeadResetOutageError("no answer\nof 3 leads"), LeadResetQuotaError("used up")


def decide(
    error: Exception = OUTAGE,
    try_number: int = 1,
    max_tries: int = 9,
    *,
    retries: int = 9,
    retry_delay: Any = timedelta(0),
    max_retry_delay: Any = None,
) -> Any:
    task = SimpleNamespace(retries=retries, retry_delay=retry_delay, max_retry_delay=max_retry_delay)
    context: Any = {"task": task}
    return LeadResetRetryPolicy().evaluate(error, try_number, max_tries, context)


def test_wait_doubles_to_six_hours() -> None:
    """Each try waits twice as long as the one before, up to six hours."""
    minutes = [decide(try_number=number).retry_delay / MINUTE for number in range(1, 11)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
    assert [decide(QUOTA, number).retry_delay / HOUR for number in (1, 2, 3, 4, 9000)] == [1, 2, 4, 6, 6]


@pytest.mark.parametrize("retry_delay", [2 * HOUR, 7 * HOUR])
def test_never_shorter_than_retry_delay(retry_delay: timedelta) -> None:
    """A task's retry_delay is not undercut, however long it is."""
    assert decide(retry_delay=retry_delay).retry_delay == retry_delay
    assert decide(try_number=9, retry_delay=2 * HOUR).retry_delay == 256 * MINUTE


def test_never_longer_than_max_retry_delay() -> None:
    """A task's max_retry_delay is not exceeded, whatever the error needs."""
    assert decide(QUOTA, max_retry_delay=10 * MINUTE).retry_delay == 10 * MINUTE
    assert decide(QUOTA, retry_delay=2 * HOUR, max_retry_delay=10 * MINUTE).retry_delay == 10 * MINUTE
    assert decide(QUOTA, max_retry_delay=2 * HOUR).retry_delay == HOUR


@pytest.mark.parametrize(
    ("try_number", "max_tries", "nth"),
    [(1, 3, 1), (3, 3, 3), (5, 7, 1), (6, 7, 2), (7, 7, 3), (1, 1, 1), (4, 5, 2)],
)
def test_tries_since_the_last_clear(try_number: int, max_tries: int, nth: int) -> None:
    """After a Clear the waits begin anew."""
    assert decide(try_number=try_number, max_tries=max_tries, retries=3).retry_delay == MINUTE * 2 ** (
        nth - 1
    )


def test_without_a_context() -> None:
    """Airflow may give no context: then nothing bounds the wait but the six hours."""
    policy = LeadResetRetryPolicy()
    assert [policy.evaluate(OUTAGE, number, 9).retry_delay for number in (1, 3)] == [MINUTE, 4 * MINUTE]
    assert policy.evaluate(OUTAGE, 2, 9, {}).retry_delay == 2 * MINUTE


@pytest.mark.parametrize("error", [KeyError("x"), LeadResetResourceError("not defined")])
def test_other_errors_are_left_to_airflow(error: Exception) -> None:
    """What says nothing of its wait is retried as the task says."""
    assert decide(error).action == RetryAction.DEFAULT


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "The next try begins in 0:01:00 (what the error needs): no answer"),
        (
            {"retry_delay": HOUR},
            "The next try begins in 1:00:00 (the task's retry_delay): no answer",
        ),
        (
            {"max_retry_delay": timedelta(seconds=5)},
            "The next try begins in 0:00:05 (the task's max_retry_delay): no answer",
        ),
    ],
)
def test_delay_is_logged(caplog: pytest.LogCaptureFixture, given: dict[str, Any], said: str) -> None:
    """The log says how long the wait is, and why; nothing where no try follows."""
    caplog.set_level(logging.INFO)
    assert decide(**given).reason == "no answer"
    assert [record.getMessage() for record in caplog.records] == [said]
    caplog.clear()
    decide(try_number=10, **given)
    assert caplog.records == []
