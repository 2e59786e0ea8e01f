"""A list of rows is read whole, or not at all, whichever way the account pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import (
    LeadRejectedError,
    ResponseTooLargeError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.pages import PagedRead, PagingStyle

SIZE = 1000
CAPS = (25, 200, 500, None)
STYLES = ("page index", "rows", "pages from 0", "pages from 1", "page index or rows", "rows or page index")
COUNTS = ("all", "page", "none")
BEYOND = ("empty", "last page again", "error")
TOTALS = (0, 1, 24, 25, 26, 50, 60, 199, 200, 201, 400, 1000, 1001, 1500)


@dataclass
class PagingAccount:
    """An account that pages in one of the ways that are documented, seen or conceivable."""

    total: int
    style: str = "page index"
    cap: int | None = None
    counts: str = "all"
    beyond: str = "empty"
    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = [{"Id": f"id-{number}"} for number in range(self.total)]

    def fetch(self, paging: dict[str, Any]) -> Any:
        self.asked.append(paging)
        start, size = self._span(paging)
        rows = self.rows[start : start + size]
        if not rows and start and self.beyond == "error":
            raise LeadRejectedError("Invalid page")
        if not rows and start and self.beyond == "last page again":
            rows = self.rows[(self.total - 1) // size * size :]
        count = {"all": len(self.rows), "page": len(rows), "none": None}[self.counts]
        return {"List": rows, **({} if count is None else {"RecordCount": count})}

    def _span(self, paging: dict[str, Any]) -> tuple[int, int]:
        """Return where the page begins, and how many rows it has; 25, the documented default, if nothing is heeded."""
        heeds_index = "PageIndex" in paging and "index" in self.style
        heeds_offset = "Offset" in paging and ("rows" in self.style or "pages" in self.style)
        if heeds_index and not (heeds_offset and self.style.startswith("rows")):
            size = self._size(paging["PageSize"])
            return (paging["PageIndex"] - 1) * size, size
        if heeds_offset:
            size, given = self._size(int(paging["RowCount"])), int(paging["Offset"])
            first = 1 if self.style == "pages from 1" else 0
            return (given if "rows" in self.style else max(0, given - first) * size), size
        return 0, 25

    def _size(self, wanted: int) -> int:
        return min(wanted, self.cap or wanted)

    def read(self, client: Any = None, size: int = SIZE) -> list[str]:
        read = PagedRead(
            client or SimpleNamespace(paging_styles={}),
            "a call",
            self.fetch,
            names=("List",),
            key=lambda row: row["Id"],
            size=size,
        )
        return [row["Id"] for row in read.rows()]


@pytest.mark.parametrize(("style", "cap"), product(STYLES, CAPS))
def test_whole_or_an_error(style, cap):
    """In each dialect of paging, counting and ending, rows are read whole, or the read is an error."""
    for counts, beyond, total in product(COUNTS, BEYOND, TOTALS):
        account = PagingAccount(total, style, cap, counts, beyond)
        try:
            found = account.read()
        except UnreadableError:
            # Only where the page past the end is refused, and no count says that it is the end.
            assert beyond == "error", (counts, beyond, total)
            assert counts != "all" or total <= min(cap or SIZE, SIZE), (counts, beyond, total)
        else:
            assert found == [row["Id"] for row in account.rows], (counts, beyond, total)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("total", [60, 700])
def test_paging_without_effect(counts, total):
    """A page that is given again in place of the next is no end: there may be more."""
    account = PagingAccount(total, "unheeded", 25, counts)
    with pytest.raises(UnreadableError, match=r"given again|were announced"):
        account.read()


def test_few_rows_take_one_call():
    """A page of fewer than 25 rows is the end: a lead with few records costs one call."""
    for counts in COUNTS:
        account = PagingAccount(24, counts=counts)
        assert len(account.read()) == 24
        assert len(account.asked) == 1


@pytest.mark.parametrize("style", STYLES)
def test_style_is_remembered(style):
    """What was found out of one lead is not asked again for the next."""
    client = SimpleNamespace(paging_styles={})
    PagingAccount(60, style, 25).read(client)
    account = PagingAccount(60, style, 25)
    assert len(account.read(client)) == 60
    assert len(account.asked) == 3


def test_first_page_in_all_dialects():
    """The first page is asked for in both dialects at once."""
    account = PagingAccount(3)
    account.read()
    assert account.asked == [{"Offset": "0", "RowCount": "1000", "PageIndex": 1, "PageSize": 1000}]


def test_rows_that_shift_are_read_anew():
    """A row that goes between two pages moves the others: the count tells, and the read begins anew."""
    account = PagingAccount(1500)
    fetch = account.fetch

    def deleting(paging: dict[str, Any]) -> Any:
        answer = fetch(paging)
        if len(account.asked) == 1:
            del account.rows[0]
        return answer

    account.fetch = deleting  # type: ignore[method-assign]
    assert account.read() == [row["Id"] for row in account.rows]


def test_rows_that_never_rest():
    """Rows that change at each reading are an error in the end."""
    account = PagingAccount(1500)
    fetch = account.fetch

    def growing(paging: dict[str, Any]) -> Any:
        account.rows.insert(0, {"Id": f"new-{len(account.asked)}"})
        return fetch(paging)

    account.fetch = growing  # type: ignore[method-assign]
    with pytest.raises(UnreadableError, match=r"changed from \d+ to \d+ while"):
        account.read()


@pytest.mark.parametrize("count", [-1, 1e400, float("nan"), "many", "9" * 5000, True, [], "60.5"])
def test_count_that_is_none(count):
    """A count that is no number is an error: rows may be missing unseen."""
    read = PagedRead(
        SimpleNamespace(paging_styles={}),
        "a call",
        lambda _: {"RecordCount": count, "List": []},
        names=("List",),
        key=lambda row: row["Id"],
        size=SIZE,
    )
    with pytest.raises(UnreadableError, match="which is no number"):
        read.rows()


@pytest.mark.parametrize("count", [3, 5, "5", "5.0", 5.0, None, ""])
def test_count_of_a_short_page(count):
    """A count that is no larger than its page says nothing."""
    rows = [{"Id": str(number)} for number in range(5)]
    read = PagedRead(
        SimpleNamespace(paging_styles={}),
        "a call",
        lambda _: {"RecordCount": count, "List": rows},
        names=("List",),
        key=lambda row: row["Id"],
        size=SIZE,
    )
    assert len(read.rows()) == 5


@pytest.mark.parametrize("rows", [0, 2, 24])
def test_announced_rows_must_come(rows):
    """Fewer rows than were announced are an error, after the read was begun anew."""
    asked = []

    def fetch(paging: Any) -> Any:
        asked.append(paging)
        return {"RecordCount": 25, "List": [{"Id": str(number)} for number in range(rows)]}

    read = PagedRead(
        SimpleNamespace(paging_styles={}),
        "a call",
        fetch,
        names=("List",),
        key=lambda row: row["Id"],
        size=SIZE,
    )
    with pytest.raises(UnreadableError, match=f"25 rows were announced and only {rows} given"):
        read.rows()
    assert len(asked) > 1


def test_too_large_pages_are_halved():
    """A page that is larger than is read is asked for in halves, from the beginning."""
    account = PagingAccount(300)
    fetch = account.fetch

    def limited(paging: dict[str, Any]) -> Any:
        if paging.get("PageSize", 0) > 70:
            raise ResponseTooLargeError("more than 16 MiB")
        return fetch(paging)

    account.fetch = limited  # type: ignore[method-assign]
    assert account.read() == [f"id-{number}" for number in range(300)]
    assert {page["PageSize"] for page in account.asked} == {62}


def test_one_row_that_is_too_large():
    """A single row that is larger than is read fails the read."""

    def fetch(_: Any) -> Any:
        raise ResponseTooLargeError("more than 16 MiB")

    read = PagedRead(
        SimpleNamespace(paging_styles={}),
        "a call",
        fetch,
        names=("List",),
        key=lambda row: row["Id"],
        size=SIZE,
    )
    with pytest.raises(ResponseTooLargeError):
        read.rows()


@pytest.mark.parametrize(
    "answer", [{}, {"RecordCount": 1}, {"List": 5}, {"List": [None]}, {"List": ["x"]}, "text", 5]
)
def test_answer_without_rows(answer):
    """An answer without its list does not count as an empty one."""
    read = PagedRead(
        SimpleNamespace(paging_styles={}),
        "a call",
        lambda _: answer,
        names=("List", "Notes"),
        key=lambda row: row["Id"],
        size=SIZE,
    )
    with pytest.raises(UnreadableError, match="no list List or Notes"):
        read.rows()


def test_styles_ask_as_documented():
    """Each style asks for the third page in its own way; offsets are text, as in the samples."""
    assert {style: style.paging(3, 400, 200) for style in PagingStyle} == {
        PagingStyle.PAGE_INDEX: {"PageIndex": 3, "PageSize": 200},
        PagingStyle.PAGES_FROM_0: {"Offset": "2", "RowCount": "200"},
        PagingStyle.PAGES_FROM_1: {"Offset": "3", "RowCount": "200"},
        PagingStyle.ROWS: {"Offset": "400", "RowCount": "200"},
    }


def reading_odd(pages: Any, size: int = SIZE) -> Any:
    """Return a read of an account whose pages a function gives, and what it was asked for."""
    asked: list[dict[str, Any]] = []

    def fetch(paging: dict[str, Any]) -> Any:
        asked.append(paging)
        return pages(paging, len(asked))

    client = SimpleNamespace(paging_styles={})
    return (
        lambda: PagedRead(
            client, "a call", fetch, names=("List",), key=lambda row: row["Id"], size=size
        ).rows(),
        client,
        asked,
    )


def rows_from(start: int, stop: int) -> list[dict[str, Any]]:
    return [{"Id": f"id-{number}"} for number in range(start, stop)]


def test_row_behind_a_duplicate():
    """A row that two pages give is another row's place: the announced number must come in different rows."""

    def pages(paging: dict[str, Any], _: int) -> Any:
        index = paging.get("PageIndex", 1)
        page = rows_from(0, 1000) if index == 1 else rows_from(999, 1000) + rows_from(1001, 1500)
        return {"RecordCount": 1500, "List": page if index <= 2 else []}

    read, _, _ = reading_odd(pages)
    with pytest.raises(UnreadableError, match=r"rows moved|were announced"):
        read()


def test_page_of_old_and_new_rows():
    """A page with rows that came before and new ones means that rows moved, also where no count tells."""

    def pages(paging: dict[str, Any], _: int) -> Any:
        index = paging.get("PageIndex", 1)
        return {"List": {1: rows_from(0, 100), 2: rows_from(50, 150)}.get(index, [])}

    read, _, _ = reading_odd(pages)
    with pytest.raises(UnreadableError, match="rows moved while they were read"):
        read()


def test_style_is_not_learned_by_accident():
    """A row that comes while styles are tried teaches no wrong style, to this lead or to the next."""
    account = PagingAccount(60, "rows", 25, "page")
    fetch = account.fetch

    def growing(paging: dict[str, Any]) -> Any:
        if len(account.asked) == 1:
            account.rows.insert(0, {"Id": "new"})
        return fetch(paging)

    account.fetch = growing  # type: ignore[method-assign]
    client = SimpleNamespace(paging_styles={})
    assert len(account.read(client)) == 61
    assert client.paging_styles == {"a call": PagingStyle.ROWS}
    assert len(PagingAccount(60, "rows", 25, "page").read(client)) == 60


def test_known_style_that_fails_is_forgotten():
    """A style that gives again what came before, and has no effect, is found out anew."""
    client = SimpleNamespace(paging_styles={"a call": PagingStyle.PAGE_INDEX})
    assert len(PagingAccount(60, "rows", 25, "none").read(client)) == 60
    assert client.paging_styles == {"a call": PagingStyle.ROWS}


@pytest.mark.parametrize("counts", COUNTS)
def test_empty_page_without_effect(counts):
    """An empty page is an end only in a way of paging that has an effect: here a page index gives nothing at all."""
    account = PagingAccount(60, "rows", 25, counts)
    fetch = account.fetch

    def strict(paging: dict[str, Any]) -> Any:
        if "Offset" not in paging:
            return {"List": [], **({"RecordCount": 0} if counts == "page" else {})}
        return fetch(paging)

    account.fetch = strict  # type: ignore[method-assign]
    assert len(account.read()) == 60


def test_refusal_and_a_count_of_the_page():
    """A refused page and a count of the page are no end: neither way of paging was shown to have an effect."""

    def pages(paging: dict[str, Any], _: int) -> Any:
        if "PageIndex" in paging and "Offset" not in paging:
            raise LeadRejectedError("Invalid paging")
        return {"RecordCount": 25, "List": rows_from(0, 25)}

    read, _, _ = reading_odd(pages)
    with pytest.raises(UnreadableError, match="given again"):
        read()
