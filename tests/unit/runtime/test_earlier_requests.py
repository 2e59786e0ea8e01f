"""Tries that are asked for something else than the try before: what that one left unanswered is told by each."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.exceptions import (
    LeadResetInputError,
    LeadResetLeadsFailedError,
    LeadResetRejectedError,
)
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
from airflow_provider_leadreset.leadsquared.batch.earlier_requests import EarlierRequests
from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES, Outcome
from airflow_provider_leadreset.leadsquared.batch.progress import MOST_STORED, Progress
from airflow_provider_leadreset.leadsquared.journal import storage
from airflow_provider_leadreset.runtime.earlier_tries import NAMED_ONLY
from airflow_provider_leadreset.runtime.failures import failure
from support.reset_tries import ResetTask, make_leads, tries_of, unanswered

OTHER_WINDOW = "2026-09-01/2026-09-20"


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)


@pytest.fixture
def task(tmp_path) -> ResetTask:
    return ResetTask(tmp_path / "evidence")


def adds_up(told: dict[str, Any]) -> bool:
    return sum(told[kind] for kind in OUTCOMES) == told["leads"]


@pytest.mark.parametrize("kept", [True, False])
def test_lead_that_is_asked_for_no_more(lsq, task, caplog, capfd, kept):
    """It is told with the reason, apart from what is asked for now, and counts as failed."""
    leads = make_leads(lsq, 4)
    output: dict[str, Any] = {}
    run = tries_of(task, kept, output)
    unanswered(lsq, run, leads[:3])
    with pytest.raises(LeadResetRejectedError) as raised:
        run(2, prospect_ids=leads[1:])
    text = str(raised.value)
    assert "0 of 3 leads and 1 of an earlier request failed, more than max_failed_leads=0 allows" in text
    assert "earlier tries were asked for something else, 3 leads: 2 queued, 1 unanswered" in text
    assert f"{leads[0]}: at an earlier try, which was asked for something else: HTTP 500" in text
    assert {call.prospect_id for call in lsq.resets} == set(leads[1:]), "asked for now, in another request"
    assert (output["queued"], output["unanswered"], adds_up(output)) == (3, 0, True)
    earlier = output["earlier_requests"]
    assert (earlier["queued"], earlier["unanswered"], earlier["leads"], adds_up(earlier)) == (2, 1, 3, True)
    (failure,) = earlier["failures"]
    assert (failure["prospect_id"], failure["outcome"]) == (leads[0], "unanswered")
    log = caplog.text + capfd.readouterr().out
    assert "Beside these, 1 lead of an earlier request unanswered, which may have been reset" in log
    assert run(3, prospect_ids=leads[1:], max_failed_leads=1)["earlier_requests"] == earlier


def test_all_that_is_kept_says_so(lsq, task):
    """Summary, chain and the auditor's account tell it, and add up alike; the failed leads are of this request."""
    leads = make_leads(lsq, 4)
    unanswered(lsq, task.run, leads[:3])
    with pytest.raises(LeadResetRejectedError):
        task.run(2, prospect_ids=leads[1:])
    (path,) = task.files("try-2/*-summary.json")
    assert json.loads(path.read_text())["earlier_requests"] == task.summary["earlier_requests"]
    assert (task.files("try-2/*-failed.jsonl"), task.summary["failed_path"]) == ([], None)
    (request,) = (json.loads(path.read_text()) for path in task.files("try-2/*-request.json"))
    assert [one["try_number"] for one in request["continues"]] == [1]
    (run,) = account_of(task.folder).runs
    counts = run.tasks[0].outcomes()
    both = (task.summary, task.summary["earlier_requests"])
    assert all(counts[kind] == sum(told[kind] for told in both) for kind in OUTCOMES)
    page = RunPage(run)
    assert [(row.prospect_id, row.outcome) for row in page.troubled] == [(leads[0], "unanswered")]
    assert page.troubled_count == 1
    assert any(heading == "Unanswered of t, try-1" and leads[0] in said for heading, said in run.lines)
    task.files("try-1/*-request.json")[0].unlink()
    (run,) = account_of(task.folder).runs
    assert run.tasks[0].unreadable_count, "the later try names the files of the earlier one"


@pytest.mark.parametrize("same", [True, False])
def test_failed_leads_can_be_given_back(lsq, task, same):
    """What is excluded now, or asked for no more, is not in the file that another run may be given as its leads."""
    leads = make_leads(lsq, 4)
    unanswered(lsq, task.run, leads[:2] if same else leads)
    if not same:
        lsq.fault("500-mx", times=1, prospect_id=leads[1], path="Lead.Reset")
    with pytest.raises(AirflowException):
        task.run(2, prospect_ids=leads[:2] if same else leads[1:], exclude=leads[:1])
    with pytest.raises(AirflowException, match=leads[0]):
        task.run(3, prospect_ids=leads[:3], exclude=[leads[0].upper()], activity_event_list=[167])
    for path in task.files("try-[23]/*-failed.jsonl"):
        assert leads[0] not in path.read_text(), path
    assert task.summary["failed_path"] is None


def test_lead_that_is_asked_for_again(lsq, task):
    """A lead that is queued in the later request is told of both, and fails nothing."""
    leads = make_leads(lsq, 3)
    unanswered(lsq, task.run, leads[:2])
    summary = task.run(2, prospect_ids=[leads[2], leads[0].upper()])
    assert (summary["queued"], summary["unanswered"]) == (2, 0)
    assert summary["earlier_requests"]["unanswered"] == 1
    (run,) = account_of(task.folder).runs
    rows = {(row.prospect_id.lower(), row.outcome) for row in run.leads.rows}
    assert {(leads[0], "unanswered"), (leads[0], "queued")} <= rows
    assert RunPage(run).troubled_count == len(run.leads.troubled) == 1


@pytest.mark.parametrize("change", [{"window": OTHER_WINDOW}, {"activity_event_list": [167]}])
def test_other_reset_of_the_lead(lsq, task, change):
    """With another window or selectors it is told of both, and counts once; queued now, it stays in doubt."""
    leads = make_leads(lsq, 2)
    unanswered(lsq, task.run, leads)
    lsq.fault("500-mx", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(LeadResetRejectedError, match="1 of 2 leads failed, more than"):
        task.run(2, prospect_ids=leads, **change)
    summary = task.run(3, prospect_ids=leads, max_failed_leads=1, **change)
    assert (summary["failed"], summary["earlier_requests"]["unanswered"]) == (1, 1)
    assert task.run(4, prospect_ids=leads)["earlier_requests"] is not None, "the first request, settled"
    task.max_tries += 4
    assert task.run(5, prospect_ids=leads)["earlier_requests"] is None, "a Clear starts anew"


@pytest.mark.parametrize("kept", [True, False])
def test_doubt_that_a_later_request_settled(lsq, task, kept):
    """A lead that a later request had queued is in doubt no more, whether or not the next one names it."""
    leads = make_leads(lsq, 3)
    run = tries_of(task, kept)
    unanswered(lsq, run, leads[:1])
    lsq.fault("500", times=1, prospect_id=leads[1], path="Lead.Reset")
    with pytest.raises(AirflowException, match="1 of 2 leads failed"):
        run(2, prospect_ids=leads[:2])
    summary = run(3, prospect_ids=leads[1:2])
    assert (summary["queued"], summary["earlier_requests"]["unanswered"]) == (1, 2)
    lsq.fault("500", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(AirflowException):
        run(4, prospect_ids=leads)
    with pytest.raises(LeadResetRejectedError, match="0 of 1 lead and 1 of an earlier request failed"):
        run(5, prospect_ids=leads[2:])


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("change", [{"window": OTHER_WINDOW}, {"activity_event_list": [167]}])
def test_other_reset_settles_nothing(lsq, task, kept, change):
    """That a lead is queued with another window or selectors says nothing of the reset that was not answered."""
    leads = make_leads(lsq, 2)
    run = tries_of(task, kept)
    unanswered(lsq, run, leads)
    with pytest.raises(LeadResetRejectedError, match="0 of 2 leads and 1 of an earlier request failed"):
        run(2, prospect_ids=leads, **change)
    with pytest.raises(LeadResetRejectedError, match="0 of 1 lead and 1 of an earlier request failed"):
        run(3, prospect_ids=leads[1:], **change)
    assert run(4, prospect_ids=leads[:1])["queued"] == 1, "the same reset"
    if kept:  # Airflow's store is emptied by a try that went well
        assert run(5, prospect_ids=leads[1:], **change)["earlier_requests"]["unanswered"] == 1


@pytest.mark.parametrize("fault", ["500", "500-mx"])
def test_lead_counts_once(lsq, task, fault):
    """A lead in doubt from before that is refused or unanswered now counts once against `max_failed_leads`."""
    leads = make_leads(lsq, 2)
    unanswered(lsq, task.run, leads[:1])
    lsq.fault(fault, times=1, prospect_id=leads[0], path="Lead.Reset")
    summary = task.run(2, prospect_ids=leads, max_failed_leads=1)
    assert (summary["queued"], summary["earlier_requests"]["unanswered"]) == (1, 1)


def test_says_how_to_settle(lsq, task):
    """It says whether a retry follows, and what to do: neither names the lead again by itself."""
    leads = make_leads(lsq, 3)
    unanswered(lsq, task.run, leads[:1])
    with pytest.raises(
        LeadResetRejectedError, match=r"1 unanswered\. No retry follows\. See what the lead holds"
    ):
        task.run(2, prospect_ids=leads[1:2])
    lsq.fault("500", times=1, prospect_id=leads[2], path="Lead.Reset")
    with pytest.raises(
        LeadResetLeadsFailedError, match=r"1 unanswered\. A retry does not call it\. See what"
    ):
        task.run(3, prospect_ids=leads[1:])


def test_same_before_another(lsq, task, caplog, capfd):
    """Where only Airflow's store tells, what was asked for before something else is not called something else."""
    leads = make_leads(lsq, 2)
    run = tries_of(task, kept=False)
    for number, asked in ((1, leads[:1]), (2, leads[1:])):
        lsq.fault("500", times=1, prospect_id=asked[0], path="Lead.Reset")
        with pytest.raises(AirflowException):
            run(number, prospect_ids=asked)
    assert "the same before" not in caplog.text + capfd.readouterr().out
    with pytest.raises(
        AirflowException, match="asked for something else, or the same before something else, 2 leads"
    ):
        run(3, prospect_ids=leads[:1])


@pytest.mark.parametrize("settled", [True, False])
def test_more_doubts_than_are_kept(settled):
    """Of leads whose id Airflow's store could not keep it is said that only a Clear settles them."""
    earlier, leads = (
        Progress(),
        [f"{number:08x}-1111-1111-1111-111111111111" for number in range(MOST_STORED + 50)],
    )
    for index, lead in enumerate(leads):
        earlier.record(index, lead, "failed" if index == 0 else "unanswered", reason="no", final=index == 0)
    requests = EarlierRequests()
    requests.add(len(leads), Progress(json.loads(json.dumps(earlier.as_json()))), reset="r")
    requests.find_places(leads, "r")
    counts = BatchCounts(len(leads), RateLimiter(SlidingWindow(1)), earlier_requests=requests)
    for index, lead in enumerate(leads):
        counts.add(Outcome(index, lead, without_call=None if settled else "excluded"))
    assert counts.earlier_doubts == (49 if settled else MOST_STORED + 49)
    text = str(failure(counts, None, 0))
    assert (
        "Of 49 of them no id is kept, so that no answer can settle them: to have them told no more, clear"
        in text
    )
    again = EarlierRequests(json.loads(json.dumps(requests.as_json(counts.progress))))
    assert again.count_doubts(Progress()) == counts.earlier_doubts


def test_killed_try(lsq, task, monkeypatch):
    """A lead that a killed try only named is unanswered; the leads that it never named were not reached."""
    leads = make_leads(lsq, 30)
    task.run(1, prospect_ids=leads)
    for path in [*task.files("*-summary.json"), *task.files("*-0????.jsonl")[1:]]:
        path.unlink()  # as a kill leaves it
    named = task.named()
    lsq.reset_calls()
    (other,) = make_leads(lsq, 1)
    with pytest.raises(LeadResetRejectedError):
        task.run(2, prospect_ids=[other])
    earlier = task.summary["earlier_requests"]
    assert (earlier["unanswered"], earlier["not_reached"]) == (len(named), 30 - len(named))
    assert {one["prospect_id"] for one in earlier["failures"]} == named
    assert {one["error"] for one in earlier["failures"]} == {NAMED_ONLY}


def test_several_requests(lsq, task):
    """Of several requests all is told, and a retry of the first one continues it."""
    leads = make_leads(lsq, 3)
    unanswered(lsq, task.run, leads[:1])
    unanswered(lsq, lambda _, **given: task.run(2, **given), leads[1:2])
    with pytest.raises(LeadResetRejectedError):
        task.run(3, prospect_ids=leads[2:])
    earlier = task.summary["earlier_requests"]
    assert (earlier["leads"], earlier["unanswered"]) == (2, 2)
    with pytest.raises(LeadResetRejectedError):
        task.run(4, prospect_ids=leads[:1])
    assert (task.summary["queued"], task.summary["done_in_earlier_tries"]) == (1, 0)
    assert {one["prospect_id"] for one in task.summary["earlier_requests"]["failures"]} == {leads[1]}


def test_failure_before_it_began(lsq, task):
    """A try that cannot begin tells what all earlier ones did."""
    leads = make_leads(lsq, 3)
    unanswered(lsq, task.run, leads[:2])
    with pytest.raises(LeadResetRejectedError):
        task.run(2, prospect_ids=leads[2:])
    with pytest.raises(
        LeadResetInputError, match="asked for something else, 2 leads: 1 queued, 1 unanswered"
    ):
        task.run(3, prospect_ids=[leads[1], "no id"])
    assert task.summary["earlier_requests"]["unanswered"] == 1


def test_doubt_beside_another_version(lsq, task):
    """Where all leads are reset anew since a journal cannot be read, a lead in doubt stays so until an answer comes."""
    leads = make_leads(lsq, 2)
    unanswered(lsq, task.run, leads)
    lsq.fault("500", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(AirflowException):
        task.run(2, prospect_ids=leads)
    (path,) = task.files("try-2/*-request.json")
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    lsq.fault("500-mx", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(AirflowException):
        task.run(3, prospect_ids=leads)
    assert (task.summary["queued"], task.summary["unanswered"], task.summary["failed"]) == (1, 1, 0)


def test_interrupted_later_try(lsq, task, monkeypatch):
    """A later try that is killed loses nothing of what the one before it was asked for."""
    leads = make_leads(lsq, 3)
    unanswered(lsq, task.run, leads[:2])
    with monkeypatch.context() as patched:
        patched.setattr(storage.LocalStorage, "put", lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            task.run(2, prospect_ids=leads[2:])
    with pytest.raises(LeadResetRejectedError):
        task.run(3, prospect_ids=leads[2:])
    assert task.summary["earlier_requests"]["unanswered"] == 1
