"""An answer's JSON, read in bounded memory: 16 KB of gzip may unpack to 5 million lists, each an object of Python's."""

from __future__ import annotations

import json
import math

from airflow_provider_leadreset.leadsquared.untrusted_files import MOST_NESTING, is_deep, separators

MOST_ANSWER_VALUES = 500_000
"""Values in one answer. A page of 1,000 rows has some 30,000 and, if each had 200 fields, 200,000."""

_LONGEST_NUMBER = 100


class TooManyValuesError(ValueError):
    """An answer holds more than :data:`MOST_ANSWER_VALUES` values."""


def read_json(text: str) -> object:
    """Return the content of an answer; None for what is no JSON, nested more than 100 deep, or has a name twice in an
    object with two values: of ``{"Status": "Error", "Status": "Success"}`` the last must not win.

    Numbers that Python cannot or would hardly read stay text, so that one record does not make an answer unreadable.

    :raises TooManyValuesError: it would take too much memory. It was not read.
    """
    values, nested = separators(text)
    if values > MOST_ANSWER_VALUES:
        raise TooManyValuesError
    try:
        content = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return None if nested > MOST_NESTING and is_deep(content) else content


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[name] != value for name, value in pairs):
        raise ValueError
    return found


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole_number, parse_float=_number, parse_constant=str
)
