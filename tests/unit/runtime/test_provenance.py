"""Whether who approved also started the run: by all that is known of them."""

from __future__ import annotations

import time

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
        ({"id": 17, "displayName": "asha"}, "asha"),
        ({"id": "u1", "email_address": "asha@example.com"}, "asha@example.com"),
        ({"person": {"login": "asha"}, "active": True}, "asha"),
        ("Rao, Asha <asha@example.com>", "asha@example.com"),
        ("Asha Rao asha@example.com", "Asha@example.com"),
        ("[mailto:asha@example.com]", "asha@example.com"),
        ("asha, meera", "asha"),
        ("meera; asha", "asha"),
        ("Meera and Asha", "asha"),
        ("asha (Asha Rao)", "asha"),
    ],
)
@pytest.mark.parametrize("key", ["by", "responded_by_user"])
def test_same_person(by, started, key):
    """One name, id or e-mail address that is the same is enough, whatever letter case and blanks."""
    assert approver_is_trigger({key: by}, Trigger(user=started)) is True
    assert approver_is_trigger([{key: "meera"}, {key: by}], Trigger(user=started)) is True


@pytest.mark.parametrize(
    "by",
    [
        "meera",
        {"id": 18, "self": "https://jira.example.com/asha"},
        {"name": "Meera <meera@example.com>"},
        ["meera", "Ravi"],
        "Ashanti",
        {"name": "Meera", "of": None, "active": True},
    ],
)
def test_another_person(by):
    """What tells no person, such as the address of a page, is not compared."""
    assert approver_is_trigger({"by": by}, Trigger(user="asha")) is False


@pytest.mark.parametrize(
    "approval",
    [
        None,
        {"approved": True},
        {"by": True},
        {"by": {"self": "https://x/asha"}},
        {"by": ["meera", {"active": True}]},
        [{"by": "meera"}, {"by": {}}],
        [{"by": "meera"}, {"approved": True}],
        "asha",
    ],
)
def test_nobody_known(approval):
    """Nothing is said where either is not known, or one of several approvers is not."""
    assert approver_is_trigger(approval, Trigger(user="asha")) is None
    assert approver_is_trigger({"by": "asha"}, Trigger()) is None
    assert approver_is_trigger({"by": "asha"}, Trigger(user=" ")) is None


def test_several_approvers_of_one_name():
    """Of several approvers one that is who started the run is enough, even beside one who is not told."""
    approval = [{"by": {"active": True}}, [{"by": {"displayName": "asha"}}], {"by": "meera"}]
    assert approver_is_trigger(approval, Trigger(user="asha")) is True


@pytest.mark.parametrize("part", ["a", "@", "a@", ", ", "and ", "a@b.c ", "<"])
def test_long_text_takes_linear_time(part):
    """What somebody wrote as a name is compared in linear time."""
    began = time.thread_time()
    approver_is_trigger({"by": part * 50_000}, Trigger(user="asha"))
    assert time.thread_time() - began < 5
