"""Who approved, in words, whatever keys a ticket system gives a person."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.safety.approval_text import approvals_for_log, describe_person


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("Asha", "Asha"),
        (17, "17"),
        (["Asha", {"name": "Meera"}], "Asha, Meera"),
        ({"id": 1, "name": "Asha", "email": "a@example.com"}, "Asha (id 1, a@example.com)"),
        (
            {"displayName": "Asha Rao", "accountId": "5b10", "emailAddress": "a@example.com", "active": True},
            "Asha Rao (id 5b10, a@example.com)",
        ),
        ({"display_value": "Asha Rao", "value": "6282", "link": "https://x/6282"}, "Asha Rao (id 6282)"),
        ({"username": "asha"}, "asha"),
        ({"user": {"real_name": "Asha", "id": "U1"}}, "Asha (id U1)"),
        ({"name": None, "login": "asha", "userId": 7}, "asha (id 7)"),
        ({"Email": "a@example.com"}, "a@example.com"),
        ({"id": "asha", "username": "asha"}, "asha"),
        ({"team": "sales"}, ""),
        ({"name": {"first": "Asha"}}, ""),
        (None, ""),
    ],
)
def test_person(who: Any, said: str) -> None:
    """Name, id and e-mail address are found under the keys of Airflow, Jira, ServiceNow, Slack and GitHub."""
    assert describe_person(who) == said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"at": "2026-10-01T12:30:00Z"}, " at 2026-10-01T12:30:00Z"),
        ({"approvedAt": "2026-10-01T12:30:00Z", "at": ""}, " at 2026-10-01T12:30:00Z"),
        ({"decided_at": 1795673400}, " at 2026-11-26T06:10:00+00:00"),
        ({"signed_off_at": "1795673400.000100"}, " at 2026-11-26T06:10:00+00:00"),
        ({"opened": "2026-10-01"}, ""),
    ],
)
def test_moment_in_the_log(answer: dict[str, Any], said: str) -> None:
    """The log says when, under whatever key the ticket says it."""
    assert approvals_for_log({"by": {"displayName": "Asha"}, **answer}, str) == [f"Approved by Asha{said}"]


def test_key_in_a_long_name() -> None:
    """A key is struck out before a long text is cut: of one that is cut, no part is left."""
    for filler in range(60, 210, 7):
        told = approvals_for_log({"by": filler * "x" + "s3cret"}, lambda text: text.replace("s3cret", "***"))
        assert "s3" not in told[0]
