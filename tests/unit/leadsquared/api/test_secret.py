"""Keys that nothing shows by accident, and that are found in whatever spelling somebody repeats them."""

from __future__ import annotations

import html
import json
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from pytest_mock import MockerFixture

from airflow_provider_leadreset.leadsquared.api import secret
from airflow_provider_leadreset.leadsquared.api.secret import Secret, spellings, strike_out

KEYS = [
    "u$rAK0123456789abcdef",
    "s3c$ret+held/9=9&x%41",
    'p"q\\/r\\\\"x',
    "ab\\\\c +d'<>",
    "a%41%2B%%",
    "&amp;+",
]
NAMED = {
    "+": "&plus;",
    "/": "&sol;",
    "$": "&dollar;",
    "=": "&equals;",
    "&": "&amp;",
    "%": "&percnt;",
    '"': "&quot;",
}


def each(form: str) -> Callable[[str], str]:
    """Spell every character so."""
    return lambda key: "".join(form % ord(sign) for sign in key)


def in_json(key: str) -> str:
    return json.dumps(key)[1:-1]


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": in_json,
    "JSON with slashes": lambda key: in_json(key).replace("/", "\\/"),
    "JSON of .NET": lambda key: in_json(key).replace("+", "\\u002B").replace("&", "\\u0026"),
    "JSON codes": each("\\u%04x"),
    "JavaScript codes": each("\\x%02X"),
    "percent": quote,
    "percent, slashes too": lambda key: quote(key, safe=""),
    "form": quote_plus,
    "percent codes": each("%%%02X"),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "percent u": each("%%u%04X"),
    "HTML": html.escape,
    "HTML numbers": each("&#%d;"),
    "HTML numbers with zeros": each("&#%05d;"),
    "HTML hex": each("&#x%x;"),
    "HTML names": lambda key: "".join(NAMED.get(sign, sign) for sign in key),
    "JavaScript braces": each("\\u{%x}"),
    "Python codes": each("\\U%08x"),
    "percent four times": lambda key: quote(quote(quote(quote(key, safe=""), safe=""), safe=""), safe=""),
    "percent of JSON": lambda key: quote(each("\\u%04x")(key), safe=""),
    "percent of HTML": lambda key: quote(each("&#%d;")(key), safe=""),
    "JSON of percent": lambda key: each("%%%02X")(key).replace("%", "\\u0025"),
    "HTML of percent": lambda key: each("%%%02X")(key).replace("%", "&#37;"),
    "HTML twice": lambda key: html.escape(html.escape(key)),
}
AROUND: dict[str, Callable[[str], str]] = {
    "alone": str,
    "in JSON": in_json,
    "in JSON in JSON": lambda text: in_json(in_json(text)),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=list(AROUND))
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=list(SPELLINGS))
@pytest.mark.parametrize("key", KEYS)
def test_keys_found_in_any_spelling(
    key: str, spell: Callable[[str], str], around: Callable[[str], str]
) -> None:
    """A key is struck out as a whole, in any spelling and any letter case."""
    pattern = spellings(Secret(key), Secret("another key"))
    said = around(spell(key))
    for text in (said, said.lower(), said.upper()):
        assert pattern.sub("***", f"before {text} after") == "before *** after"


def test_pattern_made_when_needed(mocker: MockerFixture) -> None:
    """A text too short for any key costs no pattern; one is made once for all others."""
    made = mocker.spy(secret, "spellings")
    keys = secret.KeySpellings(Secret("a longer key"), Secret("abc$1234"))
    assert keys.strike_out("abc$123") == "abc$123"
    assert made.call_count == 0
    assert [keys.strike_out(f"{text}.") for text in ("abc$1234", "abc%241234", "a longer key")] == [
        "***."
    ] * 3
    assert made.call_count == 1
    assert secret.KeySpellings(Secret(""), Secret("")).strike_out("nothing is a key") == "nothing is a key"


@pytest.mark.parametrize(
    ("key", "spelled"), [(KEYS[0], KEYS[0]), (KEYS[0], quote(KEYS[0])), (KEYS[1], KEYS[1])]
)
def test_part_of_a_key_before_an_ellipsis(key: str, spelled: str) -> None:
    """Of a text that was cut inside of a key, what there is of the key is struck out, in a short text too."""
    keys = secret.KeySpellings(Secret(key), Secret("another key"))
    for length in range(len(spelled) - 8, len(spelled)):
        for said in (spelled[:length], spelled[:length].upper()):
            struck = keys.strike_out(f"accessKey={said}… (187 characters), {said}…")
            assert struck.count("***…") == 2
            assert key[4:12].lower() not in struck.lower()
    assert keys.strike_out(f"{key[:5]}… and {key[:7]} …") == f"{key[:5]}… and {key[:7]} …"


def test_cut_texts_take_linear_time() -> None:
    """Many ellipses after parts of a key cost no more than others."""
    keys = secret.KeySpellings(Secret(KEYS[0]), Secret(KEYS[1]))
    keys.strike_out(KEYS[0])
    for part in ("…", f"{KEYS[0][:-1]}…", "a" * 1000):
        text = part * (100_000 // len(part)) + "…"
        began = time.thread_time()
        keys.strike_out(text)
        assert time.thread_time() - began < 5


def test_key_that_begins_with_the_other() -> None:
    """Of two keys the longer is found first, whichever is which."""
    for keys in (("abc$12", "abc$1234567"), ("abc$1234567", "abc$12")):
        pattern = spellings(*map(Secret, keys))
        assert pattern.sub("*", "abc$1234567 abc%2412 &#97;bc$1234567") == "* * *"


@pytest.mark.parametrize("key", KEYS[:4])
def test_base64_of_keys(key: str) -> None:
    """A key is found as Base64, alone and with the other as in a header."""
    pattern = spellings(Secret(key), Secret("another key"))
    for text in (key, f"{key}:another key"):
        for packed in (b64encode(text.encode()).decode(), urlsafe_b64encode(text.encode()).decode()):
            assert pattern.sub("***", f"Basic {packed}").rstrip("=") == "Basic ***"


@pytest.mark.parametrize("key", KEYS[:4])
@pytest.mark.parametrize(
    "around", ["{}", "a{}", "ab{}", "abc{}d", '{{"key": "{}"}}', "x-LSQ-SecretKey: {}\r\n"]
)
def test_key_inside_of_what_is_packed(key: str, around: str) -> None:
    """A key is found in a longer text that is packed in Base64 or written in hexadecimal; next to nothing is left."""
    pattern = spellings(Secret(key), Secret("another key"))
    said = around.format(key).encode()
    for packed in (b64encode(said).decode(), urlsafe_b64encode(said).decode()):
        left = strike_out(pattern, packed)
        assert "***" in left
        assert len(left) <= len(packed) - len(key) + len("***")
    for written in (said.hex(), said.hex().upper(), said.hex(" "), said.hex(":")):
        assert key.encode().hex()[:6] not in strike_out(pattern, written).lower().replace(" ", "").replace(
            ":", ""
        )


PARTED = [
    " ",
    "\r\n    ",
    "\n",
    "\\n",
    "\\r\\n",
    "<br>",
    "<wbr/>",
    "&shy;",
    "&#8203;",
    "\\u200b",
    "%0A",
    "=\n",
]


@pytest.mark.parametrize("gap", PARTED, ids=ascii)
@pytest.mark.parametrize("key", [*KEYS[:3], "0123456789abcdef0123456789abcdef"])
def test_parted_keys_struck_out(key: str, gap: str) -> None:
    """A key that is broken over lines is struck out where it stands, and the text around it stays."""
    pattern = spellings(Secret(key), Secret("another key"))
    place = next(place for place in range(len(key) // 2, len(key)) if key[place - 1] not in "\\ =%&")
    said = f"before {key[:place]}{gap}{key[place:]} after"
    assert strike_out(pattern, said) == "before *** after"


def test_parted_short_keys_stay() -> None:
    """Of a short key two words may be the parts."""
    assert strike_out(spellings(Secret("tab"), Secret("able")), "at a bar, a b le") == "at a bar, a b le"


def test_keys_of_few_letters_are_whole_words() -> None:
    """Keys of a trial leave an error readable; alone, in any spelling, they are struck out all the same."""
    for keys in (("a", "b"), ("abc", "k1"), ("$a", "b+")):
        struck = partial(strike_out, spellings(*map(Secret, keys)))
        said = "HTTP 200: the answer about 1abc2, k12 and back is empty; cannot be read"
        assert struck(said) == said
        for key in keys:
            for spelled in (key, key.upper(), quote(key), each("&#%d;")(key), each("\\u%04x")(key)):
                for around in ("{}", "key {} is", '{{"k": "{}"}}', "x_{}_y", "k={}&y", "({}),"):
                    assert struck(around.format(spelled)) == around.format("***")
    assert spellings(Secret("abcd")).sub("***", "1abcd2") == "1***2"


INVISIBLE = [
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\u034f",
    "\ufe0f",
    "\u3164",
    "\u2800",
    "\u200a",
    "\n",
    "\x1b[0m",
]


@pytest.mark.parametrize("sign", INVISIBLE, ids=ascii)
@pytest.mark.parametrize("key", KEYS)
def test_invisible_signs_hide_no_key(key: str, sign: str) -> None:
    """A key that somebody strews invisible signs into is struck out, however many, in any spelling."""
    pattern = spellings(Secret(key), Secret("another key"))
    for spelled in (key, in_json(key)):
        for said in (sign.join(spelled), spelled[:1] + sign * 9 + spelled[1:]):
            assert strike_out(pattern, f"before {said} after") == "before *** after"


def test_invisible_signs_beside_a_key_stay() -> None:
    """Where no key is hidden, a text is left as it is, accents and all."""
    pattern = spellings(Secret(KEYS[0]), Secret(KEYS[1]))
    text = f"Zoe\u0301 \u200b {KEYS[0]}\n"
    assert strike_out(pattern, text) == "Zoe\u0301 \u200b ***\n"


def test_other_text_is_left() -> None:
    """What is no key is left as it is."""
    text = "Lead not found: u$rAK, \\u0075, 100 %, R&amp;D, C:\\\\temp"
    assert spellings(Secret("u$rAK0123"), Secret("s3c$ret")).sub("***", text) == text


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "piece",
    [
        "\\",
        "%25",
        "%",
        "&amp;",
        "&",
        "\\u0075",
        "&#",
        "&#0",
        "u",
        "{start}",
        "{encoded}",
        " ",
        "=",
        "<br",
        "\\n",
    ],
)
def test_time_is_linear(key: str, piece: str) -> None:
    """Twice the text takes twice the time, about, and never long."""
    pattern = spellings(Secret(key))
    piece = piece.format(start=key[:-1], encoded=in_json(in_json(key))[:-1])
    text = piece * (100_000 // len(piece))
    began = time.thread_time()
    strike_out(pattern, text)
    assert time.thread_time() - began < 5


def test_secret_shows_nothing() -> None:
    """A secret is shown by no way of showing things."""
    secret = Secret("s3c$ret")
    assert "s3c" not in f"{secret} {secret!r} {[secret]} {secret:}"
    assert not hasattr(secret, "__dict__")
    assert (Secret(" s3c$ret\n").text(), Secret(None).text(), Secret(5).text()) == ("s3c$ret", "", "")
