"""Every code block of the README, run."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement

from airflow_provider_leadreset.testing import approve_as, unanswered_approvals
from support.dag_runs import airflow_version, is_airflow_2
from support.guide_pages import (
    AS_SHOWN,
    ROOT,
    Page,
    airflow_here,
    as_dag_file,
    connection_in_environment,
    fitted,
)

__all__ = ["approve_as", "unanswered_approvals"]

README = Page("README.md")

pytestmark = pytest.mark.usefixtures("airflow_db")


LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
OUTCOMES = ("queued", "failed", "unknown", "unanswered", "nothing_to_reset", "excluded", "not_reached")


def blocks(language: str, having: str) -> list[str]:
    return README.having(language, having)


def the_dag(swapped: str = "LeadResetOperator") -> Any:
    """Make the README's DAG a file of its DAGs folder, under the name that it gives; return the DAG."""
    code = fitted(README.block("python", "@dag"), {})
    name = re.search(r"as\s+`(\w+)\.py`", README.text)
    assert name
    code = code.replace("LeadResetOperator", swapped).replace(
        "\nforget_test_calls()", "\nthe_dag = forget_test_calls()"
    )
    return as_dag_file(name[1], code).the_dag


def test_every_block_is_run():
    """Every block of code is run by one of the tests below."""
    known = [
        *blocks("bash", "make demo"),
        *blocks("bash", "pip install"),
        *blocks("bash", "AIRFLOW_CONN_"),
        *blocks("bash", "airflow pools"),
        *blocks("bash", "airflow dags test"),
        *blocks("python", "@dag"),
        *blocks("python", "LeadResetTaskGroup("),
        *blocks("json", "queued"),
    ]
    assert sorted(known) == sorted(text for _, text in README.blocks)
    assert len(known) == 8


def test_commands_run_in_ci():
    """The two commands are what CI runs."""
    (commands,) = blocks("bash", "make demo")
    ci = (ROOT / ".ci" / "run").read_text().splitlines()
    assert set(commands.split("\n")) - {""} <= set(ci)


def test_installed_extras_exist():
    """What is installed is what this package offers."""
    program, verb, what = shlex.split(README.block("bash", "pip install"))
    assert (program, verb) == ("pip", "install")
    named = Requirement(what.replace("/path/to/a/checkout", "airflow-provider-leadreset"))
    assert named.extras <= set(metadata.metadata(named.name).get_all("Provides-Extra") or [])


def test_five_minutes(lsq):
    """The DAG, triggered as shown, resets its lead and leaves the outcomes that are shown."""
    the_dag()
    lead = lsq.add_lead(LEAD)
    now = datetime.now(UTC)
    lsq.add_activity(lead, 166, now - timedelta(days=2))
    lsq.add_activity(lead, 167, now - timedelta(days=2))
    lsq.add_activity(lead, 166, now - timedelta(days=40))
    command = README.block("bash", "airflow dags test")
    assert LEAD in command
    airflow_here(command)
    lsq.wait_until_idle()
    assert [one["event_code"] for one in lsq.remaining(lead)["activities"]] == [166, 167]

    shown = json.loads(README.block("json", "queued"))
    assert tuple(shown) == ("leads", *OUTCOMES)
    kept = last_summary("forget_test_calls")
    assert {name: kept[name] for name in shown} == shown


def test_preview_in_its_place(lsq, run):
    """A preview, written in place of the reset, takes the same arguments and deletes nothing."""
    lead = lsq.add_lead(LEAD)
    lsq.add_activity(lead, 166, datetime.now(UTC) - timedelta(days=2))
    assert run(the_dag("LeadResetPreviewOperator"), lead=lead).state == "success"
    assert lsq.resets == []


@pytest.mark.skipif(airflow_version() < (3, 1), reason="Airflow asks from 3.1 on")
def test_group_in_its_place(lsq, run, approve_as, tmp_path):
    """The task group, written in place of the reset, asks a person, and resets what was shown."""
    import_line, _, group = README.block("python", "LeadResetTaskGroup(").partition("\n")
    group = group.replace("file:///mnt/leadreset", tmp_path.as_uri()).strip()
    code = fitted(README.block("python", "@dag"), {})
    operator = re.search(r"    LeadResetOperator\(\n.*?^    \)\n", code, re.MULTILINE | re.DOTALL)
    assert operator
    code = code.replace(operator[0], textwrap.indent(f"{group}\n", "    "))
    code = code.replace("\nforget_test_calls()", "\nthe_dag = in_its_place()").replace(
        "def forget_test_calls", "def in_its_place"
    )
    lead = lsq.add_lead(LEAD)
    lsq.add_activity(lead, 166, datetime.now(UTC) - timedelta(days=2))
    approve_as("reviewer")
    the_group = as_dag_file("in_its_place", f"{import_line}\n{code}").the_dag
    assert run(the_group, lead=lead).states("clean_up.verify") == ["success"]
    assert len(lsq.resets) == 1


def test_without_lead_nothing_is_reset(lsq, run):
    """Triggered without a lead, the DAG fails before its first call."""
    lsq.add_activity(lsq.add_lead(LEAD), 166, datetime.now(UTC) - timedelta(days=2))
    assert run(the_dag()).state == "failed"
    assert lsq.calls == []


def test_connection_in_environment():
    """The connection in the environment is understood."""
    assert connection_in_environment(README.block("bash", "AIRFLOW_CONN_")) == AS_SHOWN


def test_pool_command(capfd):
    """The command for the pool works."""
    airflow_here(README.block("bash", "airflow pools") + "airflow pools list -o plain")
    assert re.search(r"leadsquared_default.*25", capfd.readouterr().out)


def test_hosts_are_those_of_the_form():
    """The hosts of the regions are those that the connection's form names."""
    from airflow_provider_leadreset.get_provider_info import get_provider_info

    of_the_form = re.findall(r"\bapi(?:-\w+)?\.leadsquared\.com", json.dumps(get_provider_info()))
    shown = re.findall(r"`(api[\w-]*\.leadsquared\.com)`", README.text)
    assert sorted(shown) == sorted(set(of_the_form))


def last_summary(dag_id: str) -> dict[str, Any]:
    """Return what the last run's reset left in XCom."""
    from airflow.models import xcom
    from airflow.utils.session import create_session

    stored = xcom.XCom if is_airflow_2() else xcom.XComModel
    with create_session() as session:
        rows = session.query(stored).filter_by(dag_id=dag_id, task_id="reset", key="return_value")
        value = rows.order_by(stored.timestamp.desc()).first().value
    return value if isinstance(value, dict) else json.loads(value)
