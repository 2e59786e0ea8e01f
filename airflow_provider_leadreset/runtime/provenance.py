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
from airflow_provider_leadreset.leadsquared.text import presentable, scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_leadreset.compat import Context

MOST_NAME = 200
"""Characters of a name that are kept."""


def account_of(host: str, user: Mapping[str, Any], redact: Callable[[str], str]) -> EvidenceAccount:
    """Return the account, as the key check tells of it.

    :param user: what the key check gave; empty where it did not answer.
    :param redact: strikes the keys out.
    """
    return EvidenceAccount(
        host=host, code=_cleaned(user, redact, "OrgShortCode"), name=_cleaned(user, redact, "OrgDisplayName")
    )


def keys_user_of(user: Mapping[str, Any], redact: Callable[[str], str]) -> KeysUser:
    """Return whose keys they are, as the key check tells."""
    name = _cleaned(user, redact, "FirstName", "LastName") or _cleaned(user, redact, "Name")
    # The documented sample has null for EmailAddress, and the e-mail address as PassPhrase.
    mails = (_cleaned(user, redact, key) for key in ("EmailAddress", "PassPhrase"))
    return KeysUser(name=name, mail=next((mail for mail in mails if mail and "@" in mail), None))


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


def _cleaned(user: Mapping[str, Any], redact: Callable[[str], str], *keys: str) -> str | None:
    parts = [str(part) for key in keys if isinstance(part := user.get(key), (str, int)) and part]
    if redact("".join(parts)) != "".join(parts):
        return "***"  # a key may be parted among the fields of a name
    return presentable(" ".join(parts), redact, MOST_NAME) or None


def _text(value: object) -> str | None:
    return None if value is None else scrubbed(str(value), MOST_NAME) or None
