"""Many resets at the rate limit: leads go in, one outcome for each comes out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, is_fatal
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    ClosedError,
    EdgeError,
    LeadRejectedError,
    LeadSquaredError,
    SameErrorsError,
    ThrottledError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset

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


class ResetRunner:
    """Resets leads with a pool, and judges which errors end the batch.

    One lead's error never stops the others. Wrong keys, rights or host do, and a quota or an outage of five minutes,
    the first 20 leads all failing alike, and a limiter closed from outside: that error is then the :attr:`stop_reason`.

    :param on_outcome: called in the pool's owner's thread, once for each lead that was reset or failed. A lead for
        which it was not called was not reached: no call was sent for it, or a call whose effect is unknown
        because the batch ended.
    """

    def __init__(self, pool: WorkerPool, on_outcome: Callable[[Outcome], None]) -> None:
        self.stop_reason: LeadSquaredError | None = None
        """Why the batch must end; None while it may go on."""
        self._worker_pool = pool
        self._on_outcome = on_outcome
        self._succeeded = False
        self._alike: Counter[str] = Counter()

    def run(self, resets: Iterable[tuple[int, LeadReset]]) -> None:
        """Reset leads, until all are done or there is a reason to stop.

        :param resets: index and reset of each lead; read as it goes, a few dozen ahead at most.
        """
        self._worker_pool.map_unordered(
            resets,
            work=lambda item: self._worker_pool.client.reset(item[1]),
            done=lambda item, future: self._settle(item[0], item[1].prospect_id, future),
            stop=lambda: self.stop_reason is not None,
        )

    def refused(self, index: int, prospect_id: str, error: LeadSquaredError) -> None:
        """Record a lead that was not reset because of what was found before. That says nothing of the others."""
        self._settle_error(index, prospect_id, error, says_more=False)

    def _settle_error(
        self, index: int, prospect_id: str, error: LeadSquaredError, *, says_more: bool
    ) -> None:
        if isinstance(error, ClosedError):
            self.stop_reason = self.stop_reason or error
        elif is_fatal(error):
            # The limiter may have been closed for this very error, and others have noticed before.
            if self.stop_reason is None or isinstance(self.stop_reason, ClosedError):
                self.stop_reason = error
        else:
            if says_more:
                self._compare(error)
            self._on_outcome(Outcome(index, prospect_id, error))

    def _settle(self, index: int, prospect_id: str, future: Future[None]) -> None:
        try:
            future.result()
        except LeadSquaredError as error:
            self._settle_error(index, prospect_id, error, says_more=True)
        else:
            self._succeeded = True
            self._alike.clear()
            self._on_outcome(Outcome(index, prospect_id))

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
