"""What became of each lead of a batch, and which errors end the batch."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.batch.worker_pool import first_cause, is_fatal
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    ClosedError,
    EdgeError,
    LeadRejectedError,
    LeadSquaredError,
    SameErrorsError,
    ThrottledError,
)

_SAYS_NOTHING = (EdgeError, ThrottledError, BrokenOffError)
"""Errors that say nothing of the next lead: they come from the pace, the way there or a stop."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

SAME_ERRORS = 20
"""So many equal errors before any success end a batch: the next lead would fail alike."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one lead: queued for reset (``error`` is None) or failed.

    :param index: the lead's place among those asked for, from 0.
    """

    index: int
    prospect_id: str
    error: LeadSquaredError | None = None

    @property
    def final(self) -> bool:
        """Whether calling LeadSquared again could not change it: queued, or refused permanently."""
        return self.error is None or isinstance(self.error, LeadRejectedError)

    def failure(self) -> dict[str, str]:
        """Return a failed lead as a summary names it."""
        return {"prospect_id": self.prospect_id, "error": self.error.reason if self.error else ""}


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

    def settle(self, index: int, prospect_id: str, future: Future[None]) -> Outcome | None:
        """Take the end of a lead's reset.

        :returns: what became of the lead; None if it was not reached: no call was sent for it, or one whose effect is
            unknown because the batch ended.
        """
        error = future.exception()
        if error is not None:
            return self._failed(index, prospect_id, error, says_more=True)
        self._succeeded = True
        self._alike.clear()
        return Outcome(index, prospect_id)

    def refuse(self, index: int, prospect_id: str, error: LeadSquaredError) -> Outcome | None:
        """Take a lead that is not reset because of what was found before. That says nothing of the others.

        :returns: as :meth:`settle` does.
        """
        return self._failed(index, prospect_id, error, says_more=False)

    def _failed(
        self, index: int, prospect_id: str, error: BaseException, *, says_more: bool
    ) -> Outcome | None:
        if not isinstance(error, LeadSquaredError) or isinstance(error, ClosedError) or is_fatal(error):
            self.stop_reason = first_cause(self.stop_reason, error)
            return None
        if says_more:
            self._compare(error)
        return Outcome(index, prospect_id, error)

    def _compare(self, error: LeadSquaredError) -> None:
        if self._succeeded or isinstance(error, _SAYS_NOTHING):
            return
        # Without ids, should LeadSquared name the lead in its message.
        reason = _GUID.sub("…", error.reason)
        self._alike[reason] += 1
        if self._alike[reason] >= SAME_ERRORS and self.stop_reason is None:
            self.stop_reason = SameErrorsError(
                f"the first {SAME_ERRORS} leads all failed alike: {error.reason}"
            )
