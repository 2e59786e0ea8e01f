from __future__ import annotations

import signal
import threading
from collections import Counter

import pytest

from airflow_provider_leadreset.leadsquared.api.rate_limit import IDLE, RateLimiter, SystemClock
from airflow_provider_leadreset.leadsquared.api.sliding_window import GUARD, MARGIN, WINDOW, SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import ClosedError

DEADLINE = 10.0
"""Seconds of real time after which a test that hangs fails."""


class LoneClock:
    """Time for a single thread: whoever waits is at once at the end of the wait."""

    def __init__(self):
        self.time = 0.0
        self.waits = []

    def now(self):
        return self.time

    def wait(self, condition, seconds):
        self.waits.append(seconds)
        self.time += seconds


class HandClock:
    """Time for many threads: stands still until the test moves it."""

    def __init__(self):
        self.time = 0.0
        self._changed = threading.Condition()
        self._waiting = []

    def now(self):
        return self.time

    def wait(self, condition, seconds):
        waiting = (self.time + seconds, condition)
        with self._changed:
            self._waiting.append(waiting)
            self._changed.notify_all()
        woken = condition.wait(DEADLINE)
        with self._changed:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            self._changed.notify_all()
        assert woken, "nobody woke this thread"

    def until_waiting(self, threads):
        """Return the ends of their waits once so many threads wait (or as many as a function says)."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self._waiting) == (threads() if callable(threads) else threads), DEADLINE
            )
            return sorted(end for end, _ in self._waiting)

    def until_the_end_is(self, moment):
        """Return once the only thread that waits does so until then."""
        with self._changed:
            ends = [pytest.approx(moment)]
            assert self._changed.wait_for(lambda: [end for end, _ in self._waiting] == ends, DEADLINE)

    def look_again(self):
        with self._changed:
            self._changed.notify_all()

    def move_to(self, time):
        with self._changed:
            conditions = {condition for _, condition in self._waiting}
            self._waiting.clear()
            self.time = time
        for condition in conditions:
            with condition:
                condition.notify_all()


class Threads:
    """Runs calls in threads and keeps what became of each."""

    def __init__(self):
        self._threads = []
        self.results = []

    def start(self, call, *args):
        def run():
            try:
                self.results.append(call(*args))
            except Exception as error:
                self.results.append(error)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self):
        for thread in self._threads:
            thread.join(DEADLINE)
        assert not any(thread.is_alive() for thread in self._threads)
        return self.results


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def threads():
    return Threads()


def test_single_thread_wait():
    """A single thread waits exactly until its permit is back."""
    clock = LoneClock()
    limiter = RateLimiter(SlidingWindow(2), clock)
    for _ in range(2):
        limiter.accepted(limiter.acquire())
    assert clock.waits == []
    limiter.acquire()
    assert clock.waits == [WINDOW + GUARD]
    assert limiter.calls == 3


def test_no_thread_starves(clock, threads):
    """Threads that compete for permits all get their turns."""
    limiter = RateLimiter(SlidingWindow(3), clock)
    entered, turns = Counter(), threading.Lock()

    def work(name):
        for _ in range(4):
            limiter.accepted(limiter.acquire())
            with turns:
                entered[name] += 1
            clock.look_again()

    for name in range(9):
        threads.start(work, name)
    for window in range(1, 12):
        # Of 36 turns three are taken in each window; who has had all four is done.
        def waiting(taken=3 * window):
            return 9 - list(entered.values()).count(4) if entered.total() == taken else None

        ends = clock.until_waiting(waiting)
        clock.move_to(max(ends))
    threads.join()
    assert entered == dict.fromkeys(range(9), 4)


def test_close_wakes_waiting_threads(clock, threads):
    """Closing the limiter wakes all threads that wait."""
    limiter = RateLimiter(SlidingWindow(1), clock)
    limiter.acquire()
    for _ in range(5):
        threads.start(limiter.acquire)
    for _ in range(3):
        threads.start(limiter.pause, 60.0)
    clock.until_waiting(8)
    limiter.close()
    results = threads.join()
    assert [type(result) for result in results] == [ClosedError] * 8
    assert Counter(str(result).split(":")[0] for result in results) == {"not sent": 5, "not repeated": 3}
    assert limiter.calls == 1
    with pytest.raises(ClosedError):
        limiter.acquire()
    with pytest.raises(ClosedError):
        limiter.pause(0)


def test_pause_length():
    """A pause ends by itself, and not before its time."""
    clock = LoneClock()
    RateLimiter(SlidingWindow(1), clock).pause(2.5)
    assert clock.waits == [2.5]


def test_pause_survives_wakeup(clock, threads):
    """A pause goes on when its thread is woken for another reason."""
    limiter = RateLimiter(SlidingWindow(1), clock)
    permit = limiter.acquire()
    threads.start(limiter.pause, 10.0)
    clock.until_waiting(1)
    clock.time = 4.0
    limiter.accepted(permit)
    assert clock.until_waiting(1) == [10.0]
    clock.move_to(10.0)
    assert threads.join() == [None]


@pytest.mark.parametrize("how", ["accepted", "unanswered", "throttled"])
def test_answer_updates_waiting_threads(clock, threads, how):
    """An answer changes how long the waiting threads wait."""
    limiter = RateLimiter(SlidingWindow(1), clock)
    limiter.departed = 1  # its connection is open
    limiter.sliding_window.margin = 0.8
    permit = limiter.acquire()
    threads.start(limiter.acquire)
    assert clock.until_waiting(1) == [WINDOW + 0.8]
    clock.time = 0.3
    if how == "throttled":
        limiter.throttled(permit, None)
    else:
        getattr(limiter, how)(permit)
    # An accepted call also says how little the travelling times differ.
    clock.until_the_end_is(WINDOW + MARGIN if how == "accepted" else 0.3 + WINDOW + GUARD)
    back = WINDOW + 0.3 + 2 * GUARD
    clock.move_to(back)
    assert [permit.departed for permit in threads.join()] == [back]


def test_drain_duration():
    """Draining waits until the last permit is back, and no longer."""
    clock = LoneClock()
    limiter = RateLimiter(SlidingWindow(5), clock)
    limiter.departed = 5  # its connections are open
    limiter.drain()
    assert clock.time == 0
    first = limiter.acquire()
    clock.time = 1.0
    limiter.acquire()
    limiter.accepted(first)
    limiter.close()
    limiter.drain()
    assert clock.time == pytest.approx(1.0 + WINDOW + MARGIN)
    before = clock.time
    limiter.drain()
    assert clock.time == before


def test_answer_during_drain(clock, threads):
    """Draining takes an answer into account that arrives while it waits."""
    limiter = RateLimiter(SlidingWindow(1), clock)
    limiter.departed = 1  # its connection is open
    limiter.sliding_window.margin = 0.8
    permit = limiter.acquire()
    threads.start(limiter.drain)
    assert clock.until_waiting(1) == [WINDOW + 0.8]
    limiter.accepted(permit)
    clock.move_to(WINDOW + GUARD)
    assert threads.join() == [None]


def test_silence_since_last_success():
    """The silence is measured from the last accepted call."""
    clock = LoneClock()
    limiter = RateLimiter(SlidingWindow(25), clock)
    assert limiter.since_last_success() == 0
    clock.time = 100.0
    first, second = limiter.acquire(), limiter.acquire()
    clock.time = 107.0
    assert limiter.since_last_success() == 7
    limiter.throttled(first, None)
    assert limiter.since_last_success() == 7
    limiter.accepted(second)
    assert limiter.since_last_success() == 0
    clock.time = 110.0
    limiter.unanswered(limiter.acquire())
    assert limiter.since_last_success() == 3


@pytest.mark.parametrize("refuse", ["throttled", "unanswered"])
def test_idle_time_is_not_silence(refuse):
    """A time without calls does not count as silence."""
    clock = LoneClock()
    limiter = RateLimiter(SlidingWindow(25), clock)
    limiter.accepted(limiter.acquire())
    clock.time = 1000.0
    for tried in range(20):
        permit = limiter.acquire()
        assert limiter.since_last_success() == 10 * tried
        clock.time += 10
        limiter.throttled(permit, None) if refuse == "throttled" else limiter.unanswered(permit)
        # Calls and their repetitions are one silence, for as long as it takes.
        assert limiter.since_last_success() == 10 * (tried + 1)


def test_slow_call_is_silence():
    """A single call that takes longer than the idle time counts as silence."""
    clock = LoneClock()
    limiter = RateLimiter(SlidingWindow(1), clock)
    for _ in range(3):
        permit = limiter.acquire()
        clock.time += 4 * IDLE
        limiter.unanswered(permit)
    assert limiter.since_last_success() == 12 * IDLE


def test_throttlings_counted_and_logged(caplog):
    """Throttled calls are counted, and a change of the limit is logged once."""
    limiter = RateLimiter(SlidingWindow(12), LoneClock())
    for permit in [limiter.acquire() for _ in range(3)]:
        limiter.throttled(permit, 5)
    assert limiter.throttlings == 3
    assert limiter.sliding_window.limit == 5
    assert [record.getMessage() for record in caplog.records] == [
        "Throttled by LeadSquared: the account allows 5 calls in 5 s, fewer than set: going on with 5 calls in 5 s"
    ]


def test_close_in_signal_handler():
    """Closing from a signal handler does not deadlock the thread that holds the limiter's lock."""

    class Interrupted(LoneClock):
        def wait(self, condition, seconds):
            # The condition is held here, as it is at any place a signal may arrive.
            signal.raise_signal(signal.SIGUSR1)
            super().wait(condition, seconds)

    limiter = RateLimiter(SlidingWindow(1), Interrupted())
    limiter.acquire()
    caught = []

    def acquire():
        caught.append("done")
        limiter.close()

    before = signal.signal(signal.SIGUSR1, lambda *_: acquire())
    giving_up = signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE)
    try:
        with pytest.raises(ClosedError):
            limiter.acquire()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGUSR1, before)
        signal.signal(signal.SIGALRM, giving_up)
    assert caught == ["done"]


def _give_up(*_):
    raise AssertionError("locked up")


def test_system_clock(threads):
    """The system clock waits for the given time and can be woken."""
    clock, condition = SystemClock(), threading.Condition()
    held = threading.Event()

    def wait():
        began = clock.now()
        with condition:
            held.set()
            clock.wait(condition, DEADLINE)
        return clock.now() - began

    threads.start(wait)
    assert held.wait(DEADLINE)
    with condition:  # free again only once the thread waits
        condition.notify_all()
    assert 0 <= threads.join()[0] < DEADLINE / 2
    with condition:
        began = clock.now()
        clock.wait(condition, 0.01)
    assert clock.now() - began >= 0.009


def test_earlier_limiter_calls_count():
    """The calls of an earlier rate limiter count for the next one on the same sliding window."""
    window, clock = SlidingWindow(2), LoneClock()
    for _ in range(2):
        earlier = RateLimiter(window, clock)
        earlier.accepted(earlier.acquire())
        earlier.close()
    assert clock.waits == []
    later = RateLimiter(window, clock)
    assert later.acquire().opens_connection, "its connection is not open yet"
    assert clock.waits == [WINDOW + GUARD]


def test_only_first_calls_open_connections():
    """As many calls as may start at once open a connection each; none after them, also after a cut."""
    clock = LoneClock()
    window = SlidingWindow(4)
    limiter = RateLimiter(window, clock)
    permits = []
    for _ in range(40):
        permits.append(limiter.acquire())
        limiter.accepted(permits[-1])
        if len(permits) == 3:
            window.capacity = 2  # as a throttled answer would do; it recovers by and by
    assert [permit.opens_connection for permit in permits] == [True] * 3 + [False] * 37
    assert window.capacity > 2
