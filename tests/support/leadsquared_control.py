"""The emulator from outside: its command, and its control API."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import requests

CONTROL = {"X-Leadreset-Emulator": "control"}
"""What each control call says."""


def leadsquared_command(calls_per_5s: int, latency: float) -> list[str]:
    """Return the command that runs an emulator. Its first line says, as JSON, where it is and how to connect."""
    script = Path(__file__).with_name("leadsquared_process.py")
    return [sys.executable, str(script), f"--calls-per-5s={calls_per_5s}", f"--latency={latency}"]


class LeadSquaredControl:
    """An emulator's control API. Each thread has its own.

    :param url: the emulator.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_emulator"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(CONTROL)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call."""
        answer = self._session.request(method, f"{self._url}{path}", json=body, params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def calls(self) -> list[dict[str, Any]]:
        """Return everything it was called for."""
        found: list[dict[str, Any]] = []
        while page := self.ask("GET", "/calls", since=len(found))["calls"]:
            found += page
        return found
