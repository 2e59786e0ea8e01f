"""A server that takes its time: each connection is handled in a thread of its own, by what a test gives."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Handler = Callable[[socket.socket, bytes], None]
"""Given a connection and the head of its request; the connection is closed after it."""


class SlowServer:
    """Handles each connection by itself, and counts requests.

    :param handle: called once the head of a request has come.
    :param before: called as soon as there is a connection.
    """

    def __init__(self, handle: Handler, before: Callable[[socket.socket], None] = lambda _: None) -> None:
        self._handle, self._before = handle, before
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Event()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        for one in (self._socket, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def hang(self, *_: object) -> None:
        """Answer nothing until the server ends."""
        self.ended.wait()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self._before(connection)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.requests.append(head)
            self._handle(connection, head)


def dribble(text: bytes, pause: float) -> Handler:
    """Send ``text`` a byte at a time, and then its last byte for ever."""

    def handle(connection: socket.socket, _: bytes) -> None:
        for at in range(10**6):
            connection.sendall(text[at : at + 1] or b"x")
            time.sleep(pause)

    return handle
