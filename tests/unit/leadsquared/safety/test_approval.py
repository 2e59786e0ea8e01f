from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.approval import (
    MOST_CHARACTERS,
    check_against_plan,
    checked_approval,
    refuse_for_lack_of_a_plan,
)
from airflow_provider_leadreset.leadsquared.safety.ticket_words import TIMES, plain_name

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


TICKET = {"approved": True, "by": "Asha", "ticket": "CRM-17"}


@pytest.mark.parametrize(
    "value",
    [
        TICKET,
        {
            "approved": True,
            "by": {"id": 7, "name": None},
            "count": 0,
            "labels": [],
            "note": "",
            "closed": None,
        },
        {"approved": True, "by": ["Asha", "Ravi"], "error": None, "errors": []},
        {"approved": True, "by": 17},
        {**TICKET, "status": "Approved", "rejected": False, "cancelled": None, "revoked": "no"},
        {**TICKET, "status": {"name": "Done", "id": "10"}, "approval": "APR-17", "is_approved": "true"},
        {
            **TICKET,
            "resolution": {"name": "Approved", "note": "no"},
            "isApproved": None,
            "result": "No objection",
        },
        {**TICKET, "status": "pending", "errors": 0, "rejected": [], "notes": "denied once before"},
        {
            **TICKET,
            "previous_state": "Rejected",
            "rejected_at": None,
            "rejectedBy": "",
            "revoked_by": "nobody",
        },
        {**TICKET, "status": "Approved, with reservations", "expired_on": "2099-01-01"},
        {"approved": True, "by": "Ravi Null"},
        {"approved": True, "by": "Anna/Asha"},
        [TICKET, {**TICKET, "by": "Ravi"}],
        [[TICKET]],
    ],
)
def test_ticket_kept(value):
    """A yes with somebody's name is kept as it is, with whatever else a ticket has to say."""
    assert checked_approval(value) == value
    assert checked_approval(json.dumps(value)) == value
    assert checked_approval(str(value)) == value


@pytest.mark.parametrize(
    "beside",
    [
        {"error_margin": 5},
        {"exception_granted_by": "Meera"},
        {"errors_found_by": "Ravi"},
        {"error_count": "0"},
        {"errorCode": "0"},
        {"exception": "N/A"},
        {"Error": "None."},
        {"hasError": "false"},
        {"error_status": "success"},
        {"exceptional": "yes"},
    ],
)
def test_harmless_words_beside_a_yes(beside):
    """What only looks like an error, or says that there was none, refuses no ticket."""
    assert checked_approval({**TICKET, **beside}) == {**TICKET, **beside}


def test_names_of_params_tell_nothing():
    """The DAG's own params may have any name; a template that was not rendered is found in them, too."""
    kept = checked_approval({**YES, "params_input": {"exceptions": "none of us", "error": {"error": 5}}})
    assert kept["params_input"]["exceptions"] == "none of us"
    with pytest.raises(InputError, match="a template that was not rendered"):
        checked_approval({**YES, "params_input": {"exceptions": ["{{ params.x }}"]}})
    with pytest.raises(InputError, match="nobody has said yes"):
        checked_approval({**TICKET, "params_input": {"error": "not found"}})


@pytest.mark.parametrize(
    "name",
    [
        *("ERROR", "errorMessage", "errorMessages", "error_message", "errormessage", "ErrorCode", "HasError"),
        *("ExceptionType", "MXExceptionMessage", "exception", "Error Details", "error-status-code", "errors"),
    ],
)
def test_names_of_failures(name):
    """A failure is found under the names that APIs give it, in any letters."""
    for said in ("E17", ["not found"], {"code": 404}, True, 404):
        with pytest.raises(InputError, match="nobody has said yes"):
            checked_approval({**TICKET, "looked_up": [{name: said}]})
    assert checked_approval({**TICKET, name: None})


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
        # Texts that were once taken for a yes.
        "CRM-17",
        "yes",
        "Approve",
        "Approved",
        "Not approved",
        "Unapproved",
        "Waiting for approval",
        "[CRM-17] approved by Asha",
        "{{ params.ticket }}",
        17,
        True,
        ["CRM-17", "CRM-18"],
        {"error": "404 not found"},
        {"error": "404 not found", "error_type": "unknown"},
        {"count": 0, "ticket": "CRM-1"},
        {"first": YES, "second": NO},
        {"approved": "True", "by": "Asha"},
        {"approved": 1, "by": "Asha"},
        {"approved": [True], "by": "Asha"},
        {"Approved": True, "by": "Asha"},
        {"approved": True},
        {"approved": True, "by": ""},
        {"approved": True, "by": " None "},
        {"approved": True, "by": None},
        {"approved": True, "by": True},
        {"approved": True, "by": 0},
        {"approved": True, "by": []},
        {"approved": True, "by": ["Asha", ""]},
        {"approved": True, "by": {}},
        {"approved": True, "by": {"id": None, "name": ""}},
        {"approved": True, "by": {"name": None, "href": "https://crm.example.com/users/7"}},
        {"approved": True, "by": "\u200b"},
        {"approved": True, "by": " - "},
        {"approved": True, "by": "None None"},
        {"approved": True, "by": "None, None"},
        {"approved": True, "by": "none/null"},
        {"approved": True, "by": "N/A"},
        {"approved": True, "by": "Unknown (n/a)"},
        {"approved": True, "by": ["Asha", "unknown"]},
        '{"approved": false, "approved": true, "by": "Asha"}',
        "{'approved': False, 'approved': True, 'by': 'Asha'}",
        '[{"approved": true, "by": "Asha", "ticket": {"state": 1, "state": 2}}]',
        {"approved": True, "by": "{{ params.who }}"},
        {**TICKET, "ticket": "{{ params.ticket }}"},
        {**TICKET, "ticket": {"lines": ["{% if x %}"]}},
        {**TICKET, "error": "404 not found"},
        {**TICKET, "answer": {"Errors": ["not found"]}},
        {**TICKET, "errorMessage": "404 not found"},
        {**TICKET, "error_description": "404 not found"},
        {**TICKET, "answer": {"exceptionText": "not found"}},
        {**YES, "error": "timed out"},
        {**TICKET, "Approved": False},
        {**TICKET, "APPROVED": "no"},
        '{"approved": true, "by": "Asha", "Approved": false}',
        {**TICKET, "status": "Rejected"},
        {**TICKET, "decision": "denied"},
        {**TICKET, "decision": "No"},
        {**TICKET, "decision": False},
        {**TICKET, "status": "Not approved"},
        {**TICKET, "Status": "NOT_APPROVED"},
        {**TICKET, "approval": "rejected"},
        {**TICKET, "approval": {"id": 5, "state": "Rejected"}},
        {**TICKET, "approval_status": "Rejected"},
        {**TICKET, "approvalState": {"value": "rejected", "display_value": "Rejected"}},
        {**TICKET, "status": {"name": "Rejected"}},
        {**TICKET, "resolution": {"id": "10001", "name": "Declined", "description": "by the board"}},
        {**TICKET, "is_approved": False},
        {**TICKET, "isApproved": "false"},
        {**TICKET, "State": "withdrawn."},
        {**TICKET, "revoked": True},
        {**TICKET, "is": "", "Cancelled": "yes"},
        {**YES, "status": "revoked"},
        *(
            {**TICKET, "status": said}
            for said in (
                *(
                    "Rejected by CAB",
                    "Closed - Rejected",
                    "Rejected: too long",
                    "Approval denied",
                    "No, thanks",
                ),
                *(
                    "Not yet approved",
                    "NOT APPROVED (yet)",
                    "Cannot approve",
                    "Can\u2019t approve",
                    "Won't Do",
                ),
                *("\uff32ejected", "Never", "N", ["Rejected", "Approved"], {"label": "Rejected"}, False),
            )
        ),
        {**TICKET, "final_decision": "Rejected"},
        {**TICKET, "requestStatus": "declined"},
        {**TICKET, "verdict": "no"},
        {**TICKET, "\uff21pproved": False},
        {**TICKET, "not_approved": True},
        {**TICKET, "isRejected": "yes"},
        {**TICKET, "rejected_by": "Meera"},
        {**TICKET, "revokedAt": "2026-10-02T00:00:00Z"},
        *({"approved": True, "by": by} for by in ("no one", "n.a.", "Not assigned", "\uff4eone", "0", "TBC")),
        {"approved": True, "by": "\u200b\u3164"},
        {"approved": True, "by": "TBD"},
        {"approved": True, "by": "(unassigned)"},
        {**YES, "approved": False},
        [TICKET, {**TICKET, "approved": False}],
        [TICKET, "CRM-18"],
        [TICKET, []],
        [[]],
        Mapped(),
        Mapped(TICKET, None),
    ],
)
def test_no_approval_refused(value):
    """A value that does not say that somebody said yes is refused."""
    with pytest.raises(InputError, match=r"nobody has said yes|a template that was not rendered"):
        checked_approval(value)


@pytest.mark.parametrize(
    "value",
    [
        NO,
        Mapped(YES, NO),
        [YES, NO],
        [TICKET, NO],
        {**TICKET, **NO},
        {**YES, "chosen_options": ["Approve", "Approve"]},
        {**YES, "chosen_options": ["approve"]},
        {**YES, "chosen_options": "Approve"},
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
        {**YES, "responded_by_user": {"active": "yes"}},
        {**YES, "responded_by_user": " "},
    ],
)
def test_approval_by_nobody_refused(value):
    """An approval that was given by nobody is refused."""
    with pytest.raises(InputError, match="by nobody"):
        checked_approval(value)


@pytest.mark.parametrize("by", [{"id": "1"}, {"name": "Asha"}, {"id": 7, "name": ""}, "asha", 7])
def test_person_by_id_or_name(by):
    """A person is told by id or by name."""
    assert checked_approval({**YES, "responded_by_user": by})["responded_by_user"] == by


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf")])
def test_non_json_refused(value):
    """A value that is not JSON cannot be kept and is refused."""
    with pytest.raises(InputError, match="no JSON value"):
        checked_approval({**TICKET, "ticket": value})


def test_long_approval_refused():
    """A ticket that is too long or too deep to be kept is refused."""
    with pytest.raises(InputError, match="characters as JSON"):
        checked_approval({**TICKET, "history": "x" * MOST_CHARACTERS})
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InputError, match="nested too deep"):
        checked_approval({**TICKET, "history": nested})


MADE = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
DIGEST = "0a1b2c3d" + "4" * 56


def against_plan(value: Any) -> None:
    check_against_plan(checked_approval(value), digest=DIGEST, finished_at=MADE)


@pytest.mark.parametrize(
    "value",
    [
        {**YES, "responded_at": MADE - timedelta(seconds=60)},
        {**YES, "responded_at": "2026-10-01T12:30:00Z"},
        {**YES, "responded_at": "2026-10-01T18:00:00+05:30"},
        {**TICKET, "at": "2026-10-01T12:30:00Z"},
        {**TICKET, "at": MADE},
        {**TICKET, "At": "2099-10-01T12:30:00Z"},
        # One without an offset may be of any time zone.
        {**TICKET, "at": "2026-10-01"},
        {**TICKET, "at": "2026-10-01 02:00:00"},
        {**TICKET, "at": None, "opened": "2020-01-01"},
        # Left empty, or seconds since 1970, as ticket systems give them.
        {**TICKET, "approved_at": "", "at": " "},
        {**TICKET, "approved_at": 1795673400},
        {**TICKET, "approvedAt": 1795673400.25},
        {**TICKET, "at": "1795673400.000100"},
        {**TICKET, "at": " 1795673400\n"},
        TICKET,
    ],
)
def test_answer_after_plan(value):
    """An answer that was given once the plan was there is about it."""
    against_plan(value)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the machine's time zone can be changed on POSIX only")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"])
def test_answer_in_no_time_zone(monkeypatch, zone):
    """A moment without an offset is as late as it can be meant anywhere, whatever the worker's own time zone is."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        against_plan({**TICKET, "at": "2026-10-01 00:00:00"})
        with pytest.raises(InputError, match="before the plan was finished"):
            against_plan({**TICKET, "at": "2026-09-30 23:58:00"})
        with pytest.raises(InputError, match="which is no moment"):
            against_plan({**YES, "responded_at": "2026-10-01T12:30:00"})
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "value",
    [
        {**YES, "responded_at": MADE - timedelta(seconds=61)},
        {**TICKET, "at": "2025-10-01"},
        {**TICKET, "at": "2025-10-01 10:00:00"},
        {**YES, "responded_at": "2025-11-01T12:00:00Z"},
        {**TICKET, "at": "2026-10-01T11:58:00+00:00"},
        {**TICKET, "At": "2025-10-01T12:00:00Z"},
        {**TICKET, "responded_at": "2025-10-01T12:00:00Z"},
        {**TICKET, "approved_at": 1577836800},
        {**TICKET, "approved_at": "1790855000.000100"},
        *(
            {**TICKET, name: "2025-10-01T12:00:00Z"}
            for name in (
                *("approved_at", "approvedAt", "Approved on", "answered-at", "signed_off_at"),
                *("approvedDate", "dateApproved", "approved_time", "approval_timestamp", "decidedOn"),
                *("approvedAtUtc", "decision_date", "responded_on", "granted_at", "\uff41t"),
            )
        ),
        {**TICKET, "at": "2026-10-01T12:30:00Z", "AT ": "2025-10-01T12:00:00Z"},
        [{**YES, "responded_at": MADE}, {**YES, "responded_at": MADE - timedelta(days=1)}],
    ],
)
def test_answer_before_plan_refused(value):
    """An answer that is older than the plan was about something else."""
    with pytest.raises(InputError, match="before the plan was finished"):
        against_plan(value)


def test_keys_of_a_moment_documented():
    """Each key under which a ticket says when is named in the list of errors, as people write it."""
    text = (Path(__file__).parents[4] / "docs/errors.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if "which is no moment" in line)
    assert {plain_name(name) for name in re.findall(r"`([a-z_]+)`", row)} >= TIMES


@pytest.mark.parametrize("at", [None, "", "soon", "2026-10-01T12:30:00", 1790000000])
def test_answer_without_moment_refused(at):
    """An answer of Airflow's that does not say when it was given proves nothing about a plan."""
    with pytest.raises(InputError, match="which is no moment"):
        against_plan({**YES, "responded_at": at})


@pytest.mark.parametrize(
    "at",
    [
        1577836800000,
        "1790856000000",
        "1790856000.",
        999_999_999,
        10**11,
        float("1e300"),
        5,
        True,
        "yesterday",
        "Thu, 02 Jan 2020 10:00:00 GMT",
        "2020-01-02 10:00 UTC",
        "01/02/2020 10:00",
        "0001-01-01",
        ["2026-10-01T12:30:00Z"],
        {"time": "2026-10-01T12:30:00Z"},
    ],
)
@pytest.mark.parametrize("name", ["at", "At", "responded_at"])
def test_ticket_with_unreadable_moment_refused(name, at):
    """A ticket need not say when; what it says and cannot be read may be from before the plan."""
    with pytest.raises(
        InputError,
        match=rf"the approval has {name}=.*, which is no moment.*Write it as ISO 8601 with its offset, \"2026-",
    ):
        against_plan({**TICKET, name: at})


COPIED = [
    f" {DIGEST[:8].upper()}\n",
    f"{DIGEST[:8]}\u2026",
    f"{DIGEST[:8]}...",
    f"`{DIGEST[:8]}`.",
    f"\u201c{DIGEST[:8]}\u2026\u201d",
    f"'{DIGEST[:12]}'",
    f"sha256:{DIGEST}",
    f"`SHA256: {DIGEST[:8]}`",
    f"\u200b{DIGEST[:8]}\u00a0",
]
"""How a digest looks that was copied from a log, a chat or a file of sums."""


@pytest.mark.parametrize("typed", [DIGEST[:8], DIGEST, *COPIED])
def test_typed_digest(typed):
    """What the approver typed, or copied, tells the plan."""
    against_plan({**YES, "responded_at": MADE, "params_input": {"digest": typed}})


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "\u2026",
        DIGEST[:7],
        f"{DIGEST[:7]}\u2026",
        "sha256:",
        "ffffffff",
        None,
        12345678,
        "sure",
        [DIGEST[:8]],
        f"{DIGEST[:8]}zzzz",
        f"{DIGEST}4",
    ],
)
def test_typed_digest_of_another_plan(typed):
    """An approver who typed something else looked at another plan."""
    answer = {**YES, "responded_at": MADE, "params_input": {"digest": typed}}
    with pytest.raises(InputError, match="the approver typed"):
        against_plan(answer)


@pytest.mark.parametrize("name", ["digest", "Plan digest", "plan_digest"])
def test_ticket_of_another_plan(name):
    """A ticket that says which plan it is about is about that one."""
    for said in (DIGEST, DIGEST[:8].upper(), None, "", " ", *COPIED):
        against_plan({**TICKET, name: said})
    for said in ("ffffffff", DIGEST[:7], "sha256:", "\u2026", 0, 17, f"{DIGEST}4", [DIGEST]):
        with pytest.raises(InputError, match=r"digest=.*another plan"):
            against_plan({**TICKET, name: said})


def test_typed_digest_without_plan():
    """An approval of a plan is none of a reset without one; any other is."""
    refuse_for_lack_of_a_plan(checked_approval([YES, TICKET]))
    with pytest.raises(InputError, match="and the reset has none"):
        refuse_for_lack_of_a_plan(checked_approval({**YES, "params_input": {"digest": DIGEST[:8]}}))
