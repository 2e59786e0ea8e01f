"""Tries of one reset, called as Airflow calls them, against an emulator, and what each leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from support.evidence_files import objects_in
from support.task_context import StateStore, task_context

IN_WINDOW = "2026-09-15 10:00:00"


class ResetTask:
    """One task of one run.

    :param folder: its evidence path.
    """

    def __init__(self, folder: Path, *, run_id: str = "r", **arguments: Any) -> None:
        self.folder = folder
        self.run_id = run_id
        self.max_tries = 3
        self.arguments = {
            "activity_event_list": [166],
            "window": "2026-09-01/2026-10-01",
            "evidence_path": str(folder),
            **arguments,
        }
        self.xcom: dict[str, Any] = {}
        self.events: dict[str, Any] = {}

    def run(self, try_number: int, **arguments: Any) -> dict[str, Any]:
        """Run a try; return its summary, or raise what it ends with."""
        self.xcom = {}
        ti = SimpleNamespace(
            dag_id="d",
            run_id=self.run_id,
            task_id="t",
            map_index=-1,
            try_number=try_number,
            max_tries=self.max_tries,
            xcom_push=lambda *, key, value: self.xcom.update({key: value}),
        )
        run = SimpleNamespace(
            clear_number=0, run_type="manual", triggering_user_name="Asha", run_after=datetime.now(UTC)
        )
        task = LeadResetOperator(task_id="t", **{**self.arguments, **arguments})
        context: Any = {"ti": ti, "dag_run": run}
        returned = task.execute(context)
        assert "return_value" not in self.xcom, "Airflow keeps what is returned"
        ti.xcom_push(key="return_value", value=returned)
        return returned

    def plan(self, leads: list[str]) -> dict[str, Any]:
        """Return a preview's output of the same run, with a plan."""
        what = {name: self.arguments[name] for name in ("activity_event_list", "window", "evidence_path")}
        preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=leads, **what)
        return preview.execute(task_context("preview", run_id=self.run_id))

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of the last try, as XCom has it."""
        found: dict[str, Any] = self.xcom["return_value"]
        return found

    def lines(self, kind: str, try_number: int | str = "*") -> list[dict[str, Any]]:
        """Return the lines of a kind in the journals of a try, or of all."""
        found = objects_in(self.folder, f"report/*/*/*/*/try-{try_number}/*-0????.jsonl")
        return [line for line in found if line["line"] == kind]

    def named(self) -> set[str]:
        """Return the leads that closed parts name."""
        return {lead for line in self.lines("named") for _, lead in line["leads"]}

    def told(self) -> dict[str, set[str]]:
        """Return the leads of each outcome that closed parts tell, over all tries."""
        outcomes: dict[str, set[str]] = {}
        for line in self.lines("outcome"):
            outcomes.setdefault(line["outcome"], set()).add(line["prospect_id"])
        return outcomes

    def files(self, pattern: str) -> list[Path]:
        """Return files of this task, in order."""
        return sorted(path for path in self.folder.rglob(pattern) if not path.name.startswith("."))


def make_leads(lsq: Any, count: int) -> list[str]:
    """Return new leads with an activity in the window each."""
    leads = [str(lsq.add_lead()) for _ in range(count)]
    for lead in leads:
        lsq.add_activity(lead, 166, IN_WINDOW)
    lsq.reset_calls()
    return leads


def unanswered(lsq: Any, run: Any, leads: list[str], **given: Any) -> None:
    """Run a try in which no answer comes of the first lead."""
    lsq.fault("500", times=1, prospect_id=leads[0], path="Lead.Reset")
    with pytest.raises(AirflowException):
        run(1, prospect_ids=leads, **given)
    lsq.reset_calls()


def tries_of(task: ResetTask, kept: bool, output: dict[str, Any] | None = None) -> Any:
    """Return what runs a try, with an evidence path or Airflow's store alone.

    :param output: where the summary goes, whatever the try ends with.
    """
    store, output = StateStore(), {} if output is None else output

    def run(number: int, **given: Any) -> dict[str, Any]:
        if kept:
            try:
                return task.run(number, **given)
            finally:
                output.update(task.xcom.get("return_value", {}))
        arguments = {name: value for name, value in task.arguments.items() if name != "evidence_path"}
        context = task_context(try_number=number, task_state_store=store)
        try:
            return LeadResetOperator(task_id="t", **{**arguments, **given}).execute(context)
        finally:
            output.update(context["ti"].xcoms.get("return_value", {}))

    return run
