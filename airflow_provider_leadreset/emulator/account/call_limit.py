"""The account's call limit: at most n calls in any window of so many seconds, judged on arrival."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable


class CallLimit:
    """A sliding window over the arrival stamps of an account's calls.

    That LeadSquared counts "n calls in 5 seconds" is documented. That the window slides (rather than
    starting anew every five seconds) and that rejected calls cost nothing are guesses.

    :param calls: calls allowed in any window; None for no limit.
    :param seconds: length of the window, in seconds. A call exactly that long after another no longer
        meets it.
    :param count_rejected: whether a rejected call uses up budget as well.
    """

    def __init__(self, calls: int | None, seconds: float = 5.0, *, count_rejected: bool = False) -> None:
        if calls is not None and calls < 1:
            raise ValueError(f"calls_per_5s must be 1 or more, or None for no limit, not {calls!r}")
        if seconds <= 0:
            raise ValueError(f"window must be more than 0 seconds, not {seconds!r}")
        self.calls = calls
        self.seconds = seconds
        self.count_rejected = count_rejected
        self._stamps: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self, stamp: float) -> bool:
        """Judge the call that arrived at ``stamp`` (seconds of one monotonic clock, never going back)."""
        with self._lock:
            if self.calls is None:
                return True
            stamps = self._stamps
            while stamps and stamp - stamps[0] >= self.seconds:
                stamps.popleft()
            admitted = len(stamps) < self.calls
            if admitted or self.count_rejected:
                stamps.append(stamp)
            return admitted

    def take_back(self, stamp: float) -> None:
        """Treat the admitted call of ``stamp`` as a rejected one: a fault throttled it after all."""
        with self._lock:
            if not self.count_rejected and stamp in self._stamps:
                self._stamps.remove(stamp)

    def forget(self) -> None:
        """Start with an empty window."""
        with self._lock:
            self._stamps.clear()

    def text(self) -> str:
        """Return the message of a rejected call, in LeadSquared's documented wording."""
        calls = 25 if self.calls is None else self.calls
        return f"API calls exceeded the limit of {calls} in {self.seconds:g} second(s)"


def most_in_window(stamps: Iterable[float], seconds: float) -> int:
    """Return the largest number of ``stamps`` (seconds) that lie less than ``seconds`` apart."""
    recent: deque[float] = deque()
    most = 0
    for stamp in sorted(stamps):
        while recent and stamp - recent[0] >= seconds:
            recent.popleft()
        recent.append(stamp)
        most = max(most, len(recent))
    return most
