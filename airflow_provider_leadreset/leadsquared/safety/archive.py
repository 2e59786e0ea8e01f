"""Reading leads' records before they are reset: to keep a copy, and to refuse what a plan does not show."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.sliding_window import WINDOW
from airflow_provider_leadreset.leadsquared.batch.outcomes import WithoutCall
from airflow_provider_leadreset.leadsquared.errors import (
    BrokenOffError,
    LeadRejectedError,
    LeadSquaredError,
    OutageError,
    UnavailableError,
    UncheckedError,
)
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder, digest_of
from airflow_provider_leadreset.leadsquared.journal.schema import SCHEMA_VERSION, ArchivedLine, FileDigest
from airflow_provider_leadreset.leadsquared.records.deciding_dates import INFERRED, DecidingDates
from airflow_provider_leadreset.leadsquared.records.records import (
    UNKNOWN_TYPE,
    LeadRecords,
    Record,
    read_lead,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.text import pluralize, scrubbed

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

READ_BEFORE = 30.0
"""Seconds between the reading of a lead's records and its reset, at most: what comes meanwhile would go unseen."""

AIM = 20.0
"""Seconds that a part may take to be read and reset at the task's pace."""

MOST_KEY = 100
"""Characters of what tells a record that an error quotes: it is LeadSquared's text."""

MOST_PART_LEADS = 500
"""How many leads' records one part holds at most, however many calls may be made."""


@dataclass(frozen=True)
class PendingReset:
    """A lead that is to be reset.

    :param index: its place among those asked for.
    :param planned: its records' ids per kind as a plan shows them; None without a plan.
    :param last_modified: its LeadLastModifiedOn as a plan kept it; None where there is none to rely on.
    :param not_after: until when it may be sent, in seconds of the limiter's clock; None: at any time.
    """

    index: int
    reset: LeadReset
    planned: dict[str, list[str]] | None = None
    last_modified: str | None = None
    not_after: float | None = None

    @property
    def prospect_id(self) -> str:
        """The lead's id."""
        return self.reset.prospect_id


@dataclass(frozen=True)
class FoundRecords:
    """What was read of a lead, and until when it says what a reset would delete."""

    found: LeadRecords
    not_after: float


def reads_per_lead(selectors: Selectors) -> int:
    """Return the least calls that reading one lead's records takes: activities and audits are one."""
    kinds = (
        selectors.activity_event_list or selectors.audit_activity_list,
        selectors.task_type_list,
        selectors.should_delete_prospect_notes,
    )
    return sum(map(bool, kinds))


def leads_per_part(share: int, selectors: Selectors) -> int:
    """Return how many leads are read before the first of them is reset: what takes some :data:`AIM` seconds in all.

    :param share: the calls that the task may make in 5 s.
    """
    calls = share * AIM / WINDOW
    return max(1, min(MOST_PART_LEADS, int(calls / (1 + reads_per_lead(selectors)))))


class PreResetCheck:
    """Reads the records of leads before they are reset.

    With a folder it copies them into parts ``<token>-archive-00001.jsonl.gz``, …, each closed before the first of its
    leads is reset. Each line: ``prospect_id``, ``kind``, ``id``, ``type``, ``type_name`` (of a task), ``created_on``
    (UTC), ``record`` as the API gave it, with all its fields; of a task also those that only its owner's list has. A
    lead with a plan is refused when it has records that the plan does not show.

    :param folder: where the copies go; None to keep none.
    :param token: what this process's names begin with, unlike any other's.
    :param dates: which date of a record must lie in the window.
    """

    def __init__(
        self,
        client: LeadSquaredClient,
        folder: EvidenceFolder | None,
        types: TaskTypes,
        token: str = "",
        dates: DecidingDates = INFERRED,
    ) -> None:
        self.folder = folder
        self.records = 0
        """How many records lie in closed parts."""
        self.files: list[FileDigest] = []
        """The closed parts."""
        self._client = client
        self._types = types
        self._dates = dates
        self._token = token
        self._parts = 0

    def now(self) -> float:
        """Return the moment, in seconds of the limiter's clock."""
        return self._client.limiter.clock.now()

    def read(self, pending: PendingReset) -> FoundRecords:
        """Return the records that a reset would delete. Called in the threads of a pool.

        :raises LeadSquaredError: they cannot be read whole.
        """
        began, reset = self.now(), pending.reset
        found = read_lead(
            self._client, reset.prospect_id, reset.selectors, reset.window, self._types, self._dates
        )
        return FoundRecords(found, began + READ_BEFORE)

    @contextmanager
    def new_part(self) -> Generator[ArchivePart, None, None]:
        """Begin a part. Nothing of it is kept before :meth:`close_part`."""
        with ExitStack() as files:
            part = ArchivePart(self._types.names)
            if self.folder:
                part.file = files.enter_context(tempfile.TemporaryFile())
                part.packed = files.enter_context(gzip.GzipFile(fileobj=part.file, mode="wb"))
            yield part

    def close_part(self, part: ArchivePart) -> ArchivedLine | None:
        """Write a part to the folder; return what the journal says of it, None if there is nothing to copy.

        What is read later is neither copied nor reset.
        """
        line = None
        if self.folder and part.file and part.packed and part.passed:
            part.packed.close()
            part.file.seek(0)
            self._parts += 1
            name = f"{self._token}-archive-{self._parts:05}.jsonl.gz"
            file = FileDigest(name=name, sha256=digest_of(part.file))
            self.folder.write_file(name, part.file)
            self.files.append(file)
            line = ArchivedLine(file=file, leads=len(part.passed), records=part.records)
        self.records += part.records
        return line


class ArchivePart:
    """Leads that were read, and copies of their records as far as such are kept.

    :param type_names: the account's task types, GUID to name.
    """

    def __init__(self, type_names: dict[str, str]) -> None:
        self.passed: list[PendingReset] = []
        """Leads that may be reset now, each until its own moment."""
        self.empty: list[tuple[PendingReset, WithoutCall]] = []
        """Leads without any record that could go, if the account has them."""
        self.records = 0
        self.file: IO[bytes] | None = None
        self.packed: gzip.GzipFile | None = None
        self._type_names = {type_id.lower(): name for type_id, name in type_names.items()}

    def add(self, pending: PendingReset, read: Future[FoundRecords]) -> None:
        """Add what was read of a lead.

        :raises LeadSquaredError: the lead may not be reset.
        """
        reset = pending.reset
        try:
            result = read.result()
            records = result.found.records
            _refuse_unplanned(records, pending.planned)
        except LeadSquaredError as error:
            error.message = f"not reset, because of its records: {error.message}"
            error.prospect_id = reset.prospect_id
            if isinstance(error, UnavailableError) and not isinstance(error, (BrokenOffError, OutageError)):
                # Of the lead, not of the batch: the others go on, and a retry may read it.
                raise UncheckedError(
                    error.message, status=error.status, prospect_id=reset.prospect_id
                ) from None
            raise
        if not records and (result.found.shows_audits or not reset.selectors.audit_activity_list):
            self.empty.append((pending, "already_gone" if pending.planned else "without_records"))
            return
        if self.packed:
            _write(self.packed, reset.prospect_id, records, self._type_names)
        self.records += len(records)
        self.passed.append(replace(pending, not_after=result.not_after))


def _refuse_unplanned(records: Iterable[Record], planned: dict[str, list[str]] | None) -> None:
    if planned is None:
        return
    # A task's type may be found out later: it is the same task.
    known = {
        ("tasks" if kind == UNKNOWN_TYPE else kind, key) for kind, keys in planned.items() for key in keys
    }
    new = [record for record in records if (record.kind, record.key) not in known]
    if new:
        named = ", ".join(f"{record.kind} {scrubbed(record.key, MOST_KEY)}" for record in new[:10])
        raise LeadRejectedError(
            f"{pluralize(len(new), 'record')} came into the window since the preview ({named}): preview in another run"
        )


def _write(
    file: gzip.GzipFile, prospect_id: str, records: Iterable[Record], type_names: dict[str, str]
) -> None:
    for record in records:
        line: dict[str, object] = {
            "schema_version": SCHEMA_VERSION,
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
