"""Threads that call LeadSquared side by side, and one thread that owns them and gets what they found."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from airflow_provider_leadreset.leadsquared.api.client import MOST_THREADS, LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadSquaredError,
    OutageError,
    QuotaError,
)

TICK = 1.0
"""Seconds between two checks of the time while nothing happens."""

STOP_WAIT = 3.0
"""Seconds that calls under way are waited for at most when they were told to stop: they need little more than one."""

POLL = 0.01
"""Seconds between two looks at whether calls under way have ended."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def is_fatal(error: BaseException) -> bool:
    """Whether every further call would fail in the same way, or the error is none of LeadSquared's."""
    return not isinstance(error, LeadSquaredError) or isinstance(
        error, (AccessError, QuotaError, OutageError)
    )


class WorkerPool:
    """A context manager; leaving it closes the client's limiter, so the client makes no further call.

    Left by an exception it also stops the client: calls under way have a second, and are then broken off.

    :param client: whose rate limit is kept; its share decides how many threads there are.
    :param on_tick: called in the owner's thread about each second, and after each result.
    """

    def __init__(self, client: LeadSquaredClient, on_tick: Callable[[], None]) -> None:
        self.client = client
        self._on_tick = on_tick
        self._threads = min(2 * client.limiter.sliding_window.share, MOST_THREADS)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="lead-reset")
        self._waiting: dict[Future[Any], Callable[[Future[Any]], None]] = {}
        # One for each thread at work: a signal can come after work was begun and before it was noted as waited for.
        self._at_work: list[None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let no further call start, wait for those on their way, and give their results too."""
        later: BaseException | None = None
        try:
            self.client.limiter.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            if error is None:
                self._wait(math.inf)
        except BaseException as raised:  # a time-out while they are waited for
            later = raised
        if error or later:
            self.client.stop()
            self._wait(STOP_WAIT)
        for future, done in self._waiting.items():
            if future.cancelled() or not future.done():
                continue
            try:
                done(future)
            except BaseException as raised:  # goes on with the others
                later = later or raised
        # Not in place of what ended the work: those that were stopped by it only say that they were stopped.
        if later and error is None:
            raise later

    def _wait(self, seconds: float) -> None:
        """Wait until all work has ended, and with it the threads.

        They are joined at their end only: a time-out raised by a signal, while one at work is joined, would have Python
        take it for ended.
        """
        until = time.monotonic() + seconds
        while self._at_work or not all(future.done() for future in self._waiting):
            if time.monotonic() >= until:
                return
            time.sleep(POLL)
        self._pool.shutdown(wait=True)

    def map_unordered(
        self,
        items: Iterable[Item],
        work: Callable[[Item], Result],
        done: Callable[[Item, Future[Result]], None],
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Do some work for each item, several at once.

        :param items: read as it goes, a few dozen ahead at most.
        :param work: called in a thread of the pool.
        :param done: called in the owner's thread with what came of it: ``future.result()`` gives or raises it.
        :param stop: asked after each result; when it says so, the rest is left to the pool's end.
        """
        finished: SimpleQueue[Future[Any]] = SimpleQueue()
        source = iter(items)
        more = True

        def guarded(item: Item) -> Result:
            self._at_work.append(None)
            try:
                return work(item)
            except BaseException as error:
                if isinstance(error, LeadSquaredError):
                    # Also what was read from rows, by those who know no keys.
                    error.message = self.client.redact(error.message)
                    error.args = (error.message,)
                if is_fatal(error):
                    # At once: the owner may be reading the source or writing a result down.
                    self.client.limiter.close()
                raise
            finally:
                self._at_work.pop()

        while (more or self._waiting) and not stop():
            full = len(self._waiting) >= self._threads
            if more and not full:
                taken = list(islice(source, 1))
                more = bool(taken)
                for item in taken:
                    future = self._pool.submit(guarded, item)
                    self._waiting[future] = partial(done, item)
                    future.add_done_callback(finished.put)
            try:
                # Not concurrent.futures.wait: a time-out raised by a signal could leave its locks held for ever.
                result = finished.get(block=bool(self._waiting) and (full or not more), timeout=TICK)
            except Empty:
                pass
            else:
                self._waiting.pop(result)(result)
            self._on_tick()
