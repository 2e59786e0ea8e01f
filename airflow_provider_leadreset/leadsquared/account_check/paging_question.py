"""How a call gives its pages: asked for pages of two rows, of rows that are known."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import (
    CheckedQuestion,
    Finding,
    not_told,
)
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError
from airflow_provider_leadreset.leadsquared.records.records import ACTIVITY_ID, NOTE_ID
from airflow_provider_leadreset.leadsquared.records.rows import count_of, event_code, id_of, rows_of
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

SIZE = 2
"""Rows of a page that is asked for."""
FEWEST = 3 * SIZE
FAR = 10_000
NO_EFFECT, ROWS, PAGES_FROM_0, PAGES_FROM_1 = "no effect", "rows", "pages from 0", "pages from 1"

Key = Hashable
Row = dict[str, object]
Ask = Callable[[dict[str, str | int]], tuple[list[Key], int | None] | None]
"""Returns the rows of a page, and what it counts; None where it was refused."""


def activity_pages(client: LeadSquaredClient, lead_id: str) -> Ask:
    """Return what asks for a page of the lead's activities."""

    def fetch(paging: dict[str, str | int]) -> object:
        body = {"Parameter": {}, "Paging": paging}
        return client.call("POST", "ProspectActivity.svc/Retrieve", params={"leadId": lead_id}, body=body)

    return _asking(fetch, ("ProspectActivities",), lambda row: (id_of(row, *ACTIVITY_ID), event_code(row)))


def note_pages(client: LeadSquaredClient, lead_id: str) -> Ask:
    """Return what asks for a page of the lead's notes."""

    def fetch(paging: dict[str, str | int]) -> object:
        sorting = {"ColumnName": "CreatedOn", "Direction": "1"}
        body = {"Parameter": {"RelatedId": lead_id}, "Paging": paging, "Sorting": sorting}
        return client.call("POST", "LeadManagement.svc/RetrieveNote", body=body)

    return _asking(fetch, ("List", "Notes"), lambda row: id_of(row, *NOTE_ID))


def _asking(
    fetch: Callable[[dict[str, str | int]], object], names: tuple[str, ...], key: Callable[[Row], Key]
) -> Ask:
    def ask(paging: dict[str, str | int]) -> tuple[list[Key], int | None] | None:
        try:
            answer = fetch(paging)
        except LeadRejectedError:
            return None
        return [key(row) for row in rows_of(answer, *names)], count_of(answer)

    return ask


@dataclass(slots=True)
class PagingQuestion:
    """The question for one call.

    :param name: ``activity`` or ``note``.
    :param path: the call.
    """

    name: str
    path: str
    ask: Ask

    def answers(self) -> list[CheckedQuestion]:
        """Ask, and return what was found."""
        base = self._base()
        if base is None or len(base[0]) < FEWEST:
            why = f"fewer than {FEWEST} rows could be read at once"
            return [not_told(f"{self.name}_{key}", text, why) for key, text in self._questions().items()]
        rows, count = base
        index = self.ask({"PageIndex": 2, "PageSize": SIZE})
        offsets = [self.ask({"Offset": str(number), "RowCount": str(SIZE)}) for number in (1, 2)]
        by_index = None if index is None else index[0] == rows[SIZE : 2 * SIZE]
        offset = _meaning(rows, [None if one is None else one[0] for one in offsets])
        found: dict[str, Finding | None] = {
            "page_index": by_index,
            "offset": offset,
            "count": _counted(rows, count, index if by_index else offsets[1]),
            "beyond_the_end": self._beyond(rows, by_index=bool(by_index), offset=offset),
        }
        again = self._base()
        if again is None or again[0] != rows:
            found = dict.fromkeys(found)
        control = (
            "the whole list read the same before and after" if again else "the list could not be read again"
        )
        return [
            CheckedQuestion(
                f"{self.name}_{key}",
                text,
                f"pages of {pluralize(SIZE, 'row')}, of {len(rows)} known",
                _plain(found[key]),
                control,
                found[key],
            )
            for key, text in self._questions().items()
        ]

    def _questions(self) -> dict[str, str]:
        return {
            "page_index": f"Are PageIndex and PageSize heeded by {self.path}?",
            "offset": f"What does Offset count in {self.path}?",
            "count": f"What does RecordCount count in {self.path}?",
            "beyond_the_end": f"What is a page past the end of {self.path}?",
        }

    def _base(self) -> tuple[list[Key], int | None] | None:
        return self.ask({"Offset": "0", "RowCount": "200", "PageIndex": 1, "PageSize": 200})

    def _beyond(self, rows: list[Key], *, by_index: bool, offset: str | None) -> str | None:
        if by_index:
            page = self.ask({"PageIndex": FAR, "PageSize": SIZE})
        elif offset not in (None, NO_EFFECT):
            page = self.ask({"Offset": str(FAR), "RowCount": str(SIZE)})
        else:
            return None
        if page is None:
            return "error"
        return "last page again" if page[0] and page[0] != rows[:SIZE] else None if page[0] else "empty"


def _meaning(rows: list[Key], pages: list[list[Key] | None]) -> str | None:
    shapes = {
        ROWS: [rows[1:3], rows[2:4]],
        PAGES_FROM_0: [rows[2:4], rows[4:6]],
        PAGES_FROM_1: [rows[0:2], rows[2:4]],
    }
    for meaning, shape in shapes.items():
        if pages == shape:
            return meaning
    # As many rows as come without being asked: neither field was heeded.
    unheeded = all(page is not None and len(page) > SIZE and page == rows[: len(page)] for page in pages)
    return NO_EFFECT if unheeded else None


def _counted(rows: list[Key], count: int | None, page: tuple[list[Key], int | None] | None) -> str | None:
    if page is None or len(page[0]) != SIZE:
        return None
    if page[1] is None:
        return "none" if count is None else None
    if page[1] == SIZE and count == len(rows):
        return "page"
    return "all" if page[1] == count and count is not None and count >= len(rows) else None


def _plain(found: Finding | None) -> str:
    return "not told" if found is None else {True: "heeded", False: "not heeded"}.get(found, str(found))  # type: ignore[call-overload]
