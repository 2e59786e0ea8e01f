"""Who started a run, whose keys it used, and what ran it: what one asks for in two years."""

from __future__ import annotations

import platform
import zoneinfo
from email.utils import parseaddr
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

_TELLS_A_PERSON = {"name", "id", "email", "mail", "e-mail", "username", "user", "login"}
"""Keys under which an approval tells a person, in any letter case."""

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
    run: Any = context.get("dag_run")
    kind = getattr(run, "run_type", None)
    return Trigger(
        run_type=_text(getattr(kind, "value", kind)), user=_text(getattr(run, "triggering_user_name", None))
    )


def code_of(context: Context) -> Code:
    """Return which version of the DAG runs, as far as Airflow tells: from 3.0 on."""
    ti: Any = context.get("ti")
    bundle = getattr(ti, "bundle_instance", None)
    run: Any = context.get("dag_run")
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
    """Return whether who approved also started the run; None where either is not known.

    Airflow tells of who started a run the name alone. It is compared with each name, id and e-mail address that the
    approval gives, whatever letter case and blanks: a person who goes by two of them is taken for two.
    """
    approvals = approval if isinstance(approval, list) else [approval]
    approvers = {name for one in approvals for name in _approvers(one)}
    started = _names_of(trigger.user)
    return bool(started & approvers) if started and approvers else None


def _approvers(approval: object) -> set[str]:
    if not isinstance(approval, dict):
        return set()
    return _names_of(approval.get("responded_by_user")) | _names_of(approval.get("by"))


def _names_of(who: object) -> set[str]:
    """Return what tells a person, to be compared: names, ids and e-mail addresses."""
    if isinstance(who, dict):
        told = [value for key, value in who.items() if str(key).strip().lower() in _TELLS_A_PERSON]
        return {name for value in told if not isinstance(value, (dict, list)) for name in _names_of(value)}
    if isinstance(who, list):
        return {name for one in who if not isinstance(one, list) for name in _names_of(one)}
    if isinstance(who, bool) or not isinstance(who, (str, int)):
        return set()
    text = str(who)
    name_and_address = parseaddr(text)  # of "Asha Rao <asha@example.com>"
    parts = (text, *name_and_address) if "@" in name_and_address[1] else (text,)
    return {name for part in parts if (name := " ".join(part.split()).casefold())}


def _system_version(folder: Path) -> str | None:
    try:
        with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
            first = file.readline(100)
    except OSError:
        return None
    return scrubbed(first.removeprefix("# version "), 40) or None


def _text(value: object) -> str | None:
    return None if value is None else scrubbed(str(value), MOST_NAME) or None
