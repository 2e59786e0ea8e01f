"""What a newcomer does wrong, each with the words that tell what came in, where, and what to write instead.

Nothing of it reaches LeadSquared: a value is refused before the first call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.check_account.check_command import main as check_account
from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetResourceError
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.task_context import task_context

LEAD, OTHER = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
WINDOW = "2026-09-01/2026-10-01"
ASKED: dict[str, Any] = {"prospect_ids": LEAD, "window": WINDOW, "should_delete_prospect_notes": True}
LEFT_OUT = object()
"""The argument is not given at all."""

Given = Mapping[str, Any]
PLAN = {"prospect_ids": LEFT_OUT, "window": LEFT_OUT, "should_delete_prospect_notes": LEFT_OUT}


@dataclass(frozen=True)
class Mistake:
    """What was written, and what the error must say of it.

    :param given: arguments beside the usual ones, or in place of them.
    :param words: all of them are in the error.
    :param task: which operator or sensor.
    :param error: what reaches Airflow.
    :param file: name and content of a file, whose address is given as ``prospect_ids_path``.
    :param connection: fields in place of the usual ones.
    """

    given: Given
    words: tuple[str, ...]
    task: Any = LeadResetOperator
    error: type[Exception] = LeadResetInputError
    file: tuple[str, bytes] | None = None
    connection: Given = field(default_factory=dict)


def arguments(given: Given) -> dict[str, Any]:
    return {name: value for name, value in {**ASKED, **given}.items() if value is not LEFT_OUT}


AT_LOAD = {
    "no leads": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("give exactly one of prospect_ids, prospect_ids_path and list_id, or a plan",),
    ),
    "two sources of leads": Mistake(
        {"list_id": LEAD}, ("give exactly one of prospect_ids, prospect_ids_path and list_id",)
    ),
    "no window": Mistake({"window": LEFT_OUT}, ("give a window", "'P30D/run_day'", "no default")),
    "nothing to delete": Mistake(
        {"should_delete_prospect_notes": LEFT_OUT},
        ("nothing to delete was named", "activity_event_list", "should_delete_prospect_notes=True"),
    ),
    "None for all": Mistake({"window": None}, ("window came to None", "leave it out", "default_args")),
    "an archive in no place": Mistake({"archive": True}, ("archive=True needs an evidence_path",)),
    "an archive by a word": Mistake({"archive": "yes"}, ("archive is 'yes'", "give True or False")),
    "a window beside a plan": Mistake(
        {**PLAN, "plan": {}, "window": WINDOW}, ("a plan says", "leave out window", "default_args")
    ),
    "a column of a list": Mistake(
        {"prospect_ids": LEFT_OUT, "list_id": LEAD, "prospect_id_field": "Lead"},
        ("prospect_id_field names a column of a file", "leave it out"),
    ),
    "unknown leads by a word": Mistake(
        {"accept_unknown_leads": "no"}, ("accept_unknown_leads is 'no'", "True or False"), LeadResetSensor
    ),
}

IDS = {
    "a mail address": Mistake(
        {"prospect_ids": "asha@example.com"},
        ("prospect_ids holds 'asha@example.com'", "no lead id", "write GUIDs like '3f2504e0"),
    ),
    "a number": Mistake({"prospect_ids": 4711}, ("prospect_ids is 4711", "give one lead id", "or a list")),
    "a set": Mistake({"prospect_ids": {LEAD}}, ("prospect_ids is {'3f2504e0", "give one lead id", "list")),
    "a template that came to nothing": Mistake(
        {"prospect_ids": ""}, ("prospect_ids is ''", "names no lead", "a template may have")
    ),
    "a template that came to None": Mistake(
        {"prospect_ids": "None"}, ("prospect_ids is 'None'", "names no lead")
    ),
    "rows without an id": Mistake(
        {"prospect_ids": [{"Email": "asha@example.com"}]},
        ("no ProspectID or LeadID", "it has: 'Email'", "prospect_id_field"),
    ),
    "rows with two ids": Mistake(
        {"prospect_ids": [{"LeadID": LEAD, "ProspectID": OTHER}]},
        ("2 keys that may be the lead id", "'LeadID', 'ProspectID'", "prospect_id_field"),
    ),
    "more than the guard allows": Mistake(
        {"prospect_ids": [LEAD, OTHER], "max_leads": 1},
        ("2 leads were given", "max_leads=1", "no call was made", "set max_leads=2"),
    ),
    "a guard as text": Mistake({"max_leads": "10"}, ("max_leads is '10'", "whole number of at least 1")),
    "a list by its name": Mistake(
        {"prospect_ids": LEFT_OUT, "list_id": "Old leads", "evidence_path": "/tmp/leadreset"},
        ("list_id holds 'Old leads'", "no GUID", "write it like '3f2504e0"),
    ),
    "exclude by a file's name": Mistake(
        {"exclude": "legal_hold.csv"}, ("exclude holds 'legal_hold.csv'", "the absolute URI of a file")
    ),
}

FILES = {
    "a relative path": Mistake(
        {"prospect_ids": LEFT_OUT, "prospect_ids_path": "leads.csv"},
        (
            "prospect_ids_path is 'leads.csv'",
            "no absolute URI",
            "write it like file:///mnt/leadreset or s3://",
        ),
    ),
    "two slashes": Mistake(
        {"prospect_ids": LEFT_OUT, "prospect_ids_path": "file://mnt/leads.csv"},
        ("prospect_ids_path is 'file://mnt/leads.csv'", "two slashes", "file:///mnt"),
    ),
    "somebody's home": Mistake(
        {"prospect_ids": LEFT_OUT, "prospect_ids_path": "/~asha/leads.csv"},
        ("'/~asha/leads.csv'", "'~asha'", "differs between workers", "file:///mnt"),
    ),
    "an unknown storage": Mistake(
        {"prospect_ids": LEFT_OUT, "prospect_ids_path": "s4://bucket/leads.csv"},
        ("prospect_ids_path is 's4://bucket/leads.csv'", "scheme spelled right", "provider installed"),
    ),
    "a missing file": Mistake(
        {"prospect_ids": LEFT_OUT, "prospect_ids_path": "/nowhere/leads.csv"},
        ("'/nowhere/leads.csv'", "no such file"),
        error=LeadResetResourceError,
    ),
    "a workbook": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("leads.csv", "an Excel workbook (.xlsx)", "save it as CSV in UTF-8"),
        file=("leads.csv", b"PK\x03\x04rest"),
    ),
    "another column": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("no column named ProspectID", "its columns are: 'Email', 'Name'", "Say by prospect_id_field"),
        file=("leads.csv", b"Email,Name\na@example.com,Asha\n"),
    ),
    "a table called text": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("leads.txt", "the header of a table", "let the file's name end in .csv"),
        file=("leads.txt", f"ProspectID,Name\n{LEAD},Asha\n".encode()),
    ),
    "pretty JSON": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("leads.jsonl", "pretty-printed JSON", "a whole object in each line", "jq -c ."),
        file=("leads.jsonl", f'{{\n  "ProspectID": "{LEAD}"\n}}\n'.encode()),
    ),
    "a page to sign in": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("leads.csv", "HTML", "a page to sign in", "save the ids as CSV"),
        file=("leads.csv", b"<html><body>Sign in</body></html>"),
    ),
    "a mail address in a cell": Mistake(
        {"prospect_ids": LEFT_OUT},
        ("column ProspectID of line 2 holds 'asha@example.com'", "no GUID", "write it like"),
        file=("leads.csv", b"ProspectID\nasha@example.com\n"),
    ),
}

KINDS = {
    "an event by its name": Mistake(
        {"activity_event_list": ["Demo booked"]},
        ("activity_event_list holds 'Demo booked'", "a whole number such as 166", "column Code"),
    ),
    "an event list that came to nothing": Mistake(
        {"activity_event_list": ""},
        ("activity_event_list rendered to ''", "give a list", "leave the argument out"),
    ),
    "an audit in small letters": Mistake(
        {"audit_activity_list": ["stagechange"]},
        ("audit_activity_list holds 'stagechange'", "StageChange and OwnerChange, spelled so"),
    ),
    "a task type by its name": Mistake(
        {"task_type_list": ["Follow-up call"]},
        ("task_type_list holds 'Follow-up call'", "no GUID", "task_types() of a LeadResetHook"),
    ),
    "notes by a word": Mistake(
        {"should_delete_prospect_notes": "yes"},
        ("should_delete_prospect_notes is 'yes'", "only True, False or exactly the text"),
    ),
}

WINDOWS = {
    "swapped sides": Mistake(
        {"window": "2026-10-01/2026-09-01"},
        ("window '2026-10-01/2026-09-01'", "starts after it ends", "were the sides swapped?"),
    ),
    "an hour without T": Mistake(
        {"window": "P1H/2026-10-01"}, ("window", "'P1H'", "PT1H", "Write it as 'start/end'")
    ),
    "one side": Mistake(
        {"window": "2026-09-01"}, ("window '2026-09-01'", "not two sides with one '/'", "'start/end'")
    ),
    "a word like run_day": Mistake(
        {"window": "P30D/run_date"}, ("window 'P30D/run_date'", "has 'run_date'", "write run_day")
    ),
    "run_day in braces": Mistake(
        {"window": "P30D/{{ run_day }}"}, ("'{{ run_day }}'", "write run_day, so and without braces")
    ),
    "a German date": Mistake(
        {"window": "1.9.2026/1.10.2026"},
        ("'1.9.2026/1.10.2026'", "neither a date nor", "'2026-09-01/2026-10-01'"),
    ),
    "an empty day": Mistake(
        {"window": "2026-10-01/2026-10-01"}, ("'2026-10-01/2026-10-01'", "is empty", "'2026-10-01/P1D'")
    ),
    "the future": Mistake(
        {"window": "2026-09-01/2099-01-01"}, ("'2026-09-01/2099-01-01'", "in the future", "run_moment")
    ),
    "a year of three digits": Mistake(
        {"window": "0206-09-01/2026-10-01"},
        ("'0206-09-01/2026-10-01'", "before 2000-01-01", "ENTIRE_HISTORY"),
    ),
    "ENTIRE_HISTORY as text": Mistake(
        {"window": "ENTIRE_HISTORY"}, ("window 'ENTIRE_HISTORY'", "the name and not a text")
    ),
    "a time zone in short": Mistake(
        {"timezone": "IST"}, ("timezone 'IST' is not known", "write an IANA name such as 'Asia/Kolkata'")
    ),
}

PLANS = {
    "the path of a plan": Mistake(
        {**PLAN, "plan": "/mnt/plan-1.jsonl.gz"},
        ("plan is '/mnt/plan-1.jsonl.gz'", "the preview's output itself", "plan=preview.output"),
    ),
    "a preview without a plan": Mistake(
        {**PLAN, "plan": {"plan": None, "digest": None}},
        ("made no plan", "give the preview an evidence_path"),
    ),
    "a plan that is not there": Mistake(
        {**PLAN, "plan": {"plan": "/nowhere/plan-1.jsonl.gz", "digest": "0" * 64}},
        ("there is no plan at /nowhere/plan-1.jsonl.gz", "its storage is away"),
        LeadResetSensor,
        LeadResetResourceError,
    ),
    "an age in days": Mistake(
        {"max_plan_age": 7}, ("max_plan_age is 7", "give a timedelta, such as timedelta(days=7)")
    ),
    "a yes as text": Mistake(
        {"approval": "yes"},
        ("approval is 'yes'", "approval=approve.output", '{"approved": True, "by": "who"}'),
    ),
    "a yes of nobody": Mistake(
        {"approval": {"approved": True}}, ("approval has", "nobody has said yes", '"by": "who"')
    ),
    "an approval that was not rendered": Mistake(
        {"approval": {"approved": True, "by": "{{ params.who }}"}}, ("'{{ params.who }}'", "not rendered")
    ),
    "a reason that says nothing": Mistake({"reason": " "}, ("reason is ' '", "says nothing")),
    "evidence in the working directory": Mistake(
        {"evidence_path": "evidence"}, ("evidence_path is 'evidence'", "no absolute URI", "s3://")
    ),
    "no calls at all": Mistake({"max_calls": 0}, ("max_calls is 0", "whole number of at least 1")),
    "too few calls": Mistake(
        {"max_calls": 1}, ("max_calls is 1", "2 calls at least", "Set max_calls=2", "none was made")
    ),
    "a guard below nothing": Mistake({"max_failed_leads": -1}, ("max_failed_leads is -1", "at least 0")),
}

CONNECTIONS = {
    "one that is not defined": Mistake(
        {"leadsquared_conn_id": "nobody"},
        ("connection nobody is not defined", "secrets backend or database"),
        error=LeadResetResourceError,
    ),
    "a name with a blank": Mistake(
        {"leadsquared_conn_id": "my crm"}, ("leadsquared_conn_id is 'my crm'", "names no connection")
    ),
    "no host": Mistake({}, ("connection crm: ", "Host is ''", "API host alone"), connection={"host": ""}),
    "the address of a page": Mistake(
        {},
        ("connection crm: ", "Host is 'https://in21.leadsquared.com/", "write the API host alone"),
        connection={"host": "https://in21.leadsquared.com/LeadManagement"},
    ),
    "no TLS": Mistake(
        {},
        ("connection crm: ", "https only", "write api-in21.leadsquared.com"),
        connection={"host": "http://api-in21.leadsquared.com"},
    ),
    "no access key": Mistake(
        {}, ("connection crm: ", "no access key (Login)", "paste"), connection={"login": ""}
    ),
    "no secret key": Mistake(
        {}, ("connection crm: ", "no secret key (Password)", "paste"), connection={"password": ""}
    ),
    "no calls": Mistake(
        {},
        ("connection crm: ", "calls_per_5s is 0", "that the plan allows in 5 seconds, such as 25"),
        connection={"extra": {"calls_per_5s": 0}},
    ),
    "a time-out in words": Mistake(
        {},
        ("connection crm: ", "timeout is 'long'", "give seconds"),
        connection={"extra": {"timeout": "long"}},
    ),
    "misspelt rules": Mistake(
        {},
        ("connection crm: ", "Extra has 'rule'", "did you mean rules"),
        connection={"extra": {"rule": {"resets": False}}},
    ),
    "resets stopped by the owner": Mistake(
        {},
        ("connection crm: ", "stop every reset", "ask the owner of the account"),
        connection={"extra": {"rules": {"resets": False}}},
    ),
}

AT_RUN = {**IDS, **FILES, **KINDS, **WINDOWS, **PLANS, **CONNECTIONS}


@pytest.fixture
def crm(lsq: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what defines the connection crm to the emulator, with other fields."""

    def define(fields: Given) -> None:
        usual = {
            "conn_type": "leadsquared",
            "host": lsq.url,
            "login": lsq.access_key,
            "password": lsq.secret_key,
        }
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({**usual, **fields}))

    define({})
    return define


def assert_told(error: BaseException | str, words: tuple[str, ...]) -> None:
    assert [word for word in words if word not in str(error)] == [], str(error)


@pytest.mark.parametrize("name", AT_LOAD)
def test_when_the_dag_loads(name):
    """What can be told without values stops the DAG file, and names the task."""
    mistake = AT_LOAD[name]
    given = arguments(mistake.given)
    with pytest.raises(ValueError, match=r"^task one: ") as caught:
        mistake.task(task_id="one", **given)
    assert_told(caught.value, mistake.words)


@pytest.mark.parametrize("name", AT_RUN)
def test_when_the_task_runs(lsq, crm, tmp_path, name):
    """A value that cannot be meant ends the task before its first call."""
    mistake = AT_RUN[name]
    crm(mistake.connection)
    given = {"leadsquared_conn_id": "crm", **arguments(mistake.given)}
    if mistake.file:
        path = Path(tmp_path, mistake.file[0])
        path.write_bytes(mistake.file[1])
        given["prospect_ids_path"] = f"file://{path}"
    task = mistake.task(task_id="one", **given)
    work = task.poke if mistake.task is LeadResetSensor else task.execute
    with pytest.raises(mistake.error) as caught:
        work(task_context("one"))
    assert_told(caught.value, mistake.words)
    assert lsq.calls == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ params.leads }", ("prospect_ids of task one could not be rendered", "'{{ params.leads }'")),
        ("{{ 1 | nonsense }}", ("prospect_ids of task one", "'{{ 1 | nonsense }}'", "nonsense")),
        ("{{ ti.xcom_pull() }}", ("prospect_ids of task one", "'{{ ti.xcom_pull() }}'", "'ti' is undefined")),
    ],
)
def test_templates(template, words):
    """A template that cannot be rendered is quoted, with its argument and task, and is not retried."""
    task = LeadResetPreviewOperator(task_id="one", **arguments({"prospect_ids": template}))
    with pytest.raises(LeadResetInputError) as caught:
        task.render_template_fields({})
    assert_told(caught.value, words)


def test_a_mapped_pool(lsq, crm):
    """A pool that was mapped over is refused: the scheduler has the task in another."""
    task = LeadResetOperator(task_id="one", pool="crm", leadsquared_conn_id="crm", **ASKED)
    scheduled = SimpleNamespace(task_id="one", pool="default_pool", pool_slots=1)
    dag = SimpleNamespace(has_task=lambda _: True, get_task=lambda _: scheduled)
    with pytest.raises(LeadResetInputError) as caught:
        task.execute({**task_context("one"), "dag": dag})
    words = (
        "pool is 'crm' by expand()",
        "the task has 'default_pool'",
        "Give it by partial()",
        "a loop in the",
    )
    assert_told(caught.value, words)
    assert lsq.calls == []


HOOK: dict[str, tuple[Any, type[AirflowException], tuple[str, ...], Given]] = {
    "a connection that is not defined": (
        lambda: LeadResetHook("nobody").activity_types(),
        LeadResetResourceError,
        ("connection nobody is not defined", "did not answer"),
        {},
    ),
    "a connection without a host": (
        lambda: LeadResetHook("crm").task_types(),
        LeadResetInputError,
        ("connection crm: ", "Host is ''", "write the API host alone"),
        {"host": ""},
    ),
    "a list by its name": (
        lambda: LeadResetHook("crm").list_members("Old leads"),
        LeadResetInputError,
        ("list_id holds 'Old leads'", "no GUID", "write it like"),
        {},
    ),
    "a check of None": (
        lambda: LeadResetHook("crm").check_account(lead=None),  # type: ignore[arg-type]
        LeadResetInputError,
        ("lead came to None", "leave it out"),
        {},
    ),
    "no time to watch": (
        lambda: LeadResetHook("crm").check_account(patience=-1),
        LeadResetInputError,
        ("patience is -1", "give seconds"),
        {},
    ),
}


@pytest.mark.parametrize("name", HOOK)
def test_with_a_hook_alone(lsq, crm, name):
    """A hook in a task of the user's own raises what fails that task at once, naming the connection."""
    work, error, words, connection = HOOK[name]
    crm(connection)
    with pytest.raises(error) as caught:
        work()
    assert_told(caught.value, words)
    assert lsq.calls == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["--conn-id", "crm", "--calls-per-5s", "5"],
            ("--calls-per-5s goes with --host", "connection says it"),
        ),
        (["--conn-id", "crm", "--lead", "4711"], ("lead holds '4711'", "no GUID", "write it like")),
        (["--conn-id", "crm", "--patience", "-1"], ("patience is -1", "give seconds")),
        (
            ["--conn-id", "crm", "--activity-event", "0"],
            ("activity_event is 0", "the code of a custom activity"),
        ),
        (
            ["--host", "api-in21.leadsquared.com"],
            ("LEADSQUARED_ACCESS_KEY and LEADSQUARED_SECRET_KEY must be set in the environment",),
        ),
    ],
)
def test_command_of_the_account_check(lsq, crm, capsys, monkeypatch, given, words):
    """The command says what was typed and what is wanted, and ends with 2, without a call."""
    monkeypatch.delenv("LEADSQUARED_ACCESS_KEY", raising=False)
    monkeypatch.delenv("LEADSQUARED_SECRET_KEY", raising=False)
    assert check_account(given) == 2
    assert_told(capsys.readouterr().err, words)
    assert lsq.calls == []


def test_there_are_enough():
    """Fifty mistakes, each its own."""
    assert len(AT_LOAD) + len(AT_RUN) >= 50
    assert len(AT_RUN) == sum(map(len, (IDS, FILES, KINDS, WINDOWS, PLANS, CONNECTIONS)))
