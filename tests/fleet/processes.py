"""Processes that are started together, watched together, and of which none outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import psutil
import requests

MARK = "LEADRESET_FLEET"
"""The variable that marks every process of a fleet, grandchildren included. Airflow's tasks have their own
sessions, and those of a killed worker no parent, so neither process groups nor parents find them."""

_POLL = 0.2
_GRACE = 15.0

T = TypeVar("T")


class FleetError(Exception):
    """The fleet could not be set up, or did not do what it was waited for."""


class Processes:
    """A group of processes, each with a log file.

    :param logs: folder for the logs.
    :param mark: tells this fleet's processes from any other's.
    :param environment: what all of them get.
    """

    def __init__(self, logs: Path, mark: str, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self.mark = mark
        self.environment = dict(environment)
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            sweep(self.mark)

    def start(self, name: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start a process in a session of its own, so that a Ctrl-C reaches it only through :meth:`stop`."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Airflow and Celery write titles for `ps` over a process's environment, unless this says not to.
                env={**self.environment, **environment, MARK: self.mark, "SPT_NOENV": "1"},
                start_new_session=True,
            )
        self.started[name] = process
        return process

    def run(self, name: str, command: list[str], seconds: float) -> None:
        """Run a command to its end, which must be a good one."""
        process = self.start(name, command)
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        if status != 0:
            how = f"did not end in {seconds:g} s" if status is None else f"ended with status {status}"
            raise FleetError(f"{name} {how}: {self.log(name)}\n{self.last_lines(name)}")
        del self.started[name]

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.logs / f"{name}.log"

    def last_lines(self, name: str) -> str:
        """The end of a process's log."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-15:])

    def check(self) -> None:
        """Raise if a process has ended."""
        for name, process in self.started.items():
            if process.poll() is not None:
                raise FleetError(
                    f"{name} ended with status {process.returncode}: {self.log(name)}\n{self.last_lines(name)}"
                )

    def wait_for(self, what: str, ask: Callable[[], T | None], seconds: float, every: float = _POLL) -> T:
        """Ask until something comes of it. Being refused a connection is a "not yet", a dead process is not."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            reason = ""
            try:
                if answer := ask():
                    return answer
            except (requests.RequestException, OSError) as error:
                reason = f": {error}"
            if time.monotonic() > deadline:
                raise FleetError(f"waited {seconds:g} s in vain for {what}{reason}")
            time.sleep(every)

    def stop(self) -> None:
        """Ask all processes to end, and end those that do not in time, as workers with a task to finish."""
        running = [process for process in self.started.values() if process.poll() is None]
        for process in reversed(running):
            process.terminate()
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline and any(process.poll() is None for process in running):
            time.sleep(_POLL)
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.started.clear()


def leftovers(mark: str) -> list[psutil.Process]:
    """Every process that bears the mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:  # not ours to read, or gone meanwhile
            continue
    return found


def sweep(mark: str) -> None:
    """End whatever bears the mark; the last round is for what was being born during the one before."""
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        left = leftovers(mark)
        for process in left:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=5)
