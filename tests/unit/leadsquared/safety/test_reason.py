"""Why leads are reset."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.reason import MOST_CHARACTERS, checked_reason


def reason(value: object) -> str:
    return checked_reason(value, lambda text: text.replace("s3cret", "***"))


def test_reason_kept_clean():
    """A reason is kept on one line, without what a terminal obeys and without keys."""
    assert reason("GDPR request 17, of Asha (ä, 日本)") == "GDPR request 17, of Asha (ä, 日本)"
    assert reason(" two\n lines\x1b[2J, s3cret \u202e") == "two lines, *** \N{REPLACEMENT CHARACTER}"
    assert reason("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS


@pytest.mark.parametrize("value", ["", " \n", "None", " null ", None, 17, True, ["why"], b"why"])
def test_reason_of_nothing_refused(value):
    """A reason that rendered to nothing, or is no text, is refused."""
    with pytest.raises(InputError, match=r"reason is .*, which says nothing"):
        reason(value)


def test_unrendered_reason_refused():
    """A template that was not rendered is no reason."""
    with pytest.raises(InputError, match="a template that was not rendered"):
        reason("{{ params.why }}")


def test_long_reason_refused():
    """A longer reason is refused, not cut."""
    with pytest.raises(InputError, match="1001 characters long: write at most 1000"):
        reason("x" * (MOST_CHARACTERS + 1))
