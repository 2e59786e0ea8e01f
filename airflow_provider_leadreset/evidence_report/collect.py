"""Reading an evidence folder: what each run planned, asked, sent, copied and verified."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from airflow_provider_leadreset.evidence_report.evidence_files import UNREADABLE, read_object, read_objects
from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize, quoted, scrubbed

Line = tuple[str, str]
"""A heading and what is said under it."""

ORDER = ("Planned", "Requested", "Approved", "Sent", "Copied", "Verified", "Unreadable")
"""How headings begin, in the order in which they are told."""

MOST_SAID = 4000
"""Characters that are said under one heading; what is longer is cut."""

MOST_REMEMBERED = 1000
"""Refused leads that are remembered, so that those can be named that stay refused."""

MOST_NAMED = 20
"""How many refused leads, unreadable files and kinds of records are named."""

MOST_KIND = 40
"""Characters of the name of a kind of records; a longer one is none."""


class Sent:
    """What one task (or one of its mapped parts) sent, over all its tries, in flat memory."""

    def __init__(self) -> None:
        self.tries = 0
        self.resets = 0
        self.queued = DistinctKeys()
        self.leads = DistinctKeys()
        self.refused: dict[str, str] = {}
        self.first = ""
        self.last = ""

    def add(self, reset: dict[str, Any]) -> None:
        """Count a line of a report."""
        lead, sent_at, answer = (str(reset[name])[:500] for name in ("prospect_id", "sent_at", "answer"))
        self.resets += 1
        self.first = min(self.first or sent_at, sent_at)
        self.last = max(self.last, sent_at)
        key = _key(lead.lower())
        self.leads.add(key)
        if answer == "queued":
            self.queued.add(key)
            self.refused.pop(lead, None)
        elif key not in self.queued and (len(self.refused) < MOST_REMEMBERED or lead in self.refused):
            self.refused[lead] = answer

    def close(self) -> None:
        """Forget it."""
        self.queued.close()
        self.leads.close()


class Copied:
    """Which records one task copied, in flat memory: a retry copies again what it cannot know to be gone."""

    def __init__(self) -> None:
        self.parts = 0
        self.kinds: Counter[str] = Counter()
        self._records = DistinctKeys()

    def add_part(self, path: Any) -> None:
        """Count a part of an archive, whole or not at all.

        :raises InputError: it cannot be read.
        """
        for row in read_objects(path):
            _kind_and_id(row)
        for kind, id_ in map(_kind_and_id, read_objects(path)):
            if kind not in self.kinds and len(self.kinds) == MOST_NAMED:
                raise InputError(f"there are more than {MOST_NAMED} kinds of records")
            self.kinds[kind] += self._records.add(_key(f"{kind} {id_}"))
        self.parts += 1

    def close(self) -> None:
        """Forget it."""
        self._records.close()


def _key(text: str) -> bytes:
    # Half of an emoji, cut off by LeadSquared, is text that no encoding takes.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _kind_and_id(row: dict[str, Any]) -> tuple[str, str]:
    kind, id_ = row["kind"], row["id"]
    if not isinstance(kind, str) or len(kind) > MOST_KIND or not kind.isidentifier():
        raise InputError(f"{quoted(kind)} is no kind of records")
    return kind, str(id_)


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
        lines.sort(key=lambda line: ORDER.index(line[0].split()[0]))
    return runs


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}… ({len(text)} characters)"


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
    with closing(Sent()) as sent, closing(Copied()) as copied:
        notes: list[str] = []
        unreadable = 0
        tries = [path for path in folder.glob("try-*") if path.is_dir()]
        for attempt in sorted(tries, key=lambda path: (len(path.name), path.name)):
            for path in sorted(attempt.iterdir(), key=lambda path: path.name):
                try:
                    yield from list(_read(task, attempt.name, path, sent, copied))
                except UNREADABLE as error:
                    unreadable += 1
                    if len(notes) < MOST_NAMED:
                        notes.append(f"{attempt.name}/{path.name} cannot be read ({_why(error)})")
        if sent.tries or sent.resets:
            yield f"Sent by {task}", _said_of_sent(sent)
        if copied.parts:
            counts = (
                ", ".join(f"{count} {kind}" for kind, count in sorted(copied.kinds.items())) or "no records"
            )
            yield f"Copied by {task}", f"{counts}, in {pluralize(copied.parts, 'closed part')}"
        if notes:
            more = f"; and {unreadable - len(notes)} more" if unreadable > len(notes) else ""
            yield f"Unreadable of {task}", "; ".join(notes) + more


def _read(task: str, attempt: str, path: Any, sent: Sent, copied: Copied) -> Iterator[Line]:
    """Read one file of a try."""
    if path.name == "request.json":
        sent.tries += 1
        yield from _said_of_request(task, attempt, read_object(path))
    elif path.name.startswith("report-"):
        for line in read_objects(path):
            sent.add(line)
    elif path.name.startswith("archive-"):
        copied.add_part(path)
    elif path.name == "verification.json":
        yield f"Verified by {task}", _said_of_verification(read_object(path))


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


def _said_of_request(task: str, attempt: str, asked: dict[str, Any]) -> Iterator[Line]:
    plan = (
        f"by the plan with digest {asked['plan']['digest']}" if asked["plan"] else f"window {asked['window']}"
    )
    sent = asked["sent"]
    said = (
        f"{pluralize(asked['leads'], 'lead')} at {asked['account']}, {plan}, "
        f"sent as {sent['FromDate']} to {sent['ToDate']} UTC; {json.dumps(asked['selectors'])}"
    )
    yield f"Requested of {task}, {attempt}", said
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
        leads = "; ".join(f"{lead}: {why}" for lead, why in sorted(sent.refused.items())[:MOST_NAMED])
        said += f". {pluralize(len(sent.leads) - len(sent.queued), 'lead')} not: {leads}"
    return said


def _said_of_verification(verification: dict[str, Any]) -> str:
    said = f"{verification['gone']} of {verification['records']} planned records are gone, "
    said += f"{verification['leads_done']} of {verification['leads']} leads are done"
    if verification["unverifiable"]:
        said += f"; unverifiable: {'; '.join(verification['unverifiable'])}"
    return f"{said}; plan with digest {verification['digest']}"
