"""GUIDs, LeadSquared's ids of leads and types, and texts made of them."""

from __future__ import annotations

import re
import uuid

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

EXAMPLE = "'3f2504e0-4f89-11d3-9a0c-0305e82c3301'"
BETWEEN = re.compile(r"[\s,]+")
"""What stands between two ids of a text."""

_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_NIL = "00000000-0000-0000-0000-000000000000"
_AROUND = "'\"[](){}"


def is_guid(text: str) -> bool:
    """Whether a text is a GUID and nothing else. All zeros is what .NET makes of a missing id, and is none."""
    return _GUID.fullmatch(text) is not None and text != _NIL


def holds_guid(text: str) -> bool:
    """Whether a GUID stands anywhere in a text."""
    return _GUID.search(text) is not None


def parse_guid(value: object, what: str) -> str:
    """Parse one GUID, as text or ``uuid.UUID``; its letter case is kept.

    :raises InputError: anything else, naming ``what``.
    """
    text = str(value) if isinstance(value, uuid.UUID) else value
    if isinstance(text, str) and is_guid(text):
        # An enum's member is a text whose format is its name: from here on it is the bare text.
        return str.__str__(text)
    raise InputError(f"{what} holds {quoted(value)}, which is no GUID: write it like {EXAMPLE}")


def guid_key(guid: str) -> bytes:
    """Return the 16 bytes of a GUID, equal for all its spellings."""
    return bytes.fromhex(guid.replace("-", ""))


def guids_of(words: list[str], what: str) -> list[str]:
    """Parse words, each a GUID with or without quotes and brackets around it; those of marks alone are left out.

    :raises InputError: one is no GUID, naming ``what``.
    """
    found = [bare for word in words if (bare := word.strip(_AROUND))]
    for guid in found:
        if not is_guid(guid):
            raise InputError(
                f"{what} holds {quoted(guid)}, which is no lead id: write GUIDs like {EXAMPLE}, separated by commas, "
                "blanks or line breaks"
            )
    return found
