"""Reading what an account has: the members of a list, the types of activities and tasks."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import InputError, UnavailableError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid

log = logging.getLogger(__name__)

PAGE = 1000
"""Rows asked for at once (seen in use; the most that is allowed is not documented)."""


def list_members(client: LeadSquaredClient, list_id: str) -> list[str]:
    """Return the lead ids of a list, read to its end: a dynamic list shrinks while its leads are reset.

    ``LeadManagement.svc/Leads/Retrieve/BySearchParameter`` (documented). What LeadSquared answers for a list
    that does not exist is unknown, and a search without conditions is known to give every lead. So the list
    is looked up first, and an unknown one is an error.

    :param list_id: GUID of the list.
    :raises InputError: ``list_id`` is no GUID, or the account has no such list.
    :raises LeadSquaredError: as :meth:`.LeadSquaredClient.call`; ``UnavailableError`` also for an answer in
        which members were expected and cannot be found.
    """
    list_id = parse_guid(list_id, "list_id")
    if not _list_exists(client, list_id):
        raise InputError(f"the account at {client.host} has no list {list_id!r}")
    members: dict[str, str] = {}
    page = 1
    while True:
        answer = client.call(
            "POST",
            "LeadManagement.svc/Leads/Retrieve/BySearchParameter",
            body={
                "SearchParameters": {"ListId": list_id, "RetrieveBehaviour": "1"},
                "Columns": {"Include_CSV": "ProspectID"},
                "Sorting": {"ColumnName": "ProspectID", "Direction": "1"},
                "Paging": {"PageIndex": page, "PageSize": PAGE},
            },
        )
        # No rows where some were expected must not pass for an empty list, which a task takes as nothing to do.
        if not isinstance(answer, dict) or not isinstance(answer.get("Leads"), list):
            raise UnavailableError("the answer has no Leads in it")
        before = len(members)
        for row in answer["Leads"]:
            lead = _lead_id(row)
            members.setdefault(lead.lower(), lead)
        total = _count(answer.get("RecordCount"))
        if len(members) == before or (total is not None and len(members) >= total):
            break
        page += 1
    if total and not members:
        raise UnavailableError(f"the answer counts {total} members and names none")
    if total is not None and len(members) < total:
        log.warning("List %s: read %d of %d members; it changed meanwhile", list_id, len(members), total)
    return list(members.values())


def activity_types(client: LeadSquaredClient) -> dict[int, str]:
    """Return the account's activity events, code to name (``ProspectActivity.svc/ActivityTypes.Get``, seen)."""
    rows = _rows(client.call("GET", "ProspectActivity.svc/ActivityTypes.Get"))
    try:
        return {int(row["ActivityEvent"]): str(row.get("ActivityEventName") or "") for row in rows}
    except (KeyError, TypeError, ValueError):
        raise UnavailableError("the answer has an activity type without a code") from None


def task_types(client: LeadSquaredClient) -> dict[str, str]:
    """Return the account's task types, GUID to name (``Task.svc/RetrieveTaskType``, documented).

    Whether the key is called Id or TaskTypeId, and Name or TaskTypeName, differs between stored copies of
    the page: both are taken.
    """
    types: dict[str, str] = {}
    for row in _rows(client.call("GET", "Task.svc/RetrieveTaskType")):
        kind = row.get("Id") or row.get("TaskTypeId")
        if not kind:
            raise UnavailableError("the answer has a task type without an id")
        types[str(kind)] = str(row.get("Name") or row.get("TaskTypeName") or "")
    return types


def _list_exists(client: LeadSquaredClient, list_id: str) -> bool:
    page, seen = 1, set[str]()
    while True:
        answer = client.call(
            "GET", "LeadManagement.svc/Lists.Get", params={"PageIndex": str(page), "PageSize": str(PAGE)}
        )
        ids = {str(row.get("ListId") or row.get("ID") or "").lower() for row in _rows(answer)}
        if list_id.lower() in ids:
            return True
        if ids <= seen:
            return False
        seen |= ids
        page += 1


def _rows(answer: Any) -> list[dict[str, Any]]:
    """Take a bare array, or the one array inside an object: stored copies of the pages differ."""
    if isinstance(answer, dict):
        arrays = [value for value in answer.values() if isinstance(value, list)]
        if len(arrays) != 1:
            raise UnavailableError(f"the answer has {len(arrays)} lists where one is expected")
        answer = arrays[0]
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise UnavailableError("the answer is no list of records")
    return answer


def _lead_id(row: Any) -> str:
    """Find a lead's id in either of the two shapes the API gives leads in, letter case ignored."""
    try:
        pairs = row.get("LeadPropertyList")
        values = {pair["Attribute"]: pair.get("Value") for pair in pairs} if isinstance(pairs, list) else row
        found = next((value for key, value in values.items() if str(key).lower() == "prospectid"), None)
        return parse_guid(found, "a member's ProspectID")
    except (AttributeError, KeyError, TypeError, InputError):
        raise UnavailableError("the answer has a member without a readable ProspectID") from None


def _count(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
