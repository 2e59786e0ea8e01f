"""Names of parametrized tests."""

from __future__ import annotations

import re


def written(value: object) -> str:
    """Return how a value is written, without its address: processes that share out the tests must agree on names."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
