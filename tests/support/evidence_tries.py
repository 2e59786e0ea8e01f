"""Tries as a run leaves them in its evidence folder, written without a run."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.journal import Journal
from airflow_provider_leadreset.leadsquared.journal.schema import ArchivedLine, FileDigest, OutcomeLine
from support.evidence_files import a_request, a_summary

LEADS = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(30)]
TOKEN, OTHER = "0123abcd", "ffff0000"


def json_lines(*rows: object) -> bytes:
    """Return rows as lines of JSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def index_of(lead: str) -> int:
    """Return the place of a lead in the batches of these tries."""
    return LEADS.index(lead.lower()) if lead.lower() in LEADS else 0


def write_try(
    task: Path,
    number: int,
    outcomes: list[tuple[str, str, str]],
    *,
    token: str = TOKEN,
    named: tuple[str, ...] = (),
    copied: Iterable[object] = (),
    leads: int = 3,
    summary: bool = True,
    **request: Any,
) -> Path:
    """Write a try as a run does.

    :param outcomes: lead, outcome and reason.
    :param named: leads that are named, and of which nothing more is told.
    :param copied: rows of a part of the archive.
    """
    folder = EvidenceFolder(task / f"try-{number}")
    asked = a_request(try_number=number, leads=leads, **request)
    first = folder.write(f"{token}-request.json", asked.as_line())
    journal = Journal(folder, token=token, first=first, ahead=50, later_try=lambda: None)
    copies: list[FileDigest] = []
    if rows := list(copied):
        part = write_copies(task, number, "00001", *rows, token=token)
        copies.append(FileDigest(name=part.name, sha256=hashlib.sha256(part.read_bytes()).hexdigest()))
        journal.archived(ArchivedLine(file=copies[0], leads=len(outcomes), records=len(rows)))
    given = [*(lead for lead, *_ in outcomes), *named]
    for lead in journal.written_ahead(given, lambda lead: (index_of(lead), lead)):
        for other, outcome, reason in outcomes:
            if other == lead:
                if outcome not in {"not_reached", "nothing_to_reset", "excluded"}:
                    error = None if outcome == "queued" else LeadRejectedError(reason)
                    journal.called(Call(lead, datetime(2026, 10, 2, tzinfo=UTC), 0.1, error))
                final = outcome not in {"not_reached", "unanswered"}
                index = index_of(lead)
                journal.ended(
                    OutcomeLine(index=index, prospect_id=lead, outcome=outcome, reason=reason, final=final)  # type: ignore[arg-type]
                )
    journal.close()
    if summary:
        folder.write(f"{token}-summary.json", a_summary(journal.files, archive_files=copies).as_line())
    return task / f"try-{number}"


def write_copies(task: Path, number: int, name: str, *rows: object, token: str = TOKEN) -> Path:
    """Write a part of the archive of a try."""
    path = (
        Path(str(task).replace("/report/", "/archive/"))
        / f"try-{number}"
        / f"{token}-archive-{name}.jsonl.gz"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json_lines(*rows)))
    return path
