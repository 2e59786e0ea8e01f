"""The members of a list are read whole, or not at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.errors import InputError, UnavailableError
from airflow_provider_leadreset.leadsquared.records import lead_lists
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


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"LeadPropertyList": [{"Attribute": "ProspectID", "Value": guid(number)}]} for number in numbers]


def members(*pages: Any, **listed: Any) -> Any:
    """Answer as the API does: the list exists, then page after page of its members, and nothing after them."""
    shown = [row for page in pages if isinstance(page, dict) for row in page.get("Leads") or ()]
    listed = {"MemberCount": len(shown), "ListType": "static", **listed}

    def answer(request: Request) -> bytes:
        if "Lists.Get" in request.line:
            return http(200, json.dumps([{"ListId": LIST, "ListName": "A list", **listed}]))
        paging = json.loads(request.body)["Paging"]
        page, size = paging.get("PageIndex", 1), paging.get("PageSize", 1000)
        if size < 1000:  # whether paging has any effect is tried out with a part of the first page
            return http(200, json.dumps({"Leads": shown[(page - 1) * size : page * size]}))
        return http(200, json.dumps(pages[page - 1] if page <= len(pages) else {"Leads": []}))

    return answer


FIRST, SECOND = list(range(1, 26)), list(range(26, 31))


def test_list_read_completely(emulator: LeadSquaredEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is read to its end, page by page."""
    monkeypatch.setattr(lead_lists, "PAGE", 30)
    leads = [emulator.add_lead() for _ in range(80)]
    emulator.add_lead()
    for _ in range(250):  # more than one page of lists
        emulator.add_list("another", [])
    wanted = emulator.add_list("to reset", leads)
    assert sorted(lead_lists.list_members(client_of(emulator.url), wanted.upper())) == sorted(leads)
    assert [call.path.rpartition("/")[2] for call in emulator.calls].count(SEARCH) == 3


def test_list_id_as_uuid(emulator: LeadSquaredEmulator) -> None:
    """A list ID may be a UUID object."""
    lead = emulator.add_lead()
    wanted: Any = uuid.UUID(emulator.add_list("to reset", [lead]))
    assert lead_lists.list_members(client_of(emulator.url), wanted) == [lead]


def test_empty_list(emulator: LeadSquaredEmulator) -> None:
    """An empty list has no members."""
    assert lead_lists.list_members(client_of(emulator.url), emulator.add_list("empty", [])) == []


@pytest.mark.parametrize("lists", [0, 201])
def test_unknown_list_refused(emulator: LeadSquaredEmulator, lists: int) -> None:
    """An unknown list is an error, and no search is made."""
    for number in range(lists):
        emulator.add_list(f"another {number}", [])
    with pytest.raises(InputError, match=f"no list '{LIST}'"):
        lead_lists.list_members(client_of(emulator.url), LIST)
    assert emulator.calls
    assert not [call for call in emulator.calls if SEARCH in call.path]


@pytest.mark.parametrize("value", [None, "", "None", "All leads", LIST[:-1], f" {LIST}", 5])
def test_invalid_list_id_refused(emulator: LeadSquaredEmulator, value: Any) -> None:
    """A list ID that is not a GUID is refused before any call."""
    with pytest.raises(InputError, match="list_id"):
        lead_lists.list_members(client_of(emulator.url), value)
    assert not emulator.calls


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([{"RecordCount": 30, "Leads": rows(*FIRST)}, {"RecordCount": 30, "Leads": rows(*SECOND)}], 30),
        ([{"RecordCount": 25, "Leads": rows(*FIRST)}, {"RecordCount": 5, "Leads": rows(*SECOND)}], 30),
        ([{"RecordCount": "2", "Leads": rows(1, 2)}], 2),
        ([{"RecordCount": 2, "Leads": [{"ProspectId": guid(1)}, {"prospectid": guid(2), "x": 1}]}], 2),
        ([{"Leads": rows(*FIRST)}, {"Leads": rows(*SECOND)}], 30),
        ([{"Leads": rows(*FIRST)}], 25),
        ([{"RecordCount": None, "Leads": rows(1)}], 1),
        ([{"RecordCount": 0, "Leads": []}], 0),
    ],
)
def test_member_formats(pages: list[Any], expected: int) -> None:
    """Members are read in either format, with or without a count, and to their end."""
    with Answering(members(*pages)) as server:
        found = lead_lists.list_members(client_of(server.url), LIST)
    assert found == [guid(number) for number in range(1, expected + 1)]


def test_member_spellings_merged() -> None:
    """Two spellings of one member's ID are one lead."""
    page = {"RecordCount": 2, "Leads": [{"ProspectID": guid(1)}, {"ProspectID": guid(1).upper()}]}
    with Answering(members(page, MemberCount=1)) as server:
        assert lead_lists.list_members(client_of(server.url), LIST) == [guid(1)]


@pytest.mark.parametrize(
    ("listed", "given", "refused"),
    [
        ({"MemberCount": 10, "ListType": 0}, 10, False),
        ({"MemberCount": 30, "ListType": 0}, 10, True),
        ({"MemberCount": "10", "ListType": "Static"}, 11, True),
        ({"MemberCount": 10, "ListType": 1}, 25, False),
        ({"MemberCount": 0, "ListType": "Dynamic"}, 100, False),
        ({"MemberCount": 0, "ListType": "Dynamic"}, 101, True),
        ({"MemberCount": "1,000", "ListType": "Static List"}, 3, True),
        ({"MemberCount": "some", "ListType": 0}, 3, True),
        ({"MemberCount": None, "ListType": 0}, 3, True),
    ],
)
def test_size_from_another_source(listed: dict[str, Any], given: int, refused: bool) -> None:
    """What is read is held against the list's own count: a filter may have been ignored, a read may be short."""
    page = {"RecordCount": given, "Leads": rows(*range(given))}
    with Answering(members(page, **listed)) as server:
        client = client_of(server.url)
        if refused:
            with pytest.raises(UnavailableError, match=r"members|filter"):
                lead_lists.list_members(client, LIST)
        else:
            assert len(lead_lists.list_members(client, LIST)) == given


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
        {"RecordCount": 30, "Leads": rows(1, 2)},
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
    """An answer without readable members, or with fewer than it counts, does not count as a list."""
    with Answering(members(page)) as server, pytest.raises(UnavailableError):
        lead_lists.list_members(client_of(server.url), LIST)


@pytest.mark.parametrize("name", ["All Leads", "Starred Leads"])
def test_system_lists_refused(emulator: LeadSquaredEmulator, name: str) -> None:
    """LeadSquared's own lists are refused, and their members are not read."""
    (own,) = [one for one in emulator.system_lists() if one.name == name]
    emulator.add_lead()
    with pytest.raises(InputError, match=f"own list '{name}'"):
        lead_lists.list_members(client_of(emulator.url), own.id)
    assert not [call for call in emulator.calls if SEARCH in call.path]
