"""Every code block and every row of the window table of the README, run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.guide_pages import (
    AS_SHOWN,
    ROOT,
    RUN_AT,
    Page,
    check_window_row,
    connection_in_environment,
    shell,
)

README = Page("README.md")

pytestmark = pytest.mark.usefixtures("airflow_db")


def blocks(language: str, having: str) -> list[str]:
    return README.having(language, having)


def test_every_block_is_run():
    """Every block of code is run by one of the tests below."""
    known = [
        *blocks("bash", "make demo"),
        *blocks("bash", "AIRFLOW_CONN_"),
        *blocks("bash", "airflow pools"),
        *blocks("python", "@dag"),
        *blocks("python", "LeadResetHook"),
    ]
    assert sorted(known) == sorted(text for _, text in README.blocks)
    assert len(known) == 6


def test_commands_run_in_ci():
    """The two commands are what CI runs."""
    (commands,) = blocks("bash", "make demo")
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert set(commands.split("\n")) - {""} <= set(ci)


def test_smallest_dag_resets_lead(lsq, run):
    """The smallest DAG resets its lead."""
    the_dag = README.dag("forget_test_calls")
    lead = lsq.add_lead("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
    lsq.add_activity(lead, 166, "2026-10-01 12:00:00")
    lsq.add_activity(lead, 166, "2026-10-01 19:00:00")
    result = run(the_dag, logical_date=RUN_AT)
    assert result.state == "success"
    lsq.wait_until_idle()
    assert [a["created_on"][:19] for a in lsq.remaining(lead)["activities"]] == ["2026-10-01 19:00:00"]


def test_connection_in_environment():
    """The connection in the environment is understood."""
    assert connection_in_environment(README.block("bash", "AIRFLOW_CONN_")) == AS_SHOWN


def test_pool_command():
    """The command for the pool works."""
    output = shell(README.block("bash", "airflow pools") + "\nairflow pools list -o plain")
    assert re.search(r"leadsquared_default.*25", output)


def test_other_python_blocks_run(lsq):
    """The other blocks of Python run and return what they say."""
    leads = [lsq.add_lead()]
    a_list = lsq.add_list("Test leads", leads)
    lsq.add_activity_type(166, "Test call")
    for code in blocks("python", "LeadResetHook"):
        names: dict[str, Any] = {}
        exec(code.replace("11111111-2222-3333-4444-555555555555", a_list), names)
        if "works" in names:
            assert names["works"], names["message"]
        if "leads" in names:
            assert names["leads"] == leads
            assert names["names"][166] == "Test call"


@pytest.mark.parametrize(("template", "new", "old"), README.window_rows)
def test_window_table_row(template, new, old):
    """A row of the window table sends what it says."""
    check_window_row(template, new, old)


def test_window_table_is_complete():
    """The window table has all its rows."""
    assert len(README.window_rows) == 3
