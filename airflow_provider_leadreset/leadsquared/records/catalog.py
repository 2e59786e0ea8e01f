"""Reading what an account has: the types of activities and tasks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadRejectedError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.rows import field_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

log = logging.getLogger(__name__)

CUSTOM = 2
"""``EventType`` of a custom activity (seen)."""

NO_RIGHT = 403
"""HTTP status of keys that are known and have no right to a call."""

SYSTEM_EVENTS = frozenset({21, 22, 23, 30, 33, 97, 3001, 3002, 3004, 3006, 3011})
"""Codes of LeadSquared's own activities, as seen in public integrations.

For accounts whose list of types does not say which are custom: the list decides where it does. System activities
are never deleted (documented).
"""


@dataclass(frozen=True, slots=True)
class AccountEventType:
    """An activity type of the account.

    :param is_custom: None where the account does not say.
    """

    name: str
    is_custom: bool | None = None


@dataclass(frozen=True, slots=True)
class EventCodes:
    """The event codes that were asked for, by what a reset can do with them.

    :param deletable: those that are sent.
    :param system: LeadSquared's own, which a reset never deletes (documented); they are not sent.
    :param unknown: of the deletable ones, those that the account's list does not have. They are sent.
    :param types: the account's types by code; empty where they could not be read.
    """

    deletable: tuple[int, ...] = ()
    system: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    types: dict[int, AccountEventType] | None = None


def sort_event_codes(client: LeadSquaredClient, codes: Iterable[int]) -> EventCodes:
    """Tell deletable from system codes, by the account's own list of types; one call.

    Where the list cannot be read, or does not say, the codes known as LeadSquared's own decide.

    :raises LeadSquaredError: the list may be had later: an outage, a used-up quota; or every other call would fail
        alike: wrong keys, a wrong host. That these keys have no right to it says nothing of a reset, which tells itself
        whether they have.
    """
    codes = tuple(codes)
    try:
        types: dict[int, AccountEventType] | None = read_activity_types(client)
    except (AccessError, LeadRejectedError, UnreadableError) as error:
        if isinstance(error, AccessError) and error.status != NO_RIGHT:
            raise
        log.warning(
            "The account's list of activity types cannot be read, so only codes known as LeadSquared's own are left "
            "out, and a slip in another would not be noticed: %s",
            error,
        )
        types = None
    system, unknown = [], []
    for code in codes:
        known = types.get(code) if types else None
        if known and known.is_custom is not None:
            if not known.is_custom:
                system.append(code)
        elif code in SYSTEM_EVENTS:
            system.append(code)
        elif types is not None and known is None:
            unknown.append(code)
    return EventCodes(
        tuple(code for code in codes if code not in system), tuple(system), tuple(unknown), types
    )


def read_activity_types(client: LeadSquaredClient) -> dict[int, AccountEventType]:
    """Return the account's activity types by event code (``ProspectActivity.svc/ActivityTypes.Get``, seen).

    A row without a readable code is passed over, with a warning: a name decorates.

    :raises LeadSquaredError: there is no list.
    """
    types: dict[int, AccountEventType] = {}
    for row in _rows(client.call("GET", "ProspectActivity.svc/ActivityTypes.Get")):
        code = whole_number(field_of(row, "ActivityEvent", "EventCode"))
        if code is None:
            log.warning("An activity type of the account has no readable code and is passed over")
            continue
        kind = whole_number(field_of(row, "EventType"))
        types[code] = AccountEventType(
            str(field_of(row, "ActivityEventName") or ""), None if kind is None else kind == CUSTOM
        )
    return types


def activity_types(client: LeadSquaredClient) -> dict[int, str]:
    """Return the account's activity events, code to name; see :func:`read_activity_types`."""
    return {code: one.name for code, one in read_activity_types(client).items()}


def task_types(client: LeadSquaredClient) -> dict[str, str]:
    """Return the account's task types, GUID to name (``Task.svc/RetrieveTaskType``, documented).

    Whether the key is called Id or TaskTypeId, and Name or TaskTypeName, differs between stored copies of
    the page: both are taken.

    :raises LeadSquaredError: there is no list.
    """
    types: dict[str, str] = {}
    for row in _rows(client.call("GET", "Task.svc/RetrieveTaskType")):
        kind = field_of(row, "Id", "TaskTypeId")
        if not isinstance(kind, str):
            log.warning("A task type of the account has no readable id and is passed over")
            continue
        types[kind] = str(field_of(row, "Name", "TaskTypeName") or "")
    return types


def _rows(answer: object) -> list[dict[str, object]]:
    """Return a bare array, or the one array inside an object: stored copies of the pages differ."""
    if isinstance(answer, dict):
        arrays = [value for value in answer.values() if isinstance(value, list)]
        if len(arrays) != 1:
            raise UnreadableError(f"the answer has {len(arrays)} lists where one is expected")
        answer = arrays[0]
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise UnreadableError("the answer is no list of records")
    return answer
