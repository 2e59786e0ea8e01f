"""The parts of a task's archive: whether they are as the journal says, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.evidence_report.evidence_files import UNREADABLE, digest_of_file
from airflow_provider_leadreset.evidence_report.sent_and_copied import Copied, key_of
from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.schema import FileDigest
from airflow_provider_leadreset.leadsquared.text import pluralize

_COPIES = re.compile(r"[0-9a-f]{8}-archive-[0-9]{5,9}\.jsonl\.gz")


class Copies:
    """All copies of a task.

    They may be removed earlier than the rest, as the folder below ``archive/`` is made for: that is told, and no fault.

    :param folder: of all tries, below ``archive/``.
    :param change: is told of each part that is not as it was written, and why.
    :param refuse: is told of each part that cannot be read, and why.
    """

    def __init__(
        self, folder: Any, *, change: Callable[[str, str], None], refuse: Callable[[str, BaseException], None]
    ) -> None:
        self._folder = folder
        self._change = change
        self._refuse = refuse
        self.copied = Copied()
        """What the parts that are there hold."""
        self._told = DistinctKeys()
        self._changed = DistinctKeys()
        self._checked = DistinctKeys()
        self.removed = 0
        """Parts that were written once, and are not there any more."""
        self._untold = 0
        self._broken_off: set[str] = set()

    def excuse(self, attempt: str, token: str) -> None:
        """Record a process that was broken off: what it copied last it may not have come to tell."""
        self._broken_off.add(f"{attempt}/{token}")

    def check(self, attempt: str, file: FileDigest, teller: str) -> None:
        """Compare a part with what is told of it.

        :param attempt: the name of the try.
        :param teller: what tells it: the journal, or the summary.
        """
        name = f"{attempt}/{file.name}"
        if not _COPIES.fullmatch(file.name):
            self._change(name, f"{teller} tells of it, and it is no name of a part of the archive")
            return
        first = self._told.add(key_of(name))
        if not self._checked.add(key_of(f"{name} {file.sha256}")):
            return
        path = self._folder / attempt / file.name
        try:
            if not path.exists():
                self.removed += first
            elif digest_of_file(path) != file.sha256:
                self._changed.add(key_of(name))
                self._change(name, f"it is not as {teller} says, so it counts for nothing")
        except UNREADABLE as error:
            self._changed.add(key_of(name))
            self._refuse(name, error)

    def read(self) -> None:
        """Count what they hold; of a part that was changed, nothing."""
        for number in EvidenceFolder(self._folder).tries():
            attempt = self._folder / f"try-{number}"
            for name in EvidenceFolder(attempt).names():
                if not _COPIES.fullmatch(name):
                    continue
                key = key_of(f"{attempt.name}/{name}")
                if key in self._changed:
                    continue
                try:
                    self.copied.add_part(attempt / name)
                    if key not in self._told:
                        self._add_untold(f"{attempt.name}/{name}")
                except UNREADABLE as error:
                    self._refuse(f"{attempt.name}/{name}", error)

    def _add_untold(self, name: str) -> None:
        self._untold += 1
        if name.partition("-archive-")[0] not in self._broken_off:
            self._change(name, "no journal tells of it, and no process that was broken off wrote it")

    def close(self) -> None:
        """Forget it."""
        for keys in (self._told, self._changed, self._checked, self.copied):
            keys.close()

    def describe(self) -> str:
        """Return it as text; empty where nothing was copied."""
        said = []
        if self.copied.parts:
            said.append(self.copied.describe())
        if self.removed:
            said.append(f"{pluralize(self.removed, 'part')} written once, removed since")
        if self._untold:
            said.append(
                f"{pluralize(self._untold, 'part')} that no journal tells of, so what they held first cannot be told"
            )
        return "; ".join(said)
