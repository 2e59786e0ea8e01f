"""Runs of a made-up account as evidence keeps them, at times of its own: for the auditor's page, and pictures of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from airflow_provider_leadreset.leadsquared.api.client import Call
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder, task_folder
from airflow_provider_leadreset.leadsquared.journal.journal import Journal
from airflow_provider_leadreset.leadsquared.journal.schema import (
    ArchivedLine,
    FileDigest,
    OutcomeLine,
    PlanReference,
    Trigger,
)
from airflow_provider_leadreset.leadsquared.journal.schema_results import VerificationRecord
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.plan import PlanWriter
from support.evidence_files import a_request, a_summary

MADE_AT = datetime(2026, 10, 2, 4, 0, tzinfo=UTC)
"""When the plan is made: 09:30 in India. The approval comes 25 minutes later, the reset a minute after that."""

TOKEN = "0123abcd"
ACCOUNT = {"host": "api-in21.leadsquared.com", "code": "21438", "name": "Acme Homes"}
WINDOW = parse_window("2026-09-01/2026-10-01", timezone="Asia/Kolkata")
SELECTORS = Selectors(activity_event_list=(166, 167), should_delete_prospect_notes=True)


class Told(NamedTuple):
    """What became of a lead in a try; None as outcome: it was named for a call, and nothing more was told."""

    lead: str
    outcome: str | None
    reason: str = ""


def lead_id(number: int) -> str:
    return f"3f2504e0-4f89-41d3-9a0c-{number:012x}"


def queued(leads: Iterable[str]) -> list[Told]:
    return [Told(lead, "queued") for lead in leads]


class SampleRun:
    """A DAG run that writes its evidence.

    :param root: the evidence path.
    """

    def __init__(
        self, root: Path, *, dag_id: str = "monthly_clean_up", run_id: str = "manual__2026-10-02T04_00_00"
    ) -> None:
        self.root = root
        self.dag_id, self.run_id = dag_id, run_id
        self.digest = ""
        self.plan_path = ""

    def folder(
        self, task_id: str, *, kind: Literal["report", "archive"] = "report", map_index: int = -1
    ) -> EvidenceFolder:
        return task_folder(
            self.root, kind, dag_id=self.dag_id, run_id=self.run_id, task_id=task_id, map_index=map_index
        )

    def plan(
        self, leads: Iterable[str], *, timezone: str = "Asia/Kolkata", account_check: str | None = None
    ) -> None:
        """Write a plan: of each lead two activities and a note.

        :param account_check: the checksum of the account check that was in force.
        """
        writer = PlanWriter(
            account={"host": ACCOUNT["host"], "code": ACCOUNT["code"], "key": "0" * 16},
            made_by=[self.dag_id, self.run_id, "preview", -1],
            request_digest="0" * 64,
            window=parse_window(WINDOW.text, timezone=timezone),
            selectors=SELECTORS,
            now=MADE_AT,
            account_check=account_check,
        )
        for lead in leads:
            ids = {"activities": [f"166/{lead}-1", f"167/{lead}-2"], "notes": [f"{lead}-3"]}
            writer.add(lead, ids)
        file, self.digest = writer.finish({}, MADE_AT)
        with file:
            self.plan_path = self.folder("preview").write_file("plan-1.jsonl.gz", file)

    def reset(
        self,
        told: list[Told],
        *,
        try_number: int = 1,
        leads: int | None = None,
        minutes: int = 26,
        summary: dict[str, Any] | None,
        closed: bool = False,
        task_id: str = "reset",
        map_index: int = -1,
        copies: int = 0,
        **request: Any,
    ) -> Path:
        """Write a try of the reset; return its folder.

        :param minutes: after the plan, when it begins.
        :param summary: what its summary says beside the outcomes; None to leave it out, as a killed process does.
        :param closed: whether the last part of the journal was written all the same.
        :param copies: records of each lead that were copied.
        """
        began = MADE_AT + timedelta(minutes=minutes)
        folder = self.folder(task_id, map_index=map_index).folder(f"try-{try_number}")
        values: dict[str, Any] = {
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": task_id,
            "map_index": map_index,
            "try_number": try_number,
            "asked_at": began.isoformat(timespec="seconds"),
            "account": ACCOUNT,
            "leads": len(told) if leads is None else leads,
            "selectors": SELECTORS.arguments(),
            "window": WINDOW.text,
            "sent": {"FromDate": WINDOW.from_date, "ToDate": WINDOW.to_date},
            "plan": PlanReference(path=self.plan_path, digest=self.digest) if self.digest else None,
            "archive": bool(copies),
            "reason": "Test calls of the September import, ticket CRM-17",
            "approval": answer("Meera Iyer"),
            "approver_is_trigger": False,
            "trigger": Trigger(run_type="manual", user="asha"),
        }
        asked = a_request(**{**values, **request})
        first = folder.write(f"{TOKEN}-request.json", asked.as_line())
        journal = Journal(folder, token=TOKEN, first=first, ahead=25, later_try=lambda: None)
        if copies:
            journal.archived(self._copy([one.lead for one in told], copies, try_number, task_id, map_index))
        for index, one in journal.written_ahead(enumerate(told), lambda item: (item[0], item[1].lead)):
            self._tell(journal, index, one, began + timedelta(seconds=10 + index / 5))
        if closed or summary is not None:
            journal.close()
        if summary is not None:
            counts = {name: sum(one.outcome == name for one in told) for name in a_counts()}
            said = {**counts, "leads": asked.leads, **summary}
            folder.write(f"{TOKEN}-summary.json", a_summary(journal.files, **said).as_line())
        return Path(str(folder))

    def verification(self, *, leads: int, records: int, gone: int | None = None, **values: Any) -> None:
        """Write what the sensor found."""
        at = (MADE_AT + timedelta(minutes=41)).isoformat()
        made_up = {
            "verified_at": at,
            "leads_done": leads,
            "left": {},
            "unverifiable": [],
            "unknown_leads": [],
        }
        record = VerificationRecord(
            plan=self.plan_path,
            digest=self.digest,
            account=ACCOUNT["host"],
            leads=leads,
            records=records,
            gone=records if gone is None else gone,
            **{**made_up, **values},
        )
        self.folder("verify").folder("try-1").write(f"{TOKEN}-verification.json", record.as_line())

    def _tell(self, journal: Journal, index: int, one: Told, at: datetime) -> None:
        if one.outcome is None:
            return
        if one.outcome not in {"not_reached", "nothing_to_reset", "excluded"}:
            error = None if one.outcome == "queued" else LeadRejectedError(one.reason)
            journal.called(Call(one.lead, at, 0.1, error))
        final = one.outcome not in {"not_reached", "unanswered"}
        line = {"index": index, "prospect_id": one.lead, "outcome": one.outcome, "reason": one.reason}
        journal.ended(OutcomeLine.model_validate({**line, "final": final}))

    def _copy(
        self, leads: list[str], records: int, try_number: int, task_id: str, map_index: int
    ) -> ArchivedLine:
        rows = [{"kind": "activities", "id": f"{lead}-{one}"} for lead in leads for one in range(records - 1)]
        rows += [{"kind": "notes", "id": f"{lead}-3"} for lead in leads]
        data = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows), mtime=0)
        name = f"{TOKEN}-archive-00001.jsonl.gz"
        archive = self.folder(task_id, kind="archive", map_index=map_index).folder(f"try-{try_number}")
        file: FileDigest = archive.write(name, data)
        return ArchivedLine(file=file, leads=len(leads), records=len(rows))


def answer(name: str, *, minutes: int = 25) -> dict[str, Any]:
    """Return an ApprovalOperator's output."""
    return {
        "chosen_options": ["Approve"],
        "params_input": {},
        "responded_by_user": {"id": "7", "name": name},
        "responded_at": (MADE_AT + timedelta(minutes=minutes)).isoformat(),
        "timedout": False,
    }


def a_counts() -> tuple[str, ...]:
    return ("queued", "failed", "unknown", "unanswered", "nothing_to_reset", "excluded", "not_reached")


def done_and_verified(root: Path, leads: int = 12) -> SampleRun:
    """A run of which all is queued, copied and gone."""
    run = SampleRun(root)
    ids = [lead_id(one) for one in range(leads)]
    run.plan(ids)
    run.reset(queued(ids), summary={}, copies=3)
    run.verification(leads=leads, records=3 * leads)
    return run


def partly_done(root: Path, leads: int = 40) -> SampleRun:
    """A run with a killed try, failed and unanswered leads, and a part of its journal that was torn since."""
    run = SampleRun(root, run_id="scheduled__2026-10-01T18_30_00")
    ids = [lead_id(one) for one in range(leads)]
    run.plan(ids)
    scheduled: dict[str, Any] = {"trigger": Trigger(run_type="scheduled"), "approver_is_trigger": None}
    held = "holds 1 record that the plan does not show: activity 167/9b1c of 2026-10-02 09:41:07"
    first = queued(ids)
    first[3] = Told(ids[3], "failed", held)
    first[11] = Told(ids[11], "failed", "HTTP 500, MXInvalidInputException: the lead is locked by an import")
    first[17] = Told(ids[17], "unknown", "the account has no such lead")
    folder = run.reset(first, summary=None, closed=True, copies=3, **scheduled)
    part = folder / f"{TOKEN}-00003.jsonl"  # tells of all after the first 25
    part.write_bytes(part.read_bytes()[:-40])
    told = [
        *queued(ids[25:-1]),
        Told(ids[-1], "unanswered", "the connection was closed before an answer came"),
    ]
    summary = {"queued": leads - 4, "failed": 2, "unknown": 1, "unanswered": 1}
    run.reset(told, try_number=2, leads=leads, minutes=37, summary=summary, **scheduled)
    return run


def nothing_sent(root: Path, leads: int = 12) -> SampleRun:
    """A run that was approved, and ended before its first call."""
    run = SampleRun(root, dag_id="erase_on_request", run_id="manual__2026-10-02T04_00_00")
    ids = [lead_id(one) for one in range(leads)]
    run.plan(ids)
    run.reset(
        [Told(lead, "not_reached") for lead in ids],
        summary={"stopped_because": "interrupted by AirflowTaskTimeout"},
        approval={"approved": True, "by": "asha", "at": "2026-10-02T04:20:00+00:00", "ticket": "CRM-18"},
        approver_is_trigger=True,
        reason="Erasure request 2026-118",
        rules={"resets": True, "require": ["plan", "approval"]},
    )
    return run
