"""Whether the files of a try are as they were written: whatever names a file by its SHA-256 is held to it."""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import Any

from airflow_provider_leadreset.evidence_report.evidence_files import digest_of_file
from airflow_provider_leadreset.evidence_report.sent_and_copied import MOST_NAMED
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.reader import ProcessJournal, TryJournal, is_part
from airflow_provider_leadreset.leadsquared.journal.schema import FileDigest
from airflow_provider_leadreset.leadsquared.journal.schema_results import Summary
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import pluralize

_OURS = re.compile(
    r"([0-9a-f]{8})-(?:request\.json|summary\.json|verification\.json|shown\.md|failed\.jsonl|[0-9]{5,9}\.jsonl)"
)
"""Files of a try below ``report/``, and the process that wrote them."""

_PLAN = re.compile(r"plan-[0-9]{1,9}\.jsonl\.gz")

PLAN_TAIL = 5
"""A plan lies in ``dag/run/task/map index/plan-1.jsonl.gz`` below ``report/``."""


class Notes:
    """What is not as it should be of a task's files: the first few are named, all are counted."""

    def __init__(self) -> None:
        self.named: list[str] = []
        """The first few."""
        self.count = 0
        """How many there are."""

    def add(self, what: str) -> None:
        """Add a file and what is not as it should be of it."""
        if what in self.named:
            return
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(what)

    def refuse(self, name: str, error: BaseException) -> None:
        """Add a file that cannot be read."""
        why = str(error) if isinstance(error, InputError) else type(error).__name__
        self.add(f"{name} cannot be read ({why})")

    def change(self, name: str, why: str) -> None:
        """Add a file that is not as it was written."""
        self.add(f"{name}: {why}")

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.named)} more" if self.count > len(self.named) else ""
        return "; ".join(self.named) + more


def check_names(found: TryJournal) -> list[str]:
    """Check the names of a try's files; return the processes that wrote no request, and so made no call."""
    requests = {process.token for process in found.processes}
    requests |= {name.partition("-")[0] for name in found.names if name.endswith("-request.json")}
    without: set[str] = set()
    for name in found.names:
        match = _OURS.fullmatch(name)
        if match is None:
            found.refuse(name, InputError("it is no file of this provider's"))
        elif match[1] not in requests and name.endswith(("-summary.json", "-failed.jsonl")):
            found.refuse(name, InputError("its request is missing, so nothing tells what it is about"))
        elif match[1] not in requests and name.endswith("-shown.md"):
            without.add(match[1])
    written = {name.partition("-")[0] for name in found.names if not name.endswith("-shown.md")}
    return sorted(without - written)


def check_request(process: ProcessJournal, folder: Any) -> list[str]:
    """Hold files to what a request says of them; return what is not so of files of other tries.

    :param folder: of all tries of the task.
    """
    request, attempt = process.request, f"try-{process.found.try_number}"
    if request.shown and (why := _difference(folder / attempt, request.shown, "the request")):
        process.found.doubt(request.shown.name, why)
    told = []
    for earlier in request.continues:
        name = f"try-{earlier.try_number}"
        for file in earlier.files:
            why = _difference(folder / name, file, f"{attempt}, which continued it,")
            told += [f"{name}/{file.name}: {why}"] if why else []
    return told


def check_summary(process: ProcessJournal, summary: Summary, folder: Any) -> None:
    """Hold files to what a summary says of them.

    :param folder: of the try.
    """
    found, listed = process.found, {file.name for file in summary.files}
    read = {file.name: file.sha256 for file in process.files}
    parts = set(process.parts)
    for file in summary.files:
        why = ""
        if file.name in read:
            why = "" if read[file.name] == file.sha256 else _changed("the summary")
        elif file.name not in parts:  # else that it cannot be read is told
            why = _difference(folder, file, "the summary")
        if why:
            found.doubt(file.name, why)
    unlisted = dropwhile(lambda name: name not in listed, process.parts) if listed & parts else process.parts
    for name in unlisted:
        if name not in listed:
            found.doubt(name, "the summary does not list it")
    count = sum(map(is_part, process.files))
    if count != summary.parts:
        found.doubt(
            process.summary_name,
            f"it tells of {pluralize(summary.parts, 'part')} of the journal, and {count} can be read",
        )


def _difference(folder: Any, file: FileDigest, teller: str) -> str:
    """Return what is not so of a file; empty where it is as it was written."""
    if not _OURS.fullmatch(file.name):
        return f"{teller} names it, and it is no file of this provider's"
    path = folder / file.name
    try:
        if not path.exists():
            return f"it is missing, and {teller} names it"
        return "" if digest_of_file(path) == file.sha256 else _changed(teller)
    except Exception as error:  # storages raise what they like
        return f"it cannot be read ({error if isinstance(error, InputError) else type(error).__name__})"


def _changed(teller: str) -> str:
    return f"it is not as {teller} says"


class PlanCheck:
    """Holds plans to the digests by which requests and verifications name them.

    :param task: the folder of all tries of a task, from which the way to the plans of the same evidence path is known.
    """

    def __init__(self, task: Any) -> None:
        self._task = task
        self._digests: dict[str, str | None] = {}

    def difference(self, path: str, digest: str) -> str:
        """Return what is not so of a plan, as text; empty where it is the one that is meant.

        :param path: where it was written.
        """
        tail = path.replace("\\", "/").split("/")[-PLAN_TAIL:]
        if len(tail) < PLAN_TAIL or not _PLAN.fullmatch(tail[-1]) or ".." in tail:
            return "a plan is named by a path of no plan"
        name = "/".join(tail)
        if name not in self._digests:
            self._digests[name] = self._digest_of(tail)
        found = self._digests[name]
        if found is None:
            return f"{name}: it is missing, or cannot be read, and its digest was {digest}"
        return "" if found == digest else f"{name}: its digest is not {digest}"

    def _digest_of(self, tail: list[str]) -> str | None:
        path = self._task.parent.parent.parent.parent
        for name in tail:
            path = path / name
        try:
            plan = Plan.read(path) if path.is_file() else None
        except Exception:  # that it cannot be read is told where it lies
            return None
        return plan.digest if plan else None
