"""Who started a run, whose keys it used, and what ran it: what one asks for in two years."""

from __future__ import annotations

import platform
import zoneinfo
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

MOST_NAME = 200
"""Characters of a name that are kept."""


def account_of(account: AccountIdentity) -> EvidenceAccount:
    """Return the account, as the key check tells of it."""
    return EvidenceAccount(host=account.host, code=account.code, name=account.name)


def keys_user_of(account: AccountIdentity) -> KeysUser:
    """Return whose keys they are, as the key check tells."""
    if account.user and "@" in account.user:
        return KeysUser(mail=account.user)
    return KeysUser(name=account.user)


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
    """Return whether who approved also started the run; None where either is not known."""
    approvals = approval if isinstance(approval, list) else [approval]
    approvers = {name for one in approvals for name in _approvers(one)}
    if not approvers or not trigger.user:
        return None
    return trigger.user.strip().lower() in approvers


def _approvers(approval: object) -> set[str]:
    if not isinstance(approval, dict):
        return set()
    found = []
    for who in (approval.get("responded_by_user"), approval.get("by")):
        found += [who.get("name"), who.get("id")] if isinstance(who, dict) else [who]
    return {name.strip().lower() for name in found if isinstance(name, str) and name.strip()}


def _system_version(folder: Path) -> str | None:
    try:
        with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
            first = file.readline(100)
    except OSError:
        return None
    return scrubbed(first.removeprefix("# version "), 40) or None


def _text(value: object) -> str | None:
    return None if value is None else scrubbed(str(value), MOST_NAME) or None
