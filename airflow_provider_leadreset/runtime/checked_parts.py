"""Reading leads before they are reset, in parts so small that each lead's reset follows soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.resets import BatchJudge
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import LeadSquaredError, UnknownLeadsError
from airflow_provider_leadreset.leadsquared.records.records import known_leads
from airflow_provider_leadreset.leadsquared.safety.archive import (
    ArchivePart,
    PendingReset,
    PreResetCheck,
)
from airflow_provider_leadreset.runtime.batch_record import BatchRecord

MOST_READINGS = 3
"""How often a lead's records are read because its reset came too late after it, before it is given up."""


class CheckedParts:
    """The leads of a reset that are read before, and perhaps copied.

    :param size: how many leads are read before the first of them is reset.
    :param on_tick: called about each second, and after each lead; may stop the pool.
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
    ) -> None:
        self._check = check
        self._record = record
        self._judge = judge
        self._size = size
        self._log = log
        self._on_tick = on_tick
        self._overdue: dict[int, PendingReset] = {}
        self._readings: dict[int, int] = {}

    def add_overdue(self, pending: PendingReset) -> None:
        """Add a lead whose reset came too late after its reading: it is read again, up to a few times."""
        self._overdue[pending.index] = pending

    def of(self, pool: WorkerPool, pending: Iterator[PendingReset]) -> Iterator[list[PendingReset]]:
        """Yield leads that were read and may be reset now, a part at a time; no more once the batch must end."""
        while part := [*self._again(), *islice(pending, self._size)]:
            yield self._read(pool, part)
            if self._judge.stop_reason:
                return

    def _again(self) -> list[PendingReset]:
        overdue, self._overdue = self._overdue, {}
        for index in overdue:
            self._readings[index] = self._readings.get(index, 1) + 1
        return [one for index, one in overdue.items() if self._readings[index] <= MOST_READINGS]

    def _read(self, pool: WorkerPool, pending: Iterable[PendingReset]) -> list[PendingReset]:
        """Read, and copy, the records of some leads; return those that may be reset, none if the batch must end."""
        with self._check.new_part() as part:
            for ended in pool.map_with_ticks(pending, self._check.read):
                if ended:
                    one, found = ended
                    try:
                        part.add(one, found)
                    except LeadSquaredError as error:
                        if outcome := self._judge.refuse(one.index, one.prospect_id, error):
                            self._record.tell(outcome)
                self._on_tick(pool)
            if self._judge.stop_reason:
                return []
            self._tell_empty(pool, part)
            line = self._check.close_part(part)
            if line and (evidence := self._record.evidence):
                evidence.archive_files.append(line.file)
                evidence.journal.archived(line)
                self._log.info(
                    "Copied %d records to %s before their leads are reset", line.records, evidence.archive
                )
            return sorted(part.passed, key=lambda one: one.index)

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
