"""Control calls must be meant, and no web page of another site may call at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.http.control_guard import HEADER, VALUE
from support.emulator_client import KEY_CHECK, Api
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
    return requests.request(method, f"{lsq.url}{path}", headers=headers, timeout=5)


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


def test_name_that_leads_here_is_refused(lsq: LeadSquaredEmulator) -> None:
    """A site whose name was made to lead to this machine drives nothing: the browser takes it for the site itself."""
    host = f"evil.example:{lsq.url.rpartition(':')[2]}"
    answer = ask(lsq, "POST", "/_emulator/reset", Host=host, Origin=f"http://{host}", **CONTROL)
    assert (answer.status_code, lsq.counts()["leads"]) == (403, 1)


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
