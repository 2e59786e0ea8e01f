"""The evidence of one try of a reset: request, journal, failed leads, summary, and copies of records."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Set
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.progress import Failure
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.journal import Journal
from airflow_provider_leadreset.leadsquared.journal.reader import (
    MOST_PART,
    REQUEST_NAME,
    is_part,
    parse_request,
)
from airflow_provider_leadreset.leadsquared.journal.schema import FileDigest, Request, VersionError
from airflow_provider_leadreset.leadsquared.journal.schema_results import FailedLine, Summary
from airflow_provider_leadreset.leadsquared.untrusted_files import size

MOST_LISTED_FILES = 20_000
"""Files of a kind that a summary lists, some 2 MiB: so that it stays below what a reader takes."""


class TryEvidence:
    """What a try writes. All names begin with a token of this process's own, so that two never meet.

    :param task: the folder of all tries of the task.
    :param archive: the folder of this try's copies of records.
    :param try_number: of this try.
    """

    journal: Journal

    def __init__(self, task: EvidenceFolder, archive: EvidenceFolder, try_number: int) -> None:
        self.task = task
        self.archive = archive
        self.report = task.folder(f"try-{try_number}")
        self.token = secrets.token_hex(4)
        self.archive_files: list[FileDigest] = []
        self._try_number = try_number
        self._known = {self.token}

    def keep_shown(self, text: str) -> FileDigest:
        """Write the text that was shown to whoever approved."""
        return self.report.write(f"{self.token}-shown.md", text.encode("utf-8", "replace"))

    def begin(self, request: Request, *, ahead: int, beside: Set[str] = frozenset()) -> None:
        """Write the request, and begin the journal.

        :param ahead: how many leads a part of the journal names at most.
        :param beside: the tokens of other processes of this try, whose files were read before.
        """
        self._known = {self.token, *beside}
        asked = request.as_line()
        if len(asked) > MOST_PART:
            raise InputError(
                f"the request has {size(len(asked))}, and no more than {size(MOST_PART)} can be read again: what "
                "approval says beside its yes, or another argument, is too long"
            )
        first = self.report.write(f"{self.token}-request.json", asked)
        self.journal = Journal(
            self.report, token=self.token, first=first, ahead=ahead, later_try=self._later_try
        )

    def write_failed(self, failures: Iterable[Failure]) -> str | None:
        """Write leads that failed, each with its reason; return the file's path, None for no lead."""
        lines = [
            FailedLine(prospect_id=one.prospect_id, outcome=one.kind, reason=one.reason).as_line()
            for one in failures
        ]
        if not lines:
            return None
        name = f"{self.token}-failed.jsonl"
        self._write_once(name, b"".join(lines))
        return str(self.report.path / name)

    def write_summary(self, output: dict[str, Any]) -> str:
        """Write the summary, with the digests of all files before it; return its own digest."""
        said = {name: value for name, value in output.items() if name != "evidence_digest"}
        summary = Summary(
            **said,
            parts=sum(map(is_part, self.journal.files)),
            files=self.journal.files[-MOST_LISTED_FILES:],
            archive_files=self.archive_files[-MOST_LISTED_FILES:],
        )
        return self._write_once(f"{self.token}-summary.json", summary.as_line()).sha256

    def _write_once(self, name: str, data: bytes) -> FileDigest:
        """Write a file, or find it as it was written when an interruption came between."""
        file = FileDigest(name=name, sha256=hashlib.sha256(data).hexdigest())
        try:
            self.report.write(name, data)
        except InputError:
            if self.report.read(name) != data:
                raise
        if file not in self.journal.files and not name.endswith("-summary.json"):
            self.journal.files.append(file)
        return file

    def _later_try(self) -> str | None:
        """Return who is at work on the task in place of this process; None if nobody is.

        A later try, or a process of the same try that came later: Airflow may start one whose worker it has lost.
        """
        tries = self.task.tries()
        if tries and tries[-1] > self._try_number:
            return f"try {tries[-1]} of this task"
        for name in self.report.names():
            match = REQUEST_NAME.fullmatch(name)
            if not match or match[1] in self._known:
                continue
            if self._goes_first(match[1]):
                return f"another process of try {self._try_number} of this task"
            self._known.add(match[1])
        return None

    def _goes_first(self, token: str) -> bool:
        """Return whether a process of this try that was not there at the beginning is the one to go on.

        It is if it has read what this one did. Two that began at once know nothing of each other: then the token
        decides, for both alike.
        """
        try:
            request = parse_request(self.report.read(f"{token}-request.json", MOST_PART))
        except (InputError, VersionError):
            return True
        read = (
            file.name for one in request.continues if one.try_number == self._try_number for file in one.files
        )
        return any(name.startswith(self.token) for name in read) or token > self.token
