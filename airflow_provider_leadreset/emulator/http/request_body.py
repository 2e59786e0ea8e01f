"""Reading what a call asks for: bodies, mandatory fields, dates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response

from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, MANDATORY, ApiError, json_answer
from airflow_provider_leadreset.emulator.store.times import parse_time


async def json_body(request: Request, *, optional: bool = False) -> object:
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


def section(body: object, name: str) -> Mapping[str, object]:
    """Return an object of the body, such as Parameter or Paging; an empty one when it is absent."""
    value = body.get(name) if isinstance(body, dict) else None
    if value is None and isinstance(body, dict):
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, INVALID_INPUT, f"{name} is not of the type specified")
    return value


def mandatory(values: Mapping[str, object], name: str) -> str:
    """Return a field that must be there, as text; a missing one is a 500 with an MX type (documented)."""
    value = values.get(name)
    if value is None or not str(value).strip():
        raise ApiError(500, MANDATORY, f"{name} is mandatory")
    return str(value).strip()


def integer(values: Mapping[str, object], name: str, default: int) -> int:
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


def reply(content: Any) -> Response:
    """Return ``content`` as a JSON response."""
    answer = json_answer(content)
    return Response(answer.body, answer.status, media_type=answer.media_type)
