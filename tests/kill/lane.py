"""Playing rounds, one after the other, against one account."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import psutil
from local_airflow import Account, Airflow, Stage
from plans import LATENCY, Plan, draw
from processes import FleetError
from results import Result
from victims import TaskProcesses

_PATIENCE = 180.0
"""Seconds for anything that is waited for; all of it takes a tenth of that."""

_LATE_KILLS = 10
"""So many kills of one round may come when the task has ended."""

T = TypeVar("T")


@dataclass(frozen=True)
class _Before:
    """How things stood when the first try was over and the retry had not begun.

    :param accepted: the lead of each reset accepted until then.
    :param saved: the leads that the stored progress has as done.
    :param alive: whether the first try's process was still there.
    """

    accepted: list[str]
    saved: set[str]
    alive: bool


class Lane:
    """One DAG with an account to itself.

    :param number: from 1.
    :param stopped: ends all waiting.
    """

    def __init__(self, stage: Stage, number: int, stopped: threading.Event) -> None:
        self.number = number
        self.dag_id = f"kill_{number}"
        self._processes = stage.processes
        self._airflow = Airflow(stage.airflow_url)
        self._airflow.log_in()
        self._account = Account(stage.account_urls[number - 1])
        self._stopped = stopped
        self._run_id = ""

    def play(self, seed: int, number: int, *, orphaned: bool) -> Result:
        """Play a round; again, with another drawing, as long as the kill comes too late."""
        for attempt in range(_LATE_KILLS):
            if result := self._round(draw(seed, number, attempt, orphaned=orphaned), attempt):
                return result
        raise FleetError(f"round {number}: {_LATE_KILLS} kills came after the task's end")

    def clear(self) -> tuple[int, int]:
        """Clear the task of the last round; give how many leads that had, and how many were reset again, once."""
        before = Counter(self._account.accepted())
        body = {
            "dry_run": False,
            "dag_run_id": self._run_id,
            "task_ids": ["reset"],
            "only_failed": False,
        }
        self._wait(
            "the Clear", lambda: self._airflow.ask("POST", f"/dags/{self.dag_id}/clearTaskInstances", body)
        )
        self._wait("the end of the cleared task", self._ended)
        again = Counter(self._account.accepted()) - before
        return len(before), sum(again[lead] == 1 for lead in before)

    def _round(self, plan: Plan, attempt: int) -> Result | None:
        leads = self._account.seed(plan.leads)
        self._run_id = f"round-{plan.number}-{attempt + 1}"
        wanted_run = {"dag_run_id": self._run_id, "logical_date": None, "conf": {"leads": leads}}
        self._wait(
            "the beginning",
            lambda: (
                self._airflow.ask("GET", self._path)
                or self._airflow.ask("POST", f"/dags/{self.dag_id}/dagRuns", wanted_run)
            ),
        )
        task = self._wait("the task's processes", self._task_processes)
        since = self._wait("the first call", self._account.calls, every=0.05)[0]["arrived"]
        if plan.after_calls is not None:
            wanted = plan.after_calls
            self._wait(f"{wanted} resets", lambda: self._account.resets() >= wanted, every=0.03)
            since = time.monotonic()
        # The emulator stamps calls with the same clock, which all processes of a machine share.
        self._stopped.wait(max(0.0, since + plan.then_seconds - time.monotonic()))
        killed_at = time.time()
        resets = self._account.resets()
        before = self._until_retried(leads, task) if task.kill(plan.victim) else None
        run = self._wait("the end of the DAG run", self._ended)
        if before is None:
            return None
        self._wait("the end of the old process", lambda: not task.runs())
        # What was on its way when its sender died is in the record once it would have been answered.
        self._stopped.wait(2 * LATENCY)
        last = self._task()
        accepted = Counter(self._account.accepted())
        # Beside an old process that runs on, every lead that was not saved may be called twice.
        repeatable = set(leads if before.alive else before.accepted)
        return Result(
            plan=plan,
            late=attempt,
            lane=self.number,
            resets_before=resets,
            state=run["state"],
            tries=last["try_number"],
            lost=sum(accepted[lead] == 0 for lead in leads),
            repeated=accepted.total() - len(accepted),
            unsaved=len(repeatable - before.saved),
            overlapped=before.alive,
            recovered=datetime.fromisoformat(last["start_date"]).timestamp() - killed_at,
        )

    def _until_retried(self, leads: list[str], old: TaskProcesses) -> _Before | None:
        """Wait for the second try; give how things stood before it. None if the task had ended before the kill."""
        before = _Before([], set(), alive=True)

        def retried() -> str | None:
            nonlocal before
            # Looked at before the question whether the retry runs: so it did not at that time.
            alive = old.runs()
            now = _Before(self._account.accepted(), self._saved(leads), alive)
            task = self._task()
            if task["try_number"] == 1 and task["state"] in {"success", "failed"}:
                return "ended"
            if task["try_number"] == 1 or task["state"] in {None, "scheduled", "queued"}:
                before = now
                return None
            return "retried"

        return before if self._wait("the retry", retried) == "retried" else None

    def _saved(self, leads: list[str]) -> set[str]:
        found = self._airflow.ask("GET", f"{self._path}/taskInstances/reset/state-store")
        saved: set[str] = set()
        for entry in found["task_state_store"] if found else []:
            for kind in ("queued", "failed"):
                for start, end in entry["value"][kind]:
                    saved.update(leads[start:end])
        return saved

    def _task_processes(self) -> TaskProcesses | None:
        task = self._task()
        if not task or task["state"] != "running" or not task["pid"]:
            return None
        try:
            return TaskProcesses.of(task["pid"], self._processes)
        except psutil.NoSuchProcess as error:
            raise FleetError(f"{self._run_id}: the task ended at once, see .kill/airflow/logs") from error

    @property
    def _path(self) -> str:
        return f"/dags/{self.dag_id}/dagRuns/{self._run_id}"

    def _task(self) -> dict[str, Any]:
        task: dict[str, Any] = self._airflow.ask("GET", f"{self._path}/taskInstances/reset")
        return task

    def _ended(self) -> dict[str, Any] | None:
        run: dict[str, Any] = self._airflow.ask("GET", self._path)
        return run if run["state"] in {"success", "failed"} else None

    def _wait(self, what: str, ask: Callable[[], T | None], every: float = 0.25) -> T:
        def unless_stopped() -> T | None:
            if self._stopped.is_set():
                raise FleetError("stopped")
            return ask()

        return self._processes.wait_for(
            f"{what} of {self.dag_id}, {self._run_id}", unless_stopped, _PATIENCE, every
        )
