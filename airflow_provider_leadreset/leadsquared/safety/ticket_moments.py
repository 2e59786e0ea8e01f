"""When an approval was given, as a ticket or Airflow says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_leadreset.leadsquared.safety.ticket_words import tells_when

_SECONDS = re.compile(r"[0-9]{10,11}(?:\.[0-9]{1,9})?")
_FEWEST_SECONDS, _MOST_SECONDS = 10**9, 10**11
"""A number between them is taken for seconds since 1970: of the years 2001 to 5138, and no milliseconds of today."""


def said_times(answer: Mapping[Any, object]) -> Iterator[tuple[Any, object]]:
    """Yield the keys under which a ticket says when, with what it says; without what was left empty."""
    for name, said in answer.items():
        if tells_when(name) and not (said is None or (isinstance(said, str) and not said.strip())):
            yield name, said


def first_moment(answer: Mapping[object, object]) -> tuple[object, datetime | None]:
    """Return when a ticket says first that it was answered, with the key; both None where no moment can be told."""
    found = ((name, moment) for name, said in said_times(answer) if (moment := ticket_moment(said)))
    return next(found, (None, None))


def exact_moment(value: object) -> datetime | None:
    """Return the moment that ISO 8601 with an offset names."""
    moment = _iso(value)
    return moment if moment and moment.utcoffset() is not None else None


def ticket_moment(value: object) -> datetime | None:
    """Return the moment that ISO 8601 with an offset, or seconds since 1970 name: ``1795673400.000100``."""
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC) if _FEWEST_SECONDS <= value < _MOST_SECONDS else None
    return exact_moment(value)


def latest_moment(value: Any) -> datetime | None:
    """Return the latest moment that a ticket's text can mean: one without an offset may be of any time zone."""
    if moment := ticket_moment(value):
        return moment
    moment = _iso(value)
    if moment is None or not 1 < moment.year < 9999:
        return None
    day = timedelta(days=1) if len(value.strip()) <= len("2026-10-01") else timedelta(0)
    return moment.replace(tzinfo=UTC) + day + timedelta(hours=12)


def _iso(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
