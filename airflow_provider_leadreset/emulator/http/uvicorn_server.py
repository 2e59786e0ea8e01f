"""The HTTP server: uvicorn, with the means to break a connection and to stop at once."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.app import build_app

# Clients keep connections over the pauses of a call limit of 5 seconds. Uvicorn's own 5 seconds would close them
# at the very moment the next call goes out.
_KEEP_ALIVE = 120


class HttpServer(uvicorn.Server):
    """Serves an account on 127.0.0.1.

    :param account: the state.
    :param port: 0 for any free one.
    :raises OSError: when the port is taken.
    """

    def __init__(self, account: Account, port: int) -> None:
        self._transports: dict[object, asyncio.Transport] = {}
        self.ready = threading.Event()
        """Set when connections are accepted, or when the start failed."""
        self.failure: BaseException | None = None
        self._socket = _listening_socket(port)
        self.port: int = self._socket.getsockname()[1]
        transports = self._transports

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                transports[transport.get_extra_info("peername")] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        super().__init__(
            uvicorn.Config(
                build_app(account, self._drop),
                http=Protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=5,
            )
        )

    def serve_until_stopped(self) -> None:
        """Serve; the body of a thread."""
        try:
            self.run(sockets=[self._socket])
        except BaseException as error:
            self.failure = error
        finally:
            self._socket.close()
            self.ready.set()

    def stop(self) -> None:
        """Ask the server to end; from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Break off what is under way: a call that hangs must not hold up the end of a test."""
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)

    def _drop(self, scope: MutableMapping[str, Any]) -> None:
        transport = self._transports.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()


def _listening_socket(port: int) -> socket.socket:
    # Naming the protocol is what makes asyncio switch Nagle's algorithm off; otherwise every answer takes 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock
