"""Who started a run, whose keys it used, and what ran it: what one asks for in two years."""

from __future__ import annotations

import platform
import re
import zoneinfo
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.leadsquared.journal.schema import (
    Code,
    EvidenceAccount,
    KeysUser,
    Trigger,
    Versions,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity

_BETWEEN_NAMES = re.compile(r"[,;|/&()<>\"]|\band\b", re.IGNORECASE)
"""What parts the names of several persons, or a name from what stands beside it."""

_BETWEEN_WORDS = re.compile(r"[\s,;:|/&()<>\"\[\]]")

MOST_NAME = 200
"""Characters of a name that are kept."""


def account_of(account: AccountIdentity) -> EvidenceAccount:
    """Return the account, as the key check tells of it."""
    return EvidenceAccount(host=account.host, code=account.code, name=account.name)


def keys_user_of(account: AccountIdentity) -> KeysUser:
    """Return whose keys they are, as the key check tells."""
    return KeysUser(name=account.user, mail=account.mail)


def trigger_of(context: Context) -> Trigger:
    """Return what started the run, as far as Airflow tells: a person's name from 3.1 on."""
    run: object = context.get("dag_run")
    kind = getattr(run, "run_type", None)
    return Trigger(
        run_type=_text(getattr(kind, "value", kind)), user=_text(getattr(run, "triggering_user_name", None))
    )


def code_of(context: Context) -> Code:
    """Return which version of the DAG runs, as far as Airflow tells: from 3.0 on."""
    ti: object = context.get("ti")
    bundle = getattr(ti, "bundle_instance", None)
    run: object = context.get("dag_run")
    version = getattr(bundle, "version", None) or getattr(run, "bundle_version", None)
    return Code(
        dag_version=_text(getattr(ti, "dag_version_id", None)),
        bundle=_text(getattr(bundle, "name", None)),
        bundle_version=_text(version),
    )


def versions() -> Versions:
    """Return the versions of what runs here."""
    return Versions(
        package=__version__,
        airflow=metadata.version("apache-airflow"),
        python=platform.python_version(),
        time_zones=time_zone_version(),
    )


def time_zone_version() -> str | None:
    """Return the release of the time zone database in use, such as ``2026a``; None where nothing tells."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "UTC").exists():  # zoneinfo takes the first that has the zone
            return _system_version(folder)
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return None


def approver_is_trigger(approval: object, trigger: Trigger) -> bool | None:
    """Return whether who approved also started the run; None where either is not known, or one of several is not.

    Airflow tells of who started a run the name alone. It is compared with each text and number that the approval gives
    of a person, with the parts of such a text, and with each e-mail address in it, whatever letter case and blanks: a
    person who goes by two names is taken for two.
    """
    started = _names_in(trigger.user or "")
    approvers = [names for one in _items(approval) for names in _approvers(one)]
    if not started or not approvers:
        return None
    if any(not started.isdisjoint(names) for names in approvers):
        return True
    return False if all(approvers) else None


def _approvers(approval: object) -> list[set[str]]:
    """Return what tells each approver of an answer; a person of whom nothing is told has no names."""
    if not isinstance(approval, dict):
        return [set()]
    people = [who for key in ("responded_by_user", "by") if (who := approval.get(key))]
    return [_names_of(who) for told in people for who in _items(told)] or [set()]


def _items(value: object) -> list[object]:
    """Return what is in a list, and in lists in it; what is no list is one thing."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        else:
            found.append(one)
    return found


def _names_of(who: object) -> set[str]:
    """Return all that may tell a person, to be compared: whatever the keys are that a ticket system gives it."""
    names: set[str] = set()
    waiting = [who]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (dict, list)):
            waiting += one.values() if isinstance(one, dict) else one
        elif isinstance(one, (str, int)) and not isinstance(one, bool) and "://" not in str(one):
            text = str(one)
            names |= _names_in(text) | _plain(_BETWEEN_NAMES.split(text))
    return names


def _names_in(text: str) -> set[str]:
    """Return a text, and each e-mail address in it."""
    return _plain({text, *(word for word in _BETWEEN_WORDS.split(text) if "@" in word)})


def _plain(names: Iterable[str]) -> set[str]:
    return {plain for name in names if (plain := " ".join(name.split()).casefold())}


def _system_version(folder: Path) -> str | None:
    try:
        with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
            first = file.readline(100)
    except OSError:
        return None
    return scrubbed(first.removeprefix("# version "), 40) or None


def _text(value: object) -> str | None:
    return None if value is None else scrubbed(str(value), MOST_NAME) or None
