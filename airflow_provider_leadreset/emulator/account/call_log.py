"""The record of calls: what arrived, when, and how it was answered. Keys are never part of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call to a path under ``/v2/``."""

    arrived: float
    """The stamp the limit judged it by: seconds of ``time.monotonic()`` in the emulator's process."""
    at: datetime
    """The same moment, aware, in UTC."""
    method: str
    path: str
    """What follows ``/v2/``, without the query."""
    query: Mapping[str, str]
    """The query without ``accessKey`` and ``secretKey``."""
    body: Any
    """The body as parsed JSON; None when there was none or it was not JSON."""
    status: int
    """The HTTP status answered; 0 while there is no answer, and for ever if there was none."""
    throttled: bool
    """Whether the limit (or a fault that plays it) turned the call away, whatever the status was."""
    prospect_id: str | None
    """The lead it was about, in lower case, where it named one."""
    user_agent: str


class Entry:
    """A call in the record while it is under way. Written by the event loop only."""

    __slots__ = ("accepted", "call", "counted")

    def __init__(self, call: CallRecord) -> None:
        self.call = call
        self.counted = True
        """Whether the call has to do with the limit; calls with wrong keys have not."""
        self.accepted = False
        """Whether it was a reset that is now queued."""

    def update(self, **changes: Any) -> None:
        """Replace fields of the call. Readers see the old call or the new one, never a mixture."""
        self.call = replace(self.call, **changes)


class CallLog:
    """All calls in the order of their stamps. Safe to read from any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def open(self, call: CallRecord) -> Entry:
        """Enter a call at the moment it arrives."""
        entry = Entry(call)
        with self._lock:
            self._entries.append(entry)
        return entry

    def entries(self, since: int = 0) -> list[Entry]:
        """Return the entries from number ``since`` on."""
        with self._lock:
            return self._entries[since:]

    def forget(self) -> None:
        """Start an empty record. Calls still under way do not show up in it."""
        with self._lock:
            self._entries = []
