"""What a piece of code costs in memory, measured in a process of its own."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
needs_linux = pytest.mark.skipif(not STATUS.exists(), reason="the kernel tells a process's peak memory here")

MIB = 1 << 20

CHILD = """
import json, sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

{imports}
path = Path(sys.argv[1])
before, error = peak(), None
try:
    {code}
except Exception as raised:
    error = [type(raised).__name__, str(raised)]
print(json.dumps([peak() - before, error]))
"""


@dataclass
class Cost:
    """Memory in MiB, and what was raised: the name of its class and its text, or nothing."""

    mib: float
    error: str
    text: str


def cost_of(imports: str, code: str, path: Path) -> Cost:
    """Run one line of code, which may name ``path``."""
    source = CHILD.format(imports=imports, code=code)
    # What getrusage tells would begin with the peak of the process that starts this one.
    done = subprocess.run(
        [sys.executable, "-c", source, path], capture_output=True, check=True, text=True, timeout=600
    )
    mib, error = json.loads(done.stdout.splitlines()[-1])
    return Cost(mib, *(error or ("", "")))


def bomb(beginning: bytes, block: bytes, mib: int = 300, end: bytes = b"") -> bytes:
    """Return a gzip file that unpacks to ``beginning``, ``block`` repeated to so many MiB, and ``end``."""
    # Members one after the other are one file, and each is packed once only.
    repeated = gzip.compress(block * (MIB // len(block)))
    return gzip.compress(beginning) + repeated * mib + gzip.compress(end)
