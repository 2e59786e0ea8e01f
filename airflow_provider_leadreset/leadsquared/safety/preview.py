"""Counting what a reset would delete, per lead and in all."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.records.deciding_dates import INFERRED, DecidingDates
from airflow_provider_leadreset.leadsquared.records.last_modified import LastModified, read_last_modified
from airflow_provider_leadreset.leadsquared.records.leads_by_id import LEAD_PAGE, known_leads
from airflow_provider_leadreset.leadsquared.records.records import (
    KINDS,
    PLAN_KINDS,
    LeadRecords,
    Record,
    read_lead,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes, task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
    from airflow_provider_leadreset.leadsquared.request.window import Window

MOST_LISTED = 1000
"""How many leads a preview's log shows one by one: a short line each, some 100 KB."""


@dataclass
class KindCount:
    """How many records, and from when to when (aware datetimes, UTC; None where there are none)."""

    count: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, count: int, oldest: datetime | None, newest: datetime | None) -> None:
        """Add records."""
        self.count += count
        self.oldest = min(filter(None, (self.oldest, oldest)), default=None)
        self.newest = max(filter(None, (self.newest, newest)), default=None)


CountsByType = dict[tuple[str, str], KindCount]
"""Per kind and type (event code, GUID of a task type, audit, or empty); what was not asked for has none."""


def _no_records() -> dict[str, KindCount]:
    return {kind: KindCount() for kind in KINDS}


def _no_types() -> CountsByType:
    return defaultdict(KindCount)


@dataclass
class LeadRecordCounts:
    """What a reset of one lead would delete, as far as it can be read.

    :param by_type: records per kind and type.
    :param ids: what tells each record, per kind: an id, of activities and audits after their type. Tasks whose type
        could not be found out stand under a name of their own.
    :param shows_audits: whether the lead shows any audit, of any time.
    """

    prospect_id: str
    kinds: dict[str, KindCount] = field(default_factory=_no_records)
    by_type: CountsByType = field(default_factory=_no_types)
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in PLAN_KINDS})
    shows_audits: bool = False
    last_modified: str | None = None
    """The lead's LeadLastModifiedOn before it was read, as it was given; where it was asked for, and is old enough."""

    def add(self, record: Record) -> None:
        """Count a record."""
        self.kinds[record.kind].add(1, record.moment, record.moment)
        self.by_type[record.kind, record.type].add(1, record.moment, record.moment)
        self.ids[record.plan_kind].append(record.key)

    @property
    def count(self) -> int:
        """Records of all kinds."""
        return sum(kind_count.count for kind_count in self.kinds.values())

    @property
    def types(self) -> Counter[tuple[str, str]]:
        """How many records per kind and type."""
        return Counter({key: found.count for key, found in self.by_type.items()})


@dataclass
class RecordCounts:
    """What the resets of many leads would delete.

    :param leads: leads asked for.
    :param unknown: ids of leads that the account does not have.
    :param task_names: the account's task types, GUID to name, where tasks were asked for.
    :param listed: the counts, without ids and types, of the leads with most records; at most :data:`MOST_LISTED`.
    :param asks_for_audits: whether audits are to go.
    :param shows_audits: whether any lead shows any audit, of any time. Where none does, the account may not show
        them, so that 0 proves nothing.
    :param dates: by which dates records were counted.
    :param not_modified: leads that were not read, since they were not modified since the window began.
    """

    leads: int = 0
    unknown: list[str] = field(default_factory=list)
    kinds: dict[str, KindCount] = field(default_factory=_no_records)
    by_type: CountsByType = field(default_factory=_no_types)
    with_records: int = 0
    task_names: dict[str, str] = field(default_factory=dict)
    listed: list[LeadRecordCounts] = field(default_factory=list)
    asks_for_audits: bool = False
    shows_audits: bool = False
    dates: DecidingDates = INFERRED
    not_modified: int = 0
    counted: int = 0
    """Leads that were added."""

    def add(self, lead: LeadRecordCounts) -> None:
        """Add one lead."""
        self.counted += 1
        for kind, kind_count in lead.kinds.items():
            self.kinds[kind].add(kind_count.count, kind_count.oldest, kind_count.newest)
        for key, found in lead.by_type.items():
            self.by_type[key].add(found.count, found.oldest, found.newest)
        self.shows_audits |= lead.shows_audits
        if lead.count:
            self.with_records += 1
            if len(self.listed) < MOST_LISTED or lead.count > self.listed[-1].count:
                insort(
                    self.listed, LeadRecordCounts(lead.prospect_id, lead.kinds), key=lambda one: -one.count
                )
                del self.listed[MOST_LISTED:]

    @property
    def count(self) -> int:
        """Records of all kinds."""
        return sum(kind_count.count for kind_count in self.kinds.values())

    @property
    def done(self) -> int:
        """Leads of which is known what there is to count."""
        return self.counted + len(self.unknown)

    @property
    def audits_cannot_be_counted(self) -> bool:
        """Whether audits were asked for and not one lead shows any."""
        return self.asks_for_audits and not self.shows_audits

    def totals(self) -> dict[str, object]:
        """Return the counts per kind; None for audits that cannot be counted."""
        totals: dict[str, object] = {kind: kind_count.count for kind, kind_count in self.kinds.items()}
        return {**totals, "audits": None} if self.audits_cannot_be_counted else totals


def count_lead_records(
    client: LeadSquaredClient, reset: LeadReset, types: TaskTypes, dates: DecidingDates = INFERRED
) -> LeadRecordCounts:
    """Count what one reset would delete. Deletes nothing.

    :param dates: which date of a record must lie in the window.
    :raises LeadSquaredError: something could not be read.
    """
    lead = reset.prospect_id
    return _counted(lead, read_lead(client, lead, reset.selectors, reset.window, types, dates))


def _counted(prospect_id: str, found: LeadRecords) -> LeadRecordCounts:
    counts = LeadRecordCounts(prospect_id, shows_audits=found.shows_audits)
    for record in found.records:
        counts.add(record)
    return counts


def count_each(
    pool: WorkerPool,
    leads: Iterable[str],
    selectors: Selectors,
    window: Window,
    counts: RecordCounts,
    *,
    dates: DecidingDates = INFERRED,
    settled_before: Callable[[], datetime] | None = None,
) -> Iterator[LeadRecordCounts]:
    """Count what resets of ``leads`` would delete; yield each lead that the account has. Deletes nothing.

    Takes a call for each 1,000 leads, and for each lead one for activities and audits together, one for tasks, one for
    notes, as far as they are asked for (more where a lead has more than 24 of a kind); for tasks, two for each
    owner and type until the types are known, and one for the types. The API allows no fewer.

    :param counts: empty counts, which are added to; whole once the last lead was yielded.
    :param dates: which date of a record must lie in the window.
    :param settled_before: asked before leads are read, says before which moment what was done to a lead shows in its
        records for certain; then each lead is given with the LeadLastModifiedOn that it had before, if it is older. By
        default none is asked for.
    :raises LeadSquaredError: something could not be read: the counts are whole or none.
    """
    types = task_types_of(pool.client, selectors)
    counts.task_names = types.names
    counts.asks_for_audits = bool(selectors.audit_activity_list)

    counts.dates = dates

    def count(lead: str) -> LeadRecordCounts:
        return count_lead_records(pool.client, LeadReset(lead, selectors, window), types, dates)

    for chunk in _chunks(leads):
        counts.leads += len(chunk)
        modified: dict[str, LastModified | None] = {}
        settled: datetime | None = None
        if settled_before is None:
            known = known_leads(pool.client, chunk)
        else:
            settled = settled_before()
            modified = read_last_modified(pool.client, chunk)
            known = set(modified)
        counts.unknown.extend(lead for lead in chunk if lead.lower() not in known)
        for _, future in pool.map_unordered((lead for lead in chunk if lead.lower() in known), count):
            counted = future.result()
            value = modified.get(counted.prospect_id.lower())
            if value and settled and value.moment < settled:
                counted.last_modified = value.text
            counts.add(counted)
            yield counted


def _chunks(leads: Iterable[str]) -> Iterator[list[str]]:
    source = iter(leads)
    while chunk := list(islice(source, LEAD_PAGE)):
        yield chunk
