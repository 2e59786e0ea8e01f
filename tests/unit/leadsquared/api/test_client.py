from __future__ import annotations

import gzip
import json
import logging
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests

import airflow_provider_leadreset
from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api import transport
from airflow_provider_leadreset.leadsquared.api.client import GIVE_UP_AFTER, LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.connection import key_forms
from airflow_provider_leadreset.leadsquared.api.secret import Secret
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    EdgeError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    NotFoundError,
    OutageError,
    OverdueError,
    PageNotFoundError,
    QuotaError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from support.answering import ACCESS, SECRET, Answering, FakeClock, Request, chain, client_of, http
from support.slow_server import SlowServer

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
RESET = LeadReset(LEAD, parse_selectors([166]), parse_window("2026-09-01/2026-10-01"))
OK = http(200, '{"Status": "Success"}')
HOST = "api-in21.leadsquared.com"


@pytest.fixture(scope="module")
def shared() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, access_key=ACCESS, secret_key=SECRET) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared: LeadSquaredEmulator) -> LeadSquaredEmulator:
    shared.forget()
    shared.add_lead(LEAD)
    return shared


def forms(*keys: str) -> set[str]:
    """Spell keys in every way, independently of the client."""
    return {
        form
        for key in keys
        for form in (
            key,
            quote(key),
            quote(key, safe=""),
            quote_plus(key),
            json.dumps(key)[1:-1],
            key[:-1],
            key[1:],
        )
    }


def assert_no_key(error: BaseException, *keys: str, local_names: bool = True) -> None:
    """Look for the keys in an error and in all it came from: texts, fields, tracebacks, our frames' local names."""
    for one in chain(error):
        texts = [str(one), repr(one), repr(one.args), repr(vars(one)), *traceback.format_exception(one)]
        trace = one.__traceback__
        while trace and local_names:
            if "airflow_provider_leadreset" in trace.tb_frame.f_code.co_filename:
                texts += [repr(value) for value in trace.tb_frame.f_locals.values()]
            trace = trace.tb_next
        for form in forms(*keys):
            assert not [text for text in texts if form in text]


# -- what is sent ---------------------------------------------------------------------------------------------


def test_reset_request_format() -> None:
    """A reset is sent as LeadSquared documents it, with the keys in the headers only."""
    with Answering(OK) as server:
        client_of(server.url).reset(RESET)
    (request,) = server.requests
    assert request.line == "POST /v2/LeadManagement.svc/Lead.Reset HTTP/1.1"
    assert json.loads(request.body) == RESET.body()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-lsq-accesskey"] == ACCESS
    assert request.headers["x-lsq-secretkey"] == SECRET
    assert (
        request.headers["user-agent"]
        == f"airflow-provider-leadreset/{airflow_provider_leadreset.__version__}"
    )
    without = "\r\n".join(
        line for line in request.head.split("\r\n") if not line.lower().startswith("x-lsq-")
    )
    for form in forms(ACCESS, SECRET):
        assert form not in without
        assert form.encode() not in request.body
    assert not {"authorization", "cookie"} & request.headers.keys()


@pytest.mark.parametrize("key", [*"$+/%=&?#\"'\\", "%41", "u$r A", "a:b@c", "{{ x }}", "~!*()[]|;,<>"])
def test_keys_with_special_characters(key: str) -> None:
    """A key with any special characters arrives at the server unchanged."""
    with Answering(OK) as server:
        client_of(server.url, access=f"ak{key}1", secret=f"sk{key}2").call("GET", "x")
    headers = server.requests[0].headers
    assert (headers["x-lsq-accesskey"], headers["x-lsq-secretkey"]) == (f"ak{key}1", f"sk{key}2")


def test_keys_stripped_of_blanks() -> None:
    """Blanks around pasted keys are dropped."""
    with Answering(OK) as server:
        client_of(server.url, access=f" {ACCESS}\n", secret=f"\t{SECRET} ").call("GET", "x")
    assert server.requests[0].headers["x-lsq-accesskey"] == ACCESS
    assert server.requests[0].headers["x-lsq-secretkey"] == SECRET


def test_emulator_accepts_reset(emulator: LeadSquaredEmulator) -> None:
    """The emulator accepts the keys and the reset, and deletes only what is inside the window."""
    gone = emulator.add_activity(LEAD, 166, "2026-09-10 09:00:00")
    kept = emulator.add_activity(LEAD, 166, "2026-10-01 00:00:00")
    client_of(emulator.url).reset(RESET)
    emulator.wait_until_idle()
    left = {activity["id"] for activity in emulator.remaining(LEAD)["activities"]}
    assert kept in left
    assert gone not in left


def test_redirect_not_followed(emulator: LeadSquaredEmulator) -> None:
    """A redirect is not followed: it is an access error after a single call."""
    emulator.fault("redirect")
    with pytest.raises(AccessError):
        client_of(emulator.url).reset(RESET)
    assert len(emulator.calls) == 1


def test_cookies_not_kept() -> None:
    """A cookie that the server sets is not sent with the next call."""
    with Answering(http(200, "[]", "Set-Cookie: session=1; Path=/")) as server:
        client = client_of(server.url)
        client.call("GET", "x")
        client.call("GET", "x")
    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].headers


def test_environment_proxies_ignored_locally(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Proxies and netrc credentials from the environment are not used for calls to this machine."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login netrc-user password netrc-password\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Answering(OK) as server:
        client_of(server.url).call("GET", "x")
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("timeout", [0.5, 30.0])
def test_timeout_on_every_call(monkeypatch: pytest.MonkeyPatch, timeout: float) -> None:
    """Every call has the configured time-out and verifies certificates."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    seen: list[Any] = []

    def send(self: requests.adapters.HTTPAdapter, request: Any, **more: Any) -> Any:
        seen.append((more["timeout"], more["verify"]))
        raise requests.ReadTimeout(f"{request.headers}")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    client = client_of(HOST, timeout=timeout)
    for call in (
        lambda: client.reset(RESET),
        client.current_user,
        lambda: client.call("GET", "x", params={"a": "b"}),
    ):
        with pytest.raises(UnavailableError, match="no answer within the time-out"):
            call()
    assert len(seen) == 12
    assert set(seen) == {(timeout, True)}


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), False])
def test_invalid_timeout_refused(timeout: float) -> None:
    """A time-out that is not a positive, finite number is refused."""
    with pytest.raises(InputError, match="timeout is"):
        LeadSquaredClient(HOST, ACCESS, SECRET, timeout=timeout)


# -- hosts and keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (HOST, HOST),
        (f" {HOST}\n", HOST),
        (f"https://{HOST}", HOST),
        (f"https://{HOST}/", HOST),
        (f"https://{HOST}/v2", HOST),
        (f"{HOST}/v2/", HOST),
        (f"{HOST}//", HOST),
        (HOST.upper(), HOST),
        (f"{HOST}:8443", f"{HOST}:8443"),
        (f"{HOST}:08443/v2", f"{HOST}:8443"),
        (f"{HOST}:0", HOST),
        (f"{HOST}:443", HOST),
        (f"https://{HOST}:443/v2/", HOST),
        (f"{HOST}:80", f"{HOST}:80"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://127.8.9.1", "127.8.9.1"),
        ("http://localhost:8080/", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("localhost:8080", "localhost:8080"),
        ("10.0.0.1", "10.0.0.1"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_host_forms_accepted(given: str, host: str) -> None:
    """A host is accepted in the forms in which people paste it."""
    client = client_of(given)
    assert client.host == host
    assert repr(client) == f"<LeadSquaredClient of {host}>"


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:9", HOST])
def test_host_defaults_to_https(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A host without a scheme is called over HTTPS."""
    urls: list[str] = []

    def send(self: requests.adapters.HTTPAdapter, request: Any, **more: Any) -> Any:
        urls.append(request.url)
        raise requests.ConnectionError

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(UnavailableError):
        client_of(host).call("GET", "x")
    assert set(urls) == {f"https://{host}/v2/x"}


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        " ",
        5,
        "https://",
        "://",
        "ftp://api.leadsquared.com",
        "api leadsquared.com",
        "api..leadsquared.com",
        ".leadsquared.com",
        "-api.leadsquared.com",
        "api-.leadsquared.com",
        ".",
        "x" * 64 + ".com",
        ".".join(["x" * 60] * 5),
        "api.leadsquared.com:99999",
        "api.leadsquared.com:port",
        "api.leadsquared.com:",
        "api.leadsquared.com/v3",
        "api.leadsquared.com/v2/LeadManagement.svc/Lead.Reset",
        "[:::]",
        "[::1",
        "api.leadsquared.com\\v2",
        "m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller.example",
        "api.leadsquared.com\r\nX-Evil: 1",
    ],
    ids=lambda host: repr(host)[:40],
)
def test_invalid_host_refused(host: Any) -> None:
    """A value that cannot be a host name is refused at once, before any call."""
    with pytest.raises(InputError, match=r"the connection's Host is .* such as api-in21\.leadsquared\.com"):
        client_of(host)


@pytest.mark.parametrize(
    "host",
    [f"http://{HOST}", "http://10.0.0.1", "http://0.0.0.0", "http://localhost.example.com", "http://127.1"],
)
def test_remote_http_refused(host: str) -> None:
    """Keys are not sent unencrypted to another machine."""
    with pytest.raises(InputError, match="keys travel over https only, write"):
        client_of(host)


@pytest.mark.parametrize(
    "host",
    [
        "https://api.leadsquared.com/v2/?accessKey={a}&secretKey={s}",
        "api.leadsquared.com?accessKey={a}&secretKey={s}",
        "api.leadsquared.com#accessKey={a}&secretKey={s}",
        "https://{a}:{s}@api.leadsquared.com/",
        "{a}:{s}@api.leadsquared.com",
        "api.leadsquared.com {a} {s}",
        "{a}",
    ],
)
def test_keys_in_host_not_quoted(host: str) -> None:
    """Keys pasted into the Host field are not quoted in the error."""
    for spell in (str, quote, quote_plus):
        with pytest.raises(InputError) as caught:
            client_of(host.format(a=spell(ACCESS), s=spell(SECRET)))
        for form in forms(ACCESS, SECRET):
            assert form not in str(caught.value)


@pytest.mark.parametrize(
    "bad", ["", "  ", None, 5, "secret-\nkey", "secret-\r\nX-Evil: 1", "secret-\0", "secret-\x7f", "secret-é"]
)
@pytest.mark.parametrize("which", ["access", "secret"])
def test_invalid_key_refused(which: str, bad: Any) -> None:
    """A value that cannot be a key is refused by the name of its field, without being quoted."""
    with pytest.raises(InputError, match={"access": "Login", "secret": "Password"}[which]) as caught:
        client_of(HOST, **{which: bad})
    assert "secret-" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_key_spellings_known() -> None:
    """Every encoded spelling of a key is known, so that it can be removed from messages."""
    spelled = key_forms(Secret('a/b+c d"$\\'))
    assert spelled >= {
        'a/b+c d"$\\',
        "a%2Fb%2Bc%20d%22%24%5C",
        "a%2fb%2bc%20d%22%24%5c",
        "a/b%2Bc%20d%22%24%5C",
    }
    assert spelled >= {"a%2Fb%2Bc+d%22%24%5C", 'a/b+c d\\"$\\\\', 'a\\/b+c d"$\\'}


# -- keys stay out of sight -----------------------------------------------------------------------------------

FAULTS = [
    *("429", "403", "200-throttled", "500", "502-html", "500-mx", "drop"),
    *("truncated", "html", "empty", "status-error", "redirect", "wrong-region", "401"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_failures_hide_keys(
    emulator: LeadSquaredEmulator, caplog: pytest.LogCaptureFixture, fault: Any
) -> None:
    """No failure shows a key: not in the error, its traceback or the log."""
    caplog.set_level(logging.DEBUG)
    emulator.fault(fault, times=None)
    try:
        with pytest.raises(LeadSquaredError) as caught:
            client_of(emulator.url).reset(RESET)
    finally:
        emulator.clear_faults()
    assert caught.value.prospect_id == LEAD
    assert LEAD in str(caught.value)
    assert_no_key(caught.value, ACCESS, SECRET)
    for form in forms(ACCESS, SECRET):
        assert form not in caplog.text


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError,
        requests.ReadTimeout,
        requests.exceptions.InvalidHeader,
        requests.exceptions.SSLError,
    ],
)
def test_network_error_text_omitted(monkeypatch: pytest.MonkeyPatch, failure: Any) -> None:
    """The network library's own message, which may contain the keys, is left out of the error."""

    def send(self: requests.adapters.HTTPAdapter, request: Any, **more: Any) -> Any:
        raise failure(f"{request.headers} {quote(ACCESS)}", request=request)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(UnavailableError, match=failure.__name__) as caught:
        client_of(HOST).reset(RESET)
    assert_no_key(caught.value, ACCESS, SECRET)
    assert [type(one) for one in chain(caught.value)] == [UnavailableError]


def _echo(status: int, spell: Any) -> Any:
    def answer(request: Request) -> bytes:
        access, secret = (request.headers[name] for name in ("x-lsq-accesskey", "x-lsq-secretkey"))
        text = f"{'.' * 280} {spell(access)} and {spell(secret)} and {spell(access + secret)}"
        body = {"Status": "Error", "ExceptionType": f"MX{spell(access)}", "ExceptionMessage": text}
        return http(status, json.dumps(body))

    return answer


@pytest.mark.parametrize(
    "spell", [str, quote, quote_plus, lambda key: quote(key, safe="").lower(), str.upper]
)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
@pytest.mark.parametrize(
    ("access", "secret"), [(ACCESS, SECRET), ("abc$12", "abc$1234567"), ('p"q\\r', "x/y//z")]
)
def test_echoed_keys_redacted(spell: Any, status: int, access: str, secret: str) -> None:
    """When a server repeats the keys in its answer, the error quotes the answer without them."""
    with Answering(_echo(status, spell)) as server, pytest.raises(LeadSquaredError) as caught:
        client_of(server.url, access=access, secret=secret).call("GET", "x")
    said = f"{caught.value} {caught.value.exception_type} {caught.value.args}".lower()
    for key in (access, secret):
        for form in (key, quote(key), key[:5], key[-5:]):
            assert form.lower() not in said
    assert "***" in said


def test_keys_redacted_in_unreadable_answer() -> None:
    """Keys repeated in an unreadable answer are removed as well."""
    body = json.dumps({"Odd": 1, "access": ACCESS, "secret": SECRET}).replace("/", "\\/")
    with (
        Answering(http(200, body)) as server,
        pytest.raises(UnavailableError, match="does not say Success") as caught,
    ):
        client_of(server.url).call("POST", "x", body={}, writes=True)
    for form in forms(ACCESS, SECRET) | {key.replace("/", "\\/") for key in (ACCESS, SECRET)}:
        assert form not in str(caught.value)


# -- repeated, or given up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        http(503),
        http(500, "<html>"),
        http(200, '{"Status": "Succ'),
        http(200),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"no HTTP at all\r\n\r\n",
        http(200, "no gzip", "Content-Encoding: gzip"),
        http(200, gzip.compress(b'{"Status": "Succ'), "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n[1,2]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=[
        "503",
        "500",
        "truncated",
        "empty",
        "drop",
        "short",
        "no HTTP",
        "no gzip",
        "gzip",
        "lengths",
        "chunks",
    ],
)
def test_unreadable_answer_retried(broken: bytes) -> None:
    """A call without a readable answer is repeated after growing pauses."""
    clock = FakeClock()
    with Answering(broken, broken, broken, OK) as server:
        client_of(server.url, clock=clock).reset(RESET)
    assert len(server.requests) == 4
    assert clock.seconds == pytest.approx(1000 + 1 + 2 + 4)
    assert {request.body for request in server.requests} == {json.dumps(RESET.body()).encode()}


def test_retries_end_after_three() -> None:
    """After three repetitions the call fails with an error that Airflow may retry."""
    with Answering(http(503)) as server, pytest.raises(UnavailableError) as caught:
        client_of(server.url).reset(RESET)
    assert type(caught.value) is UnavailableError
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(400), LeadRejectedError),
        (http(500, '{"ExceptionType": "MXA"}'), LeadRejectedError),
        (http(401), AccessError),
    ],
)
def test_refusal_not_retried(answer: bytes, kind: type[LeadSquaredError]) -> None:
    """A call that LeadSquared refuses is not repeated."""
    with Answering(answer) as server, pytest.raises(kind):
        client_of(server.url).reset(RESET)
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["429", "403", "200-throttled"])
def test_throttled_call_retried(emulator: LeadSquaredEmulator, form: Any) -> None:
    """A throttled call is repeated until it is let through."""
    clock = FakeClock()
    emulator.fault(form, times=30)
    client_of(emulator.url, clock=clock).reset(RESET)
    assert len(emulator.calls) == 31
    assert len(emulator.resets) == 1
    assert clock.seconds < 1000 + GIVE_UP_AFTER


def test_long_throttling_is_quota_error() -> None:
    """After five minutes of nothing but throttling, the error says that the quota may be used up."""
    clock = FakeClock()
    text = "API calls exceeded the limit of 2 in 5 second(s)"
    with Answering(http(429, text)) as server, pytest.raises(QuotaError) as caught:
        client_of(server.url, clock=clock).reset(RESET)
    assert 1000 + GIVE_UP_AFTER <= clock.seconds < 1000 + GIVE_UP_AFTER + 10
    assert "not one call was accepted for 5 minutes" in str(caught.value)
    assert (caught.value.limit, caught.value.status, caught.value.prospect_id) == (2, 429, LEAD)
    assert_no_key(caught.value, ACCESS, SECRET)


def test_long_silence_is_outage() -> None:
    """After five minutes without an answer, the error is an outage."""
    clock = FakeClock()
    with Answering(http(503)) as server:
        client = client_of(server.url, clock=clock)
        errors: list[str] = []
        while "OutageError" not in errors and len(errors) < 200:
            with pytest.raises(UnavailableError) as caught:
                client.reset(RESET)
            errors.append(type(caught.value).__name__)
    assert set(errors[:-1]) == {"UnavailableError"}
    assert isinstance(caught.value, OutageError)
    assert "not one answer for 5 minutes: HTTP 503" in str(caught.value)
    assert clock.seconds >= 1000 + GIVE_UP_AFTER


@pytest.mark.parametrize("answer", [http(429), http(503)])
def test_idle_time_is_not_silence(answer: bytes) -> None:
    """Time in which nothing was called does not count as silence of the server."""
    clock = FakeClock()
    with Answering(OK, answer, OK) as server:
        client = client_of(server.url, clock=clock)
        client.reset(RESET)
        clock.seconds += 10 * GIVE_UP_AFTER
        client.reset(RESET)
    assert len(server.requests) == 3


def test_byte_order_mark_accepted() -> None:
    """An answer that starts with a byte order mark is read."""
    with Answering(http(200, b"\xef\xbb\xbf" + b'{"Status": "Success"}')) as server:
        client_of(server.url).reset(RESET)
    assert len(server.requests) == 1


def test_current_user(emulator: LeadSquaredEmulator) -> None:
    """The client reports the user who owns the keys."""
    assert client_of(emulator.url).current_user()["Role"] == "Administrator"


def test_unknown_user_shape() -> None:
    """An owner in an unknown format is reported as an empty user."""
    with Answering(http(200, "[]")) as server:
        assert client_of(server.url).current_user() == {}
    assert server.requests[0].line.startswith("GET /v2/Authentication.svc/UserByAccessKey.Get ")


def test_close_drops_connections(emulator: LeadSquaredEmulator) -> None:
    """A closed client holds no connection."""
    client = client_of(emulator.url)
    client.reset(RESET)
    client.close()
    assert all(not adapter.poolmanager.pools for adapter in client._transport._session.adapters.values())


# -- the way there --------------------------------------------------------------------------------------------

EDGE = http(403, "<html>Access Denied</html>", "Content-Type: text/html")
PAGE_404 = http(404, "<html>Not Found</html>", "Content-Type: text/html")


@pytest.mark.parametrize("page", [EDGE, http(403, '{"message":"Forbidden"}'), http(407, "<html>")])
def test_blocked_call_is_repeated(page: bytes) -> None:
    """A call that something on the way answered is repeated until LeadSquared answers, ever more slowly."""
    clock = FakeClock()
    with Answering(*[page] * 6, OK, OK) as server:
        client = client_of(server.url, clock=clock)
        client.reset(RESET)
        assert clock.seconds == pytest.approx(1000 + 1 + 2 + 4 + 8 + 16 + 32)
        client.reset(RESET)
    assert clock.seconds == pytest.approx(1000 + 1 + 2 + 4 + 8 + 16 + 32)
    assert len(server.requests) == 8


def test_blocked_for_five_minutes_is_outage() -> None:
    """After five minutes of nothing but an edge's page the error is an outage, with what it said."""
    clock = FakeClock()
    with Answering(OK, EDGE) as server:
        client = client_of(server.url, clock=clock)
        client.reset(RESET)
        with pytest.raises(OutageError) as caught:
            client.reset(RESET)
    assert 1000 + GIVE_UP_AFTER <= clock.seconds < 1000 + GIVE_UP_AFTER + 61
    assert "Access Denied" in str(caught.value)
    assert len(server.requests) == 1 + 1 + 10


def test_impatient_call_is_not_repeated() -> None:
    """A call that must not wait tells of the way there at once."""
    with Answering(EDGE) as server, pytest.raises(EdgeError):
        client_of(server.url).call("GET", "x", patient=False)
    assert len(server.requests) == 1


# -- 404 ------------------------------------------------------------------------------------------------------


def test_plain_404_at_first_is_the_host() -> None:
    """A 404 where nothing was answered before is a wrong host."""
    with Answering(http(404)) as server, pytest.raises(AccessError, match="check the connection's Host"):
        client_of(server.url).reset(RESET)
    assert [request.line.split()[1] for request in server.requests] == [
        "/v2/LeadManagement.svc/Lead.Reset",
        "/v2/Authentication.svc/UserByAccessKey.Get",
    ]


@pytest.mark.parametrize("answer", [http(404), PAGE_404], ids=["plain", "page"])
def test_404_at_first_of_a_right_host(answer: bytes) -> None:
    """Where the key check answers for this host, the account has no such call (seen: notes)."""

    def answering(request: Request) -> bytes:
        if "UserByAccessKey" not in request.line:
            return answer
        return http(200, json.dumps({"LSQCommonServiceURLs": {"api": server.host}}))

    with Answering(answering) as server, pytest.raises(NotFoundError, match="no such call: LeadManagement"):
        client_of(server.url).reset(RESET)


def test_404_at_first_of_another_region() -> None:
    """Any region's host answers the key check: one that names another host is not the account's."""

    def answering(request: Request) -> bytes:
        if "UserByAccessKey" not in request.line:
            return http(404)
        return http(200, json.dumps({"LSQCommonServiceURLs": {"api": "api-us11.leadsquared.com"}}))

    with Answering(answering) as server, pytest.raises(AccessError, match="check the connection's Host"):
        client_of(server.url).reset(RESET)


@pytest.mark.parametrize(
    "before",
    [http(200, "[]"), http(500, '{"ExceptionType": "MXA"}'), http(200, '{"Status": "Failed"}')],
    ids=["content", "envelope", "failed"],
)
def test_plain_404_of_one_call(before: bytes) -> None:
    """A 404 where another call was answered is that call's own, and not repeated."""
    with Answering(before, http(404), http(200, "[]")) as server:
        client = client_of(server.url)
        with suppress(LeadRejectedError):
            client.call("GET", "x")
        with pytest.raises(NotFoundError):
            client.call("GET", "y")
        assert client.call("GET", "x") == []
    assert len(server.requests) == 3


def test_answers_of_others_do_not_count() -> None:
    """What an edge or a broken server answered does not show that the host is right."""
    with Answering(http(503), EDGE, http(200, "<html>"), http(404)) as server, pytest.raises(AccessError):
        client_of(server.url).reset(RESET)
    assert len(server.requests) == 5


def test_404_page_is_repeated() -> None:
    """One hiccup with a 404 page does not end a batch, not even as its first answer."""
    with Answering(PAGE_404, PAGE_404, OK, PAGE_404, OK) as server:
        client = client_of(server.url)
        client.reset(RESET)
        client.reset(RESET)
    assert len(server.requests) == 5


def test_404_page_that_stays() -> None:
    """A 404 page that stays is a wrong host if nothing was ever answered, and else an outage of that call."""
    with Answering(PAGE_404) as server, pytest.raises(AccessError, match="check the connection's Host"):
        client_of(server.url).reset(RESET)
    assert len(server.requests) == 8
    with Answering(OK, PAGE_404) as server:
        client = client_of(server.url)
        client.reset(RESET)
        with pytest.raises(PageNotFoundError):
            client.reset(RESET)
    assert len(server.requests) == 5


def test_redirect_after_answers_is_the_way_there() -> None:
    """A redirect once calls were answered comes from the way there, and the call is repeated."""
    with Answering(OK, http(302, "", "Location: https://identity.example/"), OK) as server:
        client = client_of(server.url)
        client.reset(RESET)
        client.reset(RESET)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [http(404), http(404, '{"message":"Not Found"}'), http(413), http(400, '{"message":"Bad Request"}')],
)
def test_bare_refusal_of_an_answered_call(answer: bytes) -> None:
    """What is not LeadSquared's does not make a lead final whose call was answered before."""
    with Answering(OK, answer, OK, answer) as server:
        client = client_of(server.url)
        client.reset(RESET)
        client.reset(RESET)
        with pytest.raises(UnavailableError) as caught:
            client.reset(RESET)
    assert type(caught.value) is UnavailableError
    assert len(server.requests) == 7


def test_page_401_among_answered_calls() -> None:
    """A page with 401 says nothing of keys that were just accepted; a plain one does."""
    with Answering(OK, http(401, "<html>", "Content-Type: text/html"), OK, http(401)) as server:
        client = client_of(server.url)
        client.reset(RESET)
        client.reset(RESET)
        with pytest.raises(AccessError):
            client.reset(RESET)
    assert len(server.requests) == 4


def test_limit_of_one_lead() -> None:
    """The limit of something else, named for one lead, is not the account's."""
    said = '{"ExceptionType": "MXAnyException", "ExceptionMessage": "Note exceeded the limit of 1 in 5 second(s)"}'
    with Answering(http(500, said)) as server:
        client = client_of(server.url)
        with pytest.raises(LeadRejectedError):
            client.reset(RESET)
    assert client.limiter.sliding_window.share == 25


def test_impatient_call_when_throttled() -> None:
    """A call that must not wait tells at once that the account is throttled."""
    clock = FakeClock()
    with Answering(http(429)) as server, pytest.raises(ThrottledError) as caught:
        client_of(server.url, clock=clock).current_user(patient=False)
    assert not isinstance(caught.value, QuotaError)
    assert (clock.seconds, len(server.requests)) == (1000, 1)


def test_quota_without_a_text() -> None:
    """Where LeadSquared says nothing, nothing is said to be its words."""
    with Answering(http(429)) as server, pytest.raises(QuotaError) as caught:
        client_of(server.url).reset(RESET)
    assert "LeadSquared says" not in str(caught.value)


def test_host_check_while_throttled() -> None:
    """Throttling of the key check says nothing of the host."""

    def answering(request: Request) -> bytes:
        return http(429) if "UserByAccessKey" in request.line else http(404)

    with Answering(answering) as server, pytest.raises(QuotaError):
        client_of(server.url).reset(RESET)


def test_failed_status_is_not_repeated() -> None:
    """A 200 that says Failed is LeadSquared's refusal of this lead, in its own words."""
    answer = http(200, '{"Status":"Failed","Message":{"Message":"Invalid event code"}}')
    with Answering(answer) as server, pytest.raises(LeadRejectedError, match="Invalid event code"):
        client_of(server.url).reset(RESET)
    assert len(server.requests) == 1


# -- keys in tracebacks ---------------------------------------------------------------------------------------


def frames_without_keys(error: BaseException, *keys: str) -> int:
    """Look for the keys in the local names of all frames but the tests' own; return how many there were."""
    seen = 0
    for one in chain(error):
        trace = one.__traceback__
        while trace:
            if "/tests/" not in trace.tb_frame.f_code.co_filename:
                seen += 1
                shown = repr(trace.tb_frame.f_locals)
                for form in {form for key in keys for form in (*key_forms(Secret(key)), quote(key), key[1:])}:
                    assert form not in shown, trace.tb_frame
            trace = trace.tb_next
    return seen


@pytest.mark.parametrize(
    "bad",
    [
        {"host": "no host"},
        {"host": f"https://{HOST}/?accessKey={ACCESS}&secretKey={quote(SECRET)}"},
        {"host": f"http://{HOST}"},
        {"access": ACCESS + "\n" + SECRET},
        {"secret": SECRET + "\x00"},
        {"secret": ""},
        {"access": [ACCESS, SECRET]},
        {"timeout": -1},
    ],
    ids=lambda bad: next(iter(bad)),
)
def test_no_keys_in_frames_of_bad_values(bad: dict[str, Any]) -> None:
    """When the client cannot be made, no local name of the traceback holds a key."""
    given: dict[str, Any] = {"host": HOST, "access": ACCESS, "secret": SECRET, "timeout": 1.0} | bad
    with pytest.raises(InputError) as caught:
        LeadSquaredClient(given["host"], given["access"], given["secret"], timeout=given["timeout"])
    assert frames_without_keys(caught.value, ACCESS, SECRET) >= 1


def test_repr_of_a_half_made_client() -> None:
    """A client that could not be made can still be shown."""
    assert repr(LeadSquaredClient.__new__(LeadSquaredClient)) == "<LeadSquaredClient of no host>"


class Interrupted(BaseException):
    """As a time-out of Airflow: raised by a signal handler."""


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["], ids=["head", "body"]
)
def test_no_keys_in_frames_of_a_signal(answer: bytes) -> None:
    """What a signal raises inside the network library comes out without that library's frames."""

    def interrupt(*_: object) -> None:
        raise Interrupted

    def handle(connection: Any, _: bytes) -> None:
        connection.sendall(answer)
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        server.hang()

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with SlowServer(handle) as server:
            client = client_of(server.url)
            with pytest.raises(Interrupted) as caught:
                client.reset(RESET)
            client.close()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert frames_without_keys(caught.value, ACCESS, SECRET) >= 3
    assert [type(one) for one in chain(caught.value)] == [Interrupted]


def test_no_keys_in_what_a_signal_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal raises while the network library handles an error does not bring that error along."""

    def send(self: requests.adapters.HTTPAdapter, request: Any, **more: Any) -> Any:
        try:
            raise requests.ConnectionError(str(request.headers))
        except requests.ConnectionError:
            raise Interrupted from None

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(Interrupted) as caught:
        client_of(HOST).reset(RESET)
    assert [type(one) for one in chain(caught.value)] == [Interrupted]
    assert frames_without_keys(caught.value, ACCESS, SECRET) >= 3


def test_no_keys_in_frames_of_network_errors() -> None:
    """When there is no connection, no local name of the traceback holds a key."""
    with pytest.raises(UnavailableError) as caught:
        client_of("http://127.0.0.1:9").reset(RESET)
    assert frames_without_keys(caught.value, ACCESS, SECRET) >= 3


@pytest.mark.parametrize("key", [ACCESS, "limit", "api"])
def test_key_that_is_a_deciding_word(key: str) -> None:
    """An access key that is a word of the answer does not hide what the answer means."""
    text = "API calls exceeded the limit of 25 in 5 second(s)"
    with Answering(http(403, text), OK) as server:
        client_of(server.url, access=key).reset(RESET)
    assert len(server.requests) == 2


def test_too_late_once_connected(monkeypatch):
    """A call whose connection takes until it is too late is not sent, was none, and leaves nothing in doubt."""
    clock, told = FakeClock(), []
    with Answering(OK) as server:
        client = client_of(server.url, clock=clock)
        client.on_call = told.append
        connect = transport._connect

        def slowly(*given: Any) -> Any:
            clock.seconds += 31.0
            return connect(*given)

        monkeypatch.setattr(transport, "_connect", slowly)
        with pytest.raises(OverdueError, match="read too long ago") as raised:
            client.reset(RESET, not_after=clock.now() + 30.0)
        assert (raised.value.in_doubt, told, client.limiter.calls) == (False, [], 0)
        client.reset(RESET, not_after=clock.now() + 32.0)
        assert (len(server.requests), len(told), client.limiter.calls) == (1, 1, 1)
        client.close()
