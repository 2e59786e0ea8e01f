"""Every code block of the guides in docs/, run; a test for each page. Some have files of their own."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.assets import _TOLD
from airflow_provider_leadreset.check_account.check_command import main as check_account
from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.evidence_report.lead_table import MOST_LEADS
from airflow_provider_leadreset.evidence_report.verdict import TITLES
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.batch.counts import least_seconds
from support.checked_account import account_check
from support.dag_runs import is_airflow_2
from support.evidence_runs import done_and_verified
from support.guide_pages import (
    AS_SHOWN,
    ROOT,
    RUN_AT,
    Page,
    as_dag_file,
    check_window_row,
    connection_in_environment,
    shell,
)
from support.simulated_account import compress

pytestmark = pytest.mark.usefixtures("airflow_db")

IN_WINDOW, OUTSIDE = "2026-09-15 10:00:00", "2026-10-01 00:00:00"
A_LIST = "11111111-2222-3333-4444-555555555555"
FOLDER = "/mnt/leadreset"
CONNECTION = Page("docs/make-the-connection.md")
SCHEDULE = Page("docs/schedule-a-clean-up.md")
SIZE = Page("docs/size-the-pool.md")
APPROVE = Page("docs/plan-and-approve.md")
TICKET = {"approved": True, "by": "Asha", "ticket": "CRM-17"}


def test_every_page_has_a_test():
    """Every page with code has a test that is named after its file."""
    pages = [Page(f"docs/{path.name}") for path in (ROOT / "docs").glob("*.md")]
    with_code = {f"test_{page.stem}" for page in pages if page.blocks}
    files = [Path(__file__), Path(__file__).with_name("test_operating_guides.py")]
    here = {name for file in files for name in re.findall(r"^def (\w+)\(", file.read_text(), re.MULTILINE)}
    assert with_code - here == {"test_test_your_dags", "test_test_an_approval"}, (
        "in test_guide_own_project.py"
    )
    assert len(with_code & here) == 20


def test_make_the_connection(lsq, run):
    """The connection works in each way that the page shows."""
    for block in CONNECTION.having("bash", "AIRFLOW_CONN_"):
        assert connection_in_environment(block) == AS_SHOWN
    stored = shell(
        f"unset AIRFLOW_CONN_LEADSQUARED_DEFAULT\n{CONNECTION.block('bash', 'airflow connections add')}\n"
        "airflow connections get leadsquared_default -o json; airflow connections delete leadsquared_default"
    )
    (found,) = json.loads(re.findall(r"^\[\{.*\}\]$", stored, re.MULTILINE)[0])
    assert (found["login"], found["password"]) == ("u$r12+/%=ab", "s$12+/%=cd")

    the_dag = CONNECTION.dag("test_the_connection")
    assert run(the_dag).state == "success"
    (said,) = re.findall(r"^\| `(Keys of .*?)…` \|", CONNECTION.text, re.MULTILINE)
    assert LeadResetHook().test_connection()[1].startswith(said)
    lsq.set_user("Sales User")
    assert run(CONNECTION.dag("test_the_connection")).state == "failed"
    assert CONNECTION.not_run() == []


def test_schedule_a_clean_up(lsq, run, tmp_path):
    """The scheduled clean-up of the page resets the members of its list, and as a preview deletes nothing."""
    assert re.search(r"leadsquared_default.*25", pools_after(SCHEDULE.block("bash", "airflow pools set")))
    lsq.add_activity_type(166, "Test call")
    names = SCHEDULE.run("activity_types")
    assert names["hook"].activity_types()[166] == "Test call"

    lead, stranger = lsq.add_lead(), lsq.add_lead()
    a_list = lsq.add_list("Test leads", [lead])
    inside, outside = "2026-10-01 18:29:59", "2026-10-01 18:30:00"
    for one in (lead, stranger):
        lsq.add_activity(one, 166, inside)
        lsq.add_note(one, "note", inside)
        lsq.add_note(one, "note", outside)
    here = {A_LIST: a_list, f"file://{FOLDER}": f"file://{tmp_path}"}
    result = run(SCHEDULE.dag("nightly_clean_up", here), logical_date=RUN_AT)
    assert result.state == "success"
    assert kinds_left(lsq, lead) == {"activities": 0, "tasks": 0, "notes": 1, "audits": 0}
    assert kinds_left(lsq, stranger) == {"activities": 1, "tasks": 0, "notes": 2, "audits": 0}

    looking = "LeadResetPreviewOperator"
    swapped = {**here, "import LeadResetOperator": f"import {looking} as LeadResetOperator"}
    before = len(lsq.resets)
    a_minute_later = RUN_AT + timedelta(minutes=1)  # Airflow 2.11 cannot run a moment twice
    assert run(SCHEDULE.dag("nightly_clean_up", swapped), logical_date=a_minute_later).state == "success"
    assert len(lsq.resets) == before, "the preview takes the same arguments and deletes nothing"
    assert SCHEDULE.not_run() == []


@pytest.mark.parametrize(("template", "new", "old"), SCHEDULE.window_rows)
def test_window_table_row(template, new, old):
    """A row of the window table sends what it says."""
    check_window_row(template, new, old)


def test_window_table_is_complete():
    """The window table has all its rows."""
    assert len(SCHEDULE.window_rows) == 7


def test_after_a_crm_import(lsq, run, tmp_path):
    """The DAGs of the page reset the leads that an import or a file names, and no others."""
    page = Page("docs/after-a-crm-import.md")
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, "2020-05-01 10:00:00")
    lsq.add_audit(lead, "StageChange", "2020-05-01 10:00:00")
    lsq.add_note(lead, "of the import", datetime.now(UTC) + timedelta(minutes=5))
    the_dag = page.dag("import_and_start_afresh")
    assert run(the_dag, returned=[lead]).state == "success"
    assert kinds_left(lsq, lead) == {"activities": 0, "tasks": 0, "notes": 1, "audits": 0}
    assert run(the_dag, returned=[]).states("start_afresh") == ["skipped"]
    sent = len(lsq.calls)
    assert run(the_dag, returned="").states("start_afresh") == ["failed"]
    assert len(lsq.calls) == sent

    lsq.add_activity(lead, 167, IN_WINDOW)
    lsq.add_activity(lead, 167, OUTSIDE)
    file = tmp_path / "returned-leads.csv"
    file.write_text(f"ProspectID,Name\n{lead},Asha\n")
    from_file = page.dag("start_afresh_from_a_file", {"/data/returned-leads.csv": str(file)})
    assert run(from_file).state == "success"
    assert kinds_left(lsq, lead)["activities"] == 1
    assert page.not_run() == []


def test_size_the_pool(lsq, run):
    """The command of the page sizes the pool, and its DAG cuts many leads into tasks."""
    assert re.search(r"leadsquared_default.*22", pools_after(SIZE.block("bash", "airflow pools set")))
    leads = [lsq.add_lead() for _ in range(5)]
    result = run(SIZE.dag("many_leads", {'params["leads"], 1000': 'params["leads"], 2'}), leads=leads)
    assert result.state == "success"
    assert sorted(summary["leads"] for summary in result.xcoms()) == [1, 2, 2]
    assert SIZE.not_run() == []


def test_share_the_account(lsq):
    """The function of the page reads a list's members."""
    page = Page("docs/share-the-account.md")
    leads = [lsq.add_lead() for _ in range(3)]
    assert page.run("def members(")["members"](lsq.add_list("a list", leads)) == leads
    assert page.not_run() == []


def test_table_of_times():
    """The table of times says what the sliding window takes."""
    rows = re.findall(r"^\| ([\d,]+) \| (\d+ \w+) \| (\d+ \w+) \| (\d+ \w+) \|$", SIZE.text, re.MULTILINE)
    assert len(rows) == 4
    for leads, *said in rows:
        for pace, time in zip((25, 20, 10), said, strict=True):
            number, unit = time.split()
            seconds = least_seconds(int(leads.replace(",", "")), pace)
            assert int(number) == round(seconds / {"s": 1, "min": 60, "h": 3600}[unit])


def test_backfill(lsq, run):
    """The DAG of the page cleans up the past of the leads in its configuration, and without them fails."""
    page = Page("docs/backfill.md")
    the_dag = page.dag("clean_up_the_past")
    (conf,) = map(json.loads, page.having("json"))
    leads = [lsq.add_lead(lead.strip()) for lead in conf["leads"].split(",")]
    for lead in leads:
        lsq.add_activity(lead, 166, "2026-07-02 18:30:00")
        lsq.add_activity(lead, 166, "2026-09-30 18:29:59")
        lsq.add_activity(lead, 166, "2026-09-30 18:30:00")
    result = run(the_dag, **conf)
    assert result.state == "success"
    assert [kinds_left(lsq, lead)["activities"] for lead in leads] == [1, 1]
    assert len(lsq.resets) == len(leads)
    calls = len(lsq.calls)
    # Made anew, since dag.test() leaves a run's values in the DAG.
    assert run(page.dag("clean_up_the_past")).state == "failed"
    assert len(lsq.calls) == calls
    assert page.not_run() == []


def test_plan_and_approve(lsq, run, tmp_path):
    """A plan is reset with a ticket as approval and not without one, and its evidence says so."""
    leads = a_world(lsq)
    the_dag = with_a_ticket(tmp_path)
    refused = run(the_dag, leads=leads)
    assert (refused.states("clean_up.reset"), lsq.resets) == (["failed"], [])
    lsq.reset_calls()
    result = run(the_dag, leads=leads, ticket=TICKET)
    assert result.state == "success"
    digest = result.xcoms("clean_up.preview")[0]["digest"]
    assert result.xcoms("clean_up.reset")[0]["approval"] == {**TICKET, "digest": digest}
    verification = result.xcoms("clean_up.verify")[0]
    assert (verification["records"], verification["gone"]) == (4, 4)
    # What docs/size-the-pool.md says of two kinds: read by preview and reset, reset, and read at a look or more.
    paths = [call.path for call in lsq.calls if call.prospect_id in leads]
    at = len(paths) - paths[::-1].index("LeadManagement.svc/Lead.Reset")
    assert at == 5 * len(leads)
    assert len(paths) - at >= 2 * len(leads)

    command = APPROVE.block("bash", "leadreset.evidence", {FOLDER: str(tmp_path)})
    told = shell(command, cwd=tmp_path)
    assert "The API no longer gives 4 of 4 planned records" in told
    assert '"CRM-17"' in told
    assert "The API no longer gives 4 of 4 planned records" in (tmp_path / "evidence.html").read_text()
    assert APPROVE.not_run() == []


def test_approval_asks_a_person(lsq, run, tmp_path, monkeypatch):
    """A plan is reset once a person has approved it, not when one rejects it or the time-out answers."""
    if not has_approval():
        with pytest.raises(ValueError, match="Give approve_with="):
            APPROVE.dag("approved_clean_up")
        return
    from airflow.providers.standard.operators.hitl import HITLOperator

    leads = a_world(lsq)
    the_dag = APPROVE.dag("approved_clean_up", places(tmp_path))
    asha = {"id": "1", "name": "Asha"}

    def answered(chosen: str, by: dict[str, str] | None) -> Any:
        """Run it with a person's answer in place of the wait for one."""

        def execute(self: Any, context: Any) -> Any:
            assert "A copy of each record is kept" in self.body
            digest = re.findall(r"digest begins with `(\w{8})`", self.body)[0]
            event = {
                "params_input": {"digest": digest},
                "timedout": False,
                "chosen_options": [chosen],
                "responded_by_user": by,
                "responded_at": datetime.now(UTC),
            }
            return self.execute_complete(context, event)

        monkeypatch.setattr(HITLOperator, "execute", execute)
        return run(the_dag, leads=leads)

    assert answered("Reject", asha).states("clean_up.reset") == ["skipped"]
    assert answered("Approve", None).states("clean_up.reset") == ["failed"], "the time-out answered"
    assert lsq.resets == []
    result = answered("Approve", asha)
    assert result.state == "success"
    assert result.xcoms("clean_up.reset")[0]["approval"]["responded_by_user"]["name"] == "Asha"
    assert result.xcoms("clean_up.verify")[0]["gone"] == 4


def test_evidence(tmp_path):
    """The command of the page makes the page, with a verdict that the page names."""
    page = Page("docs/evidence.md")
    done_and_verified(tmp_path)
    shell(page.block("bash", "leadreset.evidence", {FOLDER: str(tmp_path)}), cwd=tmp_path)
    made = (tmp_path / "evidence.html").read_text()
    assert "The API no longer gives 36 of 36 planned records of 12 leads." in made
    assert re.findall(r"^\| \*\*(.+?)\*\* \|", page.text, re.MULTILINE) == list(TITLES.values())
    assert f"leads {MOST_LEADS} are listed" in " ".join(page.text.split())
    assert page.not_run() == []


def test_read_and_restore_an_archive(lsq, run, tmp_path, monkeypatch):
    """An archive lies where the page says, with the fields that it lists, and can be read as a table."""
    page = Page("docs/read-and-restore-an-archive.md")
    folder = tmp_path / "evidence"
    leads = a_world(lsq)
    the_dag = with_a_ticket(folder)
    assert run(the_dag, leads=leads, ticket=TICKET).state == "success"

    (part,) = folder.rglob("*-archive-*.jsonl.gz")
    place = re.sub(r"<\w+>", "[^/]+", page.block("text").strip()).replace("evidence_path", str(folder))
    place = place.replace("0123abcd", "[0-9a-f]{8}")
    assert re.fullmatch(place, str(part))
    fields = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?`) \|", page.text, re.MULTILINE)))
    with gzip.open(part, "rt", encoding="utf-8") as lines:
        assert list(json.loads(next(lines))) == fields
    again = part.parent.with_name("try-2") / part.name
    again.parent.mkdir()
    again.write_bytes(part.read_bytes())

    monkeypatch.chdir(tmp_path)
    page.run("csv.writer", {FOLDER: str(folder)})
    with Path("archive.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted((row["prospect_id"], row["kind"]) for row in rows) == sorted(
        (lead, kind) for lead in leads for kind in ("activities", "notes")
    )
    assert {row["text"] for row in rows if row["kind"] == "notes"} == {"=1+1"}
    assert all(row["created_on"].startswith("2026-09-15") and json.loads(row["record"]) for row in rows)
    assert page.not_run() == []


def test_check_your_account(lsq, tmp_path, monkeypatch, capsys):
    """The commands of the page check an account as it says, with their time compressed."""
    page = Page("docs/check-your-account.md")
    assert "[emulator]" in page.block("bash", "pip install")
    starting = shlex.split(page.block("bash", "airflow_provider_leadreset.emulator"))[3:]
    port, dialect = starting[1], starting[3]
    exported, cost = page.block("bash", "export LEADSQUARED").splitlines()
    for name, value in (pair.split("=", 1) for pair in shlex.split(exported)[1:]):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with LeadSquaredEmulator(calls_per_5s=None, dialect=Dialect.parse([dialect])) as practice:
        time = compress(practice)

        def command(block: str) -> int:
            program, *arguments = shlex.split(one_line(block).replace(f"127.0.0.1:{port}", practice.host))
            assert (program, *arguments[:2]) == ("python", "-m", "airflow_provider_leadreset.check_account")
            return check_account(arguments[2:], clock=time)

        assert command(cost) == 0
        assert practice.calls == []
        assert command(page.block("bash", "--patience 2")) == 0
        assert time.seconds() / 60 < 10, "ten minutes"
    said = capsys.readouterr().err
    assert page.block("text").strip() in said
    kept = json.loads(Path("check.json").read_text())["account_check"]["found"]
    assert kept["note_date"] == "ModifiedOn"

    lsq.add_activity_type(201, "Demo booked")
    lsq.add_activity_type(202, "Site visit")
    lsq.add_task_type("Follow-up call")
    lsq.limit.calls = None
    time = compress(lsq)
    other = lsq.directory.user_id("meera.sales@example.com")
    arguments = shlex.split(one_line(page.block("bash", "--conn-id")).replace("USER_ID", other))[3:]
    assert check_account(arguments, clock=time) == 0
    kept = json.loads(Path("check.json").read_text())["account_check"]["found"]
    assert {"last_modified_activity_201", "last_modified_activity_202"} <= kept.keys()
    named = set(
        re.findall(r"`([a-z_…]+)`", "".join(re.findall(r"^\| .* \| (`.*`) \|$", page.text, re.MULTILINE)))
    )
    for name in named:
        pattern = name.replace("…", "[a-z_0-9]+")
        assert any(re.fullmatch(pattern, key) for key in kept) or name in {
            "mirror_rows_kept",
            "…_fractions",
        }, name
    for key in kept:
        assert any(re.fullmatch(name.replace("…", "[a-z_0-9]+"), key) for name in named), key

    check = LeadResetHook.check_account
    time = compress(lsq)
    monkeypatch.setattr(
        LeadResetHook, "check_account", lambda self, **asked: check(self, clock=time, **asked)
    )
    result = page.run("check_account(activity_event=[201, 202]")["result"]
    assert result.account_check["found"]["task_date"] == "CreatedOn"
    assert page.not_run() == []


def test_skip_unmodified(lsq, run, tmp_path, monkeypatch):
    """The clean-up of the page calls only the lead that was modified in its window."""
    page = Page("docs/skip-unmodified.md")
    connection = json.loads(os.environ["AIRFLOW_CONN_LEADSQUARED_DEFAULT"])
    connection["extra"]["account_check"] = account_check(codes=[201])
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    lsq.add_activity_type(201, "Demo booked")
    old, changed = lsq.add_lead(), lsq.add_lead()
    lsq.add_activity(old, 201, IN_WINDOW)
    lsq.add_activity(changed, 201, "2026-10-01 10:00:00")
    file = tmp_path / "test_leads.csv"
    file.write_text(f"ProspectID\n{old}\n{changed}\n")
    here = {"file:///mnt/leads/test_leads.csv": f"file://{file}", "the_dag = clean": "clean"}
    assert run(page.dag("clean_up_of_the_day", here), logical_date=RUN_AT).state == "success"
    assert [call.prospect_id for call in lsq.resets] == [changed]
    assert kinds_left(lsq, old)["activities"] == 1
    assert kinds_left(lsq, changed)["activities"] == 0
    assert page.not_run() == []


def test_emulator_dialects(lsq, tmp_path, monkeypatch):
    """The page's test of a DAG with skip_unmodified passes, and fails where the DAG resets all leads."""
    page, skipping = Page("docs/emulator-dialects.md"), Page("docs/skip-unmodified.md")
    of_2 = {"logical_date=": "execution_date="} if is_airflow_2() else {}
    fitted = {"from dags.clean_up_of_the_day import the_dag\n": "", **of_2}
    name = "test_only_the_modified_lead_is_called"
    lsq.add_activity_type(201, "Demo booked")
    for change in ({}, {"skip_unmodified=True": "skip_unmodified=False"}):
        kept = {"the_dag = clean": "clean", **change}
        dag = skipping.dag("clean_up_of_the_day", kept, called=f"clean_up_{len(change)}")
        test = page.run(f"def {name}(", fitted, the_dag=dag)[name]
        if change:
            with pytest.raises(AssertionError):
                test(lsq, monkeypatch, tmp_path)
        else:
            test(lsq, monkeypatch, tmp_path)
        lsq.reset_calls()
    assert page.not_run() == []


def test_lineage_and_assets(lsq, run):
    """One DAG of the page follows the other, and its table lists every field of what it is told."""
    page = Page("docs/lineage-and-assets.md")
    of_2 = {
        "from airflow.sdk import Asset, dag, task": "from airflow.datasets import Dataset as Asset\n"
        "from airflow.decorators import dag, task",
        "triggering_asset_events": "triggering_dataset_events",
    }
    kept = {"\nclean()\ntell()\n": "\ncleaning = clean()\ntelling = tell()\n"}
    file = as_dag_file(
        "clean_and_tell", page.block("python", "CLEANED", kept | (of_2 if is_airflow_2() else {}))
    )
    assert file.CLEANED.uri == "leadsquared://api-in21.leadsquared.com/leads"
    assert file.cleaning.get_task("reset").outlets == [file.CLEANED]
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    assert run(file.cleaning, leads=[lead]).state == "success"
    assert kinds_left(lsq, lead)["activities"] == 0
    assert run(file.telling).xcoms("read") == [[]], "by hand there is no event"
    event = SimpleNamespace(extra={**dict.fromkeys(_TOLD, 0), "account": "here", "leads": 3, "queued": 2})
    told = file.telling.get_task("read").python_callable({file.CLEANED: [event]})
    assert told == ["2 of 3 leads at here, window 0"]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?`) \|", page.text, re.MULTILINE))))
    assert named - {"LeadResetHook"} == set(_TOLD)

    from openlineage.client.transport import get_default_factory

    exported = page.block("bash", "AIRFLOW__OPENLINEAGE__TRANSPORT")
    transport = json.loads(shell(f'{exported}\nprintf %s "$AIRFLOW__OPENLINEAGE__TRANSPORT"'))
    assert get_default_factory().create(transport).kind == transport["type"]
    assert page.not_run() == []


def one_line(command: str) -> str:
    """A command as a shell reads it, whose lines go on."""
    return command.replace("\\\n", " ")


def has_approval() -> bool:
    """Whether this Airflow is one that the page says has the ApprovalOperator."""
    from airflow import __version__

    return tuple(map(int, __version__.split(".")[:2])) >= (3, 1)


def places(folder: Path) -> dict[str, str]:
    return {f"file://{FOLDER}": f"file://{folder}", '"poke_interval": 60': '"poke_interval": 1'}


def with_a_ticket(folder: Path) -> Any:
    """As the page says of a ticket system: its task approves, made by the group of the preview's output."""
    ticket = APPROVE.block("python", "def ticket(")
    given = "LeadResetTaskGroup(\n        "
    replaced = {
        "from airflow.sdk import dag\n": "from airflow.sdk import dag, task\n",
        "\n\n@dag(": f"\n\n{ticket}\n\n@dag(",
        f'{given}"clean_up",': f'{given}"clean_up",\n        approve_with=ticket,',
        'params={"leads": []}': 'params={"leads": [], "ticket": {}}',
        **places(folder),
    }
    return APPROVE.dag("approved_clean_up", replaced, called="ticketed_clean_up")


def pools_after(command: str) -> str:
    return shell(f"{command}\nairflow pools list -o plain")


def kinds_left(lsq: Any, lead: str) -> dict[str, int]:
    lsq.wait_until_idle()
    return {kind: len(rows) for kind, rows in lsq.remaining(lead).items()}


def a_world(lsq: Any) -> list[str]:
    """Two leads with an activity and a note in September, and as many in October."""
    leads = [lsq.add_lead() for _ in range(2)]
    for lead in leads:
        for when in (IN_WINDOW, OUTSIDE):
            lsq.add_activity(lead, 166, when, note="a test call")
            lsq.add_note(lead, "=1+1", when)
    return leads
