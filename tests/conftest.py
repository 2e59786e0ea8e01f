"""An Airflow of the tests' own, and an emulator that answers like LeadSquared.

Airflow reads its environment when it is first imported, so it is set here, before any test module is.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = tempfile.TemporaryDirectory(prefix="leadreset-tests-")
DAGS = Path(HOME.name, "dags")
# Airflow 3 runs a DAG only from its DAGs folder, and there may be only one.
for folder in ("example_dags", "tests/integration/dags"):
    shutil.copytree(ROOT / folder, DAGS, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
os.environ.update(
    AIRFLOW_HOME=HOME.name,
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    # Seconds: on a busy machine a program of Airflow's waits longer for another one's lock than SQLite's own 5.
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME.name}/airflow.db?timeout=60",
    AIRFLOW__CORE__FERNET_KEY="",
    AIRFLOW__API_AUTH__JWT_SECRET="tests-only-" * 8,
    AIRFLOW__OPENLINEAGE__DISABLED="True",
)
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

# A shell lets what it starts in the background ignore Ctrl-C, which some tests need to be heard.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name packed bytes, in which the second stands, by their number: processes that share out tests must agree."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's tables, in the tests' own SQLite file."""
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, text=True
    )


@pytest.fixture
def lsq(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A LeadSquared with 25 calls in 5 s, and the default connection to it."""
    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

    with LeadSquaredEmulator() as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", emulator.conn_json)
        yield emulator


@pytest.fixture
def quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed call is repeated as often as ever, and at once."""
    from airflow_provider_leadreset.leadsquared.api import client

    monkeypatch.setattr(client, "RETRY_DELAYS", tuple(0.0 for _ in client.RETRY_DELAYS))
