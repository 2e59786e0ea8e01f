from __future__ import annotations

import gzip
import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.untrusted_files import (
    DAMAGED,
    MOST_NESTING,
    MOST_VALUES,
    bounded_lines,
    limited,
    parse_json,
    unpacked,
)

CONTENT = random.Random(3).randbytes(200_000)


@pytest.mark.parametrize("most", [0, 1, 65_536, 199_999])
def test_file_beyond_limit_refused(most: int) -> None:
    """Neither a file's bytes nor what it unpacks to go beyond a limit."""
    with pytest.raises(InputError, match="it holds more than"):
        limited(io.BytesIO(CONTENT), most).read()
    with (
        unpacked(io.BytesIO(gzip.compress(CONTENT)), most) as file,
        pytest.raises(InputError, match="it unpacks to more than"),
    ):
        file.read()


def test_file_within_limit_read() -> None:
    """A file of just the limit is read whole."""
    assert limited(io.BytesIO(CONTENT), len(CONTENT)).read() == CONTENT
    packed = gzip.compress(CONTENT[:90_000]) + gzip.compress(CONTENT[90_000:])
    with unpacked(io.BytesIO(packed), len(CONTENT)) as file:
        assert file.read() == CONTENT


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(CONTENT)[:-100], gzip.compress(CONTENT) + b"x"]
)
def test_damage_raised_as_such(content: bytes) -> None:
    """What cannot be unpacked raises one of the errors that are named for it."""
    with unpacked(io.BytesIO(content)) as file, pytest.raises(DAMAGED):
        file.read()


def test_lines_up_to_limit() -> None:
    """Lines come with their ends, and the first that is too long is refused by its number."""
    lines = bounded_lines(io.BytesIO(b"abc\n\nde\nabcd\nx"), 4)
    assert [next(lines), next(lines), next(lines)] == [b"abc\n", b"\n", b"de\n"]
    with pytest.raises(InputError, match=r"^line 4 is longer than 4 bytes"):
        next(lines)
    assert list(bounded_lines(io.StringIO("ab\ncd"), 3)) == ["ab\n", "cd"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_read_as_written(value: Any) -> None:
    """JSON is read as it was written, from text and bytes."""
    text = json.dumps(value)
    assert parse_json(text, "it") == parse_json(text.encode(), "it") == value


DEEP = 100_000
ODD: list[tuple[str | bytes, str]] = [
    ("", "Expecting value at its character 1"),
    ('{"a": 1', "at its character"),
    ("{'a': 1}", "at its character"),
    ('{"a": 1} x', "at its character"),
    ('"\n"', "at its character"),
    ("\N{ZERO WIDTH NO-BREAK SPACE}1", "at its character"),
    ("\0", "at its character"),
    (b"\xff", "it is not UTF-8"),
    (b'"\xed\xa0\x80"', "it is not UTF-8"),
    ('"a"'.encode("utf-16"), "it is not UTF-8"),
    ("NaN", "it has NaN"),
    ('{"a": [-Infinity]}', "it has -Infinity"),
    ("1e400", "it has a number too large, '1e400'"),
    ('[{"a": -1e999}]', "it has a number too large"),
    ("1" * 5000, "it has a number of 5000 digits"),
    ('{"a": -' + "1" * 5000 + "}", "it has a number of 5001 digits"),
    ("0." + "1" * 500 + "e999", "too large"),
    ('{"a": 1, "b": 2, "a": 1}', "'a' stands in it twice"),
    ('[{"x": {"a": 1, "\\u0061": 2}}]', "'a' stands in it twice"),
    ("[" * DEEP, "nested more than 100 deep"),
    ('{"a":' * DEEP, "nested more than 100 deep"),
    ("[" * DEEP + "]" * DEEP, "nested more than 100 deep"),
    ("[" * (MOST_NESTING + 1) + "]" * (MOST_NESTING + 1), "nested more than 100 deep"),
    ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 deep"),
]


@pytest.mark.parametrize(("text", "said"), ODD, ids=[repr(text)[:40] for text, _ in ODD])
def test_odd_json_refused(text: str | bytes, said: str) -> None:
    """JSON that is none, or would not be read as it was meant, is refused with the reason and its beginning."""
    with pytest.raises(InputError, match=r"^line 7 is ") as caught:
        parse_json(text, "line 7")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400
    str(caught.value).encode()


@pytest.mark.parametrize(
    "text",
    [
        "[" * MOST_NESTING + "]" * MOST_NESTING,
        '"' + "[{" * 500 + '"',
        "[" + ",".join(["{}"] * 500) + "]",
        "1" * 100,
        '{"a": {"a": 1}, "A": 2}',
        ' "\\ud800" ',
    ],
    ids=lambda text: text[:20],
)
def test_unusual_json_read(text: str) -> None:
    """JSON that is only unusual is read."""
    assert parse_json(text, "it") == json.loads(text)


@pytest.mark.parametrize("value", ["[],", "{},", "0,"])
def test_many_values_refused(value: str) -> None:
    """So many values that they would take much more memory than their text are refused before they are read."""
    with pytest.raises(InputError, match=f"it holds more than {MOST_VALUES} values"):
        parse_json("[" + value * MOST_VALUES + "0]", "it")


def test_doubled_name_found_quickly() -> None:
    """A name that stands twice among very many is found without comparing each with each."""
    names = ",".join(f'"{number}":0' for number in range(100_000))
    with pytest.raises(InputError, match="'99999' stands in it twice"):
        parse_json("{" + names + ',"99999":0}', "it")
