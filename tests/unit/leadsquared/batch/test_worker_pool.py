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
        with WorkerPool(client, lambda: None) as pool:
            pool.map_unordered(range(3), work, lambda _, future: future.result())

    with pytest.raises(type(error), match=str(error)):
        lead()
    client.close()


def test_leftover_error_raised():
    """The first error of the remaining work is raised if nothing else went wrong."""
    client, together = client_of("127.0.0.1", clock=FakeClock()), threading.Barrier(3)
    told: list[Any] = []

    def work(item: int) -> None:
        together.wait(5)
        while item and not client.limiter._closed:
            pass
        if item:
            client.limiter.acquire()

    def done(item: int, future: Any) -> None:
        told.append(item)
        future.result()

    def lead() -> None:
        with WorkerPool(client, lambda: None) as pool:
            pool.map_unordered(range(3), work, done, stop=lambda: bool(told))

    with pytest.raises(ClosedError):
        lead()
    assert sorted(told) == [0, 1, 2]
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
    with WorkerPool(client, on_tick) as pool:
        pool.map_unordered(
            range(items),
            lambda _: client.call("GET", "x"),
            lambda _, future: told.append(told_of(future)),
            stop=stop,
        )


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

    def stuck(_: int) -> None:
        go_on.wait(10)

    def lead() -> None:
        with WorkerPool(client, raise_time_out) as pool:
            pool.map_unordered(range(1), stuck, lambda _, future: told.append(future))

    began = time.monotonic()
    with pytest.raises(TaskTimeoutError):
        lead()
    assert time.monotonic() - began < 1
    assert told == []
    go_on.set()


def raise_time_out() -> None:
    raise TaskTimeoutError


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
