"""Reading an evidence folder: what each run planned, asked, sent, copied and verified."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from airflow_provider_leadreset.evidence_report.evidence_files import UNREADABLE, read_object
from airflow_provider_leadreset.evidence_report.sent_and_copied import MOST_NAMED, Copied, Sent
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import ARCHIVE, REPORT, EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.reader import ProcessJournal, TryJournal, read_tries
from airflow_provider_leadreset.leadsquared.journal.schema import ArchivedLine, Request
from airflow_provider_leadreset.leadsquared.journal.schema_results import Summary, VerificationRecord
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize, scrubbed

Line = tuple[str, str]
"""A heading and what is said under it."""

ORDER = ("Planned", "Requested", "Approved", "Sent", "Ended", "Copied", "Verified", "Unreadable")
"""How headings begin, in the order in which they are told."""

MOST_SAID = 4000
"""Characters that are said under one heading; what is longer is cut."""

TASK_DEPTH = 4
"""A task's folder is ``dag/run/task/map index``, below one of the two roots."""

_OURS = re.compile(
    r"[0-9a-f]{8}-(request|summary|failed|verification|shown|archive-[0-9]{5,9}|[0-9]{5,9})\.(json|jsonl|md|jsonl\.gz)"
)
_VERIFICATION = re.compile(r"[0-9a-f]{8}-verification\.json")
_COPIES = re.compile(r"[0-9a-f]{8}-archive-[0-9]{5,9}\.jsonl\.gz")


def account_of(root: Any) -> dict[str, list[Line]]:
    """Read an evidence folder.

    :param root: a path, such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``: the ``evidence_path`` itself, or
        the folder of a DAG or of a run in it.
    :returns: for each run that has evidence (``dag/run``), what is to be said, in order.
    """
    runs: dict[str, list[Line]] = {}
    for task in sorted(_task_folders(root), key=str):
        name = "/".join(task.parts[-4:-2]) if len(task.parts) >= 4 else str(task)
        told = [(scrubbed(heading), _cut(scrubbed(said))) for heading, said in _of_task(task)]
        runs.setdefault(scrubbed(name), []).extend(told)
    for lines in runs.values():
        lines.sort(key=lambda line: ORDER.index(line[0].split()[0].rstrip(":")))
    return runs


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}… ({len(text)} characters)"


def _task_folders(root: Any) -> set[Any]:
    """Folders ``dag/run/task/map index`` of reports that belong to what lies below ``root``."""
    found = set()
    for path in root.rglob("*"):
        if path.name.startswith("plan-") and path.name.endswith(".jsonl.gz"):
            found.add(path.parent)
        elif path.parent.name.startswith("try-") and path.name.endswith((".json", ".jsonl", ".jsonl.gz")):
            found.add(_other_root(path.parent.parent, ARCHIVE, REPORT))
    return found


def _other_root(task: Any, here: str, there: str) -> Any:
    """Return a task's folder below the other of the two roots; as it is where it does not lie below ``here``."""
    parts = task.parts
    if len(parts) <= TASK_DEPTH or parts[-TASK_DEPTH - 1] != here:
        return task
    folder = task
    for _ in range(TASK_DEPTH + 1):
        folder = folder.parent
    folder = folder / there
    for name in parts[-TASK_DEPTH:]:
        folder = folder / name
    return folder


class _Notes:
    """What cannot be read of a task."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._count = 0

    def add(self, what: str) -> None:
        self._count += 1
        if len(self._named) < MOST_NAMED:
            self._named.append(what)

    def __str__(self) -> str:
        more = f"; and {self._count - len(self._named)} more" if self._count > len(self._named) else ""
        return "; ".join(self._named) + more


def _of_task(folder: Any) -> Iterator[Line]:
    task = folder.parent.name if folder.name == "unmapped" else f"{folder.parent.name} {folder.name}"
    for path in sorted(folder.glob("plan-*.jsonl.gz"), key=str):
        yield f"Planned by {task}", _said_of_plan(path)
    notes = _Notes()
    with closing(Sent()) as sent, closing(Copied()) as copied:
        removed = 0
        for attempt in read_tries(EvidenceFolder(folder)):
            name = f"try-{attempt.try_number}"
            for process in attempt.processes:
                yield from _said_of_request(task, name, process.request)
                removed += _read_process(process, sent, folder, name)
                yield from _said_of_end(task, name, process, folder)
            for what in attempt.unreadable:
                notes.add(f"{name}/{what.partition(': ')[0]} cannot be read ({what.partition(': ')[2]})")
            yield from _verifications(task, folder / name, attempt, notes)
        _read_copies(_other_root(folder, REPORT, ARCHIVE), copied, notes)
        if sent.tries or sent.resets:
            yield f"Sent by {task}", sent.describe()
        if copied.parts:
            yield f"Copied by {task}", copied.describe()
        if removed:
            yield f"Copied by {task}", f"{pluralize(removed, 'part')} written once, removed since"
    if said := str(notes):
        yield f"Unreadable of {task}", said


def _read_process(process: ProcessJournal, sent: Sent, folder: Any, attempt: str) -> int:
    """Count what a process sent; return how many of its parts of the archive are not there any more."""
    sent.begin_try(process.request.leads)
    copies, removed = _other_root(folder, REPORT, ARCHIVE) / attempt, 0
    for line in process.lines():
        try:
            sent.add(line)
        except InputError as error:
            process.found.refuse(process.parts[0], error)
            break
        if isinstance(line, ArchivedLine) and _COPIES.fullmatch(line.file.name):
            removed += not (copies / line.file.name).exists()
    sent.end_process()
    return removed


def _said_of_end(task: str, attempt: str, process: ProcessJournal, folder: Any) -> Iterator[Line]:
    name = f"{process.token}-summary.json"
    if name not in process.found.names:
        yield (
            f"Ended: {task}, {attempt}",
            "without a summary: this try was ended from outside, or could not write",
        )
        return
    try:
        summary = Summary.parse(read_object(folder / attempt / name))
    except Exception as error:
        process.found.refuse(name, error)
        return
    known = {file.name: file.sha256 for file in process.files}
    for file in summary.files:
        if known.get(file.name, file.sha256) != file.sha256 or file.name not in process.found.names:
            process.found.refuse(file.name, InputError("it is not as the summary says, or missing"))
    if summary.stopped_because:
        yield f"Ended: {task}, {attempt}", f"before all leads were reached: {summary.stopped_because}"


def _verifications(task: str, folder: Any, attempt: TryJournal, notes: _Notes) -> Iterator[Line]:
    for name in attempt.names:
        if _VERIFICATION.fullmatch(name):
            try:
                yield (
                    f"Verified by {task}",
                    _said_of_verification(VerificationRecord.parse(read_object(folder / name))),
                )
            except Exception as error:  # whatever a file of others may bring about
                notes.add(f"{folder.name}/{name} cannot be read ({_why(error)})")
        elif not _OURS.fullmatch(name):
            notes.add(f"{folder.name}/{name} cannot be read (it is no file of this provider's)")


def _read_copies(folder: Any, copied: Copied, notes: _Notes) -> None:
    for number in EvidenceFolder(folder).tries():
        attempt = folder / f"try-{number}"
        for name in EvidenceFolder(attempt).names():
            if not _COPIES.fullmatch(name):
                continue
            try:
                copied.add_part(attempt / name)
            except UNREADABLE as error:
                notes.add(f"{attempt.name}/{name} cannot be read ({_why(error)})")


def _why(error: BaseException) -> str:
    return str(error) if isinstance(error, InputError) else type(error).__name__


def _said_of_plan(path: Any) -> str:
    try:
        if not path.is_file():
            return f"{path.name} is no file"
        return _said_of_finished(path, Plan.read(path))
    except InputError as error:
        return str(error)
    except UNREADABLE as error:
        return f"{path.name} cannot be read ({type(error).__name__})"


def _said_of_finished(path: Any, plan: Plan | None) -> str:
    if plan is None:
        return f"{path.name} was never finished and counts for nothing"
    counts = describe_counts(plan.counts)
    return (
        f"{counts} of {pluralize(plan.leads.count, 'lead')} at {plan.account['host']}, "
        f"created {plan.window.describe()}; "
        f"{plan.selectors.describe()}. Made at {plan.made_at.isoformat()}, digest {plan.digest}"
    )


def _said_of_request(task: str, attempt: str, asked: Request) -> Iterator[Line]:
    plan = f"by the plan with digest {asked.plan.digest}" if asked.plan else f"window {asked.window}"
    account = f"account {asked.account.code}, " if asked.account.code else ""
    who = asked.trigger.user or asked.trigger.run_type
    said = (
        f"{pluralize(asked.leads, 'lead')} at {asked.account.host} ({account}keys of "
        f"{asked.keys_user.name or asked.keys_user.mail or 'an unnamed user'}{f', started by {who}' if who else ''}), "
        f"{plan}, sent as {asked.sent.FromDate} to {asked.sent.ToDate} UTC; {json.dumps(asked.selectors)}"
    )
    yield f"Requested of {task}, {attempt}", said
    approval = asked.approval
    if isinstance(approval, dict) and isinstance(approval.get("chosen_options"), list):
        who = approval.get("responded_by_user")
        name = who.get("name") or who.get("id") if isinstance(who, dict) else who
        chosen = ", ".join(map(str, approval["chosen_options"]))
        said = f"{chosen}, by {name or 'an unnamed user'}, at {approval.get('responded_at')}"
        said += ", who also started the run" if asked.approver_is_trigger else ""
    elif approval is not None:
        said = json.dumps(approval, ensure_ascii=False)
    else:
        said = "no approval was asked for"
    yield f"Approved for {task}, {attempt}", said


def _said_of_verification(verification: VerificationRecord) -> str:
    said = f"{verification.gone} of {verification.records} planned records are gone, "
    said += f"{verification.leads_done} of {verification.leads} leads are done"
    if verification.excluded:
        said += f", {verification.excluded} were excluded"
    if verification.unverifiable:
        said += f"; unverifiable: {'; '.join(verification.unverifiable)}"
    return f"{said}; plan with digest {verification.digest}"
