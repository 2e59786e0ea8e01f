"""Reading an evidence folder: what each run planned, asked, sent, copied and verified."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import pluralize, scrubbed

Line = tuple[str, str]
"""A heading and what is said under it."""

ORDER = ("Planned", "Asked", "Approved", "Sent", "Copied", "Verified", "Unreadable")
"""How headings begin, in the order in which they are told."""

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    zlib.error,
)
"""What reading a file raises that is damaged, or was not written by this provider."""


@dataclass
class Sent:
    """What one task (or one of its mapped parts) sent, over all its tries."""

    tries: int = 0
    resets: int = 0
    queued: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    first: str = ""
    last: str = ""

    def add(self, reset: dict[str, Any]) -> None:
        """Count a line of a report."""
        lead, sent_at, answer = str(reset["prospect_id"]), str(reset["sent_at"]), str(reset["answer"])
        self.resets += 1
        self.first = min(self.first or sent_at, sent_at)
        self.last = max(self.last, sent_at)
        if answer == "queued":
            self.queued.add(lead)
            self.refused.pop(lead, None)
        elif lead not in self.queued:
            self.refused[lead] = answer


def account_of(root: Any) -> dict[str, list[Line]]:
    """Read an evidence folder.

    :param root: a path, such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``: the ``evidence_path`` itself, or
        the folder of a DAG or of a run in it.
    :returns: for each run that has evidence (``dag/run``), what is to be said, in order.
    """
    runs: dict[str, list[Line]] = {}
    for task in sorted(_task_folders(root), key=str):
        name = "/".join(task.parts[-4:-2]) if len(task.parts) >= 4 else str(task)
        told = [(scrubbed(heading), scrubbed(said)) for heading, said in _of_task(task)]
        runs.setdefault(scrubbed(name), []).extend(told)
    for lines in runs.values():
        lines.sort(key=lambda line: ORDER.index(line[0].split()[0]))
    return runs


def _task_folders(root: Any) -> set[Any]:
    """Folders ``dag/run/task/map index`` below ``root`` that hold evidence."""
    found = set()
    for path in root.rglob("*"):
        if path.name.startswith("plan-") and path.name.endswith(".jsonl.gz"):
            found.add(path.parent)
        elif path.parent.name.startswith("try-") and path.name.endswith((".json", ".jsonl", ".jsonl.gz")):
            found.add(path.parent.parent)
    return found


def _of_task(folder: Any) -> Iterator[Line]:
    task = folder.parent.name if folder.name == "unmapped" else f"{folder.parent.name} {folder.name}"
    for path in sorted(folder.glob("plan-*.jsonl.gz"), key=str):
        yield f"Planned by {task}", _said_of_plan(path)
    sent, copied, notes = Sent(), set[tuple[str, str]](), list[str]()
    parts = 0
    tries = [path for path in folder.glob("try-*") if path.is_dir()]
    for attempt in sorted(tries, key=lambda path: (len(path.name), path.name)):
        for path in sorted(attempt.iterdir(), key=lambda path: path.name):
            try:
                if path.name == "request.json":
                    sent.tries += 1
                    yield from list(_said_of_asked(task, attempt.name, json.loads(path.read_text())))
                elif path.name.startswith("report-"):
                    for line in path.read_text().splitlines():
                        sent.add(json.loads(line))
                elif path.name.startswith("archive-"):
                    with path.open("rb") as raw, gzip.open(raw, "rt", encoding="utf-8") as lines:
                        # A retry copies again what it cannot know to be gone: each record counts once.
                        part = {(str(row["kind"]), str(row["id"])) for row in map(json.loads, lines)}
                    copied |= part
                    parts += 1
                elif path.name == "verification.json":
                    yield f"Verified by {task}", _said_of_verification(json.loads(path.read_text()))
            except UNREADABLE as error:
                notes.append(f"{attempt.name}/{path.name} cannot be read ({type(error).__name__})")
    if sent.tries or sent.resets:
        yield f"Sent by {task}", _said_of_sent(sent)
    if parts:
        kinds = Counter(kind for kind, _ in copied)
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no records"
        yield f"Copied by {task}", f"{counts}, in {pluralize(parts, 'closed part')}"
    if notes:
        yield f"Unreadable of {task}", "; ".join(notes)


def _said_of_plan(path: Any) -> str:
    try:
        plan = Plan.read(path)
        return _said_of_finished(path, plan)
    except InputError as error:
        return str(error)
    except UNREADABLE as error:
        return f"{path.name} cannot be read ({type(error).__name__})"


def _said_of_finished(path: Any, plan: Plan | None) -> str:
    if plan is None:
        return f"{path.name} was never finished and counts for nothing"
    counts = ", ".join(f"{count} {kind}" for kind, count in plan.counts.items())
    return (
        f"{counts} of {pluralize(plan.leads.count, 'lead')} at {plan.account['host']}, "
        f"created {plan.window.describe()}; "
        f"{plan.selectors.describe()}. Made at {plan.made_at.isoformat()}, digest {plan.digest}"
    )


def _said_of_asked(task: str, attempt: str, asked: dict[str, Any]) -> Iterator[Line]:
    plan = (
        f"by the plan with digest {asked['plan']['digest']}" if asked["plan"] else f"window {asked['window']}"
    )
    sent = asked["sent"]
    said = (
        f"{pluralize(asked['leads'], 'lead')} at {asked['account']}, {plan}, "
        f"sent as {sent['FromDate']} to {sent['ToDate']} UTC; {json.dumps(asked['selectors'])}"
    )
    yield f"Asked of {task}, {attempt}", said
    approval = asked["approval"]
    if isinstance(approval, dict) and "chosen_options" in approval:
        who = approval.get("responded_by_user")
        name = who.get("name") or who.get("id") if isinstance(who, dict) else who
        chosen = ", ".join(approval["chosen_options"])
        said = f"{chosen}, by {name or 'an unnamed user'}, at {approval.get('responded_at')}"
        yield f"Approved for {task}, {attempt}", said
    elif approval is not None:
        yield f"Approved for {task}, {attempt}", json.dumps(approval, ensure_ascii=False)
    else:
        yield f"Approved for {task}, {attempt}", "no approval was asked for"


def _said_of_sent(sent: Sent) -> str:
    said = f"{pluralize(sent.resets, 'reset')} in {pluralize(sent.tries, 'try', 'tries')}: "
    said += f"{pluralize(len(sent.queued), 'lead')} queued by LeadSquared"
    if sent.resets:
        said += f", from {sent.first} to {sent.last}"
    if sent.refused:
        leads = "; ".join(f"{lead}: {why}" for lead, why in sorted(sent.refused.items())[:20])
        said += f". {pluralize(len(sent.refused), 'lead')} not: {leads}"
    return said


def _said_of_verification(verification: dict[str, Any]) -> str:
    said = f"{verification['gone']} of {verification['records']} planned records are gone, "
    said += f"{verification['leads_done']} of {verification['leads']} leads are done"
    if verification["unverifiable"]:
        said += f"; not provable: {', '.join(verification['unverifiable'])} audits"
    return f"{said}; plan with digest {verification['digest']}"
