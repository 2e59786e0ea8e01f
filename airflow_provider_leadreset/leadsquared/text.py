"""Texts for people: numbers, quoted values, and what others wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links
)
"""What a terminal obeys in place of showing it. No two repetitions can take the same sign: the time is linear."""


def pluralize(count: int, noun: str, many: str | None = None) -> str:
    """Return ``1 record``, but ``0 records`` and ``2 records``.

    :param many: what several are called, where that is not ``noun`` with an s.
    """
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"


def sentence(text: str) -> str:
    """Return a text that stands alone with a capital, unless it begins with a name, such as a host's."""
    word = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if word.isalpha() else text


def listed(items: Iterable[object], separator: str = ", ", most: int = 20) -> str:
    """Return them one after another: the first ones, and how many more there are."""
    texts = [str(one) for one in items]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{separator.join(texts[:most])}{more}"


def duration(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``7 min``, ``1 h 25 min``; rounded, and never more exact than that."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


LATER = "; later: "
"""Between why a lead is unanswered, and what a later call came to: in a journal, a summary and an auditor's account."""

LONG = 1_000_000
"""Characters of a text beyond which not even its ``repr`` is made."""


def describe_counts(counts: Mapping[str, int]) -> str:
    """Return records per kind as ``4 activities, 1 task``; kinds that there are none of are left out."""
    singular = {"activities": "activity", "tasks_of_unknown_type": "task of unknown type"}
    named = [
        pluralize(count, singular.get(kind, kind.removesuffix("s")), kind.replace("_", " "))
        for kind, count in counts.items()
        if count
    ]
    return ", ".join(named) or "no records"


def quoted(value: object, limit: int = 120) -> str:
    """Return ``value`` as an error quotes it: its ``repr``, cut after ``limit`` characters."""
    if isinstance(value, (str, bytes)) and len(value) > LONG:
        return f"{repr(value[:limit])[:limit]}… ({len(value)} characters)"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = f"<{type(value).__name__}>"  # a number of thousands of digits, or nested a thousand deep
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def scrubbed(text: str, limit: int | None = None) -> str:
    """Return text of others on one line, without terminal sequences, each other sign that does not print replaced.

    :param limit: the text is cut after so many characters, and an ellipsis says so; None for all of it.
    """
    plain = _TERMINAL_SEQUENCE.sub("", text)
    line = "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(plain.split())
    )
    return line if limit is None or len(line) <= limit else f"{line[:limit]}…"


_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Signs that count as letters or symbols, and show nothing."""


def without_invisible(text: str) -> str:
    """Return text without all that a reader does not see, or sees as a mark on another sign; blanks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign
        for sign in _TERMINAL_SEQUENCE.sub("", text)
        if sign.isprintable() and sign not in _BLANK_LETTERS and unicodedata.category(sign)[0] != "M"
    )


def presentable(text: str, redact: Callable[[str], str], limit: int | None = None) -> str:
    """Return text of others as :func:`scrubbed` gives it, without keys.

    They are struck out before, since blanks of a key would be squeezed; and after, since a terminal sequence inside a
    key hides it until it is taken out. It is cut last: of a key that is cut, the rest would be shown.

    :param redact: strikes the keys out.
    """
    line = redact(scrubbed(redact(text)))
    return line if limit is None or len(line) <= limit else f"{line[:limit]}…"
