"""Which type a task is of: the call that gives a lead's tasks does not tell."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import UnreadableError
from airflow_provider_leadreset.leadsquared.records.catalog import task_types
from airflow_provider_leadreset.leadsquared.records.pages import PagedRead, Paging
from airflow_provider_leadreset.leadsquared.records.records import TASK_ID, TASK_PAGE
from airflow_provider_leadreset.leadsquared.records.rows import LEAD_ID, field_of, id_of
from airflow_provider_leadreset.leadsquared.request.window import EARLIEST

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

OPEN, DONE = 0, 1
"""The two status codes by which an owner's tasks are asked for (documented)."""


@dataclass(frozen=True, slots=True)
class _OwnersTask:
    """What an owner's list tells of a task: its type, its lead, and all its fields, if they are kept."""

    type: str
    lead: str
    more: dict[str, object]


class TaskTypes:
    """Which type a task has. Shared by threads.

    The call that gives a lead's tasks does not tell their types (documented). So the tasks of an owner are asked
    for by type (``Task.svc/Retrieve``, documented), the types that matter first, until the task is found. Its
    dates are given as wide as they go, since what they compare with is not documented.

    :param wanted: GUIDs of the types that matter.
    :param names: all the account's types, GUID to name.
    :param keeps_fields: whether to keep what an owner's list says of a task beside its type, for an archive.
    """

    def __init__(
        self,
        client: LeadSquaredClient,
        wanted: Iterable[str],
        names: dict[str, str],
        *,
        keeps_fields: bool = False,
    ) -> None:
        self._client = client
        self.names = names
        self.wanted = list(dict.fromkeys(kind.lower() for kind in wanted))
        self._keeps_fields = keeps_fields
        self._order = list(dict.fromkeys([*self.wanted, *(kind.lower() for kind in names)]))
        self._found: dict[str, dict[str, _OwnersTask]] = {}
        self._types_read: dict[str, int] = {}
        self._lock = threading.Lock()

    def matches(self, task: dict[str, object]) -> tuple[bool, str]:
        """Return whether a task may be of a wanted type, and which type it has, empty where none is found.

        A task whose type cannot be found out counts as matching: a preview must not show less than goes.

        :param task: a row of the lead's tasks.
        """
        found = self._of(task)
        kind = found.type if found else ""
        return kind in self.wanted or not kind, kind

    def complete(self, task: dict[str, object]) -> dict[str, object]:
        """Return a row of the lead's tasks with what its owner's list says beside it."""
        found = self._of(task)
        return {**(found.more if found else {}), **task}

    def refuse_missing(self, lead: str, tasks: list[dict[str, object]]) -> None:
        """Refuse a lead's tasks where an owner's list has one more of that lead: an independent source.

        :raises UnreadableError: it has, or it does not tell whose its tasks are.
        """
        given = {id_of(task, *TASK_ID) for task in tasks}
        found = [self._of(task) for task in tasks]
        if not any(task and task.lead for task in found):
            raise UnreadableError(
                f"{len(tasks)} were given, paging has no effect, and no other source tells whether they are all"
            )
        with self._lock:
            missing = [
                task_id
                for tasks_of_owner in self._found.values()
                for task_id, task in tasks_of_owner.items()
                if task.lead == lead.lower() and task_id not in given
            ]
        if missing:
            raise UnreadableError(
                f"{len(missing)} more are known from their owners' lists, such as {missing[0]}"
            )

    def _of(self, task: dict[str, object]) -> _OwnersTask | None:
        owner, task_id = str(field_of(task, "OwnerID") or "").lower(), id_of(task, *TASK_ID)
        if not owner:
            return None
        with self._lock:
            found = self._found.setdefault(owner, {})
            for kind in self._order[self._types_read.get(owner, 0) :]:
                if task_id in found:
                    break
                for status in (OPEN, DONE):
                    for row in self._of_owner(owner, kind, status):
                        lead = str(field_of(row, *LEAD_ID, "RelatedEntityId") or "").lower()
                        more = row if self._keeps_fields else {}
                        found[id_of(row, *TASK_ID)] = _OwnersTask(kind, lead, more)
                self._types_read[owner] = self._types_read.get(owner, 0) + 1
            return found.get(task_id)

    def _of_owner(self, owner: str, kind: str, status: int) -> list[dict[str, object]]:
        def fetch(paging: Paging) -> object:
            return self._client.call(
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
                    "Paging": paging,
                },
            )

        read = PagedRead(
            self._client,
            "Task.svc/Retrieve",
            fetch,
            names=("List",),
            key=lambda row: id_of(row, *TASK_ID),
            size=TASK_PAGE,
        )
        return read.rows()


def task_types_of(
    client: LeadSquaredClient, selectors: Selectors, *, keeps_fields: bool = False
) -> TaskTypes:
    """Return the types that matter to ``selectors``. One call, if any does.

    :raises LeadSquaredError: the account's types cannot be read: without them a task's type would not be found.
    """
    names = task_types(client) if selectors.task_type_list else {}
    return TaskTypes(client, selectors.task_type_list, names, keeps_fields=keeps_fields)
