"""A limit that is named for one kind of call, and one that is the account's."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import (
    MARGIN_MOST,
    RESET,
    WINDOW,
    SlidingWindow,
)
from support.answering import FakeClock, client_of, http
from support.slow_server import SlowServer

BY_IDS = "LeadManagement.svc/Leads/Retrieve/ByIds"
NOTES = "LeadManagement.svc/RetrieveNote"


def throttle(window: SlidingWindow, kind: str, limit: int | None, now: float = 0.3) -> str | None:
    """Let a call of a kind be throttled."""
    return window.throttled(window.depart(now - 0.3, kind=kind), now, limit)


def test_limit_of_one_kind() -> None:
    """A limit that one kind of call names is waited for by that kind alone."""
    window = SlidingWindow(25)
    change = throttle(window, BY_IDS, 1)
    assert change == f"{BY_IDS} allows 1 call in 5 s: other calls do not wait for it"
    assert (window.limit, window.share, window.capacity) == (25, 25, 25)
    assert window.starts_at(0.3, NOTES) == window.starts_at(0.3) == 0.3
    back = window.starts_at(0.3, BY_IDS)
    assert 0.3 + WINDOW <= back <= WINDOW + MARGIN_MOST + 0.3
    window.depart(back, kind=BY_IDS)
    assert window.starts_at(back, BY_IDS) >= back + WINDOW
    assert window.starts_at(back, NOTES) == back


def test_calls_on_their_way_count_for_the_kind() -> None:
    """Calls of the kind that left before its limit was known count too."""
    window = SlidingWindow(25)
    permits = [window.depart(moment, kind=BY_IDS) for moment in (0.0, 1.0, 2.0)]
    window.throttled(permits[0], 2.5, 2)
    assert window.starts_at(2.5, BY_IDS) == pytest.approx(1.0 + WINDOW + MARGIN_MOST)


def test_kind_and_account_wait_together() -> None:
    """A kind with a limit of its own waits for the account's as well."""
    window = SlidingWindow(3)
    throttle(window, BY_IDS, 2)
    for _ in range(2):
        window.depart(0.3)
    assert window.starts_at(0.3, BY_IDS) == window.starts_at(0.3) > 0.3


@pytest.mark.parametrize("kind", [RESET, ""])
def test_limit_named_by_reset(kind: str) -> None:
    """A limit that Lead.Reset names is the account's at once."""
    window = SlidingWindow(25)
    assert "the account allows 10 calls" in str(throttle(window, kind, 10))
    assert (window.limit, window.share, window.capacity) == (10, 10, 10)


@pytest.mark.parametrize(
    ("later", "named", "limit"),
    [(4.9, 10, 10), (5.2, 10, 25), (1.0, 11, 25)],
    ids=["within a window", "later", "another number"],
)
def test_limit_named_by_two_kinds(later: float, named: int, limit: int) -> None:
    """A limit that two kinds of call name within a window is the account's."""
    window = SlidingWindow(25)
    throttle(window, BY_IDS, 10, now=1.0)
    throttle(window, BY_IDS, 10, now=1.0)
    assert window.limit == 25
    throttle(window, NOTES, named, now=1.0 + later)
    assert window.limit == limit


def test_account_limit_named_by_any_kind() -> None:
    """A call that names the limit that is known says that others use the account, whatever kind it is."""
    window = SlidingWindow(12, limit=25)
    assert "others use the account's limit" in str(throttle(window, BY_IDS, 25))
    assert window.capacity == 6
    assert not window.kinds_limited


def test_kind_limit_follows_the_answers() -> None:
    """The latest number that a kind names is its limit, and is told once."""
    window = SlidingWindow(25)
    assert [bool(throttle(window, BY_IDS, limit)) for limit in (5, 5, 1, 1, 2)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert window.capacity == 25


def test_shared_limit_of_a_kind() -> None:
    """A kind that is throttled again at the limit that it keeps yields half, and gets it back slowly."""
    window = SlidingWindow(25)
    throttle(window, NOTES, 10)
    changes = [throttle(window, NOTES, 10, now=moment) for moment in (10.0, 20.0, 30.0, 30.1)]
    assert changes[0] == f"others use the limit of {NOTES} too: going on with 5 calls in 5 s"
    own = window._of_kind[NOTES]
    assert (window.capacity, own.capacity, changes[3]) == (25, 1, None)
    for moment in range(40, 40 + 1 + 2 + 3):
        window.accepted(window.depart(moment, kind=NOTES), moment + 0.1)
    assert own.capacity == 4
    for _ in range(100):
        window.accepted(window.depart(100, kind=NOTES), 100.1)
    assert own.capacity == 10


def test_broken_off_call_leaves_its_kind() -> None:
    """A call that was broken off before it was sent counts neither for the account nor for its kind."""
    window = SlidingWindow(25)
    throttle(window, BY_IDS, 1, now=0.0)
    start = window.starts_at(0.0, BY_IDS)
    permit = window.depart(start, kind=BY_IDS)
    window.broken_off(permit, start + 1)
    assert window.starts_at(start + 1, BY_IDS) == start + 1
    assert window.drained_at() == float("-inf")


def test_broken_off_call_counts_from_its_sending() -> None:
    """A call that was broken off after it was sent counts from then."""
    window = SlidingWindow(25)
    permit = window.depart(0.0, opens_connection=True)
    permit.sent = 0.2
    window.broken_off(permit, 4.0)
    assert window.drained_at() == pytest.approx(0.2 + WINDOW + window.margin)


def test_client_knows_the_kind() -> None:
    """Of a client's calls only those wait whose kind is limited."""
    limited = http(429, "API calls exceeded the limit of 1 in 5 second(s)")
    throttled = []

    def handle(connection, head):
        once = BY_IDS.encode() in head and not throttled
        throttled.extend([True] if once else [])
        connection.sendall(limited if once else http(200, "[]"))

    clock = FakeClock()
    with SlowServer(handle) as server:
        client = client_of(server.url, clock=clock)
        client.call("POST", BY_IDS)
        assert clock.seconds >= 1000 + WINDOW
        waited = clock.seconds
        for _ in range(10):
            client.call("POST", NOTES)
        assert clock.seconds == waited
        client.call("POST", BY_IDS)
        assert clock.seconds >= waited + WINDOW
        client.close()


def test_all_are_woken_when_kinds_differ() -> None:
    """A permit that comes back wakes those who can use it, not only who came first."""
    limiter = RateLimiter(SlidingWindow(25), FakeClock())
    woken = []
    limiter._condition.notify_all = lambda: woken.append("all")
    limiter._condition.notify = lambda: woken.append("one")
    limiter.accepted(limiter.acquire(NOTES))
    limiter.throttled(limiter.acquire(BY_IDS), 1)
    limiter.accepted(limiter.acquire(NOTES))
    assert woken == ["one", "all", "all"]
