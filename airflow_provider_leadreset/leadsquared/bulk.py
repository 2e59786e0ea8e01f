"""Many resets at the pace: leads go in, one outcome for each comes out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from airflow_provider_leadreset.leadsquared.client import MOST_THREADS, LeadSquaredClient, OutageError
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadRejectedError,
    LeadSquaredError,
    QuotaError,
)
from airflow_provider_leadreset.leadsquared.pace import ClosedError
from airflow_provider_leadreset.leadsquared.reset import LeadReset

log = logging.getLogger(__name__)

SAME_ERRORS = 20
"""So many equal errors before any success end a batch: the next lead would fail alike."""

TICK = 1.0
"""Seconds between two looks at the time while nothing happens."""


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
        """Whether calling LeadSquared again could not change it: queued, or refused for good."""
        return self.error is None or isinstance(self.error, LeadRejectedError)

    def failure(self) -> dict[str, str]:
        """Give a failed lead as a summary names it."""
        return {"prospect_id": self.prospect_id, "error": self.error.reason if self.error else ""}


class SameErrorsError(LeadSquaredError):
    """Every lead so far failed in the same way, so the batch was ended."""


def reset_leads(
    client: LeadSquaredClient,
    resets: Iterable[tuple[int, LeadReset]],
    *,
    on_outcome: Callable[[Outcome], None],
    on_tick: Callable[[], None],
) -> None:
    """Reset leads, several at once, as fast as the client's pace lets them.

    :param resets: index and reset of each lead; read as it goes, a few dozen ahead at most.
    :param on_outcome: called in this thread, once for each lead that was reset or failed. A lead for which
        it was not called was not reached: no call was sent for it, or a call whose effect is unknown because
        the batch ended.
    :param on_tick: called in this thread about each second.
    :raises AccessError: keys, rights or host are wrong; no further lead was tried.
    :raises QuotaError: nothing was accepted for five minutes.
    :raises OutageError: nothing was answered for five minutes.
    :raises SameErrorsError: the first 20 leads all failed alike.
    :raises ClosedError: the client's gate was closed from outside.

    One lead's error never stops the others. However it ends, calls already on their way are waited for
    and their outcomes reported. Its gate is closed then: the client makes no further call.
    """
    threads = min(2 * client.gate.pace.share, MOST_THREADS)
    judge = _Judge()
    waiting: dict[Future[None], tuple[int, LeadReset]] = {}
    finished: SimpleQueue[Future[None]] = SimpleQueue()
    source = iter(resets)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="lead-reset")

    def work(reset: LeadReset) -> None:
        try:
            client.reset(reset)
        except BaseException as error:
            if _ends_batch(error):
                # At once: the other thread may be reading the source or writing an outcome down.
                client.gate.close()
            raise

    def settle(future: Future[None]) -> None:
        index, reset = waiting.pop(future)
        outcome = _outcome(future, index, reset, judge)
        if outcome:
            on_outcome(outcome)

    try:
        more = True
        while (more or waiting) and not judge.verdict:
            full = len(waiting) >= threads
            if more and not full:
                item = next(source, None)
                if item is None:
                    more = False
                else:
                    future = pool.submit(work, item[1])
                    waiting[future] = item
                    future.add_done_callback(finished.put)
            try:
                # Not concurrent.futures.wait: a time-out raised by a signal could leave its locks held for good.
                done = finished.get(block=bool(waiting) and (full or not more), timeout=TICK)
            except Empty:
                pass
            else:
                settle(done)
            on_tick()
    finally:
        client.gate.close()
        pool.shutdown(wait=True, cancel_futures=True)
        with ExitStack() as rest:  # goes on with the others when one raises
            for future in reversed(waiting):
                if not future.cancelled():
                    rest.callback(settle, future)
    if judge.verdict:
        raise judge.verdict


class _Judge:
    """Decides which errors end the batch."""

    def __init__(self) -> None:
        self.verdict: LeadSquaredError | None = None
        self._succeeded = False
        self._alike: Counter[str] = Counter()

    def success(self) -> None:
        self._succeeded = True
        self._alike.clear()

    def failure(self, error: LeadSquaredError) -> bool:
        """Take one lead's error; say whether it is that lead's own."""
        if _ends_batch(error):
            # The gate may have been closed for this very error, and others have noticed before.
            if self.verdict is None or isinstance(self.verdict, ClosedError):
                self.verdict = error
            return False
        if not self._succeeded:
            self._alike[error.reason] += 1
            if self._alike[error.reason] >= SAME_ERRORS and self.verdict is None:
                self.verdict = SameErrorsError(
                    f"the first {SAME_ERRORS} leads all failed alike: {error.reason}"
                )
        return True


def _ends_batch(error: BaseException) -> bool:
    return not isinstance(error, LeadSquaredError) or isinstance(
        error, (AccessError, QuotaError, OutageError)
    )


def _outcome(future: Future[None], index: int, reset: LeadReset, judge: _Judge) -> Outcome | None:
    try:
        future.result()
    except ClosedError as error:
        judge.verdict = judge.verdict or error
        return None
    except LeadSquaredError as error:
        return Outcome(index, reset.prospect_id, error) if judge.failure(error) else None
    judge.success()
    return Outcome(index, reset.prospect_id)
