"""Threads that call LeadSquared side by side, and one thread that owns them and gets what they found."""

from __future__ import annotations

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
"""Seconds between two looks at the time while nothing happens."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def is_fatal(error: BaseException) -> bool:
    """Whether every further call would fail in the same way, or the error is none of LeadSquared's."""
    return not isinstance(error, LeadSquaredError) or isinstance(
        error, (AccessError, QuotaError, OutageError)
    )


class WorkerPool:
    """A context manager; leaving it closes the client's limiter, so the client makes no further call.

    :param client: whose pace is kept; its share decides how many threads there are.
    :param on_tick: called in the owner's thread about each second, and after each result.
    """

    def __init__(self, client: LeadSquaredClient, on_tick: Callable[[], None]) -> None:
        self.client = client
        self._on_tick = on_tick
        self._threads = min(2 * client.limiter.sliding_window.share, MOST_THREADS)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="lead-reset")
        self._waiting: dict[Future[Any], Callable[[Future[Any]], None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let no further call start, wait for those on their way, and give their results too."""
        self.client.limiter.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        later: BaseException | None = None
        for future, done in self._waiting.items():
            if future.cancelled():
                continue
            try:
                done(future)
            except BaseException as raised:  # goes on with the others
                later = later or raised
        # Not in place of what ended the work: those that were stopped by it only say that they were stopped.
        if later and error is None:
            raise later

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
            try:
                return work(item)
            except BaseException as error:
                if is_fatal(error):
                    # At once: the owner may be reading the source or writing a result down.
                    self.client.limiter.close()
                raise

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
