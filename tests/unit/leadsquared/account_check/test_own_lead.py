"""The one place of the account check that writes: no other lead, and no record that is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from airflow_provider_leadreset.leadsquared.account_check.own_lead import FIRST_NAME, OwnLead
from airflow_provider_leadreset.leadsquared.errors import InputError, UnreadableError
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from support.simulated_account import CODE, SimulatedAccount

NOTES = Selectors(should_delete_prospect_notes=True)
A_DAY = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))


@pytest.fixture
def account() -> Iterator[SimulatedAccount]:
    with SimulatedAccount() as one:
        yield one


def test_lead_is_a_stranger_to_nobody(account: SimulatedAccount) -> None:
    """The lead that is made has the name that tells what it is, the keys' user as owner, no e-mail and no phone."""
    lead = OwnLead.create(account.client, account.account.user_id)
    made = account.account.lead(lead.id)
    assert (made.first_name, made.last_name, made.email) == (FIRST_NAME, "", "")
    assert made.owner_id == account.account.user_id
    (call,) = [call for call in account.account.calls if call.path.endswith("Lead.Create")]
    assert call.body == [
        {"Attribute": "FirstName", "Value": "ZZ leadreset check"},
        {"Attribute": "OwnerId", "Value": account.account.user_id},
    ]


def test_no_reset_names_another_lead(account: SimulatedAccount) -> None:
    """A reset of another lead is refused before it is sent."""
    lead = OwnLead.create(account.client, "")
    sent = len(account.account.calls)
    with pytest.raises(RuntimeError, match="about to write to another lead"):
        lead.reset(LeadReset(account.stranger, NOTES, A_DAY))
    assert len(account.account.calls) == sent
    lead.reset(LeadReset(lead.id.upper(), NOTES, A_DAY))
    assert [call.prospect_id for call in account.account.resets] == [lead.id]


def test_no_foreign_record_is_changed(account: SimulatedAccount) -> None:
    """Records that the check did not make are not changed."""
    lead = OwnLead.create(account.client, "")
    (foreign,) = [one.id for one in account.account.lead(account.stranger).activities]
    sent = len(account.account.calls)
    for change in (
        lambda: lead.change_activity(foreign, CODE, "x"),
        lambda: lead.change_task(foreign, "x"),
        lambda: lead.change_note(foreign, "x"),
    ):
        with pytest.raises(RuntimeError, match="was not made by the account check"):
            change()
    assert len(account.account.calls) == sent


@pytest.mark.parametrize("kind", ["activity", "task", "note", "stage", "system activity"])
def test_given_lead_must_be_empty(account: SimulatedAccount, kind: str) -> None:
    """A lead that is given must hold no record of any kind."""
    crm, at = account.account, "2026-10-01 12:00:00"
    lead = crm.add_lead()
    add = {
        "activity": lambda: crm.add_activity(lead, CODE, at),
        "system activity": lambda: crm.add_activity(lead, 22, at),
        "task": lambda: crm.add_task(lead, "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01", at),
        "note": lambda: crm.add_note(lead, "x", at),
        "stage": lambda: crm.add_audit(lead, "StageChange", at),
    }
    assert OwnLead.given(account.client, lead, notes=True).id == lead
    add[kind]()
    with pytest.raises(InputError, match="holds 1 record or more"):
        OwnLead.given(account.client, lead, notes=True)
    assert account.account.resets == []


def test_given_lead_must_be_known(account: SimulatedAccount) -> None:
    """A lead that the account does not have is refused."""
    with pytest.raises(InputError, match="is not known to the account"):
        OwnLead.given(account.client, "00000000-0000-4000-8000-000000000000", notes=True)


def test_answer_without_id(account: SimulatedAccount) -> None:
    """An answer that does not say what was made is an error, not a record without an id."""
    lead = OwnLead.create(account.client, "")
    account.client.call = lambda *_, **__: {"Status": "Success", "Message": {"AffectedRows": 1}}  # type: ignore[method-assign]
    with pytest.raises(UnreadableError, match="does not say the id of a record"):
        lead.create_note("x")
