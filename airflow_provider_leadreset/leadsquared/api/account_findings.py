"""What the account check found out, as it is kept in the connection's extra ``account_check``.

A small object with its account, its date and a checksum, so that one that was pasted in part, changed by hand, or
taken from another account is not believed. It never changes which dates are sent.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

VERSION = 1
"""Of the form of the object."""

PATIENCE = 600.0
"""Seconds for which a record that stays is watched at least; less is for an emulator."""

_FIELDS = ("schema_version", "account", "checked_on", "patience", "found", "checksum")
_AGAIN = "paste what the account check printed, whole and unchanged, or leave it out"
_MOST = 100
"""Findings, and characters of a name or a word."""
_FIRST = date(2020, 1, 1)

Found = str | int | float | bool


@dataclass(frozen=True, slots=True)
class AccountFindings:
    """What was found out about one account.

    :param account: its own code, as the key check tells it.
    :param checked_on: the day of the check, UTC.
    :param patience: seconds for which a record that stayed was watched at least.
    :param found: the answers by the names of their questions; what could not be told is not there.
    """

    account: str
    checked_on: date
    patience: float
    found: Mapping[str, Found]

    def as_json(self) -> dict[str, object]:
        """Return the object for the connection's extra, with its checksum."""
        values = {
            "schema_version": VERSION,
            "account": self.account,
            "checked_on": self.checked_on.isoformat(),
            "patience": self.patience,
            "found": dict(sorted(self.found.items())),
        }
        return {**values, "checksum": _checksum(values)}

    @property
    def checksum(self) -> str:
        """What tells these findings from others."""
        return str(self.as_json()["checksum"])

    def is_of(self, account: str) -> bool:
        """Return whether it is of the account with that code. Of no account, it is not used."""
        return bool(self.account) and self.account == account

    def age(self, today: date) -> timedelta:
        """Return how long ago the check was."""
        return today - self.checked_on


def parse_account_findings(value: object, *, today: date) -> AccountFindings:
    """Parse the extra ``account_check``: an object, or the text that a form makes of one.

    That of Airflow 2.11 keeps JSON as it was typed, and shows an object as Python spells it, to save it again so.

    :param today: the present day, UTC: no check can be of a later one, but for a day between time zones.
    :raises InputError: it is something else; the error names what is wrong.
    """
    if isinstance(value, str):
        value = _from_text(value.strip())
    if not isinstance(value, Mapping):
        raise InputError(f"the connection's account_check is {quoted(value)}, which is no object: {_AGAIN}")
    version = value.get("schema_version")
    if type(version) is not int or version != VERSION:
        raise InputError(
            f"the connection's account_check has schema_version {quoted(version)}, and {VERSION} is known: "
            "check the account again with this version"
        )
    unknown = sorted(str(name) for name in value if name not in _FIELDS)
    missing = [name for name in _FIELDS if name not in value]
    if unknown or missing:
        which = f"{quoted(unknown[0])}, which is not known" if unknown else f"no {missing[0]}"
        raise InputError(f"the connection's account_check has {which}: {_AGAIN}")
    findings = AccountFindings(
        _account(value["account"]),
        _day(value["checked_on"], today),
        _patience(value["patience"]),
        _found(value["found"]),
    )
    values = {name: value[name] for name in _FIELDS if name != "checksum"}
    if value["checksum"] != _checksum(values) or not value["checksum"]:
        raise InputError(
            f"the connection's account_check has the checksum {quoted(value['checksum'])}, which is not that of its "
            f"content, so something in it was changed: {_AGAIN}"
        )
    return findings


def _from_text(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        found: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, Mapping):
        raise InputError(f"the connection's account_check is no JSON object: {_AGAIN}")
    return found


def _account(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _MOST:
        raise InputError(f"the connection's account_check has {quoted(value)} as account: {_AGAIN}")
    return value


def _day(value: object, today: date) -> date:
    try:
        day = date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise InputError(
            f"the connection's account_check has {quoted(value)} as checked_on, which is no date: {_AGAIN}"
        ) from None
    if not _FIRST <= day <= today + timedelta(days=1):
        raise InputError(
            f"the connection's account_check was checked on {day}, which cannot be, today being {today}: {_AGAIN}"
        )
    return day


def _patience(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10**6:
        raise InputError(f"the connection's account_check has {quoted(value)} as patience: {_AGAIN}")
    return value


def _found(value: object) -> dict[str, Found]:
    if not isinstance(value, Mapping) or len(value) > _MOST:
        raise InputError(f"the connection's account_check has {quoted(value)} as found: {_AGAIN}")
    for name, one in value.items():
        if not isinstance(name, str) or len(name) > _MOST or not isinstance(one, str | int | float | bool):
            raise InputError(f"the connection's account_check found {quoted({name: one})}: {_AGAIN}")
    return dict(value)


def _checksum(values: Mapping[str, object]) -> str:
    try:
        text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return ""  # no checksum
    return hashlib.sha256(text.encode()).hexdigest()
