"""What a task says every ten seconds: what is being done, how much of it, and how long the calls left will take."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch import progress_log
from airflow_provider_leadreset.leadsquared.batch.progress_log import (
    ListProgress,
    ProgressLog,
    Work,
    seconds_left,
)
from airflow_provider_leadreset.leadsquared.text import duration
from support.answering import FakeClock

LIST = "11111111-2222-3333-4444-555555555555"


class Counts:
    """What a batch has done, each lead by so many calls."""

    def __init__(self, total: int, each: int = 1) -> None:
        self.total, self.each = total, each
        self.done = self.failed = 0

    def work(self, doing: str = "Resetting") -> Work:
        return Work(
            doing,
            total=lambda: self.total,
            done=lambda: self.done,
            calls_left=lambda: (self.total - self.done) * self.each,
            failed=lambda: self.failed,
        )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(clock: FakeClock) -> RateLimiter:
    return RateLimiter(SlidingWindow(100), clock)


def call(limiter: RateLimiter, times: int) -> None:
    for _ in range(times):
        limiter.accepted(limiter.acquire())


def test_a_line(limiter, clock):
    """A line says what is being done, done of total, pace, throttled, failed, and the time left."""
    said = ProgressLog(limiter, print)
    counts = Counts(10_000)
    said.begin(counts.work())
    call(limiter, 50)
    limiter.throttled(limiter.acquire(), None)
    counts.done, counts.failed = 50, 3
    clock.seconds += 20
    assert said.next_line() == (
        "Resetting: 50 of 10000 leads, 2.5 calls/s, 1 throttled, 3 failed, about 1 h 6 min left"
    )


def test_time_left_is_that_of_the_calls(limiter, clock):
    """Leads that were read and are not reset yet shorten the time left, though none is done."""
    said, read, counts = ProgressLog(limiter, print), [0], Counts(100)
    work = Work(
        "Reading and resetting", lambda: 100, lambda: counts.done, lambda: (100 - counts.done) * 2 - read[0]
    )
    said.begin(work)
    call(limiter, 50)
    read[0] = 50
    clock.seconds += 50
    assert said.next_line().endswith("0 of 100 leads, 1.0 calls/s, 0 throttled, 0 failed, about 2 min left")


def test_pace_of_the_last_minute(limiter, clock):
    """The time left goes by the last minute: what was slow an hour ago says nothing of the rest."""
    said, counts = ProgressLog(limiter, print), Counts(1000)
    said.begin(counts.work())
    for _ in range(60):
        clock.seconds += 60
        assert "left" not in said.next_line(), "nothing went on, so nothing is known"
    for _ in range(7):
        counts.done += 10
        clock.seconds += 10
        line = said.next_line()
    assert line.endswith("about 16 min left")


def test_without_a_total(limiter, clock):
    """Before the first work, and where nobody knows how much there is, it says what it is busy with."""
    said = ProgressLog(limiter, print)
    call(limiter, 3)
    clock.seconds += 10
    assert said.next_line() == "Asking the account: 3 calls so far, 0.3 calls/s, 0 throttled"


def test_a_list_is_read(limiter, clock):
    """Reading a list says how many of its members have come, and how long the rest takes."""
    said = ProgressLog(limiter, print)
    told = ListProgress(said, LIST)
    call(limiter, 1)
    clock.seconds += 10
    assert said.next_line() == f"Looking for the list {LIST}: 1 call so far, 0.1 calls/s, 0 throttled"
    told(1000, 120_000)
    call(limiter, 2)
    told(3000, 120_000)
    clock.seconds += 10
    assert said.next_line() == (
        f"Reading the list {LIST}: 3000 of 120000 leads, 0.2 calls/s, 0 throttled, 0 failed, about 10 min left"
    )


def test_a_list_that_does_not_say_its_size(limiter, clock):
    """Of a list whose size nobody says, the calls are told."""
    said = ProgressLog(limiter, print)
    told = ListProgress(said, LIST)
    told(1000, None)
    assert said.next_line().startswith(f"Reading the list {LIST}: 0 calls so far")


@pytest.mark.parametrize(
    ("before", "now", "seconds", "share", "left"),
    [
        (100, 50, 10, 25, 10),
        (100, 75, 0.1, 25, 10),  # a burst: the first window starts at once
        (100, 100, 10, 25, None),
        (100, 0, 10, 25, None),
        (50, 100, 10, 25, None),
        (100, 99, 10, 25, 990),
    ],
)
def test_seconds_left(before, now, seconds, share, left):
    """The time left is that of the calls left at the pace so far, and never less than the limit allows."""
    assert seconds_left(before, now, seconds, share) == left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (90, "2 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (5100, "1 h 25 min"),
        (90_000, "25 h"),
    ],
)
def test_duration(seconds, text):
    """A time is told in seconds, minutes or hours."""
    assert duration(seconds) == text


def test_said_while_a_call_hangs(limiter, monkeypatch):
    """Lines come from a thread of their own, whatever the owner waits for, and no more after the end."""
    monkeypatch.setattr(progress_log, "SAID_EVERY", 0.01)
    said: list[str] = []
    twice = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            twice.set()

    with ProgressLog(limiter, say) as progress:
        progress.begin(Counts(5).work("Counting"))
        assert twice.wait(5)
    assert said[-1].startswith("Counting: 0 of 5 leads")
    assert not [one for one in threading.enumerate() if one.name == "lead-reset-progress" and one.join(5)]
    known = len(said)
    assert len(said) == known


def test_signal_while_it_begins(limiter, monkeypatch):
    """A time-out that comes while the thread is started leaves none that goes on."""
    started = threading.Thread.start

    def interrupted(thread: Any) -> None:
        started(thread)
        raise TimeoutError

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    progress = ProgressLog(limiter, print)
    with pytest.raises(TimeoutError):
        progress.__enter__()
    assert progress._ended.is_set()


def test_log_that_cannot_be_written(limiter, monkeypatch):
    """A line that cannot be said, as by a closed pipe, is the only one that is missing."""
    monkeypatch.setattr(progress_log, "SAID_EVERY", 0.01)
    said: list[str] = []
    third = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 3:
            third.set()
        raise BrokenPipeError

    with ProgressLog(limiter, say):
        assert third.wait(5)


@pytest.mark.parametrize("fails", [False, True])
def test_line_at_the_end(limiter, monkeypatch, fails):
    """A line that is being said at the end is waited for a moment, but keeps no error waiting."""
    monkeypatch.setattr(progress_log, "SAID_EVERY", 0.01)
    begun, go_on, said = threading.Event(), threading.Event(), threading.Event()

    def say(_: str) -> None:
        begun.set()
        go_on.wait(5)
        said.set()

    progress = ProgressLog(limiter, say).__enter__()
    assert begun.wait(5)
    error = TimeoutError() if fails else None
    if not fails:
        threading.Timer(0.05, go_on.set).start()
    progress.__exit__(type(error) if error else None, error, None)
    assert said.is_set() is not fails
    go_on.set()
    assert said.wait(5)
