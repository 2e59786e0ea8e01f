"""Keys, kept so that nothing shows them by accident, and found again in whatever spelling somebody repeats them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from html.entities import html5

from airflow_provider_leadreset.leadsquared.text import without_invisible


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


_ELLIPSIS = "…"
"""What stands at the end of a text that was cut."""

_SHORTEST_PART = 6
"""Characters of a key that are struck out where a text was cut: fewer may stand anywhere, and tell little."""

_NAMES: dict[str, list[str]] = {}
for _name, _sign in html5.items():
    if len(_sign) == 1 and _sign.isascii():
        _NAMES.setdefault(_sign, []).append(_name.rstrip(";"))


def spellings(*keys: Secret) -> re.Pattern[str]:
    r"""Return a pattern that finds each key in any spelling: plain, percent, JSON, HTML or Base64.

    Each character of a key is one alternation of its spellings, in any letter case: ``+`` is also ``%2b``, ``%252B``,
    ``\u002B``, ``\\u002b``, ``\u{2b}``, ``\U0000002b``, ``&#43;``, ``&#x2B``, ``&plus;`` or ``&amp;plus;``; the signs
    that begin such a code may be spelled by another. All repetitions are bounded, so that the time is linear in the
    text. Base64 is known of each key and of all of them with colons between, as in a header of HTTP's, and of a key
    inside of something else that is packed; so is hexadecimal.

    A key of fewer than 4 characters, as of a connection for a trial, is found as a whole word alone: anywhere, it would
    leave no error readable.
    """
    plain = [key.text() for key in keys]
    # Of a few characters it is a word that may stand anywhere.
    packed = [_base64(text) for text in (*plain, ":".join(plain)) if len(text) >= _SHORTEST_PACKED]
    # Longest first, else a key that begins with the other would be struck out in part.
    texts = sorted(
        [*plain, *packed, *(text.replace("+", "-").replace("/", "_") for text in packed)], key=len
    )[::-1]
    whole = r"(?<![^\W_]){}(?![^\W_])"
    units = [
        ("{}" if len(text) >= SHORTEST_ANYWHERE else whole).format("".join(_units(text)))
        for text in texts
        if text
    ]
    inner = [form for text in plain if len(text) >= _SHORTEST_PACKED for form in _packed_inside(text)]
    return re.compile("|".join([*units, *inner]), re.IGNORECASE)


class KeySpellings:
    """Keys that are struck out of texts, in any spelling (see :func:`spellings`).

    The pattern takes up to a second to make, so it is made for the first text that is long enough to hold a key.
    """

    def __init__(self, *keys: Secret) -> None:
        self._keys = [key for key in keys if key.text()]
        # No spelling of a key is shorter than the key.
        self._shortest = min((len(key.text()) for key in self._keys), default=0)

    def strike_out(self, text: str) -> str:
        """Return a text with ``***`` in place of each key, and of each key's part before an ellipsis.

        An error quotes a long text cut, before anybody who knows the keys sees it.
        """
        if not self._keys:
            return text
        struck = strike_out(self._pattern, text) if len(text) >= self._shortest else text
        if _ELLIPSIS not in struck:
            return struck
        *cut, rest = struck.split(_ELLIPSIS)
        return _ELLIPSIS.join([*map(self._without_part, cut), rest])

    def _without_part(self, cut: str) -> str:
        """Strike out what of a key stands at the end of a text that was cut: any part, since signs may be coded."""
        end = cut[-max(len(key.text()) for key in self._keys) :].lower()
        longest = 0
        for key in self._keys:
            plain, length = key.text().lower(), 0
            while length < len(end) and end[-length - 1 :] in plain:
                length += 1
            longest = max(longest, length)
        return f"{cut[:-longest]}***" if longest >= _SHORTEST_PART else cut

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return spellings(*self._keys)


def strike_out(keys: re.Pattern[str], text: str) -> str:
    """Return a text with ``***`` in place of each key, also where signs that nobody sees are strewn into it.

    Of a text with such a key nothing invisible is kept. One that is broken over lines, or has blanks, tags or codes of
    what nobody sees in it, is struck out where it stands.

    :param keys: see :func:`spellings`.
    """
    struck = keys.sub("***", text)
    seen = without_invisible(struck)
    if seen != struck and keys.search(seen):
        struck = keys.sub("***", seen)
    return _without_parted(keys, struck)


_GAP = re.compile(
    r"\s|\\{1,4}(?:[nrt]|u00(?:0[9ad]|a[0d])|u200[b-d]|ufeff)|</?w?br ?/?>"
    r"|&(?:shy|nbsp|#(?:9|10|13|32|160|173|8203));|%(?:0a|0d|09|20)|=\r?\n",
    re.IGNORECASE,
)
"""What a text is broken with, that is no part of a key: each sign or code by itself, so that the time is linear."""


def _without_parted(keys: re.Pattern[str], text: str) -> str:
    """Strike out keys that are broken over lines or by blanks, where they stand."""
    places: list[int] = []
    parts, at = [], 0
    for gap in _GAP.finditer(text):
        parts.append(text[at : gap.start()])
        places += range(at, gap.start())
        at = gap.end()
    if not at:
        return text
    parts.append(text[at:])
    places += range(at, len(text))
    found, at = [], 0
    for match in keys.finditer("".join(parts)):
        # Of a few characters it is a word, or parts of two.
        if match.end() - match.start() >= _SHORTEST_PACKED:
            found += [text[at : places[match.start()]], "***"]
            at = places[match.end() - 1] + 1
    return "".join([*found, text[at:]])


SHORTEST_ANYWHERE = 4
"""Characters of a key that is found with letters or digits beside it, too."""

_SHORTEST_PACKED = 8
"""Characters of a key whose Base64 is looked for."""


def _base64(text: str) -> str:
    # Without what fills it up: some leave it out, and it is spelled in many ways.
    return b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def _packed_inside(text: str) -> Iterator[str]:
    """Yield patterns of what a key becomes inside of a longer text that is packed in Base64, or in hexadecimal.

    Base64 packs three bytes to four signs, so there are three ways; the signs at both ends hold bits of others too.
    """
    raw = text.encode("utf-8", "replace")
    for before in range(3):
        packed = b64encode(b"\0" * before + raw)
        whole = packed[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6].decode()
        yield "".join({"+": "[+-]", "/": "[/_]"}.get(sign, sign) for sign in whole)
    yield "[ :,]?".join(f"{byte:02x}" for byte in raw)


def _units(text: str) -> Iterator[str]:
    after_backslashes = False
    for run in re.findall(r"\\+|[^\\]", text):
        backslashes = run.startswith("\\")
        yield _backslashes(len(run)) if backslashes else _spelling(run, after_backslashes)
        after_backslashes = backslashes


_PERCENT = r"(?:%|&(?:amp;){0,3}(?:#0{0,6}37|#x0{0,6}25|percnt);?)"
_AMPERSAND = r"(?:&|%(?:25){0,5}26)"
_CODED_BACKSLASH = r"(?:%(?:25){0,5}5c|&(?:amp;){0,3}#(?:0{0,6}92|x0{0,6}5c);?)"
_HASH = r"(?:#|%(?:25){0,5}23)"
_SEMICOLON = r"(?:;|%(?:25){0,5}3b)?"


def _backslashes(count: int) -> str:
    # Possessive: what follows may begin with backslashes too, and there must be one way only to part them.
    escaped = r"(?:u005c|x5c|u0000005c|u\{0{0,6}5c\}|u0025(?:25){0,5}5c)"
    coded = rf"\\{{1,8}}{escaped}|{_CODED_BACKSLASH}{escaped}|{_code(chr(92))}"
    return rf"(?:\\{{{count},{16 * count}}}+|(?:{coded}){{{count}}})"


def _spelling(sign: str, after_backslashes: bool) -> str:
    code = f"{ord(sign):02x}"
    fewest = 0 if after_backslashes else 1  # its own may have been taken for those before
    escaped = rf"(?:u00{code}|x{code}|u000000{code}|u\{{0{{0,6}}{code}\}})"
    # The longer ones first, else a key's last character would leave the rest of its code.
    plain = "|".join([_code(sign), re.escape(sign), *([r"\+"] if sign == " " else [])])
    after = f"{_code(sign, '(?:u0025|%)', '(?:u0026|&)')}|{escaped}|{plain}"
    # Possessive: no sign of a code is a backslash, so there is one way only to part them.
    return rf"(?:\\{{{fewest},8}}+(?:{after})|{_CODED_BACKSLASH}{escaped}|{plain})"


def _code(sign: str, percent: str = _PERCENT, ampersand: str = _AMPERSAND) -> str:
    code = ord(sign)
    named = "".join(f"|{name}" for name in sorted(_NAMES.get(sign, ()), key=len, reverse=True))
    return (
        rf"{percent}(?:25){{0,5}}(?:u00)?{code:02x}|"
        rf"{ampersand}(?:amp{_SEMICOLON}){{0,3}}(?:{_HASH}0{{0,8}}{code}|{_HASH}x0{{0,8}}{code:x}{named}){_SEMICOLON}"
    )
