"""A server that answers what a test tells it to, and a clock that never waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow

ACCESS = "u$rAK+access/key%41=1"
SECRET = "s3c$ret+Key/9=9%2F"


class FakeClock:
    """Waiting makes it later at once."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        self.seconds += seconds


def client_of(
    host: str,
    *,
    access: str = ACCESS,
    secret: str = SECRET,
    clock: FakeClock | None = None,
    timeout: float = 5.0,
) -> LeadSquaredClient:
    """Return a client whose waits take no time."""
    return LeadSquaredClient(
        host,
        access,
        secret,
        timeout=timeout,
        limiter=RateLimiter(SlidingWindow(25), clock=clock or FakeClock()),
    )


@dataclass
class Request:
    """What arrived, as it was sent."""

    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split("\r\n")[0]

    @property
    def headers(self) -> dict[str, str]:
        lines = (line.partition(": ") for line in self.head.split("\r\n")[1:])
        return {name.lower(): value for name, _, value in lines}


def http(status: int, body: str | bytes = b"", *headers: str) -> bytes:
    """Spell an HTTP answer."""
    payload = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(payload)}", *headers, "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + payload


Answer = bytes | Callable[[Request], bytes]


class Answering:
    """Gives the answers in turn and then the last one for ever; an empty one breaks the connection."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                request = _read(connection)
                if request is None:
                    continue
                self.requests.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                connection.sendall(answer(request) if callable(answer) else answer)


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    request = Request(head.decode("latin-1"), body)
    while len(request.body) < int(request.headers.get("content-length", 0)):
        request.body += connection.recv(65536)
    return request


def chain(error: BaseException | None) -> Iterable[BaseException]:
    """Return an error, and all it was raised from or during."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]
