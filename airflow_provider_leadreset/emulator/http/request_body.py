"""Reading what a call asks for: bodies, mandatory fields, paging."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from fastapi import Request, Response

from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, MANDATORY, ApiError, json_answer
from airflow_provider_leadreset.emulator.store.times import parse_time

Record = TypeVar("Record")


async def json_body(request: Request, *, optional: bool = False) -> Any:
    """Return the JSON body.

    :param optional: whether an empty body means an empty object.
    :raises ApiError: 400 for another content type (documented) or what is not JSON (seen).
    """
    raw = await request.body()
    if not raw and optional:
        return {}
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise ApiError(400, INVALID_INPUT, "Content-Type must be application/json")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, INVALID_INPUT, "The body cannot be deserialised") from None


def section(body: Any, name: str) -> Mapping[str, Any]:
    """Return an object of the body, such as Parameter or Paging; an empty one when it is absent."""
    value = body.get(name) if isinstance(body, dict) else None
    if value is None and isinstance(body, dict):
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, INVALID_INPUT, f"{name} is not of the type specified")
    return value


def mandatory(values: Mapping[str, Any], name: str) -> str:
    """Return a field that must be there, as text; a missing one is a 500 with an MX type (documented)."""
    value = values.get(name)
    if value is None or not str(value).strip():
        raise ApiError(500, MANDATORY, f"{name} is mandatory")
    return str(value).strip()


def integer(values: Mapping[str, Any], name: str, default: int) -> int:
    """Return a number that may come as text, as LeadSquared's own samples write it."""
    value = values.get(name)
    if value is None or value == "":
        return default
    try:
        return int(str(value))
    except ValueError:
        raise ApiError(500, INVALID_INPUT, f"Invalid {name}: {value}") from None


def date_of(text: str, field: str) -> datetime:
    """Read a date of a request body; a bad one is a 500 with an MX type (seen on other calls)."""
    try:
        return parse_time(text)
    except ValueError:
        raise ApiError(500, INVALID_INPUT, f"Invalid {field}: {text}") from None


def date_range(parameter: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return FromDate and ToDate, both aware and inclusive; a missing one leaves that side open (a guess)."""
    start, end = parameter.get("FromDate"), parameter.get("ToDate")
    return (
        date_of(start, "FromDate") if start else datetime.min.replace(tzinfo=UTC),
        date_of(end, "ToDate") if end else datetime.max.replace(tzinfo=UTC),
    )


def page(
    rows: Sequence[Record],
    paging: Mapping[str, Any],
    *,
    default: int = 25,
    cap: int = 1000,
    offset: Literal["page", "rows"] = "page",
    too_large: str = INVALID_INPUT,
) -> Sequence[Record]:
    """Return the rows of one page, by PageIndex and PageSize or by Offset and RowCount.

    :param default: rows per page when none is asked for.
    :param cap: most rows per page; more is a 500 (seen).
    :param offset: what Offset counts. For activities the documentation calls it a page number while its
        samples start at 0 and at 1: here both mean the first page, a guess. For tasks it is rows to skip.
    :param too_large: the exception type of an oversized page.
    """
    size = integer(paging, "PageSize", integer(paging, "RowCount", default))
    if not 1 <= size <= cap:
        raise ApiError(500, too_large, f"Page size must be from 1 to {cap}")
    if paging.get("PageIndex") not in (None, ""):
        skip = (max(1, integer(paging, "PageIndex", 1)) - 1) * size
    elif offset == "rows":
        skip = max(0, integer(paging, "Offset", 0))
    else:
        skip = (max(1, integer(paging, "Offset", 1)) - 1) * size
    return rows[skip : skip + size]


def reply(content: Any) -> Response:
    """Return ``content`` as a JSON response."""
    answer = json_answer(content)
    return Response(answer.body, answer.status, media_type=answer.media_type)
