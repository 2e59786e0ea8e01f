"""Whether LeadSquared still gives what was to be deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, first_cause, is_fatal
from airflow_provider_leadreset.leadsquared.errors import ClosedError, LeadSquaredError, UnknownLeadsError
from airflow_provider_leadreset.leadsquared.records.records import (
    ACTIVITY_ID,
    AUDIT_CODES,
    LEAD_PAGE,
    NOTE_ID,
    PLAN_KINDS,
    TASK_ID,
    UNKNOWN_TYPE,
    activity_exists,
    known_leads,
    read_activities,
    read_lead,
    read_notes,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.rows import event_code, id_of, reading
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 20
"""How many leads with something left, or unknown, are named."""

MOST_ASKED_SINGLY = 20
"""How many activities of unknown leads are asked for one by one, to say whether they are still there."""

RemainingIds = dict[str, list[str]]
"""What tells records, per kind."""

LeadToVerify = tuple[int, str, RemainingIds | None]
"""A lead's place, its id, and its records as a plan lists them, if there is a plan."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a lead still shows of what was to go.

    :param shows_audits: whether it shows any audit, of any time.
    """

    ids: RemainingIds
    shows_audits: bool = False

    @property
    def count(self) -> int:
        """Records that are left for certain: a task whose type is not known may have had to stay."""
        return sum(len(ids) for kind, ids in self.ids.items() if kind != UNKNOWN_TYPE)


@dataclass
class Verification:
    """What is known so far: which leads, by their place, are done.

    :param left: of the leads read last that are not done, the first few with their records.
    :param not_done: how many leads were read this time and are not done.
    :param unread: how many leads could not be read this time.
    :param unknown: leads that the account does not have, where that is accepted; they count as done.
    :param tasks_of_unknown_type: tasks still there whose type nothing tells.
    :param shows_audits: whether any lead has shown any audit.
    """

    done: IndexSet = field(default_factory=IndexSet)
    not_done: int = 0
    records_left: int = 0
    left: dict[str, RemainingIds] = field(default_factory=dict)
    unread: int = 0
    why_unread: str = ""
    unknown: list[str] = field(default_factory=list)
    tasks_of_unknown_type: int = 0
    shows_audits: bool = False

    def forget(self) -> None:
        """Forget what was found at the last poke, but for what is done."""
        self.left, self.records_left, self.not_done, self.unread, self.why_unread = {}, 0, 0, 0, ""

    def add(self, index: int, lead: str, remaining: Remaining) -> None:
        """Note what a lead still shows."""
        self.shows_audits |= remaining.shows_audits
        if not remaining.count:
            self.done.add(index)
            self.tasks_of_unknown_type += len(remaining.ids.get(UNKNOWN_TYPE, ()))
            return
        self.not_done += 1
        self.records_left += remaining.count
        if len(self.left) < MOST_LISTED:
            self.left[lead] = remaining.ids

    def describe_remaining(self) -> str:
        """Name it, for a log or an error."""
        leads = [
            f"{lead}: " + ", ".join(f"{len(ids)} {kind}" for kind, ids in kinds.items() if ids)
            for lead, kinds in self.left.items()
        ]
        text = f"{pluralize(self.records_left, 'record')} {'is' if self.records_left == 1 else 'are'} left"
        if leads:
            text += f" ({'; '.join(leads)}{'; …' if len(leads) == MOST_LISTED else ''})"
        return text + (f"; {self.unread} leads could not be read: {self.why_unread}" if self.unread else "")


def verify(
    pool: WorkerPool,
    leads: Iterable[LeadToVerify],
    verification: Verification,
    read: Callable[[str, RemainingIds | None], Remaining],
    *,
    accepts_unknown_leads: bool = False,
) -> None:
    """Read the leads that are not done yet, each once, and note what is left.

    Of an unknown lead nothing can be read, which proves nothing: it may have been merged into another, with all its
    records, or the connection leads to another account.

    :param read: gives what is left of a lead.
    :param accepts_unknown_leads: whether a lead that the account does not have counts as done.
    :raises UnknownLeadsError: the account does not have some of them, and that is not accepted.
    :raises LeadSquaredError: one that ends a batch. Any other only leaves a lead for the next poke.
    """
    verification.forget()
    stop_reason: BaseException | None = None
    for chunk in _chunks(item for item in leads if item[0] not in verification.done):
        known = known_leads(pool.client, [lead for _, lead, _ in chunk])
        unknown = [item for item in chunk if item[1].lower() not in known]
        if unknown and not accepts_unknown_leads:
            raise UnknownLeadsError(_about_unknown(pool.client, unknown, len(chunk)))
        for index, lead, _ in unknown:
            verification.done.add(index)
            verification.unknown.append(lead)
        of_known = (item for item in chunk if item[1].lower() in known)
        for (index, lead, _), future in pool.map_unordered(of_known, lambda item: read(item[1], item[2])):
            try:
                verification.add(index, lead, future.result())
            except LeadSquaredError as error:
                if is_fatal(error) or isinstance(error, ClosedError):
                    # What else is under way may still tell of other leads.
                    stop_reason = first_cause(stop_reason, error)
                    pool.stop()
                    continue
                verification.unread += 1
                verification.why_unread = verification.why_unread or str(error)
        if stop_reason:
            raise stop_reason


def _chunks(items: Iterable[LeadToVerify]) -> Iterator[list[LeadToVerify]]:
    source = iter(items)
    while chunk := list(islice(source, LEAD_PAGE)):
        yield chunk


def _about_unknown(client: LeadSquaredClient, unknown: list[LeadToVerify], asked: int) -> str:
    """Say which leads are unknown, and what of their planned activities can still be read one by one."""
    named = ", ".join(lead for _, lead, _ in unknown[:MOST_LISTED])
    text = (
        f"{len(unknown)} of {pluralize(asked, 'lead')} are unknown to the account at {client.host}, so that nothing of "
        f"them can be verified: {named}{', …' if len(unknown) > MOST_LISTED else ''}. They may have been deleted, "
        "or merged into others together with their records"
    )
    if len(unknown) == asked:
        text += "; or the connection leads to another account"
    planned = [key for _, _, ids in unknown for key in (ids or {}).get("activities", ())]
    if planned:
        asked_singly = planned[:MOST_ASKED_SINGLY]
        there = sum(activity_exists(client, key.partition("/")[2]) for key in asked_singly)
        text += f". Of {len(asked_singly)} of their planned activities {there} can still be read"
    return f"{text}. With accept_unknown_leads=True they count as done"


def planned_remaining(client: LeadSquaredClient, lead: str, planned: RemainingIds | None) -> Remaining:
    """Return those of a lead's planned records that are still given. Reads only the kinds that it had.

    :raises LeadSquaredError: they cannot be read whole; the error names the lead and the kind.
    """
    planned = planned or {}
    here: dict[str, set[str]] = {kind: set() for kind in PLAN_KINDS}
    names = {code: audit for audit, code in AUDIT_CODES.items()}
    # Of the plan itself: a key is the event code or the audit, and the id.
    codes = {int(key.partition("/")[0]) for key in planned.get("activities", ())}
    codes |= {AUDIT_CODES[key.partition("/")[0]] for key in planned.get("audits", ())}
    shows_audits = False
    if codes:
        with reading("activities", lead):
            for row in read_activities(client, lead, codes):
                code = event_code(row)
                kind = "audits" if code in names else "activities"
                shows_audits |= kind == "audits"
                here[kind].add(f"{names.get(code, code)}/{id_of(row, *ACTIVITY_ID)}")
    if planned.get("tasks") or planned.get(UNKNOWN_TYPE):
        with reading("tasks", lead):
            here["tasks"] = here[UNKNOWN_TYPE] = {id_of(row, *TASK_ID) for row in read_tasks(client, lead)}
    if planned.get("notes"):
        with reading("notes", lead):
            here["notes"] = {id_of(row, *NOTE_ID) for row in read_notes(client, lead)}
    left = {kind: [key for key in keys if key in here[kind]] for kind, keys in planned.items()}
    return Remaining(left, shows_audits)


def window_remaining(
    client: LeadSquaredClient,
    selectors: Selectors,
    window: Window,
    types: TaskTypes,
    lead: str,
    _: RemainingIds | None,
) -> Remaining:
    """Return a lead's records of the kinds asked for in the window.

    :raises LeadSquaredError: they cannot be read whole; the error names the lead and the kind.
    """
    left: RemainingIds = {kind: [] for kind in PLAN_KINDS}
    found = read_lead(client, lead, selectors, window, types)
    for record in found.records:
        left[record.plan_kind].append(record.key)
    return Remaining(left, found.shows_audits)
