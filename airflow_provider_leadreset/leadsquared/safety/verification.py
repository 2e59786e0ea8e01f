"""Whether LeadSquared still gives what was to be deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool, first_cause, is_fatal
from airflow_provider_leadreset.leadsquared.errors import (
    ClosedError,
    LeadRejectedError,
    LeadSquaredError,
    UnknownLeadsError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.leads_by_id import LEAD_PAGE, known_leads
from airflow_provider_leadreset.leadsquared.records.records import (
    ACTIVITY_ID,
    AUDIT_CODES,
    NOTE_ID,
    PLAN_KINDS,
    TASK_ID,
    UNKNOWN_TYPE,
    activity_exists,
    read_activities,
    read_lead,
    read_notes,
    read_tasks,
)
from airflow_provider_leadreset.leadsquared.records.rows import event_code, id_of, reading
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.records.deciding_dates import DecidingDates
    from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 20
"""How many leads with something left, or unknown, are named."""

MOST_ASKED_SINGLY = 20
"""How many activities of unknown leads are asked for one by one, to say whether they are still there."""

MOST_ASKED_OF_A_LEAD = 5
"""How many of a lead's activities are asked for one by one, once its list gives none of them any more: a call each."""

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
    :param records_of_unknown: their planned records, of which nothing can be said.
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
    records_of_unknown: int = 0
    tasks_of_unknown_type: int = 0
    shows_audits: bool = False

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> Verification:
        """Return what :meth:`as_json` of an earlier poke gave; a new one for None."""
        stored = stored or {}
        return cls(
            IndexSet(stored.get("done", ())),
            unknown=list(stored.get("unknown", ())),
            records_of_unknown=int(stored.get("records_of_unknown", 0)),
            tasks_of_unknown_type=int(stored.get("tasks_of_unknown_type", 0)),
            shows_audits=bool(stored.get("shows_audits")),
        )

    def as_json(self) -> dict[str, Any]:
        """Return what the next poke must know, which may be in another process."""
        return {
            "done": self.done.spans(),
            "unknown": self.unknown,
            "records_of_unknown": self.records_of_unknown,
            "tasks_of_unknown_type": self.tasks_of_unknown_type,
            "shows_audits": self.shows_audits,
        }

    def forget(self) -> None:
        """Forget what was found at the last poke, but for what is done."""
        self.left, self.records_left, self.not_done, self.unread, self.why_unread = {}, 0, 0, 0, ""

    def add(self, index: int, lead: str, remaining: Remaining) -> None:
        """Record what a lead still shows."""
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
            f"{lead}: {describe_counts({kind: len(ids) for kind, ids in kinds.items()})}"
            for lead, kinds in self.left.items()
        ]
        text = f"{pluralize(self.records_left, 'record')} {'is' if self.records_left == 1 else 'are'} left"
        if leads:
            text += f" ({'; '.join(leads)}{'; …' if len(leads) == MOST_LISTED else ''})"
        if not self.unread:
            return text
        unread = f"{pluralize(self.unread, 'lead')} could not be read: {self.why_unread}"
        return f"{text}; {unread}" if self.records_left else f"what is left is not known: {unread}"


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
    :raises LeadSquaredError: one that ends a batch, or that a lead is refused with permanently. Any other only leaves a
        lead for the next poke.
    """
    verification.forget()
    stop_reason: BaseException | None = None
    for chunk in _chunks(item for item in leads if item[0] not in verification.done):
        known = known_leads(pool.client, [lead for _, lead, _ in chunk])
        unknown = [item for item in chunk if item[1].lower() not in known]
        if unknown and not accepts_unknown_leads:
            raise UnknownLeadsError(_about_unknown(pool.client, unknown, len(chunk)))
        for index, lead, planned in unknown:
            verification.done.add(index)
            verification.unknown.append(lead)
            verification.records_of_unknown += Remaining(planned or {}).count
        of_known = (item for item in chunk if item[1].lower() in known)
        for (index, lead, _), future in pool.map_unordered(of_known, lambda item: read(item[1], item[2])):
            try:
                verification.add(index, lead, future.result())
            except LeadSquaredError as error:
                # What is refused permanently would be refused at each poke.
                if is_fatal(error) or isinstance(error, (ClosedError, LeadRejectedError)):
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
    """Describe which leads are unknown, and what of their planned activities can still be read one by one."""
    named = ", ".join(lead for _, lead, _ in unknown[:MOST_LISTED])
    text = (
        f"{len(unknown)} of {pluralize(asked, 'lead')} cannot be verified, being unknown to the account at "
        f"{client.host}: {named}{', …' if len(unknown) > MOST_LISTED else ''}. Deleted, or merged into another "
        "together with the records"
    )
    if len(unknown) == asked:
        text += "; or the connection leads to another account"
    planned = [key for _, _, ids in unknown for key in (ids or {}).get("activities", ())]
    if planned:
        asked_singly = planned[:MOST_ASKED_SINGLY]
        found = [activity_exists(client, key.partition("/")[2]) for key in asked_singly]
        text += (
            f". Of {pluralize(len(found), 'planned activity', 'planned activities')} looked up by their ids "
            f"{found.count(True)} can still be read, {found.count(False)} cannot, and {found.count(None)} tell nothing"
        )
    return f"{text}. With accept_unknown_leads=True such leads count as done"


def planned_remaining(client: LeadSquaredClient, lead: str, planned: RemainingIds | None) -> Remaining:
    """Return those of a lead's planned records that are still given. Reads only the kinds that it had.

    Once no list gives any, the first few activities are asked for by their ids: a list can leave out what is there.

    :raises LeadSquaredError: they cannot be read whole; the error names the lead and the kind.
    """
    planned = planned or {}
    here: dict[str, set[str]] = {kind: set() for kind in PLAN_KINDS}
    names = {code: audit for audit, code in AUDIT_CODES.items()}
    # Of the plan itself: a key is the event code or the audit, and the id.
    activities = {int(key.partition("/")[0]) for key in planned.get("activities", ())}
    codes = activities | {AUDIT_CODES[key.partition("/")[0]] for key in planned.get("audits", ())}
    shows_audits = False
    if codes:
        with reading("activities", lead):
            for row in read_activities(client, lead, codes):
                code, record_id = event_code(row), id_of(row, *ACTIVITY_ID)
                # An account's own activities may have such a code; the plan says as what it is meant.
                here["activities"].add(f"{code}/{record_id}")
                if code in names:
                    shows_audits = True
                    here["audits"].add(f"{names[code]}/{record_id}")
    if planned.get("tasks") or planned.get(UNKNOWN_TYPE):
        with reading("tasks", lead):
            rows, are_all = read_tasks(client, lead)
            if not are_all:
                raise UnreadableError(
                    f"{len(rows)} are given, and paging has no effect: whether there are more cannot be told"
                )
            here["tasks"] = here[UNKNOWN_TYPE] = {id_of(row, *TASK_ID) for row in rows}
    if planned.get("notes"):
        with reading("notes", lead):
            here["notes"] = {id_of(row, *NOTE_ID) for row in read_notes(client, lead)}
    left = {kind: [key for key in keys if key in here[kind]] for kind, keys in planned.items()}
    if not any(left.values()) and planned.get("activities"):
        with reading("activities", lead):
            left["activities"] = _given_singly(client, lead, planned["activities"][:MOST_ASKED_OF_A_LEAD])
    return Remaining(left, shows_audits)


def _given_singly(client: LeadSquaredClient, lead: str, keys: list[str]) -> list[str]:
    """Return those of some activities that are given one by one, though the lead's list has none of them.

    A single answer does not tell the event code (documented). So an id under which the lead still shows an activity of
    another code is that one's: a mirror row has its activity's id (seen), and may outlive it.
    """
    ids = {key: key.partition("/")[2] for key in keys}
    given = [key for key, activity_id in ids.items() if activity_exists(client, activity_id)]
    if not given:
        return []
    listed = {id_of(row, *ACTIVITY_ID) for row in read_activities(client, lead, None)}
    return [key for key in given if ids[key] not in listed]


def window_remaining(
    client: LeadSquaredClient,
    selectors: Selectors,
    window: Window,
    types: TaskTypes,
    dates: DecidingDates,
    lead: str,
    _: RemainingIds | None,
) -> Remaining:
    """Return a lead's records of the kinds asked for in the window.

    :param dates: which date of a record must lie in it.
    :raises LeadSquaredError: they cannot be read whole; the error names the lead and the kind.
    """
    left: RemainingIds = {kind: [] for kind in PLAN_KINDS}
    found = read_lead(client, lead, selectors, window, types, dates)
    for record in found.records:
        left[record.plan_kind].append(record.key)
    return Remaining(left, found.shows_audits)
