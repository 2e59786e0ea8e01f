"""How long a call may take and how large its answer may be, over real sockets."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.api import transport
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.api.transport import MOST_BYTES
from airflow_provider_leadreset.leadsquared.api.watchdog import Watchdog
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    ClosedError,
    LeadSquaredError,
    ResponseTooLargeError,
    UnavailableError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.rows import reading
from support.answering import ACCESS, SECRET, Answering, FakeClock, client_of, http
from support.slow_server import SlowServer, dribble

OK = http(200, '{"Status": "Success"}')


def real_client(url: str, timeout: float = 30.0) -> LeadSquaredClient:
    """Return a client in real time."""
    return LeadSquaredClient(url, ACCESS, SECRET, timeout=timeout, limiter=RateLimiter(SlidingWindow(25)))


class Calls:
    """Calls in threads, and what became of each."""

    def __init__(self, client: LeadSquaredClient, count: int) -> None:
        self.errors: list[BaseException | None] = []
        self._threads = [threading.Thread(target=self._call, args=(client,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _call(self, client: LeadSquaredClient) -> None:
        try:
            client.call("GET", "x")
        except LeadSquaredError as error:
            self.errors.append(error)
        else:
            self.errors.append(None)

    def join(self) -> list[BaseException | None]:
        for thread in self._threads:
            thread.join(10)
        return self.errors


def eventually(condition: Any) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


# -- time -----------------------------------------------------------------------------------------------------

SLOW = {
    "headers": dribble(b"HTTP/1.1 200 OK\r\nX-Slow: ", 0.05),
    "body": dribble(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n[", 0.05),
    "body without length": dribble(b"HTTP/1.1 200 OK\r\n\r\n[", 0.05),
    "chunks": dribble(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n[", 0.05),
    "continue": dribble(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, 0.01),
}


@pytest.mark.parametrize("handle", SLOW.values(), ids=list(SLOW))
def test_byte_by_byte_is_cut_off(monkeypatch: pytest.MonkeyPatch, handle: Any) -> None:
    """A server that sends byte by byte does not hold a call beyond its time-out."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", (0.0,))
    with SlowServer(handle) as server:
        client = real_client(server.url, timeout=0.4)
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="no answer within the time-out") as caught:
            client.call("GET", "x")
        assert type(caught.value) is UnavailableError
        assert 0.8 <= time.monotonic() - began < 2
        assert len(server.requests) == 2
        client.close()


def test_slow_tls_handshake_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A TLS handshake that comes byte by byte does not hold a call beyond its time-out."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())

    def handshake(connection: socket.socket) -> None:
        dribble(b"\x16\x03\x03\x40\x00" + bytes(20_000), 0.05)(connection, b"")

    with SlowServer(lambda *_: None, before=handshake) as server:
        client = real_client(server.url.replace("http:", "https:"), timeout=0.4)
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            client.call("GET", "x")
        assert time.monotonic() - began < 1.5
        client.close()


def test_slow_proxy_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers byte by byte does not hold a call beyond its time-out, and is not told the keys."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    with SlowServer(dribble(b"HTTP/1.1 200 Connection established\r\nX-Slow: ", 0.05)) as proxy:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        client = real_client("api-in21.leadsquared.com", timeout=0.4)
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="no connection within the time-out"):
            client.call("GET", "x")
        assert time.monotonic() - began < 1.5
        client.close()
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT api-in21.leadsquared.com:443 ")
    assert ACCESS.encode() not in request


def test_answer_just_in_time() -> None:
    """An answer that comes in pieces, and in time, is read."""

    def pieces(connection: socket.socket, _: bytes) -> None:
        for at in range(0, len(OK), 10):
            connection.sendall(OK[at : at + 10])
            time.sleep(0.01)

    with SlowServer(pieces) as server:
        client = real_client(server.url, timeout=5)
        assert client.call("GET", "x") == {"Status": "Success"}
        client.close()


def test_connection_is_kept() -> None:
    """A connection serves the next call too, one with a packed answer as well."""
    body = gzip.compress(b"[]")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def answers(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head + body)
        for _ in range(2):
            assert connection.recv(65536)
            connection.sendall(head + body)

    with SlowServer(answers) as server:
        client = real_client(server.url)
        assert [client.call("GET", "x") for _ in range(3)] == [[], [], []]
        assert server.connections == 1
        client.close()


def test_watchdog_thread_ends() -> None:
    """The thread that watches calls begins with the first and ends when the client is closed."""

    def watchdogs() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "lead-reset-watchdog"]

    before = len(watchdogs())
    with Answering(OK) as server:
        client = client_of(server.url)
        assert len(watchdogs()) == before
        client.call("GET", "x")
        assert len(watchdogs()) == before + 1
        client.close()
        eventually(lambda: len(watchdogs()) == before)
        client.call("GET", "x")
        assert len(watchdogs()) == before + 1
        client.close()
        eventually(lambda: len(watchdogs()) == before)


# -- a stop ---------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_watchdog_after_fork() -> None:
    """In a process that was forked the thread is started anew, so that a slow call is cut off there too."""
    watchdog = Watchdog()
    with watchdog.watch(60, lambda: None):
        child = os.fork()
        if child == 0:
            cut = False
            try:
                with watchdog.watch(0.1, lambda: None) as call:
                    time.sleep(1)
                    cut = call.cut_at_deadline
            finally:
                os._exit(0 if cut else 1)
        assert os.waitpid(child, 0)[1] == 0
    watchdog.close()


def test_stop_breaks_calls_off() -> None:
    """A stop gives calls under way a second, breaks them off, and says so; none is repeated."""
    with SlowServer(lambda *_: server.hang()) as server:
        client = real_client(server.url)
        calls = Calls(client, 3)
        eventually(lambda: len(server.requests) == 3)
        began = time.monotonic()
        client.stop()
        assert time.monotonic() - began < 0.5
        errors = calls.join()
        assert 0.9 < time.monotonic() - began < 2
        assert [type(error) for error in errors] == [BrokenOffError] * 3
        assert isinstance(errors[0], UnavailableError)
        assert "broken off" in str(errors[0])
        assert len(server.requests) == 3
        with pytest.raises(ClosedError):
            client.call("GET", "x")
        client.close()


def test_stop_lets_calls_finish() -> None:
    """A call that is answered within a second of the stop has its answer."""

    def soon(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.3)
        connection.sendall(OK)

    with SlowServer(soon) as server:
        client = real_client(server.url)
        calls = Calls(client, 3)
        eventually(lambda: len(server.requests) == 3)
        client.stop()
        assert calls.join() == [None] * 3
        client.close()


def test_stop_while_connecting() -> None:
    """A call that has no connection yet at the stop was not sent, and says so."""
    # A listening socket with a full queue: further connections hang.
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    address = listening.getsockname()
    fillers = [socket.socket() for _ in range(5)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(address)
    time.sleep(0.1)
    client = real_client(f"http://127.0.0.1:{address[1]}")
    calls = Calls(client, 1)
    time.sleep(0.3)
    began = time.monotonic()
    client.stop()
    (error,) = calls.join()
    assert time.monotonic() - began < 2
    assert type(error) is ClosedError
    client.close()
    for one in (listening, *fillers):
        one.close()


@pytest.mark.parametrize("before", ["handshake", "headers", "body"])
def test_stop_at_any_stage(before: str) -> None:
    """A stop breaks a call off at whatever stage it is."""
    stages: dict[str, Any] = {
        "handshake": {
            "before": lambda connection: connection.recv(1) and server.hang(),
            "handle": server_hangs,
        },
        "headers": {"handle": SLOW["headers"]},
        "body": {"handle": SLOW["body"]},
    }
    with SlowServer(**stages[before]) as server:
        client = real_client(server.url.replace("http:", "https:" if before == "handshake" else "http:"))
        calls = Calls(client, 1)
        eventually(lambda: server.connections == 1)
        time.sleep(0.2)
        began = time.monotonic()
        client.stop()
        (error,) = calls.join()
        assert time.monotonic() - began < 2
        assert type(error) is (ClosedError if before == "handshake" else BrokenOffError)
        client.close()


def server_hangs(*_: object) -> None:
    raise AssertionError("no request comes")


def test_permit_of_a_broken_off_call() -> None:
    """A call that was broken off counts from when it was sent, so that draining takes a window more at most."""
    with SlowServer(lambda *_: server.hang()) as server:
        client = real_client(server.url)
        calls = Calls(client, 2)
        eventually(lambda: len(server.requests) == 2)
        sent = client.limiter.clock.now()
        client.stop()
        calls.join()
        assert client.limiter.sliding_window.drained_at() < sent + 5.1
        client.close()


# -- size -----------------------------------------------------------------------------------------------------


def packed(size: int, wrap: int = 31) -> bytes:
    """Pack so many blanks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wrap)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_small_answer_large_inside(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of 300 MB behind 300 KB costs little memory."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    bomb = packed(300 * 2**20)
    assert len(bomb) < 400_000
    answer = http(status, bomb, "Content-Encoding: gzip", "Location: /elsewhere")
    with Answering(answer) as server:
        client = client_of(server.url)
        tracemalloc.start()
        with pytest.raises(LeadSquaredError) as caught:
            client.call("GET", "x", patient=False)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert MOST_BYTES < used < 100 * 2**20
        client.close()
    if status == 200:
        assert type(caught.value) is ResponseTooLargeError
        assert "larger than 16 MiB" in str(caught.value)
        assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["length", "chunked", "endless"])
def test_large_answers(how: str) -> None:
    """An answer beyond the limit is not read on, however it is sent."""
    written = 0

    def handle(connection: socket.socket, _: bytes) -> None:
        nonlocal written
        head = {"length": f"Content-Length: {10**9}\r\n", "chunked": "Transfer-Encoding: chunked\r\n"}.get(
            how, ""
        )
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode())
        piece = b" " * 2**20
        for _ in range(900):
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if how == "chunked" else piece)
            written += len(piece)

    with SlowServer(handle) as server:
        client = real_client(server.url)
        with pytest.raises(ResponseTooLargeError):
            client.call("GET", "x")
        client.close()
    assert written < 4 * MOST_BYTES


def test_answer_of_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of exactly the limit is read, packed or not."""
    monkeypatch.setattr(transport, "MOST_BYTES", 1000)
    text = json.dumps(["x" * 996])
    assert len(text) == 1000
    for answer in (http(200, text), http(200, gzip.compress(text.encode()), "Content-Encoding: gzip")):
        with Answering(answer) as server:
            assert client_of(server.url).call("GET", "x") == ["x" * 996]
    for answer in (
        http(200, text + " "),
        http(200, gzip.compress(text.encode() + b" "), "Content-Encoding: gzip"),
    ):
        with Answering(answer) as server, pytest.raises(ResponseTooLargeError):
            client_of(server.url).call("GET", "x")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Encoding: gzip"], gzip.compress(b"[1]")),
        (["Content-Encoding: GZIP "], gzip.compress(b"[1]")),
        (["Content-Encoding: deflate"], zlib.compress(b"[1]")),
        (["Content-Encoding: identity"], b"[1]"),
    ],
)
def test_packed_answers(headers: list[str], body: bytes) -> None:
    """An answer may be packed, and gzip is what is asked for."""
    with Answering(http(200, body, *headers)) as server:
        assert client_of(server.url).call("GET", "x") == [1]
    assert server.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Encoding: br"], b"[1]"),
        (["Content-Encoding: gzip, gzip"], gzip.compress(gzip.compress(b"[1]"))),
        (["Content-Encoding: gzip"], gzip.compress(b"[1]")[:-6]),
        (["Content-Encoding: gzip"], b"[1]"),
    ],
    ids=["br", "twice", "cut", "not packed"],
)
def test_wrongly_packed_answers(monkeypatch: pytest.MonkeyPatch, headers: list[str], body: bytes) -> None:
    """An answer that is packed otherwise, or not to its end, cannot be read."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    with Answering(http(200, body, *headers)) as server, pytest.raises(UnavailableError) as caught:
        client_of(server.url, clock=FakeClock()).call("GET", "x")
    assert type(caught.value) is UnavailableError


JOSE = '{"Note": "José"}'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", JOSE.encode()),
        ("application/json", JOSE.encode("utf-8-sig")),
        ("application/json; charset=utf-16", JOSE.encode("utf-16")),
        ('application/json;Charset="ISO-8859-1"', JOSE.encode("latin-1")),
        ("application/json; charset=latin1", JOSE.encode("latin-1")),
        ("application/json; charset=cp1252", JOSE.encode("cp1252")),
        ("application/json; charset=unicode_escape", JOSE.encode()),
        ("application/json; charset=ISO-8859-1", JOSE.encode()),
        ("application/json; charset=windows-1252", JOSE.encode()),
        ("application/json; charset=iso-8859-1", JOSE.encode("utf-8-sig")),
        ("application/json; charset=utf-16", JOSE.encode()),
        ("application/json; charset=utf-16le", JOSE.encode("utf-16le")),
        ("application/json; charset=utf-16le", "\ufeff".encode("utf-16le") + JOSE.encode("utf-16le")),
        ("application/json; charset=utf-16be", "\ufeff".encode("utf-16be") + JOSE.encode("utf-16be")),
    ],
)
def test_encodings(kind: str, body: bytes) -> None:
    """An answer is read as UTF-8 if it can be, else in the encoding that it names, with a mark before it or without."""
    with Answering(http(200, body, f"Content-Type: {kind}")) as server:
        assert client_of(server.url).call("GET", "x") == {"Note": "José"}


def test_garbled_answers() -> None:
    """What would be kept with its letters replaced is not read, nor asked for again; of a write what it says counts."""
    with Answering(http(200, JOSE.encode("latin-1"))) as server:
        client = client_of(server.url, clock=FakeClock())
        with pytest.raises(UnreadableError, match=r"bytes that are no text.*: look for"):
            client.call("GET", "x")
        with (
            pytest.raises(UnreadableError, match="lead 7: HTTP 200: notes: the answer holds"),
            reading("notes", "7"),
        ):
            client.call("GET", "x")
        assert len(server.requests) == 2
    with Answering(http(200, b'{"Status": "Success", "Message": "\xe9"}')) as server:
        assert client_of(server.url).call("POST", "x", writes=True)["Status"] == "Success"


@pytest.mark.parametrize("writes", [False, True])
def test_name_twice_in_an_answer(monkeypatch: pytest.MonkeyPatch, writes: bool) -> None:
    """Of a name that stands twice in an answer the last does not win."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    for body in ('{"Status": "Error", "Status": "Success"}', '{"List": [{"Id": "a"}], "List": []}'):
        with Answering(http(200, body)) as server, pytest.raises(UnavailableError) as caught:
            client_of(server.url).call("POST", "x", writes=writes)
        assert caught.value.in_doubt is writes
    with Answering(http(200, '{"Status": "Success", "Status": "Success"}')) as server:
        client_of(server.url).call("POST", "x", writes=writes)
