"""Which errors end a batch, and which are a lead's own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome, without_ids
from airflow_provider_leadreset.leadsquared.batch.worker_pool import first_cause, is_fatal
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    ClosedError,
    EdgeError,
    LeadSquaredError,
    SameErrorsError,
    ThrottledError,
)

_SAYS_NOTHING = (EdgeError, ThrottledError, BrokenOffError)
"""Errors that say nothing of the next lead: they come from the pace, the way there or a stop."""

SAME_ERRORS = 20
"""So many equal errors before any success end a batch: the next lead would fail alike."""


class BatchJudge:
    """Is told what became of each reset, and says whether it is the lead's outcome or a reason to end the batch.

    One lead's error never stops the others. Wrong keys, rights or host do, and a quota or an outage of five minutes,
    the first 20 leads all failing alike, a limiter closed from outside, and an error that is none of LeadSquared's.
    """

    def __init__(self) -> None:
        self.stop_reason: BaseException | None = None
        """Why the batch must end; None while it may go on."""
        self._succeeded = False
        self._alike: Counter[str] = Counter()

    def stop(self, error: BaseException) -> None:
        """End the batch, for this reason unless there is another."""
        self.stop_reason = first_cause(self.stop_reason, error)

    def settle(self, index: int, prospect_id: str, future: Future[None]) -> Outcome | None:
        """Judge the end of a lead's reset.

        :returns: what became of the lead; None if it was not reached because the batch ended.
        """
        error = future.exception()
        if error is not None:
            return self._failed(index, prospect_id, error, says_more=True)
        self._succeeded = True
        self._alike.clear()
        return Outcome(index, prospect_id)

    def refuse(self, index: int, prospect_id: str, error: LeadSquaredError) -> Outcome | None:
        """Judge a lead that is not reset because of what was found before. That says nothing of the others.

        :returns: as :meth:`settle` does.
        """
        return self._failed(index, prospect_id, error, says_more=False)

    def _failed(
        self, index: int, prospect_id: str, error: BaseException, *, says_more: bool
    ) -> Outcome | None:
        if not isinstance(error, LeadSquaredError) or isinstance(error, ClosedError) or is_fatal(error):
            self.stop(error)
            return _left_open(index, prospect_id, error)
        if says_more:
            self._compare(error)
        return Outcome(index, prospect_id, error)

    def _compare(self, error: LeadSquaredError) -> None:
        if self._succeeded or isinstance(error, _SAYS_NOTHING):
            return
        reason = without_ids(error.reason)
        self._alike[reason] += 1
        if self._alike[reason] >= SAME_ERRORS and self.stop_reason is None:
            self.stop_reason = SameErrorsError(
                f"the first {SAME_ERRORS} leads all failed alike: {error.reason}"
            )


def _left_open(index: int, prospect_id: str, error: BaseException) -> Outcome | None:
    """Return the outcome of a lead whose error ended the batch; None if nothing was sent that may be carried out."""
    if isinstance(error, LeadSquaredError):
        return Outcome(index, prospect_id, error) if error.in_doubt else None
    # Of an error that is none of LeadSquared's, it cannot be told how far the call had come.
    doubt = LeadSquaredError(f"interrupted by {type(error).__name__}")
    doubt.in_doubt = True
    return Outcome(index, prospect_id, doubt)
