from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.errors import InputError, UnavailableError
from airflow_provider_leadreset.leadsquared.records import catalog
from support.answering import ACCESS, SECRET, Answering, Request, client_of, http

LIST = "3f2504e0-4f89-11d3-9a0c-0305e82c3300"
SEARCH = "BySearchParameter"


@pytest.fixture(scope="module")
def shared() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, access_key=ACCESS, secret_key=SECRET) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared: LeadSquaredEmulator) -> LeadSquaredEmulator:
    shared.forget()
    return shared


def guid(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def members(*pages: Any) -> Any:
    """Answer as the API does: the list exists, then page after page of its members."""

    def answer(request: Request) -> bytes:
        if "Lists.Get" in request.line:
            return http(200, json.dumps([{"ListId": LIST}]))
        page = json.loads(request.body)["Paging"]["PageIndex"]
        return http(200, json.dumps(pages[min(page, len(pages)) - 1]))

    return answer


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"LeadPropertyList": [{"Attribute": "ProspectID", "Value": guid(number)}]} for number in numbers]


# -- members of a list ----------------------------------------------------------------------------------------


def test_list_read_completely(emulator: LeadSquaredEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is read to its end, page by page."""
    monkeypatch.setattr(catalog, "PAGE", 3)
    leads = [emulator.add_lead() for _ in range(8)]
    emulator.add_lead()
    for _ in range(250):  # more than one page of lists
        emulator.add_list("another", [])
    wanted = emulator.add_list("to reset", leads)
    assert sorted(catalog.list_members(client_of(emulator.url), wanted.upper())) == sorted(leads)
    assert [call.path.rpartition("/")[2] for call in emulator.calls].count(SEARCH) == 3


def test_list_id_as_uuid(emulator: LeadSquaredEmulator) -> None:
    """A list ID may be a UUID object."""
    lead = emulator.add_lead()
    wanted: Any = uuid.UUID(emulator.add_list("to reset", [lead]))
    assert catalog.list_members(client_of(emulator.url), wanted) == [lead]


def test_empty_list(emulator: LeadSquaredEmulator) -> None:
    """An empty list has no members."""
    assert catalog.list_members(client_of(emulator.url), emulator.add_list("empty", [])) == []


def test_unknown_list_refused(emulator: LeadSquaredEmulator) -> None:
    """An unknown list is an error, and no search is made."""
    for number in range(201):
        emulator.add_list(f"another {number}", [])
    with pytest.raises(InputError, match=f"no list '{LIST}'"):
        catalog.list_members(client_of(emulator.url), LIST)
    assert emulator.calls
    assert not [call for call in emulator.calls if SEARCH in call.path]


@pytest.mark.parametrize("value", [None, "", "None", "All leads", LIST[:-1], f" {LIST}", 5])
def test_invalid_list_id_refused(emulator: LeadSquaredEmulator, value: Any) -> None:
    """A list ID that is not a GUID is refused before any call."""
    with pytest.raises(InputError, match="list_id"):
        catalog.list_members(client_of(emulator.url), value)
    assert not emulator.calls


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([{"RecordCount": 3, "Leads": rows(1, 2)}, {"RecordCount": 3, "Leads": rows(3)}], [1, 2, 3]),
        ([{"RecordCount": "2", "Leads": rows(1, 2)}], [1, 2]),
        ([{"RecordCount": 2, "Leads": [{"ProspectId": guid(1)}, {"prospectid": guid(2), "x": 1}]}], [1, 2]),
        # No count: read on until a page brings nothing new.
        ([{"Leads": rows(1, 2)}, {"Leads": rows(3)}, {"Leads": []}], [1, 2, 3]),
        ([{"RecordCount": None, "Leads": rows(1)}, {"Leads": rows(1)}], [1]),
        # Rows move while the list is read.
        (
            [
                {"RecordCount": 4, "Leads": rows(1, 2)},
                {"RecordCount": 4, "Leads": rows(2, 3)},
                {"Leads": rows(4)},
            ],
            [1, 2, 3, 4],
        ),
        ([{"RecordCount": 0, "Leads": []}], []),
    ],
)
def test_member_formats(pages: list[Any], expected: list[int]) -> None:
    """Members are read in either format, with or without a count."""
    with Answering(members(*pages)) as server:
        assert catalog.list_members(client_of(server.url), LIST) == list(map(guid, expected))


def test_member_spellings_merged() -> None:
    """Two spellings of one member's ID are one lead."""
    page = {"RecordCount": 2, "Leads": [{"ProspectID": guid(1)}, {"ProspectID": guid(1).upper()}]}
    with Answering(members(page)) as server:
        assert catalog.list_members(client_of(server.url), LIST) == [guid(1)]


def test_shrinking_list_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A list that shrinks while it is read is logged."""
    with (
        Answering(
            members({"RecordCount": 3, "Leads": rows(1, 2)}, {"RecordCount": 3, "Leads": []})
        ) as server,
        caplog.at_level(logging.WARNING),
    ):
        assert len(catalog.list_members(client_of(server.url), LIST)) == 2
    assert "read 2 of 3 members" in caplog.text


@pytest.mark.parametrize(
    "page",
    [
        [],
        rows(1),
        {},
        {"RecordCount": 5},
        {"RecordCount": 5, "List": rows(1)},
        {"RecordCount": 5, "Leads": None},
        {"RecordCount": 5, "Leads": []},
        {"RecordCount": 1, "Leads": [None]},
        {"RecordCount": 1, "Leads": ["x"]},
        {"RecordCount": 1, "Leads": [{}]},
        {"RecordCount": 1, "Leads": [{"ProspectID": None}]},
        {"RecordCount": 1, "Leads": [{"ProspectID": "lead-7"}]},
        {"RecordCount": 1, "Leads": [{"LeadPropertyList": [None]}]},
        {"RecordCount": 1, "Leads": [{"LeadPropertyList": [{"Value": guid(1)}]}]},
        {"RecordCount": 1, "Leads": [{"LeadPropertyList": []}]},
    ],
    ids=lambda page: json.dumps(page)[:60],
)
def test_unreadable_members_refused(page: Any) -> None:
    """An answer without readable members does not count as an empty list."""
    with Answering(members(page)) as server, pytest.raises(UnavailableError):
        catalog.list_members(client_of(server.url), LIST)


# -- types ----------------------------------------------------------------------------------------------------


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
        ([{}], None),
        ([{"ActivityEvent": None}], None),
        ([{"ActivityEvent": "x"}], None),
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


def test_task_type_without_id() -> None:
    """A task type without an ID makes the answer unreadable."""
    with Answering(http(200, '[{"Name": "b"}]')) as server, pytest.raises(UnavailableError):
        catalog.task_types(client_of(server.url))
