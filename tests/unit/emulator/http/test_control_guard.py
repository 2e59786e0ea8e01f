"""Control calls must be meant, and no web page of another site may call at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.http.control_guard import HEADER, VALUE
from support.emulator_client import KEY_CHECK, RESET, Api
from support.leadsquared_control import CONTROL, LeadSquaredControl

CALLS = [
    ("POST", "seed"),
    ("GET", "calls"),
    ("POST", "fault"),
    ("DELETE", "fault"),
    ("GET", "remaining/7"),
    ("POST", "merge"),
    ("GET", "state"),
    ("POST", "apply"),
    ("POST", "reset"),
]


@pytest.fixture(scope="module")
def lsq() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator() as emulator:
        emulator.add_lead()
        yield emulator


def ask(lsq: LeadSquaredEmulator, method: str, path: str, **headers: str) -> requests.Response:
    return requests.request(method, f"{lsq.url}{path}", headers=headers, timeout=60)


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: "yes"}], ids=["none", "empty", "another"])
def test_control_call_without_header(
    lsq: LeadSquaredEmulator, method: str, path: str, headers: dict[str, str]
) -> None:
    """A control call without the header is refused, naming it, and does nothing."""
    answer = ask(lsq, method, f"/_emulator/{path}", **headers)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "A control call needs the header X-Leadreset-Emulator: control"}
    assert lsq.counts()["leads"] == 1


def test_all_control_calls_are_tried(lsq: LeadSquaredEmulator) -> None:
    """The list of these tests is whole, and the description itself may be read by all."""
    paths = ask(lsq, "GET", "/_emulator/openapi.json").json()["paths"]
    known = {(method.upper(), path.partition("/_emulator/")[2]) for path in paths for method in paths[path]}
    assert known == {(method, path.replace("/7", "/{lead_id}")) for method, path in CALLS}


ORIGINS = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:1",
    "https://127.0.0.1",
    "http://localhost.evil.example",
]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("path", ["/_emulator/reset", f"/v2/{KEY_CHECK}", "/"])
def test_foreign_page_is_refused(lsq: LeadSquaredEmulator, origin: str, path: str) -> None:
    """What another site's page sends is refused, whatever it is, also with header and keys."""
    keys = Api(lsq).keys
    for method in ("GET", "POST", "OPTIONS"):
        answer = ask(lsq, method, path, Origin=origin, **CONTROL, **keys)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert lsq.counts()["leads"] == 1
    assert lsq.calls == []


def raw(lsq: LeadSquaredEmulator, path: str, *headers: str, method: str = "GET") -> tuple[int, str]:
    """Status and body of the answer to a request with these headers, and no others that a client would add."""
    head = [f"{method} {path} HTTP/1.1", *headers, "Content-Length: 0", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port(lsq)), timeout=10) as peer:
        peer.sendall("\r\n".join(head).encode())
        answer = b"".join(iter(lambda: peer.recv(1 << 16), b"")).decode()
    first, _, rest = answer.partition("\r\n")
    return int(first.split()[1]), rest.partition("\r\n\r\n")[2]


def port(lsq: LeadSquaredEmulator) -> int:
    return int(lsq.url.rpartition(":")[2])


MEANT = f"{HEADER}: {VALUE}"
HOSTS = [
    "evil.example:{port}",
    "evil.example",
    "evil.example@localhost",
    "localhost@evil.example",
    "localhost#.evil.example",
    "localhost/.evil.example",
    "localhost.evil.example",
    "localhost:{port}.evil.example",
    "localhost.",
    "localhost:",
    "localhost:{port}, evil.example",
    "127.0.0.1.evil.example:{port}",
    "[",
    "[::1",
    "::1",
    "",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("with_origin", [True, False], ids=["origin", "no-origin"])
def test_name_that_leads_here_is_refused(lsq: LeadSquaredEmulator, host: str, with_origin: bool) -> None:
    """A site whose name was made to lead to this machine drives nothing and reads nothing: the browser takes it for
    the site itself, so that a GET says no Origin, and the keys may stand in the query.
    """
    host = host.format(port=port(lsq))
    headers = [f"Host: {host}", MEANT, *([f"Origin: http://{host}"] if with_origin else [])]
    keys = urlencode({"accessKey": lsq.access_key, "secretKey": lsq.secret_key})
    for method, path in (
        ("GET", f"/v2/{KEY_CHECK}?{keys}"),
        ("POST", f"/v2/{RESET}?{keys}"),
        ("POST", "/_emulator/reset"),
        ("GET", "/_emulator/openapi.json"),
        ("GET", "/"),
    ):
        status, body = raw(lsq, path, *headers, method=method)
        assert (status, "127.0.0.1 or localhost" in body) == (403, True)
    assert (lsq.counts()["leads"], lsq.calls) == (1, [])


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Host: 127.0.0.1", "Host: evil.example"],
        ["Host: 127.0.0.1", "Host: 127.0.0.1"],
        ["Host: 127.0.0.1", "Origin: http://evil.example", "Origin: http://127.0.0.1"],
        ["Host: 127.0.0.1", "Origin: http://127.0.0.1", "Origin: http://evil.example"],
    ],
    ids=["no-host", "two-hosts", "one-host-twice", "foreign-origin-first", "foreign-origin-last"],
)
def test_no_host_and_two_of_a_header(lsq: LeadSquaredEmulator, headers: list[str]) -> None:
    """A request without a host, with two, or with two origins is refused: which of them counts is not guessed."""
    for path in (f"/v2/{KEY_CHECK}", "/_emulator/state", "/"):
        status, _ = raw(lsq, path, *headers, MEANT)
        assert status in (400, 403)
    assert lsq.calls == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "what comes next"])
def test_foreign_page_without_origin(lsq: LeadSquaredEmulator, site: str) -> None:
    """A picture of another site's page whose address is here says no Origin, but where it stands."""
    headers = ["Host: 127.0.0.1", MEANT, f"Sec-Fetch-Site: {site}"]
    for path in (f"/v2/{KEY_CHECK}", "/_emulator/state", "/"):
        assert raw(lsq, path, *headers, "Sec-Fetch-Mode: no-cors")[0] == 403
    for path in (f"/v2/{KEY_CHECK}", "/_emulator/state"):
        assert raw(lsq, path, *headers, "Sec-Fetch-Mode: navigate")[0] == 403
    assert lsq.calls == []
    # So does a person who follows the link from Airflow's page to the lead.
    assert raw(lsq, "/", *headers, "Sec-Fetch-Mode: navigate")[0] == 200


def test_names_of_this_machine(lsq: LeadSquaredEmulator) -> None:
    """This machine's names are served, with any port, which a tunnel changes; so are pages typed or of its own."""
    for host in (f"127.0.0.1:{port(lsq)}", "127.0.0.1", "LocalHost:9000", "[::1]:9000"):
        for more in (
            [],
            [f"Origin: http://{host}"],
            ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"],
            ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"],
        ):
            for path in ("/", "/_emulator/state"):
                assert raw(lsq, path, f"Host: {host}", MEANT, *more)[0] == 200


def test_preflight_allows_nothing(lsq: LeadSquaredEmulator) -> None:
    """A browser that asks whether a page may send the header is not told so."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Headers": HEADER}
    answer = ask(lsq, "OPTIONS", "/_emulator/reset", **asked, **{"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_own_clients_are_served(lsq: LeadSquaredEmulator) -> None:
    """The control client sends the header; a page of the emulator's own may call it."""
    assert {HEADER: VALUE} == CONTROL
    assert LeadSquaredControl(lsq.url).ask("GET", "/state")["records"]["leads"] == 1
    assert ask(lsq, "GET", "/_emulator/state", Origin=lsq.url, **CONTROL).status_code == 200
    assert ask(lsq, "GET", "/", Origin=lsq.url).status_code == 200
