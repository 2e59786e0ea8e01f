"""Reading leads' records before they are reset: to keep a copy, and to refuse what a plan does not show."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, LeadSquaredError
from airflow_provider_leadreset.leadsquared.journal.journal import EvidenceFolder
from airflow_provider_leadreset.leadsquared.records.records import UNKNOWN_TYPE, Record, read_lead
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

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

    def __init__(self, client: LeadSquaredClient, folder: EvidenceFolder | None, types: TaskTypes) -> None:
        self.folder = folder
        self.records = 0
        """How many records lie in closed parts."""
        self._client = client
        self._types = types
        self._parts = 0

    def read(self, pending: PendingReset) -> list[Record]:
        """Return the records that a reset would delete. Called in the threads of a pool.

        :raises LeadSquaredError: they cannot be read whole.
        """
        reset = pending[1]
        return read_lead(self._client, reset.prospect_id, reset.selectors, reset.window, self._types).records

    @contextmanager
    def new_part(self) -> Generator[ArchivePart, None, None]:
        """Begin a part, for at most :data:`PART_LEADS` leads. Nothing of it is kept before :meth:`close_part`."""
        with ExitStack() as files:
            part = ArchivePart(self._types.names)
            if self.folder:
                part.file = files.enter_context(tempfile.TemporaryFile())
                part.packed = files.enter_context(gzip.GzipFile(fileobj=part.file, mode="wb"))
            yield part

    def close_part(self, part: ArchivePart) -> list[PendingReset]:
        """Write a part to the folder; return the leads that may be reset now, in their order.

        What is read later is neither copied nor reset.
        """
        if self.folder and part.file and part.packed and part.passed:
            part.packed.close()
            part.file.seek(0)
            self._parts += 1
            self.folder.write_file(f"archive-{self._parts:05}.jsonl.gz", part.file)
        self.records += part.records
        return sorted(part.passed, key=lambda pending: pending[0])


class ArchivePart:
    """Leads that were read, and copies of their records as far as such are kept.

    :param type_names: the account's task types, GUID to name.
    """

    def __init__(self, type_names: dict[str, str]) -> None:
        self.passed: list[PendingReset] = []
        self.records = 0
        self.file: IO[bytes] | None = None
        self.packed: gzip.GzipFile | None = None
        self._type_names = {type_id.lower(): name for type_id, name in type_names.items()}

    def add(self, pending: PendingReset, found: Future[list[Record]]) -> None:
        """Take what was read of a lead.

        :raises LeadSquaredError: the lead may not be reset.
        """
        _, reset, planned = pending
        try:
            records = found.result()
            _refuse_unplanned(records, planned)
        except LeadSquaredError as error:
            error.message = f"not reset, because of its records: {error.message}"
            error.prospect_id = reset.prospect_id
            raise
        if self.packed:
            _write(self.packed, reset.prospect_id, records, self._type_names)
        self.records += len(records)
        self.passed.append(pending)


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
    for record in records:
        line: dict[str, Any] = {
            "prospect_id": prospect_id,
            "kind": record.kind,
            "id": record.id,
            "type": record.type,
            "type_name": type_names.get(record.type, ""),
            "created_on": record.created_on.isoformat(),
            "record": record.data,
        }
        # In ASCII: a text may hold half of an emoji, cut off by LeadSquared, which no encoding takes.
        file.write((json.dumps(line) + "\n").encode())
