"""Evidence for tests: a request as a run writes it, and reading what a run wrote."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from airflow_provider_leadreset.leadsquared.journal.reader import is_part
from airflow_provider_leadreset.leadsquared.journal.schema import (
    EvidenceAccount,
    FileDigest,
    KeysUser,
    Request,
    SentDates,
    Versions,
)
from airflow_provider_leadreset.leadsquared.journal.schema_results import Summary


def a_request(**values: Any) -> Request:
    """Return a request with some values, the others made up."""
    made_up: dict[str, Any] = {
        "dag_id": "d",
        "run_id": "r",
        "task_id": "t",
        "map_index": -1,
        "try_number": 1,
        "generation": "0.1",
        "request_digest": "digest",
        "asked_at": "2026-10-01T00:00:00+00:00",
        "account": EvidenceAccount(host="api-in21.leadsquared.com", code="1234", name="Acme"),
        "keys_user": KeysUser(name="Asha", mail="asha@example.com"),
        "leads": 3,
        "selectors": {"activity_event_list": [166]},
        "window": "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
        "sent": SentDates(FromDate="2026-09-01 00:00:00", ToDate="2026-09-30 23:59:59"),
        "versions": Versions(package="1", airflow="3.3.0", python="3.11.7"),
    }
    return Request(**{**made_up, **values})


def a_summary(files: list[FileDigest], **values: Any) -> Summary:
    """Return a summary with some values, the others made up."""
    numbers = dict.fromkeys((*OUTCOMES, "leads", "done_in_earlier_tries", "calls", "throttled", "seconds"), 0)
    made_up: dict[str, Any] = {
        **numbers,
        "account": "api-in21.leadsquared.com",
        "nothing_to_reset_by": {},
        "failed_by_reason": {},
        "failures": [],
        "window": "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
        "sent": SentDates(FromDate="2026-09-01 00:00:00", ToDate="2026-09-30 23:59:59"),
        "selectors": {"activity_event_list": [166]},
        "system_event_codes": [],
        "unknown_event_codes": [],
        "approval": None,
        "evidence": None,
        "failed_path": None,
        "stopped_because": None,
        "parts": sum(map(is_part, files)),
        "files": files,
        "archive_files": [],
    }
    return Summary(**{**made_up, **values})


def objects_in(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """Return the JSON objects of the lines of all files below a folder that a pattern names, in order."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob(pattern)):
        data = path.read_bytes()
        content = gzip.decompress(data) if path.suffix == ".gz" else data
        found += [json.loads(line) for line in content.splitlines()]
    return found
