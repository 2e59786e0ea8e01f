"""What the account's owner demands of every reset."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.rules import REQUIRABLE, AccountRules, parse_rules

ALL: dict[str, Any] = {"resets": True, "require": list(REQUIRABLE), "max_leads": 10_000}


@pytest.mark.parametrize("value", [None, "", "  ", {}, "{}", {"resets": True}, {"require": []}])
def test_no_rules(value):
    """Without rules everything is allowed."""
    rules = parse_rules(value)
    rules.check_arguments(())
    rules.check_leads(10**9)
    assert rules == AccountRules()
    assert rules.as_json() == {}


@pytest.mark.parametrize("value", [ALL, json.dumps(ALL), f" {json.dumps(ALL, indent=2)}\n", str(ALL)])
def test_rules_as_object_or_text(value):
    """Rules are an object, or the text that a form makes of one: JSON, or an object as Python shows it."""
    assert parse_rules(value) == AccountRules(True, REQUIRABLE, 10_000)


def test_rules_read_again():
    """Rules as they are kept are read as the same."""
    for value in (ALL, {"resets": False}, {"require": ["plan", "plan"], "max_leads": 0}):
        rules = parse_rules(value)
        assert parse_rules(rules.as_json()) == rules


@pytest.mark.parametrize(
    "value",
    [
        {"reset": False},
        {"Resets": False},
        {"max_lead": 5},
        {"require ": ["plan"]},
        {**ALL, "max_records": 5},
        {1: 2},
        '{"requires": ["plan"]}',
    ],
)
def test_unknown_rule_refused(value):
    """A rule that is not known is refused: a misspelt guard is none."""
    with pytest.raises(InputError, match="which is no rule; known are resets, require and max_leads"):
        parse_rules(value)


@pytest.mark.parametrize(
    "value",
    [
        *([], ["resets"], 0, 5, True, False, "true", "null", "[]", "resets: false", '{"resets": false'),
        '{"resets": false, "resets": true}',
        "{'resets': False, 'resets': True}",
        "{'resets': False} or {}",
    ],
)
def test_no_object_refused(value):
    """Rules that are no object are refused, whatever they are."""
    with pytest.raises(InputError, match="which is no object: write them like") as caught:
        parse_rules(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("resets", value) for value in (None, "false", "False", 0, 1, [])),
        *(
            ("require", value)
            for value in (None, "plan", {"plan": True}, ["plan", "approvals"], [True], [["plan"]])
        ),
        *(("max_leads", value) for value in (None, "100", True, -1, 1.5, [5])),
    ],
)
def test_value_of_a_rule_refused(name, value):
    """A rule with a value that it does not take is refused, naming it and quoting the value."""
    with pytest.raises(InputError, match=f"the connection's rules have {name}=") as caught:
        parse_rules({name: value})
    assert repr(value) in str(caught.value)


def test_stopped_resets():
    """A rule stops all resets, whatever they have."""
    with pytest.raises(InputError, match="stop every reset"):
        parse_rules({"resets": False}).check_arguments(REQUIRABLE)


@pytest.mark.parametrize("missing", REQUIRABLE)
def test_required_argument(missing):
    """A reset that has not all that is required is refused, naming what is missing."""
    rules = parse_rules(ALL)
    rules.check_arguments(REQUIRABLE)
    with pytest.raises(InputError, match=f"require {missing} of every reset: give it"):
        rules.check_arguments(set(REQUIRABLE) - {missing})
    with pytest.raises(InputError, match=r"require plan, approval, .* of every reset: give them"):
        rules.check_arguments(())


def test_most_leads():
    """A reset of more leads than the rules allow is refused."""
    rules = parse_rules({"max_leads": 2})
    rules.check_leads(2)
    with pytest.raises(InputError, match=r"3 leads given, more than the rules .*max_leads=2"):
        rules.check_leads(3)
