"""Which rows of an answer a call gets, and what the answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.http.replies import INVALID_INPUT, ApiError
from airflow_provider_leadreset.emulator.http.request_body import integer

Row = TypeVar("Row")


def page(
    rows: Sequence[Row],
    paging: Mapping[str, object],
    dialect: Dialect,
    *,
    default: int = 25,
    cap: int = 1000,
    offset: Literal["dialect", "rows"] = "dialect",
    too_large: str = INVALID_INPUT,
) -> Sequence[Row]:
    """Return the rows of one page, by PageIndex and PageSize or by Offset and RowCount, as the dialect honours them.

    :param paging: the Paging object of the request.
    :param default: rows per page when none is asked for.
    :param cap: most rows per page; more is a 500 (seen), unless the dialect cuts silently.
    :param offset: what Offset counts: what the dialect says, or rows to skip (documented for tasks).
    :param too_large: the exception type of an oversized page.
    """
    by_index = dialect.paging != "offset"
    by_offset = dialect.paging != "page_index"
    asked = integer(paging, "RowCount", default) if by_offset else default
    if by_index:
        asked = integer(paging, "PageSize", asked)
    size = asked if dialect.page_cap is None else min(asked, dialect.page_cap)
    if not 1 <= size <= cap:
        raise ApiError(500, too_large, f"Page size must be from 1 to {cap}")
    skip = 0
    if by_index and paging.get("PageIndex") not in (None, ""):
        skip = (max(1, integer(paging, "PageIndex", 1)) - 1) * size
    elif by_offset:
        number = max(0, integer(paging, "Offset", 0))
        skip = _skipped(number, size, "rows" if offset == "rows" else dialect.offset_means)
    if skip and skip >= len(rows):
        return _beyond(rows, size, dialect)
    return rows[skip : skip + size]


def _skipped(number: int, size: int, means: str) -> int:
    if means == "rows":
        return number
    return number * size if means == "pages from 0" else max(0, number - 1) * size


def _beyond(rows: Sequence[Row], size: int, dialect: Dialect) -> Sequence[Row]:
    if dialect.beyond_the_end == "error":
        raise ApiError(500, INVALID_INPUT, "The page is beyond the last one")
    if dialect.beyond_the_end == "last page again" and rows:
        return rows[(len(rows) - 1) // size * size :]
    return ()


def record_count(dialect: Dialect, total: int, shown: int) -> dict[str, int]:
    """Return the RecordCount of an answer as a part of it; empty where the dialect has none.

    :param total: rows of all pages.
    :param shown: rows of this one.
    """
    if dialect.counts == "none":
        return {}
    return {"RecordCount": total if dialect.counts == "all" else shown}
