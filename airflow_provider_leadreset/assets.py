"""The asset scheme ``leadsquared``, and what the consumers of a reset's outlets are told.

Airflow imports this module wherever a DAG file names an asset, so it loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import Asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

    from openlineage.client.event_v2 import Dataset

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

    :param outlets: the task's; those that are no assets (aliases) are passed over.
    :param events: the context's ``outlet_events``.
    :param summary: what the task returns.
    """
    for outlet in outlets:
        if isinstance(outlet, Asset):
            events[outlet].extra.update({name: summary[name] for name in _TOLD})
