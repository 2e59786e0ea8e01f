"""The members of a CRM list, read once per run: by the first try, and kept for the later ones.

A list that is dynamic shrinks while its leads are reset, so that a try that reads it anew would reset other leads. With
an ``evidence_path`` the members are a file there, which a sensor can be given, too; else the task's state store keeps
them (Airflow 3.3 and later).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_leadreset.leadsquared.errors import InputError, MissingFileError
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder

PART_LEADS = 1500
"""Ids in one value of the state store: of more than 64 KiB, Airflow warns."""


class KeptLeads(Protocol):
    """A place where the members of a list are kept between the tries of a task."""

    path: str | None
    """The file that holds them, if one does."""

    def read(self) -> Leads | None:
        """Return what an earlier try kept; None if it kept nothing, or came to its end while it did."""

    def keep(self, leads: Leads) -> None:
        """Keep them."""

    def forget(self) -> None:
        """Delete what nobody needs once the task has succeeded."""


def list_key(*of: object) -> str:
    """Return a short text that is equal for the same values only."""
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]


class FolderCopy:
    """A packed text file in the task's evidence folder, beside its tries: whole or absent, and gzip tells a torn one.

    :param folder: of all tries.
    :param key: equal for the tries that must have the same leads, see :func:`list_key`.
    :param try_number: each try writes a file of its own; a token of its process tells two alive of one number.
    """

    def __init__(self, folder: EvidenceFolder, key: str, try_number: int, log: Any) -> None:
        self.path: str | None = None
        self._folder = folder
        self._prefix = f"leads-{key}-"
        self._name = f"{self._prefix}try-{try_number}-{secrets.token_hex(4)}.txt.gz"
        self._log = log

    def read(self) -> Leads | None:
        """Return the leads of the first file that is whole."""
        for path in self._folder.files(self._prefix):
            try:
                leads = Leads.from_file(path)
            except MissingFileError:
                raise  # it was listed, so its storage is away
            except InputError as error:
                self._log.warning("A try that ended early left a file that is passed over: %s", error)
                continue
            if leads.count:
                self.path = str(path)
                return leads
        return None

    def keep(self, leads: Leads) -> None:
        """Write them, one a line."""
        text = "".join(f"{lead}\n" for lead in leads)
        packed = io.BytesIO(gzip.compress(text.encode(), mtime=0))
        self.path = self._folder.write_file(self._name, packed)

    def forget(self) -> None:
        """Leave it: it is evidence."""


class StoreCopy:
    """Values in Airflow's store of a task's state: parts, and a head that is written last.

    :param store: ``context["task_state_store"]``.
    :param key: equal for the tries that must have the same leads, see :func:`list_key`.
    """

    path: str | None = None

    def __init__(self, store: Any, key: str, log: Any) -> None:
        self._store = store
        self._key = f"leadreset-list/{key}"
        self._parts = 0
        self._log = log

    def read(self) -> Leads | None:
        """Return the leads that were kept whole."""
        head = self._store.get(self._key)
        if head is None:
            return None
        self._parts = head["parts"]

        def ids() -> Iterator[str]:
            for number in range(self._parts):
                yield from self._store.get(f"{self._key}/{number}") or ()

        leads = Leads.of(ids())
        return leads if leads.digest == head["digest"] else None

    def keep(self, leads: Leads) -> None:
        """Store them. What hinders that is raised: no lead has been reset yet, and a retry could not know them."""
        ids = iter(leads)
        self._parts = 0
        while part := list(islice(ids, PART_LEADS)):
            self._store.set(f"{self._key}/{self._parts}", part)
            self._parts += 1
        self._store.set(self._key, {"digest": leads.digest, "parts": self._parts})

    def forget(self) -> None:
        """Delete them."""
        keys = [self._key, *(f"{self._key}/{number}" for number in range(self._parts))]
        try:
            for key in keys:
                self._store.delete(key)
        except (
            Exception
        ) as error:  # whatever it is: the work is done, and Airflow deletes them by itself one day
            self._log.warning("The kept members of the list could not be deleted: %s", error)
