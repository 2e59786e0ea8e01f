"""Threads that call LeadSquared side by side, for one thread that owns them and loops over what they found."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from airflow_provider_leadreset.leadsquared.api.client import MOST_THREADS, LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    LeadSquaredError,
    OutageError,
    QuotaError,
)

TICK = 1.0
"""Seconds between two ticks while nothing happens."""

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


def first_cause(known: BaseException | None, error: BaseException) -> BaseException:
    """Return which of two errors ended a batch: the first, unless it only says that the batch had ended.

    The limiter may have been closed for the second, and others have noticed before.
    """
    return error if known is None or type(known) is ClosedError else known


@dataclass(eq=False, slots=True)
class _Job(Generic[Item, Result]):
    """Some work for one item.

    :param finished: where it is put once it has ended.
    :param begun: set by its thread. The flags, unlike the future, can be read without a lock.
    :param ended: set by its thread, once the future has its result.
    """

    item: Item
    work: Callable[[Item], Result]
    finished: SimpleQueue[_Job[Item, Result]]
    future: Future[Result] = field(default_factory=Future)
    begun: bool = False
    ended: bool = False


class WorkerPool:
    """Threads at work for the one that loops over their results: ``for item, future in pool.map_unordered(…)``.

    A context manager; leaving it closes the client's limiter, so the client makes no further call, and waits for calls
    under way. Left by an exception it also stops the client: calls under way have a second, and are then broken off.
    What became of those tells :meth:`leftovers`.

    A signal may raise an exception in the owner's thread between any two of its steps. So the owner never waits with
    a lock that the threads need, an item is noted before its work can begin, and it is crossed out only when the owner
    comes back for the next.

    :param client: whose rate limit is kept; its share decides how many threads there are.
    """

    def __init__(self, client: LeadSquaredClient) -> None:
        self.client = client
        self.stopped = False
        """Whether no further item is read, and no work begun."""
        self._most_threads = min(2 * client.limiter.sliding_window.share, MOST_THREADS)
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()  # of the threads alone
        self._jobs: SimpleQueue[_Job[object, object] | None] = SimpleQueue()
        # In the order in which they began, so that the same error is told whatever ends first.
        self._unsettled: dict[_Job[Any, Any], None] = {}
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let no further call start, and wait for those on their way."""
        if error is not None:
            self._break_off()
            return
        try:
            self._close()
            self._wait(math.inf)
        except BaseException:  # a time-out while they are waited for
            self._break_off()
            raise

    def stop(self) -> None:
        """Read no further item and let no further call start; loops go on yielding what is under way."""
        self.stopped = True
        self.client.limiter.close()

    def map_unordered(
        self, items: Iterable[Item], work: Callable[[Item], Result]
    ) -> Iterator[tuple[Item, Future[Result]]]:
        """Do some work for each item, several at once; yield each item with its future, in the order of their ends.

        :param items: read as it goes, a few dozen ahead at most.
        :param work: called in a thread of the pool; ``future.result()`` gives or raises what came of it.
        """
        for ended in self.map_with_ticks(items, work):
            if ended:
                yield ended

    def map_with_ticks(
        self, items: Iterable[Item], work: Callable[[Item], Result]
    ) -> Iterator[tuple[Item, Future[Result]] | None]:
        """Do as :meth:`map_unordered` does, and yield None about each second while nothing ends, and now and then."""
        source = iter(items)
        finished: SimpleQueue[_Job[Item, Result]] = SimpleQueue()
        more, under_way = True, 0
        while more or under_way:
            more = more and not self.stopped
            if more and under_way < self._most_threads:
                taken = list(islice(source, 1))
                more = bool(taken)
                for item in taken:
                    self._begin(_Job(item, work, finished))
                    under_way += 1
            nothing_to_begin = not more or under_way >= self._most_threads
            try:
                job = finished.get(block=under_way > 0 and nothing_to_begin, timeout=TICK)
            except Empty:
                yield None
            else:
                yield job.item, job.future
                del self._unsettled[job]
                under_way -= 1

    def leftovers(self, work: Callable[[Item], Result]) -> Iterator[tuple[Item, Future[Result]]]:
        """Yield what became of items that a loop was broken off with, once the pool has been left.

        That in which the loop's own body was interrupted is among them, so it may be told twice. Not among them are
        items whose work never began, and those whose call could not be broken off. Where this is interrupted itself,
        calling it again gives the rest.

        :param work: as given to the loop: only its items are told.
        """
        if not self._ended:
            self._break_off()
        for job in list(self._unsettled):
            if job.ended and job.work == work:
                yield job.item, job.future
                del self._unsettled[job]

    def unended(self, work: Callable[[Item], Result]) -> Iterator[Item]:
        """Yield the items whose work was begun and has not ended: their call could not be broken off.

        :param work: as given to the loop: only its items are told.
        """
        for job in list(self._unsettled):
            if job.begun and not job.ended and job.work == work:
                yield job.item

    def _begin(self, job: _Job[Any, Any]) -> None:
        self._unsettled[job] = None
        if not self._threads:
            self._start_thread()
        self._jobs.put(job)

    def _start_thread(self) -> None:
        # As a daemon: a call that cannot be broken off must not keep the process from ending.
        name = f"lead-reset-{len(self._threads)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _run(self) -> None:
        """Do the work of one thread.

        The threads start each other: a signal inside ``Thread.start`` could leave the new one waiting for a lock.
        """
        while (job := self._jobs.get()) is not None:
            with self._starting:
                if len(self._threads) < self._most_threads and not self.stopped:
                    # The machine may allow no more (a limit of processes): those that there are go on.
                    with suppress(RuntimeError, MemoryError):
                        self._start_thread()
            job.begun = True
            try:
                result = self._do(job)
            except BaseException as error:
                if is_fatal(error):
                    # At once: the owner may be reading the source or writing a result down.
                    self.client.limiter.close()
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
            job.ended = True
            job.finished.put(job)
        self._jobs.put(None)  # for the next

    def _do(self, job: _Job[object, Result]) -> Result:
        if self.stopped:
            raise ClosedError("not sent: the batch was stopped")
        try:
            return job.work(job.item)
        except LeadSquaredError as error:
            # Also what was read from rows, by those who know no keys.
            error.message = self.client.redact(error.message)
            error.args = (error.message,)
            raise

    def _close(self) -> None:
        self.stop()
        self._jobs.put(None)

    def _break_off(self) -> None:
        self._close()
        self.client.stop()
        self._wait(STOP_WAIT)

    def _wait(self, seconds: float) -> None:
        """Wait until all work that was begun has ended, and with it the threads.

        They are joined at their end only: a time-out raised by a signal, while one at work is joined, would have Python
        take it for ended.
        """
        until = time.monotonic() + seconds
        while any(job.begun and not job.ended for job in self._unsettled):
            if time.monotonic() >= until:
                break
            time.sleep(POLL)
        else:
            for thread in self._threads:
                if thread.is_alive():
                    thread.join(STOP_WAIT)
        self._ended = True
