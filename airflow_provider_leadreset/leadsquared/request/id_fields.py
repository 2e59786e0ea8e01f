"""Which column of a table, or key of a row, holds a lead's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.text import quoted

USUAL_NAMES = ("prospectid", "leadid", "relatedprospectid")
"""Names of the column or key of the id, as :func:`plain_name` makes them: of LeadSquared's own exports and its API."""

SHOWN = 10
"""How many names of columns or keys an error lists."""

MOST_TOLD = 200
"""Keys, and their characters, of which it is remembered whether they name the id."""

_SPELLED = {"prospectid": "ProspectID", "leadid": "LeadID", "relatedprospectid": "RelatedProspectID"}


def plain_name(name: str) -> str:
    """Return a name without blanks, underscores and letter case."""
    return "".join(name.replace("_", " ").split()).lower()


class IdField:
    """The name of the column or key of a lead's id.

    :param name: what it is called; None for one of :data:`USUAL_NAMES`. Blanks, underscores and letter case make no
        difference.
    :param can_be_named: whether an error may say to name it by ``prospect_id_field``.
    :raises InputError: ``name`` is no text, or one that names nothing.
    """

    def __init__(self, name: object = None, *, can_be_named: bool = True) -> None:
        if name is not None and (not isinstance(name, str) or plain_name(name) in {"", "none"}):
            raise InputError(
                f"prospect_id_field is {quoted(name)}, which names no column or key: write what the column of the lead "
                "ids is called, or leave it out for ProspectID, LeadID or RelatedProspectID"
            )
        self._name = name
        self._can_be_named = can_be_named
        self.names = USUAL_NAMES if name is None else (plain_name(name),)
        self._told: dict[str, bool] = {}

    def is_meant(self, name: object) -> bool:
        """Return whether a column or key of this name holds the id."""
        if not isinstance(name, str):
            return False
        # A million rows have the same few keys.
        found = self._told.get(name)
        if found is None:
            found = plain_name(name) in self.names
            if len(self._told) < MOST_TOLD and len(name) < MOST_TOLD:
                self._told[name] = found
        return found

    def column(self, header: list[str]) -> int:
        """Return the place of the id among the columns of a table.

        :raises InputError: none of them is it, or several may be.
        """
        found = self._places(header)
        if len(found) == 1:
            return found[0]
        if not header:
            raise InputError("line 1 is empty, where a CSV file names its columns")
        columns = f"its columns are: {_listed(header)}"
        if not found:
            raise InputError(
                f"it has no column named {self._described()}; {columns}. "
                f"{self._remedy('which of them holds the lead ids')}"
            )
        raise InputError(
            f"it has {len(found)} columns that may be the lead id, and must have one; {columns}. "
            f"{self._remedy('which of them is meant')}"
        )

    def id_of(self, row: Mapping[Any, object], where: str) -> str:
        """Return the lead id of a row.

        :param where: how an error calls the row, for example ``line 7``.
        :raises InputError: no key of it names the id, several may, or its value is no id.
        """
        names = list(row)
        found = self._places(names)
        if len(found) == 1:
            name = names[found[0]]
            return parse_guid(row[name], f"{self.spelled(name)} of {where}")
        if not found:
            raise InputError(
                f"{where} has no {self._described()}; it has: {_listed(names) or 'nothing'}. "
                f"{self._remedy('which key holds the lead id')}"
            )
        raise InputError(
            f"{where} has {len(found)} keys that may be the lead id, and must have one: "
            f"{_listed([names[place] for place in found])}. {self._remedy('which of them is meant')}"
        )

    def spelled(self, name: str) -> str:
        """Return a column's or key's name as an error tells it."""
        return _spelled(plain_name(name))

    def _places(self, names: list[Any]) -> list[int]:
        found = [place for place, name in enumerate(names) if self.is_meant(name)]
        if len(found) > 1:
            # "Lead ID" beside "LeadID": the one that is written so, if it is one.
            exactly = [place for place in found if names[place] == self._name]
            return exactly if len(exactly) == 1 else found
        return found

    def _remedy(self, which: str) -> str:
        return f"Say by prospect_id_field {which}" if self._can_be_named else "Call it ProspectID, once"

    def _described(self) -> str:
        return " or ".join(map(_spelled, self.names))


def _spelled(plain: str) -> str:
    return _SPELLED.get(plain, quoted(plain))


def _listed(names: list[Any]) -> str:
    shown = ", ".join(quoted(name, 40) for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
