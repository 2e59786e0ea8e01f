"""An emulator whose calls are made in the same process, and whose time passes as fast as it is waited for."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.app import build_app
from airflow_provider_leadreset.leadsquared.account_check.account_check import (
    AccountCheck,
    AccountCheckResult,
)
from airflow_provider_leadreset.leadsquared.account_check.check_options import parse_check_options
from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import GentleLimiter
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.transport import RawAnswer

CODE, OTHER_CODE = 201, 202
TASK_TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
TASK_NAME = "Follow-up call"
STAGE = "Contacted"
OTHER_USER = "meera.sales@example.com"
LATENCY = 0.137
"""Seconds that a call takes: an odd number, so that records lie anywhere in their second."""


class SimulatedTime:
    """One time for the emulator, the check and the limiter. It begins at an odd fraction of a second."""

    def __init__(self, began: datetime = datetime(2026, 11, 1, 10, 0, 0, 371_000, tzinfo=UTC)) -> None:
        self._began, self.passed = began, 0.0

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += max(0.0, seconds)


class InProcess:
    """A transport that calls the emulator's application."""

    def __init__(self, account: Account, time: SimulatedTime) -> None:
        self._app = build_app(account, lambda scope: None)
        self._time = time
        self.keys = account.access_key, account.secret_key
        self.latency = LATENCY

    def exchange(
        self, method: str, path: str, *, params: Any, body: str | None, timeout: float, on_send: Any
    ) -> RawAnswer:
        on_send()
        self._time.sleep(self.latency / 2)
        answer = _finished(self._call(method, path, params, body))
        self._time.sleep(self.latency / 2)
        return answer

    async def _call(self, method: str, path: str, params: Any, body: str | None) -> RawAnswer:
        access, secret = (key.encode() for key in self.keys)
        headers = [(b"x-lsq-accesskey", access), (b"x-lsq-secretkey", secret)]
        headers += [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")]
        query = urlencode(params or {}).encode()
        scope = {
            "type": "http",
            "method": method,
            "path": f"/{path}",
            "raw_path": f"/{path}".encode(),
            "query_string": query,
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
        }
        given = [{"type": "http.request", "body": (body or "").encode(), "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        kinds = {name: value.decode() for name, value in sent[0]["headers"]}
        return RawAnswer(sent[0]["status"], kinds.get(b"content-type", ""), content.decode())

    def stop(self) -> None: ...

    def close(self) -> None: ...


def _finished(call: Coroutine[Any, Any, RawAnswer]) -> RawAnswer:
    """Carry out a call that waits for nothing: an event loop would take more time than the call."""
    while True:
        try:
            waits_for = call.send(None)
        except StopIteration as end:
            answer: RawAnswer = end.value
            return answer
        if waits_for is not None:
            raise RuntimeError(f"a simulated call waits for {waits_for!r}")


class SimulatedAccount:
    """An account with one custom activity, one task type, a second user, and a client of its own."""

    def __init__(
        self,
        *,
        queue_delay: float = 2.0,
        calls_per_5s: int = 25,
        losses: str = "lost resets",
        began: datetime | None = None,
        **dialect: Any,
    ) -> None:
        self.time = SimulatedTime() if began is None else SimulatedTime(began)
        self.account = Account(
            calls_per_5s=None,
            queue_delay=queue_delay,
            dialect=dialect,
            clock=self.time.seconds,
            now=self.time.now,
        )
        self.account._losses.seed(losses)
        self.account.add_activity_type(CODE, "Demo booked")
        self.account.add_activity_type(OTHER_CODE, "Site visit")
        self.account.add_task_type(TASK_NAME, TASK_TYPE)
        self.other_user = self.account.directory.user_id(OTHER_USER)
        self.stranger = self.account.add_lead()
        self.account.add_activity(self.stranger, CODE, "2026-10-01 12:00:00")
        self.account.add_note(self.stranger, "stays", "2026-10-01 12:00:00")
        limiter = GentleLimiter(calls_per_5s, self.time)
        self.client = LeadSquaredClient("http://127.0.0.1", "key", "secret", limiter=limiter)
        self.client._transport.close()
        self.client._transport = InProcess(self.account, self.time)  # type: ignore[assignment]
        self.said: list[str] = []

    def check(self, **options: Any) -> AccountCheckResult:
        """Check it, with all that can be asked unless told otherwise."""
        asked = {
            "activity_event": CODE,
            "task_type": TASK_NAME,
            "stage": STAGE,
            "owner": self.other_user,
        } | options
        return AccountCheck(
            self.client, parse_check_options(**asked, host=self.client.host), self.time, self.said.append
        ).run()

    def close(self) -> None:
        self.client.close()

    def __enter__(self) -> SimulatedAccount:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def compress(lsq: Account, began: datetime | None = None) -> SimulatedTime:
    """Let the time of a running emulator pass as fast as a check waits for it; return that time."""
    time = SimulatedTime() if began is None else SimulatedTime(began)
    lsq._now, lsq._clock, lsq._queue._clock = time.now, time.seconds, time.seconds
    return time
