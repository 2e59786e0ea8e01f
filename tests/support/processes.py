"""Processes that are started together, watched together, and of which none outlives the run."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import TypeVar

import psutil
import requests

MARK = "LEADRESET_RUN"
"""The variable that marks every process of a run, grandchildren included. Airflow's tasks have their own
sessions, and those of a killed worker no parent, so neither process groups nor parents find them."""

_POLL = 0.2
_GRACE = 15.0
_SWEEP = 5.0

T = TypeVar("T")


class RunError(Exception):
    """Something could not be set up, or did not do what it was waited for."""


class Processes:
    """A group of processes, each with a log file.

    :param logs: folder for the logs.
    :param mark: tells this run's processes from any other's.
    :param environment: what all of them get.
    :param grace: seconds they have to end by themselves once asked.
    """

    def __init__(self, logs: Path, mark: str, environment: Mapping[str, str], grace: float = _GRACE) -> None:
        self.logs = logs
        self.grace = grace
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
            sweep(self.mark, min(_SWEEP, self.grace))

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
            raise RunError(f"{name} {how}: {self.log(name)}\n{self.last_lines(name)}")
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
                raise RunError(
                    f"{name} ended with status {process.returncode}: {self.log(name)}\n{self.last_lines(name)}"
                )

    def wait_for(self, what: str, ask: Callable[[], T | None], seconds: float, every: float = _POLL) -> T:
        """Ask until something comes of it. Being refused a connection is a "not yet", a dead process is not."""
        return wait_for(what, ask, seconds, every, self.check)

    def stop(self) -> None:
        """Ask all processes to end, and end those that do not in time, as workers with a task to finish."""
        running = [process for process in self.started.values() if process.poll() is None]
        for process in reversed(running):
            process.terminate()
        deadline = time.monotonic() + self.grace
        while time.monotonic() < deadline and any(process.poll() is None for process in running):
            time.sleep(_POLL)
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.started.clear()


def wait_for(
    what: str,
    ask: Callable[[], T | None],
    seconds: float,
    every: float = _POLL,
    check: Callable[[], object] = lambda: None,
) -> T:
    """Ask until something comes of it. Being refused a connection is a "not yet".

    :param check: raises when there is no use in waiting on.
    """
    deadline = time.monotonic() + seconds
    while True:
        check()
        reason = ""
        try:
            if answer := ask():
                return answer
        except (requests.RequestException, OSError) as error:
            reason = f": {error}"
        if time.monotonic() > deadline:
            raise RunError(f"waited {seconds:g} s in vain for {what}{reason}")
        time.sleep(every)


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


def sweep(mark: str, grace: float = _SWEEP) -> None:
    """End whatever bears the mark; the last round is for what was being born during the one before.

    :param grace: seconds after each round.
    """
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        left = leftovers(mark)
        for process in left:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=grace)


@contextmanager
def only_one(home: Path) -> Generator[None, None, None]:
    """Keep a second run of this checkout from using the same folder; one that was killed holds nothing up."""
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{home.name}/ is in use by another run: wait for it or stop it") from None
        yield


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on, each another."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals(say: Callable[[str], object]) -> None:
    """Let the signals that end a command leave all contexts first, once."""

    def end(number: int, _frame: FrameType | None) -> None:
        for later in _SIGNALS:
            signal.signal(
                later, lambda *_: None
            )  # stopping everything takes a while, and must not be cut short
        say("Stopping everything")
        sys.exit(128 + number)

    for number in _SIGNALS:
        signal.signal(number, end)
