"""The pause while something on the way to LeadSquared answers in its place."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api import edge_pause
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.edge_pause import LONGEST_DELAY, EdgePause
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from support.answering import ACCESS, SECRET, Answering, client_of, http
from support.slow_server import SlowServer

EDGE = http(403, "<html>Access Denied</html>")
OK = http(200, '{"Status": "Success"}')


def test_no_pause_without_a_page() -> None:
    """As long as no page came, calls start at once, whatever becomes of them."""
    pause = EdgePause()
    for end in (pause.answered, pause.gave_up, lambda call: pause.unanswered(call, 5.0)):
        call = object()
        pause.departs(call)
        end(call)
        assert pause.starts_at(5.0) == 5.0
        assert not pause.active


def test_one_probe_at_a_time() -> None:
    """After a page one probe goes out after a second, and none while it is out; each waits twice as long."""
    pause, first = EdgePause(), object()
    pause.departs(first)
    pause.page(first, 100.0)
    now, delays = 100.0, []
    for _ in range(9):
        start = pause.starts_at(now)
        delays.append(start - now)
        now, probe = start, object()
        assert pause.starts_at(now) == now
        pause.departs(probe)
        assert pause.starts_at(now) == math.inf
        pause.page(probe, now)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert LONGEST_DELAY == 60


def test_answer_of_a_probe_ends_the_pause() -> None:
    """A probe that is answered lets all calls go; one without an answer makes them wait on."""
    pause, probe = EdgePause(), object()
    pause.page(object(), 0.0)
    pause.departs(probe)
    pause.unanswered(probe, 1.0)
    assert pause.starts_at(1.0) == 3.0
    pause.departs(probe)
    pause.gave_up(probe)
    assert pause.starts_at(4.0) == 4.0
    pause.departs(probe)
    pause.answered(probe)
    assert pause.starts_at(4.0) == 4.0
    assert not pause.active
    pause.page(object(), 10.0)
    assert pause.starts_at(10.0) == 11.0, "a later pause begins with a second again"


def test_calls_under_way_do_not_end_it() -> None:
    """Calls that left before the first page neither end the pause nor lengthen it."""
    pause = EdgePause()
    pause.page(object(), 0.0)
    for end in (pause.answered, pause.gave_up, lambda call: pause.page(call, 0.5)):
        end(object())
        assert pause.starts_at(0.5) == 1.0


def test_whole_batch_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an edge answers, one call at a time arrives; then all go on, and each is answered."""
    monkeypatch.setattr(edge_pause, "FIRST_DELAY", 0.1)
    blocked, at_once, most, pages = True, 0, 0, 0
    lock = threading.Lock()

    def handle(connection: Any, _: bytes) -> None:
        nonlocal at_once, most, pages
        with lock:
            at_once += 1
            page = blocked
            pages += page
            if page and pages > 10:  # the first ten were on their way
                most = max(most, at_once)
        time.sleep(0.03)
        connection.sendall(EDGE if page else OK)
        with lock:
            at_once -= 1

    with SlowServer(handle) as server:
        client = LeadSquaredClient(server.url, ACCESS, SECRET, limiter=RateLimiter(SlidingWindow(100)))
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append(client.call("GET", "x"))) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while pages < 12 and time.monotonic() < until:  # two of those that come one at a time
            time.sleep(0.01)
        with lock:
            probes, blocked = pages - 10, False
        for thread in threads:
            thread.join(10)
        client.close()
    assert answers == [{"Status": "Success"}] * 10
    assert most == 1
    assert 2 <= probes <= 4


def test_pause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log quotes what answered in LeadSquared's place, and says when that is over."""
    with Answering(EDGE, EDGE, EDGE, OK) as server:
        client_of(server.url).call("GET", "x")
    assert [record.getMessage().split(": <")[0] for record in caplog.records] == [
        "HTTP 403: something on the way to LeadSquared answered in its place",
        "LeadSquared answers again after 7 s",
    ]
    assert caplog.records[0].getMessage().endswith("; one call at a time until LeadSquared answers again")


def test_stop_ends_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop wakes the calls that wait for a probe."""
    with SlowServer(lambda connection, _: connection.sendall(EDGE)) as server:
        client = LeadSquaredClient(server.url, ACCESS, SECRET)
        errors: list[BaseException] = []

        def call() -> None:
            try:
                client.call("GET", "x")
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        client.stop()
        for thread in threads:
            thread.join(5)
        assert time.monotonic() - began < 2
        client.close()
    assert [type(error).__name__ for error in errors] == ["ClosedError"] * 3
