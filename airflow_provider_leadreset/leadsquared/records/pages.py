"""What the calls that read give back: rows, in pages, with ids, counts and times. What cannot be read is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import UnavailableError

SMALLEST_PAGE = 25
"""Rows that a page holds at least when more follow, whatever was asked for (25 is the documented default)."""


def paged(
    page: Callable[[int], tuple[list[dict[str, Any]], int | None]], size: int, key: str
) -> Iterator[dict[str, Any]]:
    """Read pages to the end: all that were announced, or a page that cannot be full.

    How pages are numbered differs between calls and is partly unknown, so a page may come twice: one without
    anything new is no end yet if more was announced, two are an error, since rows are missing. Nothing but rows that
    came before, where no count tells the end, is an error too: page numbers may have no effect.
    """
    seen: set[str] = set()
    number, empty = 0, 0
    while True:
        number += 1
        rows, total = page(number)
        new = 0
        for row in rows:
            record_id = id_of(row, key)
            if record_id not in seen:
                seen.add(record_id)
                new += 1
                yield row
        if total is not None and total < len(seen):
            total = None  # whatever it counts, it is not these
        if total is None and (len(rows) < min(size, SMALLEST_PAGE)):
            return
        if total is None and not new:
            raise UnavailableError("a page was given twice, and it was not said how many records there are")
        if total is not None and len(seen) >= total:
            return
        empty = 0 if new else empty + 1
        if empty == 2:
            raise UnavailableError(f"{total} records were announced and only {len(seen)} given")


def rows_of(answer: Any, *names: str) -> list[dict[str, Any]]:
    """Return the rows that an answer has under one of some names."""
    rows = (
        next((answer[name] for name in names if name in answer), None) if isinstance(answer, dict) else None
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnavailableError(f"the answer has no list {' or '.join(names)}")
    return rows


def count_of(answer: Any) -> int | None:
    """Return how many rows there are on all pages; None where it is not said."""
    total = answer.get("RecordCount") if isinstance(answer, dict) else None
    if isinstance(total, str) and total.isdecimal():
        return int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def id_of(row: dict[str, Any], key: str) -> str:
    """Return a record's id in lower case. A record without one could be neither counted once nor verified gone."""
    if not row.get(key):
        raise UnavailableError(f"the answer has a record without its {key}")
    return str(row[key]).lower()


def event_code(row: dict[str, Any]) -> int:
    """Return the event code of an activity."""
    try:
        return int(row["EventCode"])
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(f"an activity has the event code {str(row.get('EventCode'))[:20]!r}") from None


def moment_of(value: object) -> datetime:
    """Read a time as LeadSquared gives it: UTC, ``YYYY-MM-DD HH:MM:SS``, with or without fractions (documented)."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise UnavailableError(f"a record was created at {str(value)[:40]!r}, which is no date") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
