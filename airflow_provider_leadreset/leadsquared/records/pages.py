"""Reading pages to their end: one way for all calls that read, whichever way the account pages.

How LeadSquared pages is documented differently from call to call, and seen differently from account to account:
by ``Offset`` and ``RowCount``, where the offset is a page number or a number of rows, or by ``PageIndex`` and
``PageSize``; a page may be smaller than was asked for, and a count may be of all rows, of the page, or absent.
So nothing of it is believed before it was seen: the first page is asked for in a way that means the same in each
dialect, and the next one in each way that could be meant, until one brings rows that are new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import (
    LeadRejectedError,
    ResponseTooLargeError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.rows import count_of, rows_of, says_more

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

SMALLEST_PAGE = 25
"""Rows that a page holds at least when more follow, whatever was asked for (25 is the smallest default seen)."""

READS = 3
"""How often a read is begun anew because its rows changed meanwhile, before it is given up."""

Row = dict[str, object]
Paging = dict[str, str | int]
Fetch = Callable[[Paging], object]


class PagingStyle(Enum):
    """What makes an account give the next page."""

    PAGE_INDEX = "PageIndex is the number of the page, from 1"
    PAGES_FROM_0 = "Offset is the number of the page, from 0"
    PAGES_FROM_1 = "Offset is the number of the page, from 1"
    ROWS = "Offset is the number of rows to skip"

    def paging(self, page: int, rows: int, size: int) -> Paging:
        """Return what asks for a page.

        :param page: its number, from 1.
        :param rows: how many rows came on the pages before it.
        :param size: rows wanted.
        """
        if self is PagingStyle.PAGE_INDEX:
            return {"PageIndex": page, "PageSize": size}
        offset = {
            PagingStyle.PAGES_FROM_0: page - 1,
            PagingStyle.PAGES_FROM_1: page,
            PagingStyle.ROWS: rows,
        }[self]
        # Text, as in LeadSquared's own samples.
        return {"Offset": str(offset), "RowCount": str(size)}


def first_page(size: int) -> Paging:
    """Return what asks for the first page in all dialects at once."""
    return {"Offset": "0", "RowCount": str(size), "PageIndex": 1, "PageSize": size}


def _never(_: dict[Hashable, Row]) -> bool:
    return False


class _ChangedError(Exception):
    """Rows came or went while they were read."""


class PagedRead:
    """One list of rows, read whole or not at all.

    A page of fewer than 25 rows ends it; any larger one is followed by another, until one brings nothing new. A count
    never ends it: it may be of the page alone. It is believed where it is larger than its page: then fewer rows than
    it says, or another count on a later page, begin the read anew, and in the end are an error.

    :param client: remembers, for each call, which style was found; None where a caller noted that none has an effect.
    :param path: the call, for that memory.
    :param fetch: makes the call with some paging and returns its answer.
    :param names: under which names the answer may hold its rows.
    :param bare: whether the answer may be the array of rows itself.
    :param key: tells a row from every other; a row without it cannot be counted once.
    :param size: rows wanted on a page; halved while an answer is too large.
    :param styles: those that the call could have.
    :param smallest_page: rows that a page holds at least when more follow.
    """

    def __init__(
        self,
        client: LeadSquaredClient,
        path: str,
        fetch: Fetch,
        *,
        names: Sequence[str],
        bare: bool = False,
        key: Callable[[Row], Hashable],
        size: int,
        styles: Sequence[PagingStyle] = tuple(PagingStyle),
        smallest_page: int = SMALLEST_PAGE,
    ) -> None:
        self._known_styles = client.paging_styles
        self._path = path
        self._fetch = fetch
        self._names = names
        self._bare = bare
        self._key = key
        self._size = size
        self._styles = styles
        self._smallest_page = smallest_page
        self._rows: dict[Hashable, Row] = {}
        self._given = 0
        self._count: int | None = None
        """What the last page said."""
        self._total: int | None = None
        """What a page said that cannot have meant itself alone."""
        self._more = False
        """Whether the last answer said that more rows follow."""
        self._first: list[Row] = []
        self._doubles = 0
        self.has_no_effect = False
        """Whether no way of asking for a page was found to change what is given."""
        self.fell_short = False
        """Whether fewer rows were given than announced."""

    def rows(self, complete: Callable[[dict[Hashable, Row]], bool] | None = None) -> list[Row]:
        """Return all rows, each once, in the order in which they came.

        :param complete: whether the rows so far, by their key, are known to be all.
        :raises LeadSquaredError: as the call; ``UnreadableError`` for rows that cannot be had whole.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                self._read(complete or _never)
                return list(self._rows.values())
            except ResponseTooLargeError:
                if self._size == 1:
                    raise
                self._size //= 2
                attempt = 0
            except _ChangedError as change:
                if attempt == READS:
                    raise UnreadableError(str(change)) from None

    def _read(self, complete: Callable[[dict[Hashable, Row]], bool]) -> None:
        self._rows, self._given, self._count, self._total, self._doubles = {}, 0, None, None, 0
        page = self._first = self._page(first_page(self._size))
        self._take(page)
        number = 1
        while not self._is_short(page) and not complete(self._rows):
            number += 1
            page = self._next(page, number)
            if not self._take(page):
                break
        else:
            # Of a page that ended the read, and was no try of how to ask.
            if self._more and not complete(self._rows):
                raise UnreadableError(f"the answer says that more follow on {len(self._rows)} rows")
        if not complete(self._rows):
            self._refuse_missing_rows()

    def _refuse_missing_rows(self) -> None:
        # Rows that one page gives twice may be counted twice; one that two pages give is another's place.
        self.fell_short = self._total is not None and len(self._rows) + self._doubles < self._total
        if self.fell_short:
            raise _ChangedError(f"{self._total} rows were announced and only {len(self._rows)} given")

    def _next(self, last: list[Row], number: int) -> list[Row]:
        """Return the next page; an empty one is the end."""
        if self._path not in self._known_styles:
            return self._second(last)
        style = self._known_styles[self._path]
        if style is None:
            raise self._nothing_follows(last)
        page = self._page_or_none(style.paging(number, self._given, self._size))
        if page is None:
            if not self._counted_out():
                raise UnreadableError(
                    f"what follows on {self._given} rows was refused, and it was not said to be nothing"
                )
            return []
        if page and not self._new_in(page):
            if not self._has_effect(style):
                del self._known_styles[self._path]
                raise _ChangedError(f"what followed on {self._given} rows were rows that had come before")
            return []  # an account may give its last page again
        return page

    def _second(self, first: list[Row]) -> list[Row]:
        for style, page in self._tried(first):
            # With one way only there is no other that an empty page could have misled.
            if self._new_in(page) or (not page and len(self._styles) == 1):
                self._known_styles[self._path] = style
                return page
        for style in self._styles:
            if self._has_effect(style):
                self._known_styles[self._path] = style
                return []
        raise self._nothing_follows(first)

    def _nothing_follows(self, first: list[Row]) -> UnreadableError:
        self.has_no_effect = True
        return UnreadableError(
            f"a page of {len(first)} rows was given again in place of the next: whether there are more cannot be told"
        )

    def _new_in(self, page: list[Row]) -> bool:
        """Return whether the rows of a page are new: all or none, else rows have moved between pages.

        :raises _ChangedError: some are.
        """
        new = sum(self._key(row) not in self._rows for row in page)
        if 0 < new < len(page):
            raise _ChangedError(
                f"{new} of {len(page)} rows of a page were new, so rows moved while they were read"
            )
        return new > 0

    def _has_effect(self, style: PagingStyle) -> bool:
        """Return whether a style gives what it asks for: the second half of the first page."""
        half = len(self._first) // 2
        page = self._page_or_none(style.paging(2, half, half))
        return page is not None and list(map(self._key, page)) == list(
            map(self._key, self._first[half : 2 * half])
        )

    def _counted_out(self) -> bool:
        """Return whether as many rows came as the last page said there are."""
        return self._count is not None and self._given >= self._count

    def _tried(self, first: list[Row]) -> Iterator[tuple[PagingStyle, list[Row]]]:
        """Ask for the second page in each way that could be meant.

        In an order in which a wrong way shows itself and never skips rows: a page index that has no effect gives the
        first page again, and an offset of 1 gives the same rows but one where it counts rows.
        """
        for style in (PagingStyle.PAGE_INDEX, PagingStyle.PAGES_FROM_0, PagingStyle.PAGES_FROM_1):
            if style not in self._styles:
                continue
            page = self._page_or_none(style.paging(2, len(first), self._size))
            if page is None:
                continue  # not understood, or past the end: the other ways tell
            if style is PagingStyle.PAGES_FROM_0 and self._is_one_row_on(first, page):
                if PagingStyle.ROWS in self._styles:
                    page = self._page_or_none(PagingStyle.ROWS.paging(2, len(first), self._size))
                    if page is not None:
                        yield PagingStyle.ROWS, page
                    return
            else:
                yield style, page

    def _is_one_row_on(self, first: list[Row], page: list[Row]) -> bool:
        # Most of them: a row may have come or gone meanwhile.
        expected = {self._key(row) for row in first[1:]}
        again = sum(self._key(row) in expected for row in page)
        return bool(page) and self._key(page[0]) != self._key(first[0]) and 2 * again > len(page)

    def _is_short(self, page: list[Row]) -> bool:
        return len(page) < min(self._size, self._smallest_page)

    def _page(self, paging: Paging) -> list[Row]:
        answer = self._fetch(paging)
        rows, count = rows_of(answer, *self._names, bare=self._bare), count_of(answer)
        self._count, self._more = count, says_more(answer)
        if count is not None and count > len(rows):
            if self._total is not None and count != self._total:
                raise _ChangedError(
                    f"their number changed from {self._total} to {count} while they were read"
                )
            self._total = count
        return rows

    def _page_or_none(self, paging: Paging) -> list[Row] | None:
        """Return a page; None where it was refused, as one past the end may be."""
        try:
            return self._page(paging)
        except LeadRejectedError:
            return None

    def _take(self, page: list[Row]) -> int:
        """Keep the rows of a page; return how many are new."""
        before = len(self._rows)
        keys = [self._key(row) for row in page]
        for key, row in zip(keys, page, strict=True):
            self._rows.setdefault(key, row)
        self._given += len(page)
        self._doubles += len(keys) - len(set(keys))
        return len(self._rows) - before
