from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.approval import checked_approval

YES = {
    "chosen_options": ["Approve"],
    "params_input": {},
    "responded_at": datetime(2026, 10, 1, tzinfo=UTC),
    "responded_by_user": {"id": "1", "name": "Asha"},
}
NO = {**YES, "chosen_options": ["Reject"]}
BY_NOBODY = {**YES, "responded_by_user": None}
"""What Airflow's own operator gives when the time is over and its default is Approve."""


class Mapped(Sequence[Any]):
    """Like the output of a mapped task."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]


@pytest.mark.parametrize(
    "value",
    [
        "CRM-17",
        "[CRM-17] approved by Asha",
        {"ticket": "CRM-17", "labels": [], "by": {"name": "Asha"}},
        17,
        True,
        ["CRM-17", "CRM-18"],
    ],
)
def test_meaningful_approval_kept(value):
    """Any approval that says something is kept as it is."""
    assert checked_approval(value) == value


def test_operator_answer_kept():
    """The answer of Airflow's own operator is kept, with who gave it and when."""
    kept = checked_approval(YES)
    assert (kept["responded_by_user"], kept["responded_at"][:10]) == (
        {"id": "1", "name": "Asha"},
        "2026-10-01",
    )
    assert checked_approval(Mapped(YES, YES)) == [kept, kept]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "None",
        "null",
        "False",
        "Reject",
        "no",
        "Denied",
        "cancelled",
        "0",
        "nan",
        "('Reject',)",
        "[]",
        [],
        {},
        False,
        0,
        [None],
        ["Reject"],
        [YES, None],
        "[None]",
        {"ticket": ""},
        "{'ticket': ''}",
        {"ticket": None, "by": "Asha"},
        {"approved": False},
        {"approved": "no"},
        {"approved": "denied"},
        {"ticket": "None"},
        {"ticket": {"id": " "}},
        {"tickets": ["CRM-17", ""]},
        {"tickets": ("CRM-17", "")},
    ],
)
def test_empty_approval_refused(value):
    """A value that says nothing, or no, is refused."""
    with pytest.raises(InputError, match="nobody has said yes"):
        checked_approval(value)


@pytest.mark.parametrize(
    "value",
    [
        NO,
        Mapped(YES, NO),
        [YES, NO],
        {"first": YES, "second": NO},
        '{"chosen_options": ["Reject"]}',
        "{'chosen_options': ['Reject'], 'responded_by_user': None}",
        str(YES),
    ],
)
def test_rejection_refused(value):
    """A rejection is refused in any format."""
    with pytest.raises(InputError, match=r"not Approve|cannot be read"):
        checked_approval(value)


@pytest.mark.parametrize(
    "value",
    [
        BY_NOBODY,
        {**YES, "timedout": True},
        Mapped(BY_NOBODY),
        {"chosen_options": ["Approve"], "params_input": {}},  # of the standard provider before 1.8
        {**YES, "responded_by_user": {"id": None, "name": None}},
        {**YES, "responded_by_user": {}},
    ],
)
def test_approval_by_nobody_refused(value):
    """An approval that was given by nobody is refused."""
    with pytest.raises(InputError, match="by nobody"):
        checked_approval(value)


@pytest.mark.parametrize("value", [b"CRM-17", float("nan"), {"ticket": object()}, {"ticket": float("inf")}])
def test_non_json_refused(value):
    """A value that is not JSON is refused."""
    with pytest.raises(InputError, match="no JSON value"):
        checked_approval(value)
