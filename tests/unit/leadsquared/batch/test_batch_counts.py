from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.api.rate_limit import Gate, Pace
from airflow_provider_leadreset.leadsquared.batch.progress import (
    MOST_LISTED,
    MOST_NAMED,
    Tally,
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
        raise AssertionError("a tally waits for nothing")


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
def test_counts_add_up_to_the_total(kinds, more):
    tally = Tally(len(kinds) + more, Gate(Pace(25), Clock()))
    for index, kind in enumerate(kinds):
        tally.add(kind(index))
        counts = tally.counts()
        assert counts["queued"] + counts["failed"] + counts["not_reached"] == counts["leads"]
    assert tally.queued == kinds.count(queued)
    assert tally.failed == len(kinds) - kinds.count(queued)
    assert tally.worth_retrying == kinds.count(unavailable)
    assert tally.not_reached == more
    assert len(tally.failures) == min(tally.failed, MOST_LISTED)
    named = tally.named_failures().splitlines()
    assert len(named) == min(tally.failed, MOST_NAMED) + (tally.failed > MOST_NAMED)


def test_a_summary_says_everything(clock):
    gate = Gate(Pace(25), clock)
    tally = Tally(4, gate)
    for index, kind in enumerate([queued, rejected, unavailable]):
        permit = gate.enter()
        gate.accepted(permit)
        tally.add(kind(index))
    gate.throttled(gate.enter(), None)
    clock.time += 12.34
    assert tally.counts() == {
        "leads": 4,
        "queued": 1,
        "failed": 2,
        "not_reached": 1,
        "done_in_earlier_tries": 0,
        "calls": 4,
        "throttled": 1,
        "seconds": 12.3,
        "failures": [
            {"prospect_id": "lead 1", "error": "HTTP 500: Lead not found"},
            {"prospect_id": "lead 2", "error": "down"},
        ],
    }


def test_the_first_failures_are_named_and_the_rest_counted():
    tally = Tally(300, Gate(Pace(25), Clock()))
    assert tally.named_failures() == ""
    for index in range(20):
        tally.add(rejected(index))
    assert tally.named_failures().splitlines() == [
        f"lead {index}: HTTP 500: Lead not found" for index in range(20)
    ]
    for index in range(20, 150):
        tally.add(rejected(index))
    lines = tally.named_failures().splitlines()
    assert lines[19:] == ["lead 19: HTTP 500: Lead not found", "… and 130 more"]
    assert [failure["prospect_id"] for failure in tally.failures] == [f"lead {index}" for index in range(100)]


def test_a_progress_line_each_ten_seconds(clock):
    tally = Tally(100, Gate(Pace(25), clock))
    lines, at = [], []
    for second in range(36):
        before = len(lines)
        tally.tell(lines.append)
        if len(lines) > before:
            at.append(second)
        clock.time += 1
    assert at == [10, 20, 30]


def test_a_late_line_moves_the_next(clock):
    tally = Tally(100, Gate(Pace(25), clock))
    lines = []
    for step in (9.99, 0.01, 9.99, 5.0, 9.0, 1.0):
        clock.time += step
        tally.tell(lines.append)
    assert len(lines) == 3


def test_the_numbers_of_a_progress_line(clock):
    gate = Gate(Pace(100), clock)
    tally = Tally(200, gate)
    for index in range(50):
        permit = gate.enter()
        gate.accepted(permit)
        tally.add(rejected(index) if index < 3 else queued(index))
    for _ in range(10):
        gate.throttled(gate.enter(), None)
    clock.time += 20
    lines = []
    tally.tell(lines.append)
    assert lines == ["50 of 200 leads, 3.0 calls/s, 10 throttled, 3 failed, about 60 s left"]


def test_no_time_left_is_guessed_before_anything_is_done(clock):
    tally = Tally(200, Gate(Pace(25), clock))
    clock.time += 10
    lines = []
    tally.tell(lines.append)
    assert lines == ["0 of 200 leads, 0.0 calls/s, 0 throttled, 0 failed"]
    assert not re.search("left", lines[0])


@pytest.mark.parametrize(
    ("calls", "pace", "seconds"),
    [(0, 25, 0), (1, 25, 0), (25, 25, 0), (26, 25, 5), (200, 25, 35), (1000, 25, 195), (3, 1, 10)],
)
def test_the_least_time_begins_with_a_whole_window_at_once(calls, pace, seconds):
    assert least_seconds(calls, pace) == seconds
