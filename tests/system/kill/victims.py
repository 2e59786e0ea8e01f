"""The processes of a running task, and killing them as the kernel does when memory runs out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import psutil
from plans import Victim

from support.processes import MARK, Processes, RunError


@dataclass(frozen=True)
class TaskProcesses:
    """A task under the LocalExecutor.

    :param runner: runs the operator.
    :param supervisor: its parent, one of the executor's workers: sends heartbeats, reports the end.
    """

    runner: psutil.Process
    supervisor: psutil.Process

    @classmethod
    def of(cls, pid: int, processes: Processes) -> TaskProcesses:
        """Find them.

        :param pid: what Airflow has as the task's.
        :param processes: what was started here; nothing else is ever killed.
        """
        runner = psutil.Process(pid)
        supervisor = runner.parent()
        if supervisor is None or supervisor.pid in {one.pid for one in processes.started.values()}:
            raise RunError(f"process {pid} has no supervisor to itself")
        for process in (runner, supervisor):
            if process.environ().get(MARK) != processes.mark:
                raise RunError(f"process {process.pid} was not started here")
        return cls(runner, supervisor)

    def kill(self, victim: Victim) -> bool:
        """Kill; return whether the task was still running.

        The supervisor is stopped meanwhile. It can then neither report the runner's death, where both are to die
        at once, nor turn to the executor's queue: a worker that dies there takes the queue's lock along, and
        no other worker would get a task any more.
        """
        try:
            self.supervisor.suspend()
        except psutil.NoSuchProcess:
            return False
        try:
            if not self.runs():
                return False
            if victim != "supervisor":
                self.runner.kill()
            if victim != "runner":
                self.supervisor.kill()
        finally:
            with suppress(psutil.NoSuchProcess):
                self.supervisor.resume()
        return True

    def runs(self) -> bool:
        """Return whether the runner is still there."""
        return is_at_work(self.runner)


def is_at_work(process: psutil.Process) -> bool:
    """Return whether a process is still there, and no mere entry that its parent has not asked for."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
