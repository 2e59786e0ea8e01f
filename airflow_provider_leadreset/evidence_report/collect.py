"""Reading an evidence folder: what each run planned, asked, sent, copied and verified."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_leadreset.evidence_report.as_written import (
    Notes,
    PlanCheck,
    check_names,
    check_request,
    check_summary,
)
from airflow_provider_leadreset.evidence_report.copies import Copies
from airflow_provider_leadreset.evidence_report.evidence_files import UNREADABLE, read_bytes
from airflow_provider_leadreset.evidence_report.expected import FoundEnd
from airflow_provider_leadreset.evidence_report.lead_table import MOST_LEADS, LeadTable
from airflow_provider_leadreset.evidence_report.run_facts import (
    Line,
    PlanFacts,
    RunFacts,
    TaskFacts,
    VerificationFacts,
)
from airflow_provider_leadreset.evidence_report.try_facts import (
    ENDED_BY_ITSELF,
    MOST_TEXT,
    TryFacts,
    describe_user,
)
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import ARCHIVE, REPORT, EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.reader import ProcessJournal, TryJournal, read_tries
from airflow_provider_leadreset.leadsquared.journal.schema import ArchivedLine, Request
from airflow_provider_leadreset.leadsquared.journal.schema_results import (
    CONTRADICTION_NAME,
    KeptContradictionRecord,
    Summary,
    VerificationRecord,
)
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize, scrubbed
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json

ORDER = (
    "Planned",
    "Requested",
    "Approved",
    "Sent",
    "Failed",
    "Unanswered",
    "Ended",
    "Copied",
    "Verified",
    "Changed",
    "Unreadable",
)
"""How headings begin, in the order in which they are told."""

MOST_SAID = 4000
"""Characters that are said under one heading; what is longer is cut."""

MOST_LEADS_OF_ALL = 5000
"""Leads of all runs together that are kept with what became of each: a page of more would not open."""

TASK_DEPTH = 4
"""A task's folder is ``dag/run/task/map index``, below one of the two roots."""

_CONTRADICTION = CONTRADICTION_NAME.partition("{")[0]
_VERIFICATION = re.compile(r"[0-9a-f]{8}-verification\.json")


@dataclass
class FoundEvidence:
    """What an evidence folder tells.

    :param runs: each run that has evidence (``dag/run``), and what is to be said of it, in order.
    :param ends: all summaries and verifications that were found.
    :param plans: the digests of all finished plans that were found.
    """

    runs: list[RunFacts] = field(default_factory=list)
    ends: list[FoundEnd] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)


def account_of(root: object) -> FoundEvidence:
    """Read an evidence folder.

    :param root: a path, such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``: the ``evidence_path`` itself, or
        the folder of a DAG or of a run in it.
    """
    runs: dict[str, list[object]] = {}
    for task in sorted(_task_folders(root), key=str):
        name = "/".join(task.parts[-4:-2]) if len(task.parts) >= 4 else str(task)
        runs.setdefault(scrubbed(name), []).append(task)
    account, leads_left = FoundEvidence(), MOST_LEADS_OF_ALL
    for name, tasks in runs.items():
        run = RunFacts(name, LeadTable(min(MOST_LEADS, leads_left)))
        _add_tasks(run, tasks, account)
        account.runs.append(run)
        leads_left = max(0, leads_left - len(run.leads.rows))
    return account


def _add_tasks(run: RunFacts, tasks: list[Any], account: FoundEvidence) -> None:
    for task in tasks:
        facts = TaskFacts(_task_name(task), scrubbed("/".join(task.parts[-TASK_DEPTH - 1 :])))
        told = _of_task(task, account, facts, run)
        run.lines += [(scrubbed(heading), _cut(scrubbed(said))) for heading, said in told]
        run.tasks.append(facts)
    run.lines.sort(key=lambda line: ORDER.index(line[0].split()[0].rstrip(":")))
    if run.leads.rows:
        for finished in run.plans:
            with suppress(InputError, *UNREADABLE):  # changed since it was read a moment ago
                if plan := Plan.read(finished.path):
                    run.leads.add_planned(plan.records())


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}… ({len(text)} characters)"


def _task_folders(root: Any) -> set[Any]:
    """Folders ``dag/run/task/map index`` of reports that belong to what lies below ``root``."""
    found = set()
    for path in root.rglob("*"):
        plan = path.name.startswith("plan-") and path.name.endswith(".jsonl.gz")
        if plan or (path.name.startswith(_CONTRADICTION) and path.name.endswith(".json")):
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


@dataclass
class _Files:
    """What is found of a task's files.

    :param ends: summaries and verifications: name, and SHA-256.
    """

    plans: PlanCheck
    unreadable: Notes = field(default_factory=Notes)
    changed: Notes = field(default_factory=Notes)
    ends: list[tuple[str, str]] = field(default_factory=list)


def _task_name(folder: Any) -> str:
    return str(folder.parent.name if folder.name == "unmapped" else f"{folder.parent.name} {folder.name}")


def _of_task(folder: Any, account: FoundEvidence, facts: TaskFacts, run: RunFacts) -> Iterator[Line]:
    task = _task_name(folder)
    files = _Files(PlanCheck(folder))
    unreadable, changed = files.unreadable, files.changed
    for path in sorted(folder.glob("plan-*.jsonl.gz"), key=str):
        yield f"Planned by {task}", _said_of_plan(path, account, unreadable, facts)
    for path in sorted(folder.glob(f"{_CONTRADICTION}*"), key=str):
        if said := _said_of_contradiction(path, unreadable):
            facts.unplanned.append(said)
            yield f"Planned by {task}", said
    copies_folder = _other_root(folder, REPORT, ARCHIVE)
    with (
        closing(facts.sent) as sent,
        closing(Copies(copies_folder, change=changed.change, refuse=unreadable.refuse)) as copies,
    ):
        identity = None
        attempts = read_tries(EvidenceFolder(folder))
        for attempt in attempts:
            name = f"try-{attempt.try_number}"
            for _ in check_names(attempt):
                yield f"Ended: {task}, {name}", "before its request was written, and so before its first call"
            for which, process in enumerate(attempt.processes, 1):
                identity = identity or process.request.identity
                if process.request.identity != identity:
                    changed.change(
                        f"{name}/{process.files[0].name}",
                        f"it is of another task, {process.request.identity}",
                    )
                told = TryFacts.of(
                    task,
                    attempt.try_number,
                    process.request,
                    parts=len(process.parts),
                    process=f"{which} of {len(attempt.processes)}" if len(attempt.processes) > 1 else "",
                )
                yield from _said_of_request(told, f"try-{told.name}", process.request)
                facts.tries.append(told)
                _read_process(process, facts, copies, run)
                for why in check_request(process, folder):
                    changed.add(why)
                if process.request.plan and (
                    why := files.plans.difference(process.request.plan.path, process.request.plan.digest)
                ):
                    changed.add(why)
                if process.summary_name not in attempt.names:
                    told.ended += _said_of_next(process, attempts)
                yield from _said_of_end(told, process, folder / name, copies, files)
                facts.sent.end_process(whole=told.whole)
                if told.ended != ENDED_BY_ITSELF:
                    copies.excuse(name, process.token)
            for what in attempt.unreadable:
                unreadable.add(f"{name}/{what.partition(': ')[0]} cannot be read ({what.partition(': ')[2]})")
            for what in attempt.changed:
                changed.add(f"{name}/{what}")
            yield from _verifications(facts, folder / name, attempt, files)
        copies.read()
        facts.copied, facts.removed = copies.copied, copies.removed
        yield from sent.lines(task)
        if said := copies.describe():
            yield f"Copied by {task}", said
    facts.doubt(changed, unreadable)
    place = "/".join(folder.parts[-TASK_DEPTH:])
    whole = not str(changed) and not str(unreadable)
    account.ends += [FoundEnd(scrubbed(f"{place}/{name}"), digest, whole) for name, digest in files.ends]
    if said := str(changed):
        yield f"Changed or missing of {task}", said
    if said := str(unreadable):
        yield f"Unreadable of {task}", said


def _read_process(process: ProcessJournal, facts: TaskFacts, copies: Copies, run: RunFacts) -> None:
    """Count what a process sent, and look at the copies that it tells of."""
    sent, number = facts.sent, process.found.try_number
    run.leads.begin_process(sent.begin_process(number, process.request))
    for line in process.lines():
        try:
            sent.add(line)
            run.leads.add(facts.name, number, line)
        except InputError as error:
            process.found.refuse(process.parts[0], error)
            break
        if isinstance(line, ArchivedLine):
            copies.check(f"try-{number}", line.file, "the journal")
    run.leads.end_process(facts.name, number)


def _said_of_end(
    told: TryFacts, process: ProcessJournal, folder: Any, copies: Copies, files: _Files
) -> Iterator[Line]:
    task, name = told.task, process.summary_name
    if name not in process.found.names:
        yield f"Ended: {task}, try-{told.name}", told.ended
        return
    try:
        content = read_bytes(folder / name)
        files.ends.append((f"{folder.name}/{name}", hashlib.sha256(content).hexdigest()))
        summary = Summary.parse(parse_json(content, "it"))
    except Exception as error:
        process.found.refuse(name, error)
        told.ended = "its summary cannot be read"
        return
    told.end(summary, files.ends[-1][1])
    check_summary(process, summary, folder)
    for file in summary.archive_files:
        copies.check(folder.name, file, "the summary")
    if summary.stopped_because:
        yield f"Ended: {task}, try-{told.name}", f"before all leads were reached: {summary.stopped_because}"


def _said_of_next(process: ProcessJournal, attempts: list[TryJournal]) -> str:
    """Return which process went on from the files of one that was ended; empty where none did."""
    number = process.found.try_number
    for attempt in attempts:
        for other in attempt.processes:
            read = (
                file.name for one in other.request.continues if one.try_number == number for file in one.files
            )
            if any(name.startswith(process.token) for name in read):
                later = (
                    f"try-{attempt.try_number}" if attempt.try_number != number else "another process of it"
                )
                return f"; {later} went on from what it had told"
    return ""


def _verifications(facts: TaskFacts, folder: Any, attempt: TryJournal, files: _Files) -> Iterator[Line]:
    for name in attempt.names:
        if not _VERIFICATION.fullmatch(name):
            continue
        try:
            content = read_bytes(folder / name)
            files.ends.append((f"{folder.name}/{name}", hashlib.sha256(content).hexdigest()))
            verification = VerificationRecord.parse(parse_json(content, "it"))
        except Exception as error:  # whatever a file of others may bring about
            files.unreadable.refuse(f"{folder.name}/{name}", error)
            continue
        if why := files.plans.difference(verification.plan, verification.digest):
            files.changed.add(why)
        facts.verifications.append(VerificationFacts.of(facts.name, verification, files.ends[-1][1]))
        yield f"Verified by {facts.name}", _said_of_verification(verification)


def _said_of_plan(path: Any, account: FoundEvidence, unreadable: Notes, facts: TaskFacts) -> str:
    plan, said = None, ""
    try:
        if path.is_file():
            plan = Plan.read(path)
        else:
            said = f"{path.name} is no file"
    except InputError as error:
        said = str(error)
    except UNREADABLE as error:
        said = f"{path.name} cannot be read ({type(error).__name__})"
    if said:
        unreadable.add(said)
        return said
    if plan is None:
        facts.unfinished.append(scrubbed(path.name))
    else:
        account.plans.append(plan.digest)
        facts.plans.append(PlanFacts.of(facts.name, plan))
    return _said_of_finished(path, plan)


def _said_of_contradiction(path: Any, unreadable: Notes) -> str:
    try:
        line = KeptContradictionRecord.parse(parse_json(read_bytes(path), "it")).found
    except Exception as error:  # whatever a file of others may bring about
        unreadable.refuse(scrubbed(path.name), error)
        return ""
    return scrubbed(
        "no plan was made, since a record was found of a lead that was not modified "
        f"({line.prospect_id[:100]}: {line.kind[:100]} {line.record[:100]})"
    )


def _said_of_finished(path: Any, plan: Plan | None) -> str:
    if plan is None:
        return f"{path.name} was never finished and counts for nothing"
    counts = describe_counts(plan.counts)
    return (
        f"{counts} of {pluralize(plan.leads.count, 'lead')} at {plan.account['host']}, "
        f"{'in the window' if plan.account_check else 'created'} {plan.window.describe()}; "
        f"{plan.selectors.describe()}. Made at {plan.made_at.isoformat()}, digest {plan.digest}"
    )


def _said_of_request(told: TryFacts, attempt: str, asked: Request) -> Iterator[Line]:
    task = told.task
    plan = f"by the plan with digest {asked.plan.digest}" if asked.plan else f"window {asked.window}"
    account = f"account {asked.account.code}, " if asked.account.code else ""
    who = asked.trigger.user or asked.trigger.run_type
    said = (
        f"{pluralize(asked.leads, 'lead')} at {asked.account.host} ({account}keys of "
        f"{describe_user(asked.keys_user) or 'an unnamed user'}{f', started by {who}' if who else ''}), "
        f"{plan}, sent as {asked.sent.FromDate} to {asked.sent.ToDate} UTC; {json.dumps(asked.selectors)}"
    )
    if dates := told.check.describe(told.selectors):
        said += f"; deciding date: {scrubbed(dates, MOST_TEXT)}"
    yield f"Requested of {task}, {attempt}", said
    approval = asked.approval
    if isinstance(approval, dict) and isinstance(approval.get("chosen_options"), list):
        who = approval.get("responded_by_user")
        name = who.get("name") or who.get("id") if isinstance(who, dict) else who
        chosen = ", ".join(map(str, approval["chosen_options"]))
        said = f"{chosen}, by {name or 'an unnamed user'}, at {approval.get('responded_at')}"
        said += ", by name the one who started the run" if asked.approver_is_trigger else ""
    elif approval is not None:
        said = json.dumps(approval, ensure_ascii=False)
    else:
        said = "no approval was asked for"
    yield f"Approved for {task}, {attempt}", said


def _said_of_verification(verification: VerificationRecord) -> str:
    said = "The API no longer gives "
    if verification.records is None:
        said += "any record in the window"
    else:
        said += f"{verification.gone} of {pluralize(verification.records, 'planned record')}"
    said += f"; {verification.leads_done} of {pluralize(verification.leads, 'lead')} done"
    if verification.excluded:
        said += f", {verification.excluded} were excluded"
    if verification.unverifiable:
        said += f"; unverifiable: {'; '.join(verification.unverifiable)}"
    return f"{said}; plan with digest {verification.digest}"
