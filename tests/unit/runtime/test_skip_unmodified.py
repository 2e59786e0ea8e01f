"""Leads that were not modified are left out, and no lead with a record in the window ever is."""

from __future__ import annotations

import json
import random
import re
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.command import main as evidence_command
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetOutageError,
    LeadResetOvertakenError,
)
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import UnavailableError
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime import preview_run
from airflow_provider_leadreset.runtime.base import BaseRun
from airflow_provider_leadreset.runtime.reset_run import ResetRun
from support.checked_account import account_check, days_ago, text_of
from support.evidence_files import objects_in
from support.evidence_schemas import FOLDER
from support.reset_tries import ResetTask
from support.simulated_account import SimulatedAccount
from support.task_context import StateStore, task_context

START, END = days_ago(3), days_ago(2)
WINDOW = f"{START:%Y-%m-%dT%H:%M:%SZ}/{END:%Y-%m-%dT%H:%M:%SZ}"
IN_WINDOW = text_of(START + timedelta(hours=3))
BEFORE = text_of(START - timedelta(days=9))
AFTER = text_of(END + timedelta(hours=1))


class Account:
    """An emulated account with a connection to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lsq: LeadSquaredEmulator) -> None:
        self._monkeypatch = monkeypatch
        self.lsq = lsq
        self.old = [lsq.add_lead() for _ in range(60)]
        for lead in self.old:
            lsq.add_activity(lead, 166, BEFORE)
        self.changed = [lsq.add_lead() for _ in range(3)]
        for lead in self.changed:
            lsq.add_activity(lead, 166, IN_WINDOW)
        lsq.reset_calls()

    @property
    def leads(self) -> list[str]:
        """All of them, mixed."""
        return [*self.old[:30], *self.changed, *self.old[30:]]

    def connect(self, check: Any = None, **extra: Any) -> None:
        """Put an account check into the connection."""
        connection = self.lsq.connection(account_check=check, calls_per_5s=100, **extra)
        self._monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))

    def paths(self) -> list[str]:
        """The calls that were made, by the last part of their path."""
        return [call.path.rpartition("/")[2] for call in self.lsq.calls]

    def reset_leads(self) -> set[str]:
        """The leads whose reset was accepted."""
        return {str(call.prospect_id) for call in self.lsq.resets}


@pytest.fixture
def make(monkeypatch):
    """Make an account that behaves in a way."""
    emulators = []

    def made(**dialect: Any) -> Account:
        emulator = LeadSquaredEmulator(calls_per_5s=None, queue_delay=0, dialect=dialect).start()
        emulators.append(emulator)
        return Account(monkeypatch, emulator)

    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
    yield made
    for emulator in emulators:
        emulator.stop()


@pytest.fixture
def account(make):
    found = make()
    found.connect(account_check())
    return found


@pytest.fixture(autouse=True)
def _chance(monkeypatch):
    """Let chance repeat itself."""
    made = BaseRun.__init__

    def seeded(self: Any, *args: Any) -> None:
        made(self, *args)
        self.chance = random.Random(1)

    monkeypatch.setattr(BaseRun, "__init__", seeded)


def run(leads: Any, context: Any = None, **arguments: Any) -> dict[str, Any]:
    """Run a reset of activities 166."""
    given = {"prospect_ids": leads, "activity_event_list": [166], "window": WINDOW, "skip_unmodified": True}
    task = LeadResetOperator(task_id="reset", **{**given, **arguments})
    return task.execute(context or task_context())


# -- what is left out -----------------------------------------------------------------------------------------


def test_unmodified_are_left_out(account):
    """Leads that were not modified since the window began take no call of their own, but for 50 that are read."""
    summary = run(account.leads)
    assert summary["queued"] == 3
    assert summary["nothing_to_reset_by"] == {"without_records": 0, "already_gone": 0, "not_modified": 60}
    assert summary["contradiction"] is None
    assert account.reset_leads() == set(account.changed)
    paths = account.paths()
    assert (paths.count("ByIds"), paths.count("Retrieve"), paths.count("Lead.Reset")) == (1, 50, 3)
    assert summary["calls"] == len(paths) == 56


def test_ids_in_any_letter_case(account):
    """An id in capitals is the same lead."""
    assert run([lead.upper() for lead in account.leads])["nothing_to_reset"] == 60


def test_unknown_leads_are_called(account):
    """A lead that the account does not have is not left out: its own id did not come back."""
    unknown = "11111111-0000-4000-8000-000000000000"
    summary = run([*account.leads, unknown])
    assert (summary["unknown"], summary["queued"]) == (1, 3)


@pytest.mark.parametrize(
    ("moment", "left_out"),
    [
        (START - timedelta(minutes=15, seconds=1), True),
        (START - timedelta(minutes=15), False),
        (START - timedelta(minutes=1), False),
        (START, False),
        (END + timedelta(hours=1), False),
    ],
)
def test_margin_before_the_window(account, moment, left_out):
    """Only what was modified last more than 15 minutes before the window is left out."""
    lead = account.lsq.add_lead()
    account.lsq.add_activity(lead, 166, moment)
    run([*account.leads, lead])
    assert (lead not in account.reset_leads()) is left_out


def test_window_that_has_just_ended(make, caplog, capfd):
    """So soon after its end, what was created in the window may not show yet: all leads are reset, and it is said."""
    account = make()
    account.connect(account_check())
    start = days_ago(1)
    window = f"{start:%Y-%m-%dT%H:%M:%SZ}/{days_ago(0.005):%Y-%m-%dT%H:%M:%SZ}"  # 7 minutes ago
    assert run(account.leads, window=window)["queued"] == 63
    assert "it takes 0:15:00 until LeadLastModifiedOn tells" in caplog.text + capfd.readouterr().out
    assert "ByIds" not in account.paths()


def test_three_times_the_lag(make):
    """Where the account check saw a long lag, the window must have ended three times as long ago."""
    account = make(last_modified_lag=3600)
    account.connect(account_check({"last_modified_lag": 3600}))
    two_hours, four_hours = (
        f"{days_ago(1):%Y-%m-%dT%H:%M:%SZ}/{days_ago(hours / 24):%Y-%m-%dT%H:%M:%SZ}" for hours in (2, 4)
    )
    assert run(account.leads, window=two_hours)["queued"] == 63
    assert run(account.leads, window=four_hours)["nothing_to_reset"] == 63


def test_several_calls_of_a_thousand(account):
    """2,100 leads take three look-ups, not 2,100 calls."""
    more = [account.lsq.add_lead() for _ in range(2100 - 63)]
    account.lsq.reset_calls()
    summary = run(account.leads + more)
    assert (summary["queued"], summary["nothing_to_reset"]) == (3, 2097)
    assert account.paths().count("ByIds") == 3
    assert summary["calls"] == 58


def test_excluded_stay_excluded(account):
    """A lead that is excluded is neither looked up nor told as something else."""
    summary = run(account.leads, exclude=account.old[:5])
    assert (summary["excluded"], summary["nothing_to_reset"], summary["queued"]) == (5, 55, 3)


def test_max_records_counts_the_others(account):
    """Leads that are left out have no record, so they are not counted one by one."""
    assert run(account.leads, max_records=3)["queued"] == 3
    assert account.paths().count("Retrieve") == 53


# -- what cannot be believed ----------------------------------------------------------------------------------


class Values:
    """Exchanges what ByIds gives of some leads, as a server of an account might."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: Any) -> None:
        from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

        call = LeadSquaredClient.call

        def changed(self: Any, method: str, path: str, **more: Any) -> Any:
            answer = call(self, method, path, **more)
            if path.endswith("Leads/Retrieve/ByIds"):
                answer = {**answer, "Leads": [one for row in answer["Leads"] for one in rows(row)]}
                answer["RecordCount"] = len(answer["Leads"])
            return answer

        monkeypatch.setattr(LeadSquaredClient, "call", changed)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "0001-01-01 00:00:00",
        "1900-01-01 00:00:00.000",
        "2019-01-01 00:00:00",  # before the lead was created
        "11/25/2020 10:00:00 AM",
        20200101,
        {"Value": "2020-06-01 00:00:00"},
        "2020-06-01 00:00:00" + " " * 40,
        "9" * 5000,
    ],
    ids=str,
)
def test_value_that_cannot_be_believed(account, monkeypatch, value):
    """A lead whose LeadLastModifiedOn is no date that can be believed is not left out."""
    doubtful = account.changed[0]

    def rows(row: Any) -> list[Any]:
        return [{**row, "LeadLastModifiedOn": value} if row["ProspectID"] == doubtful else row]

    Values(monkeypatch, rows)
    summary = run(account.leads)
    assert (summary["queued"], summary["nothing_to_reset"]) == (3, 60)


def test_value_that_is_missing(account, monkeypatch):
    """Where the column is not given at all, every lead is reset."""
    Values(monkeypatch, lambda row: [{"ProspectID": row["ProspectID"]}])
    assert run(account.leads)["queued"] == 63


def test_two_values_of_a_lead(account, monkeypatch):
    """Of a lead that comes twice, with values that differ, neither is believed."""
    doubtful = account.changed[0]

    def rows(row: Any) -> list[Any]:
        twice = row["ProspectID"] == doubtful
        return [{**row, "LeadLastModifiedOn": BEFORE}, row] if twice else [row]

    Values(monkeypatch, rows)
    summary = run(account.leads)
    assert (summary["queued"], summary["nothing_to_reset"]) == (3, 60)


def test_value_of_another_id(account, monkeypatch):
    """A value that comes under another id says nothing of the lead that was asked for."""
    other = "99999999-0000-4000-8000-000000000000"
    doubtful = account.changed[0]

    def rows(row: Any) -> list[Any]:
        return [
            {**row, "ProspectID": other, "LeadLastModifiedOn": BEFORE}
            if row["ProspectID"] == doubtful
            else row
        ]

    Values(monkeypatch, rows)
    assert run(account.leads)["queued"] == 3
    assert doubtful in account.reset_leads()


@pytest.mark.parametrize("fault", ["500-mx", "html", "truncated"])
def test_look_up_that_fails(account, fault):
    """Where the look-up cannot be had, all leads are reset."""
    account.lsq.fault(fault, times=None, path="ByIds")
    assert run(account.leads)["queued"] == 63


def test_look_up_that_is_late(account):
    """A look-up that fails at first is repeated."""
    account.lsq.fault("500", times=1, path="ByIds")
    assert run(account.leads)["nothing_to_reset"] == 60


def test_outage_ends_the_try(account):
    """Wrong keys in the middle of the look-up end the task; no lead is told as left out."""
    account.lsq.fault("401", times=None, path="ByIds")
    context = task_context()
    with pytest.raises(Exception, match="Stopped with 0 of 63 leads queued"):
        run(account.leads, context)
    assert context["ti"].xcoms["return_value"]["not_reached"] == 63


# -- dialects -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialect",
    [
        {"lead_id_key": "ProspectId"},
        {"paging": "offset"},
        {"paging": "page_index"},
        {"page_cap": 25},
        {"counts": "none"},
        {"counts": "page"},
        {"fractions_shown": False},
        {"beyond_the_end": "error"},
        {"beyond_the_end": "last page again"},
        {"mirror_rows": True},
        {"replica_lag": 600},
        {"automation_every": 86_400},
        {"automation_every": 3600},
    ],
    ids=str,
)
def test_no_record_is_missed_in_any_dialect(make, dialect):
    """However the account behaves, every lead with a record in the window is reset."""
    account = make(**dialect)
    account.connect(account_check(dialect))
    summary = run(account.leads)
    assert summary["queued"] + summary["nothing_to_reset"] == 63
    assert set(account.changed) <= account.reset_leads()
    if "automation_every" not in dialect:
        assert summary["nothing_to_reset"] == 60


def test_automation_saves_nothing(make):
    """Where an automation changes every lead, none is left out, and nothing is wrong."""
    account = make(automation_every=3600)
    account.connect(account_check())
    assert run(account.leads)["queued"] == 63


@pytest.mark.parametrize("minutes", [330, -330], ids=["ahead", "behind"])
def test_local_time_told_as_utc(account, monkeypatch, minutes):
    """Should the values be in a local time after all, ahead of UTC costs calls, and behind it is found out."""
    soon = account.lsq.add_lead()
    account.lsq.add_activity(soon, 166, START + timedelta(hours=1))

    def rows(row: Any) -> list[Any]:
        from datetime import datetime

        value = datetime.fromisoformat(row["LeadLastModifiedOn"]) + timedelta(minutes=minutes)
        return [{**row, "LeadLastModifiedOn": text_of(value)}]

    Values(monkeypatch, rows)
    if minutes > 0:
        assert run([*account.changed, soon])["queued"] == 4
        return
    with pytest.raises(
        LeadResetInputError, match=r"lead .* was last modified at .* and has the record activities 166/"
    ):
        run([*account.changed, soon])
    assert account.reset_leads() == {*account.changed, soon}


# -- the spot check -------------------------------------------------------------------------------------------


def late_record(account: Account) -> str:
    """Give an old lead a record in the window of which its LeadLastModifiedOn tells nothing."""
    lead = account.old[7]
    account.lsq.add_note(lead, "of an import", IN_WINDOW)
    account.lsq.reset_calls()
    return lead


NOTES = {"should_delete_prospect_notes": True}


def test_record_against_it_ends_in_failure(make):
    """One record of a lead that would be left out: all leads are reset, and the task fails, naming both."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    context = task_context()
    with pytest.raises(LeadResetInputError) as error:
        run(account.old[:20], context, **NOTES)
    summary = context["ti"].xcoms["return_value"]
    assert (summary["queued"], summary["nothing_to_reset"], summary["not_reached"]) == (20, 0, 0)
    told = str(error.value)
    assert lead in told
    assert re.search(r"has the record notes [0-9a-f-]{36}, created at", told)
    assert "check the account anew, or leave skip_unmodified out" in told
    assert summary["contradiction"] == told
    assert account.lsq.remaining(lead)["notes"] == []


def test_record_against_it_is_shown_clean(make, monkeypatch, tmp_path):
    """What tells the record is LeadSquared's text: it is shown on one line, cut, and without keys."""
    account = make()
    late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    secret = account.lsq.connection()["password"]
    call = LeadSquaredClient.call

    def forged(self: Any, method: str, path: str, **more: Any) -> Any:
        answer = call(self, method, path, **more)
        if path.endswith("RetrieveNote"):
            for row in answer["List"]:
                row["ProspectNoteId"] = f"\x1b[31m{secret}\n2026-11-26 ERROR forged {'a' * 50_000}"
        return answer

    monkeypatch.setattr(LeadSquaredClient, "call", forged)
    context = task_context()
    with pytest.raises(LeadResetInputError) as of_preview:
        LeadResetPreviewOperator(
            task_id="preview", prospect_ids=account.old[:20], window=WINDOW, skip_unmodified=True, **NOTES
        ).execute(task_context("preview"))
    with pytest.raises(LeadResetInputError) as error:
        run(account.old[:20], context, evidence_path=str(tmp_path), **NOTES)
    (line,) = (
        one
        for one in objects_in(tmp_path, "report/*/*/*/*/try-1/*-0????.jsonl")
        if one["line"] == "contradiction"
    )
    summary = context["ti"].xcoms["return_value"]
    for text in (str(error.value), str(of_preview.value), summary["contradiction"], line["record"]):
        assert len(text) < 1000
        assert secret not in text
        assert text.isprintable()
        assert "2026-11-26 error forged aaa" in text


def test_retry_after_it_leaves_nothing_out(make, tmp_path):
    """Once a record was found against it, no retry leaves a lead out, even if chance shows it none."""
    account = make()
    late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True, **NOTES)
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.old[3])
    with pytest.raises(LeadResetFailedError, match="nothing was left out by skip_unmodified"):
        task.run(1, prospect_ids=account.old[:20])
    (line,) = task.lines("contradiction")
    assert line["prospect_id"] == account.old[7]
    account.lsq.clear_faults()
    account.lsq.reset_calls()
    with pytest.raises(LeadResetInputError, match="nothing was left out by skip_unmodified"):
        task.run(2, prospect_ids=account.old[:20])
    assert (task.summary["queued"], task.summary["nothing_to_reset"]) == (20, 0)
    assert "ByIds" not in account.paths()


def test_retry_without_a_memory_is_none(make):
    """Without evidence and without Airflow's store a retry would know nothing of it, so there is none."""
    account = make()
    late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.old[3])
    with pytest.raises(LeadResetInputError, match="nothing was left out"):
        run(account.old[:20], **NOTES)


def test_lead_that_cannot_be_read_is_reset(account):
    """Of the leads that are read, one that cannot be is reset like any other; the rest are left out."""
    account.lsq.fault("500-mx", times=None, path="ProspectActivity.svc/Retrieve", prospect_id=account.old[2])
    summary = run(account.old[:20])
    assert (summary["queued"], summary["nothing_to_reset"]) == (1, 19)
    assert account.reset_leads() == {account.old[2]}


def test_nothing_readable_leaves_nothing_out(account):
    """Where the leads cannot be read, nothing shows that they have no record, and all are reset."""
    account.lsq.fault("500-mx", times=None, path="ProspectActivity.svc/Retrieve")
    assert run(account.old[:20])["queued"] == 20


def test_chance_decides_which_are_read(account):
    """The leads that are read are others with another chance, and spread over all."""
    read = []
    for seed in range(3):
        account.lsq.reset_calls()
        task = LeadResetOperator(
            task_id="reset",
            prospect_ids=account.old,
            activity_event_list=[166],
            window=WINDOW,
            skip_unmodified=True,
        )
        one = ResetRun(task, task_context())
        one.chance = random.Random(seed)
        one.run()
        read.append({call.prospect_id for call in account.lsq.calls if call.path.endswith("/Retrieve")})
    assert [len(leads) for leads in read] == [50, 50, 50]
    assert read[0] != read[1] != read[2]
    assert any(lead in leads for leads in read for lead in account.old[55:])


def test_stopped_before_all_were_read(account, tmp_path, monkeypatch):
    """A try that is stopped while the leads are read has shown nothing, and leaves none out."""
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True)
    tick, ticks = ResetRun._tick, []

    def overtaken(self: Any, pool: Any) -> None:
        ticks.append(1)
        if len(ticks) == 10:
            self.evidence.journal.overtaken_by = 2
        tick(self, pool)

    monkeypatch.setattr(ResetRun, "_tick", overtaken)
    with pytest.raises(
        LeadResetOvertakenError, match=r"Stopped with 0 of 63 leads queued, .* 63 not reached"
    ):
        task.run(1, prospect_ids=account.leads)
    assert task.summary["nothing_to_reset"] == 0
    assert account.reset_leads() == set()


# -- tries ----------------------------------------------------------------------------------------------------


def test_retry_looks_anew(account, tmp_path):
    """What one try left out, the next looks at again: a record that shows by then is not missed."""
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True)
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.changed[0])
    with pytest.raises(LeadResetFailedError):
        task.run(1, prospect_ids=account.leads)
    account.lsq.clear_faults()
    account.lsq.add_activity(account.old[0], 166, AFTER)  # modified since
    account.lsq.reset_calls()
    summary = task.run(2, prospect_ids=account.leads)
    assert summary["done_in_earlier_tries"] == 2
    assert (summary["queued"], summary["nothing_to_reset"]) == (4, 59)
    assert account.reset_leads() == {account.changed[0], account.old[0]}


def test_retry_without_the_flag_resets_all(account, tmp_path):
    """What was left out is reset by a retry that is not to leave anything out."""
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True)
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.changed[0])
    with pytest.raises(LeadResetFailedError):
        task.run(1, prospect_ids=account.leads)
    account.lsq.clear_faults()
    assert task.run(2, prospect_ids=account.leads, skip_unmodified=False)["queued"] == 63


def test_unanswered_leads_are_called_again(account, monkeypatch):
    """A lead whose reset was sent and not answered is called again, though it looks unmodified."""
    store = StateStore()
    lead = account.old[0]
    account.lsq.fault("drop", times=None, path="Lead.Reset", prospect_id=lead)
    given = {"prospect_ids": account.old[:3], "skip_unmodified": False}
    with pytest.raises(LeadResetFailedError):
        run(account.old[:3], task_context(task_state_store=store), **given)
    account.lsq.clear_faults()
    account.lsq.reset_calls()
    run(account.old[:3], task_context(task_state_store=store, try_number=2))
    assert lead in account.reset_leads()


def test_store_remembers(make):
    """With Airflow's store, too, a retry knows that nothing may be left out."""
    account = make()
    late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    store = StateStore()
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.old[3])
    with pytest.raises(LeadResetFailedError, match="nothing was left out"):
        run(account.old[:20], task_context(task_state_store=store), **NOTES)
    account.lsq.clear_faults()
    with pytest.raises(LeadResetInputError, match="nothing was left out"):
        run(account.old[:20], task_context(task_state_store=store, try_number=2), **NOTES)
    assert account.lsq.counts()["notes"] == 0


# -- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (
            {"last_modified_activity_166": "does not move"},
            "a new activity of event 166 moves .* found 'does not move'",
        ),
        ({"last_modified_activity_166": None}, "did not find that a new activity of event 166 moves"),
        ({"last_modified_zone": "not UTC"}, "in UTC .it found 'not UTC'"),
        ({"last_modified_zone": None}, "did not find that LeadLastModifiedOn is written in UTC"),
        ({"last_modified_lag": None}, "how soon a move of LeadLastModifiedOn can be read"),
        ({"last_modified_lag": True}, "how soon a move"),
        ({"last_modified_lag": "soon"}, "how soon a move"),
        ({"activity_date": "ModifiedOn"}, "CreatedOn decides which activities go .it found ModifiedOn"),
        (
            {"activity_date": None},
            "CreatedOn decides which activities go .told only where it is one for all event codes of the check: ask",
        ),
        ({"checked_on": days_ago(91).date()}, "more than 90 days old"),
        ({"account": "OTHER"}, "has no account_check that is of this account"),
    ],
)
def test_refused_without_what_it_takes(make, check, said):
    """What the check did not find is not assumed; the error says how to find out, and no lead was touched."""
    account = make()
    account.connect(account_check(**check))
    with pytest.raises(LeadResetInputError, match=said) as error:
        run(account.leads)
    assert "docs/check-your-account.md" in str(error.value)
    assert set(account.paths()) <= {"UserByAccessKey.Get", "ActivityTypes.Get"}


def test_refused_without_a_check(make):
    """Without an account check it is refused before the first call."""
    account = make()
    account.connect()
    with pytest.raises(LeadResetInputError, match="connection leadsquared_default has no account_check"):
        run(account.leads)
    assert account.paths() == []


def test_ninety_days_are_allowed(make):
    """A check of 90 days ago still counts."""
    account = make()
    account.connect(account_check(checked_on=days_ago(90).date()))
    assert run(account.leads)["nothing_to_reset"] == 60


@pytest.mark.parametrize(
    ("selectors", "check", "said"),
    [
        ({"should_delete_prospect_notes": True}, {}, "a new note moves"),
        ({"task_type_list": ["3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"]}, {}, "a new task moves"),
        (
            {"audit_activity_list": ["StageChange"]},
            {"last_modified_stage": None},
            "a change of the stage moves",
        ),
        (
            {"audit_activity_list": ["OwnerChange"]},
            {"owner_audits_reset": None},
            "decides which OwnerChange go",
        ),
        ({"activity_event_list": [166, 167]}, {}, "a new activity of event 167 moves"),
    ],
)
def test_each_kind_must_be_found(account, selectors, check, said):
    """One kind, or one event code, of which nothing was found forbids it for all."""
    account.connect(account_check(**check))
    with pytest.raises(LeadResetInputError, match=said):
        run(account.leads, **selectors)


@pytest.fixture(scope="module")
def check_of_codes():
    """What a check finds, asked about 166, 167 and 168, of an account in which 168 does not move LeadLastModifiedOn."""
    with SimulatedAccount(began=days_ago(0), still_events=[168]) as simulated:
        for code in (166, 167, 168):
            simulated.account.add_activity_type(code, f"Event {code}")
        return simulated.check(activity_event=[166, 167, 168], stage=NOT_GIVEN, owner=NOT_GIVEN).account_check


def test_codes_that_were_all_found(make, check_of_codes):
    """A task of several event codes, each of which the check found to move it, leaves out what has none of them."""
    account = make(still_events=[168])
    account.connect(check_of_codes)
    account.lsq.add_activity(account.old[7], 167, IN_WINDOW)
    account.lsq.reset_calls()
    summary = run(account.leads, activity_event_list=[166, 167])
    assert (summary["queued"], summary["nothing_to_reset"]) == (4, 59)
    assert account.reset_leads() == {*account.changed, account.old[7]}


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([168], "that a new activity of event 168 moves LeadLastModifiedOn (it found 'does not move')."),
        ([166, 168], "that a new activity of event 168 moves LeadLastModifiedOn (it found 'does not move')."),
        (
            [168, 166, 170],
            "(it found 'does not move'), nor that a new activity of event 170 moves LeadLastModifiedOn.",
        ),
    ],
)
def test_codes_that_were_not_all_found(make, check_of_codes, codes, said):
    """One code that was not found forbids it for all; each that is missing is named, and no lead was touched."""
    account = make(still_events=[168])
    account.connect(check_of_codes)
    with pytest.raises(LeadResetInputError, match=re.escape(said)) as error:
        run(account.leads, activity_event_list=codes)
    assert "name each event code of the task (activity_event)" in str(error.value)
    assert set(account.paths()) <= {"UserByAccessKey.Get", "ActivityTypes.Get"}


def test_audits_that_were_found(account):
    """Changes of stage are left out like other records, where the check found what it takes."""
    account.lsq.add_audit(account.old[0], "StageChange", IN_WINDOW)
    summary = run(account.leads, audit_activity_list=["StageChange"])
    assert (summary["queued"], summary["nothing_to_reset"]) == (4, 59)


def test_check_with_little_patience(make, monkeypatch):
    """A check that was made with an emulator's patience counts on an emulator alone."""
    from airflow_provider_leadreset.leadsquared.api.account_findings import parse_account_findings
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.safety.unmodified import why_not_allowed

    today = days_ago(0).date()
    findings = parse_account_findings(account_check(patience=2), today=today)
    selectors = Selectors(activity_event_list=(166,))
    assert why_not_allowed(findings, selectors, host="127.0.0.1:8790", today=today) is None
    told = why_not_allowed(findings, selectors, host="api-in21.leadsquared.com", today=today)
    assert told is not None
    assert "a patience of 2 s" in told


# -- counts ---------------------------------------------------------------------------------------------------


def test_max_calls_counts_what_it_takes_at_least(account):
    """The least is that all are left out: account, types, one look-up and 50 reads; or that none is."""
    with pytest.raises(
        LeadResetInputError, match="max_calls is 52, and 53 calls at least are needed for 63 leads"
    ):
        run(account.leads, max_calls=52)
    assert account.paths() == []
    assert run(account.leads, max_calls=56)["queued"] == 3


def test_few_leads_need_no_more_than_all_of_them(account):
    """Of few leads the least is that none can be left out."""
    with pytest.raises(
        LeadResetInputError, match="max_calls is 5, and 6 calls at least are needed for 3 leads"
    ):
        run(account.changed, max_calls=5)
    assert run(account.changed, max_calls=6)["queued"] == 3


def test_evidence_keeps_what_was_found(account, tmp_path):
    """The request holds the account check, the journal what was left out."""
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True)
    task.run(1, prospect_ids=account.leads)
    (request,) = objects_in(tmp_path, "report/*/*/*/*/try-1/*-request.json")
    assert request["account_check"] == account_check()
    assert request["skip_unmodified"] is True
    left_out = [line for line in task.lines("outcome") if line["reason"] == "not_modified"]
    assert {line["prospect_id"] for line in left_out} == set(account.old)


def test_auditor_is_told(account, tmp_path, capsys):
    """The auditor's command tells what was left out by the last try, and that the others are queued."""
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True)
    account.lsq.fault("500", times=None, path="Lead.Reset", prospect_id=account.changed[0])
    with pytest.raises(LeadResetFailedError):
        task.run(1, prospect_ids=account.leads)
    account.lsq.clear_faults()
    account.lsq.add_activity(account.old[0], 166, AFTER)
    task.run(2, prospect_ids=account.leads)
    assert evidence_command([str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "4 leads queued by LeadSquared" in told
    assert "59 leads: left out, not modified since the window began" in told
    assert "never sent" not in told


def test_auditor_is_told_of_a_contradiction(make, tmp_path, capsys):
    """And of a record that spoke against it."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    task = ResetTask(tmp_path, window=WINDOW, skip_unmodified=True, **NOTES)
    with pytest.raises(LeadResetInputError):
        task.run(1, prospect_ids=account.old[:20])
    evidence_command([str(tmp_path)])
    told = capsys.readouterr().out
    assert f"nothing left out after a record was found of a lead that was not modified ({lead}: notes" in told


def test_time_left_is_that_of_the_calls(account):
    """What is left is told by the calls that are left: of the look-up, and of the leads that are to be reset."""
    task = LeadResetOperator(
        task_id="reset",
        prospect_ids=account.leads,
        activity_event_list=[166],
        window=WINDOW,
        skip_unmodified=True,
    )
    one = ResetRun(task, task_context())
    told: list[tuple[str, int]] = []
    one.begin_work = lambda work: told.append((work.doing, work.calls_left()))  # type: ignore[method-assign]
    one.run()
    assert told == [("Looking for leads that were not modified", 1), ("Resetting", 3)]


# -- preview --------------------------------------------------------------------------------------------------


def preview(leads: Any, folder: Any = None, *, context: Any = None, **arguments: Any) -> dict[str, Any]:
    """Count activities 166."""
    given = {"prospect_ids": leads, "activity_event_list": [166], "window": WINDOW, "skip_unmodified": True}
    if folder:
        given["evidence_path"] = str(folder)
    return LeadResetPreviewOperator(task_id="preview", **{**given, **arguments}).execute(
        context or task_context("preview")
    )


def test_preview_reads_only_the_others(account, tmp_path):
    """A preview does not read what was not modified, and says how many."""
    output = preview(account.leads, tmp_path)
    assert (output["leads"], output["not_modified"], output["totals"]["activities"]) == (63, 60, 3)
    assert "Not read: 60 leads not modified since the window began" in output["markdown"]
    assert account.paths().count("Retrieve") == 53


def test_preview_that_finds_a_record_against_it(make, tmp_path):
    """A preview with a record against it counts all leads, plans none, and fails, at its retry too."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    for number in (1, 2):
        context = task_context("preview", try_number=number)
        with pytest.raises(LeadResetInputError, match=lead):
            preview(account.old[:20], tmp_path, context=context, **NOTES)
        assert list(tmp_path.rglob("plan-*")) == []
    again = preview(account.old[:20], tmp_path, skip_unmodified=False, **NOTES)
    assert (again["not_modified"], again["totals"]["notes"]) == (0, 1)


@pytest.mark.parametrize("kept", ["evidence", "store"])
def test_contradiction_holds_for_later_previews(make, tmp_path, kept, monkeypatch):
    """A preview leaves none out at its later tries, whatever those ask for and read, until a Clear."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    folder = tmp_path if kept == "evidence" else None
    store = StateStore()

    def try_(number: int, leads: Any, max_tries: int = 3) -> Any:
        context = task_context("preview", try_number=number, task_state_store=store)
        context["ti"].max_tries = max_tries
        return preview(leads, folder, context=context, **NOTES)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(preview_run, "count_each", killed)
        with pytest.raises(KeyboardInterrupt):
            try_(1, account.old[:20])
    others = [one for one in account.old if one != lead][:20]
    with pytest.raises(LeadResetInputError, match=f"nothing was left out by skip_unmodified.*{lead}"):
        try_(2, others)
    assert list(tmp_path.rglob("plan-*")) == []
    assert try_(3, others, max_tries=5)["not_modified"] == 20
    if kept == "evidence":
        assert try_(4, others, max_tries=5)["not_modified"] == 20, "the plan was made after the Clear"
    if kept == "evidence":
        (written,) = tmp_path.rglob("contradiction-*")
        rules = json.loads((FOLDER / "contradiction.json").read_text())
        jsonschema.validate(json.loads(written.read_text()), rules)
        (run_,) = account_of(tmp_path).runs
        assert any(lead in said for heading, said in run_.lines if heading == "Planned by preview")
        (plan,) = (fact for fact in RunPage(run_).facts if fact.name == "Plan")
        assert any(lead in said for said in plan.values)


def test_contradiction_of_another_process(make, tmp_path, monkeypatch):
    """What another process of the try keeps while this one counts holds for this one: it writes no plan."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    others = [one for one in account.old if one != lead][:20]
    count_each = preview_run.count_each
    found = []

    def beside(*args: Any, **given: Any) -> Any:
        if not found:
            found.append(lead)
            with pytest.raises(LeadResetInputError, match=lead):
                preview(account.old[:20], tmp_path, **NOTES)
        return count_each(*args, **given)

    monkeypatch.setattr(preview_run, "count_each", beside)
    with pytest.raises(LeadResetInputError, match=f"nothing was left out by skip_unmodified.*{lead}"):
        preview(others, tmp_path, **NOTES)
    assert found
    assert list(tmp_path.rglob("plan-*")) == []


def test_plan_beside_a_contradiction(make, tmp_path):
    """A plan with leads left out is not given again once a contradiction stands beside it; a plan of all leads is."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    others = [one for one in account.old if one != lead][:20]
    assert preview(others, tmp_path / "a", **NOTES)["not_modified"] == 20
    with pytest.raises(LeadResetInputError, match=lead):
        preview(account.old[:20], tmp_path / "b", **NOTES)
    (plan,), (kept,) = (tmp_path / "a").rglob("plan-*"), (tmp_path / "b").rglob("contradiction-*")
    (plan.parent / kept.name).write_bytes(kept.read_bytes())
    for skip in (True, False):
        with pytest.raises(
            LeadResetInputError, match=f"plan .*leaves out 20 leads.*{lead}.*start another run"
        ):
            preview(
                others,
                tmp_path / "a",
                context=task_context("preview", try_number=2),
                skip_unmodified=skip,
                **NOTES,
            )
    cleared = task_context("preview", try_number=2)
    cleared["ti"].max_tries = 5
    with pytest.raises(LeadResetInputError, match=f"plan .*leaves out 20 leads.*{lead}"):
        preview(others, tmp_path / "a", context=cleared, **NOTES)
    whole = preview(account.old[:20], tmp_path / "b", skip_unmodified=False, **NOTES)
    assert preview(account.old[:20], tmp_path / "b", skip_unmodified=False, **NOTES) == whole


def test_contradiction_in_a_file_that_is_torn(make, tmp_path):
    """Where what an earlier try found cannot be read, no lead is left out either."""
    account = make()
    account.connect(account_check(last_modified_note="moves"))
    folder = tmp_path / "report" / "d" / "r" / "preview" / "unmapped"
    folder.mkdir(parents=True)
    (folder / "contradiction-1-0123abcd.json").write_text("{")
    with pytest.raises(LeadResetInputError, match=r"contradiction-1-0123abcd\.json cannot be read"):
        preview(account.old[:20], tmp_path, **NOTES)


@pytest.mark.parametrize("kept", [True, False])
def test_preview_fails_beside_a_contradiction(make, monkeypatch, kept):
    """Where a later try would not know of it, there is none, whatever the preview fails with."""
    account = make()
    lead = late_record(account)
    account.connect(account_check(last_modified_note="moves"))

    def away(*_: Any, **__: Any) -> None:
        raise UnavailableError("no answer for five minutes")

    monkeypatch.setattr(preview_run, "count_each", away)
    context = task_context("preview", **({"task_state_store": StateStore()} if kept else {}))
    with pytest.raises(LeadResetOutageError if kept else LeadResetInputError) as raised:
        preview(account.old[:20], context=context, **NOTES)
    assert "no answer for five minutes" in str(raised.value)
    assert (lead in str(raised.value)) is not kept


@pytest.mark.parametrize("kept", [True, False])
def test_contradiction_holds_for_other_leads(make, tmp_path, kept):
    """What speaks against leaving leads out holds at a retry that asks for other leads."""
    account = make()
    late_record(account)
    account.connect(account_check(last_modified_note="moves"))
    more = {**NOTES, "evidence_path": str(tmp_path)} if kept else NOTES
    store = StateStore()
    for number, leads in ((1, account.old[:20]), (2, account.old[1:21])):
        account.lsq.reset_calls()
        context = task_context(try_number=number, task_state_store=store)
        with pytest.raises(LeadResetInputError, match="nothing was left out by skip_unmodified"):
            run(leads, context, **more)
        assert account.reset_leads() == set(leads)


def test_preview_refuses_too(make):
    """A preview is refused as a reset is."""
    account = make()
    account.connect()
    with pytest.raises(LeadResetInputError, match="has no account_check"):
        preview(account.leads)
    account.connect(account_check(last_modified_zone="not UTC"))
    with pytest.raises(LeadResetInputError, match="written in UTC"):
        preview(account.leads)


def test_preview_counts_its_calls(account):
    """The least of a preview, too."""
    with pytest.raises(LeadResetInputError, match="53 calls at least"):
        preview(account.leads, max_calls=52)
