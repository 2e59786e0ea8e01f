"""What the account check is asked, and what it says that costs."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.account_check.check_options import (
    CheckOptions,
    cost_of,
    parse_check_options,
)
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from support.simulated_account import CODE, OTHER_CODE, SimulatedAccount

GUID = "1F0C6F5E-3b1d-4a57-9a44-0a6f3f1f7a01"
LIVE = "api-in21.leadsquared.com"


def test_what_is_given_is_parsed() -> None:
    """Values come as they are, or as the text of a template."""
    assert parse_check_options(host=LIVE) == CheckOptions()
    found = parse_check_options(
        lead=GUID,
        activity_event=" 201 ",
        task_type=" Call ",
        stage="Contacted",
        owner=GUID,
        patience=900,
        host=LIVE,
    )
    assert found == CheckOptions(GUID.lower(), (201,), "Call", "Contacted", GUID.lower(), 900)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (201, (201,)),
        ("201, 202", (201, 202)),
        ("[201, 202]", (201, 202)),
        ([202, "201", 202], (202, 201)),
        (range(201, 221), tuple(range(201, 221))),
    ],
)
def test_one_event_code_or_several(given: object, codes: tuple[int, ...]) -> None:
    """One code, a list of them or a template's text of one; each is asked about once, in the order given."""
    assert parse_check_options(activity_event=given, host=LIVE).activity_events == codes


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lead": "asha"}, "lead holds 'asha'|lead"),
        ({"lead": None}, "lead came to None"),
        ({"owner": ""}, "owner is ''"),
        ({"activity_event": None}, "activity_event came to None"),
        ({"activity_event": "call"}, "activity_event is 'call': give the code"),
        ({"activity_event": True}, "activity_event is True"),
        ({"activity_event": 0}, "activity_event is 0"),
        ({"activity_event": 10**9}, "activity_event is 1000000000"),
        ({"activity_event": [201, None]}, "an item of activity_event came to None"),
        ({"activity_event": []}, "activity_event has 0 event codes: give from 1 to 20"),
        ({"activity_event": range(1, 22)}, "activity_event has 21 event codes: give from 1 to 20"),
        ({"activity_event": ""}, "activity_event rendered to ''"),
        ({"task_type": None}, "task_type came to None"),
        ({"task_type": 5}, "task_type is 5"),
        ({"stage": " "}, "stage is ' '"),
        ({"patience": None}, "patience came to None"),
        ({"patience": True}, "patience is True"),
        ({"patience": 599}, "patience is 599: an account needs 600 seconds"),
        ({"patience": 90_000}, "patience is 90000: give seconds"),
        ({"patience": float("nan")}, "patience is nan"),
    ],
)
def test_bad_values_are_refused(given: dict[str, Any], message: str) -> None:
    """A value that cannot be what was meant is refused, quoted."""
    with pytest.raises(InputError, match=message):
        parse_check_options(**given, host=LIVE)


def test_less_patience_for_an_emulator() -> None:
    """Only an emulator on this machine may be asked with less patience."""
    for host in ("127.0.0.1:8790", "localhost"):
        assert parse_check_options(patience=5, host=host).patience == 5
    with pytest.raises(InputError, match="less is for an emulator"):
        parse_check_options(patience=5, host="127.0.0.1.example.com")


@pytest.mark.parametrize("calls_per_5s", [25, 5])
@pytest.mark.parametrize("left_out", [(), ("stage", "owner"), ("task_type", "stage", "owner")])
@pytest.mark.parametrize(("codes", "still"), [(1, []), (2, [OTHER_CODE]), (8, []), (2, [CODE]), (8, [CODE])])
def test_cost_is_what_it_takes(
    calls_per_5s: int, left_out: tuple[str, ...], codes: int, still: list[int]
) -> None:
    """Calls and minutes that are told beforehand are those that a usual account takes, by a fifth at most.

    A code that does not move LeadLastModifiedOn, before anything was seen to, costs one wait for stillness and one
    watch more, as long as the patience each.
    """
    with SimulatedAccount(calls_per_5s=calls_per_5s, still_events=still) as account:
        for code in range(CODE, CODE + codes):
            account.account.add_activity_type(code, f"Event {code}")
        asked = {
            "activity_event": range(CODE, CODE + codes),
            "task_type": "Follow-up call",
            "stage": "Contacted",
            "owner": account.other_user,
        } | dict.fromkeys(left_out, NOT_GIVEN)
        cost = cost_of(parse_check_options(**asked, host=account.client.host), calls_per_5s)
        account.check(**asked)
        calls, minutes = len(account.account.calls), account.time.passed / 60
    assert 0.85 * calls <= cost.calls <= 1.2 * calls
    longer = 2 * 600 / 60 if CODE in still else 0
    assert 0.85 * (minutes - longer) <= cost.minutes <= 1.2 * minutes
    assert cost.share == pytest.approx(cost.calls / 100, abs=0.1)
