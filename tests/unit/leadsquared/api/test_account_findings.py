"""The connection's extra account_check: taken as it was printed, refused by name where it was not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.account_findings import (
    AccountFindings,
    _checksum,
    parse_account_findings,
)
from airflow_provider_leadreset.leadsquared.errors import InputError

TODAY = date(2026, 11, 25)
KEPT = AccountFindings("LSQEMU", date(2026, 11, 20), 600.0, {"note_date": "CreatedOn", "notes_api": True})


def signed(**changes: Any) -> dict[str, Any]:
    """An object with other values and the checksum that goes with them."""
    values = {**KEPT.as_json(), **changes}
    values.pop("checksum")
    return {**values, "checksum": _checksum(values)}


@pytest.mark.parametrize("form", [dict, json.dumps, lambda given: json.dumps(given, indent=4)])
def test_what_was_printed_is_taken(form: Any) -> None:
    """An object is taken as such, or as the text of one, however it is laid out."""
    found = parse_account_findings(form(KEPT.as_json()), today=TODAY)
    assert found == KEPT
    assert (found.is_of("LSQEMU"), found.is_of("OTHER"), found.is_of("")) == (True, False, False)
    assert found.age(TODAY).days == 5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", "account_check is no JSON object"),
        ([], r"account_check is \[\], which is no object"),
        (None, "account_check is None"),
        (signed(schema_version=2), "has schema_version 2, and 1 is known"),
        (signed(schema_version=True), "has schema_version True"),
        ({}, "has schema_version None"),
        (signed(more=1), "has 'more', which is not known"),
        ({**KEPT.as_json(), "account": "OTHER"}, "not that of its content, so something in it was changed"),
        ({**KEPT.as_json(), "found": {"note_date": "ModifiedOn"}}, "something in it was changed"),
        ({**KEPT.as_json(), "checksum": "0" * 64}, "has the checksum '000"),
        ({**KEPT.as_json(), "checksum": ""}, "has the checksum ''"),
        (signed(account=""), "has '' as account"),
        (signed(account=5), "has 5 as account"),
        (signed(checked_on="20.11.2026"), "has '20.11.2026' as checked_on, which is no date"),
        (signed(checked_on="20261120"), "which is no date"),
        (signed(checked_on="2026-11-27"), "was checked on 2026-11-27, which cannot be"),
        (signed(checked_on="2019-12-31"), "which cannot be"),
        (signed(patience=0), "has 0 as patience"),
        (signed(patience="600"), "has '600' as patience"),
        (signed(found=[]), r"has \[\] as found"),
        (signed(found={"note_date": None}), "found {'note_date': None}"),
        (signed(found={"note_date": ["CreatedOn"]}), "found"),
        (signed(found={f"name {number}": True for number in range(101)}), "as found"),
    ],
)
def test_anything_else_is_refused(given: object, message: str) -> None:
    """What is missing, too much, changed or of another form is refused, and the error says what."""
    with pytest.raises(InputError, match=message):
        parse_account_findings(given, today=TODAY)


@pytest.mark.parametrize("name", ["account", "checked_on", "patience", "found", "checksum"])
def test_what_is_missing_is_named(name: str) -> None:
    """A field that is missing is named."""
    given = KEPT.as_json()
    del given[name]
    with pytest.raises(InputError, match=f"has no {name}"):
        parse_account_findings(given, today=TODAY)


def test_numbers_that_are_none() -> None:
    """NaN is no finding that a checksum could hold."""
    given = {**KEPT.as_json(), "found": {"queue_seconds": float("nan")}}
    with pytest.raises(InputError, match="something in it was changed"):
        parse_account_findings(given, today=TODAY)
    with pytest.raises(InputError, match="something in it was changed"):
        parse_account_findings({**given, "checksum": ""}, today=TODAY)
