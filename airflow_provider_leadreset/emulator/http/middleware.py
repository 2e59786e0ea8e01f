"""What every call under ``/v2/`` goes through before it reaches its endpoint: stamp, keys, limit, faults."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from airflow_provider_leadreset.emulator.account.account import Account, Latency
from airflow_provider_leadreset.emulator.account.call_log import CallRecord, Entry
from airflow_provider_leadreset.emulator.account.faults import CARRIED_OUT, THROTTLING
from airflow_provider_leadreset.emulator.http.control_guard import why_refused
from airflow_provider_leadreset.emulator.http.fault_replies import fault_answer, truncate
from airflow_provider_leadreset.emulator.http.replies import (
    Answer,
    json_answer,
    throttled,
    wrong_keys,
    wrong_region,
)

PREFIX = "/v2/"
KEY_CHECK = "Authentication.svc/UserByAccessKey.Get"
ENTRY = "leadreset.entry"
"""Where the ASGI scope holds the call's entry in the record."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, object]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Drop = Callable[[Scope], None]
"""Closes the connection of a request without an answer."""

_LEAD_KEYS = ("ProspectId", "RelatedProspectId", "RelatedEntityId")
_LEAD_FIELDS = ("leadid", "id", "prospectid")


class CallMiddleware:
    """Plain ASGI, because the stamps measure the rate of clients: nothing may stand before them.

    :param app: the endpoints.
    :param account: the state.
    :param drop: how to close a connection.
    """

    def __init__(self, app: App, account: Account, drop: Drop) -> None:
        self._app = app
        self._account = account
        self._drop = drop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and (reason := why_refused(scope["path"], scope["headers"])):
            await _reply(send, receive, json_answer({"detail": reason}, 403))
            return
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        try:
            await self._call(scope, receive, send)
        except asyncio.CancelledError:
            # The server stops while the call is under way: to the client, the connection breaks.
            await self._break(scope, receive)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        account, settings = self._account, self._account.settings
        await _pause(settings.latency_before)
        stamp = time.monotonic()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        known = self._keys_fit(headers, query)
        admitted = account.limit.admit(stamp) if known else True
        entry = account.log.open(_call_of(scope, stamp, headers, query))
        entry.counted = known
        # Calls that arrived together are all stamped before the first of them is worked on.
        await asyncio.sleep(0)
        body = await _read(receive)
        parsed = _parse(body)
        entry.update(body=parsed, throttled=not admitted, prospect_id=_lead_of(parsed, entry.call.query))

        answer: Answer | None
        if not known:
            answer = wrong_keys()
        elif not admitted:
            answer = throttled(account.dialect.throttle_status, account.throttle_text())
        elif settings.api_host is not None and entry.call.path != KEY_CHECK:
            answer = wrong_region(settings.api_host)
        else:
            answer = await self._work(scope, body, entry, headers)
        await _pause(settings.latency)
        if answer is None:
            await self._break(scope, receive)
            return
        # Before the answer leaves, so that a client that has it also finds it in the record.
        entry.update(status=answer.status)
        await _reply(send, receive, answer)

    async def _break(self, scope: Scope, receive: Receive) -> None:
        self._drop(scope)
        # Returning before the server knows of it would make it send a 500.
        while (await receive())["type"] != "http.disconnect":
            pass

    def _keys_fit(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        # Both ways are documented as equal; which one wins if both are used is a guess.
        access = headers.get("x-lsq-accesskey", query.get("accessKey"))
        secret = headers.get("x-lsq-secretkey", query.get("secretKey"))
        settings = self._account.settings
        return access == settings.access_key and secret == settings.secret_key

    async def _work(
        self, scope: Scope, body: bytes, entry: Entry, headers: Mapping[str, str]
    ) -> Answer | None:
        account = self._account
        fault = account.faults.take(entry.call.path, entry.call.prospect_id)
        if fault is None:
            return await self._endpoint(scope, body, entry)
        if fault.kind in CARRIED_OUT:
            answer = await self._endpoint(scope, body, entry)
            if fault.kind == "truncated":
                return truncate(fault, answer)
            if fault.kind == "trickle":
                return replace(answer, seconds_a_byte=1.0 if fault.seconds is None else fault.seconds)
            await asyncio.sleep(30.0 if fault.seconds is None else fault.seconds)
            return answer
        if fault.kind in THROTTLING:
            account.limit.take_back(entry.call.arrived)
            entry.update(throttled=True)
        if fault.kind == "drop":
            return None
        return fault_answer(
            fault,
            path=entry.call.path,
            limit_text=account.throttle_text(),
            takes_gzip="gzip" in headers.get("accept-encoding", "").lower(),
        )

    async def _endpoint(self, scope: Scope, body: bytes, entry: Entry) -> Answer:
        start: MutableMapping[str, Any] = {}
        parts: list[bytes] = []

        async def receive() -> MutableMapping[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        scope[ENTRY] = entry
        await self._app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], b"".join(parts), headers.get("content-type", "text/plain"))


async def _pause(latency: Latency) -> None:
    seconds = latency() if callable(latency) else latency
    if seconds > 0:
        await asyncio.sleep(seconds)


def _call_of(scope: Scope, stamp: float, headers: Mapping[str, str], query: Mapping[str, str]) -> CallRecord:
    return CallRecord(
        arrived=stamp,
        at=datetime.now(UTC),
        method=scope["method"],
        path=scope["path"].removeprefix(PREFIX),
        query={
            name: value for name, value in query.items() if name.lower() not in ("accesskey", "secretkey")
        },
        body=None,
        status=0,
        throttled=False,
        prospect_id=None,
        user_agent=headers.get("user-agent", ""),
    )


def _lead_of(body: object, query: Mapping[str, str]) -> str | None:
    found: object = None
    if isinstance(body, dict):
        parameter = body.get("Parameter")
        found = next((body[name] for name in _LEAD_KEYS if body.get(name)), None) or (
            parameter.get("RelatedId") if isinstance(parameter, dict) else None
        )
    if found is None:
        found = next((value for name, value in query.items() if name.lower() in _LEAD_FIELDS), None)
    return found.lower() if isinstance(found, str) else None


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _parse(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


async def _reply(send: Send, receive: Receive, answer: Answer) -> None:
    headers = [
        ("content-type", answer.media_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if answer.seconds_a_byte is not None:
        await _trickle(send, receive, answer.body, answer.seconds_a_byte)
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _trickle(send: Send, receive: Receive, body: bytes, seconds: float) -> None:
    # Until the client is gone: an answer of a few hundred bytes would otherwise outlive the test it is for.
    gone = asyncio.ensure_future(receive())
    try:
        for at in range(len(body)):
            done, _ = await asyncio.wait([gone], timeout=seconds)
            if done:
                return
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
