"""Forced faults: what the next calls get instead of, or on top of, their answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal[
    "429",
    "403",
    "200-throttled",
    "500",
    "502-html",
    "404-html",
    "edge-403",
    "gateway-403",
    "500-mx",
    "hang",
    "trickle",
    "drop",
    "truncated",
    "oversized",
    "html",
    "empty",
    "status-error",
    "redirect",
    "wrong-region",
    "401",
]

THROTTLING = ("429", "403", "200-throttled")
"""Kinds that play the limit: the call uses no budget, unless rejected calls do."""

CARRIED_OUT = ("hang", "trickle", "truncated")
"""Kinds where the call does its work and only the answer suffers. With every other kind nothing is done."""


@dataclass(slots=True)
class Fault:
    """A fault for the next calls that match."""

    kind: FaultKind
    times: int | None = 1
    """How many calls it is for; None for all until faults are cleared."""
    path: str | None = None
    """Only calls whose path ends so, say ``Lead.Reset``."""
    prospect_id: str | None = None
    """Only calls about that lead."""
    body: object = None
    """Replaces the body of the answer: text, or anything else as JSON. For ``500-mx`` text is the
    ExceptionType, for ``redirect`` the Location, for ``wrong-region`` the host to name."""
    status: int | None = None
    """Replaces the status of the answer."""
    seconds: float | None = None
    """How long ``hang`` keeps silent, None for 30; how long ``trickle`` waits before each byte, None for 1."""
    size: int | None = None
    """Bytes of ``oversized`` when unpacked; None for 32 MiB."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"A fault is one of {', '.join(get_args(FaultKind))}; not {self.kind!r}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be 1 or more, or None for no end, not {self.times!r}")
        if self.size is not None and self.size < 4:
            raise ValueError(f"size must be 4 bytes or more, or None for 32 MiB, not {self.size!r}")

    def matches(self, path: str, prospect_id: str | None) -> bool:
        """Return whether a call is hit."""
        if self.path is not None and not path.endswith(self.path):
            return False
        return self.prospect_id is None or self.prospect_id.lower() == prospect_id


class FaultBook:
    """The faults still to come, first in, first used."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Enter a fault."""
        with self._lock:
            self._faults.append(fault)

    def take(self, path: str, prospect_id: str | None) -> Fault | None:
        """Use up the first fault that matches a call, once."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if fault.matches(path, prospect_id):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._faults.remove(fault)
                    return fault
        return None

    def pending(self) -> list[str]:
        """Return the kinds still to come."""
        with self._lock:
            return [fault.kind for fault in self._faults]

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()
