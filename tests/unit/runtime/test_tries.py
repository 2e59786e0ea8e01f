"""A reset over its tries: what a closed part does not tell did not happen, and what it tells is not repeated."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import (
    LeadResetFailedError,
    LeadResetLeadsFailedError,
    LeadResetOvertakenError,
    LeadResetRejectedError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.journal import storage
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from support.evidence_files import objects_in
from support.reset_tries import ResetTask, make_leads


@pytest.fixture
def lsq(monkeypatch):
    """A LeadSquared that any number of calls may be made of."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        connection = json.loads(emulator.conn_json)
        connection["extra"] = {**json.loads(connection.get("extra") or "{}"), "calls_per_5s": 10}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
        # The pace is tested elsewhere.
        monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
        yield emulator


@pytest.fixture
def task(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)
    return ResetTask(tmp_path / "evidence")


def accepted(lsq: Any) -> Counter[str]:
    return Counter(call.prospect_id for call in lsq.resets if call.status == 200)


def test_lead_is_named_before_its_call(lsq, task, monkeypatch):
    """Whenever a reset is sent, a closed part of the journal names its lead."""
    leads, unnamed = make_leads(lsq, 30), []
    reset = LeadSquaredClient.reset

    def watched(self: Any, asked: Any, **when: Any) -> None:
        if asked.prospect_id not in task.named():
            unnamed.append(asked.prospect_id)
        reset(self, asked, **when)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    assert task.run(1, prospect_ids=leads)["queued"] == 30
    assert unnamed == []
    assert task.told() == {"queued": set(leads)}
    assert sorted(line["prospect_id"] for line in task.lines("call")) == sorted(leads)


def test_summary_names_all_files(lsq, task):
    """XCom has the summary's digest, and the summary those of all files before it."""
    summary = task.run(1, prospect_ids=make_leads(lsq, 12))
    assert summary == task.summary
    (kept,) = task.files("*-summary.json")
    assert sha256(kept.read_bytes()).hexdigest() == summary["evidence_digest"]
    told = json.loads(kept.read_text())
    assert {file["name"]: file["sha256"] for file in told["files"]} == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in kept.parent.iterdir() if path != kept
    }
    assert {name: value for name, value in summary.items() if name != "evidence_digest"} == {
        name: told[name] for name in summary if name != "evidence_digest"
    }


def test_request_says_who_and_what(lsq, task):
    """The request holds account, user of the keys, trigger, versions and approval, and no key."""
    lsq.set_user("Administrator", org_short_code="4711")
    task.run(1, prospect_ids=make_leads(lsq, 1), approval={"approved": True, "by": "asha"})
    (path,) = task.files("*-request.json")
    asked = json.loads(path.read_text())
    assert (asked["dag_id"], asked["run_id"], asked["try_number"], asked["leads"]) == ("d", "r", 1, 1)
    assert asked["account"]["code"] == "4711"
    assert asked["keys_user"]["name"] or asked["keys_user"]["mail"]
    assert asked["trigger"] == {"run_type": "manual", "user": "Asha"}
    assert asked["approver_is_trigger"] is True
    assert all(asked["versions"].values())
    for file in task.files("*"):
        if file.is_file():
            assert lsq.access_key.encode() not in file.read_bytes()
            assert lsq.secret_key.encode() not in file.read_bytes()


def test_killed_try_is_continued(lsq, task):
    """After a kill only what no closed part tells as done is repeated, and the rest is told as unanswered."""
    leads = make_leads(lsq, 40)
    task.run(1, prospect_ids=leads)
    for path in [*task.files("*-summary.json"), *task.files("*-0????.jsonl")[-2:]]:
        path.unlink()  # as a kill leaves it
    done = task.told()["queued"]
    lsq.reset_calls()
    summary = task.run(2, prospect_ids=leads)
    assert (summary["queued"], summary["done_in_earlier_tries"]) == (40, len(done))
    assert set(accepted(lsq)) == set(leads) - done
    assert 0 < len(done) < 40
    request = json.loads(task.files("try-2/*-request.json")[0].read_text())
    (earlier,) = request["continues"]
    first, *_, last = [*task.files("try-1/*-request.json"), *task.files("try-1/*-0????.jsonl")]
    assert earlier["try_number"] == 1
    assert {file["name"]: file["sha256"] for file in earlier["files"]} == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in (first, last)
    }


@pytest.mark.parametrize("change", ["clear", "leads", "version", "task"])
def test_what_is_not_continued(lsq, task, change, caplog, capfd):
    """A Clear, another request, and a journal of another version or task start anew; the last three are said."""
    leads = make_leads(lsq, 5)
    task.run(1, prospect_ids=leads)
    lsq.reset_calls()
    if change == "clear":
        task.max_tries += 3
    if change == "version":
        (path,) = task.files("*-request.json")
        path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    if change == "task":  # as on a storage that tells "t" and "T" not apart
        (path,) = task.files("*-request.json")
        path.write_text(path.read_text().replace('"task_id": "t"', '"task_id": "T"'))
    summary = task.run(2, prospect_ids=leads[1:] if change == "leads" else leads)
    assert summary["done_in_earlier_tries"] == 0
    assert len(accepted(lsq)) == summary["leads"]
    said = {"leads": "asked for something else", "version": "does not know", "task": "it is of another task"}
    assert said.get(change, "") in caplog.text + capfd.readouterr().out


def test_unreadable_part_is_named(lsq, task, caplog, capfd):
    """A torn part of an earlier try is named, and its leads are called again."""
    leads = make_leads(lsq, 25)
    task.run(1, prospect_ids=leads)
    part = task.files("*-0????.jsonl")[-1]
    part.write_bytes(part.read_bytes()[:-30])
    lsq.reset_calls()
    assert task.run(2, prospect_ids=leads)["queued"] == 25
    assert 0 < len(accepted(lsq)) < 25
    assert f"Of try 1 this cannot be relied on: {part.name}" in caplog.text + capfd.readouterr().out


def test_later_try_at_work(lsq, task, monkeypatch):
    """A try that finds a later one at work stops, tells what it did, and is not tried again."""
    leads = make_leads(lsq, 60)
    reset = LeadSquaredClient.reset

    def watched(self: Any, asked: Any, **when: Any) -> None:
        reset(self, asked, **when)
        if len(lsq.resets) >= 15:
            (task.folder / "report/d/r/t/unmapped/try-2").mkdir(exist_ok=True)

    monkeypatch.setattr(LeadSquaredClient, "reset", watched)
    with pytest.raises(LeadResetOvertakenError, match="try 2 of this task is at work"):
        task.run(1, prospect_ids=leads)
    sent = set(accepted(lsq))
    assert 15 <= len(sent) < 60
    assert task.told()["queued"] == sent <= task.named()
    assert (task.summary["queued"], len(task.files("try-1/*-summary.json"))) == (len(sent), 1)


def test_failed_leads_are_all_named(lsq, task):
    """Each failed, unknown and unanswered lead is in a file with its reason, over all tries, to be given back."""
    good, *bad = make_leads(lsq, 132)
    unanswered, unknown = bad.pop(), "00000000-0000-4000-8000-000000000000"
    for lead in bad:
        lsq.fault("500-mx", times=None, prospect_id=lead)
    lsq.fault("500", times=None, prospect_id=unanswered)
    leads = [good, *bad, unknown, unanswered]
    with pytest.raises(LeadResetLeadsFailedError, match="131 of 133 leads failed"):
        task.run(1, prospect_ids=leads)
    summary = task.summary
    assert (summary["queued"], summary["failed"], summary["unknown"], summary["unanswered"]) == (1, 130, 1, 1)
    assert len(summary["failures"]) == 100
    assert sum(summary["failed_by_reason"].values()) == 132
    (path,) = task.files("*-failed.jsonl")
    assert summary["failed_path"] == str(path)
    assert set(Leads.from_file(path)) == {*bad, unknown, unanswered}
    reasons = {
        line["prospect_id"]: (line["outcome"], line["reason"]) for line in objects_in(path.parent, path.name)
    }
    assert reasons[bad[0]] == (
        "failed",
        "HTTP 500 MXInvalidInputException: Forced by a fault of the emulator",
    )
    assert reasons[unanswered][0] == "unanswered"
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(2, prospect_ids=leads)
    (request,), (kept,) = task.files("try-2/*-request.json"), task.files("try-1/*-summary.json")
    (earlier,) = json.loads(request.read_text())["continues"]
    assert earlier["files"][-1] == {"name": kept.name, "sha256": sha256(kept.read_bytes()).hexdigest()}
    (again,) = task.files("try-2/*-failed.jsonl")
    assert set(Leads.from_file(again)) == {*bad, unknown, unanswered}


def test_early_failure_tells_earlier_tries(lsq, task, tmp_path):
    """A try that fails before its first reset says, in text and XCom, what earlier tries queued."""
    leads, path = make_leads(lsq, 30), tmp_path / "leads.txt"
    path.write_text("\n".join(leads))
    lsq.fault("500", times=None, prospect_id=leads[-1])
    with pytest.raises(LeadResetLeadsFailedError):
        task.run(1, prospect_ids_path=str(path))
    path.unlink()
    with pytest.raises(LeadResetResourceError, match="there is no such file") as raised:
        task.run(2, prospect_ids_path=str(path))
    assert "Earlier tries of this task ended with 29 of 30 leads queued, 1 unanswered" in str(raised.value)
    assert (task.summary["queued"], task.summary["unanswered"], task.summary["leads"]) == (29, 1, 30)
    assert "there is no such file" in task.summary["stopped_because"]


def test_run_ids_of_odd_signs(lsq, task):
    """Runs whose ids differ only in signs that storages do not take keep their evidence apart."""
    leads = make_leads(lsq, 2)
    for run_id, lead in zip(("a:b", "a+b"), leads, strict=True):
        task.run_id = run_id
        task.run(1, prospect_ids=[lead])
    requests = [json.loads(path.read_text()) for path in task.files("*-request.json")]
    assert {asked["run_id"] for asked in requests} == {"a:b", "a+b"}
    assert len({path.parent for path in task.files("*-request.json")}) == 2


@pytest.mark.parametrize(
    ("fault", "error"), [("500", LeadResetLeadsFailedError), ("500-mx", LeadResetRejectedError)]
)
def test_unanswered_is_retried(lsq, task, fault, error):
    """Only what may change is called again: an unanswered lead, not a refused one."""
    leads = make_leads(lsq, 3)
    lsq.fault(fault, times=1, prospect_id=leads[0])
    with pytest.raises(error):
        task.run(1, prospect_ids=leads)
    assert task.summary["unanswered"] == (fault == "500")
    lsq.reset_calls()
    if fault == "500":
        assert task.run(2, prospect_ids=leads)["queued"] == 3
        assert list(accepted(lsq)) == [leads[0]]
    else:
        with pytest.raises(error):
            task.run(2, prospect_ids=leads)
        assert accepted(lsq) == Counter()


def test_not_sent_is_not_unanswered(lsq, task, monkeypatch):
    """Where no connection comes about nothing was sent: the leads are not reached, and the task may be retried."""
    leads = make_leads(lsq, 3)
    connection = {
        "conn_type": "leadsquared",
        "host": "http://127.0.0.1:9",
        "login": "u$r-access",
        "password": "s3cret-of-it",
    }
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    del task.arguments["evidence_path"], task.arguments["activity_event_list"]
    task.arguments["should_delete_prospect_notes"] = True
    monkeypatch.setattr(AccountIdentity, "ask", AccountIdentity.of_keys)
    with pytest.raises(LeadResetFailedError):
        task.run(1, prospect_ids=leads)
    assert (task.summary["unanswered"], task.summary["not_reached"]) == (0, 3)
