"""One HTTP exchange, with a deadline for the whole of it, a limit of size, and sockets that others can shut."""

from __future__ import annotations

import http.client
import logging
import socket
import zlib
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airflow_provider_leadreset.leadsquared.api.responses import network_error
from airflow_provider_leadreset.leadsquared.api.watchdog import Watchdog, WatchedCall
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    ClosedError,
    LeadSquaredError,
    ResponseTooLargeError,
    UnavailableError,
)

MOST_BYTES = 16 * 1024 * 1024
"""The largest answer that is read, unpacked. A page of 1,000 rows has about one MiB."""

PIECE = 64 * 1024
"""Bytes read at once."""

NETWORK_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    zlib.error,
)
"""What the libraries raise for a call without a readable answer."""

_current: ContextVar[WatchedCall | None] = ContextVar("call_under_way", default=None)


def _is_of_others(record: logging.LogRecord) -> bool:
    del record
    return _current.get() is None


# It quotes headers that it cannot read, in which a server may repeat a key.
logging.getLogger("urllib3.connection").addFilter(_is_of_others)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back, whatever it means.

    :param garbled: whether some of its bytes are no text in its encoding, and were replaced.
    """

    status: int
    content_type: str
    text: str
    garbled: bool = False


class Transport:
    """The connections to one host. May be used by several threads at once.

    :param base: the host's address, up to its last slash.
    :param host: as errors name it.
    :param sign: adds the keys to a request. As ``auth``, they are in no header list that somebody may print, and no
        netrc file can replace them.
    :param connections: how many are kept.
    """

    def __init__(
        self,
        base: str,
        host: str,
        sign: Callable[[requests.PreparedRequest], requests.PreparedRequest],
        *,
        user_agent: str,
        connections: int,
    ) -> None:
        self._base = base
        self._host = host
        self._watchdog = Watchdog()
        self._session = _Session()
        # gzip alone, which is unpacked here, piece by piece.
        self._session.headers.update(
            {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"}
        )
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.auth = sign
        self._session.mount(base, _Adapter(pool_maxsize=connections))
        # A proxy of the environment must not see what is sent unencrypted, and cannot reach this machine's own.
        self._session.trust_env = base.startswith("https:")

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None,
        body: str | None,
        timeout: float,
        on_send: Callable[[], None],
    ) -> RawAnswer:
        """Send a request and read the answer.

        :param path: below the host's address.
        :param timeout: seconds for all of it, from the name's look-up to the last byte.
        :param on_send: told just before the request is sent.
        :raises UnavailableError: no answer, or none that can be read.
        :raises BrokenOffError: :meth:`stop` ended it after it was sent.
        :raises ClosedError: :meth:`stop` ended it before.
        :raises ResponseTooLargeError: the answer is larger than ``MOST_BYTES``.
        """
        answer: RawAnswer | None = None
        failure: LeadSquaredError = network_error("no answer", self._host)
        interruption: BaseException | None = None
        with self._watchdog.watch(timeout, on_send) as call:
            token = _current.set(call)
            try:
                answer = self._exchange(method, path, params, body, timeout)
            except LeadSquaredError as error:
                failure = error.with_traceback(None)
            except NETWORK_ERRORS as error:
                failure = network_error(type(error).__name__, self._host, sent=call.sent)
            except BaseException as error:  # raised again below
                interruption = error
            finally:
                _current.reset(token)
        # Raised out here, errors have no context, and no frames of the network library, whose local names hold the
        # headers with the keys: neither its own nor what a signal raised inside it.
        if interruption is not None:
            try:
                interruption.__context__ = interruption.__cause__ = None
                raise interruption.with_traceback(None)
            finally:
                del interruption
        if call.cut_by_stop and not call.sent:
            raise ClosedError("not sent: the batch was stopped")
        if call.cut_by_stop:
            raise BrokenOffError("broken off without an answer, since the batch was stopped")
        if call.cut_at_deadline:
            raise network_error("ReadTimeout" if call.sent else "ConnectTimeout", self._host)
        if answer is None:
            raise failure
        return answer

    def stop(self) -> None:
        """Allow calls under way a second, then break them off. Returns at once."""
        self._watchdog.stop()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._watchdog.close()

    def _exchange(
        self, method: str, path: str, params: dict[str, str] | None, body: str | None, timeout: float
    ) -> RawAnswer:
        response = self._session.request(
            method,
            f"{self._base}{path}",
            params=params,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        )
        try:
            content = _read(response)
        finally:
            response.close()
        content_type = response.headers.get("Content-Type", "")
        text, garbled = _decoded(content, content_type)
        return RawAnswer(response.status_code, content_type, text, garbled)


_EIGHT_BITS = {"iso-8859-1", "iso-8859-15", "latin1", "latin-1", "windows-1252", "cp1252"}
_ENCODINGS = {"utf-16", "utf-16le", "utf-16be", *_EIGHT_BITS}
"""Those that an answer may name beside UTF-8. Some that Python knows are no encodings of text, or unpack."""


def _decoded(content: bytes, content_type: str) -> tuple[str, bool]:
    """Return an answer's text, and whether bytes of it had to be replaced."""
    message = Message()
    message["Content-Type"] = content_type
    named = str(message.get_param("charset") or "").strip().lower()
    known = [named] if named in _ENCODINGS else []
    # JSON is UTF-8 whatever a server's default says, and text in another encoding of 8 bits is hardly ever valid UTF-8.
    # Only UTF-16 writes its signs with zeros.
    tried = [*known, "utf-8-sig"] if b"\0" in content else ["utf-8-sig", *known]
    for encoding in tried:
        try:
            # Servers of .NET may write a mark before the JSON.
            return content.decode(encoding).removeprefix("\ufeff"), False
        except UnicodeDecodeError:
            continue
    return content.decode(tried[0], "replace"), True


def _read(response: requests.Response) -> bytes:
    """Read an answer in pieces. An error's page beyond the limit is cut there: its beginning says what it is."""
    packed_as = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed_as not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise UnavailableError(
            "the answer is packed in a way that was not asked for", status=response.status_code
        )
    unpack = None if packed_as in {"", "identity"} else zlib.decompressobj(zlib.MAX_WBITS | 32)
    content, came = bytearray(), 0
    while piece := response.raw.read(PIECE, decode_content=False):
        came += len(piece)
        if unpack is None:
            content += piece
        elif not unpack.eof:
            # One more than the limit at most, however much is behind a few bytes.
            content += unpack.decompress(piece, MOST_BYTES + 1 - len(content))
        if max(came, len(content)) > MOST_BYTES:
            if response.status_code == 200:
                raise ResponseTooLargeError(
                    f"the answer is larger than {MOST_BYTES // 1024**2} MiB", status=response.status_code
                )
            return bytes(content)
    if unpack is not None and not unpack.eof:
        raise UnavailableError("the answer cannot be unpacked to its end", status=response.status_code)
    return bytes(content)


class _Session(requests.Session):
    """A session that looks at no redirect: to do so, requests would read its whole body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: nothing is followed."""
        del resp


class _Watched:
    """A connection that tells the call under way of its sockets, and when the request is sent."""

    def _new_conn(self: Any) -> socket.socket:
        call = _current.get()
        if call is None:
            made: socket.socket = super()._new_conn()  # type: ignore[misc]
            return made
        try:
            return _connect(call, self._dns_host.strip("[]"), self.port, self.socket_options or ())
        except socket.gaierror as error:
            raise urllib3.exceptions.NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise urllib3.exceptions.NewConnectionError(self, "no connection") from error

    def request(self: Any, *args: object, **more: object) -> None:
        """Send a request; see the class."""
        if call := _current.get():
            if self.sock is None:
                self.connect()
            call.use(self.sock)
            call.sending()
        super().request(*args, **more)  # type: ignore[misc]


class _WatchedHTTPConnection(_Watched, HTTPConnection):
    """Unencrypted, to this machine's own addresses."""


class _WatchedHTTPSConnection(_Watched, HTTPSConnection):
    """Over TLS."""


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


_POOLS = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}


class _Adapter(HTTPAdapter):
    """An adapter whose connections are watched, those through an HTTP proxy too."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*args, **more)
        if isinstance(manager, urllib3.ProxyManager):  # one for SOCKS connects in its own way
            manager.pool_classes_by_scheme = _POOLS
        return manager


def _connect(
    call: WatchedCall, host: str, port: int, options: Iterable[tuple[int, int, int | bytes]]
) -> socket.socket:
    """Connect to the first address of a host that answers, each given its part of the time that is left."""
    problem: OSError = OSError("no address")
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        made = socket.socket(family, kind, protocol)
        try:
            for option in options:
                made.setsockopt(*option)
            call.use(made)
            made.settimeout(call.remaining() / (len(addresses) - number))
            made.connect(address)
            made.settimeout(call.remaining())
        except OSError as error:
            made.close()
            problem = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise problem
