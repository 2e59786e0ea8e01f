"""Lead ids as they are given to a task. Whatever cannot be read is refused, never skipped."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.request.guids import BETWEEN, guid_key, guids_of, parse_guid
from airflow_provider_leadreset.leadsquared.request.id_fields import IdField
from airflow_provider_leadreset.leadsquared.request.lead_files import read_lead_file
from airflow_provider_leadreset.leadsquared.sentinels import describe_none
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath

_EMPTY_LIST = re.compile(r"\[\s*\]|\(\s*\)")


def parse_lead_ids(value: object, field: object = None) -> list[str]:
    """Read lead ids as an operator gets them, after templates were rendered.

    :param value: text of GUIDs separated by commas, blanks or line breaks, with or without quotes and
        brackets around them; a row (a mapping) with the id in it; or a sequence of such texts or rows, or of sequences
        of them (one level), such as the output of a mapped task.
    :param field: name of the id's key in a row, see :class:`.IdField`.
    :returns: the ids in the order given, each once: two that differ in letter case are one lead. Empty
        only for a real empty list (also one that a template rendered: ``[]``).
    :raises InputError: None, empty text, ``"None"``, or anything in it that is no GUID.
    """
    once: dict[str, str] = {}
    for lead in _named(value, IdField(field)):
        once.setdefault(lead.lower(), lead)
    return list(once.values())


def chunked(ids: Sequence[str | Mapping[str, object]], n: int) -> list[list[str]]:
    """Cut ``ids`` into lists of at most ``n``, for ``LeadResetOperator.partial(…).expand(prospect_ids=…)``.

    A lead that is named twice, in any letter case, comes once.

    :param ids: as :func:`parse_lead_ids` takes them: rows with an id in them too.
    :raises InputError: ``n`` below 1.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError(f"chunks of {quoted(n)} leads cannot be made: give a whole number of at least 1")
    leads = parse_lead_ids(ids)
    return [leads[start : start + n] for start in range(0, len(leads), n)]


@dataclass(frozen=True)
class Leads:
    """Counted and checked lead ids, each once, that can be read again, without holding them in memory.

    :param count: how many leads there are.
    :param digest: SHA-256 of all ids in their order, as hex: equal for the same leads.
    :param read: gives them in their order, each as it was spelled first.
    :param rows: how many were named. More than ``count`` where a lead was named twice.
    """

    count: int
    digest: str
    read: Callable[[], Iterator[str]]
    rows: int

    @classmethod
    def parse(cls, value: object, field: object = None, *, argument: str = "prospect_ids") -> Leads:
        """Parse ids as :func:`parse_lead_ids` does.

        :param field: as there.
        :param argument: how an error calls them.
        :raises InputError: as there.
        """
        return cls.of(_named(value, IdField(field, can_be_named=argument == "prospect_ids"), argument))

    @classmethod
    def from_file(cls, path: ReadablePath, field: object = None) -> Leads:
        """Read the ids of a file, see :func:`.read_lead_file`.

        It is read once, now, into a local copy: what was counted is what is used, whatever becomes of the file.

        :raises InputError: as there.
        """
        return cls.of(read_lead_file(path, field))

    @classmethod
    def of(cls, named: Iterable[str]) -> Leads:
        """Keep ids, each checked already, in a local copy, each once: two that differ in letter case are one lead."""
        rows, digest = 0, hashlib.sha256()

        def lines() -> Iterator[bytes]:
            nonlocal rows
            for lead in named:
                rows += 1
                if seen.add(guid_key(lead)):
                    digest.update(lead.lower().encode())
                    yield f"{lead}\n".encode()

        with DistinctKeys() as seen:
            kept = PrivateCopy(lines())
            count = len(seen)
        return cls(count, digest.hexdigest(), lambda: (line.decode().rstrip() for line in kept.open()), rows)

    def __iter__(self) -> Iterator[str]:
        """Return the ids."""
        return self.read()


def _named(value: object, field: IdField, argument: str = "prospect_ids") -> Iterator[str]:
    """Return the ids as often as they are named."""
    if isinstance(value, str):
        return iter([] if _EMPTY_LIST.fullmatch(value.strip()) else _from_text(value, argument))
    if isinstance(value, (uuid.UUID, Mapping)):
        return iter(_from_item(value, argument, field))
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return _from_sequence(value, field, argument)
    raise InputError(
        f"{argument} is {quoted(value)}: give one lead id, text with several, or a list "
        "(a real empty list means that there is nothing to do, and skips the task)"
    )


def _from_sequence(values: Sequence[object], field: IdField, argument: str) -> Iterator[str]:
    for index, value in enumerate(values):
        where = f"item {index} of {argument}"
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
            for inner in value:
                yield from _from_item(inner, where, field)
        else:
            yield from _from_item(value, where, field)


def _from_item(value: object, where: str, field: IdField) -> list[str]:
    if value is None:
        raise InputError(describe_none(where))
    if isinstance(value, str):
        return _from_text(value, where)
    if isinstance(value, Mapping):
        return [field.id_of(value, where)]
    return [parse_guid(value, where)]


def _from_text(text: str, where: str) -> list[str]:
    words = BETWEEN.split(text.strip())
    ids = [] if words == ["None"] else guids_of(words, where)
    if not ids:
        raise InputError(
            f"{where} is {quoted(text)}, which names no lead: a template may have rendered to nothing. Only a real "
            "empty list means that there is nothing to do"
        )
    return ids
