"""Reading leads' records before they are reset: to keep a copy, and to refuse what a plan does not show."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.records import UNKNOWN_TYPE, Record, read_lead
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset

PART_LEADS = 500
"""How many leads' records one part holds at most."""

PendingReset = tuple[int, LeadReset, dict[str, list[str]] | None]
"""A lead's place, its reset, and its records' ids as a plan shows them, if there is one."""


class PreResetCheck:
    """Reads the records of leads before they are reset.

    With a folder it copies them into parts ``archive-00001.jsonl.gz``, …, each closed before the first of its leads
    is reset. Each line: ``prospect_id``, ``kind``, ``id``, ``type``, ``type_name`` (of a task), ``created_on`` (UTC),
    ``record`` as the API gave it, with all its fields; of a task also those that only its owner's list has. A lead
    with a plan is refused when it has records that the plan does not show.

    :param folder: where the copies go; None to keep none.
    """

    def __init__(self, folder: EvidenceFolder | None, types: TaskTypes) -> None:
        self._folder = folder
        self._types = types
        self._part = 0
        self.records = 0

    def check_and_archive(
        self,
        pool: WorkerPool,
        pending: Sequence[PendingReset],
        on_failure: Callable[[int, str, LeadSquaredError], None],
        stop: Callable[[], bool],
    ) -> list[PendingReset]:
        """Read, and copy, the records of at most :data:`PART_LEADS` leads.

        :param on_failure: told of a lead that may not be reset, with its place and the reason.
        :param stop: asked after each lead whether to give up.
        :returns: the leads that may be reset, in their order; none when it gave up.
        """
        passed: set[int] = set()
        part_is_closed = False
        with tempfile.TemporaryFile() as file:
            with gzip.GzipFile(fileobj=file, mode="wb") as packed:

                def read(item: PendingReset) -> list[Record]:
                    reset = item[1]
                    found = read_lead(
                        pool.client, reset.prospect_id, reset.selectors, reset.window, self._types
                    )
                    return found.records

                def done(item: PendingReset, future: Future[list[Record]]) -> None:
                    index, reset, planned = item
                    try:
                        records = future.result()
                        _refuse_unplanned(records, planned)
                    except LeadSquaredError as error:
                        error.message = f"not reset, because of its records: {error.message}"
                        error.prospect_id = reset.prospect_id
                        on_failure(index, reset.prospect_id, error)
                        return
                    if part_is_closed:
                        return
                    if self._folder:
                        _write(packed, reset.prospect_id, records, self._types.names)
                    self.records += len(records)
                    passed.add(index)

                try:
                    pool.map_unordered(pending, read, done, stop)
                finally:
                    # What comes back later, when the pool is left, is neither copied nor reset.
                    part_is_closed = True
            if not passed or stop():
                return []
            if self._folder:
                file.seek(0)
                self._part += 1
                self._folder.write_file(f"archive-{self._part:05}.jsonl.gz", file)
        return [item for item in pending if item[0] in passed]


def _refuse_unplanned(records: Iterable[Record], planned: dict[str, list[str]] | None) -> None:
    if planned is None:
        return
    # A task's type may be found out later: it is the same task.
    known = {
        ("tasks" if kind == UNKNOWN_TYPE else kind, key) for kind, keys in planned.items() for key in keys
    }
    new = [f"{record.kind} {record.key}" for record in records if (record.kind, record.key) not in known]
    if new:
        raise LeadRejectedError(
            f"{len(new)} records have come into the window since the preview ({', '.join(new[:10])}): preview in "
            "another run"
        )


def _write(
    file: gzip.GzipFile, prospect_id: str, records: Iterable[Record], type_names: dict[str, str]
) -> None:
    names = {type_id.lower(): name for type_id, name in type_names.items()}
    for record in records:
        line: dict[str, Any] = {
            "prospect_id": prospect_id,
            "kind": record.kind,
            "id": record.id,
            "type": record.type,
            "type_name": names.get(record.type, ""),
            "created_on": record.created_on.isoformat(),
            "record": record.data,
        }
        # In ASCII: a text may hold half of an emoji, cut off by LeadSquared, which no encoding takes.
        file.write((json.dumps(line) + "\n").encode())
