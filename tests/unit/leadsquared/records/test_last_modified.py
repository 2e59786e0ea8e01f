"""LeadLastModifiedOn is believed only as a date of the lead's own, in whichever shape and page it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.records.last_modified import read_last_modified

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
OTHER = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"


class Answering:
    """A client to whom one call is answered as given."""

    def __init__(self, *rows: Any) -> None:
        self.rows = list(rows)
        self.paging_styles: dict[str, Any] = {}

    def call(self, *_: Any, **__: Any) -> Any:
        return {"RecordCount": len(self.rows), "Leads": self.rows}


def value_of(*rows: Any) -> Any:
    return read_last_modified(Answering(*rows), [LEAD]).get(LEAD)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-01 10:00:00", datetime(2026, 9, 1, 10, tzinfo=UTC)),
        ("2026-09-01 10:00:00.123", datetime(2026, 9, 1, 10, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-09-01T15:30:00+05:30", datetime(2026, 9, 1, 10, tzinfo=UTC)),
    ],
)
def test_dates_that_are_believed(text, moment):
    """UTC as documented, with or without fractions; or a date that says its own offset. The text stays as given."""
    found = value_of({"ProspectID": LEAD, "LeadLastModifiedOn": text})
    assert (found.text, found.moment) == (text, moment)


@pytest.mark.parametrize("key", ["ProspectID", "ProspectId", "prospectid"])
def test_spellings_of_the_id(key):
    """The id may be spelt in any way that was seen, in capitals or braces."""
    row = {key: "{" + LEAD.upper() + "}", "leadlastmodifiedon": "2026-09-01 10:00:00"}
    assert value_of(row).text == "2026-09-01 10:00:00"


def test_pairs_of_attribute_and_value():
    """Leads also come as a list of pairs."""
    pairs = [
        {"Attribute": "ProspectID", "Value": LEAD},
        {"Attribute": "LeadLastModifiedOn", "Value": "2026-09-01 10:00:00"},
    ]
    assert value_of({"LeadPropertyList": pairs}).text == "2026-09-01 10:00:00"


def test_same_lead_twice_alike():
    """A lead that comes twice alike is one; with two dates it has none."""
    row = {"ProspectID": LEAD, "LeadLastModifiedOn": "2026-09-01 10:00:00"}
    assert value_of(row, dict(row)).text == "2026-09-01 10:00:00"
    assert value_of(row, {**row, "LeadLastModifiedOn": "2026-08-01 10:00:00"}) is None
    assert value_of(row, {**row, "LeadLastModifiedOn": None}) is None


def test_only_what_was_asked_for():
    """Other leads in the answer are none of them, and one that is missing is not there."""
    assert (
        read_last_modified(
            Answering({"ProspectID": OTHER, "LeadLastModifiedOn": "2026-09-01 10:00:00"}), [LEAD]
        )
        == {}
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("created", "believed"),
    [("2026-09-01 10:10:00", True), ("2026-09-01 10:20:00", False), ("soon", False), (None, True)],
)
def test_creation_of_the_lead(created, believed):
    """A date from before the lead's creation is none; minutes may be a matter of rounding."""
    row = {"ProspectID": LEAD, "LeadLastModifiedOn": "2026-09-01 10:00:00", "CreatedOn": created}
    assert (value_of(row) is not None) is believed


@pytest.mark.parametrize(
    "dialect", [{}, {"page_cap": 25}, {"paging": "offset"}, {"offset_means": "rows", "paging": "offset"}]
)
def test_many_leads(dialect):
    """All of many leads come, however the account pages."""
    with LeadSquaredEmulator(calls_per_5s=None, dialect=dialect) as lsq:
        leads = [lsq.add_lead() for _ in range(120)]
        client = LeadSquaredClient(lsq.url, lsq.access_key, lsq.secret_key, calls=10_000)
        found = read_last_modified(client, leads)
        client.close()
    assert found.keys() == set(leads)
    assert all(found.values())
