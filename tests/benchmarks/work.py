"""The work that every way is given: the same leads, the same request, and what a way's process tells at its end."""

from __future__ import annotations

import json
import resource
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ENDPOINT = "v2/LeadManagement.svc/Lead.Reset"
EVENT_CODES = [166]
WINDOW = "2026-01-01/2026-02-01"
DATES = {"FromDate": "2026-01-01 00:00:00", "ToDate": "2026-01-31 23:59:59"}


def lead_ids(count: int) -> list[str]:
    """Give the first ``count`` leads; the emulator's process has the same."""
    return [str(uuid.UUID(int=number)) for number in range(1, count + 1)]


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
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    work()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    return Usage(
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        memory=mebibytes(after.ru_maxrss) - mebibytes(before.ru_maxrss),
    )


def mebibytes(maxrss: int) -> float:
    # The kernel's unit is KiB on Linux and bytes on macOS.
    return maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def tell(usage: Usage, **more: object) -> None:
    """Print it as the last line, for the process that started this one."""
    print(json.dumps({**asdict(usage), **more}), flush=True)
