"""Every DAG file, of the examples and of the tests, as Airflow's own commands see it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import airflow
import pytest

pytestmark = pytest.mark.usefixtures("airflow_db")

EXAMPLES = {path.stem for path in (Path(__file__).parent.parent.parent / "example_dags").glob("*.py")}
VERSION = tuple(map(int, airflow.__version__.split(".")[:2]))
NOT_HERE = set() if VERSION >= (3, 1) else {"example_safe_cleanup", "example_months"}
"""They wait for a person, as Airflow can from 3.1 on."""


def command(*arguments: str) -> str:
    """Return what an airflow command prints. Its status says in some versions that there was nothing to list."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_dag_files_import():
    """Airflow imports every DAG file without an error."""
    command("dags", "reserialize")
    errors = command("dags", "list-import-errors", "--output", "plain")
    assert set(re.findall(r"/dags/(\w+)\.py", errors)) == NOT_HERE, errors
    assert ("No data found" in errors) == (not NOT_HERE)
    listed = command("dags", "list", "--output", "plain")
    for name in EXAMPLES - NOT_HERE:  # of one file there may be several
        assert re.search(rf"^{name}(_\w+)?\s.*/{name}\.py\s", listed, re.MULTILINE), listed


def test_provider_registrations_listed():
    """Airflow lists what the provider registers."""
    assert "airflow-provider-leadreset" in command("providers", "list", "--output", "plain")
    assert "hooks.lead_reset.LeadResetHook" in command("providers", "hooks", "--output", "plain")
    if VERSION < (3, 0) or VERSION >= (3, 2):  # between, forms are listed where flask_appbuilder is installed
        behaviours = command("providers", "behaviours", "--output", "plain")
        assert re.search(r"^leadsquared\s*$", behaviours, re.MULTILINE), behaviours
        widgets = command("providers", "widgets", "--output", "plain")
        for field in ("calls_per_5s", "pool", "timeout", "app_host"):
            assert f"extra__leadsquared__{field}" in widgets
    links = command("providers", "links", "--output", "plain")
    for name in ("LeadLink", "EvidenceLink"):
        assert f"airflow_provider_leadreset.links.{name}" in links
