"""Keys, kept so that nothing shows them by accident, and found again in whatever spelling somebody repeats them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5


class Secret:
    """A value that its ``repr`` does not show, for tracebacks show the ``repr`` of local names."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "<secret>"

    def text(self) -> str:
        """Return the value as text without the blanks around it; empty for what is no text.

        Whoever asks lets go of it before anything can raise.
        """
        return self._value.strip() if isinstance(self._value, str) else ""


_NAMES: dict[str, list[str]] = {}
for _name, _sign in html5.items():
    if len(_sign) == 1 and _sign.isascii():
        _NAMES.setdefault(_sign, []).append(_name.rstrip(";"))


def spellings(*keys: Secret) -> re.Pattern[str]:
    r"""Return a pattern that finds each key in any spelling: plain, percent, JSON or HTML.

    Each character of a key is one alternation of its spellings, in any letter case: ``+`` is also ``%2b``, ``%252B``,
    ``\u002B``, ``\\u002b``, ``&#43;``, ``&#x2B``, ``&plus;`` or ``&amp;plus;``. All repetitions are bounded, so that
    the time is linear in the text.
    """
    # Longest first, else a key that begins with the other would be struck out in part.
    texts = sorted((key.text() for key in keys), key=len, reverse=True)
    return re.compile("|".join("".join(_units(text)) for text in texts if text), re.IGNORECASE)


def _units(text: str) -> Iterator[str]:
    after_backslashes = False
    for run in re.findall(r"\\+|[^\\]", text):
        backslashes = run.startswith("\\")
        yield _backslashes(len(run)) if backslashes else _spelling(run, after_backslashes)
        after_backslashes = backslashes


def _backslashes(count: int) -> str:
    # Possessive: what follows may begin with backslashes too, and there must be one way only to part them.
    return rf"(?:\\{{{count},{16 * count}}}+|(?:{_code(chr(92))}|\\{{1,8}}(?:u00|x)5c){{{count}}})"


def _spelling(sign: str, after_backslashes: bool) -> str:
    fewest = 0 if after_backslashes else 1  # its own may have been taken for those before
    # The longer ones first, else a key's last character would leave the rest of its code.
    plain = [_code(sign), re.escape(sign), *([r"\+"] if sign == " " else [])]
    return rf"(?:\\{{{fewest},8}}(?:u00|x){ord(sign):02x}|\\{{0,8}}(?:{'|'.join(plain)}))"


def _code(sign: str) -> str:
    code = ord(sign)
    named = "".join(f"|{name}" for name in sorted(_NAMES.get(sign, ()), key=len, reverse=True))
    return (
        rf"%(?:25){{0,3}}(?:u00)?{code:02x}|&(?:amp;){{0,3}}(?:#0{{0,6}}{code}|#x0{{0,6}}{code:x}{named});?"
    )
