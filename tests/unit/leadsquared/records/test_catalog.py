from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadRejectedError,
    OutageError,
    QuotaError,
    UnavailableError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records import catalog
from support.answering import ACCESS, SECRET, Answering, client_of, http


@pytest.fixture(scope="module")
def shared() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, access_key=ACCESS, secret_key=SECRET) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared: LeadSquaredEmulator) -> LeadSquaredEmulator:
    shared.forget()
    return shared


def test_account_types(emulator: LeadSquaredEmulator) -> None:
    """The account's activity types are given by code, and its task types by ID."""
    emulator.add_activity_type(166, "Site visit")
    kind = emulator.add_task_type("Call back")
    client = client_of(emulator.url)
    assert catalog.activity_types(client)[166] == "Site visit"
    assert catalog.task_types(client) == {kind: "Call back"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([], {}),
        ([{"ActivityEvent": "166"}], {166: ""}),
        (
            {"ActivityTypes": [{"ActivityEvent": 166, "ActivityEventName": "Visit"}], "RecordCount": 1},
            {166: "Visit"},
        ),
        ({"List": [], "Other": []}, None),
        ({"RecordCount": 1}, None),
        ("text", None),
        (5, None),
        ([None], None),
        (["x"], None),
        ([{}, {"ActivityEvent": None}, {"ActivityEvent": "x"}, {"ActivityEvent": 166}], {166: ""}),
    ],
    ids=str,
)
def test_activity_type_answers(answer: Any, expected: Any) -> None:
    """Activity types are read, or the answer is reported as unreadable."""
    with Answering(http(200, json.dumps(answer))) as server:
        client = client_of(server.url)
        if expected is None:
            with pytest.raises(UnavailableError):
                catalog.activity_types(client)
        else:
            assert catalog.activity_types(client) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"Id": "a", "Name": "b"}, {"a": "b"}),
        ({"TaskTypeId": "a", "TaskTypeName": "b"}, {"a": "b"}),
        ({"Id": "a"}, {"a": ""}),
    ],
)
def test_task_type_names(row: dict[str, str], expected: dict[str, str]) -> None:
    """Task types are read under either field name."""
    with Answering(http(200, json.dumps([row]))) as server:
        assert catalog.task_types(client_of(server.url)) == expected


def test_task_type_without_id(caplog: pytest.LogCaptureFixture) -> None:
    """A task type without an ID is passed over, with a warning: its name decorates."""
    with Answering(http(200, '[{"Name": "b"}, {"Id": "a", "Name": "c"}]')) as server:
        assert catalog.task_types(client_of(server.url)) == {"a": "c"}
    assert "no readable id" in caplog.text


# -- event codes ----------------------------------------------------------------------------------------------


TYPES = [
    {"ActivityEvent": 22, "ActivityEventName": "Site visit", "EventType": 2},
    {"ActivityEvent": 201, "ActivityEventName": "Demo", "EventType": "2"},
    {"ActivityEvent": 300, "ActivityEventName": "Ours", "EventType": 1},
    {"ActivityEvent": 23, "ActivityEventName": "Lead Capture"},
    {"ActivityEvent": 210, "ActivityEventName": "Call back"},
]


def test_the_accounts_list_decides() -> None:
    """Which codes are LeadSquared's own is told by the account's list, and by known codes where it does not say."""
    with Answering(http(200, json.dumps(TYPES))) as server:
        codes = catalog.sort_event_codes(client_of(server.url), [22, 201, 300, 23, 210, 3002, 999])
    assert codes.deletable == (22, 201, 210, 999)
    assert codes.system == (300, 23, 3002)
    assert codes.unknown == (999,)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        LeadRejectedError("no such call", status=404),
        AccessError("rights", status=403),
        UnreadableError("odd"),
    ],
)
def test_codes_without_a_list(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Where the list cannot be read, nothing fails: known codes decide, and none is called unknown."""
    client = client_of("api.example.com")

    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    client.call = refuse  # type: ignore[method-assign]
    codes = catalog.sort_event_codes(client, [22, 201, 3001])
    assert (codes.deletable, codes.system, codes.unknown) == ((201,), (22, 3001), ())
    assert "cannot be read, so only codes known" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("away"),
        OutageError("nothing answered"),
        QuotaError("used up"),
        AccessError("wrong keys", status=401),
        AccessError("wrong host", status=404),
    ],
)
def test_what_every_call_would_meet(error: Exception) -> None:
    """A list that may be had later is waited for, and with wrong keys or the wrong host no second call is made."""
    client = client_of("api.example.com")

    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    client.call = refuse  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        catalog.sort_event_codes(client, [201])
