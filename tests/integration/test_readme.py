"""Every code block and every row of the window table of the README, run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from pages import ROOT, RUN_AT, Page, check_window_row, shell

README = Page("README.md")
FOLDER = "/var/leadreset"

pytestmark = pytest.mark.usefixtures("airflow_db")


def blocks(language: str, having: str) -> list[str]:
    return README.having(language, having)


def test_every_block_is_run_by_one_of_the_tests_below():
    known = [
        *blocks("bash", "make demo"),
        *blocks("bash", "AIRFLOW_CONN_"),
        *blocks("bash", "airflow connections"),
        *blocks("bash", "airflow pools"),
        *blocks("python", "@dag"),
        *blocks("python", "LeadResetHook"),
        *blocks("python", "LeadSquaredEmulator"),
        *blocks("python", "gzip.open"),
    ]
    assert sorted(known) == sorted(text for _, text in README.blocks)
    assert len(known) == 11


def test_the_two_commands_are_what_ci_runs():
    (commands,) = blocks("bash", "make demo")
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert set(commands.split("\n")) - {""} <= set(ci)


def test_the_careful_dag_copies_and_proves_and_its_copy_is_read_as_shown(lsq, run, tmp_path):
    the_dag = README.dag(
        "look_copy_reset_prove", {FOLDER: str(tmp_path), "poke_interval=60": "poke_interval=1"}
    )
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, "2026-09-15 10:00:00")
    note = lsq.add_note(lead, "to be kept", "2026-09-16 10:00:00")
    result = run(the_dag, leads=[lead])
    assert result.state == "success"
    assert result.xcoms("prove")[0]["gone"] == 2
    names = README.run("gzip.open", {FOLDER: str(tmp_path)})
    assert (names["copy"]["id"], names["copy"]["record"]["Note"]) == (note, "to be kept")


def test_the_smallest_dag_resets_its_lead(lsq, run):
    the_dag = README.dag("forget_test_calls")
    lead = lsq.add_lead("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
    lsq.add_activity(lead, 166, "2026-10-01 12:00:00")
    lsq.add_activity(lead, 166, "2026-10-01 19:00:00")
    result = run(the_dag, logical_date=RUN_AT)
    assert result.state == "success"
    lsq.wait_until_idle()
    assert [a["created_on"][:19] for a in lsq.remaining(lead)["activities"]] == ["2026-10-01 19:00:00"]


@pytest.mark.parametrize("block", blocks("bash", "AIRFLOW_CONN_"), ids=["json", "uri"])
def test_the_connection_in_the_environment_is_understood(block):
    shown = subprocess.run(
        ["bash", "-c", f'{block}\nprintf %s "$AIRFLOW_CONN_LEADSQUARED_DEFAULT"'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    code = (
        "from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook\n"
        "hook = LeadResetHook()\n"
        "print(hook.get_conn().host, hook._connection.login, hook._connection.password, hook.settings.calls_per_5s)"
    )
    environment = {**os.environ, "AIRFLOW_CONN_LEADSQUARED_DEFAULT": shown}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.splitlines()[-1] == "api-in21.leadsquared.com u$r12+/%=ab s$12+/%=cd 25"


def test_the_commands_for_connection_and_pool_work():
    commands = [*blocks("bash", "airflow connections"), *blocks("bash", "airflow pools")]
    script = "\n".join(
        [*commands, "airflow connections get leadsquared_default -o json", "airflow pools list -o json"]
    )
    output = shell(script)
    shell("airflow connections delete leadsquared_default")
    found = [json.loads(text) for text in re.findall(r"^\[\{.*\}\]$", output, re.MULTILINE)]
    (connection,), pools = found
    assert (connection["login"], connection["password"]) == ("u$r12+/%=ab", "s$12+/%=cd")
    assert any(pool["pool"] == "leadsquared_default" and int(pool["slots"]) == 25 for pool in pools)


def test_the_other_python_blocks_run(lsq):
    leads = [lsq.add_lead()]
    a_list = lsq.add_list("Test leads", leads)
    lsq.add_activity_type(166, "Test call")
    for code in (*blocks("python", "LeadResetHook"), *blocks("python", "LeadSquaredEmulator")):
        names: dict[str, Any] = {}
        exec(code.replace("11111111-2222-3333-4444-555555555555", a_list), names)
        if "works" in names:
            assert names["works"], names["message"]
        if "leads" in names:
            assert names["leads"] == leads
            assert names["names"][166] == "Test call"
        if "before" in names:
            assert len(names["before"]) == 1


@pytest.mark.parametrize(("template", "new", "old"), README.window_rows)
def test_a_row_of_the_window_table_sends_what_it_says(template, new, old):
    check_window_row(template, new, old)


def test_the_window_table_has_all_its_rows():
    assert len(README.window_rows) == 7
