from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.text import LONG, quoted, sentence


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("a\n\ud800", "'a\\n\\ud800'"),
        ("x" * 200, f"'{'x' * 119}… (202 characters)"),
        ("x" * (LONG + 1), f"'{'x' * 119}… ({LONG + 1} characters)"),
        (b"a" * (LONG + 1), f"b'{'a' * 118}… ({LONG + 1} characters)"),
        (10**5000, "<int>"),
        (nested(100_000), "<list>"),
    ],
    ids=["None", "surrogate", "long", "very long", "bytes", "digits", "deep"],
)
def test_quoted_value(value: object, text: str) -> None:
    """Any value can be quoted, and takes few characters."""
    assert quoted(value) == text


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("the account is throttled", "The account is throttled"),
        ("connection: no host", "Connection: no host"),
        ("api-in21.leadsquared.com accepts the keys", "api-in21.leadsquared.com accepts the keys"),
        ("max_calls=5 is reached", "max_calls=5 is reached"),
        ("HTTP 503", "HTTP 503"),
        ("'x' is no host", "'x' is no host"),
        ("", ""),
    ],
)
def test_sentence(text: str, alone: str) -> None:
    """A text that stands alone begins with a capital, where its first word is a word."""
    assert sentence(text) == alone
