from __future__ import annotations

import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api import rate_limit as pace_module
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter, SlidingWindow
from airflow_provider_leadreset.leadsquared.batch import worker_pool as pool
from airflow_provider_leadreset.leadsquared.batch.resets import SAME_ERRORS, Outcome, ResetRunner
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    LeadRejectedError,
    OutageError,
    QuotaError,
    SameErrorsError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window

DEADLINE = 10.0
LIMIT_TEXT = "API calls exceeded the limit of 25 in 5 second(s)"
SELECTORS = Selectors(activity_event_list=(166,))
WINDOW = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))


def lead_id(number):
    return str(uuid.UUID(int=number + 1, version=4))


def resets(count, first=0):
    return [(index, LeadReset(lead_id(index), SELECTORS, WINDOW)) for index in range(first, first + count)]


class StandingClock:
    """Time that passes only while somebody waits, and then at once."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def wait(self, condition, seconds):
        self.time += seconds


class StubClient:
    """What ResetRunner needs of a client."""

    def __init__(self, reset, share=25):
        self.limiter = RateLimiter(SlidingWindow(share), StandingClock())
        self._reset = reset
        self.sent = []

    def reset(self, lead):
        permit = self.limiter.acquire()
        self.sent.append(lead.prospect_id)
        try:
            self._reset(lead)
        finally:
            self.limiter.accepted(permit)


class Kept:
    """What a batch reports."""

    def __init__(self):
        self.outcomes = []
        self.ticks = 0

    def run(self, client, leads, *, on_outcome=None, on_tick=None):
        with pool.WorkerPool(client, on_tick or self.tick) as workers:
            work = ResetRunner(workers, on_outcome or self.outcomes.append)
            work.run(leads)
        if work.stop_reason:
            raise work.stop_reason

    def tick(self):
        self.ticks += 1

    @property
    def queued(self):
        return {outcome.prospect_id for outcome in self.outcomes if outcome.error is None}

    @property
    def failed(self):
        return {outcome.prospect_id: outcome.error for outcome in self.outcomes if outcome.error}


@pytest.fixture
def kept():
    """And afterwards nobody is still at work, and no lead was reported twice."""
    before = set(threading.enumerate())
    kept = Kept()
    yield kept
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert [name for name in left if name.startswith("lead-reset")] == []
    assert len({outcome.index for outcome in kept.outcomes}) == len(kept.outcomes)


@pytest.fixture(autouse=True)
def _no_test_hangs():
    def give_up(*_):
        raise AssertionError("hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 3 * DEADLINE)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def refuse(lead):
    raise LeadRejectedError("Lead not found", status=500, exception_type="MXInvalidEntityReferenceException")


def accept(lead):
    pass


def only(numbers, then, otherwise=accept):
    """For these leads the one, for all others the other."""
    chosen = {lead_id(number) for number in numbers}
    return lambda lead: (then if lead.prospect_id in chosen else otherwise)(lead)


def raising(error):
    def fail(lead):
        raise error

    return fail


# -- outcomes ----------------------------------------------------------------------------------------------


def test_every_lead_gets_one_outcome_with_its_own_index(kept):
    client = StubClient(only(range(0, 60, 7), refuse))
    kept.run(client, resets(60))
    assert {outcome.index: outcome.prospect_id for outcome in kept.outcomes} == {
        index: lead_id(index) for index in range(60)
    }
    assert set(kept.failed) == {lead_id(number) for number in range(0, 60, 7)}
    assert kept.ticks > 0
    assert len(client.sent) == 60


def test_no_leads_no_calls_and_no_waiting(kept, monkeypatch):
    monkeypatch.setattr(pool, "TICK", 2 * DEADLINE)
    client = StubClient(accept)
    began = time.monotonic()
    kept.run(client, [])
    kept.run(StubClient(accept), resets(1))
    assert time.monotonic() - began < DEADLINE
    assert client.sent == []
    assert len(kept.outcomes) == 1


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (None, True),
        (LeadRejectedError("no"), True),
        (UnavailableError("down"), False),
        (ClosedError("x"), False),
    ],
)
def test_an_outcome_is_final_when_asking_again_could_not_change_it(error, final):
    assert Outcome(0, lead_id(0), error).final is final


# -- what ends a batch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [AccessError("keys"), QuotaError("quota"), OutageError("down")])
def test_an_error_of_the_account_stops_all(kept, error):
    client = StubClient(only([30], raising(error)))
    with pytest.raises(type(error)) as raised:
        kept.run(client, resets(10_000))
    assert raised.value is error
    # Who was sent before is reported, the one that failed is not a lead's failure.
    assert kept.queued == set(client.sent) - {lead_id(30)}
    assert kept.failed == {}
    assert len(client.sent) <= 31 + 50


def test_no_call_starts_after_an_access_error_though_the_source_is_slow(kept):
    failed = threading.Event()
    client = StubClient(raising(AccessError("keys")))
    close = client.limiter.close

    def closed():
        close()
        failed.set()

    client.limiter.close = closed

    def source():
        yield resets(1)[0]
        assert failed.wait(DEADLINE)
        yield from resets(100, first=1)

    with pytest.raises(AccessError):
        kept.run(client, source())
    assert client.sent == [lead_id(0)]
    assert kept.outcomes == []


def test_no_call_starts_after_an_access_error_though_an_outcome_takes_long(kept):
    def writing(outcome):
        # The second lead's error comes while the first one's outcome is being written down.
        go_on.set()
        assert client.closed.wait(DEADLINE)
        kept.outcomes.append(outcome)

    both, go_on = threading.Barrier(2), threading.Event()

    def reset(lead):
        both.wait(DEADLINE)
        if lead.prospect_id != lead_id(0):
            assert go_on.wait(DEADLINE)
            raise AccessError("rights")

    client = StubClient(reset, share=1)
    client.closed = threading.Event()
    close = client.limiter.close
    client.limiter.close = lambda: (close(), client.closed.set())
    with pytest.raises(AccessError, match="rights"):
        kept.run(client, resets(50), on_outcome=writing)
    assert client.sent == [lead_id(0), lead_id(1)]
    assert kept.queued == {lead_id(0)}


def test_the_account_s_error_is_raised_though_others_found_the_gate_closed_first(kept):
    closed = threading.Event()

    def reset(lead):
        if lead.prospect_id == lead_id(0):
            client.limiter.close()
            assert closed.wait(DEADLINE)
            raise AccessError("keys")

    client = StubClient(reset, share=1)
    original, waited = client.limiter.acquire, []

    def acquire():
        try:
            return original()
        except ClosedError:
            waited.append(1)
            raise

    client.limiter.acquire = acquire
    # The ClosedError of another lead is settled before the first one's call comes back.
    with pytest.raises(AccessError):
        kept.run(client, resets(5), on_tick=lambda: closed.set() if waited else None)
    assert waited


def test_twenty_equal_errors_before_any_success_stop(kept):
    client = StubClient(refuse)
    with pytest.raises(SameErrorsError, match="first 20 leads all failed alike: HTTP 500 MXInvalidEntity"):
        kept.run(client, resets(1000))
    assert SAME_ERRORS <= len(kept.failed) <= SAME_ERRORS + 50
    assert set(kept.failed) == set(client.sent)


def test_nineteen_equal_errors_do_not(kept):
    kept.run(StubClient(only(range(19), refuse), share=1), resets(200))
    assert len(kept.failed) == 19


def test_errors_that_differ_do_not(kept):
    def fail(lead):
        raise LeadRejectedError(f"bad value {uuid.UUID(lead.prospect_id).int % 5}")

    kept.run(StubClient(fail), resets(90))
    assert len(kept.failed) == 90


def test_after_one_success_one_lead_s_error_never_stops_the_others(kept):
    def fail(lead):
        assert succeeded.wait(DEADLINE)
        refuse(lead)

    succeeded = threading.Event()

    def keep(outcome):
        kept.outcomes.append(outcome)
        succeeded.set()

    kept.run(StubClient(only([0], accept, fail)), resets(500), on_outcome=keep)
    assert len(kept.queued) == 1
    assert len(kept.failed) == 499


def test_outages_of_single_leads_are_their_own(kept):
    kept.run(StubClient(only(range(1, 300, 2), raising(UnavailableError("down"))), share=1), resets(300))
    assert len(kept.failed) == 150


# -- ended from outside ------------------------------------------------------------------------------------


def test_a_gate_closed_from_outside_ends_it_and_calls_under_way_are_reported(kept):
    under_way = threading.Semaphore(0)
    closed = threading.Event()

    def reset(lead):
        under_way.release()
        assert closed.wait(DEADLINE)

    # Real time: the other 25 threads wait at the gate for a window that ends long after the test.
    client = StubClient(reset)
    client.limiter = RateLimiter(SlidingWindow(25))

    def close():
        for _ in range(25):
            assert under_way.acquire(timeout=DEADLINE)
        client.limiter.close()
        closed.set()

    helper = threading.Thread(target=close)
    helper.start()
    began = time.monotonic()
    with pytest.raises(ClosedError):
        kept.run(client, resets(10_000))
    helper.join(DEADLINE)
    assert time.monotonic() - began < 4
    assert len(client.sent) == 25
    assert kept.queued == set(client.sent)


def test_a_lead_sent_once_and_not_repeated_is_not_reached(kept):
    tried = threading.Event()

    def reset(lead):
        tried.set()
        client.limiter.pause(1000)

    client = StubClient(reset)
    client.limiter.clock = pace_module.SystemClock()

    def close():
        assert tried.wait(DEADLINE)
        client.limiter.close()

    helper = threading.Thread(target=close)
    helper.start()
    with pytest.raises(ClosedError, match="not repeated"):
        kept.run(client, resets(1))
    helper.join(DEADLINE)
    assert kept.outcomes == []


def test_a_gate_closed_when_all_is_done_is_no_error(kept):
    # When all have passed it, in whatever order.
    client = StubClient(lambda lead: client.limiter.close() if len(client.sent) == 10 else None, share=1)
    kept.run(client, resets(10))
    assert len(kept.queued) == 10


class TaskTimeoutError(BaseException):
    """As Airflow raises it: by a signal, wherever the main thread happens to be."""


@pytest.mark.parametrize("share", [1, 25])
def test_a_time_out_in_the_main_thread_still_settles_what_is_under_way(kept, share):
    def time_out(*_):
        interrupted.set()
        raise TaskTimeoutError

    noted, interrupted = threading.Event(), threading.Event()

    def reset(lead):
        assert noted.wait(DEADLINE)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert interrupted.wait(DEADLINE)

    client = StubClient(reset, share)
    before = signal.signal(signal.SIGUSR1, time_out)
    try:
        with pytest.raises(TaskTimeoutError):
            # The source has a single lead: the main thread reads it, and then waits for its outcome.
            kept.run(client, resets(1), on_tick=noted.set)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert kept.queued == set(client.sent) == {lead_id(0)}


def test_a_time_out_at_any_moment_leaves_nothing_behind(kept):
    def time_out(*_):
        raise TaskTimeoutError

    before = signal.signal(signal.SIGUSR1, time_out)
    try:
        for number in range(40):
            one = Kept()
            client = StubClient(only([number], lambda lead: os.kill(os.getpid(), signal.SIGUSR1)), share=3)
            with pytest.raises(TaskTimeoutError):
                one.run(client, resets(200), on_tick=lambda: None)
            # One at most may have been interrupted between its start and its being noted.
            assert len(set(client.sent) - one.queued) <= 1
            assert one.queued <= set(client.sent)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_source_that_raises_is_raised_after_what_is_under_way_is_settled(kept):
    failed = threading.Event()

    def source():
        yield from resets(5)
        failed.set()
        raise OSError("the file is gone")

    client = StubClient(lambda lead: failed.wait(DEADLINE))
    with pytest.raises(OSError, match="the file is gone"):
        kept.run(client, source())
    assert kept.queued == set(client.sent)


def test_who_waits_at_the_gate_when_the_batch_breaks_off_is_never_sent(kept):
    waits = threading.Event()

    class Clock(pace_module.SystemClock):
        def wait(self, condition, seconds):
            waits.set()
            super().wait(condition, seconds)

    def source():
        yield from resets(2)
        assert waits.wait(DEADLINE)
        raise OSError("the file is gone")

    client = StubClient(accept, share=1)
    client.limiter = RateLimiter(
        SlidingWindow(1), Clock()
    )  # the second lead would have to wait for five seconds
    with pytest.raises(OSError, match="the file is gone"):
        kept.run(client, source())
    assert len(client.sent) == 1
    assert kept.queued == set(client.sent)


def test_on_outcome_that_raises_hides_no_other_outcome(kept):
    full = threading.Barrier(10)

    def keep(outcome):
        kept.outcomes.append(outcome)
        raise OSError("disk full")

    client = StubClient(lambda lead: full.wait(DEADLINE))
    with pytest.raises(OSError, match="disk full"):
        kept.run(client, resets(10), on_outcome=keep)
    assert len(kept.queued) == 10


def test_a_bug_in_one_call_ends_the_batch_and_hides_no_outcome(kept):
    full = threading.Barrier(10)

    def reset(lead):
        full.wait(DEADLINE)
        if lead.prospect_id in {lead_id(number) for number in (2, 5, 8)}:
            raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        kept.run(StubClient(reset), resets(10))
    assert len(kept.queued) == 7


def test_on_tick_that_raises_hides_no_outcome(kept):
    client = StubClient(accept)
    with pytest.raises(RuntimeError, match="tick"):
        kept.run(client, resets(10), on_tick=lambda: raising(RuntimeError("tick"))(None))
    assert kept.queued == set(client.sent)


# -- memory and threads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "threads"), [(1, 2), (10, 20), (25, 50), (72, 50)])
def test_as_many_threads_as_the_share_can_use(kept, share, threads):
    names = set()
    gathered = threading.Barrier(threads)

    def reset(lead):
        names.add(threading.current_thread().name)
        gathered.wait(DEADLINE)

    client = StubClient(reset, share=100)
    client.limiter.sliding_window.share = share
    kept.run(client, resets(threads))
    assert len(names) == threads


def test_a_hundred_thousand_leads_take_constant_memory(kept):
    read = ended = most_ahead = 0
    reset = LeadReset(lead_id(0), SELECTORS, WINDOW)
    latest = []

    def source():
        nonlocal read, most_ahead
        for index in range(100_000):
            read += 1
            most_ahead = max(most_ahead, read - ended)
            yield index, reset

    def count(outcome):
        nonlocal ended
        ended += 1
        latest[:] = [outcome.index]

    class Client:
        limiter = RateLimiter(SlidingWindow(10))

        def reset(self, lead):
            pass

    kept.run(Client(), source(), on_outcome=count)
    assert ended == read == 100_000
    assert most_ahead <= 20


def test_outcomes_are_reported_while_the_source_goes_on(kept):
    answered = threading.Semaphore(0)
    seen = []

    def source():
        for item in resets(40):  # fewer than there are threads
            yield item
            assert answered.acquire(timeout=DEADLINE)
            seen.append(len(kept.outcomes))

    kept.run(StubClient(lambda lead: answered.release()), source())
    assert seen[-1] > 0
    assert len(kept.queued) == 40


# -- over real sockets -------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """Windows of 0.2 s and short pauses, on both sides."""
    monkeypatch.setattr(pace_module, "WINDOW", 0.2)
    monkeypatch.setattr(client_module, "RETRY_DELAYS", (0.01, 0.02, 0.04))
    return {"window": 0.2, "calls_per_5s": 25, "queue_delay": 0.0}


def connect(lsq, **more):
    return LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, timeout=1.0, **more)


def sent_to(lsq):
    return [call.prospect_id for call in lsq.calls]


@pytest.mark.parametrize("seed", range(4))
def test_any_faults_leave_each_lead_queued_failed_or_not_reached(kept, quick, seed):
    dice = random.Random(seed)
    count = 60
    kinds = ["429", "403", "200-throttled", "500", "502-html", "500-mx", "drop", "truncated", "html"]
    kinds += ["empty", "status-error"]
    with LeadSquaredEmulator(**quick, count_rejected=bool(seed % 2)) as lsq:
        for index in range(count):
            lsq.add_lead(prospect_id=lead_id(index))
        plan = {}
        for index in dice.sample(range(count), 25):
            plan[lead_id(index)] = kind, times = dice.choice(kinds), dice.choice([1, 2, 3, 6])
            # A 403 is throttling by its text only, and the emulator's own names the window of 0.2 s.
            body = LIMIT_TEXT if kind == "403" else None
            lsq.fault(kind, times=times, prospect_id=lead_id(index), path="Lead.Reset", body=body)
        client = connect(lsq)
        kept.run(client, resets(count))
        client.close()
        calls = Counter(sent_to(lsq))
        assert client.limiter.calls == len(lsq.calls)
    assert kept.queued | set(kept.failed) == {lead_id(index) for index in range(count)}
    for lead in plan.keys() | kept.failed.keys():
        kind, times = plan.get(lead, (None, 0))
        throttling = kind in {"429", "403", "200-throttled"}
        if kind in {"500-mx", "status-error"}:
            assert isinstance(kept.failed[lead], LeadRejectedError)
        elif throttling or times <= 3:
            assert lead in kept.queued, (kind, times)
        else:
            assert isinstance(kept.failed[lead], UnavailableError), (kind, times)
            assert calls[lead] >= 4


def test_wrong_keys_stop_before_a_second_burst(kept, quick):
    with LeadSquaredEmulator(**quick) as lsq:
        client = LeadSquaredClient(lsq.url, "wrong", "wrong", limiter=RateLimiter(SlidingWindow(5)))
        with pytest.raises(AccessError):
            kept.run(client, resets(200))
        client.close()
        assert 1 <= len(lsq.calls) <= 5
    assert kept.outcomes == []


def test_a_gate_closed_mid_batch_leaves_no_lead_in_two_places(kept, quick):
    with LeadSquaredEmulator(**quick) as lsq:
        for index in range(200):
            lsq.add_lead(prospect_id=lead_id(index))
        client = connect(lsq)

        def keep(outcome):
            kept.outcomes.append(outcome)
            if len(kept.outcomes) == 30:
                client.limiter.close()

        with pytest.raises(ClosedError):
            kept.run(client, resets(200), on_outcome=keep)
        client.close()
        assert 30 <= len(kept.queued) <= 80
        assert kept.queued == {call.prospect_id for call in lsq.calls if not call.throttled}


@pytest.mark.parametrize(("fault", "error"), [("429", QuotaError), ("502-html", OutageError)])
def test_five_minutes_without_success_end_the_batch_for_a_later_try(kept, fault, error):
    with LeadSquaredEmulator(queue_delay=0.0, calls_per_5s=None) as lsq:
        for index in range(5):
            lsq.add_lead(prospect_id=lead_id(index))
        clock = StandingClock()
        client = connect(lsq, limiter=RateLimiter(SlidingWindow(5), clock))

        def source():
            yield from resets(5)
            assert done.wait(DEADLINE)
            lsq.fault(fault, times=None)
            yield from resets(1000, first=5)

        # The first five are through before the faults begin.
        done, through = threading.Event(), []
        accepted = client.limiter.accepted

        def note(permit):
            accepted(permit)
            through.append(permit)
            if len(through) == 5:
                done.set()

        client.limiter.accepted = note
        with pytest.raises(error, match="5 minutes"):
            kept.run(client, source())
        client.close()
    assert kept.queued == {lead_id(index) for index in range(5)}
    assert clock.time >= 300
    assert not any(isinstance(reason, error) for reason in kept.failed.values())
