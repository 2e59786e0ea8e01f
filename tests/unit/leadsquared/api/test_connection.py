from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.api.connection import (
    account_host,
    base_address,
    given_web_address,
    key_forms,
    lead_page,
    web_address_of,
)
from airflow_provider_leadreset.leadsquared.api.secret import Secret
from airflow_provider_leadreset.leadsquared.errors import InputError

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
PAGE = f"LeadManagement/LeadDetails?LeadID={LEAD}"
KEYS = {"login": "u$web-access-key", "password": "s$web-secret-key"}


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("api.leadsquared.com", "api.leadsquared.com"),
        ("https://API.leadsquared.com:443/v2/", "api.leadsquared.com"),
        ("api.leadsquared.com.", "api.leadsquared.com"),
        ("https://api.leadsquared.com.:443?x=1", "api.leadsquared.com"),
        ("api.leadsquared.com:8443", "api.leadsquared.com:8443"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("no host name", None),
        (["x"], None),
        ("/" * 80_000, None),
        ("a." * 40_000, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_host_that_the_key_check_names(named: Any, host: str | None) -> None:
    """The account's own host is compared as the connection's is spelled."""
    assert account_host({"LSQCommonServiceURLs": {"api": named}}) == host
    assert account_host({"LSQCommonServiceURLs": named}) is None


def test_key_that_cannot_be_encoded() -> None:
    """A key with a lone surrogate is masked as it is, and raises nothing that would show it."""
    assert key_forms(Secret("acc\ud800KEY"), Secret(None)) == {"acc\ud800KEY"}


def test_short_key_is_not_masked_inside_of_words() -> None:
    """Airflow would mask it in each word of each log; a longer one beside it is masked as ever."""
    assert key_forms(Secret("a"), Secret("b/2"), Secret("")) == set()
    assert key_forms(Secret("a"), Secret("abcd")) == {"abcd"}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the address of the lead's page for a connection with these fields."""

    def address(host: str, app_host: Any = None, **fields: Any) -> str | None:
        extra = {} if app_host is None else {"app_host": app_host}
        connection = {"conn_type": "leadsquared", "host": host, "extra": extra, **KEYS, **fields}
        monkeypatch.setenv("AIRFLOW_CONN_LSQ", json.dumps(connection))
        return LeadResetHook("lsq").lead_url(LEAD)

    return address


@pytest.mark.parametrize(
    ("api_host", "web"),
    [
        ("api-in21.leadsquared.com", "https://in21.leadsquared.com/"),
        ("https://API-US11.leadsquared.com/v2/", "https://us11.leadsquared.com/"),
        ("api.leadsquared.com", "https://run.leadsquared.com/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("https://127.0.0.1:8443", None),
        ("proxy.example.com", None),
        ("api-in21.leadsquared.com.example.com", None),
        ("api-in21.leadsquared.com:8443", None),
    ],
)
def test_web_host_from_api_host(page: Any, api_host: str, web: str | None) -> None:
    """The web host is derived from the API host."""
    assert web_address_of(api_host) == web
    assert page(api_host) == (web and web + PAGE)


@pytest.mark.parametrize(
    ("app_host", "expected"),
    [
        ("crm.example.com", f"https://crm.example.com/{PAGE}"),
        (" https://crm.example.com/ ", f"https://crm.example.com/{PAGE}"),
        ("http://127.0.0.1:9000", f"http://127.0.0.1:9000/{PAGE}"),
        ("", f"https://in21.leadsquared.com/{PAGE}"),
        ("  ", f"https://in21.leadsquared.com/{PAGE}"),
    ],
)
def test_app_host_takes_precedence(page: Any, app_host: str, expected: str) -> None:
    """The connection's app_host takes precedence over the derived web host."""
    assert page("api-in21.leadsquared.com", app_host) == expected


def test_port_field(page: Any) -> None:
    """The port field applies to the API host, and to a page's address only on a local machine."""
    assert page("api-in21.leadsquared.com", port=443) == f"https://in21.leadsquared.com/{PAGE}"
    assert page("http://127.0.0.1", port=9001) == f"http://127.0.0.1:9001/{PAGE}"


@pytest.mark.parametrize(
    "app_host", ["http://crm.example.com", KEYS["password"], 5, ["x"], "crm.example.com/x"]
)
def test_invalid_app_host_refused(page: Any, app_host: Any) -> None:
    """An app_host that is no host name is refused without being quoted."""
    with pytest.raises(LeadResetInputError, match="app_host is no host name") as caught:
        page("api-in21.leadsquared.com", app_host)
    assert str(app_host) not in str(caught.value)


@pytest.mark.parametrize("read", [base_address, web_address_of, given_web_address])
def test_no_pasted_key_in_frames(read: Any) -> None:
    """When a pasted address is refused, no local name of the traceback shows a key that is in it."""
    with pytest.raises(InputError) as caught:
        read(f"https://api.leadsquared.com/?secretKey={KEYS['password']}")
    trace = caught.value.__traceback__.tb_next if caught.value.__traceback__ else None
    assert trace
    assert caught.value.__context__ is None
    while trace:
        assert KEYS["password"] not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next


def test_addresses_without_keys(page: Any) -> None:
    """No address contains a key."""
    for host in ("api-in21.leadsquared.com", "http://127.0.0.1:8080"):
        for key in KEYS.values():
            assert key not in page(host)
            assert quote(key) not in page(host)


def test_lead_id_is_escaped() -> None:
    """A lead ID is escaped, so that it cannot change the rest of the address."""
    page = lead_page("https://in21.leadsquared.com/", "a&b=c#d/e")
    assert page == "https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID=a%26b%3Dc%23d%2Fe"
    assert lead_page(None, LEAD) is None
