"""What a worker pool tells of work that was on its way when it ended."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import AccessError, ClosedError, QuotaError
from support.answering import FakeClock, client_of


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
