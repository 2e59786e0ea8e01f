from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from support.dag_runs import Runner


@pytest.fixture(autouse=True)
def no_last_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few calls of these runs need no window of 5 s to themselves after each task; unit tests hold the wait."""
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)


@pytest.fixture
def run() -> Runner:
    return Runner()
