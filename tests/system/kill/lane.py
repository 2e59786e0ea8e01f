"""Playing rounds, one after the other, against one account."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import psutil
from archives import Archive, Archived, Look
from evidence import Told, check, read_evidence
from plans import LATENCY, Plan, draw, draw_archived
from results import Result
from stage import EVIDENCE, Account, Stage, is_reset
from victims import TaskProcesses, is_at_work

from support.processes import MARK, RunError

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
    :param told: what the evidence told.
    """

    accepted: list[str]
    saved: set[str]
    alive: bool
    told: Told


class Lane:
    """One DAG with an account to itself.

    :param number: from 1.
    :param stopped: ends all waiting.
    :param archived: whether its resets keep copies.
    :param kept: whether its resets keep evidence.
    :param retried: whether its tasks have retries.
    """

    def __init__(
        self,
        stage: Stage,
        number: int,
        stopped: threading.Event,
        *,
        archived: bool,
        kept: bool = True,
        retried: bool = True,
    ) -> None:
        self._kept = kept
        self._retried = retried
        self.number = number
        self.dag_id = f"kill_{number}"
        self._processes = stage.processes
        self._airflow = stage.airflow_api()
        self._airflow.log_in()
        self._account = Account(stage.account_urls[number - 1])
        self._stopped = stopped
        self._draw = draw_archived if archived else draw
        self._run_id = ""
        self._seen: dict[int, psutil.Process] = {}

    def play(self, seed: int, number: int, *, orphaned: bool) -> Result:
        """Play a round; again, with another drawing, as long as the kill comes too late."""
        for attempt in range(_LATE_KILLS):
            if result := self._round(self._draw(seed, number, attempt, orphaned=orphaned), attempt):
                return result
        raise RunError(f"round {number}: {_LATE_KILLS} kills came after the task's end")

    def clear(self) -> tuple[int, int]:
        """Clear the task of the last round; return how many leads that had, and how many were reset again, once."""
        before = Counter(self._account.accepted())
        self._wait("the Clear", lambda: self._airflow.clear(self.dag_id, self._run_id, "reset"))
        self._wait("the end of the cleared task", self._ended)
        again = Counter(self._account.accepted()) - before
        return len(before), sum(again[lead] == 1 for lead in before)

    def _round(self, plan: Plan, attempt: int) -> Result | None:
        self._run_id = f"round-{plan.number}-{attempt + 1}"
        self._seen.clear()
        archive = Archive(self._account, plan, self._run_id) if plan.archived else None
        leads = archive.leads if archive else self._account.seed(plan.leads)
        self._wait(
            "the beginning",
            lambda: (
                self._airflow.ask("GET", self._path)
                or self._airflow.start_run(self.dag_id, self._run_id, {"leads": leads})
            ),
        )
        task = self._wait("the task's processes", self._task_processes)
        since = self._wait("the first call", self._account.calls, every=0.05)[0]["arrived"]
        if plan.after_calls is not None:
            wanted = plan.after_calls
            count = self._account.called if archive else self._account.resets
            self._wait(f"call {wanted}", lambda: count() >= wanted, every=0.03)
            since = time.monotonic()
        # The emulator stamps calls with the same clock, which all processes of a machine share.
        self._stopped.wait(max(0.0, since + plan.then_seconds - time.monotonic()))
        killed_at = time.time()
        resets = self._account.resets()
        before, at_kill, resetting = None, None, False
        if task.kill(plan.victim):
            if archive:
                at_kill, resetting = self._after_kill(archive, task, plan)
            before = self._until_retried(leads, task)
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
            archived=Archived(resetting, at_kill, archive.look()) if archive and at_kill else None,
            evidence=check(before.told, read_evidence(EVIDENCE / self._run_id), set(accepted))
            if self._kept
            else None,
            retried=self._retried,
        )

    def _after_kill(self, archive: Archive, task: TaskProcesses, plan: Plan) -> tuple[Look, bool]:
        """Look at the archive before the retry; say too whether the last call was a reset."""
        resetting = is_reset(self._account.calls()[-1])
        if plan.victim != "supervisor":
            self._wait("the process's death", lambda: not task.runs(), every=0.01)
        # What was on its way is carried out, although nobody waits for the answer any more.
        self._stopped.wait(LATENCY)
        return archive.look(), resetting

    def _until_retried(self, leads: list[str], old: TaskProcesses) -> _Before | None:
        """Wait for the second try; return how things stood before it. None if the task had ended before the kill."""
        before = _Before([], set(), alive=True, told=Told())

        def retried() -> str | None:
            nonlocal before
            # Looked at before the question whether the retry runs: so it did not at that time.
            alive = old.runs()
            told = read_evidence(EVIDENCE / self._run_id)
            # Progress is what was told before the server is asked what it accepted.
            now = _Before(self._account.accepted(), self._saved(leads, told), alive, told)
            task = self._task()
            if not self._retried and task["state"] == "failed":
                before = now
                return "retried"
            if task["try_number"] == 1 and task["state"] in {"success", "failed"}:
                return "ended"
            if task["try_number"] == 1 or task["state"] in {None, "scheduled", "queued"}:
                before = now
                return None
            return "retried"

        return before if self._wait("the retry", retried) == "retried" else None

    def _saved(self, leads: list[str], told: Told) -> set[str]:
        if self._kept:
            return set(told.done)
        found = self._airflow.ask("GET", f"{self._path}/taskInstances/reset/state-store")
        saved: set[str] = set()
        for entry in found["task_state_store"] if found else []:
            for kind in ("queued", "failed", "unknown"):
                for start, end in entry["value"].get(kind, []):
                    saved.update(leads[start:end])
        return saved

    def _task_processes(self) -> TaskProcesses | None:
        task = self._task()
        if not task or task["state"] != "running" or not task["pid"]:
            return None
        try:
            return TaskProcesses.of(task["pid"], self._processes)
        except psutil.NoSuchProcess as error:
            raise RunError(f"{self._run_id}: the task ended at once, see .kill/airflow/logs") from error

    @property
    def _path(self) -> str:
        return f"/dags/{self.dag_id}/dagRuns/{self._run_id}"

    def _task(self) -> dict[str, Any]:
        task: dict[str, Any] = self._airflow.ask("GET", f"{self._path}/taskInstances/reset")
        return task

    def _ended(self) -> dict[str, Any] | None:
        """Return the run once it has ended, and no process of its task that Airflow has named is at work any more.

        On Airflow 2 all tries of a task are one row. A first process that outlives its supervisor ends the run there,
        while the retry beside it runs on. That one would then end the run once more: in the middle of a cleared try.
        """
        task = self._task()
        if task and task["pid"] and task["pid"] not in self._seen:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(task["pid"])
                if process.environ().get(MARK) == self._processes.mark:
                    self._seen[process.pid] = process
        run: dict[str, Any] = self._airflow.ask("GET", self._path)
        if run["state"] not in {"success", "failed"} or any(map(is_at_work, self._seen.values())):
            return None
        return run

    def _wait(self, what: str, ask: Callable[[], T | None], every: float = 0.25) -> T:
        def unless_stopped() -> T | None:
            if self._stopped.is_set():
                raise RunError("stopped")
            return ask()

        return self._processes.wait_for(
            f"{what} of {self.dag_id}, {self._run_id}", unless_stopped, _PATIENCE, every
        )
