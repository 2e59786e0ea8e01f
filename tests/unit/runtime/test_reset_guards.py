"""What holds a reset back, in runs against the emulator: the plan, rules, exclusions, approval, the account."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetResourceError
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime import preview_run
from airflow_provider_leadreset.runtime.preview_run import PreviewRun
from airflow_provider_leadreset.runtime.reset_run import ResetRun
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import IN_WINDOW
from support.task_context import StateStore, task_context

WHAT: dict[str, Any] = {"activity_event_list": [166], "should_delete_prospect_notes": True}
ASKED: dict[str, Any] = {"window": "2026-09-01/2026-10-01", **WHAT}
TICKET = {"approved": True, "by": "Asha", "ticket": "CRM-17"}


@pytest.fixture(autouse=True)
def _no_last_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)


@pytest.fixture
def leads(lsq: Any) -> list[str]:
    """Three leads with an activity and a note each."""
    made = [lsq.add_lead() for _ in range(3)]
    for lead in made:
        lsq.add_activity(lead, 166, IN_WINDOW)
        lsq.add_note(lead, "a note", IN_WINDOW)
    return made


@pytest.fixture
def plan(lsq: Any, leads: list[str], tmp_path: Path) -> dict[str, Any]:
    task = LeadResetPreviewOperator(
        task_id="preview", prospect_ids=leads, evidence_path=str(tmp_path), **ASKED
    )
    output = task.execute(task_context("preview"))
    lsq.reset_calls()
    return output


def reset(context: Any = None, **given: Any) -> dict[str, Any]:
    operator = LeadResetOperator(task_id="reset", **given)
    return operator.execute(task_context() if context is None else context)


def run_later(later: timedelta, **given: Any) -> ResetRun:
    """Return a run of a reset on a clock that is so much ahead."""
    run = ResetRun(LeadResetOperator(task_id="reset", **given), task_context())
    run.now = lambda: datetime.now(UTC) + later
    return run


def refused(lsq: Any, said: str, **given: Any) -> None:
    """Check that a reset is refused before any call."""
    with pytest.raises(LeadResetInputError, match=said):
        reset(**given)
    assert lsq.calls == []


def called(lsq: Any) -> set[str]:
    return {call.prospect_id for call in lsq.resets}


# -- the plan -------------------------------------------------------------------------------------------------


def test_other_digest_refused(lsq, plan):
    """A plan whose digest agrees in all but its last digit is not the one that was shown."""
    other = f"{plan['digest'][:-1]}{'1' if plan['digest'][-1] == '0' else '0'}"
    refused(lsq, "is not the one that was shown", plan={**plan, "digest": other})
    refused(lsq, "is not the one that was shown", plan={**plan, "digest": plan["digest"][:8]})


def test_plan_of_other_account_refused(lsq, plan):
    """A plan of another account of the same host is refused, and no lead is called."""
    lsq.set_user(org_short_code="OTHER")
    with pytest.raises(LeadResetInputError, match="and the connection leads to"):
        reset(plan=plan)
    assert [call.path for call in lsq.calls] == ["Authentication.svc/UserByAccessKey.Get"]


@pytest.mark.parametrize(("age", "is_old"), [(timedelta(days=6), False), (timedelta(days=8), True)])
def test_age_of_a_plan(lsq, plan, leads, age, is_old):
    """A plan may be a week old, and no older."""
    run = run_later(age, plan=plan)
    if is_old:
        with pytest.raises(LeadResetInputError, match="longer ago than max_plan_age=7 days"):
            run.run()
        assert lsq.calls == []
    else:
        assert run.run()["queued"] == len(leads)


def test_age_is_an_argument(lsq, plan, leads):
    """How old a plan may be is said by the task."""
    asked = {"plan": plan, "max_plan_age": timedelta(days=30)}
    assert run_later(timedelta(days=29), **asked).run()["queued"] == len(leads)


@pytest.mark.parametrize("value", [7, "7", timedelta(0), timedelta(days=-1), True])
def test_age_must_be_a_timedelta(lsq, plan, value):
    """An age that is none is refused before any call."""
    refused(lsq, r"max_plan_age is .*: give a timedelta", plan=plan, max_plan_age=value)


@pytest.mark.parametrize("most", [5, 6])
def test_max_records_with_a_plan(lsq, plan, leads, most):
    """More records than max_records in a plan are refused, none is reset, and the plan itself is counted."""
    if most == 6:
        assert reset(plan=plan, max_records=most)["queued"] == 3
        return
    with pytest.raises(LeadResetInputError, match=r"6 records would go .*more than max_records=5"):
        reset(plan=plan, max_records=most)
    assert lsq.resets == []
    # Of leads that are excluded nothing goes.
    assert reset(plan=plan, max_records=most, exclude=leads[:1])["queued"] == 2


def test_bad_max_records_costs_no_call(lsq, plan):
    """A limit that is no number is refused before the first call."""
    refused(lsq, "max_records is 'many': give a whole number", plan=plan, max_records="many")


def test_rendered_plan_contradicts_nothing(lsq, plan):
    """Of a planned reset no argument is shown that the plan overrules."""
    for task in (
        LeadResetOperator(task_id="reset", plan=plan),
        LeadResetSensor(task_id="verify", plan=plan),
    ):
        overruled = (
            "should_delete_prospect_notes",
            "timezone",
            "window",
            "activity_event_list",
            "prospect_ids",
        )
        assert {str(getattr(task, name)) for name in overruled} == {"not given"}


# -- exclusions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("archived", [False, True])
def test_excluded_leads_are_never_called(lsq, leads, plan, tmp_path, planned, archived):
    """An excluded lead is neither called nor read, with a plan too, and the outcomes add up."""
    lsq.reset_calls()
    asked = {"plan": plan} if planned else {"prospect_ids": leads, **ASKED}
    if archived:
        asked |= {"archive": True, "evidence_path": str(tmp_path)}
    summary = reset(exclude=[leads[1].upper()], **asked)
    assert called(lsq) == {leads[0], leads[2]}
    assert not [call for call in lsq.calls if call.prospect_id == leads[1]]
    outcomes = {name: summary[name] for name in ("queued", "failed", "not_reached", "excluded", "leads")}
    assert outcomes == {"queued": 2, "failed": 0, "not_reached": 0, "excluded": 1, "leads": 3}


def test_exclusions_from_a_file(lsq, leads, plan, tmp_path):
    """A file of exclusions is read when the reset runs, and one that is missing stops it."""
    hold = tmp_path / "hold.csv"
    with pytest.raises(LeadResetResourceError, match=r"exclude is .* no such file, or its storage is away"):
        reset(plan=plan, exclude=f"file://{hold}")
    assert lsq.calls == []
    hold.write_text(f"ProspectID\n{leads[0]}\n")
    assert reset(plan=plan, exclude=f"file://{hold}")["excluded"] == 1
    assert called(lsq) == set(leads[1:])


def test_all_leads_excluded(lsq, leads, plan):
    """Where all leads are excluded, none is called, and that is told."""
    summary = reset(plan=plan, exclude=leads)
    assert (summary["excluded"], summary["queued"], lsq.resets) == (3, 0, [])


@pytest.mark.parametrize("nobody", [[], "[]"])
def test_empty_exclusions(lsq, leads, plan, nobody):
    """An empty list excludes nobody."""
    assert reset(plan=plan, exclude=nobody)["queued"] == 3


def test_exclusions_of_nothing_refused(lsq, plan):
    """Exclusions that rendered to nothing are refused before any call."""
    refused(lsq, "exclude is '', which names no lead", plan=plan, exclude="")


@pytest.mark.usefixtures("quick_repeats")
def test_excluded_after_it_was_called(lsq, leads, plan):
    """A lead that an earlier try has called counts as that try left it, though it is excluded later."""
    store = StateStore()
    lsq.fault("500", path="Lead.Reset", prospect_id=leads[2], times=None)
    with pytest.raises(Exception, match="1 of 3 leads failed"):
        reset(task_context(task_state_store=store), plan=plan)
    lsq.clear_faults()
    assert called(lsq) == set(leads[:2])
    with pytest.raises(Exception, match="2 of 3 leads queued, 1 unanswered"):
        reset(task_context(try_number=2, task_state_store=store), plan=plan, exclude=leads)
    assert called(lsq) == set(leads[:2])


# -- rules ----------------------------------------------------------------------------------------------------


@pytest.fixture
def rules(lsq: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        connection = json.loads(lsq.conn_json)
        extra = {**dict(connection.get("extra") or {}), "rules": value}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps({**connection, "extra": extra}))

    return put


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"resets": False}, "stop every reset"),
        ('{"resets": false}', "stop every reset"),
        ({"require": ["approval", "reason"]}, "require approval, reason of every reset: give them"),
        ({"require": ["archive"]}, "require archive of every reset: give it"),
        ({"require": ["evidence_path"]}, "require evidence_path of every reset"),
        ({"max_leads": 2}, r"3 leads given, more than the rules .*max_leads=2"),
        ({"reset": False}, "which is no rule"),
        (["resets"], "which is no object"),
    ],
)
def test_rules_hold_a_planned_reset(lsq, plan, rules, value, said):
    """A rule is held before the first call, and the error names the connection."""
    rules(value)
    refused(lsq, f"connection leadsquared_default: .*{said}", plan=plan)


def test_rules_require_a_plan(lsq, leads, rules):
    """A reset without the plan that is required is refused before any call."""
    rules({"require": ["plan"]})
    lsq.reset_calls()
    refused(lsq, "require plan of every reset", prospect_ids=leads, **ASKED)


def test_rules_that_are_kept(lsq, plan, rules, tmp_path):
    """A reset that has all that is required goes on, and the rules are kept with the evidence."""
    value = {"require": ["plan", "approval", "evidence_path", "archive", "reason"], "max_leads": 3}
    rules(value)
    summary = reset(
        plan=plan, approval=TICKET, reason=" GDPR\nrequest 17 ", archive=True, evidence_path=str(tmp_path)
    )
    (request,) = (json.loads(path.read_text()) for path in tmp_path.rglob("*-request.json"))
    assert summary["queued"] == 3
    assert summary["reason"] == request["reason"] == "GDPR request 17"
    assert request["rules"] == value
    assert request["excluded"] == 0


def test_rules_leave_reads_alone(lsq, leads, plan, rules):
    """Rules that stop resets stop neither previews nor sensors."""
    rules({"resets": False, "max_leads": 1, "require": ["plan"]})
    assert LeadResetPreviewOperator(task_id="one", prospect_ids=leads, **ASKED).execute({})["leads"] == 3
    assert not LeadResetSensor(task_id="one", plan=plan).poke({})


# -- approval and reason --------------------------------------------------------------------------------------

ANSWER = {"chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "Asha"}, "params_input": {}}


def test_refused_before_any_call(lsq, leads, plan, tmp_path):
    """Approval, reason and evidence are checked before the first call, with a plan and without."""
    lsq.reset_calls()
    for asked in ({"plan": plan}, {"prospect_ids": leads, **ASKED}):
        refused(lsq, "nobody has said yes", approval="CRM-17", **asked)
        refused(lsq, "reason is '', which says nothing", reason="", **asked)
        refused(lsq, "is no absolute URI", evidence_path="evidence", **asked)
        refused(lsq, "max_failed_leads is -1", max_failed_leads=-1, **asked)


def test_no_key_in_why_an_approval_is_refused(lsq, leads):
    """A ticket with an error of the account's own API is refused without the keys in its address, cut or not."""
    for filler in range(0, 70, 3):
        url = f"https://{'a' * filler}/?accessKey={lsq.access_key}&secretKey={lsq.secret_key}"
        ticket = {"approved": True, "by": "asha", "error": f"401 Client Error: {url}"}
        for approval in (ticket, (ticket,), json.dumps(ticket)):
            with pytest.raises(LeadResetInputError, match="approval has error=") as caught:
                reset(prospect_ids=leads, approval=approval, **ASKED)
            assert lsq.access_key[:8] not in str(caught.value)
            assert lsq.secret_key[:8] not in str(caught.value)


def test_approval_is_bound_to_the_plan(lsq, plan):
    """An answer from before the plan, or to another, is refused before any call; one to this plan resets it."""
    now = datetime.now(UTC)
    old = {**ANSWER, "responded_at": now - timedelta(minutes=5)}
    refused(lsq, "before the plan was finished", plan=plan, approval=old)
    other = {**ANSWER, "responded_at": now, "params_input": {"digest": "00000000"}}
    refused(lsq, "the approver typed '00000000'", plan=plan, approval=other)
    given = {**ANSWER, "responded_at": now, "params_input": {"digest": plan["digest"][:8]}}
    assert reset(plan=plan, approval=given)["approval"]["responded_by_user"]["name"] == "Asha"


def test_answer_while_it_was_counted(lsq, leads, tmp_path, monkeypatch):
    """What is answered after counting began, and before the plan was finished, is about none that was seen."""
    began = datetime.now(UTC)

    def lasting(*given: Any, **more: Any) -> Iterator[Any]:
        yield from count_each(*given, **more)
        run.now = lambda: began + timedelta(hours=1)

    count_each = preview_run.count_each
    monkeypatch.setattr(preview_run, "count_each", lasting)
    task = LeadResetPreviewOperator(
        task_id="preview", prospect_ids=leads, evidence_path=str(tmp_path), **ASKED
    )
    run = PreviewRun(task, task_context("preview"))
    plan = run.run()
    lsq.reset_calls()
    answer = {"approved": True, "by": "Asha", "at": (began + timedelta(minutes=30)).isoformat()}
    refused(lsq, "before the plan was finished", plan=plan, approval=answer)
    answer["at"] = (began + timedelta(minutes=61)).isoformat()
    assert reset(plan=plan, approval=answer)["queued"] == 3


def test_typed_digest_needs_a_plan(lsq, leads):
    """An approval of a plan is none of a reset without one."""
    approval = {**ANSWER, "params_input": {"digest": "00000000"}}
    refused(lsq, "and the reset has none", prospect_ids=leads, approval=approval, **ASKED)


# -- the account ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_repeats")
def test_account_exchanged_between_tries(lsq, leads):
    """A retry that meets another account of the host is refused before its first reset, and a Clear starts anew."""
    store = StateStore()
    asked = {"prospect_ids": leads, **ASKED}
    lsq.fault("500", path="Lead.Reset", prospect_id=leads[2], times=None)
    with pytest.raises(Exception, match="1 of 3 leads failed"):
        reset(task_context(task_state_store=store), **asked)
    lsq.clear_faults()
    assert called(lsq) == set(leads[:2])
    lsq.set_user(org_short_code="OTHER")
    lsq.reset_calls()
    with pytest.raises(LeadResetInputError, match=r"account LSQEMU at .* now leads to OTHER at"):
        reset(task_context(try_number=2, task_state_store=store), **asked)
    assert lsq.resets == []
    cleared = task_context(try_number=3, task_state_store=store)
    cleared["ti"].max_tries += 1
    assert reset(cleared, **asked)["done_in_earlier_tries"] == 0
    assert called(lsq) == set(leads)


@pytest.mark.usefixtures("quick_repeats")
def test_same_account_goes_on(lsq, leads):
    """A retry of the same account goes on where the last try stopped, and what was kept for it goes at the end."""
    store = StateStore()
    asked = {"prospect_ids": leads, **ASKED}
    lsq.fault("500", path="Lead.Reset", prospect_id=leads[2], times=None)
    with pytest.raises(Exception, match="1 of 3 leads failed"):
        reset(task_context(task_state_store=store), **asked)
    lsq.clear_faults()
    assert reset(task_context(try_number=2, task_state_store=store), **asked)["done_in_earlier_tries"] == 2
    assert not [key for key in store if key.startswith("leadreset-account/")]
    assert lsq.access_key not in json.dumps(store)


def test_progress_is_of_one_account(lsq, leads):
    """Progress is kept under the account: what one has done is nothing that another has done."""
    store = StateStore()
    for code in ("ONE", "TWO"):
        lsq.set_user(org_short_code=code)
        lsq.reset_calls()
        summary = reset(task_context(task_state_store=store), prospect_ids=leads, **ASKED)
        assert (summary["done_in_earlier_tries"], called(lsq)) == (0, set(leads))


def test_account_costs_one_call(lsq, leads):
    """Which account it is costs a run one call."""
    reset(prospect_ids=leads, **ASKED)
    assert [call.path for call in lsq.calls].count("Authentication.svc/UserByAccessKey.Get") == 1


# -- the worker's clock ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [timedelta(minutes=4), timedelta(minutes=6)])
def test_clock_behind_the_window(lsq, leads, behind, caplog):
    """A clock that is a little behind is waited out before any call; one that is far behind is refused."""
    end = datetime(2026, 10, 1, tzinfo=UTC)
    slept: list[float] = []
    calls_before = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        calls_before.extend(call.path for call in lsq.resets)

    lsq.reset_calls()
    run = run_later(timedelta(0), prospect_ids=leads, **ASKED)
    run.now, run.sleep = (lambda: end - behind + timedelta(seconds=sum(slept))), sleep
    if behind > timedelta(minutes=5):
        with pytest.raises(LeadResetInputError, match="in the future"):
            run.run()
        assert lsq.calls == []
        return
    assert run.run()["sent"]["ToDate"] == "2026-09-30 23:59:59"
    assert slept == [240.0]
    assert calls_before == []
