"""The asset scheme ``leadsquared``, and what the consumers of a reset's outlets are told.

Airflow imports this module wherever a DAG file names an asset, so it loads nothing heavy.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import Asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

    from openlineage.client.event_v2 import Dataset

log = logging.getLogger(__name__)

SCHEME = "leadsquared"

_TOLD = (
    "account",
    "window",
    "selectors",
    "leads",
    "queued",
    "failed",
    "unknown",
    "unanswered",
    "nothing_to_reset",
    "excluded",
    "not_reached",
    "failed_by_reason",
    "evidence_digest",
)
"""What of a reset's summary goes with its asset events: all that names no lead."""


def create_asset(*, account: str, name: str = "leads", extra: dict[str, Any] | None = None) -> Asset:
    """Make the asset ``leadsquared://account/name``; Airflow's hook lineage asks for this.

    :param account: the account's API host, or another name by which you know it.
    :param name: which of its data: ``leads``, ``activities``, ``tasks``, ``notes``, ``audits``, or your own.
    """
    return Asset(uri=f"{SCHEME}://{account}/{name}", extra=extra)


def normalized(uri: SplitResult) -> SplitResult:
    """Check a URI of the scheme, as Airflow asks of a scheme's owner. Which data it names is left to its user.

    :raises ValueError: it names no account, no data, or a user. The error does not quote it.
    """
    if "@" in uri.netloc:
        raise ValueError(f"a {SCHEME}:// asset must not name a user: keys belong in the connection")
    if not uri.netloc or not uri.path.strip("/"):
        raise ValueError(
            f"a {SCHEME}:// asset names an account and data of it, such as {SCHEME}://api-in21.leadsquared.com/leads"
        )
    return uri


def to_openlineage(asset: Asset, lineage_context: object) -> Dataset:
    """Return the OpenLineage dataset of an asset: namespace ``leadsquared://account``, the path as its name."""
    from urllib.parse import urlsplit

    from openlineage.client.event_v2 import Dataset

    del lineage_context
    uri = urlsplit(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{uri.netloc}", name=uri.path.strip("/"))


def tell_consumers(outlets: Iterable[Any], events: Any, summary: Mapping[str, Any]) -> None:
    """Let the events of a reset's outlets carry what was reset.

    An alias gets an event of the asset ``leadsquared://<API host>/leads``, with the selectors as JSON text; without one
    added, it has none at all. What
    Airflow cannot find is warned of: the reset itself went well.

    :param outlets: the task's: assets, references to them by URI or name, aliases; others are passed over.
    :param events: the context's ``outlet_events``.
    :param summary: what the task returns.
    """
    from airflow_provider_leadreset.compat import AssetAlias

    told = {name: summary[name] for name in _TOLD}
    for outlet in outlets:
        try:
            if isinstance(outlet, AssetAlias):
                # Airflow puts the extras of aliases into a set (seen in 2.11): no dict may be in them.
                flat = {
                    name: json.dumps(value) if isinstance(value, dict | list) else value
                    for name, value in told.items()
                }
                events[outlet].add(create_asset(account=summary["account"]), extra=flat)
            elif isinstance(outlet, _kinds_of_assets()):
                events[outlet].extra.update(told)
        except Exception as error:  # Airflow's own, where it knows no such asset
            log.warning("The event of the outlet %r says nothing of the reset: %s", outlet, error)


def _kinds_of_assets() -> tuple[type, ...]:
    try:
        from airflow_provider_leadreset.compat import AssetRef
    except ImportError:  # Airflow 2.11 has no references
        return (Asset,)
    return Asset, AssetRef
