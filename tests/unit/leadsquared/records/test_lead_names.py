"""Names of leads: read in one call, in either shape, and never a reason to fail."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.errors import MaxCallsError
from airflow_provider_leadreset.leadsquared.records.lead_names import lead_names
from support.answering import ACCESS, SECRET, client_of

BY_IDS = "LeadManagement.svc/Leads/Retrieve/ByIds"


@pytest.fixture
def lsq():
    with LeadSquaredEmulator(access_key=ACCESS, secret_key=SECRET) as emulator:
        yield emulator


def test_first_and_last_name(lsq):
    """The names of several leads take one call; a lead that is not there has none."""
    asha = lsq.add_lead(first_name="Asha", last_name="Rao")
    short = lsq.add_lead(first_name="", last_name="Meera")
    unknown = "11111111-0000-4000-8000-000000000000"
    assert lead_names(client_of(lsq.url), [asha.upper(), short, unknown]) == {
        asha: "Asha Rao",
        short: "Meera",
    }
    assert len(lsq.calls) == 1
    assert lead_names(client_of(lsq.url), []) == {}
    assert len(lsq.calls) == 1


def test_unreadable_names_decorate(lsq, caplog):
    """Where names cannot be read, there are none, with a warning."""
    lsq.fault("500-mx", times=None, path=BY_IDS)
    assert lead_names(client_of(lsq.url), [lsq.add_lead()]) == {}
    assert "shown by their ids alone" in caplog.text


def test_property_lists(lsq, monkeypatch):
    """A lead may be given as a list of properties; a name that is no text is none."""
    client = client_of(lsq.url)
    lead = lsq.add_lead()
    pairs = [{"Attribute": "ProspectID", "Value": lead}, {"Attribute": "FirstName", "Value": 5}]
    pairs.append({"Attribute": "LastName", "Value": "Rao"})
    answer: Any = {"RecordCount": 1, "Leads": [{"LeadPropertyList": pairs}]}
    monkeypatch.setattr(type(client), "call", lambda self, *args, **more: answer)
    assert lead_names(client, [lead]) == {lead: "Rao"}


def test_no_more_calls_allowed(lsq):
    """A task that may call no more ends, names or not."""
    client = client_of(lsq.url)
    client.limiter.max_calls = 0
    with pytest.raises(MaxCallsError):
        lead_names(client, [lsq.add_lead()])
