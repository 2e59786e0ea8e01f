"""The pace of the account check."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.emulator.account.call_limit import most_in_window
from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import GentleLimiter, seconds_between
from support.simulated_account import SimulatedTime


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 7, 9, 10, 24, 25, 26, 72])
def test_a_fifth_of_the_limit(limit: int) -> None:
    """In no 5 s more than a fifth of the account's calls start, and of a small limit a fifth in the long run."""
    time = SimulatedTime()
    limiter = GentleLimiter(limit, time)
    starts = []
    for _ in range(60):
        permit = limiter.acquire()
        starts.append(time.seconds())
        limiter.accepted(permit)
    assert most_in_window(starts, 5.0) <= max(1, limit // 5)
    assert 59 / (starts[-1] - starts[0]) <= limit / 25 + 1e-9
    assert starts[-1] - starts[0] == pytest.approx(59 * seconds_between(limit), rel=0.15)
