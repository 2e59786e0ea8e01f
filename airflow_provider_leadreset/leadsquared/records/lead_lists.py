"""The members of a list of the CRM, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import InputError, UnreadableError
from airflow_provider_leadreset.leadsquared.records.pages import PagedRead, Paging, PagingStyle, Row
from airflow_provider_leadreset.leadsquared.records.rows import field_of, id_of, whole_number
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

PAGE = 1000
"""Members asked for at once (seen in use; the most that is allowed is not documented)."""

LIST_ID = ("ListId", "ID")

_SYSTEM_LISTS = {"all leads", "starred leads"}
"""LeadSquared's own lists (documented among the others), told by their names: nothing else marks them."""

_STATIC = ("0", "static")
"""How a list says that it is static: a number is documented, text was seen."""


def list_members(
    client: LeadSquaredClient, list_id: str, on_page: Callable[[int, int | None], None] | None = None
) -> list[str]:
    """Return the lead ids of a list, read to its end: a dynamic list shrinks while its leads are reset.

    ``LeadManagement.svc/Leads/Retrieve/BySearchParameter`` (documented). What LeadSquared answers for a list
    that does not exist is unknown, a search without conditions is known to give every lead, and filters were seen
    to be ignored. So the list is looked up first, an unknown one is an error, and what is read is held against the
    list's own ``MemberCount``: a static list has as many members, a dynamic one, whose count may be old, not more
    than twice as many and 100.

    :param list_id: GUID of the list.
    :param on_page: told after each page how many members came so far, and how many the list says it has.
    :returns: the ids, each once, as the account spells them.
    :raises InputError: ``list_id`` is no GUID, or the account has no such list, or it is one of LeadSquared's own.
    :raises LeadSquaredError: as :meth:`.LeadSquaredClient.call`; ``UnreadableError`` for members that cannot be had
        whole.
    """
    list_id = parse_guid(list_id, "list_id")
    found = _find_list(client, list_id)

    def fetch(paging: Paging) -> object:
        return client.call(
            "POST",
            "LeadManagement.svc/Leads/Retrieve/BySearchParameter",
            body={
                "SearchParameters": {"ListId": list_id, "RetrieveBehaviour": "1"},
                "Columns": {"Include_CSV": "ProspectID"},
                "Sorting": {"ColumnName": "ProspectID", "Direction": "1"},
                "Paging": paging,
            },
        )

    read = PagedRead(
        client,
        "LeadManagement.svc/Leads/Retrieve/BySearchParameter",
        fetch,
        names=("Leads",),
        key=lambda row: _lead_id(row).lower(),
        size=PAGE,
    )
    announced = whole_number(field_of(found, "MemberCount"))

    def tell(rows: Mapping[Hashable, Row]) -> bool:
        if on_page:
            on_page(len(rows), announced)
        return False  # what is known to be all is told by the pages alone

    members = [_lead_id(row) for row in read.rows(tell)]
    _check_size(found, len(members))
    return members


def _find_list(client: LeadSquaredClient, list_id: str) -> Row:
    def fetch(paging: Paging) -> object:
        # No page size is documented for this call.
        return client.call(
            "GET", "LeadManagement.svc/Lists.Get", params={"PageIndex": str(paging["PageIndex"])}
        )

    def key(row: Row) -> str:
        return id_of(row, *LIST_ID)

    read = PagedRead(
        client,
        "LeadManagement.svc/Lists.Get",
        fetch,
        names=("Lists", "List"),
        bare=True,
        key=key,
        size=PAGE,
        styles=(PagingStyle.PAGE_INDEX,),
        smallest_page=1,  # how many lists a page has is not documented
    )
    rows = read.rows(complete=lambda found: list_id.lower() in found)
    for row in rows:
        if key(row) == list_id.lower():
            if str(field_of(row, "ListName")).strip().lower() in _SYSTEM_LISTS:
                raise InputError(
                    f"list_id {list_id!r} is LeadSquared's own list {quoted(field_of(row, 'ListName'))}, which holds "
                    "leads that nobody chose for a reset: make a list of the leads that are meant"
                )
            return row
    raise InputError(f"the account at {client.host} has no list {list_id!r}")


def _check_size(found: Row, members: int) -> None:
    """Hold what was read against the list's own count, where it has one.

    :raises UnreadableError: it cannot be the list.
    """
    announced = whole_number(field_of(found, "MemberCount"))
    name = quoted(str(field_of(found, "ListName") or ""), 60)
    if announced is None:
        raise UnreadableError(
            f"the list {name} does not say how many members it has: what is read cannot be checked"
        )
    if str(field_of(found, "ListType")).strip().lower().startswith(_STATIC):
        if members != announced:
            raise UnreadableError(f"the list {name} has {announced} members and {members} were given")
    elif members > 2 * announced + 100:
        raise UnreadableError(
            f"the list {name} has some {announced} members and {members} were given: its filter may have been ignored"
        )


def _lead_id(row: Row) -> str:
    """Find a lead's id in either of the two shapes the API gives leads in, letter case ignored."""
    try:
        pairs = row.get("LeadPropertyList")
        values = {pair["Attribute"]: pair.get("Value") for pair in pairs} if isinstance(pairs, list) else row
        return parse_guid(field_of(values, "ProspectID"), "a member's ProspectID")
    except (AttributeError, KeyError, TypeError, InputError):
        raise UnreadableError("the answer has a member without a readable ProspectID") from None
