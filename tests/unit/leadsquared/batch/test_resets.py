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
from airflow_provider_leadreset.leadsquared.api import edge_pause, rate_limit, sliding_window
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch import worker_pool as pool
from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.resets import SAME_ERRORS, BatchJudge
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    BrokenOffError,
    ClosedError,
    EdgeError,
    LeadRejectedError,
    OutageError,
    QuotaError,
    SameErrorsError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from support.answering import http
from support.slow_server import SlowServer

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
    """What a batch needs of a client."""

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

    def stop(self):
        self.limiter.close()

    def redact(self, text):
        return text.replace("s3c$ret-key", "***")


class Kept:
    """What a batch reports, to a loop like the operator's."""

    def __init__(self):
        self.outcomes = []
        self.ticks = 0
        self.interrupted = False
        """Whether an exception came out of the loop: then the outcome in whose course it came may be told again."""

    def run(self, client, leads, *, on_outcome=None, on_tick=None):
        judge, workers = BatchJudge(), pool.WorkerPool(client)

        def send(item):
            return client.reset(item[1])

        def settle(item, future):
            outcome = judge.settle(item[0], item[1].prospect_id, future)
            if outcome:
                (on_outcome or self.outcomes.append)(outcome)

        later = None
        try:
            with workers:
                for ended in workers.map_with_ticks(leads, send):
                    if ended:
                        settle(*ended)
                    if judge.stop_reason:
                        workers.stop()
                    (on_tick or self.tick)()
        except BaseException:
            self.interrupted = True
            raise
        finally:
            for left in workers.leftovers(send):
                try:
                    settle(*left)
                except Exception as error:
                    later = error
        if judge.stop_reason or later:
            raise judge.stop_reason or later

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
    told = Counter(outcome.index for outcome in kept.outcomes)
    assert sum(times - 1 for times in told.values()) <= kept.interrupted


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


def test_one_outcome_per_lead(kept):
    """Every lead gets one outcome, with its own index."""
    client = StubClient(only(range(0, 60, 7), refuse))
    kept.run(client, resets(60))
    assert {outcome.index: outcome.prospect_id for outcome in kept.outcomes} == {
        index: lead_id(index) for index in range(60)
    }
    assert set(kept.failed) == {lead_id(number) for number in range(0, 60, 7)}
    assert kept.ticks > 0
    assert len(client.sent) == 60


def test_empty_batch(kept, monkeypatch):
    """A batch without leads makes no calls, and a finished batch does not wait."""
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
def test_final_outcomes(error, final):
    """An outcome is final when another call could not change it."""
    assert Outcome(0, lead_id(0), error).final is final


# -- what ends a batch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [AccessError("keys"), QuotaError("quota"), OutageError("down")])
def test_account_error_stops_batch(kept, error):
    """An error that concerns the whole account stops the batch."""
    client = StubClient(only([30], raising(error)))
    with pytest.raises(type(error)) as raised:
        kept.run(client, resets(10_000))
    assert raised.value is error
    # Who was sent before is reported, the one that failed is not a lead's failure.
    assert kept.queued == set(client.sent) - {lead_id(30)}
    assert kept.failed == {}
    assert len(client.sent) < 5_000  # how many were sent meanwhile is for the machine to say


def test_access_error_with_slow_source(kept):
    """No call starts after an access error, even if the source of leads is slow."""
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


def test_access_error_with_slow_outcome(kept):
    """No call starts after an access error, even if recording an outcome takes long."""

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


def test_account_error_over_closed_limiter(kept):
    """The account's error is raised, even if other leads found the limiter closed first."""
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


def test_twenty_equal_errors_stop(kept):
    """Twenty equal errors before any success stop the batch."""
    client = StubClient(refuse)
    with pytest.raises(SameErrorsError, match="first 20 leads all failed alike: HTTP 500 MXInvalidEntity"):
        kept.run(client, resets(1000))
    assert SAME_ERRORS <= len(kept.failed) <= SAME_ERRORS + 50
    assert set(kept.failed) == set(client.sent)


def test_nineteen_errors_do_not_stop(kept):
    """Nineteen equal errors do not stop the batch."""
    kept.run(StubClient(only(range(19), refuse), share=1), resets(200))
    assert len(kept.failed) == 19


@pytest.mark.parametrize(
    "error",
    [EdgeError("a page"), ThrottledError("too many"), BrokenOffError("stopped")],
    ids=lambda one: type(one).__name__,
)
def test_errors_that_say_nothing_of_leads(kept, error):
    """Equal errors of the way there, of the pace or of a stop do not count as equal failures."""
    kept.run(StubClient(raising(error), share=1), resets(SAME_ERRORS + 10))
    assert len(kept.failed) == SAME_ERRORS + 10
    assert not any(outcome.final for outcome in kept.outcomes)


def test_different_errors_do_not_stop(kept):
    """Errors that differ do not stop the batch."""

    def fail(lead):
        raise LeadRejectedError(f"bad value {uuid.UUID(lead.prospect_id).int % 5}")

    kept.run(StubClient(fail), resets(90))
    assert len(kept.failed) == 90


def test_equal_errors_after_success(kept):
    """After one success, the errors of single leads never stop the others."""

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


def test_outages_of_single_leads(kept):
    """An outage of a single lead fails that lead only."""
    kept.run(StubClient(only(range(1, 300, 2), raising(UnavailableError("down"))), share=1), resets(300))
    assert len(kept.failed) == 150


# -- ended from outside ------------------------------------------------------------------------------------


def test_limiter_closed_from_outside(kept, monkeypatch):
    """Closing the limiter from outside ends the batch, and the calls under way are reported."""
    under_way = threading.Semaphore(0)
    closed = threading.Event()

    def reset(lead):
        under_way.release()
        assert closed.wait(DEADLINE)

    # Real time: the other 25 threads wait at the limiter for a window that ends long after the test.
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 600.0)
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
    assert time.monotonic() - began < 60
    assert len(client.sent) == 25
    assert kept.queued == set(client.sent)


def test_unrepeated_lead_not_reached(kept):
    """A lead that was sent once and not repeated counts as not reached."""
    tried = threading.Event()

    def reset(lead):
        tried.set()
        client.limiter.pause(1000)

    client = StubClient(reset)
    client.limiter.clock = rate_limit.SystemClock()

    def close():
        assert tried.wait(DEADLINE)
        client.limiter.close()

    helper = threading.Thread(target=close)
    helper.start()
    with pytest.raises(ClosedError, match="not repeated"):
        kept.run(client, resets(1))
    helper.join(DEADLINE)
    assert kept.outcomes == []


def test_limiter_closed_when_done(kept):
    """Closing the limiter when everything is done is no error."""
    # When all have passed it, in whatever order.
    client = StubClient(lambda lead: client.limiter.close() if len(client.sent) == 10 else None, share=1)
    kept.run(client, resets(10))
    assert len(kept.queued) == 10


class TaskTimeoutError(BaseException):
    """As Airflow raises it: by a signal, wherever the main thread happens to be."""


@pytest.mark.parametrize("share", [1, 25])
def test_timeout_settles_calls_under_way(kept, share):
    """A time-out in the main thread still settles the calls under way."""

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


def test_timeout_at_any_moment(kept):
    """A time-out at any moment leaves nothing behind."""

    def time_out(*_):
        raise TaskTimeoutError

    before = signal.signal(signal.SIGUSR1, time_out)
    try:
        for number in range(40):
            one = Kept()
            client = StubClient(only([number], lambda lead: os.kill(os.getpid(), signal.SIGUSR1)), share=3)
            with pytest.raises(TaskTimeoutError):
                one.run(client, resets(200), on_tick=lambda: None)
            assert one.queued == set(client.sent)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_source_error_raised_last(kept):
    """An error of the source is raised after the calls under way are settled."""
    failed = threading.Event()

    def source():
        yield from resets(5)
        failed.set()
        raise OSError("the file is gone")

    client = StubClient(lambda lead: failed.wait(DEADLINE))
    with pytest.raises(OSError, match="the file is gone"):
        kept.run(client, source())
    assert kept.queued == set(client.sent)


def test_waiting_lead_never_sent(kept):
    """A lead that waits for the limiter when the batch breaks off is never sent."""
    waits = threading.Event()

    class Clock(rate_limit.SystemClock):
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


def test_on_outcome_error(kept):
    """An error in on_outcome hides no other outcome."""
    full = threading.Barrier(10)

    def keep(outcome):
        kept.outcomes.append(outcome)
        raise OSError("disk full")

    client = StubClient(lambda lead: full.wait(DEADLINE))
    with pytest.raises(OSError, match="disk full"):
        kept.run(client, resets(10), on_outcome=keep)
    assert len(kept.queued) == 10


def test_bug_in_call(kept):
    """A bug in one call ends the batch and hides no outcome."""
    full = threading.Barrier(10)

    def reset(lead):
        full.wait(DEADLINE)
        if lead.prospect_id in {lead_id(number) for number in (2, 5, 8)}:
            raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        kept.run(StubClient(reset), resets(10))
    assert len(kept.queued) == 7


def test_on_tick_error(kept):
    """An error in on_tick hides no outcome."""
    client = StubClient(accept)
    with pytest.raises(RuntimeError, match="tick"):
        kept.run(client, resets(10), on_tick=lambda: raising(RuntimeError("tick"))(None))
    assert kept.queued == set(client.sent)


# -- memory and threads ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "threads"), [(1, 2), (10, 20), (25, 50), (72, 50)])
def test_thread_count_from_share(kept, share, threads):
    """The batch uses as many threads as the share can use."""
    names = set()
    gathered = threading.Barrier(threads)

    def reset(lead):
        names.add(threading.current_thread().name)
        gathered.wait(DEADLINE)

    client = StubClient(reset, share=100)
    client.limiter.sliding_window.share = share
    kept.run(client, resets(threads))
    assert len(names) == threads


def test_constant_memory(kept):
    """A hundred thousand leads take constant memory."""
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


def test_outcomes_reported_early(kept):
    """Outcomes are reported while the source still produces leads."""
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
    monkeypatch.setattr(sliding_window, "WINDOW", 0.2)
    monkeypatch.setattr(client_module, "RETRY_DELAYS", (0.01, 0.02, 0.04))
    return {"window": 0.2, "calls_per_5s": 25, "queue_delay": 0.0}


def connect(lsq, **more):
    return LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, timeout=1.0, **more)


def sent_to(lsq):
    return [call.prospect_id for call in lsq.calls]


@pytest.mark.parametrize("seed", range(4))
def test_random_faults(kept, quick, seed):
    """Whatever faults occur, each lead ends up queued, failed or not reached."""
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


def test_wrong_keys_stop_early(kept, quick, monkeypatch):
    """Wrong keys stop the batch before a second burst of calls."""
    # A first answer may take longer than a short window on a busy machine.
    monkeypatch.setattr(sliding_window, "WINDOW", 60.0)
    with LeadSquaredEmulator(**quick) as lsq:
        client = LeadSquaredClient(lsq.url, "wrong", "wrong", limiter=RateLimiter(SlidingWindow(5)))
        with pytest.raises(AccessError):
            kept.run(client, resets(200))
        client.close()
        assert 1 <= len(lsq.calls) <= 5
    assert kept.outcomes == []


def test_limiter_closed_mid_batch(kept, quick):
    """Closing the limiter in the middle of a batch leaves no lead in two places."""
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
def test_five_minutes_without_success(kept, fault, error):
    """Five minutes without a success end the batch, to be continued by a later try."""
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
    ended = [outcome for outcome in kept.outcomes if isinstance(outcome.error, error)]
    # What was throttled was not carried out; behind a page of something on the way it may have been.
    assert {outcome.kind for outcome in ended} == ({"unanswered"} if error is OutageError else set())


def test_edge_page_in_the_middle(kept, quick, monkeypatch):
    """When an edge blocks some calls of a batch, every lead is queued all the same, each once."""
    monkeypatch.setattr(edge_pause, "FIRST_DELAY", 0.05)
    pages = iter(range(7))

    def handle(connection, head):
        page = len(server.requests) > 10 and next(pages, None) is not None
        connection.sendall(
            http(403, "<html>Access Denied</html>") if page else http(200, '{"Status": "Success"}')
        )

    with SlowServer(handle) as server:
        client = LeadSquaredClient(server.url, "access", "secret", limiter=RateLimiter(SlidingWindow(25)))
        kept.run(client, resets(60))
        client.close()
    assert kept.queued == {lead_id(index) for index in range(60)}
    assert len(server.requests) == 67


def test_redirect_and_pages_of_single_calls(kept, quick, monkeypatch):
    """No page of something on the way refuses a lead for good or ends the batch."""
    monkeypatch.setattr(edge_pause, "FIRST_DELAY", 0.01)
    html = "<html>No.</html>"
    pages = iter([http(status, html, "Location: /") for status in (400, 405, 407, 413, 404, 302, 403, 451)])

    def handle(connection, head):
        answer = next(pages, None) if len(server.requests) > 5 else None
        connection.sendall(answer or http(200, '{"Status": "Success"}'))

    with SlowServer(handle) as server:
        client = LeadSquaredClient(server.url, "access", "secret", limiter=RateLimiter(SlidingWindow(25)))
        kept.run(client, resets(40))
        client.close()
    assert kept.failed == {}
    assert len(server.requests) == 48


def test_keys_in_rows_are_struck_out(kept):
    """An error that a worker raises is shown without keys, though who raised it knew none."""

    def refuse(_):
        raise UnavailableError("a record was created at 's3c$ret-key', which is no date")

    kept.run(StubClient(refuse), resets(1))
    (outcome,) = kept.outcomes
    assert "'***'" in str(outcome.error)
    assert "s3c" not in f"{outcome.error} {outcome.error!r} {outcome.error.args}"
