from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.progress import (
    MOST_LISTED,
    MOST_NAMED,
    BatchCounts,
    least_seconds,
)
from airflow_provider_leadreset.leadsquared.batch.resets import Outcome
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError


class Clock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    def wait(self, condition, seconds):
        raise AssertionError("a count waits for nothing")


@pytest.fixture
def clock():
    return Clock()


def queued(index):
    return Outcome(index, f"lead {index}")


def rejected(index):
    return Outcome(
        index, f"lead {index}", LeadRejectedError("Lead not found", status=500, prospect_id="never")
    )


def unavailable(index):
    return Outcome(index, f"lead {index}", UnavailableError("down"))


@given(st.lists(st.sampled_from([queued, rejected, unavailable]), max_size=300), st.integers(0, 50))
def test_counts_add_up(kinds, more):
    """The counts always add up to the total."""
    counts = BatchCounts(len(kinds) + more, RateLimiter(SlidingWindow(25), Clock()))
    for index, kind in enumerate(kinds):
        counts.add(kind(index))
        summary = counts.summary()
        assert summary["queued"] + summary["failed"] + summary["not_reached"] == summary["leads"]
    assert counts.queued == kinds.count(queued)
    assert counts.failed == len(kinds) - kinds.count(queued)
    assert counts.worth_retrying == kinds.count(unavailable)
    assert counts.not_reached == more
    assert len(counts.failures) == min(counts.failed, MOST_LISTED)
    named = counts.named_failures().splitlines()
    assert len(named) == min(counts.failed, MOST_NAMED) + (counts.failed > MOST_NAMED)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([queued, rejected, unavailable]))))
def test_outcome_told_again(told):
    """An outcome that is told again counts once."""
    kinds = dict(told)
    once, often = (BatchCounts(21, RateLimiter(SlidingWindow(25), Clock())) for _ in range(2))
    for index, kind in kinds.items():
        once.add(kind(index))
    for index, _ in told:
        often.add(kinds[index](index))
    assert often.summary() == once.summary()


def test_summary_contents(clock):
    """The summary contains all counts, the time and the failures."""
    limiter = RateLimiter(SlidingWindow(25), clock)
    counts = BatchCounts(4, limiter)
    for index, kind in enumerate([queued, rejected, unavailable]):
        permit = limiter.acquire()
        limiter.accepted(permit)
        counts.add(kind(index))
    limiter.throttled(limiter.acquire(), None)
    clock.time += 12.34
    assert counts.summary() == {
        "leads": 4,
        "queued": 1,
        "failed": 2,
        "not_reached": 1,
        "excluded": 0,
        "done_in_earlier_tries": 0,
        "calls": 4,
        "throttled": 1,
        "seconds": 12.3,
        "failures": [
            {"prospect_id": "lead 1", "error": "HTTP 500: Lead not found"},
            {"prospect_id": "lead 2", "error": "down"},
        ],
    }


def test_named_failures():
    """The first failures are named, and the rest are counted."""
    counts = BatchCounts(300, RateLimiter(SlidingWindow(25), Clock()))
    assert counts.named_failures() == ""
    for index in range(20):
        counts.add(rejected(index))
    assert counts.named_failures().splitlines() == [
        f"lead {index}: HTTP 500: Lead not found" for index in range(20)
    ]
    for index in range(20, 150):
        counts.add(rejected(index))
    lines = counts.named_failures().splitlines()
    assert lines[19:] == ["lead 19: HTTP 500: Lead not found", "… and 130 more"]
    assert [failure["prospect_id"] for failure in counts.failures] == [
        f"lead {index}" for index in range(100)
    ]


def test_progress_line_interval(clock):
    """A progress line is logged every ten seconds."""
    counts = BatchCounts(100, RateLimiter(SlidingWindow(25), clock))
    lines, at = [], []
    for second in range(36):
        before = len(lines)
        counts.log_progress(lines.append)
        if len(lines) > before:
            at.append(second)
        clock.time += 1
    assert at == [10, 20, 30]


def test_late_progress_line(clock):
    """A late progress line delays the next one."""
    counts = BatchCounts(100, RateLimiter(SlidingWindow(25), clock))
    lines = []
    for step in (9.99, 0.01, 9.99, 5.0, 9.0, 1.0):
        clock.time += step
        counts.log_progress(lines.append)
    assert len(lines) == 3


def test_progress_line_numbers(clock):
    """A progress line contains the right numbers."""
    limiter = RateLimiter(SlidingWindow(100), clock)
    counts = BatchCounts(200, limiter)
    for index in range(50):
        permit = limiter.acquire()
        limiter.accepted(permit)
        counts.add(rejected(index) if index < 3 else queued(index))
    for _ in range(10):
        limiter.throttled(limiter.acquire(), None)
    clock.time += 20
    lines = []
    counts.log_progress(lines.append)
    assert lines == ["50 of 200 leads, 3.0 calls/s, 10 throttled, 3 failed, about 60 s left"]


def test_no_early_time_estimate(clock):
    """The time left is not estimated before any lead is done."""
    counts = BatchCounts(200, RateLimiter(SlidingWindow(25), clock))
    clock.time += 10
    lines = []
    counts.log_progress(lines.append)
    assert lines == ["0 of 200 leads, 0.0 calls/s, 0 throttled, 0 failed"]
    assert not re.search("left", lines[0])


@pytest.mark.parametrize(
    ("calls", "pace", "seconds"),
    [(0, 25, 0), (1, 25, 0), (25, 25, 0), (26, 25, 5), (200, 25, 35), (1000, 25, 195), (3, 1, 10)],
)
def test_least_seconds(calls, pace, seconds):
    """The estimate of the least time starts with a whole window of calls at once."""
    assert least_seconds(calls, pace) == seconds
