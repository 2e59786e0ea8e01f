"""The account check asked about several event codes: what is found of each, and what is found of all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_leadreset.emulator.http.replies import ApiError
from airflow_provider_leadreset.emulator.store.accepted_reset import Reset
from airflow_provider_leadreset.emulator.store.entities import Activity
from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedActivity
from airflow_provider_leadreset.leadsquared.account_check.date_question import date_of_all
from airflow_provider_leadreset.leadsquared.account_check.own_lead import OwnLead
from airflow_provider_leadreset.leadsquared.api.account_findings import parse_account_findings
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from support.account_truth import judge
from support.simulated_account import CODE, OTHER_CODE, SimulatedAccount

THIRD = 203
CODES = (CODE, OTHER_CODE, THIRD)


def check(account: SimulatedAccount, **asked: Any) -> AccountCheckResult:
    account.account.add_activity_type(THIRD, "Call back")
    return account.check(**{"activity_event": CODES, "stage": NOT_GIVEN, "owner": NOT_GIVEN} | asked)


def found_of(result: AccountCheckResult) -> dict[str, Any]:
    return {one.name: one.found for one in result.questions}


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"still_events": [CODE]},
        {"still_events": [OTHER_CODE, THIRD]},
        {"still_events": CODES},
        {"still_events": CODES, "moves_last_modified": ["activity", "note"]},
        {"still_events": [OTHER_CODE], "last_modified_lag": 60},
        {"still_events": [CODE], "replica_lag": 45},
        {"still_events": [CODE, THIRD], "lost_resets": "one in ten"},
        {"still_events": [OTHER_CODE], "automation_every": 400},
        {"still_events": [OTHER_CODE], "mirror_rows": True},
        {"still_events": [THIRD], "activity_date": "ModifiedOn"},
        {"still_events": [THIRD], "activity_time_sets": "CreatedOn"},
    ],
    ids=json.dumps,
)
def test_each_code_is_told_rightly(way: dict[str, Any]) -> None:
    """Where only some event codes move LeadLastModifiedOn, each is told as it is, or none where that cannot be seen."""
    with SimulatedAccount(**way) as account:
        result = check(account)
    told = judge(result, account.account.dialect, 2.0, CODES)
    assert told.wrong == {}
    found = found_of(result)
    still = set(way.get("still_events", ()))
    # That something does not move it is told only where something else was seen to.
    can_be_told = "automation_every" not in way and (still < set(CODES) or "moves_last_modified" in way)
    for code in CODES:
        wanted = ("does not move" if code in still else "moves") if can_be_told else None
        assert found[f"last_modified_activity_{code}"] == wanted
    assert found["activity_date"] == way.get("activity_date", "CreatedOn")
    left = account.account.remaining(result.lead)
    assert [left[kind] for kind in ("activities", "tasks", "notes")] == [[], [], []]


@pytest.mark.parametrize("moves", [(), ("note",)])
def test_still_codes_take_one_watch(moves: tuple[str, ...]) -> None:
    """While nothing was seen to move it, each code is watched once; asked again after all else, if something moved."""
    passed = {}
    for codes in ((CODE,), CODES):
        with SimulatedAccount(moves_last_modified=moves) as account:
            result = check(account, activity_event=codes, task_type=NOT_GIVEN)
            passed[codes] = account.time.passed
        for code in codes:
            (told,) = (one for one in result.questions if one.name == f"last_modified_activity_{code}")
            if moves:
                assert (told.found, told.saw) == ("does not move", "it moved 0 of 3 times")
            else:
                assert told.found is None
                assert told.saw.startswith("it moved 0 of 1 times, and was not asked again")
    # What is asked of each beside takes seven minutes, and ten more where it is told.
    each = (passed[CODES] - passed[CODE,]) / 2 / 60
    assert 20 < each < 20 + 7 + 12 * bool(moves)


def test_codes_are_kept() -> None:
    """What is kept of one code has the form that it has of several: each has its line."""
    kept = {}
    for codes in ((CODE,), CODES):
        with SimulatedAccount() as account:
            result = check(account, activity_event=codes)
        kept[codes] = parse_account_findings(result.account_check, today=result.checked_on).found
    lines = {code: f"last_modified_activity_{code}" for code in CODES}
    assert {name for name in kept[CODES] if name.startswith("last_modified_activity")} == set(lines.values())
    assert (kept[CODE,]["activity_codes"], kept[CODES]["activity_codes"]) == ("201", "201, 202, 203")
    assert set(kept[CODES]) - set(kept[CODE,]) <= {lines[OTHER_CODE], lines[THIRD]}


def test_codes_that_are_alone() -> None:
    """Without notes and tasks, activities of one event are the bystanders of another's resets."""
    with SimulatedAccount(notes_api=False) as account:
        result = check(account, task_type=NOT_GIVEN)
    assert judge(result, account.account.dialect, 2.0, CODES).wrong == {}
    assert found_of(result)["activity_date"] == "CreatedOn"
    (told,) = (one for one in result.questions if one.name == "activity_date")
    assert "bystanders (activity of event 202) lay in the windows" in told.control


@pytest.mark.parametrize("notes", [True, False])
def test_bystanders_are_called_what_they_are(notes: bool) -> None:
    """A text about bystanders tells what they are, or that there were none."""
    with SimulatedAccount(notes_api=notes) as account:
        result = check(account, activity_event=CODE, task_type=NOT_GIVEN)
    (told,) = (one for one in result.questions if one.name == "activity_date")
    said = (
        "bystanders (note) lay in the windows"
        if notes
        else "there were no bystanders, as nothing else was asked about"
    )
    assert said in told.control


def test_dates_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another date decides of another event code, no date is told of activities."""
    covers = Reset.covers

    def by_code(self: Reset, record: Any, date: str, dialect: Any) -> bool:
        of_other = isinstance(record, Activity) and record.code == OTHER_CODE
        return covers(self, record, "ModifiedOn" if of_other else date, dialect)

    monkeypatch.setattr(Reset, "covers", by_code)
    with SimulatedAccount() as account:
        result = check(account)
    told = {one.name: one for one in result.questions}
    assert told["activity_date"].found is None
    saw = told["activity_date"].saw
    assert "activity of event 201: gone were those in the window by CreatedOn" in saw
    assert "activity of event 202: gone were those in the window by ModifiedOn" in saw
    assert saw.endswith("that is not the same of each")
    assert {"activity_date", "activity_codes"}.isdisjoint(result.account_check["found"])
    assert [one.name for one in result.questions].count("activity_date") == 1


def test_resets_that_take_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an account that does not heed which events a reset names, no date is told where nothing but activities is."""
    with SimulatedAccount(notes_api=False) as account:
        enqueue = account.account.enqueue

        def all_events(reset: Reset) -> None:
            enqueue(
                Reset(
                    reset.lead_id, frozenset(CODES), frozenset(), frozenset(), False, reset.start, reset.end
                )
            )

        monkeypatch.setattr(account.account, "enqueue", all_events)
        result = check(account, task_type=NOT_GIVEN)
    told = {one.name: one for one in result.questions}
    assert told["activity_date"].found is None, told["activity_date"].saw
    assert "bystanders went too" in told["activity_date"].saw
    assert "bystanders (activity of event 202) went too" in told["activity_from_second"].saw


@pytest.mark.parametrize("refused", [CODE, OTHER_CODE])
def test_a_code_that_cannot_be_made(refused: int) -> None:
    """An event whose activities the account does not make is told as such, and the others are asked about."""
    with SimulatedAccount() as account:
        create = account.account.create_activity

        def refusing(lead_id: str, code: int, *given: Any, **named: Any) -> str:
            if code == refused:
                raise ApiError(500, "MXInvalidInputException", "Mandatory field is missing")
            return create(lead_id, code, *given, **named)

        account.account.create_activity = refusing  # type: ignore[method-assign]
        result = check(account)
    told = {one.name: one for one in result.questions}
    assert "none could be made: HTTP 500" in told[f"activity_{refused}_reset"].saw
    assert f"last_modified_activity_{refused}" not in told
    assert (told["activity_date"].found, told["activity_from_second"].found) == ("CreatedOn", "goes")
    assert told["activity_codes"].found == ", ".join(str(code) for code in CODES if code != refused)
    assert told["mirror_rows"].found is False
    for code in set(CODES) - {refused}:
        assert told[f"last_modified_activity_{code}"].found == "moves"


def test_a_code_that_is_not_there() -> None:
    """One code of several that is no custom activity is named, and nothing is made."""
    with SimulatedAccount() as account:
        with pytest.raises(InputError, match="activity_event is 22, which is no custom activity"):
            check(account, activity_event=[CODE, 22])
        assert account.account.leads()[1:] == []


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((None,), "that could not be told of each"),
        (("ModifiedOn",), "that is not the same of each"),
        (("ModifiedOn", None), "that is not the same of each"),
    ],
)
def test_why_no_date_is_told_of_all(others: tuple[str | None, ...], said: str) -> None:
    """That codes differ is said only where it was seen: of one it may merely not have been told."""
    with SimulatedAccount() as account:
        lead = OwnLead.create(account.client, "")
        kinds = [CheckedActivity(account.client, lead, code, CODES) for code in CODES]
    answers = [
        CheckedQuestion("activity_date", "?", "did", "saw", "control", one) for one in ("CreatedOn", *others)
    ]
    told = date_of_all(list(zip(kinds, answers, strict=False)))
    assert told.found is None
    assert told.saw.endswith(f"; {said}")
