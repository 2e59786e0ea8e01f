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

    It keeps no hook: a hook that nobody uses any more, and its share of the limit, is to be gone at once.
    """

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def reads(self, hook: object, host: str, data: Iterable[str]) -> None:
        """Tell of data that was read: the inputs.

        :param hook: which hook; the lineage names it as its context.
        :param host: the account's API host.
        :param data: names of the data.
        """
        self._tell(hook, "input", host, data)

    def deletes(self, hook: object, host: str, data: Iterable[str]) -> None:
        """Tell of data that was deleted from: the outputs; see :meth:`reads`."""
        self._tell(hook, "output", host, data)

    def _tell(self, hook: Any, direction: str, host: str, data: Iterable[str]) -> None:
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
                add(context=hook, uri=uri)
            except Exception as error:  # a reader's, or a plugin's: the call itself went well
                hook.log.debug("No lineage of %s: %s", uri, type(error).__name__)


def data_of(selectors: Selectors) -> list[str]:
    """Return the names of the data that a reset with these selectors is about."""
    return [_DATA[argument] for argument in selectors.arguments()]
