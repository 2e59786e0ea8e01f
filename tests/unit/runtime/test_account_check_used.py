"""What the account check found: by which date records are counted, copied and verified, and what a plan relies on."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetRejectedError
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared import InputError, LeadReset, Selectors, Window
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, PlanWriter
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime import unchanged_leads
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.checked_account import account_check, days_ago, text_of
from support.task_context import task_context

START, END = days_ago(3), days_ago(2)
WINDOW = f"{START:%Y-%m-%dT%H:%M:%SZ}/{END:%Y-%m-%dT%H:%M:%SZ}"
IN_WINDOW = text_of(START + timedelta(hours=3))
BEFORE = text_of(START - timedelta(days=9))
NOTES = {"should_delete_prospect_notes": True}
CODES = {"activity_event_list": [166]}


@pytest.fixture
def make(monkeypatch):
    """Make an emulator that behaves in a way, and a function that puts a check into its connection."""
    emulators = []

    def made(**dialect: Any) -> Any:
        emulator = LeadSquaredEmulator(calls_per_5s=None, queue_delay=0, dialect=dialect).start()
        emulators.append(emulator)

        def connect(check: Any = None, *, always: bool = False) -> None:
            given = {"account_check": check} if check or always else {}
            connection = emulator.connection(calls_per_5s=100, **given)
            monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))

        return emulator, connect

    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
    yield made
    for emulator in emulators:
        emulator.stop()


def preview(leads: Any, folder: Any = None, **arguments: Any) -> dict[str, Any]:
    more = {"evidence_path": str(folder)} if folder else {}
    task = LeadResetPreviewOperator(
        task_id="preview", prospect_ids=leads, **{"window": WINDOW, **more, **arguments}
    )
    return task.execute(task_context("preview"))


def by_plan(plan: Any, **arguments: Any) -> dict[str, Any]:
    return LeadResetOperator(task_id="reset", plan=plan, **arguments).execute(task_context())


def sensor(**arguments: Any) -> Any:
    return LeadResetSensor(task_id="verify", **arguments).poke(task_context("verify"))


def paths(lsq: LeadSquaredEmulator) -> list[str]:
    return [call.path.rpartition("/")[2] for call in lsq.calls]


# -- the connection -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda check: {**check, "found": {**check["found"], "last_modified_note": "moves"}}, "checksum"),
        (lambda check: {**check, "schema_version": 2}, "schema_version"),
        (lambda check: {name: check[name] for name in check if name != "checksum"}, "no checksum"),
        (lambda check: {**check, "checked_on": "2999-01-01"}, "which cannot be"),
        (lambda check: "found on Tuesday", "is no JSON object"),
        (lambda check: [check], "is no object"),
        (lambda check: {}, "schema_version"),
    ],
)
def test_malformed_check_stops_everything(make, change, said):
    """A check that is not as it was printed is refused, whatever the task is: it is a guard."""
    lsq, connect = make()
    lead = lsq.add_lead()
    connect(change(account_check()), always=True)
    for run in (
        lambda: preview([lead], **NOTES),
        lambda: LeadResetOperator(task_id="r", prospect_ids=lead, window=WINDOW, **NOTES).execute(
            task_context()
        ),
        lambda: sensor(prospect_ids=lead, window=WINDOW, **NOTES),
    ):
        with pytest.raises(LeadResetInputError, match=f"connection leadsquared_default: .*{said}"):
            run()
    assert lsq.calls == []


def test_text_of_a_form(make):
    """A form may keep the object as JSON text, or as Python spells it; both are the same check."""
    lsq, connect = make(note_date="ModifiedOn")
    lead = lsq.add_lead()
    check = account_check({"note_date": "ModifiedOn"})
    for text in (json.dumps(check), str(check)):
        connect(text)
        assert "found on this account" in preview([lead], **NOTES)["markdown"]


@pytest.mark.parametrize("account", ["OTHER", "LSQEMU "])
def test_check_of_another_account_is_not_used(make, caplog, capfd, account):
    """A check of another account changes nothing, and that is said."""
    lsq, connect = make()
    lead = lsq.add_lead()
    lsq.add_note(lead, "x", IN_WINDOW)
    connect(account_check({"note_date": "ModifiedOn"}, account=account))
    output = preview([lead], **NOTES)
    assert output["totals"]["notes"] == 1
    assert "that it is this one is inferred" in output["markdown"]
    said = caplog.text + capfd.readouterr().out
    assert f"its account_check is of account '{account}', and this is 'LSQEMU', so it is not used" in said


def test_account_without_a_code(make, caplog, capfd):
    """Where LeadSquared does not say which account it is, no check is used."""
    lsq, connect = make()
    lead = lsq.add_lead()
    lsq.set_user(org_short_code="")
    connect(account_check({"note_date": "ModifiedOn"}))
    assert "that it is this one is inferred" in preview([lead], **NOTES)["markdown"]
    assert "LeadSquared does not say which this is, so it is not used" in caplog.text + capfd.readouterr().out


# -- the date that decides ------------------------------------------------------------------------------------


@pytest.fixture
def modified(make):
    """An account in which the ModifiedOn of an activity decides; a lead with one in the window by each date."""
    lsq, connect = make(activity_date="ModifiedOn")
    lead = lsq.add_lead()
    stays = lsq.add_activity(lead, 166, IN_WINDOW, modified_on=text_of(END + timedelta(hours=1)))
    goes = lsq.add_activity(lead, 166, BEFORE, modified_on=IN_WINDOW)
    lsq.reset_calls()
    return lsq, connect, lead, goes, stays


def test_counted_by_the_date_that_decides(modified, tmp_path):
    """Preview, copy and verification go by the date that was found; what is sent stays the same."""
    lsq, connect, lead, goes, stays = modified
    connect(account_check({"activity_date": "ModifiedOn"}))
    shown = preview([lead], tmp_path, **CODES)
    assert shown["totals"]["activities"] == 1
    assert (
        "Counted: activities by ModifiedOn. That LeadSquared compares the window with that date was found on "
        "this account on" in shown["markdown"]
    )
    assert "Records dated from" in shown["markdown"]
    assert "inferred" not in shown["markdown"]
    summary = by_plan(shown, evidence_path=str(tmp_path), archive=True)
    assert summary["queued"] == 1
    (copy,) = tmp_path.glob("archive/**/*.jsonl.gz")
    (line,) = [json.loads(text) for text in gzip.decompress(copy.read_bytes()).splitlines()]
    assert line["id"] == goes
    assert line["created_on"].startswith(BEFORE[:10])
    assert [one["id"] for one in lsq.remaining(lead)["activities"]] == [stays]
    assert sensor(prospect_ids=lead, window=WINDOW, **CODES).is_done
    (sent,) = lsq.resets
    assert sent.body["FromDate"] == text_of(START)
    assert sent.body["ToDate"] == text_of(END - timedelta(seconds=1))


def test_verified_by_the_date_that_decides(modified):
    """A record that is not in the window by the date that decides is not waited for, and one that is, is."""
    _, connect, lead, _, _ = modified
    connect(account_check({"activity_date": "ModifiedOn"}))
    asked = {"prospect_ids": lead, "window": WINDOW, **CODES}
    assert not sensor(**asked).is_done
    LeadResetOperator(task_id="reset", **asked).execute(task_context())
    assert sensor(**asked).is_done
    connect()
    assert not sensor(**asked).is_done, "by creation one is left"


def test_without_a_check_creation_is_inferred(modified):
    """Without a check the same account is read by creation, and said to be so."""
    _, connect, lead, _, _ = modified
    connect()
    shown = preview([lead], **CODES)
    assert shown["totals"]["activities"] == 1
    assert "Counted by when they were created. LeadSquared does not document which date" in shown["markdown"]


def test_kinds_that_were_not_found(modified):
    """What was found of activities says nothing of notes."""
    _, connect, lead, _, _ = modified
    connect(account_check({"activity_date": "ModifiedOn"}, note_date=None))
    told = preview([lead], **NOTES, **CODES)["markdown"]
    assert "Counted: activities by ModifiedOn" in told
    assert "For notes it is inferred that it compares the date of creation." in told


@pytest.mark.parametrize(
    ("dialect", "asked"),
    [({"activity_date": "ActivityDateTime"}, CODES), ({"note_date": "ModifiedOn"}, NOTES)],
)
def test_date_that_is_not_shown(make, dialect, asked):
    """Where the date that decides is in no row, nothing is counted by another, now or later."""
    lsq, connect = make(**dialect)
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW, activity_date_time=BEFORE)
    lsq.add_note(lead, "x", IN_WINDOW)
    connect(account_check(dialect))
    (date,) = dialect.values()
    with pytest.raises(
        LeadResetRejectedError, match=f"a record is given without '{date}', which the account check of"
    ):
        preview([lead], **asked)
    with pytest.raises(LeadResetRejectedError, match="this account shows too little"):
        sensor(prospect_ids=lead, window=WINDOW, **asked)


def test_hook_counts_by_it(modified):
    """The hook's preview, too; it asks once which account it is."""
    lsq, connect, lead, goes, _ = modified
    connect(account_check({"activity_date": "ModifiedOn"}))
    hook = LeadResetHook()
    reset = LeadReset(lead, Selectors(activity_event_list=(166,)), Window(START, END))
    for _ in range(2):
        assert hook.preview(reset).ids["activities"] == [f"166/{goes}"]
    assert paths(lsq).count("UserByAccessKey.Get") == 1


# -- a plan and its check -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, {}),
        ({}, None),
        ({}, {"note_date": "ModifiedOn"}),
        ({}, {"checked_on": days_ago(1).date()}),
        ({}, {"account": "OTHER"}),
    ],
)
def test_plan_under_another_check(make, tmp_path, before, after):
    """A plan that was made under other findings, or none, is refused: it may show other records."""
    lsq, connect = make()
    lead = lsq.add_lead()
    lsq.add_note(lead, "x", IN_WINDOW)
    connect(None if before is None else account_check(**before))
    shown = preview([lead], tmp_path, **NOTES)
    connect(None if after is None else account_check(**after))
    with pytest.raises(LeadResetInputError, match=r"account_check.*preview in another run"):
        by_plan(shown)
    assert lsq.resets == []


@pytest.mark.parametrize("value", ["", "x" * 64 + "y", 5, True, ["x"]])
def test_plan_with_another_head(tmp_path, value):
    """A head whose account_check is no checksum is no plan's."""
    writer = PlanWriter(
        account={"host": "h"},
        made_by=["d", "r", "t", -1],
        request_digest="x",
        window=Window(START, END),
        selectors=Selectors(should_delete_prospect_notes=True),
        now=END,
        account_check=value,
    )
    file, _ = writer.finish({}, END)
    path = tmp_path / "plan.jsonl.gz"
    with file:
        path.write_bytes(file.read())
    with pytest.raises(InputError, match="as account_check"):
        Plan.read(path)


# -- leads that are as the plan saw them ----------------------------------------------------------------------


@pytest.fixture
def planned(make, tmp_path):
    """An account whose check allows it, and a plan of five leads with an activity each."""
    lsq, connect = make()
    leads = [lsq.add_lead() for _ in range(5)]
    for lead in leads:
        lsq.add_activity(lead, 166, IN_WINDOW)
    connect(account_check())
    plan = preview(leads, tmp_path, **CODES)
    lsq.reset_calls()
    return lsq, connect, leads, plan


def test_unchanged_leads_are_not_read_again(planned):
    """One look-up for all takes the place of a reading each."""
    lsq, _, _, plan = planned
    assert by_plan(plan)["queued"] == 5
    assert sorted(paths(lsq)) == ["ByIds", *5 * ["Lead.Reset"], "UserByAccessKey.Get"]


def test_lead_with_a_new_record_is_read(planned):
    """A lead that was modified since is read, and not reset when it has what the plan does not show."""
    lsq, _, leads, plan = planned
    lsq.add_activity(leads[2], 166, IN_WINDOW, modified_on=text_of(days_ago(0)))
    lsq.add_activity(leads[3], 166, text_of(END + timedelta(hours=1)))
    with pytest.raises(LeadResetRejectedError, match="came into the window since the preview"):
        by_plan(plan)
    assert paths(lsq).count("Retrieve") == 2
    assert {str(call.prospect_id) for call in lsq.resets} == {*leads} - {leads[2]}


def test_archive_reads_all(planned, tmp_path):
    """What is to be copied must be read."""
    lsq, _, _, plan = planned
    assert by_plan(plan, evidence_path=str(tmp_path / "e"), archive=True)["queued"] == 5
    assert paths(lsq).count("Retrieve") == 5


@pytest.mark.parametrize("fault", ["500-mx", "html"])
def test_look_up_that_fails(planned, fault):
    """Where the look-up cannot be had, each lead is read."""
    lsq, _, _, plan = planned
    lsq.fault(fault, times=None, path="ByIds")
    assert by_plan(plan)["queued"] == 5
    assert paths(lsq).count("Retrieve") == 5


@pytest.mark.parametrize("check", [{"last_modified_zone": "not UTC"}, {"last_modified_activity_166": None}])
def test_plan_of_a_check_that_does_not_allow(make, tmp_path, check):
    """Where the check does not allow to leave leads out, the plan keeps no dates, and each lead is read."""
    lsq, connect = make()
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    connect(account_check(**check))
    plan = preview([lead], tmp_path, **CODES)
    lines = gzip.decompress(next(tmp_path.rglob("plan-1.jsonl.gz")).read_bytes()).decode()
    assert '"last_modified"' not in lines
    lsq.reset_calls()
    assert by_plan(plan)["queued"] == 1
    assert paths(lsq).count("Retrieve") == 1


@pytest.mark.parametrize(("codes", "readings"), [([166, 167], 0), ([166, 168], 2)])
def test_plan_of_several_codes(make, tmp_path, codes, readings):
    """A plan keeps dates where the check found of each of its codes that it moves LeadLastModifiedOn."""
    dialect = {"still_events": [168]}
    lsq, connect = make(**dialect)
    leads = [lsq.add_lead(), lsq.add_lead()]
    for lead, code in zip(leads, codes, strict=True):
        lsq.add_activity(lead, code, IN_WINDOW)
    connect(account_check(dialect, codes=[166, 167, 168]))
    plan = preview(leads, tmp_path, activity_event_list=codes)
    lsq.reset_calls()
    assert by_plan(plan)["queued"] == 2
    assert paths(lsq).count("Retrieve") == readings


def test_recent_value_is_not_kept(make, tmp_path):
    """A lead that was modified minutes before the preview may have records that do not show yet: it is read again."""
    lsq, connect = make()
    old, new = lsq.add_lead(), lsq.add_lead()
    for lead in (old, new):
        lsq.add_activity(lead, 166, IN_WINDOW)
    lsq.add_activity(new, 167, text_of(days_ago(10 / 24 / 60)))  # ten minutes ago
    connect(account_check())
    plan = preview([old, new], tmp_path, **CODES)
    lsq.reset_calls()
    assert by_plan(plan)["queued"] == 2
    assert paths(lsq).count("Retrieve") == 1


def test_window_that_has_just_ended(make, tmp_path):
    """While records may still come into the window unseen, each lead is read."""
    lsq, connect = make()
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    connect(account_check())
    window = f"{START:%Y-%m-%dT%H:%M:%SZ}/{days_ago(5 / 24 / 60):%Y-%m-%dT%H:%M:%SZ}"
    plan = preview([lead], tmp_path, window=window, **CODES)
    lsq.reset_calls()
    assert by_plan(plan)["queued"] == 1
    assert paths(lsq).count("Retrieve") == 1


def test_lead_that_is_gone_is_found_so(planned):
    """A lead that the account has no more does not come back from the look-up: it is read, and told as unknown."""
    lsq, _, leads, plan = planned
    lsq.merge_leads(leads[0], leads[1])
    summary = by_plan(plan)
    assert (summary["unknown"], summary["queued"]) == (1, 4)


def test_max_calls_of_a_plan(planned):
    """The least is that no lead need be read."""
    lsq, _, _, plan = planned
    with pytest.raises(LeadResetInputError, match="max_calls is 6, and 7 calls at least"):
        by_plan(plan, max_calls=6)
    assert lsq.calls == []
    assert by_plan(plan, max_calls=7)["queued"] == 5


def test_late_reset_reads_after_all(planned, monkeypatch):
    """A reset that would come more than 30 s after the look-up is not sent before its lead was read."""
    lsq, _, _, plan = planned
    monkeypatch.setattr(unchanged_leads, "READ_BEFORE", -1.0)
    assert by_plan(plan)["queued"] == 5
    assert paths(lsq).count("Retrieve") == 5


def test_careful_night_skips_too(make, tmp_path):
    """The careful way of a night: a preview that reads what was modified, its plan, and the verification."""
    lsq, connect = make()
    leads = [lsq.add_lead() for _ in range(70)]
    for lead in leads:
        lsq.add_activity(lead, 166, BEFORE)
    for lead in leads[:4]:
        lsq.add_activity(lead, 166, IN_WINDOW)
    connect(account_check())
    lsq.reset_calls()
    plan = preview(leads, tmp_path, skip_unmodified=True, **CODES)
    assert by_plan(plan)["queued"] == 4
    assert sensor(plan=plan).is_done
    assert lsq.counts()["activities"] == 70
    # Preview: 4 of its own, 50 at random, 4 readings. Reset: 2 and 4. Verification: 2, 4, and 4 one by one.
    assert len(lsq.calls) == 4 + 50 + 4 + 2 + 4 + 2 + 8
