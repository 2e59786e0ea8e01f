"""All who call an account in one process share one window, and keep to the least that one of them asks for."""

from __future__ import annotations

import gc
import os
import threading
import time

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api import account_window
from airflow_provider_leadreset.leadsquared.api.account_window import (
    FORGET_AFTER,
    AccountWindow,
    account_limiter,
)
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.secret import Secret
from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW, SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import ClosedError, MaxCallsError
from support.answering import FakeClock

HOST, KEY = "api-in21.leadsquared.com", Secret("access")


class User:
    """Something that uses a window."""


@pytest.fixture(autouse=True)
def _none_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_window, "_windows", {})


def capacities(window: SlidingWindow) -> tuple[int, int, int]:
    return window.limit, window.share, window.capacity


def test_least_of_all_users_holds() -> None:
    """The smallest share and the smallest limit that users ask for hold, as long as they use the window."""
    window, users = AccountWindow(8, 10), [User() for _ in range(3)]
    for user, calls, limit in zip(users, (8, 5, 20), (10, 10, 25), strict=True):
        window.join(user, calls, limit)
    assert capacities(window) == (10, 5, 5)
    window.leave(users[1])
    assert capacities(window) == (10, 8, 8)
    window.leave(users[0])
    window.leave(users[0])
    assert capacities(window) == (25, 20, 20)
    window.leave(users[2])
    assert capacities(window) == (25, 20, 20)
    assert not window.in_use


def test_user_that_is_gone() -> None:
    """Who is gone without a word uses nothing any more."""
    window, user, other = AccountWindow(2, 10), User(), User()
    window.join(user, 2, 10)
    window.join(other, 9, 10)
    assert window.is_shared
    del user
    gc.collect()
    assert window.starts_at(0.0) == 0.0
    assert (window.share, window.is_shared) == (9, False)


def test_named_limit_outlives_its_user() -> None:
    """A limit that LeadSquared has named holds for whoever comes next."""
    window, user, other = AccountWindow(20, 25), User(), User()
    window.join(user, 20, 25)
    window.throttled(window.depart(0.0), 0.1, 12)
    window.leave(user)
    window.join(other, 22, 25)
    assert capacities(window) == (12, 12, 12)


def test_yielded_calls_stay_yielded() -> None:
    """What was yielded to others outside stays yielded when a user of this process leaves."""
    window, user, other = AccountWindow(10, 25), User(), User()
    window.join(user, 10, 25)
    window.join(other, 20, 25)
    window.throttled(window.depart(0.0), 0.1, None)
    assert capacities(window) == (25, 10, 5)
    window.leave(user)
    assert capacities(window) == (25, 20, 5)


def test_account_is_host_and_key() -> None:
    """One window for a host and an access key; another for another of either. No key is kept."""
    first = account_limiter(HOST, KEY, 5, 10)
    same = account_limiter(HOST, Secret(" access "), 8, 10)
    others = [
        account_limiter(HOST, Secret("other"), 5, 10),
        account_limiter("api.leadsquared.com", KEY, 5, 10),
    ]
    assert first.sliding_window is same.sliding_window
    assert len({id(one.sliding_window) for one in (first, *others)}) == 3
    assert "access" not in repr(account_window._windows)
    with pytest.raises(ValueError, match="never lets a call start"):
        account_limiter("api-us11.leadsquared.com", KEY, 0, 10)
    assert len(account_window._windows) == 3


def test_earlier_calls_still_count() -> None:
    """Calls of a limiter that was released, or is gone, count for the next one until they are over."""
    clock = FakeClock()
    first = account_limiter(HOST, KEY, 2, 10, clock)
    for _ in range(2):
        first.accepted(first.acquire())
    first.release()
    del first
    gc.collect()
    began = clock.seconds
    account_limiter(HOST, KEY, 2, 10, clock).acquire()
    assert clock.seconds - began >= WINDOW


def test_released_limiter_joins_again() -> None:
    """A limiter that was released uses its window again from its next call."""
    one, other = account_limiter(HOST, KEY, 2, 10), account_limiter(HOST, KEY, 9, 10)
    one.release()
    assert other.sliding_window.share == 9
    one.acquire()
    assert other.sliding_window.share == 2


def test_unused_account_is_forgotten() -> None:
    """Nothing is kept of an account that nobody has called or used for long."""
    clock = FakeClock()
    used, unused = account_limiter(HOST, KEY, 5, 5, clock), account_limiter("other", KEY, 5, 5, clock)
    unused.accepted(unused.acquire())
    unused.release()
    clock.seconds += FORGET_AFTER
    account_limiter(HOST, KEY, 5, 5, clock)
    assert len(account_window._windows) == 2, "its last call may still count"
    clock.seconds += 3 * WINDOW
    account_limiter(HOST, KEY, 5, 5, clock)
    assert [window is used.sliding_window for window in account_window._windows.values()] == [True]


def test_permit_wakes_all_who_share() -> None:
    """A permit that comes back, or a user that leaves, wakes those who wait by another limiter."""
    one, other = account_limiter(HOST, KEY, 1, 1), account_limiter(HOST, KEY, 1, 1)
    woken = []
    one._condition.notify_all = lambda: woken.append("all")  # type: ignore[method-assign]
    assert one._condition is other._condition
    one.accepted(one.acquire())
    assert woken == ["all"]
    one.release()
    assert woken == ["all", "all"]


def test_closing_one_stops_no_other() -> None:
    """A limiter that is closed stops its own calls, and no other's."""
    one, other = account_limiter(HOST, KEY, 5, 5), account_limiter(HOST, KEY, 5, 5)
    one.close()
    with pytest.raises(ClosedError):
        one.acquire()
    other.acquire()


def test_clients_share_their_account() -> None:
    """Clients of one account share its window until they are closed; one with a limiter of its own does not."""
    few, many = (LeadSquaredClient(HOST, "u$r", "secret", calls=calls, account_calls=10) for calls in (3, 8))
    own = LeadSquaredClient(HOST, "u$r", "secret", limiter=RateLimiter(SlidingWindow(25)))
    assert many.limiter.sliding_window is few.limiter.sliding_window is not own.limiter.sliding_window
    assert capacities(many.limiter.sliding_window) == (10, 3, 3)
    few.close()
    assert capacities(many.limiter.sliding_window) == (10, 8, 8)
    own.close()
    again = LeadSquaredClient(HOST, "u$r", "secret", calls=5)
    assert many.limiter.sliding_window.share == 5
    del again  # at once, not when rings of references are looked for
    assert many.limiter.sliding_window.starts_at(0.0) == 0.0
    assert many.limiter.sliding_window.share == 8


@pytest.mark.exhaustive
def test_three_clients_keep_the_least() -> None:
    """Three clients of one account at once make no more calls in 5 s than the least that one of them asks for."""
    with LeadSquaredEmulator(calls_per_5s=10) as lsq:
        clients = [
            LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, calls=calls, account_calls=10)
            for calls in (5, 8, 10)
        ]

        def call(client: LeadSquaredClient) -> None:
            for _ in range(4):
                client.current_user()

        threads = [threading.Thread(target=call, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert lsq.worst_window() == 5
        assert len(lsq.calls) == 12


@pytest.mark.filterwarnings(
    "ignore:This process:DeprecationWarning"
)  # Python 3.12: of the threads, which are meant
def test_fork_while_a_lock_is_held() -> None:
    """A process that is forked off while other threads call can call too, and still knows what was called before."""
    limiter = account_limiter(HOST, KEY, 1000, 1000)
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            limiter.accepted(limiter.acquire())
            limiter.sliding_window._permits.clear()
            account_limiter(HOST, KEY, 1000, 1000)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    codes = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            made = account_limiter(HOST, KEY, 1000, 1000)
            made.acquire()
            limiter.acquire()
            os._exit(0 if made.sliding_window is limiter.sliding_window else 1)
        until = time.monotonic() + 10
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
            time.sleep(0.001)
        if ended == (0, 0):
            os.kill(child, 9)
            os.waitpid(child, 0)
        codes.append(ended[1] if ended != (0, 0) else "hung")
    over.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 20


# -- max_calls --------------------------------------------------------------------------------------------------


def test_never_more_than_max_calls() -> None:
    """Many threads together start as many calls as may be, and are told of the limit then."""
    limiter = RateLimiter(SlidingWindow(1000))
    limiter.max_calls = 50
    ends: list[str] = []

    def call() -> None:
        for _ in range(20):
            try:
                limiter.accepted(limiter.acquire())
                ends.append("started")
            except MaxCallsError as error:
                ends.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (limiter.calls, ends.count("started")) == (50, 50)
    assert ends.count("max_calls=50 is reached: no further call is made") == 150


def test_max_calls_wakes_who_waits() -> None:
    """Who waits for a permit need not wait for one that does not come."""
    limiter = RateLimiter(SlidingWindow(1))
    limiter.max_calls = 2
    limiter.accepted(limiter.acquire())
    ends: list[type | None] = []

    def call() -> None:
        try:
            limiter.acquire()
            ends.append(None)
        except MaxCallsError:
            ends.append(MaxCallsError)

    began = time.monotonic()
    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert sorted(map(str, ends)) == sorted(map(str, [None, MaxCallsError, MaxCallsError]))
    assert time.monotonic() - began < WINDOW + 2


def test_closed_limiter_says_so_first() -> None:
    """Of a limiter that was closed after its last call it is told that it was closed."""
    limiter = RateLimiter(SlidingWindow(1))
    limiter.max_calls = 1
    limiter.acquire()
    limiter.close()
    with pytest.raises(ClosedError, match="the batch was stopped"):
        limiter.acquire()
