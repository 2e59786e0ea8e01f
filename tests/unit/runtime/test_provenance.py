"""Whether who approved also started the run: by all that is known of them."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.journal.schema import Trigger
from airflow_provider_leadreset.runtime.provenance import approver_is_trigger


@pytest.mark.parametrize(
    ("by", "started"),
    [
        ("asha", " Asha "),
        ("STRASSE", "straße"),  # case-folded
        ({"id": "17", "name": "Asha"}, "17"),
        ({"id": 17, "name": "Asha"}, "17"),
        ({"name": "Asha Rao", "email": "Asha@Example.com"}, "asha@example.com"),
        ("Asha Rao <asha@example.com>", "asha@example.com"),
        ("Asha  Rao", "asha rao"),
        (["meera", "asha"], "asha"),
        ([{"name": "Asha"}], "asha"),
    ],
)
@pytest.mark.parametrize("key", ["by", "responded_by_user"])
def test_same_person(by, started, key):
    """One name, id or e-mail address that is the same is enough, whatever letter case and blanks."""
    assert approver_is_trigger({key: by}, Trigger(user=started)) is True
    assert approver_is_trigger([{key: "meera"}, {key: by}], Trigger(user=started)) is True


@pytest.mark.parametrize("by", ["meera", {"id": 18, "team": "asha"}, {"name": "Meera <meera@example.com>"}])
def test_another_person(by):
    """What tells no person is not compared."""
    assert approver_is_trigger({"by": by}, Trigger(user="asha")) is False


@pytest.mark.parametrize(
    "approval", [None, {"approved": True}, {"by": True}, {"by": {"team": "asha"}}, "asha"]
)
def test_nobody_known(approval):
    """Nothing is said where either is not known."""
    assert approver_is_trigger(approval, Trigger(user="asha")) is None
    assert approver_is_trigger({"by": "asha"}, Trigger()) is None
    assert approver_is_trigger({"by": "asha"}, Trigger(user=" ")) is None
