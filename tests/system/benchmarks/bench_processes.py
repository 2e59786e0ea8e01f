"""Starting processes, ending them and all they started, and adding up what they use."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OUT = ROOT / ".bench"
"""Everything a run writes beside its result; the next run removes it."""


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment for others, without an Airflow that its user may have set up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    # Uncompiled modules would make Airflow twice as slow; a proxy cannot reach this machine's own addresses.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(HERE), "NO_PROXY": "127.0.0.1,localhost", **more}


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HERE / script), *map(str, arguments)]


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Generator[subprocess.Popen[str], None, None]:
    """Run a command in a session of its own; at the end nothing that it started is left."""
    process = subprocess.Popen(
        command,
        env=env or environment(),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str], patience: float = 15.0) -> None:
    """End a process and its descendants, those too that left its group."""
    tree: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = family(process.pid)
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    # psutil tells a process from a later one that got its number.
    for member in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(tree, timeout=5)
    process.wait(5)
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def family(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


@dataclass(frozen=True)
class Load:
    """What processes and their descendants use together."""

    cpu: float
    """Seconds since they started, those of ended children included."""
    memory: float
    """MiB, a page that several share counted once."""


def load_of(pids: Sequence[int]) -> Load:
    cpu = memory = 0.0
    for pid in pids:
        for member in family(pid):
            with contextlib.suppress(psutil.Error, OSError):
                times = member.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                memory += _proportional(member)
    return Load(cpu, memory)


def _proportional(process: psutil.Process) -> float:
    """MiB of one process. Workers are forks, so plain sizes would count what they share again and again."""
    smaps = Path("/proc", str(process.pid), "smaps_rollup")
    if not smaps.exists():
        return float(process.memory_full_info().uss) / 1024**2
    line = next(line for line in smaps.read_text().splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024
