"""Whether what was to be deleted is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, is_fatal
from airflow_provider_leadreset.leadsquared.errors import ClosedError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.records.records import (
    KINDS,
    read_activities,
    read_notes,
    read_records,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 20
"""How many leads with something left are named."""

RemainingIds = dict[str, list[str]]
"""Ids of records per kind."""


@dataclass
class Verification:
    """What is known so far: which leads, by their place, are done.

    :param left: of the leads read last that are not done, the first few with their records' ids.
    :param not_done: how many leads were read this time and are not done.
    :param unread: how many leads could not be read this time.
    """

    done: IndexSet = field(default_factory=IndexSet)
    not_done: int = 0
    records_left: int = 0
    left: dict[str, RemainingIds] = field(default_factory=dict)
    unread: int = 0
    why_unread: str = ""

    def forget(self) -> None:
        """Forget what was found at the last poke, but for what is done."""
        self.left, self.records_left, self.not_done, self.unread, self.why_unread = {}, 0, 0, 0, ""

    def describe_remaining(self) -> str:
        """Name it, for a log or an error."""
        leads = [
            f"{lead}: " + ", ".join(f"{len(ids)} {kind}" for kind, ids in kinds.items() if ids)
            for lead, kinds in self.left.items()
        ]
        text = f"{self.records_left} records are left"
        if leads:
            text += f" ({'; '.join(leads)}{'; …' if len(leads) == MOST_LISTED else ''})"
        return text + (f"; {self.unread} leads could not be read: {self.why_unread}" if self.unread else "")


def verify(
    pool: WorkerPool,
    leads: Iterable[tuple[int, str, Any]],
    verification: Verification,
    read: Callable[[str, Any], RemainingIds],
) -> None:
    """Read the leads that are not done yet, each once, and note what is left.

    :param leads: place, id, and whatever ``read`` needs.
    :param read: gives what is left of a lead.
    :raises LeadSquaredError: one that ends a batch. Any other only leaves a lead for the next poke.
    """
    verification.forget()

    def done(item: tuple[int, str, Any], future: Future[RemainingIds]) -> None:
        index, lead, _ = item
        try:
            left = future.result()
        except LeadSquaredError as error:
            if is_fatal(error) or isinstance(error, ClosedError):
                raise
            verification.unread += 1
            verification.why_unread = verification.why_unread or str(error)
            return
        count = sum(map(len, left.values()))
        if not count:
            verification.done.add(index)
            return
        verification.not_done += 1
        verification.records_left += count
        if len(verification.left) < MOST_LISTED:
            verification.left[lead] = left

    pool.map_unordered(
        (item for item in leads if item[0] not in verification.done),
        lambda item: read(item[1], item[2]),
        done,
    )


def planned_remaining(
    client: LeadSquaredClient, selectors: Selectors, lead: str, planned: RemainingIds
) -> RemainingIds:
    """Return those of a lead's planned records that are still there. Reads only the kinds that it had."""
    here: dict[str, set[str]] = {kind: set() for kind in KINDS}
    if planned["activities"]:
        rows = read_activities(client, lead, selectors.activity_event_list)
        here["activities"] = {str(row["Id"]).lower() for row in rows}
    if planned["tasks"]:
        here["tasks"] = {str(row["TaskID"]).lower() for row in read_tasks(client, lead)}
    if planned["notes"]:
        here["notes"] = {str(row["ProspectNoteId"]).lower() for row in read_notes(client, lead)}
    return {kind: [id_ for id_ in ids if id_ in here[kind]] for kind, ids in planned.items()}


def window_remaining(
    client: LeadSquaredClient, selectors: Selectors, window: Window, types: TaskTypes, lead: str, _: object
) -> RemainingIds:
    """Return a lead's records of the kinds asked for in the window."""
    left: RemainingIds = {kind: [] for kind in KINDS}
    for record in read_records(client, lead, selectors, window, types):
        left[record.kind].append(record.id)
    return left
