"""What a row of an answer says: its id, its code, its time. What cannot be read is an error of its lead alone."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError, UnreadableError
from airflow_provider_leadreset.leadsquared.text import quoted

LONGEST_NUMBER = 9
"""Digits of an event code or a count; more is none."""


@contextmanager
def reading(kind: str, prospect_id: str) -> Generator[None, None, None]:
    """Let every error of a read name the lead and the kind of records, and be one of LeadSquared's.

    Whatever a row holds, it must fail its own lead and no other.
    """
    try:
        yield
    except LeadSquaredError as error:
        if error.prospect_id is None:
            error.prospect_id = prospect_id
            error.message = f"{kind}: {error.message}"
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UnreadableError(
            f"{kind}: the answer cannot be read ({type(error).__name__})", prospect_id=prospect_id
        ) from None


def rows_of(answer: Any, *names: str, bare: bool = False) -> list[dict[str, Any]]:
    """Return the rows that an answer has under one of some names.

    :param bare: whether they may stand alone, as an array. Where they should not, an empty array is no empty list.
    :raises UnreadableError: it has none, or something else among them.
    """
    rows: Any = answer if bare else None
    if isinstance(answer, dict):
        rows = next((answer[name] for name in names if isinstance(answer.get(name), list)), None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableError(f"the answer has no list {' or '.join(names)}")
    return rows


def count_of(answer: Any) -> int | None:
    """Return how many rows the answer says there are; None where it does not say, or nothing that is a number."""
    return whole_number(answer.get("RecordCount")) if isinstance(answer, dict) else None


def whole_number(value: object) -> int | None:
    """Return a whole number that may come as text or with a decimal point; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
    if isinstance(value, float):
        return (
            int(value)
            if math.isfinite(value) and value.is_integer() and 0 <= value < 10**LONGEST_NUMBER
            else None
        )
    return value if isinstance(value, int) and 0 <= value < 10**LONGEST_NUMBER else None


def field_of(row: Mapping[str, Any], *names: str) -> Any:
    """Return the value of the first of some fields that a row has, letter case ignored; None where it has none.

    Documented and seen spellings differ: ``ProspectID`` and ``ProspectId``, ``TaskID`` and ``UserTaskId``.
    """
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    lower = {str(key).lower(): value for key, value in row.items()}
    return next((lower[name.lower()] for name in names if lower.get(name.lower()) not in (None, "")), None)


def id_of(row: Mapping[str, Any], *names: str) -> str:
    """Return a record's id in lower case. A record without one could be neither counted once nor verified.

    :raises UnreadableError: it has none.
    """
    value = field_of(row, *names)
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise UnreadableError(f"the answer has a record without its {' or '.join(names)}")
    return str(value).lower()


def event_code(row: Mapping[str, Any]) -> int:
    """Return the event code of an activity.

    :raises UnreadableError: it is no whole number.
    """
    code = whole_number(field_of(row, "EventCode", "ActivityEvent"))
    if code is None:
        raise UnreadableError(f"an activity has the event code {quoted(row.get('EventCode'), 20)}")
    return code


def moment_of(value: object) -> datetime:
    """Read a time as LeadSquared gives it: UTC, ``YYYY-MM-DD HH:MM:SS``, with or without fractions (documented).

    :raises UnreadableError: it is something else.
    """
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError(f"a record was created at {quoted(value, 40)}, which is no date") from None
