"""The guides on tests: a project made of their own blocks, and a pytest of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.dag_runs import airflow_version
from support.guide_pages import Page, fitted

PAGE = Page("docs/test-your-dags.md")
APPROVALS = Page("docs/test-an-approval.md")
HAS_APPROVALS = airflow_version() >= (3, 1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages' files, each under the name in its first line."""
    folder = tmp_path_factory.mktemp("project")
    for block in PAGE.having("python") + (APPROVALS.having("python") if HAS_APPROVALS else []):
        name, _, code = block.partition("\n")
        assert re.fullmatch(r"# [\w/]+\.py", name)
        path = folder / name.removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(fitted(code, {}))
    return folder


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a user would, without what the tests of this repository set."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "--show-capture=no", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=300)


def test_project_passes_as_shown(project):
    """The project passes as the page shows it."""
    ended = pytest_in(project)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert f"{7 if HAS_APPROVALS else 3} passed" in ended.stdout


def test_wrong_deletion_is_found(project):
    """A DAG that deletes something else is found."""
    dag = project / "dags" / "forget_test_calls.py"
    right = dag.read_text()
    assert "activity_event_list=[166]" in right
    dag.write_text(right.replace("activity_event_list=[166]", "activity_event_list=[167]"))
    try:
        ended = pytest_in(project)
    finally:
        dag.write_text(right)
    assert ended.returncode == 1, ended.stdout[-3000:]
    assert "2 failed" in ended.stdout  # of its own three; approvals are of another DAG


def test_pool_too_small_is_found(project):
    """A pool that has fewer slots than a task takes is found."""
    test = project / "test_forget_test_calls.py"
    right = test.read_text()
    test.write_text(right.replace('{"leadsquared_default": 25}', '{"leadsquared_default": 19}'))
    try:
        ended = pytest_in(project, "-k", "pool")
    finally:
        test.write_text(right)
    assert ended.returncode == 1, ended.stdout[-3000:]
    assert "reset takes 20 slots of the pool 'leadsquared_default', which has 19" in ended.stdout


def test_installed_extras_exist(project):
    """What the page installs is what this package offers."""
    command = PAGE.block("bash", "pip install").replace("/path/to/a/checkout", "airflow-provider-leadreset")
    program, verb, *requirements = shlex.split(command, comments=True)
    assert (program, verb) == ("pip", "install")
    for requirement in map(Requirement, requirements):
        # Of this environment, which has it.
        offered = metadata.metadata(requirement.name).get_all("Provides-Extra") or []
        assert requirement.extras <= set(offered)
    assert Requirement(requirements[0]).extras == {"emulator"}
    assert PAGE.not_run() == []
    assert APPROVALS.not_run() == [] or not HAS_APPROVALS
