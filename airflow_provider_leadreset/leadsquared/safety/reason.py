"""Why leads are reset, for whoever asks in two years."""

from __future__ import annotations

import re
from collections.abc import Callable

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import presentable, quoted

MOST_CHARACTERS = 1000
"""How long a reason may be. It is kept in XCom, where it is one line of a small summary."""

UNRENDERED = re.compile(r"\{\{|\}\}|\{%|%\}")
"""What stands in a text that should have been rendered and was not."""


def checked_reason(value: object, redact: Callable[[str], str]) -> str:
    """Check a reason as an operator gets it, after templates were rendered; return it on one line, without keys.

    :param redact: strikes the account's keys out.
    :raises InputError: no text, text that rendered to nothing or was not rendered, or a longer one than
        :data:`MOST_CHARACTERS`.
    """
    if not isinstance(value, str) or value.strip() in {"", "None", "null"}:
        raise InputError(
            f"reason is {quoted(value)}, which says nothing: a template may have rendered to nothing. Write why the "
            "leads are reset, or leave it out"
        )
    if UNRENDERED.search(value):
        raise InputError(f"reason is {quoted(value)}, a template that was not rendered")
    if len(value) > MOST_CHARACTERS:
        raise InputError(
            f"reason is {quoted(value)}, {len(value)} characters long: write at most {MOST_CHARACTERS}"
        )
    return presentable(value, redact)
