from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from support.emulator_client import Api


@pytest.fixture(scope="session")
def running() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, queue_delay=None) as lsq:
        yield lsq


@pytest.fixture
def lsq(running: LeadSquaredEmulator) -> LeadSquaredEmulator:
    running.forget()
    running.dialect = Dialect()
    running.set_user(api_host="", app_host="", org_short_code="LSQEMU")
    return running


@pytest.fixture
def api(lsq: LeadSquaredEmulator) -> Iterator[Api]:
    client = Api(lsq)
    with client.session:
        yield client


@pytest.fixture
def lead_id(lsq: LeadSquaredEmulator) -> str:
    return lsq.add_lead(first_name="Asha", last_name="Nair", email="asha@example.com", stage="Qualified")


@pytest.fixture
def speak(lsq: LeadSquaredEmulator) -> Callable[..., None]:
    """Exchange the dialect of the running emulator, until the next test."""

    def exchange(**values: Any) -> None:
        lsq.dialect = Dialect(**values)

    return exchange
