"""Which account a client works on."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.errors import UnavailableError

HOST = "api.leadsquared.com"
ONE = AccountIdentity(HOST, "a" * 16, "ONE")


def test_account_is_told_by_its_code(lsq):
    """LeadSquared's own code tells the account, and who its keys' user is."""
    lsq.set_user(first_name="Asha\x1b[2J", last_name="Rao", email="asha@example.com", org_display_name="Acme")
    client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key)
    account = AccountIdentity.ask(client)
    assert (account.code, account.name) == ("LSQEMU", "Acme")
    assert (account.user, account.mail) == ("Asha Rao", "asha@example.com")
    assert account.text == f"{client.host} code LSQEMU"
    assert len(lsq.calls) == 1
    client.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "401"},
        {"kind": "500-mx", "body": "MXInvalidRequestException", "status": 400},
        {"kind": "404-html", "times": None},
    ],
)
@pytest.mark.usefixtures("quick_repeats")
def test_account_without_a_code(lsq, fault):
    """An account that does not say its code is told by host and keys, and no key is shown."""
    lsq.fault(path="UserByAccessKey.Get", **fault)
    client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key)
    account = AccountIdentity.ask(client)
    assert account == AccountIdentity.of_keys(client)
    assert account.text == f"{client.host} key {client.access_key_digest}"
    assert lsq.access_key not in repr(account)
    other = LeadSquaredClient(lsq.url, f"{lsq.access_key}x", lsq.secret_key)
    assert other.access_key_digest != client.access_key_digest
    for one in (client, other):
        one.close()


@pytest.mark.usefixtures("quick_repeats")
def test_outage_is_no_answer(lsq):
    """An outage says nothing of the account: it is raised, so that a retry asks again."""
    lsq.fault("drop", times=None)
    client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key)
    client.limiter.clock.sleep = lambda _: None
    with pytest.raises(UnavailableError):
        AccountIdentity.ask(client)
    client.close()


@pytest.mark.parametrize(
    ("known", "is_other"),
    [
        (ONE.as_json(), False),
        ({"host": HOST, "code": "ONE", "key": "b" * 16}, False),  # other keys of the same account
        ({"host": HOST, "code": "ONE"}, False),
        ({"host": HOST, "code": "TWO", "key": "a" * 16}, True),
        ({"host": "api-in21.leadsquared.com", "code": "ONE", "key": "a" * 16}, True),
        ({"host": HOST, "code": None, "key": "a" * 16}, False),
        ({"host": HOST, "code": None, "key": "b" * 16}, True),
        ({"host": HOST, "code": None}, False),  # of a first plan, which kept no more
        ({}, True),
    ],
)
def test_other_account(known, is_other):
    """Codes tell two accounts apart, keys where a code is missing."""
    assert ONE.is_other_than(known) is is_other


def test_other_account_without_a_code():
    """Where the code is not said now, other keys may be another account's."""
    now = AccountIdentity(HOST, "a" * 16)
    assert not now.is_other_than(ONE.as_json())
    assert now.is_other_than({"host": HOST, "code": "ONE", "key": "b" * 16})
    assert now.is_other_than({"host": HOST, "code": None, "key": "b" * 16})
    assert not now.is_other_than({"host": HOST, "code": "ONE"})
