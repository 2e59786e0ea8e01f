"""The account check in each way in which an account may behave, one at a time, with its time compressed."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
from support.account_truth import SINGLES, judge, truth, untold
from support.simulated_account import CODE, TASK_TYPE, SimulatedAccount

HARD: list[dict[str, Any]] = [
    {"replica_lag": 45, "lost_resets": "one in ten"},
    {"automation_every": 900, "moves_last_modified": ["note"]},
    {"task_date": "DueDate", "unknown_types": "in vain"},
    {"activity_time_sets": "CreatedOn", "activity_date": "ModifiedOn"},
    {"activity_time_sets": "CreatedOn", "activity_date": "ActivityDateTime"},
    {"fractions": "dropped", "fractions_kept": False, "to_included": False},
]
"""Two at once that could be mistaken for something else; all pairs are tried by make account-check."""


def checked(way: dict[str, Any]) -> tuple[SimulatedAccount, AccountCheckResult]:
    return _checked(json.dumps(way))


@cache
def _checked(way: str) -> tuple[SimulatedAccount, AccountCheckResult]:
    with SimulatedAccount(**json.loads(way)) as account:
        return account, account.check()


@pytest.mark.parametrize("way", [*SINGLES, *HARD], ids=json.dumps)
def test_nothing_is_told_wrongly(way: dict[str, Any]) -> None:
    """Of an account that behaves in some way, no question is answered wrongly, and none is left that could be."""
    account, result = checked(way)
    told = judge(result, account.account.dialect, way.get("queue_delay", 2.0))
    assert told.wrong == {}
    if way in HARD:
        assert len(told.right) >= 20, told.not_told
    else:
        assert set(told.not_told) == untold(account.account.dialect)
    assert_only_own_lead(account, result)


def assert_only_own_lead(account: SimulatedAccount, result: AccountCheckResult) -> None:
    """Hold every write to the lead of the check, and a stranger's records to what they were."""
    creating = ("Create", "Update", "Lead.Reset", "CreateNote", "UpdateNote")
    writes = [call for call in account.account.calls if call.path.endswith(creating)]
    named = {call.prospect_id for call in writes if not call.path.endswith("Lead.Create")}
    assert len(writes) > 30
    assert named <= {result.lead, None}
    assert all(call.prospect_id == result.lead for call in account.account.resets)
    stranger = account.account.remaining(account.stranger)
    assert [len(stranger[kind]) for kind in ("activities", "notes")] == [1, 1]


def test_most_is_found_of_a_usual_account() -> None:
    """Of an account that behaves as most do, all is found but what cannot be told apart."""
    account, result = checked({})
    names = {one.name for one in result.questions if one.found is None}
    assert names == untold(account.account.dialect)
    found = {one.name: one.found for one in result.questions if one.found is not None}
    right = truth(account.account.dialect)
    assert {name: found[name] for name in right if name in found} == {
        name: right[name] for name in right if name not in names
    }
    left = account.account.remaining(result.lead)
    assert [left[kind] for kind in ("activities", "tasks", "notes")] == [[], [], []]
    assert account.account.lead(result.lead).stage == "Prospect", "changed back"
    assert account.account.lead(result.lead).owner_id == account.account.user_id


@pytest.mark.parametrize(
    ("way", "name", "found"),
    [
        ({"update_calls": False}, "activity_date", None),
        ({"update_calls": False, "activity_date": "ActivityDateTime"}, "activity_date", "ActivityDateTime"),
        ({"activity_time_sets": "CreatedOn"}, "activity_date", "CreatedOn"),
        ({"task_date": "DueDate"}, "task_date", "DueDate"),
        ({"note_date": "ModifiedOn"}, "note_date", "ModifiedOn"),
        ({"fractions_shown": False}, "activity_to_second", None),
        ({"fractions": "dropped"}, "activity_to_second", "goes"),
        ({"fractions": "dropped", "from_included": False}, "activity_from_second", "stays"),
        ({"unknown_types": "in vain"}, "unknown_event_code", "in vain"),
        ({"system_events": "refused"}, "system_event_code", "refused"),
        ({"audits_shown": False}, "stage_audits", "not shown"),
        ({"moves_last_modified": []}, "last_modified_note", None),
        ({"moves_last_modified": ["note"]}, "last_modified_note", "moves"),
        ({"moves_last_modified": ["note"]}, "last_modified_reset", "does not move"),
        ({"automation_every": 80}, "last_modified_activity_201", None),
        ({"last_modified_lag": 200}, "last_modified_activity_201", "moves"),
        ({"last_modified_zone": "Asia/Kolkata"}, "last_modified_zone", "not UTC"),
    ],
)
def test_what_is_told_and_what_is_not(way: dict[str, Any], name: str, found: str | None) -> None:
    """What can be seen is told, and what two behaviours would show alike is not."""
    _, result = checked(way)
    (one,) = [one for one in result.questions if one.name == name]
    assert one.found == found
    assert one.verdict == (found or "could not be told")


def test_a_cleaner_beside_the_check() -> None:
    """Where something else deletes what is in a window, no date and no bound is told."""
    with SimulatedAccount() as account:
        crm = account.account
        enqueue = crm.enqueue

        def take_all(reset: Any) -> None:
            enqueue(
                dataclasses.replace(
                    reset, event_codes=frozenset({CODE}), task_types=frozenset({TASK_TYPE}), notes=True
                )
            )

        crm.enqueue = take_all  # type: ignore[method-assign]
        result = account.check()
    found = {one.name: one.found for one in result.questions}
    assert [found[f"{kind}_date"] for kind in ("activity", "task", "note")] == [None, None, None]
    assert found["task_from_second"] is None


def test_a_cleaner_of_one_kind() -> None:
    """Where activities go by themselves, nothing is told of what a reset does to them."""
    with SimulatedAccount() as account:
        find = account.account.find_lead

        def tidied(lead_id: str) -> Any:
            lead = find(lead_id)
            if lead is not None and lead.id != account.stranger:
                # After the first resets: those seem to work.
                old = account.time.now() - timedelta(minutes=8)
                lead.activities = [one for one in lead.activities if one.created_on > old]
            return lead

        account.account.find_lead = tidied  # type: ignore[method-assign]
        result = account.check()
    told = {one.name: one for one in result.questions}
    for name in ("activity_date", "activity_from_second", "activity_to_second", "activity_fractions"):
        assert told[name].found is None, told[name].saw
    assert "no reset reached went too" in told["activity_to_second"].saw
    assert told["note_date"].found is None, "its bystanders were activities"
    assert told["unknown_task_type"].found == "ignored"
