"""Every code block of the guides for whoever runs Airflow, run; a test for each page."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from airflow_provider_leadreset import evidence, exceptions
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from support.dag_runs import airflow_version, load_dag_file
from support.guide_pages import AS_SHOWN, Page, airflow_here, as_dag_file, fitted, shell

pytestmark = pytest.mark.usefixtures("airflow_db")

IN_WINDOW = "2026-09-15 10:00:00"
FOLDER = "/mnt/leadreset"
DIGITS = re.compile(r"\d+")


def test_alerts(lsq, run, capfd):
    """What the callback sends says how the reset ended, in numbers, and names no lead."""
    page = Page("docs/alerts.md")
    the_dag = page.dag("alerted_clean_up")
    good, bad = lsq.add_lead(), lsq.add_lead()
    lsq.fault("500-mx", prospect_id=bad)
    result = run(the_dag, leads=[good, bad])
    assert result.state == "failed"
    (sent,) = [line for line in capfd.readouterr().out.splitlines() if "alerted_clean_up.reset: " in line]
    assert sent.endswith("alerted_clean_up.reset: LeadResetRejectedError; leads 2, queued 1, failed 1")

    (summary,) = result.xcoms()
    assert bad in json.dumps(summary)
    told = set(re.findall(r"`(\w+)`", page.text)) | set(re.findall(r'"(\w+)"', page.block("python")))
    assert set(summary) - told == set(), "each field of the XCom is allowed or forbidden"
    classes = {name for name in vars(exceptions) if name.startswith("LeadReset")} - {"LeadResetFailedError"}
    assert classes <= told
    assert page.not_run() == []


def test_alert_without_call(lsq, run, capfd):
    """Where no call was made, the callback says so."""
    the_dag = Page("docs/alerts.md").dag("alerted_clean_up", called="alerted_in_vain")
    assert run(the_dag, leads="").state == "failed"
    out = capfd.readouterr().out
    assert "alerted_in_vain.reset: LeadResetInputError; no call was made, or nothing is known of it" in out
    assert lsq.calls == []


def test_who_approves(lsq, run, capfd, monkeypatch, tmp_path):
    """The notifier sends the address of the question, which named people alone may answer."""
    page = Page("docs/who-approves.md")
    places = {f"file://{FOLDER}": f"file://{tmp_path}", '"poke_interval": 60': '"poke_interval": 1'}
    if airflow_version() < (3, 1):
        with pytest.raises((ImportError, RuntimeError)):
            page.dag("asked_clean_up", places)
        return
    from airflow.providers.standard.operators.hitl import HITLOperator

    def answered(self: Any, context: Any) -> Any:
        """Ask as Airflow does, and answer as a person would."""
        for notifier in self.notifiers:
            notifier(context)
        event = {
            "chosen_options": ["Approve"],
            "params_input": {"digest": re.findall(r"digest begins with `(\w{8})`", self.body)[0]},
            "responded_at": datetime.now(UTC),
            "responded_by_user": {"id": "17", "name": "Asha"},
            "timedout": False,
        }
        return self.execute_complete(context, event)

    monkeypatch.setattr(HITLOperator, "execute", answered)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.example:8080")
    the_dag = page.dag("asked_clean_up", places)
    assert [user["id"] for user in the_dag.get_task("clean_up.approve").assigned_users] == ["17", "23"]
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    result = run(the_dag, leads=[lead])
    assert result.state == "success"
    assert result.xcoms("clean_up.reset")[0]["approval"]["responded_by_user"]["name"] == "Asha"
    sent = re.search(r"waits for your yes or no: (\S+)", capfd.readouterr().out)
    assert sent
    assert sent[1].startswith("http://airflow.example:8080/dags/asked_clean_up/runs/")
    assert "/tasks/clean_up.approve/required_actions" in sent[1]
    assert lead not in sent[1]
    assert page.not_run() == []


def test_several_accounts(lsq, run, monkeypatch, tmp_path, capfd):
    """The loop makes a DAG for each account, which calls its own account alone."""
    page = Page("docs/several-accounts.md")
    airflow_here(page.block("bash", "airflow pools set"))
    capfd.readouterr()
    airflow_here("airflow pools list -o json")
    pools = {one["pool"]: int(one["slots"]) for one in json.loads(capfd.readouterr().out)}
    assert (pools["leadsquared_india"], pools["leadsquared_ireland"]) == (25, 10)

    exported = page.block("bash", "AIRFLOW_CONN_")
    for name in re.findall(r"AIRFLOW_CONN_\w+", exported):
        monkeypatch.setenv(name, shell(f'{exported}\nprintf %s "${name}"'))
    for account, host, calls in (("india", "api-in21", 25), ("ireland", "api-ir31", 10)):
        hook = LeadResetHook(f"leadsquared_{account}")
        assert (hook.get_conn().host, hook.settings.calls_per_5s) == (f"{host}.leadsquared.com", calls)

    lead = lsq.add_lead()
    a_list = lsq.add_list("Test leads", [lead])
    replaced = {
        "11111111-2222-3333-4444-555555555555": a_list,
        f"file://{FOLDER}": f"file://{tmp_path}",
    }
    file = as_dag_file("several_accounts_page", fitted(page.block("python", "ACCOUNTS"), replaced))
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_INDIA", lsq.conn_json)
    assert run(file.clean_up_india).state == "success"
    assert [reset.body["ProspectId"] for reset in lsq.resets] == [lead]
    (task,) = file.clean_up_ireland.tasks
    assert (task.pool, task.leadsquared_conn_id) == ("leadsquared_ireland", "leadsquared_ireland")
    for (task,) in (file.clean_up_india.tasks, file.clean_up_ireland.tasks):
        assert task.pool_slots <= pools[task.pool]
    assert page.not_run() == []


def test_secrets_backends(monkeypatch, tmp_path):
    """JSON, URI and file make the same connection."""
    page = Page("docs/secrets-backends.md")
    for text in (page.block("json", '"rules"'), page.block("text", "leadsquared://").strip()):
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", text)
        assert as_shown(LeadResetHook()) == AS_SHOWN
    assert page.block("text") in Page("docs/make-the-connection.md").text.replace("'", "\n")

    kept = tmp_path / "connections.json"
    kept.write_text(page.block("json", '"leadsquared_default": {'))
    exported = page.block("bash", "AIRFLOW__SECRETS__", {"/secure/connections.json": str(kept)})
    said = shell(
        f'{exported}\nprintf "%s\\n" "$AIRFLOW__SECRETS__BACKEND" "$AIRFLOW__SECRETS__BACKEND_KWARGS"'
    )
    path, arguments = said.splitlines()
    module, _, name = path.rpartition(".")
    backend = getattr(__import__(module, fromlist=[name]), name)(**json.loads(arguments))
    found = backend.get_connection("leadsquared_default")
    monkeypatch.setattr(LeadResetHook, "get_connection", lambda self, conn_id: found)
    assert as_shown(LeadResetHook()) == AS_SHOWN
    assert page.not_run() == []


def as_shown(hook: LeadResetHook) -> str:
    """Return what all pages show of a connection."""
    keys = [key.text() for key in (hook._connection.login, hook._connection.password)]
    return " ".join([hook.get_conn().host, *keys, str(hook.settings.calls_per_5s)])


def a_run_with_archive(lsq: Any, run: Any, folder: Path) -> str:
    """Reset a lead with a copy of its record; return its id."""
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    dags = load_dag_file("attack_dags")
    assert run(dags.archived, leads=[lead], evidence=folder.as_uri()).state == "success"
    return lead


def test_retention(lsq, run, tmp_path, capsys):
    """The rules tell copies from the report, and what ended is told as removed."""
    page = Page("docs/retention.md")
    folder = tmp_path / "leadreset"
    a_run_with_archive(lsq, run, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    rules = json.loads(page.block("json", "Expiration"))["Rules"]
    ends = {
        path: [rule for rule in rules if str(path.relative_to(tmp_path)).startswith(rule["Filter"]["Prefix"])]
        for path in files
    }
    assert all(len(found) == 1 for found in ends.values())
    days = {path: found[0]["Expiration"]["Days"] for path, found in ends.items()}
    copies = [path for path in files if "-archive-" in path.name]
    assert copies
    assert {path for path in files if days[path] == 30} == set(copies)

    command = page.block("bash", "leadreset.evidence", {FOLDER: str(folder)})
    cleaning = page.block("bash", "find ", {FOLDER: str(folder)})
    assert set(DIGITS.findall(" ".join(re.findall(r"mtime \+\d+", cleaning)))) == {"30", "2557"}
    a_month_ago = time.time() - 32 * 86400
    for path in files:
        os.utime(path, (a_month_ago, a_month_ago))
    shell(cleaning)
    assert [path for path in files if not path.exists()] == copies
    capsys.readouterr()
    assert evidence.main([*arguments_of(command)[:1], "--html", str(tmp_path / "evidence.html")]) == 0
    assert "removed since" in capsys.readouterr().out
    assert arguments_of(command)[1:] == ["--html", "evidence.html"]
    assert page.not_run() == []


def arguments_of(command: str) -> list[str]:
    """Return the arguments of the auditor's command."""
    program, *arguments = shlex.split(command)
    assert (program, *arguments[:2]) == ("python", "-m", "airflow_provider_leadreset.evidence")
    return arguments[2:]


def test_runbook(lsq, run, tmp_path, capfd):
    """The commands of the page tell what happened, and the pools."""
    page = Page("docs/runbook.md")
    a_run_with_archive(lsq, run, tmp_path)
    capfd.readouterr()
    assert evidence.main(arguments_of(page.block("bash", "leadreset.evidence", {FOLDER: str(tmp_path)}))) == 0
    assert "archived" in capfd.readouterr().out
    airflow_here(page.block("bash", "airflow pools list"))
    assert "default_pool" in capfd.readouterr().out
    for name in re.findall(r"`(LeadReset\w+Error)`", page.text):
        assert hasattr(exceptions, name)
    assert page.not_run() == []


def test_install_in_production(tmp_path, monkeypatch, capfd):
    """The commands install the wheel that they make, with constraints; the files are what pip reads."""
    page = Page("docs/install-in-production.md")
    making = shlex.split(page.block("bash", "pip wheel"))
    assert making[:4] == ["python", "-m", "pip", "wheel"]
    assert pip_understands("wheel", making[4:])
    folder = tmp_path / making[making.index("--wheel-dir") + 1]
    folder.mkdir()
    (wheel,) = re.findall(r"airflow_provider_leadreset-\S+\.whl", page.text)
    version = wheel.split("-")[1]
    a_wheel(folder, "airflow_provider_leadreset", version)
    assert (folder / wheel).exists()
    a_wheel(folder, "apache_airflow", "3.3.2")

    (tmp_path / "constraints.txt").write_text("requests==2.32.0\n")
    target = tmp_path / "site"
    # What it needs is not fetched, so that the test needs no network.
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_TARGET": str(target), "PIP_NO_CACHE_DIR": "1"}
    shell(page.block("bash", "pip install"), cwd=tmp_path, PIP_DISABLE_PIP_VERSION_CHECK="1", **offline)
    assert (target / f"airflow_provider_leadreset-{version}.dist-info").is_dir()

    config = configparser.ConfigParser()
    config.read_string(page.block("ini"))
    assert pip_understands("install", [f"--{name}={value}" for name, value in config["global"].items()])
    lines = page.block("text", "--constraint").splitlines()
    options = [line for line in lines if line.startswith("--")]
    assert pip_understands("install", [part for line in options for part in shlex.split(line)])
    (requirement,) = [Requirement(line) for line in lines if not line.startswith("--")]
    assert requirement.specifier.contains(version)
    extras = metadata.metadata("airflow-provider-leadreset").get_all("Provides-Extra") or []
    assert set(re.findall(r"`\[(\w+)\]`", page.text)) == {"openlineage", "emulator"} <= set(extras)

    airflow_here(page.block("bash", "airflow providers get"))
    assert re.search(
        rf"airflow-provider-leadreset +\| {metadata.version('airflow-provider-leadreset')}",
        capfd.readouterr().out,
    )
    assert page.not_run() == []


def pip_understands(command: str, arguments: list[str]) -> bool:
    """Whether pip has the options, and none of them is misspelt."""
    known = subprocess.run(
        [sys.executable, "-m", "pip", command, "--help"], capture_output=True, text=True
    ).stdout
    given = [one.partition("=")[0] for one in arguments if one.startswith("--")]
    return all(re.search(rf"{one}\b", known) for one in given)


def a_wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel with nothing in it."""
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{about}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{about}/RECORD", "")
