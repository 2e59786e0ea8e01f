from __future__ import annotations

import difflib
from pathlib import Path

from support.public_api import describe

KEPT = Path(__file__).with_name("public_api.txt")


def test_public_api_is_unchanged() -> None:
    """The public API changes on purpose only."""
    was, is_now = KEPT.read_text().splitlines(), describe().splitlines()
    assert is_now == was, "\n".join(difflib.unified_diff(was, is_now, "kept", "now", lineterm=""))
