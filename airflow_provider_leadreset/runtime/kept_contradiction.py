"""What a preview found against LeadLastModifiedOn, kept for its later tries: chance must not let one leave leads out.

A reset keeps it with its progress. A preview has none: so it is a file of its own beside the plans, or a value in
Airflow's store (3.3 and later). It holds whatever a later try is asked for; a Clear starts anew,
but a plan that stood there before stays refused: a run keeps its plan over a Clear.
"""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import ContradictionLine, VersionError
from airflow_provider_leadreset.leadsquared.journal.schema_results import (
    CONTRADICTION_NAME,
    KeptContradictionRecord,
)
from airflow_provider_leadreset.leadsquared.safety.unmodified import Contradiction
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json
from airflow_provider_leadreset.runtime.checkpoint import generation, own_clears

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder


class KeptContradiction:
    """Where one preview keeps it.

    :param folder: of all tries; None without an ``evidence_path``.
    :param identity: ids of DAG, run and task, and the map index; None where ``folder`` is.
    """

    def __init__(
        self, context: Context, folder: EvidenceFolder | None, identity: list[object] | None, log: Any
    ) -> None:
        self._context = context
        self._folder = folder
        self._identity = identity
        self._store: Any = context.get("task_state_store")
        self._key = f"leadreset-contradiction/{own_clears(context)}"
        self._log = log
        self.is_kept = False
        """Whether a later try knows of it."""

    def read(self, plan_of_try: int | None = None) -> str:
        """Return what an earlier try found, as text; empty for nothing.

        :param plan_of_try: the number of the try that made a plan: what that one or a later one found holds against
            it after a Clear, too.
        :raises OSError: the storage does not answer.
        """
        found = ""
        if self._folder is not None:
            found = self._read_files(self._folder, plan_of_try)
        elif self._store is not None:
            found = str(self._store.get(self._key) or "")
        self.is_kept = bool(found)
        return found

    def keep(self, found: Contradiction) -> None:
        """Keep it, at once: this try may be killed at any moment."""
        try:
            if self._folder is not None:
                self._folder.write(
                    CONTRADICTION_NAME.format(self._context["ti"].try_number, secrets.token_hex(4)),
                    KeptContradictionRecord(
                        made_by=self._identity or [],
                        generation=generation(self._context),
                        found=contradiction_line(found),
                    ).as_line(),
                )
            elif self._store is not None:
                self._store.set(self._key, found.describe())
            else:
                return
        except (BrokenPipeError, EOFError):
            raise  # the process that watches over this task is gone
        except Exception as error:  # storages raise what they like; then no retry is made
            self._log.warning("What was found could not be kept for a retry: %s", error)
        else:
            self.is_kept = True

    def _read_files(self, folder: EvidenceFolder, plan_of_try: int | None) -> str:
        found = ""
        for name in folder.names():
            if not name.startswith(CONTRADICTION_NAME.partition("{")[0]):
                continue
            try:
                record = KeptContradictionRecord.parse(parse_json(folder.read(name), "it"))
            except (InputError, VersionError) as error:
                return f"an earlier try found a record, and its {name} cannot be read: {error}"
            if record.made_by != self._identity:
                self._log.warning("%s is of another task, %s", name, record.made_by)
            elif record.generation == generation(self._context) or (
                plan_of_try is not None and _try_of(name) >= plan_of_try
            ):
                found = told_by(record.found)
        return found


def _try_of(name: str) -> int:
    """Return the number of the try that wrote it; one that no try can exceed where its name tells none."""
    number = name.split("-")[1]
    return int(number) if number.isascii() and number.isdecimal() else sys.maxsize


def contradiction_line(found: Contradiction) -> ContradictionLine:
    """Return it as it is written down."""
    return ContradictionLine(
        prospect_id=found.prospect_id,
        kind=found.kind,
        record=found.record,
        created_on=found.created_on,
        last_modified=found.last_modified,
    )


def told_by(line: ContradictionLine) -> str:
    """Return what was written down, as text."""
    return Contradiction(
        line.prospect_id, line.kind, line.record, line.created_on, line.last_modified
    ).describe()
