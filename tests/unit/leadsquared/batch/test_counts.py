from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import (
    MOST_LISTED,
    MOST_NAMED,
    MOST_REASONS,
    BatchCounts,
    least_seconds,
)
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES, Outcome
from airflow_provider_leadreset.leadsquared.batch.progress import MOST_STORED, Progress
from airflow_provider_leadreset.leadsquared.errors import (
    LeadRejectedError,
    ResponseTooLargeError,
    UnavailableError,
    UnknownLeadsError,
)


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


def unanswered(index):
    error = UnavailableError("down")
    error.in_doubt = True
    return Outcome(index, f"lead {index}", error)


def not_sent(index):
    return Outcome(index, f"lead {index}", UnavailableError("no connection"))


def unknown(index):
    return Outcome(index, f"lead {index}", UnknownLeadsError("Lead not found"))


def empty(index):
    return Outcome(index, f"lead {index}", without_call="without_records")


def too_large(index):
    return Outcome(index, f"lead {index}", ResponseTooLargeError("larger than 16 MiB"))


KINDS = {
    queued: "queued",
    rejected: "failed",
    too_large: "failed",
    unanswered: "unanswered",
    unknown: "unknown",
    empty: "nothing_to_reset",
    not_sent: "not_reached",
}


@given(st.lists(st.sampled_from(list(KINDS)), max_size=300), st.integers(0, 50))
def test_counts_add_up(kinds, more):
    """Every lead has exactly one outcome, and the outcomes add up to the leads."""
    counts = BatchCounts(len(kinds) + more, RateLimiter(SlidingWindow(25), Clock()))
    for index, kind in enumerate(kinds):
        counts.add(kind(index))
        summary = counts.summary()
        assert sum(summary[name] for name in OUTCOMES) == summary["leads"]
    wanted = Counter(KINDS[kind] for kind in kinds)
    wanted["not_reached"] += more
    assert counts.outcomes() == {name: wanted[name] for name in OUTCOMES}
    assert counts.worth_retrying == sum(kinds.count(kind) for kind in (unanswered, not_sent, too_large))
    failures = wanted["failed"] + wanted["unanswered"] + wanted["unknown"]
    assert len(counts.summary()["failures"]) == min(failures, MOST_LISTED)
    assert sum(counts.failed_by_reason().values()) == failures
    assert len(list(counts.listed())) == failures
    named = counts.named_failures().splitlines()
    assert len(named) == min(failures, MOST_NAMED) + (failures > MOST_NAMED)


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(list(KINDS)))))
def test_outcome_told_again(told):
    """An outcome that is told again counts once."""
    kinds = dict(told)
    once, often = (BatchCounts(21, RateLimiter(SlidingWindow(25), Clock())) for _ in range(2))
    for index, kind in kinds.items():
        once.add(kind(index))
    for index, _ in told:
        often.add(kinds[index](index))
    assert often.summary() == once.summary()


@given(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6))
def test_later_outcome_takes_the_place(kinds):
    """Of several outcomes of one lead the last counts, but a final one stays unless the lead was queued.

    A request that was sent stays unanswered, whatever a later one is refused for.
    """
    counts = BatchCounts(1, RateLimiter(SlidingWindow(25), Clock()))
    for kind in kinds:
        counts.add(kind(0))
        assert sum(counts.outcomes().values()) == 1
    if queued in kinds:
        assert counts.queued == 1
    elif unanswered in kinds and not {rejected, unknown, empty} & set(kinds[: kinds.index(unanswered)]):
        assert counts.of("unanswered") == 1
    elif {rejected, unknown, empty} & set(kinds):
        assert counts.of("not_reached") == counts.of("unanswered") == 0
    elif unanswered in kinds:
        assert counts.of("not_reached") == 0


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        ([queued, unknown], 0),
        ([unknown, unknown], 2),
        ([rejected, unknown], 1),
        ([empty, unknown], 0),
        ([unanswered, rejected, queued], 2),
    ],
)
def test_what_counts_as_failed(kinds, counted):
    """Unknown leads count as failed only where no lead of the batch is known."""
    counts = BatchCounts(len(kinds), RateLimiter(SlidingWindow(25), Clock()))
    for index, kind in enumerate(kinds):
        counts.add(kind(index))
    assert counts.counted_as_failed == counted


def test_reasons_are_added_up():
    """Reasons are added up without ids, the most frequent first, and those beyond twenty together."""
    counts = BatchCounts(100, RateLimiter(SlidingWindow(25), Clock()))
    lead = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    for index in range(30):
        counts.add(Outcome(index, lead, LeadRejectedError(f"reason {index}")))
    for index in range(30, 33):
        counts.add(Outcome(index, lead, LeadRejectedError(f"lead {lead[:-2]}{index} is locked")))
    found = counts.failed_by_reason()
    assert next(iter(found.items())) == ("lead … is locked", 3)
    assert (len(found), found["other reasons"], sum(found.values())) == (MOST_REASONS + 1, 11, 33)


def test_reasons_of_earlier_tries_add_up():
    """Of failed leads whose reason an earlier try could not keep, the reasons are one number, and none is missing."""
    progress = Progress()
    for index in range(MOST_STORED + 30):
        progress.add(Outcome(index, f"lead {index}", LeadRejectedError("no")))
    counts = BatchCounts(200, RateLimiter(SlidingWindow(25), Clock()), Progress(progress.as_json()))
    counts.add(unanswered(150))
    assert counts.failed_by_reason() == {"no": MOST_STORED, "down": 1, "other reasons": 30}
    assert counts.named_failures().splitlines()[-1] == f"… and {MOST_STORED + 31 - 20} more"


def test_summary_contents(clock):
    """The summary contains all counts, the time and the failures."""
    limiter = RateLimiter(SlidingWindow(25), clock)
    counts = BatchCounts(5, limiter)
    for index, kind in enumerate([queued, rejected, unanswered, empty]):
        permit = limiter.acquire()
        limiter.accepted(permit)
        counts.add(kind(index))
    limiter.throttled(limiter.acquire(), None)
    clock.time += 12.34
    assert counts.summary() == {
        "leads": 5,
        "queued": 1,
        "failed": 1,
        "unknown": 0,
        "unanswered": 1,
        "nothing_to_reset": 1,
        "excluded": 0,
        "not_reached": 1,
        "nothing_to_reset_by": {"without_records": 1, "already_gone": 0, "not_modified": 0},
        "failed_by_reason": {"HTTP 500: Lead not found": 1, "down": 1},
        "done_in_earlier_tries": 0,
        "calls": 5,
        "throttled": 1,
        "seconds": 12.3,
        "failures": [
            {"prospect_id": "lead 1", "outcome": "failed", "error": "HTTP 500: Lead not found"},
            {"prospect_id": "lead 2", "outcome": "unanswered", "error": "down"},
        ],
        "earlier_requests": None,
    }
    assert counts.describe() == (
        "1 of 5 leads queued, 1 failed, 1 unanswered, 1 nothing to reset and 1 not reached"
    )


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
    assert [failure["prospect_id"] for failure in counts.summary()["failures"]] == [
        f"lead {index}" for index in range(100)
    ]


@pytest.mark.parametrize(
    ("calls", "pace", "seconds"),
    [(0, 25, 0), (1, 25, 0), (25, 25, 0), (26, 25, 5), (200, 25, 35), (1000, 25, 195), (3, 1, 10)],
)
def test_least_seconds(calls, pace, seconds):
    """The estimate of the least time starts with a whole window of calls at once."""
    assert least_seconds(calls, pace) == seconds
