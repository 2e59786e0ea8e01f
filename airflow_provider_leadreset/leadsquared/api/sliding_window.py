"""When the next call may start, so that the account's limit is used whole and not exceeded.

LeadSquared counts the calls of an account in any five seconds (documented: 2 to 25 by plan), at a moment
between a call's departure and its answer that nobody outside can see. So each call takes a permit, and the
permit comes back at the earlier of

* answer + window, which no jitter of the network can break, and
* departure + window + margin, which wastes no latency. The margin covers the difference in how long two
  requests travel: it starts small, grows at once when a call is throttled, and shrinks a little with
  each call that is not.

This is the bookkeeping: no thread, no clock, every method is told the moment. Threads wait in
:class:`.RateLimiter`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.text import pluralize

WINDOW = 5.0
"""Seconds in which LeadSquared counts an account's calls (documented)."""

GUARD = 0.002
"""Seconds added to a full window, so that two clocks that tick differently agree that it is over."""

MARGIN = 0.03
"""Seconds by which two requests' travelling times are at first expected to differ."""

MARGIN_STEP = 0.1
"""Seconds that the margin grows by when a call is throttled."""

MARGIN_DECAY = 0.0004
"""Seconds that the margin shrinks by with each call that is not throttled."""

MARGIN_MOST = 0.8
"""Seconds past which throttling is no longer taken for jitter: somebody else uses the account too."""

RESET = "LeadManagement.svc/Lead.Reset"
"""The kind of call whose limit is the account's own: it is in no list of calls with another (documented)."""


@dataclass(eq=False, slots=True)
class Permit:
    """One call's claim on the window.

    :param departed: moment of the limiter's clock, in seconds.
    :param opens_connection: whether it opens a connection, so that its way there takes longer than that of the next.
    :param kind: which call it is, by its path; empty for one that stands for all.
    :param answered: the moment of the answer, or of giving it up.
    :param sent: the moment at which its request was sent, once it had a connection.
    """

    departed: float
    opens_connection: bool = False
    kind: str = ""
    answered: float | None = None
    sent: float | None = None


class SlidingWindow:
    """The rule of how many calls may start in a window. Thread-safe only for those who hold its ``lock``.

    :param calls: the most calls this task may start in a window: its share.
    :param limit: the account's calls in a window, as far as is known; at least ``calls``.
    """

    def __init__(self, calls: int, limit: int | None = None) -> None:
        if calls < 1:
            raise ValueError(f"{calls} calls in {WINDOW:g} s never lets a call start")
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        """Where those who use it wait, whichever limiter they came by."""
        self.limit = max(calls, limit or 0)
        self.named_limit: int | None = None
        """The account's limit as LeadSquared has named it, where that is below what was set."""
        self.share = calls
        self.capacity = calls
        self.margin = MARGIN
        self._permits: list[Permit] = []
        self._of_kind: dict[str, SlidingWindow] = {}
        self._named: dict[str, tuple[int, float]] = {}
        self._reacted = float("-inf")
        self._accepted = 0
        self._probing = True
        self._quickest, self._slowest = float("inf"), float("-inf")

    @property
    def kinds_limited(self) -> bool:
        """Whether a kind of call has a limit of its own."""
        return bool(self._of_kind)

    @property
    def is_shared(self) -> bool:
        """Whether several limiters use it, so that a permit which comes back may be another's to take."""
        return False

    def starts_at(self, now: float, kind: str = "") -> float:
        """Return the moment at which the next call of a kind may start: ``now`` or later."""
        self._permits = [permit for permit in self._permits if self._back(permit) > now]
        surplus = len(self._permits) - self.capacity
        start = now if surplus < 0 else sorted(map(self._back, self._permits))[surplus]
        own = self._of_kind.get(kind)
        return max(start, own.starts_at(now)) if own else start

    def depart(self, now: float, *, opens_connection: bool = False, kind: str = "") -> Permit:
        """Acquire a permit for a call that starts now."""
        permit = Permit(now, opens_connection, kind)
        for window in self._windows_of(kind):
            window._permits.append(permit)
        return permit

    def accepted(self, permit: Permit, now: float) -> None:
        """Record an answer that is not about the limit (an error too: it was let through)."""
        permit.answered = now
        if own := self._of_kind.get(permit.kind):
            own._recover()
        took = now - permit.departed
        self._quickest, self._slowest = min(self._quickest, took), max(self._slowest, took)
        if self._probing:
            # The spread of whole round trips bounds that of the way there: begin with it, halve it each two windows.
            halvings = (self._accepted + 1) // (2 * self.capacity)
            spread = min(self._slowest - self._quickest, MARGIN_MOST)
            self.margin = max(MARGIN, spread * 0.5**halvings)
        else:
            self.margin = max(MARGIN, self.margin - MARGIN_DECAY)
        self._recover()

    def _recover(self) -> None:
        """Count an accepted call; each window of them gives one call back of what was yielded."""
        self._accepted += 1
        if self.capacity < self.share and self._accepted >= self.capacity:
            self.capacity += 1
            self._accepted = 0

    def unanswered(self, permit: Permit, now: float) -> None:
        """Record a call that ended without an answer: it may or may not have been counted."""
        permit.answered = now

    def broken_off(self, permit: Permit, now: float) -> None:
        """Record a call that ended before its answer because the batch was stopped.

        It counts from the moment its request was sent: the way there was then as short as any other call's. One
        that was never sent does not count.
        """
        permit.answered = now
        if permit.sent is not None:
            permit.departed, permit.opens_connection = permit.sent, False
            return
        for window in self._windows_of(permit.kind):
            if permit in window._permits:
                window._permits.remove(permit)

    def throttled(self, permit: Permit, now: float, limit: int | None = None) -> str | None:
        """Record that a call was refused for a limit, and draw the conclusion.

        A limit below the account's that Lead.Reset's answer names, or two kinds of call within a window, is the
        account's. One that another kind alone names is that kind's: some calls have a smaller limit of their own
        (documented for changes in bulk, seen for ``Leads/Retrieve/ByIds``), and the others need not wait for it. Named
        again while it is kept, it is shared with others: that kind yields half, as the account does.

        :param limit: calls in a window that the answer names.
        :returns: what changed, for a log; None if nothing did.
        """
        permit.answered = now
        if limit is not None and 0 < limit < self.limit and self._is_of_kind(permit.kind, limit, now):
            return self._limit_kind(permit, limit, now)
        if limit is not None and 0 < limit < self.limit:
            self.limit = self.named_limit = limit
            self.share = min(self.share, limit)
            if self.capacity > limit:
                return self._reduce(
                    limit, now, f"the account allows {limit} calls in {WINDOW:g} s, fewer than set"
                )
        if permit.departed <= self._reacted:
            return None  # it left before the last change could help
        self._probing = False
        if self._accepted == 0 or self.share < self.limit or self.margin >= MARGIN_MOST:
            return self._reduce(max(1, self.capacity // 2), now, "others use the account's limit too")
        self.margin = min(MARGIN_MOST, self.margin + MARGIN_STEP)
        if self.margin == MARGIN_MOST:
            self._reacted = now
        return None

    def drained_at(self) -> float:
        """Return the moment at which no call started here counts any more; long past if there was none."""
        return max(map(self._back, self._permits), default=float("-inf"))

    def _is_of_kind(self, kind: str, limit: int, now: float) -> bool:
        """Whether a named limit is one kind's alone, as far as is known by now."""
        if kind in {"", RESET}:
            return False
        self._named[kind] = limit, now
        return not any(
            other != kind and named == limit and now - at <= WINDOW
            for other, (named, at) in self._named.items()
        )

    def _limit_kind(self, permit: Permit, limit: int, now: float) -> str | None:
        kind, before = permit.kind, self._of_kind.get(permit.kind)
        if before and before.limit == limit:
            if permit.departed <= before._reacted:
                return None  # it left before the last change could help
            return before._reduce(max(1, before.capacity // 2), now, f"others use the limit of {kind} too")
        own = self._of_kind[kind] = SlidingWindow(limit)
        # As wide as it gets: the few calls of such a kind need no probing.
        own.margin = MARGIN_MOST
        own._reacted = now
        own._permits = [permit for permit in self._permits if permit.kind == kind]
        return f"{kind} allows {pluralize(limit, 'call')} in {WINDOW:g} s: other calls do not wait for it"

    def _windows_of(self, kind: str) -> list[SlidingWindow]:
        own = self._of_kind.get(kind)
        return [self, own] if own else [self]

    def _reduce(self, capacity: int, now: float, why: str) -> str | None:
        self._reacted = now
        self._accepted = 0
        if capacity == self.capacity:
            return None
        self.capacity = capacity
        return f"{why}: going on with {pluralize(capacity, 'call')} in {WINDOW:g} s"

    def _back(self, permit: Permit) -> float:
        # One that opens its connection is stamped late, by a handshake or more, its successor is not: only the
        # answer is sure.
        at_latest = permit.departed + WINDOW + (WINDOW if permit.opens_connection else self.margin)
        return at_latest if permit.answered is None else min(at_latest, permit.answered + WINDOW + GUARD)
