"""Every code block and every row of the window table of the README, run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dag_runs import is_airflow_2, load_dag_file

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.window import parse_window

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| `([^`]+/[^`]+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
RUN_AT = datetime(2026, 10, 1, 21, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("airflow_db")


def blocks(language: str, having: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language and having in text]


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
    assert sorted(known) == sorted(text for _, text in BLOCKS)
    assert len(known) == 11


def test_the_two_commands_are_what_ci_runs():
    (commands,) = blocks("bash", "make demo")
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert set(commands.split("\n")) - {""} <= set(ci)


def dag_of(name: str, **replaced: str) -> Any:
    """Make a DAG of the README a file of the DAGs folder, and give it."""
    (code,) = blocks("python", f"def {name}(")
    if is_airflow_2():
        code = code.replace("from airflow.sdk import dag", "from airflow.decorators import dag")
    code = code.replace(f"\n{name}()\n", f"\nthe_dag = {name}()\n")
    for old, new in replaced.items():
        code = code.replace(PLACES[old], new)
    Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], f"readme_{name}.py").write_text(code)
    return load_dag_file(f"readme_{name}").the_dag


PLACES = {"folder": "/var/leadreset", "poke": "poke_interval=60"}


def test_the_careful_dag_copies_and_proves_and_its_copy_is_read_as_shown(lsq, run, tmp_path):
    the_dag = dag_of("look_copy_reset_prove", folder=str(tmp_path), poke="poke_interval=1")
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, "2026-09-15 10:00:00")
    note = lsq.add_note(lead, "to be kept", "2026-09-16 10:00:00")
    result = run(the_dag, leads=[lead])
    assert result.state == "success"
    assert result.xcoms("prove")[0]["gone"] == 2
    (code,) = blocks("python", "gzip.open")
    names: dict[str, Any] = {}
    exec(code.replace(PLACES["folder"], str(tmp_path)), names)
    assert (names["copy"]["id"], names["copy"]["record"]["Note"]) == (note, "to be kept")


def test_the_smallest_dag_resets_its_lead(lsq, run):
    the_dag = dag_of("forget_test_calls")
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
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "\n".join(
        [*commands, "airflow connections get leadsquared_default -o json", "airflow pools list -o json"]
    )
    output = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, check=True, env=environment
    ).stdout
    subprocess.run(
        ["bash", "-ec", "airflow connections delete leadsquared_default"],
        check=True,
        capture_output=True,
        env=environment,
    )
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


def nightly_context() -> dict[str, Any]:
    """What templates see in the nightly run of the table, worked out by the installed Airflow's own timetable."""
    import pendulum

    if is_airflow_2():
        from airflow.timetables.interval import CronDataIntervalTimetable as Timetable
    else:
        from airflow.timetables.trigger import CronTriggerTimetable as Timetable
    from airflow.timetables.base import TimeRestriction

    timetable = Timetable("30 2 * * *", timezone=pendulum.timezone("Asia/Kolkata"))
    earliest = pendulum.instance(RUN_AT).subtract(days=1 if is_airflow_2() else 0)
    info = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest, None, catchup=True)
    )
    assert info.run_after == RUN_AT

    class DagRun:
        if not is_airflow_2():
            run_after = info.run_after

    return {
        "data_interval_start": info.data_interval.start,
        "data_interval_end": info.data_interval.end,
        "ds": info.data_interval.start.to_date_string(),
        "dag_run": DagRun(),
    }


@pytest.mark.parametrize(("template", "new", "old"), ROWS)
def test_a_row_of_the_window_table_sends_what_it_says(template, new, old):
    import jinja2

    said = new if old == "the same" or not is_airflow_2() else old

    def sent() -> str:
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        text = environment.from_string(template).render(nightly_context())
        window = parse_window(text, timezone="Asia/Kolkata", now=lambda: RUN_AT)
        return f"{window.from_date} to {window.to_date}"

    if said.startswith("an error"):
        with pytest.raises((InputError, jinja2.UndefinedError)):
            sent()
    else:
        assert said.startswith(sent())


def test_the_window_table_has_all_its_rows():
    assert len(ROWS) == 7
