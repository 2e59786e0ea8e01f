"""What a worker pool tells of work that was on its way when it ended."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.batch import worker_pool
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    BrokenOffError,
    ClosedError,
    QuotaError,
    UnavailableError,
)
from support.answering import ACCESS, SECRET, FakeClock, client_of, http
from support.slow_server import SlowServer


@pytest.mark.parametrize(
    "error", [AccessError("wrong keys"), QuotaError("used up"), TimeoutError("too long")]
)
def test_original_error_raised(error):
    """The error that ended the work is raised, and not that other calls were stopped by it."""
    client = client_of("127.0.0.1", clock=FakeClock())
    waiting = threading.Barrier(3)

    def work(item: int) -> None:
        waiting.wait(5)
        if item == 0:
            raise error
        while not client.limiter._closed:
            pass
        client.limiter.acquire()

    def lead() -> None:
        with WorkerPool(client) as pool:
            for _, future in pool.map_unordered(range(3), work):
                future.result()

    with pytest.raises(type(error), match=str(error)):
        lead()
    client.close()


def test_stopped_loop_goes_on():
    """A loop goes on after a stop until what is under way has ended, and what waited was not sent."""
    client, together = client_of("127.0.0.1", clock=FakeClock()), threading.Barrier(3)
    told: dict[int, Any] = {}

    def work(item: int) -> None:
        if item < 3:
            together.wait(5)
        while item and not client.limiter._closed:
            time.sleep(0.001)
        if item:
            client.limiter.acquire()

    with WorkerPool(client) as pool:
        for item, future in pool.map_unordered(iter(range(1000)), work):
            told[item] = told_of(future)
            pool.stop()
    assert told == {0: None, 1: ClosedError, 2: ClosedError} | {
        item: ClosedError for item in told if item > 2
    }
    assert list(pool.leftovers(work)) == []
    client.close()


def test_first_error_ends_the_loop():
    """An error that the loop's body raises is raised, and the others of what was under way are left over."""
    client, together = client_of("127.0.0.1", clock=FakeClock()), threading.Barrier(3)
    told: list[Any] = []

    def work(item: int) -> None:
        together.wait(5)
        while item and not client.limiter._closed:
            pass
        if item:
            client.limiter.acquire()

    pool = WorkerPool(client)

    def lead() -> None:
        with pool:
            for item, future in pool.map_unordered(range(3), work):
                told.append(item)
                pool.stop()
                future.result()

    with pytest.raises(ClosedError):
        lead()
    assert len(told) == 2
    assert {item for item, _ in pool.leftovers(work)} | set(told) == {0, 1, 2}
    client.close()


def test_leftovers_of_one_work():
    """What is left over is told for the work that is asked for, once, and again where that was interrupted."""
    client = client_of("127.0.0.1", clock=FakeClock())
    pool = WorkerPool(client)

    def one(item: int) -> int:
        return item

    def other(item: int) -> int:
        return -item

    with pool:
        for work in (one, other):
            next(iter(pool.map_unordered(range(1, 2), work)))
    for _ in range(2):
        (left,) = [next(pool.leftovers(one))]  # broken off in its course
        assert left[1].result() == 1
    assert [future.result() for _, future in pool.leftovers(one)] == [1]
    assert list(pool.leftovers(one)) == []
    assert [future.result() for _, future in pool.leftovers(other)] == [-1]
    client.close()


def test_work_that_was_not_begun(monkeypatch):
    """A time-out between the note of an item and its start leaves it unsent, and hides no other."""
    client, begin = client_of("127.0.0.1", clock=FakeClock()), WorkerPool._begin
    done: list[int] = []

    def interrupted(self: Any, job: Any) -> None:
        if job.item == 2:
            self._unsettled[job] = None
            raise TaskTimeoutError
        begin(self, job)

    monkeypatch.setattr(WorkerPool, "_begin", interrupted)
    pool = WorkerPool(client)

    def lead() -> None:
        with pool:
            for _ in pool.map_unordered(range(3), done.append):
                pass

    began = time.monotonic()
    with pytest.raises(TaskTimeoutError):
        lead()
    assert time.monotonic() - began < 1
    assert {item for item, _ in pool.leftovers(done.append)} <= {0, 1}
    assert 2 not in done
    client.close()


class TaskTimeoutError(BaseException):
    """As a signal handler of Airflow raises it."""


def told_of(future: Any) -> type[BaseException] | None:
    error = future.exception()
    return type(error) if error else None


def wait_until(condition: Any) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def hanging():
    """A server that answers nothing."""
    with SlowServer(lambda *_: server.hang()) as server:
        yield server


@pytest.fixture
def client(hanging):
    client = LeadSquaredClient(hanging.url, ACCESS, SECRET, timeout=30.0)
    yield client
    client.close()


def lead_calls(client, told, on_tick, *, items=3, stop=lambda: False):
    """Call so many times with a pool, and tell what became of each."""
    pool = WorkerPool(client)

    def call(_: int) -> Any:
        return client.call("GET", "x")

    try:
        with pool:
            for ended in pool.map_with_ticks(range(items), call):
                if ended:
                    told.append(told_of(ended[1]))
                on_tick()
                if stop():
                    break
    finally:
        told += [told_of(future) for _, future in pool.leftovers(call)]


def test_exception_breaks_calls_off(hanging, client):
    """Left by an exception, a pool gives calls under way a second, and tells what became of each."""
    told: list[Any] = []
    ticks: list[None] = []

    def on_tick() -> None:
        ticks.append(None)
        if len(ticks) == 3:
            wait_until(lambda: len(hanging.requests) == 3)
            raise TaskTimeoutError

    began = time.monotonic()
    with pytest.raises(TaskTimeoutError):
        lead_calls(client, told, on_tick)
    assert 0.9 < time.monotonic() - began < 2.5
    assert told == [BrokenOffError] * 3
    assert issubclass(BrokenOffError, UnavailableError)


def test_stop_from_outside(hanging, client):
    """A stop ends a pool within two seconds, and calls that were sent are told as such."""
    told: list[Any] = []
    waits: list[None] = []

    def on_tick() -> None:
        if len(hanging.requests) == 3 and not waits:
            waits.append(None)
            client.stop()

    began = time.monotonic()
    lead_calls(client, told, on_tick)
    assert time.monotonic() - began < 3.5
    assert told == [BrokenOffError] * 3


def test_timeout_at_the_pools_end(hanging, client):
    """A time-out while a pool waits for calls under way breaks these off, and tells of each."""
    told: list[Any] = []

    def on_tick() -> None:
        wait_until(lambda: len(hanging.requests) == 1)

    def time_out(*_: object) -> None:
        raise TaskTimeoutError

    before = signal.signal(signal.SIGALRM, time_out)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    began = time.monotonic()
    try:
        with pytest.raises(TaskTimeoutError):
            lead_calls(client, told, on_tick, items=1, stop=lambda: bool(hanging.requests))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 1.4 < time.monotonic() - began < 3
    assert told == [BrokenOffError]


def test_call_that_cannot_be_broken_off(client, monkeypatch):
    """Work that does not end when it is told to is waited for only so long, and not told."""
    monkeypatch.setattr(worker_pool, "STOP_WAIT", 0.2)
    told: list[Any] = []
    go_on = threading.Event()
    pool = WorkerPool(client)

    def stuck(_: int) -> None:
        go_on.wait(10)

    def lead() -> None:
        with pool:
            for _ in pool.map_with_ticks(range(1), stuck):
                wait_until(lambda: any(job.begun for job in pool._unsettled))
                raise TaskTimeoutError

    began = time.monotonic()
    with pytest.raises(TaskTimeoutError):
        lead()
    told += pool.leftovers(stuck)
    assert time.monotonic() - began < 1
    assert told == []
    go_on.set()


def test_normal_end_waits(client):
    """Left without an exception, a pool waits for calls under way, and breaks none off."""
    told: list[Any] = []
    asked = []

    def soon(connection: Any, _: bytes) -> None:
        time.sleep(1.5)
        connection.sendall(http(200, "[]"))

    def stop() -> bool:
        asked.append(len(server.requests))
        return asked[-1] == 1

    with SlowServer(soon) as server:
        slow = LeadSquaredClient(server.url, ACCESS, SECRET)
        lead_calls(slow, told, lambda: wait_until(lambda: server.requests), items=2, stop=stop)
        slow.close()
    assert None in told
    assert set(told) <= {None, ClosedError}


def test_no_more_threads_than_allowed(monkeypatch):
    """Where the machine allows no further thread, those that there are do all the work."""
    client, started = client_of("127.0.0.1", clock=FakeClock()), threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name not in {"lead-reset-0", "lead-reset-1"}:
            raise RuntimeError("can't start new thread")
        started(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with WorkerPool(client) as pool:
        done = sorted(future.result() for _, future in pool.map_unordered(range(60), lambda item: item))
    assert done == list(range(60))
    client.close()
