"""Reading leads before they are reset, in parts so small that each lead's reset follows soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import islice
from math import ceil, inf
from typing import Any

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError, OverdueError, UnknownLeadsError
from airflow_provider_leadreset.leadsquared.records.leads_by_id import known_leads
from airflow_provider_leadreset.leadsquared.safety.archive import (
    READ_BEFORE,
    ArchivePart,
    FoundRecords,
    PendingReset,
    PreResetCheck,
)
from airflow_provider_leadreset.leadsquared.text import pluralize
from airflow_provider_leadreset.runtime.batch_record import BatchRecord
from airflow_provider_leadreset.runtime.unchanged_leads import UnchangedLeads

_Read = tuple[PendingReset, Future[FoundRecords]]

MOST_READINGS = 3
"""How often a lead's records are read because its reset came too late after it, before it is given up."""

HEADWAY = 5.0
"""Seconds before the resets of a part must begin at the task's pace, so that none is late, in which it is closed."""


class CheckedParts:
    """The leads of a reset that are read before, and perhaps copied.

    A part is closed when all its leads have been read, or when those that were must be reset now: a read that hangs
    holds up its own lead alone, which goes with a later part.

    :param size: how many leads are read before the first of them is reset.
    :param on_tick: called about each second, and after each lead; may stop the pool.
    :param unchanged: tells which leads need not be read, being as a plan saw them; None where all are read.
    """

    def __init__(
        self,
        check: PreResetCheck,
        record: BatchRecord,
        judge: BatchJudge,
        *,
        size: int,
        log: Any,
        on_tick: Callable[[WorkerPool], None],
        unchanged: UnchangedLeads | None = None,
    ) -> None:
        self._check = check
        self._record = record
        self._judge = judge
        self._size = size
        self._log = log
        self._on_tick = on_tick
        self._unchanged = unchanged
        self._changed: list[PendingReset] = []
        self._overdue: dict[int, PendingReset] = {}
        self._readings: dict[int, int] = {}
        self.read = 0
        """How many leads were read so far, some of them more than once."""

    @property
    def relies_on_plan(self) -> bool:
        """Whether leads that are as a plan saw them are not read."""
        return self._unchanged is not None

    def add_overdue(self, pending: PendingReset) -> None:
        """Add a lead whose reset came too late after its reading: it is read again, up to a few times."""
        self._overdue[pending.index] = pending

    def of(self, pool: WorkerPool, pending: Iterator[PendingReset]) -> Iterator[list[PendingReset]]:
        """Yield leads that were read and may be reset now, a part at a time; no more once the batch must end."""
        reads: Iterator[_Read | None] | None = None
        while True:
            if reads is None:
                unchanged, leads = self._next(pool, pending)
                if not unchanged and not leads:
                    return
                if unchanged:
                    yield unchanged
                    if self._judge.stop_reason:
                        return
                if not leads:
                    continue
                reads = pool.map_with_ticks(leads, self._check.read)
            part, all_read = self._read(pool, reads)
            if all_read:
                reads = None
            yield sorted(part.passed, key=lambda one: one.index)
            if self._judge.stop_reason:
                return
            # Afterwards: it takes a call, for which the others need not wait.
            self._tell_empty(pool, part)

    def _next(
        self, pool: WorkerPool, pending: Iterator[PendingReset]
    ) -> tuple[list[PendingReset], list[PendingReset]]:
        """Return leads that may be reset now, being as a plan saw them, and those that are to be read then."""
        again = self._again()
        if self._unchanged is None:
            return [], [*again, *islice(pending, self._size)]
        unchanged: list[PendingReset] = []
        if not self._changed:
            asked = list(islice(pending, self._unchanged.size))
            unchanged, self._changed = self._unchanged.part(pool, asked)
        leads, self._changed = self._changed[: self._size], self._changed[self._size :]
        return unchanged, [*again, *leads]

    def _again(self) -> list[PendingReset]:
        overdue, self._overdue = self._overdue, {}
        for index in overdue:
            self._readings[index] = self._readings.get(index, 1) + 1
        for index, one in overdue.items():
            if self._readings[index] > MOST_READINGS:
                error = OverdueError(
                    f"not sent: its records were read too long ago, {MOST_READINGS} times over, since a reset is "
                    f"sent within {READ_BEFORE:g} s of their reading: give the task more pool_slots"
                )
                self._record.tell(Outcome(index, one.prospect_id, error))
        return [one for index, one in overdue.items() if self._readings[index] <= MOST_READINGS]

    def _read(self, pool: WorkerPool, reads: Iterator[_Read | None]) -> tuple[ArchivePart, bool]:
        """Read, and copy, the records of some leads, until all are read or those that were must be reset.

        :returns: the closed part, whose leads may be reset, none if the batch must end; and whether all are read.
        """
        with self._check.new_part() as part:
            all_read = True
            for read in reads:
                if read:
                    self._add(part, *read)
                self._on_tick(pool)
                if self._must_go_now(pool, part):
                    all_read = False
                    break
            if self._judge.stop_reason:
                part.passed.clear()
                return part, all_read
            line = self._check.close_part(part)
            if line and (evidence := self._record.evidence):
                evidence.archive_files.append(line.file)
                evidence.journal.archived(line)
                self._log.info(
                    "Copied %s of %s, which may now be reset",
                    pluralize(line.records, "record"),
                    pluralize(line.leads, "lead"),
                )
            return part, all_read

    def _add(self, part: ArchivePart, one: PendingReset, read: Future[FoundRecords]) -> None:
        self.read += 1
        if read.exception() is None and read.result().not_after < self._check.now():
            self.add_overdue(one)
            return
        try:
            part.add(one, read)
        except LeadSquaredError as error:
            if outcome := self._judge.refuse(one.index, one.prospect_id, error):
                self._record.tell(outcome)

    def _must_go_now(self, pool: WorkerPool, part: ArchivePart) -> bool:
        """Whether the leads that were read are just in time to be reset, one after the other at the task's pace."""
        if not part.passed:
            return False
        share = pool.client.limiter.sliding_window.share
        takes = ceil(len(part.passed) / share) * WINDOW + HEADWAY
        return self._check.now() + takes >= min(one.not_after or inf for one in part.passed)

    def _tell_empty(self, pool: WorkerPool, part: ArchivePart) -> None:
        """Tell which leads have nothing that could go, and which of them the account does not have."""
        if not part.empty:
            return
        leads = [one.prospect_id for one, _ in part.empty]
        known: set[str] = set()
        for _, future in pool.map_unordered([leads], lambda chunk: known_leads(pool.client, chunk)):
            known = future.result()
        for one, why in part.empty:
            if one.prospect_id.lower() not in known:
                error = UnknownLeadsError("the account has no such lead", prospect_id=one.prospect_id)
                self._record.tell(Outcome(one.index, one.prospect_id, error))
                continue
            may_have_gone = self._record.counts.progress.is_unanswered(one.index)
            self._record.tell(
                Outcome(one.index, one.prospect_id, without_call="already_gone" if may_have_gone else why)
            )
