"""Which type a task is of: the call that gives a lead's tasks does not tell."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.records.catalog import task_types
from airflow_provider_leadreset.leadsquared.records.pages import count_of, paged, rows_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import EARLIEST

TASK_PAGE = 1000
"""Tasks of an owner asked for at once."""


class TaskTypes:
    """Which type a task has. Shared by threads.

    The call that gives a lead's tasks does not tell their types (documented). So the tasks of an owner are asked
    for by type (``Task.svc/Retrieve``, documented), the types that matter first, until the task is found. Its
    dates are given as wide as they go, since what they compare with is not documented.

    :param wanted: GUIDs of the types that matter.
    :param names: all the account's types, GUID to name.
    """

    def __init__(self, client: LeadSquaredClient, wanted: Iterable[str], names: dict[str, str]) -> None:
        self._client = client
        self.names = names
        self.wanted = list(dict.fromkeys(kind.lower() for kind in wanted))
        self._order = list(dict.fromkeys([*self.wanted, *(kind.lower() for kind in names)]))
        self._found: dict[str, dict[str, str]] = {}
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def matches(self, task: dict[str, Any]) -> tuple[bool, str]:
        """Return whether a task may be of a wanted type, and which type it has, empty where none is found.

        A task whose type cannot be found out counts as matching: a preview must not show less than goes.
        """
        owner, task_id = str(task.get("OwnerID") or "").lower(), str(task.get("TaskID")).lower()
        if not owner:
            return True, ""
        with self._lock:
            found = self._found.setdefault(owner, {})
            for kind in self._order[self._asked.get(owner, 0) :]:
                if task_id in found:
                    break
                for status in (0, 1):
                    for row in self._of_owner(owner, kind, status):
                        found[str(row.get("TaskID")).lower()] = kind
                self._asked[owner] = self._asked.get(owner, 0) + 1
            kind = found.get(task_id, "")
        return kind in self.wanted or not kind, kind

    def _of_owner(self, owner: str, kind: str, status: int) -> Iterator[dict[str, Any]]:
        def page(number: int) -> tuple[list[dict[str, Any]], int | None]:
            answer = self._client.call(
                "POST",
                "Task.svc/Retrieve",
                body={
                    "Parameter": {
                        "LookupName": "OwnerId",
                        "LookupValue": owner,
                        "FromDate": EARLIEST.strftime("%Y-%m-%d %H:%M:%S"),
                        "ToDate": "2099-12-31 23:59:59",
                        "StatusCode": status,
                        "TypeName": kind,
                    },
                    "Paging": {"Offset": (number - 1) * TASK_PAGE, "RowCount": TASK_PAGE},
                },
            )
            return rows_of(answer, "List"), count_of(answer)

        return paged(page, TASK_PAGE, "TaskID")


def task_types_of(client: LeadSquaredClient, selectors: Selectors) -> TaskTypes:
    """Return the types that matter to ``selectors``. One call, if any does."""
    names = task_types(client) if selectors.task_type_list else {}
    return TaskTypes(client, selectors.task_type_list, names)
