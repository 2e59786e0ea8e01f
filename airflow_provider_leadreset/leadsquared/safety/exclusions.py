"""Leads that must never be reset, such as those under a legal hold: however many, in flat memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Self

from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import guid_key
from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath, read_lead_file
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, describe_none
from airflow_provider_leadreset.leadsquared.text import quoted


class Exclusions:
    """A set of leads that are not to be reset, told in any letter case.

    Used by one thread. Its memory is given back by :meth:`close`.

    :param leads: their ids; one may be named twice.
    """

    def __init__(self, leads: Iterable[str] = ()) -> None:
        self._keys = DistinctKeys()
        try:
            for lead in leads:
                self._keys.add(guid_key(lead))
        except BaseException:
            self._keys.close()
            raise

    @classmethod
    def parse(cls, value: object, open_path: Callable[[str], ReadablePath]) -> Self:
        """Parse ``exclude`` as an operator gets it, after templates were rendered.

        :param value: ids, as :func:`.parse_lead_ids` takes them; or the absolute URI or path of a file of them, as
            :func:`.read_lead_file` takes it; or :data:`.NOT_GIVEN` for nobody. An empty list, or a file without ids,
            excludes nobody.
        :param open_path: gives the path that a text names.
        :raises InputError: None, text that rendered to nothing, anything else that is no lead; a file that is missing
            or cannot be read to its end.
        """
        if value is NOT_GIVEN:
            return cls()
        if value is None:
            raise InputError(describe_none("exclude"))
        text = str(value) if hasattr(value, "open") else value
        if isinstance(text, str) and _names_a_file(text):
            return cls(read_lead_file(open_path(text.strip()), argument="exclude"))
        if not isinstance(text, (str, uuid.UUID, Mapping, Sequence)) or isinstance(
            text, (bytes, bytearray, memoryview)
        ):
            raise InputError(
                f"exclude is {quoted(value)}: give lead ids, or the absolute URI of a file of them"
            )
        try:
            return cls(Leads.parse(text, argument="exclude"))
        except InputError as error:
            if isinstance(text, str):
                raise InputError(f"{error}; or give the absolute URI of a file of them") from None
            raise

    def __contains__(self, lead: str) -> bool:
        return guid_key(lead) in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def close(self) -> None:
        """Forget all of them."""
        self._keys.close()


def _names_a_file(text: str) -> bool:
    return text.lstrip().startswith("/") or "://" in text
