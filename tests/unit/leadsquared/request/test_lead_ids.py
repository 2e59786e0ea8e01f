from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Sequence
from typing import Any, overload

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.request.lead_ids import (
    Leads,
    chunked,
    parse_lead_ids,
)
from support.written import written

A = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
B = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
C = "3f2504e0-4f89-11d3-9a0c-0305e82c3303"


class Lazy(Sequence[Any]):
    """A sequence that is no list, as a mapped task's output is."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (A, [A]),
        (A.upper(), [A.upper()]),
        (uuid.UUID(A), [A]),
        (f" {A}\n", [A]),
        (f"{A},{B}", [A, B]),
        (f"{A} {B}\t{C}", [A, B, C]),
        (f"{A}\r\n{B}\n\n{C}\n", [A, B, C]),
        (f"{A},\n{B},\n", [A, B]),
        (json.dumps([A, B]), [A, B]),
        (repr([A, B]), [A, B]),
        (repr((A, B)), [A, B]),
        (f"{{{A}}}, {{{B}}}", [A, B]),
        (f"\"{A}\" '{B}'", [A, B]),
        ([A, B], [A, B]),
        ((A, B), [A, B]),
        (Lazy([A, B]), [A, B]),
        (Lazy([[A, B], [C]]), [A, B, C]),
        ([[A], (B,), Lazy([C])], [A, B, C]),
        ([f"{A},{B}", C], [A, B, C]),
        ([[f"{A} {B}"]], [A, B]),
        ([uuid.UUID(A), [uuid.UUID(B)]], [A, B]),
        ([[], [A]], [A]),
        (f"{B},{A},{B}", [B, A]),
        ([A, A.upper(), [A]], [A]),
        ([A.upper(), A], [A.upper()]),
        ([], []),
        ((), []),
        (Lazy([]), []),
        ([[], []], []),
        ("[]", []),
        (" [ ]\n", []),
        ("()", []),
    ],
    ids=written,
)
def test_ids_in_order_without_duplicates(value: object, expected: list[str]) -> None:
    """Lead IDs are read in their order, each of them once."""
    assert parse_lead_ids(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " \n",
        "None",
        "null",
        "undefined",
        "''",
        "['']",
        "[None]",
        "[[]]",
        "{}",
        ",",
        [""],
        [None],
        ["None"],
        [A, None],
        [A, ""],
        [[A, ""]],
        [[[A]]],
        [[A, [B]]],
        f"{A};{B}",
        f"{A}|{B}",
        f"{A}{B}",
        f"{A},x",
        A[:-1],
        A + "0",
        A.replace("-", ""),
        A.replace("0", "\N{ARABIC-INDIC DIGIT ONE}"),
        A.replace("-", "\N{EN DASH}"),
        f"\N{ZERO WIDTH SPACE}{A}",
        f"urn:uuid:{A}",
        json.dumps({"ProspectID": A}),
        json.dumps([{"ProspectID": A}]),
        "LazySelectSequence([2 items])",
        "{{ params.leads }}",
        "lead@example.com",
        5,
        5.0,
        True,
        False,
        0,
        A.encode(),
        bytearray(A.encode()),
        memoryview(A.encode()),
        memoryview(b""),
        [memoryview(b"")],
        [A.encode()],
        {A},
        {A: 1},
        [{"Id": A}],
        [5],
        range(3),
        iter([A]),
        (lead for lead in [A]),
    ],
    ids=lambda value: written(value)[:60],
)
def test_invalid_ids_refused(value: object) -> None:
    """Any value that contains something other than lead IDs is refused."""
    with pytest.raises(InputError, match="prospect_ids"):
        parse_lead_ids(value)


def test_bad_id_message() -> None:
    """The error quotes a bad ID and names its place."""
    with pytest.raises(
        InputError, match=r"^item 1 of prospect_ids holds 'lead-7', which is no lead id"
    ) as caught:
        parse_lead_ids([A, f"{B} lead-7"])
    assert A in str(caught.value) or "3f2504e0-" in str(caught.value)


def test_long_value_shortened() -> None:
    """The error quotes only part of a long value."""
    with pytest.raises(InputError) as caught:
        parse_lead_ids("x" * 100_000)
    assert len(str(caught.value)) < 500
    assert "(100002 characters)" in str(caught.value)


@given(
    st.lists(st.uuids().map(str)),
    st.sampled_from([", ", " ", "\n", "\r\n", ",\n"]),
    st.sampled_from(["", "'", '"']),
)
def test_ids_survive_formatting(ids: list[str], between: str, quote: str) -> None:
    """Lead IDs written in any of the accepted formats are read back."""
    text = "[" + between.join(f"{quote}{lead}{quote}" for lead in ids) + "]"
    assert parse_lead_ids(text) == list(dict.fromkeys(ids))


@given(st.text() | st.lists(st.text() | st.lists(st.text())))
def test_only_ids_returned(value: Any) -> None:
    """Whatever the input, the result contains nothing but valid lead IDs."""
    try:
        ids = parse_lead_ids(value)
    except InputError:
        return
    assert ids == [parse_guid(lead, "it") for lead in ids]
    assert ids or not any(value) or value.strip() in {"[]", "()"} or "[" in value or "(" in value


def test_chunks_of_leads() -> None:
    """Leads are divided into chunks, without duplicates."""
    assert chunked([A, B, C, A], 2) == [[A, B], [C]]
    assert chunked([], 5) == []


@pytest.mark.parametrize("n", [0, -1, True, 2.0, "2", None])
def test_invalid_chunk_size_refused(n: Any) -> None:
    """A chunk size that is not a positive whole number is refused."""
    with pytest.raises(InputError, match="chunks of"):
        chunked([A], n)


class Kept(str, enum.Enum):  # noqa: UP042 -- what is tried is that its format is its name
    """Leads as a member of an enum."""

    FIRST = A


@pytest.mark.parametrize(
    "value", [Kept.FIRST, [Kept.FIRST], {"LeadID": Kept.FIRST}, [{"LeadID": Kept.FIRST}]]
)
def test_enum_member_is_its_id(value: object) -> None:
    """A member of an enum of texts names the lead of its value, not one of its own name."""
    assert list(Leads.parse(value)) == [A]
    assert [f"{lead}" for lead in parse_lead_ids(value)] == [A]
