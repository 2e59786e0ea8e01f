"""Calls under way, each with a deadline: a thread shuts the sockets of those that are past it.

A time-out of the socket alone would not do: it begins anew with each byte that comes.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

GRACE = 1.0
"""Seconds that calls under way are given to end by themselves once the batch is stopped."""

AGAIN = 0.1
"""Seconds after which a socket is shut once more: one that is only being connected ignores the first time."""

IDLE = 60.0
"""Seconds without a call after which the thread ends, to be started anew when there is one."""


class WatchedCall:
    """One call under way.

    :param timeout: seconds that it may take as a whole.
    :param on_send: told just before its request is sent, once it has a connection.
    """

    def __init__(self, timeout: float, on_send: Callable[[], None]) -> None:
        self.deadline = time.monotonic() + timeout
        self.sent = False
        self.cut_at_deadline = False
        self.cut_by_stop = False
        self._on_send = on_send
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    @property
    def cut(self) -> bool:
        """Whether its sockets were shut from outside, so that what was read is not to be trusted."""
        return self.cut_at_deadline or self.cut_by_stop

    def remaining(self) -> float:
        """Return the seconds that are left.

        :raises TimeoutError: none are left, or it was cut.
        """
        left = self.deadline - time.monotonic()
        if left <= 0 or self.cut:
            raise TimeoutError("the call's time is over")
        return left

    def sending(self) -> None:
        """Record that its request is about to be sent."""
        self.sent = True
        self._on_send()

    def use(self, used: socket.socket) -> None:
        """Record a socket that it uses. One below TLS will do, and stays the same."""
        # A copy of the descriptor: to wrap a socket in TLS detaches the first object, and shutdown reaches all copies.
        copy = socket.socket(fileno=os.dup(used.fileno()))
        with self._lock:
            self._sockets.append(copy)
        if self.cut:
            self._shut()

    def end_by(self, now: float, stop_at: float) -> None:
        """Shut its sockets if it is past its deadline or the stop."""
        if now >= stop_at:
            self.cut_by_stop = True
        if now >= self.deadline:
            self.cut_at_deadline = True
        if self.cut:
            self._shut()

    def close(self) -> None:
        """Let go of its sockets, whose connection may serve other calls."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for copy in sockets:
            copy.close()

    def _shut(self) -> None:
        with self._lock:
            for copy in self._sockets:
                # Not close: that does not wake a thread which waits for data.
                with suppress(OSError):
                    copy.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Watches the calls of one client, in a thread that is started when there is a call."""

    def __init__(self) -> None:
        # Its lock may be taken again by the thread that holds it: a signal can arrive anywhere.
        self._condition = threading.Condition()
        self._calls: set[WatchedCall] = set()
        self._stop_at = math.inf
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    @contextmanager
    def watch(self, timeout: float, on_send: Callable[[], None]) -> Iterator[WatchedCall]:
        """Watch a call while it lasts."""
        call = WatchedCall(timeout, on_send)
        self._begin_anew_after_fork()
        with self._condition:
            self._calls.add(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lead-reset-watchdog", daemon=True)
                self._thread.start()
            self._condition.notify_all()
        try:
            yield call
        finally:
            with self._condition:
                self._calls.discard(call)
            call.close()

    def _begin_anew_after_fork(self) -> None:
        """Forget the parent's thread, which os.fork did not copy, its calls, and the lock that it may have held."""
        if self._process != os.getpid():
            self._condition, self._calls, self._thread = threading.Condition(), set(), None
            self._process = os.getpid()

    def stop(self) -> None:
        """Allow calls under way a second, then shut their sockets. Returns at once; a signal handler may call it."""
        self._begin_anew_after_fork()
        with self._condition:
            self._stop_at = min(self._stop_at, time.monotonic() + GRACE)
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread, unless calls are still under way: then it ends after them."""
        self._begin_anew_after_fork()
        with self._condition:
            thread, self._thread = self._thread, None
            self._condition.notify_all()
        if thread and thread is not threading.current_thread():
            thread.join(AGAIN)

    def _run(self) -> None:
        me = threading.current_thread()
        with self._condition:
            while self._calls or self._thread is me:
                now = time.monotonic()
                for call in self._calls:
                    call.end_by(now, self._stop_at)
                ends = (
                    now + AGAIN if call.cut else min(call.deadline, self._stop_at) for call in self._calls
                )
                woken = self._condition.wait(min(ends, default=now + IDLE) - now)
                if not woken and not self._calls and self._thread is me:
                    self._thread = None
