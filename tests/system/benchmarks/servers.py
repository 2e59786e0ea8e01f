"""Emulators in processes of their own, and what they recorded."""

from __future__ import annotations

import json
import math
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from bench_processes import python, running
from work import CONTROL, key_headers

SECONDS = 5.0


@dataclass(frozen=True)
class Travel:
    """An account, and how long calls to it take: least and most seconds before and after the server's stamp."""

    before: tuple[float, float] = (0.0, 0.0)
    after: tuple[float, float] = (0.3, 0.3)
    calls: int = 25
    count_rejected: bool = False

    def arguments(self) -> list[object]:
        flags = ["--count-rejected"] if self.count_rejected else []
        return ["--before", *self.before, "--after", *self.after, "--calls-per-5s", self.calls, *flags]


@dataclass(frozen=True)
class Seen:
    """What the server saw of one run."""

    calls: int
    ratio: float
    throttled: int
    twice: int
    lost: int


@dataclass(frozen=True)
class Server:
    url: str
    access_key: str
    secret_key: str
    limit: int

    def headers_json(self) -> str:
        return json.dumps(self.headers())

    def headers(self) -> dict[str, str]:
        return key_headers(self.access_key, self.secret_key)

    def connection(self, calls: int | None = None) -> str:
        """Return the provider's connection; ``calls`` is what it says the account allows."""
        return json.dumps(
            {
                "conn_type": "leadsquared",
                "host": self.url,
                "login": self.access_key,
                "password": self.secret_key,
                "extra": {"calls_per_5s": calls or self.limit},
            }
        )

    def http_connection(self) -> str:
        """Return the same account as an HTTP connection."""
        return json.dumps({"conn_type": "http", "host": self.url, "extra": self.headers()})

    def calls(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            found = self._ask("GET", f"calls?since={len(rows)}")["calls"]
            rows += found
            if not found:
                return rows

    def forget_calls(self) -> None:
        self._ask("POST", "reset?calls_only=true")

    def seen(self, leads: int) -> Seen:
        rows = self.calls()
        stamps = [row["arrived"] for row in rows]
        accepted = Counter(
            row["prospect_id"] for row in rows if row["status"] == 200 and not row["throttled"]
        )
        least = (math.ceil(leads / self.limit) - 1) * SECONDS
        return Seen(
            calls=len(rows),
            ratio=(max(stamps) - min(stamps)) / least if len(stamps) > 1 and least else math.nan,
            throttled=sum(row["throttled"] for row in rows),
            twice=sum(count > 1 for count in accepted.values()),
            lost=leads - len(accepted),
        )

    def _ask(self, method: str, what: str) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.url}/_emulator/{what}", headers=CONTROL, timeout=30)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found


@contextmanager
def server(travel: Travel) -> Generator[Server, None, None]:
    command = python("emulator_process.py", *travel.arguments())
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield Server(**json.loads(process.stdout.readline()), limit=travel.calls)
