"""One process, one account, one limit: whoever calls an account in this process shares its sliding window.

LeadSquared counts the calls of an account, whatever made them. So the clients of one account (its host and access key)
take their permits from one window, and the smallest number that one of them asks for holds for all, as long as it is in
use. Calls of earlier ones still count: those of a sensor's last poke, or of a hook that is gone.
"""

from __future__ import annotations

import hashlib
import os
import threading
from weakref import WeakKeyDictionary

from airflow_provider_leadreset.leadsquared.api.rate_limit import Clock, RateLimiter, SystemClock
from airflow_provider_leadreset.leadsquared.api.secret import Secret
from airflow_provider_leadreset.leadsquared.api.sliding_window import Permit, SlidingWindow

FORGET_AFTER = 600.0
"""Seconds after the last call of an account that nobody uses any more, after which nothing of it is kept."""


class AccountWindow(SlidingWindow):
    """The window of one account. Its users say what they may use at most; the least of that holds for all."""

    def __init__(self, calls: int, limit: int) -> None:
        super().__init__(calls, limit)
        self._asked: WeakKeyDictionary[object, tuple[int, int]] = WeakKeyDictionary()
        self._users_fitted = 0

    @property
    def is_shared(self) -> bool:
        """Whether several use it."""
        return len(self._asked) > 1

    @property
    def in_use(self) -> bool:
        """Whether anybody does."""
        return len(self._asked) > 0

    def join(self, user: object, calls: int, limit: int) -> None:
        """Begin to use it.

        :param user: whatever stands for it; once that is gone, it uses nothing any more.
        :param calls: the most calls that it may start in a window.
        :param limit: the account's calls in a window, as far as it knows.
        """
        with self.lock:
            self._asked[user] = calls, max(calls, limit)
            self._fit()

    def leave(self, user: object) -> None:
        """End to use it; what it has called still counts."""
        with self.lock:
            if self._asked.pop(user, None):
                self._fit()
                self.changed.notify_all()

    def has_joined(self, user: object) -> bool:
        """Whether a user has begun, and not ended."""
        return user in self._asked

    def starts_at(self, now: float, kind: str = "") -> float:
        """Return the moment at which the next call of a kind may start; see :meth:`.SlidingWindow.starts_at`."""
        if len(self._asked) != self._users_fitted:
            self._fit()
        return super().starts_at(now, kind)

    def _fit(self) -> None:
        asked = list(self._asked.values())
        self._users_fitted = len(asked)
        if not asked:
            return
        limit = min(limit for _, limit in asked)
        self.limit = limit if self.named_limit is None else min(limit, self.named_limit)
        share = min(self.limit, *(calls for calls, _ in asked))
        # What was yielded to others stays yielded.
        yielding = self.capacity < self.share
        self.share, self.capacity = share, min(self.capacity, share) if yielding else share


class AccountLimiter(RateLimiter):
    """A limiter that shares its account's window from its making to :meth:`release`, and again from its next call."""

    sliding_window: AccountWindow

    def __init__(self, window: AccountWindow, calls: int, limit: int, clock: Clock | None = None) -> None:
        super().__init__(window, clock)
        self._calls, self._limit = calls, limit
        window.join(self, calls, limit)

    def acquire(self, kind: str = "") -> Permit:
        """Wait until a call may start, and take its permit; see :meth:`.RateLimiter.acquire`."""
        if not self.sliding_window.has_joined(self):
            self.sliding_window.join(self, self._calls, self._limit)
        return super().acquire(kind)

    def release(self) -> None:
        """Let others have what this one was not to exceed."""
        self.sliding_window.leave(self)


_lock = threading.RLock()
_windows: dict[tuple[str, str], AccountWindow] = {}


def account_limiter(
    host: str, access_key: Secret, calls: int, limit: int, clock: Clock | None = None
) -> AccountLimiter:
    """Return a limiter of an account: a new one, whose window is that of all others of the account in this process.

    :param host: the API host, as the client spells it.
    :param access_key: tells accounts on one host apart; only its hash is kept.
    :param calls: the most calls that may start here in a window.
    :param limit: the account's calls in a window, as far as is known.
    :raises ValueError: ``calls`` is below 1.
    """
    account = host, hashlib.sha256(access_key.text().encode()).hexdigest()
    with _lock:
        _forget_unused((clock or SystemClock()).now())
        window = _windows.get(account)
        # Made before it is kept: it refuses what would never let a call start.
        new = AccountWindow(calls, limit)
        if window is None:
            window = _windows[account] = new
        return AccountLimiter(window, calls, limit, clock)


def _forget_unused(now: float) -> None:
    for account, window in list(_windows.items()):
        with window.lock:
            if not window.in_use and window.drained_at() + FORGET_AFTER < now:
                del _windows[account]


def _hold_locks() -> None:
    _lock.acquire()
    for window in _windows.values():
        window.lock.acquire()


def _free_locks() -> None:
    for window in _windows.values():
        window.lock.release()
    _lock.release()


# A process that is forked off while another thread holds a lock could never take it. It goes on with what was called
# before; from then on nobody counts both together.
os.register_at_fork(before=_hold_locks, after_in_parent=_free_locks, after_in_child=_free_locks)
