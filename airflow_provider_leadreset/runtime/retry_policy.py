"""When a failed reset is tried again, on Airflow 3.3 and later."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context

log = logging.getLogger(__name__)

LONGEST = timedelta(hours=6)
"""What a wait grows to at most by itself; a longer ``retry_delay`` holds."""


class LeadResetRetryPolicy(RetryPolicy):
    """Wait as long as the error needs: minutes after an outage, an hour or more after a used-up quota.

    Never shorter than the task's ``retry_delay``, never longer than its ``max_retry_delay``; doubled with each try
    since the last Clear. Errors that a retry would only repeat do not come here: they end the task with
    ``AirflowFailException``. Any other exception is retried as the task says.

    ``retry_policy=ExceptionRetryPolicy(rules=[])`` on a task switches it off.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide; see the class.

        :param try_number: counted over all Clears.
        :param max_tries: tries before the last Clear, and the task's ``retries``.
        """
        needed: object = getattr(exception, "retry_after", None)
        if not isinstance(needed, timedelta):
            return RetryDecision.default()
        task: object = (context or {}).get("task")
        tries = _since_the_last_clear(try_number, max_tries, getattr(task, "retries", None))
        delay, why = _bounded(_doubled(needed, tries), task)
        reason = str(exception).partition("\n")[0]
        if try_number <= max_tries:  # else Airflow fails the task, whatever is decided here
            log.info("The next try begins in %s (%s): %s", delay, why, reason)
        return RetryDecision.retry(delay=delay, reason=reason)


def _since_the_last_clear(try_number: int, max_tries: int, retries: int | None) -> int:
    """Return which try since the last Clear this was, from 1; without a task, over all Clears.

    A Clear sets ``max_tries`` to the tries made by then and the task's ``retries``.
    """
    cleared = 0 if retries is None else max(0, max_tries - retries)
    return max(1, try_number - cleared)


def _doubled(needed: timedelta, tries: int) -> timedelta:
    # What was not over after one wait will hardly be after the same again.
    for _ in range(tries - 1):
        if needed >= LONGEST:
            break
        needed *= 2
    return min(needed, LONGEST)


def _bounded(delay: timedelta, task: object) -> tuple[timedelta, str]:
    """Return a delay as the task allows it, and what decided."""
    shortest, longest = getattr(task, "retry_delay", None), getattr(task, "max_retry_delay", None)
    why = "what the error needs"
    if isinstance(shortest, timedelta) and delay < shortest:
        delay, why = shortest, "the task's retry_delay"
    if isinstance(longest, timedelta) and delay > longest:
        delay, why = longest, "the task's max_retry_delay"
    return delay, why
