"""The account check as a whole: what it is not asked, what it refuses, and what becomes of odd accounts."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.emulator.http.replies import ApiError
from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedTask
from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead
from airflow_provider_leadreset.leadsquared.account_check.trials import Trial, TrialRunner
from airflow_provider_leadreset.leadsquared.api.account_findings import parse_account_findings
from airflow_provider_leadreset.leadsquared.errors import AccessError, InputError
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from support.simulated_account import CODE, TASK_NAME, TASK_TYPE, SimulatedAccount

LESS: dict[str, Any] = dict.fromkeys(("activity_event", "task_type", "stage", "owner"), NOT_GIVEN)


def test_only_what_was_named_is_asked() -> None:
    """Without an event code, a task type, a stage and an owner, notes are asked about, and nothing else is touched."""
    with SimulatedAccount(moves_last_modified=["note"]) as account:
        result = account.check(**LESS)
        paths = {call.path for call in account.account.calls}
    assert paths.isdisjoint(
        {"ProspectActivity.svc/Create", "Task.svc/Create", "LeadManagement.svc/Lead.Update"}
    )
    found = {one.name: one.found for one in result.questions}
    assert (found["note_date"], found["last_modified_note"], found["stage_audits"]) == (
        "CreatedOn",
        "moves",
        None,
    )
    assert "activity_date" not in found
    stage = next(one for one in result.questions if one.name == "stage_audits")
    assert stage.saw == "not asked: name another stage with --stage"


def test_what_is_kept_can_be_parsed() -> None:
    """What the check found is an object of the account that parses as the connection's extra."""
    with SimulatedAccount(moves_last_modified=["note"]) as account:
        result = account.check(**LESS)
    kept = result.as_json()["account_check"]
    parsed = parse_account_findings(kept, today=result.checked_on)
    assert (parsed.account, parsed.checked_on, parsed.patience) == ("LSQEMU", result.checked_on, 600)
    assert parsed.found["note_date"] == "CreatedOn"
    assert "unknown_lead" not in parsed.found
    for one in result.as_json()["questions"]:
        assert set(one) == {"question", "did", "saw", "control", "verdict"}
        assert all(isinstance(text, str) and text for text in one.values())


def test_given_lead_is_used() -> None:
    """A lead that is given is used, and none is made."""
    with SimulatedAccount(moves_last_modified=["note"]) as account:
        lead = account.account.add_lead()
        result = account.check(**LESS, lead=lead.upper())
        assert not [call for call in account.account.calls if call.path.endswith("Lead.Create")]
    assert result.lead == lead


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"activity_event": 999}, "activity_event is 999, which is no custom activity"),
        ({"activity_event": 22}, "activity_event is 22, which is no custom activity"),
        ({"task_type": "Nap"}, "task_type is 'Nap', which 0 task types"),
        ({"stage": "prospect"}, "stage is 'prospect', which the lead has already"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], message: str) -> None:
    """An option that names what the account does not have is refused."""
    with SimulatedAccount() as account, pytest.raises(InputError, match=message):
        account.check(**{**LESS, **asked})


def test_own_user_is_no_other_owner() -> None:
    """The keys' own user cannot be the other owner, and nothing is made."""
    with SimulatedAccount() as account:
        with pytest.raises(InputError, match="the keys' own user"):
            account.check(owner=account.account.user_id)
        assert account.account.leads()[1:] == []


def test_nothing_ever_goes() -> None:
    """Where no reset is seen to work, nothing is told of what resets do, and the rest is."""
    with SimulatedAccount(queue_delay=10**6) as account:
        result = account.check(stage=NOT_GIVEN, owner=NOT_GIVEN)
    found = {one.name: one.found for one in result.questions}
    assert found["queue_seconds"] is None
    assert not {"activity_date", "note_to_second", "unknown_event_code"} & set(found)
    assert (found["notes_api"], found["lead_id_name"]) == (True, "ProspectID")


def test_slow_queue_costs_little_more() -> None:
    """Where the queue takes an hour, the check waits for days, if need be, and reads ever less often."""
    calls = {}
    for delay in (2.0, 3600.0):
        with SimulatedAccount(queue_delay=delay, moves_last_modified=["activity"]) as account:
            account.check(stage=NOT_GIVEN, owner=NOT_GIVEN)
            calls[delay] = len(account.account.calls)
    assert calls[3600.0] < 4 * calls[2.0]


def test_stays_without_control_is_not_told() -> None:
    """Where what stayed does not go by the last resets either, that it stayed is not told."""
    with SimulatedAccount(fractions="dropped", from_included=False) as account:
        crm = account.account
        enqueue, last = crm.enqueue, []

        def drop_the_last(reset: Any) -> None:
            if (reset.end - reset.start).days < 500:
                enqueue(reset)
            else:
                last.append(reset)

        crm.enqueue = drop_the_last  # type: ignore[method-assign]
        result = account.check()
    assert last
    found = {one.name: one.found for one in result.questions}
    assert (found["activity_from_second"], found["activity_to_second"]) == (None, "goes")


@pytest.mark.parametrize(("lost", "found"), [(2, "moves"), (3, None)])
def test_lost_reset_moves_nothing(lost: int, found: str | None) -> None:
    """That LeadLastModifiedOn stayed still after a reset that was never carried out is not told of resets."""
    with SimulatedAccount(moves_last_modified=["activity", "reset"]) as account:
        crm = account.account
        enqueue, dropped = crm.enqueue, []

        def drop_some(reset: Any) -> None:
            if len(dropped) < lost and account.said[-1].startswith("LeadLastModifiedOn: a reset"):
                dropped.append(reset)
            else:
                enqueue(reset)

        crm.enqueue = drop_some  # type: ignore[method-assign]
        result = account.check(stage=NOT_GIVEN, owner=NOT_GIVEN)
    assert len(dropped) == lost
    (one,) = [one for one in result.questions if one.name == "last_modified_reset"]
    assert one.found == found, one.saw


def test_changes_that_change_nothing() -> None:
    """Of changes that were answered with Success and not carried out, nothing is told."""
    with SimulatedAccount() as account:
        account.account.change_stage = account.account.change_owner = lambda *_: None  # type: ignore[method-assign]
        result = account.check()
    told = {one.name: one for one in result.questions}
    for name in ("stage_audits", "owner_audits", "last_modified_stage", "last_modified_owner"):
        assert told[name].found is None, told[name].saw
    assert "reads as before" in told["stage_audits"].control
    assert "3 were not seen to be carried out" in told["last_modified_owner"].saw
    assert told["last_modified_activity_201"].found == "moves"


def test_owner_whom_nobody_knows() -> None:
    """A change that the account refuses costs its own questions, not all that was found before."""
    with SimulatedAccount() as account:
        result = account.check(owner="3c8c7b1e-0000-4f0e-9c56-0d7a4b1f9e01")
    told = {one.name: one for one in result.questions}
    for name in ("owner_audits", "owner_audits_reset", "last_modified_owner"):
        assert told[name].found is None
        assert "refused: HTTP 500 MXInvalidEntityReferenceException: User not found" in told[name].saw
    assert (told["stage_audits"].found, told["activity_date"].found) == ("shown", "CreatedOn")


def test_notes_that_are_made_in_vain() -> None:
    """That LeadLastModifiedOn stayed still after a note that nobody can read is not told of notes."""
    with SimulatedAccount() as account:
        create = account.account.create_note

        def create_nothing(lead_id: str, text: str) -> str:
            moving = account.said[-1].startswith("LeadLastModifiedOn: a new note")
            return "3c8c7b1e-0000-4f0e-9c56-0d7a4b1f9e01" if moving else create(lead_id, text)

        account.account.create_note = create_nothing  # type: ignore[method-assign]
        result = account.check(stage=NOT_GIVEN, owner=NOT_GIVEN)
    told = {one.name: one for one in result.questions}
    assert told["last_modified_note"].found is None, told["last_modified_note"].saw
    assert told["last_modified_task"].found == "does not move"


def test_tasks_pushed_out_of_a_list() -> None:
    """A task that newer ones push out of a list without pages is not gone, though the account says nothing of it."""
    with SimulatedAccount() as account:
        client, clock = account.client, account.time
        lead = OwnLead.create(client, account.account.user_id)
        kind = CheckedTask(client, lead, TASK_TYPE, TASK_NAME, account.account.user_id)
        runner = TrialRunner(lead, [kind], clock, 600, account.said.append)
        find = account.account.find_lead

        def newest(lead_id: str) -> Any:
            found = find(lead_id)
            return found and SimpleNamespace(tasks=found.tasks[-30:])

        account.account.find_lead = newest  # type: ignore[method-assign,assignment]
        first = runner.make(kind)
        assert runner.wait_seen([first])
        for _ in range(30):
            runner.make(kind)
        for _ in range(5):
            runner.read()
        assert not first.is_gone
        trial = Trial("all", kind.selectors, Window(clock.now() - timedelta(days=1), clock.now()), [first])
        runner.send([trial])
        assert runner.wait_gone([trial], 600)
        assert first.is_gone


@pytest.mark.parametrize("refused", ["all", "with a DueDate that has passed"])
def test_tasks_that_cannot_be_made(refused: str) -> None:
    """Where the account makes no task, or none that is due already, the other kinds are asked about all the same."""
    with SimulatedAccount() as account:
        create = account.account.create_task

        def refusing(lead_id: str, new: Any) -> str:
            if refused == "all" or new.due_date < account.time.now():
                raise ApiError(500, "MXInvalidInputException", "Invalid DueDate")
            return create(lead_id, new)

        account.account.create_task = refusing  # type: ignore[method-assign]
        result = account.check(stage=NOT_GIVEN, owner=NOT_GIVEN)
    told = {one.name: one for one in result.questions}
    assert (told["activity_date"].found, told["note_date"].found) == ("CreatedOn", "CreatedOn")
    if refused == "all":
        assert "none could be made: HTTP 500" in told["task_reset"].saw
        assert "task_date" not in told
    else:
        assert (told["task_date"].found, told["task_from_second"].found) == ("CreatedOn", "goes")


def test_wrong_keys_end_the_check() -> None:
    """Wrong keys end the check before anything is made."""
    with SimulatedAccount() as account:
        account.client._transport.keys = "wrong", "keys"  # type: ignore[attr-defined]
        with pytest.raises(AccessError):
            account.check()
        assert [call.path for call in account.account.calls] == ["Authentication.svc/UserByAccessKey.Get"]


def test_account_without_a_code() -> None:
    """What was found of an account that does not tell its code is no extra that anyone would take."""
    with SimulatedAccount(moves_last_modified=["note"]) as account:
        account.account.set_user(org_short_code="")
        result = account.check(**LESS)
    with pytest.raises(InputError, match="has '' as account"):
        parse_account_findings(result.account_check, today=result.checked_on)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(None, "could not be told"), (True, "yes"), (False, "no"), (12.5, "12.5 s"), ("goes", "goes")],
)
def test_verdicts_in_words(found: Any, verdict: str) -> None:
    """A finding reads as a person would say it, and what could not be told is not kept."""
    one = CheckedQuestion("name", "?", "did", "saw", "control", found)
    assert one.verdict == verdict
    result = AccountCheckResult("LSQ", "host", "lead", date(2026, 11, 1), 600, [one])
    assert result.account_check["found"] == ({} if found is None else {"name": found})


def test_code_without_a_list_of_types() -> None:
    """Where the list of types cannot be read, a code known as LeadSquared's own is refused, another is taken."""
    with SimulatedAccount(types_api=False) as account, pytest.raises(InputError, match="no custom activity"):
        account.check(activity_event=3002)
    assert CODE == 201
