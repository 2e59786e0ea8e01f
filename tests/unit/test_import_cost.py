from __future__ import annotations

import json
import subprocess
import sys

import pytest

from airflow_provider_leadreset.compat import is_airflow_2

LOAD = """
import json, sys
try:
    from airflow.sdk import BaseOperator
except ImportError:
    from airflow.models.baseoperator import BaseOperator
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

FOR_RUN_TIME = (
    "requests",
    "urllib3",
    "tenacity",
    "fastapi",
    "uvicorn",
    "jinja2",
    "concurrent.futures.thread",
    "airflow_provider_leadreset.hooks",
    "airflow_provider_leadreset.runtime",
    "airflow_provider_leadreset.leadsquared.api",
    "airflow_provider_leadreset.leadsquared.batch",
    "airflow_provider_leadreset.leadsquared.safety",
    "airflow_provider_leadreset.emulator",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """What a DAG file's import of the task group, with operators and sensor, adds to Airflow itself."""
    code = LOAD.format(module="airflow_provider_leadreset.task_groups.lead_reset")
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_dag_file_loads_few_modules(loaded: set[str]) -> None:
    """A DAG file that imports all there is loads few modules besides Airflow's own."""
    for name in ("operators", "sensors", "task_groups"):
        assert f"airflow_provider_leadreset.{name}.lead_reset" in loaded
    # Of Airflow 2 a sensor and a task group load some that Airflow 3 has loaded already.
    assert len(loaded) <= (35 if is_airflow_2() else 25), sorted(loaded)


@pytest.mark.parametrize("name", FOR_RUN_TIME)
def test_run_modules_not_loaded(loaded: set[str], name: str) -> None:
    """What only a run needs is not loaded by a DAG file."""
    assert not [module for module in loaded if module == name or module.startswith(f"{name}.")]
