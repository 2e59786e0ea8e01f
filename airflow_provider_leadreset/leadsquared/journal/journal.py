"""What a task leaves behind for those who ask later: files that are written once and never touched again."""

from __future__ import annotations

import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Protocol

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.errors import InputError

PART_LINES = 500
"""How many calls one part of a report holds."""

PART_SECONDS = 60.0
"""How long calls are held back at most before their part is written."""


class Folder(Protocol):
    """A folder such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``."""

    def __truediv__(self, name: str) -> Folder:
        """Return what is called ``name`` in it."""

    @property
    def name(self) -> str:
        """Its own name."""

    def mkdir(self, mode: int = ..., parents: bool = ..., exist_ok: bool = ...) -> None:
        """Make it."""

    def exists(self) -> bool:
        """Whether there is such a file or folder."""

    def iterdir(self) -> Iterator[Any]:
        """Return what is in it."""

    def open(self, mode: str) -> Any:
        """Open a file of it."""

    def unlink(self) -> None:
        """Remove it, being a file."""


@dataclass(frozen=True)
class EvidenceFolder:
    """A folder of files that are written once.

    :param path: the folder; see :func:`evidence_folder`.
    """

    path: Folder

    def write(self, name: str, data: bytes) -> None:
        """Write a file that does not exist yet; see :meth:`write_file`."""
        self.write_file(name, io.BytesIO(data))

    def write_file(self, name: str, data: IO[bytes]) -> str:
        """Write a file that does not exist yet, from what ``data`` still holds; return its path.

        :raises InputError: it exists: evidence is never written over.
        """
        target = self.path / name
        if target.exists():
            raise InputError(
                f"{target} exists already, and evidence is never written over: use another evidence_path"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("wb") as file:
                shutil.copyfileobj(data, file)
        except BaseException:
            # Half of it, which would stand in the way of another attempt. What hindered it may hinder this too.
            with suppress(Exception):
                target.unlink()
            raise
        return str(target)

    def files(self, prefix: str) -> list[Any]:
        """Return the paths of its files whose names begin so, in order."""
        if not self.path.exists():
            return []
        return sorted(
            (path for path in self.path.iterdir() if path.name.startswith(prefix)), key=lambda path: path.name
        )

    def __str__(self) -> str:
        return str(self.path)


def evidence_folder(
    root: Folder, *, dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int | None = None
) -> EvidenceFolder:
    """Return the folder ``root/dag/run/task/map index/try`` of one try, or without ``try_number`` that of all tries.

    A try number is never used twice, by a retry or by a Clear.
    """
    map_name = "unmapped" if map_index < 0 else f"map-{map_index}"
    tries = [] if try_number is None else [f"try-{try_number}"]
    path = root
    for name in (dag_id, run_id, task_id, map_name, *tries):
        # Run ids hold colons and plus signs, which not every storage takes in a name.
        path = path / re.sub(r"[^\w.=-]|^\.+$", "_", name)  # dots alone are no name, they lead elsewhere
    return EvidenceFolder(path)


class Report:
    """One JSON line per call, in parts ``report-00001.jsonl``, … Calls may be added by several threads.

    Each line: ``prospect_id``, ``sent_at`` (UTC), ``seconds`` until the answer, ``answer`` (``"queued"`` or the
    error), ``status`` (HTTP, or null).
    """

    def __init__(self, folder: EvidenceFolder) -> None:
        self.folder = folder
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._part = 0
        self._oldest = 0.0

    def add(self, call: Call) -> None:
        """Record a call about a lead."""
        line = {
            "prospect_id": call.prospect_id,
            "sent_at": call.sent_at.isoformat(timespec="milliseconds"),
            "seconds": round(call.seconds, 3),
            "answer": call.error.reason if call.error else "queued",
            "status": call.error.status if call.error else 200,
        }
        with self._lock:
            self._lines.append(json.dumps(line))

    def write_if_due(self, now: float) -> None:
        """Write a part if enough calls, or old enough ones, wait for it.

        :param now: seconds of a clock that never goes back.
        """
        with self._lock:
            waiting = len(self._lines)
        if not waiting:
            self._oldest = now
        elif waiting >= PART_LINES or now - self._oldest >= PART_SECONDS:
            self.write()
            self._oldest = now

    def write(self) -> None:
        """Write what waits as a part, if anything does.

        Whatever ends it early, the lines go into the next part: a call told twice is better than one lost.
        """
        with self._lock:
            lines = list(self._lines)
        if lines:
            self._part += 1
            self.folder.write(
                f"report-{self._part:05}.jsonl", "".join(f"{line}\n" for line in lines).encode()
            )
            with self._lock:
                del self._lines[: len(lines)]
