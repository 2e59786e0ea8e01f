"""The work that every way is given: the same leads, the same request, and what a way's process tells at its end."""

from __future__ import annotations

import json
import resource
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ENDPOINT = "v2/LeadManagement.svc/Lead.Reset"
CONTROL = {"X-Leadreset-Emulator": "control"}
"""What each call that drives the emulator says."""

EVENT_CODES = [166]
WINDOW = "2026-01-01/2026-02-01"
DATES = {"FromDate": "2026-01-01 00:00:00", "ToDate": "2026-01-31 23:59:59"}


def lead_ids(count: int) -> list[str]:
    """Return the first ``count`` leads; the emulator's process has the same."""
    return [lead_id(number) for number in range(count)]


def lead_id(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def request_body(lead: str) -> dict[str, Any]:
    return {"ProspectId": lead, "ActivityEventList": EVENT_CODES, **DATES}


def key_headers(access_key: str, secret_key: str) -> dict[str, str]:
    return {"x-LSQ-AccessKey": access_key, "x-LSQ-SecretKey": secret_key}


@dataclass
class Usage:
    """What a process used for its work, imports left out."""

    wall: float
    cpu: float
    memory: float
    """MiB by which the process grew past its size before the work."""


def measured(work: Callable[[], object]) -> Usage:
    """Do the work and give what it took."""
    memory, cpu, began = peak_memory(), time.process_time(), time.monotonic()
    work()
    return Usage(time.monotonic() - began, time.process_time() - cpu, peak_memory() - memory)


def peak_memory() -> float:
    """Return this process's peak size in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's ru_maxrss would also hold the peak of the process that started this one.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    # The unit is bytes on macOS, KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )


def tell(usage: Usage, **more: object) -> None:
    """Print it as the last line, for the process that started this one."""
    print(json.dumps({**asdict(usage), **more}), flush=True)
