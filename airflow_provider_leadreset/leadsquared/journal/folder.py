"""The folders of evidence: one for each try, below a root for reports and one for copies of records."""

from __future__ import annotations

import hashlib
import io
import re
from typing import IO, Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import FileDigest
from airflow_provider_leadreset.leadsquared.journal.storage import EvidencePath, storage_of
from airflow_provider_leadreset.leadsquared.untrusted_files import BLOCK, MOST_FILE

REPORT, ARCHIVE = "report", "archive"
"""The two roots: journal, plan and results are kept for years, copies of records hold personal data."""

MOST_NAME = 120
"""Characters of a folder's name: file systems take 255 bytes, of which a sign may have four; the rest is for a hash."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.=-]|^\.*$")
"""Run ids hold colons and plus signs, which not every storage takes; dots alone lead elsewhere, nothing nowhere."""

_HASH = 16
"""Hex digits of the hash in a folder's name: two ids with the same cannot be found on purpose."""

_HASHED = re.compile(r"-[0-9a-f]{16}\Z")
"""An id that looks like the folder of another: it gets a hash of its own."""

_TRY = re.compile(r"try-(0|[1-9][0-9]{0,8})")


class EvidenceFolder:
    """A folder of files that are written once.

    :param path: such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``.
    """

    def __init__(self, path: EvidencePath) -> None:
        self.path = path
        self._storage = storage_of(path)

    def write(self, name: str, data: bytes) -> FileDigest:
        """Write a file that does not exist yet; see :meth:`write_file`."""
        self.write_file(name, io.BytesIO(data))
        return FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest())

    def write_file(self, name: str, data: IO[bytes]) -> str:
        """Write a file that does not exist yet, from what ``data`` still holds; return its path.

        It is there whole, or not at all.

        :raises InputError: it exists: evidence is never written over.
        """
        target = self.path / name
        try:
            self._storage.put(name, data)
        except FileExistsError as error:
            if not str(error.filename or "").endswith(name):
                raise
            raise InputError(
                f"{target} exists already, and evidence is never written over: use another evidence_path"
            ) from None
        return str(target)

    def names(self) -> list[str]:
        """Return the names of what is in it, in order, but for files whose writing was broken off."""
        return [name for name in self._storage.names() if not name.startswith(".")]

    def read(self, name: str, most: int = MOST_FILE) -> bytes:
        """Return what a file holds.

        :raises InputError: it is none, or holds more than ``most`` bytes.
        """
        return self._storage.read(name, most)

    def files(self, prefix: str) -> list[Any]:
        """Return the paths of its files whose names begin so, in order."""
        return [self.path / name for name in self.names() if name.startswith(prefix)]

    def folder(self, name: str) -> EvidenceFolder:
        """Return a folder in it."""
        return EvidenceFolder(self.path / name)

    def tries(self) -> list[int]:
        """Return the numbers of the tries that have a folder in it, in order."""
        found = (_TRY.fullmatch(name) for name in self.names())
        return sorted(int(match[1]) for match in found if match)

    def __str__(self) -> str:
        return str(self.path)


def task_folder(
    root: EvidencePath, kind: str, *, dag_id: str, run_id: str, task_id: str, map_index: int
) -> EvidenceFolder:
    """Return the folder ``root/kind/dag/run/task/map index`` of all tries of one task of one run.

    :param kind: :data:`REPORT` or :data:`ARCHIVE`.
    """
    path = root / kind
    for name in (dag_id, run_id, task_id, "unmapped" if map_index < 0 else f"map-{map_index}"):
        path = path / safe_name(name)
    return EvidenceFolder(path)


def safe_name(name: str) -> str:
    """Return a name that every storage takes, and that no other name comes to."""
    safe = _NOT_IN_NAMES.sub("_", name)[:MOST_NAME]
    if safe == name and not _HASHED.search(name):
        return safe
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:_HASH]}"


def digest_of(data: IO[bytes]) -> str:
    """Return the SHA-256 of what a file still holds, as hex, and go back to its beginning."""
    digest = hashlib.sha256()
    while block := data.read(BLOCK):
        digest.update(block)
    data.seek(0)
    return digest.hexdigest()
