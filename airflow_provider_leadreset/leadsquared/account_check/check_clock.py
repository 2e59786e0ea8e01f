"""Time as the account check needs it, so that tests can let hours pass in a moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class CheckClock(Protocol):
    """A clock that can be waited on."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def seconds(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class MachineClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
