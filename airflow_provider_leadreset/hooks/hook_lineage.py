"""What Airflow's hook lineage is told of a hook's calls: which data of which account was read, or deleted from.

Without a reader of lineage, such as OpenLineage's provider, Airflow's collector takes no notice. Operators tell
OpenLineage themselves, which then passes hook lineage over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import get_hook_lineage_collector

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

SCHEME = "leadsquared"

_DATA = {
    "activity_event_list": "activities",
    "task_type_list": "tasks",
    "should_delete_prospect_notes": "notes",
    "audit_activity_list": "audits",
}


class HookLineage:
    """Tells each kind of data once, however many calls a hook makes.

    :param hook: the hook, which the lineage names as its context.
    """

    def __init__(self, hook: Any) -> None:
        self._hook = hook
        self._told: set[tuple[str, str]] = set()

    def reads(self, host: str, data: Iterable[str]) -> None:
        """Tell of data that was read: the inputs."""
        self._tell("input", host, data)

    def deletes(self, host: str, data: Iterable[str]) -> None:
        """Tell of data that was deleted from: the outputs."""
        self._tell("output", host, data)

    def _tell(self, direction: str, host: str, data: Iterable[str]) -> None:
        for name in data:
            uri = f"{SCHEME}://{host}/{name}"
            if (direction, uri) in self._told:
                continue
            self._told.add((direction, uri))
            try:
                collector = get_hook_lineage_collector()
                # Airflow 2.11 calls assets datasets.
                add = getattr(collector, f"add_{direction}_asset", None) or getattr(
                    collector, f"add_{direction}_dataset"
                )
                add(context=self._hook, uri=uri)
            except Exception as error:  # a reader's, or a plugin's: the call itself went well
                self._hook.log.debug("No lineage of %s: %s", uri, type(error).__name__)


def data_of(selectors: Selectors) -> list[str]:
    """Return the names of the data that a reset with these selectors is about."""
    return [_DATA[argument] for argument in selectors.arguments()]
