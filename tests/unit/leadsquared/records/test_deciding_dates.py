"""Which date decides is told as found only of the event codes that the account check asked about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
from airflow_provider_leadreset.leadsquared.records.deciding_dates import DecidingDates, deciding_dates
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

DAY = date(2026, 9, 20)
FOUND = {"activity_date": "ModifiedOn", "activity_codes": "201, 202", "note_date": "CreatedOn"}
GUESS = "inferred from other event codes: the account check of 2026-09-20 did not ask about event"


def dates(found: dict[str, Any]) -> DecidingDates:
    return deciding_dates(AccountFindings("A", DAY, 600.0, found))


@pytest.mark.parametrize("codes", [(201,), (202, 201)])
def test_codes_that_were_asked_about(codes: tuple[int, ...]) -> None:
    """Of them it was found."""
    selectors = Selectors(activity_event_list=codes)
    assert dates(FOUND).were_found(["activities"], selectors)
    assert dates(FOUND).of_each(selectors) == "ModifiedOn of activities (found on this account on 2026-09-20)"
    assert dates(FOUND).describe(selectors) == (
        "Counted: activities by ModifiedOn. That LeadSquared compares the window with that date was found on "
        "this account on 2026-09-20."
    )


@pytest.mark.parametrize(
    ("codes", "told"), [((999,), " 999"), ((201, 999), " 999"), ((998, 999), "s 998, 999")]
)
def test_codes_that_were_not(codes: tuple[int, ...], told: str) -> None:
    """Of others it is inferred, and the text names them: in what people approve, and in what auditors read."""
    selectors = Selectors(activity_event_list=codes, should_delete_prospect_notes=True)
    assert not dates(FOUND).were_found(["activities"], selectors)
    assert dates(FOUND).were_found(["notes"], selectors)
    assert dates(FOUND).of("activities") == "ModifiedOn"
    assert dates(FOUND).of_each(selectors) == (
        f"CreatedOn of notes (found on this account on 2026-09-20); ModifiedOn of activities ({GUESS}{told})"
    )
    assert dates(FOUND).describe(selectors) == (
        "Counted: notes by CreatedOn. That LeadSquared compares the window with that date was found on this account on "
        "2026-09-20. Counted: activities by ModifiedOn. That LeadSquared compares the window with that date is "
        f"{GUESS}{told}."
    )


def test_many_codes_that_were_not() -> None:
    """Twenty of them are named."""
    told = dates(FOUND).describe(Selectors(activity_event_list=tuple(range(1000, 2000))))
    assert told.endswith(
        "did not ask about events " + ", ".join(map(str, range(1000, 1020))) + " and 980 more."
    )


def test_check_that_does_not_tell_its_codes() -> None:
    """An older check is read, and the text says what it was found of."""
    older = {"activity_date": "ModifiedOn"}
    selectors = Selectors(activity_event_list=(999,), should_delete_prospect_notes=True)
    assert dates(older).were_found(["activities"], selectors)
    assert dates(older).of_each(selectors) == (
        "ModifiedOn of activities (of the event codes it asked about) (found on this account on 2026-09-20); "
        "CreatedOn of notes (inferred, not documented)"
    )
    assert "Counted: activities (of the event codes it asked about) by ModifiedOn" in dates(older).describe(
        selectors
    )
