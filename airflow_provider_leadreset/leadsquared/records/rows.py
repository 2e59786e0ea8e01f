"""What a row of an answer says: its id, its code, its time. What cannot be read is an error of its lead alone."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError, UnreadableError
from airflow_provider_leadreset.leadsquared.text import quoted

_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){1,2}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}[0-9:.+Z-]{0,30}", re.ASCII)
_NIL = "00000000-0000-0000-0000-000000000000"

LEAD_ID = ("ProspectID", "ProspectId")

_INFERRED_COUNTS = ("TotalRecordCount", "TotalCount", "TotalRecords", "Total")
_COUNTS = ("RecordCount", *_INFERRED_COUNTS)
"""What an answer counts its rows by: the first is documented, the others are inferred."""

_TROUBLE = re.compile(r"(?:has|is)?(?:error|exception)")
"""How fields begin, in lower case, that say that something went wrong."""

_FINE = ("", "success", "ok", "true", "200", "0")
"""Words of a ``Status`` beside rows that is no trouble ("Success" is documented, the others inferred)."""

_NO_TROUBLE = ("", "0", "none", "null", "false", "no", "ok", "success")
"""Words by which a field of trouble says that there was none (inferred)."""

_NOT = ("false", "0", "no")
"""Words by which ``Success`` says that it was none (inferred)."""

_MORE = ("hasmore", "hasmorerecords", "morerecords", "hasnext", "hasnextpage", "istruncated", "ispartial")
"""Fields, in lower case, that say where they are true that more rows follow than were given (inferred)."""

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


def _told(value: object) -> str:
    """Return a value as an error quotes it, or what it is: of one that is cut a key could be left in part."""
    whole = quoted(value)
    return whole if "…" not in whole else f"<{type(value).__name__}, too long to be shown>"


def rows_of(answer: object, *names: str, bare: bool = False) -> list[dict[str, object]]:
    """Return the rows that an answer has under one of some names.

    :param bare: whether they may stand alone, as an array. Where they should not, an empty array is no empty list.
    :raises UnreadableError: it has none, or something else among them; or it says beside them that something went
        wrong: then they may not be all.
    """
    rows: object = answer if bare else None
    if isinstance(answer, dict):
        _refuse_trouble(answer, names)
        lists = [answer[name] for name in names if isinstance(answer.get(name), list)]
        # One of two names may stand there empty; two that are not cannot both be meant.
        filled = [found for found in lists if found]
        rows = None if len(filled) > 1 else next(iter(filled or lists), None)
        if not lists and count_of(answer) == 0 and any(name in answer for name in names):
            rows = []  # null, and said to be nothing
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableError(f"the answer has no list {' or '.join(names)}")
    return rows


def _refuse_trouble(answer: Mapping[str, object], names: tuple[str, ...]) -> None:
    """Refuse an answer that has rows, and also says that it failed or has two lists of them."""
    lists = {name.lower() for name in names}
    for name, said in answer.items():
        plain = name.lower()
        other_letters = plain in lists and name not in names
        word = "" if said is None else str(said).strip(" .!").lower()
        failed = plain == "status" and word not in _FINE
        unsuccessful = plain in {"success", "issuccess"} and word in _NOT
        trouble = _TROUBLE.match(plain) and said and word not in _NO_TROUBLE
        if failed or unsuccessful or trouble or (other_letters and said):
            # Not quoted: nobody strikes the keys out of what is judged here.
            raise UnreadableError(
                "the answer says beside its rows that something went wrong, or has others too, so they may not be all"
            )


def count_of(answer: object) -> int | None:
    """Return how many rows the answer says there are; None where it does not say.

    ``RecordCount`` is documented; ``TotalRecordCount`` and its like (inferred) are read should an account give
    them, -1 of these as .NET's "not known". Of two counts the larger is what may be missing.

    :raises UnreadableError: it says something that is no number: then rows may be missing unseen.
    """
    if not isinstance(answer, dict):
        return None
    counts = []
    for name in _COUNTS:
        said = field_of(answer, name)
        if said is None or (name in _INFERRED_COUNTS and said in (-1, "-1")):
            continue
        counts.append(whole_number(said))
        if counts[-1] is None:
            raise UnreadableError(f"the answer counts {_told(said)} rows, which is no number")
    return max((count for count in counts if count is not None), default=None)


def says_more(answer: object) -> bool:
    """Return whether an answer says that more rows follow than it gives."""
    return isinstance(answer, dict) and any(
        name.lower().replace("_", "") in _MORE and str(said).strip().lower() in {"true", "yes", "1"}
        for name, said in answer.items()
    )


def whole_number(value: object) -> int | None:
    """Return a whole number that may come as text or with a decimal point; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if _GROUPED.fullmatch(text):
            text = text.replace(",", "")
        text = text.removesuffix(".0")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
    if isinstance(value, float):
        return (
            int(value)
            if math.isfinite(value) and value.is_integer() and 0 <= value < 10**LONGEST_NUMBER
            else None
        )
    return value if isinstance(value, int) and 0 <= value < 10**LONGEST_NUMBER else None


def field_of(row: Mapping[str, object], *names: str) -> object:
    """Return the value of the first of some fields that a row has, letter case ignored; None where it has none.

    Documented and seen spellings differ: ``ProspectID`` and ``ProspectId``, ``TaskID`` and ``UserTaskId``.
    """
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    lower = {str(key).lower(): value for key, value in row.items()}
    return next((lower[name.lower()] for name in names if lower.get(name.lower()) not in (None, "")), None)


def id_of(row: Mapping[str, object], *names: str) -> str:
    """Return a record's id in lower case. A record without one could be neither counted once nor verified.

    :raises UnreadableError: it has none.
    """
    value = field_of(row, *names)
    text = str(value).strip().strip("{}").lower() if isinstance(value, (str, int)) else ""
    # All zeros is what .NET makes of a missing id.
    if not text or isinstance(value, bool) or text == _NIL:
        raise UnreadableError(f"the answer has a record without its {' or '.join(names)}")
    return text


def lead_id_of(row: Mapping[str, object]) -> str:
    """Return the id of a row that is a lead, in either of the two shapes the API gives leads in, in lower case.

    :raises UnreadableError: it has none.
    """
    return id_of(lead_fields(row), *LEAD_ID)


def lead_fields(row: Mapping[str, object]) -> Mapping[str, object]:
    """Return the fields of a row that is a lead, in either of the two shapes the API gives leads in."""
    pairs = row.get("LeadPropertyList")
    if not isinstance(pairs, list):
        return row
    return {str(pair.get("Attribute")): pair.get("Value") for pair in pairs if isinstance(pair, Mapping)}


def refuse_other_lead(row: Mapping[str, object], lead: str, *names: str) -> None:
    """Refuse a record that says that it is another lead's: a filter was not heeded.

    A blank, or all zeros, says nothing; a GUID may come in braces or without hyphens (inferred, all of .NET's).

    :param names: the fields that say whose it is, beside ``RelatedProspectId``.
    :raises UnreadableError: it does.
    """
    for name in ("RelatedProspectId", *names):
        other = field_of(row, name)
        text = other.strip().strip("{}").lower() if isinstance(other, str) else ""
        if text and text != _NIL and text.replace("-", "") != lead.strip().lower().replace("-", ""):
            raise UnreadableError(f"the answer has a record of another lead, {_told(other)}")


def event_code(row: Mapping[str, object]) -> int:
    """Return the event code of an activity.

    :raises UnreadableError: it is no whole number.
    """
    code = whole_number(field_of(row, "EventCode", "ActivityEvent"))
    if code is None:
        raise UnreadableError(f"an activity has the event code {_told(row.get('EventCode'))}")
    return code


def moment_of(value: object) -> datetime:
    """Read a time as LeadSquared gives it: UTC, ``YYYY-MM-DD HH:MM:SS``, with or without fractions (documented).

    :raises UnreadableError: it is something else.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        moment = datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError(f"a record was created at {_told(value)}, which is no date") from None
