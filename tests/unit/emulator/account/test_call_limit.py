from __future__ import annotations

import threading
import time

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.account.call_limit import CallLimit, most_in_window

KEY_CHECK = "Authentication.svc/UserByAccessKey.Get"
gaps = st.lists(st.integers(min_value=0, max_value=3), max_size=60)


def call(lsq: LeadSquaredEmulator) -> requests.Response:
    keys = {"accessKey": lsq.access_key, "secretKey": lsq.secret_key}
    return requests.get(f"{lsq.url}/v2/{KEY_CHECK}", params=keys, timeout=60)


def stamps_of(steps: list[int]) -> list[float]:
    return [float(sum(steps[: n + 1])) for n in range(len(steps))]


def test_window_boundary() -> None:
    """A call exactly one window later is admitted, and one just before that is not."""
    limit = CallLimit(2, 5.0)
    assert [limit.admit(at) for at in (100.0, 101.0, 104.999, 105.0, 105.5, 106.0)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]


def test_rejected_calls_are_free() -> None:
    """Rejected calls use up nothing of the limit unless the limit is told to count them."""
    free, dear = CallLimit(1, 5.0), CallLimit(1, 5.0, count_rejected=True)
    stamps = [0.0, 3.0, 6.0, 9.0]
    assert [free.admit(at) for at in stamps] == [True, False, True, False]
    assert [dear.admit(at) for at in stamps] == [True, False, False, False]


def test_call_taken_back() -> None:
    """A call that is taken back leaves its place to another."""
    limit = CallLimit(1, 5.0)
    assert limit.admit(0.0)
    limit.take_back(0.0)
    assert limit.admit(0.1)
    assert not limit.admit(0.2)
    limit.forget()
    assert limit.admit(0.3)


@settings(database=None, max_examples=60, deadline=None)
@given(gaps, st.integers(min_value=1, max_value=4))
def test_limit_holds_in_every_window(steps: list[int], calls: int) -> None:
    """No window ever holds more admitted calls than the limit."""
    limit = CallLimit(calls, 5.0)
    admitted = [at for at in stamps_of(steps) if limit.admit(at)]
    assert most_in_window(admitted, 5.0) <= calls


@settings(database=None, max_examples=60, deadline=None)
@given(gaps)
def test_worst_window_count(steps: list[int]) -> None:
    """The worst window is what counting from every time stamp gives."""
    stamps = stamps_of(steps)
    counted = [sum(1 for other in stamps if start <= other < start + 5.0) for start in stamps]
    assert most_in_window(reversed(stamps), 5.0) == max(counted, default=0)


@pytest.mark.parametrize(("calls", "seconds"), [(0, 5.0), (-1, 5.0), (1, 0.0)])
def test_invalid_limits_are_refused(calls: int, seconds: float) -> None:
    """A limit of no calls, or over no time, is refused."""
    with pytest.raises(ValueError, match="must be"):
        CallLimit(calls, seconds)


@pytest.mark.parametrize(
    ("form", "status", "body"),
    [
        ("429", 429, "API calls exceeded the limit of 2 in 60 second(s)"),
        ("403", 403, "API calls exceeded the limit of 2 in 60 second(s)"),
        (
            "200",
            200,
            (
                '{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException",'
                '"ExceptionMessage":"API calls exceeded the limit of 2 in 60 second(s)"}'
            ),
        ),
    ],
)
def test_three_forms_of_throttling(form: str, status: int, body: str) -> None:
    """A throttled call is answered in one of three forms: a 429, a 403 or a 200 with an error in it."""
    with LeadSquaredEmulator(calls_per_5s=2, window=60, dialect={"throttle_status": form}) as lsq:
        answers = [call(lsq) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, status]
    assert answers[2].text == body
    assert "retry-after" not in answers[2].headers
    assert [c.throttled for c in lsq.calls] == [False, False, True]
    assert lsq.worst_window() == 3


def test_which_calls_count() -> None:
    """The limit counts reads but no calls with wrong keys, and starts anew when told."""
    with LeadSquaredEmulator(calls_per_5s=1, window=60) as lsq:
        assert requests.get(f"{lsq.url}/v2/{KEY_CHECK}", timeout=60).status_code == 401
        assert [call(lsq).status_code for _ in range(2)] == [200, 429]
        assert lsq.worst_window() == 2
        assert len(lsq.calls) == 3
        lsq.reset_calls()
        assert lsq.calls == []
        assert call(lsq).status_code == 200


def test_concurrent_calls_at_the_limit() -> None:
    """Twenty-five calls at once are stamped at once, and the 26th is turned away."""
    with LeadSquaredEmulator(calls_per_5s=25, window=60, latency=0.02) as lsq:
        together = threading.Barrier(26)
        statuses: list[int] = []

        def go() -> None:
            together.wait()
            statuses.append(call(lsq).status_code)

        threads = [threading.Thread(target=go) for _ in range(26)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] * 25 + [429]
    stamps = [c.arrived for c in lsq.calls]
    assert stamps == sorted(stamps)
    # With room for a busy machine: 26 new connections from 26 threads of this very process.
    assert stamps[-1] - stamps[0] < 0.5


def test_latency_around_the_stamp() -> None:
    """Latency before a call's time stamp delays the stamp, and latency after it does not."""
    waits = iter([0.05])
    with LeadSquaredEmulator(latency=0.05, latency_before=lambda: next(waits)) as lsq:
        start = time.monotonic()
        assert call(lsq).status_code == 200
        end = time.monotonic()
    stamp = lsq.calls[0].arrived
    assert stamp - start >= 0.05
    assert end - stamp >= 0.05
