"""When a failed reset is tried again, on Airflow 3.3 and later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context


class LeadResetRetryPolicy(RetryPolicy):
    """Wait as long as the error needs: minutes after an outage, an hour or more after a used-up quota.

    Errors that a retry would only repeat do not come here: they end the task with ``AirflowFailException``.
    Any other exception is retried as the task says.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide; see the class."""
        del max_tries, context  # Airflow itself ends the retries
        wait: Any = getattr(exception, "retry_after", None)
        if not isinstance(wait, timedelta):
            return RetryDecision.default()
        # Each further try waits longer: what was not over after one wait will hardly be after the same again.
        delay = min(wait * 2 ** max(0, try_number - 1), timedelta(hours=6))
        return RetryDecision.retry(delay=delay, reason=str(exception).splitlines()[0])
