"""A LeadSquared account: a CRM with keys, a call limit, a record of calls and faults to come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_leadreset.emulator.account.call_limit import CallLimit, most_in_window
from airflow_provider_leadreset.emulator.account.call_log import CallLog, CallRecord
from airflow_provider_leadreset.emulator.account.faults import Fault, FaultBook, FaultKind
from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.store.crm import utc_now
from airflow_provider_leadreset.emulator.store.writable_crm import WritableCrm

Latency = float | Callable[[], float]
"""Seconds, or a function that gives them for one call; it runs on the server's thread and must not block."""

ADMINISTRATOR = "Administrator"

# Real keys were seen with $, + and the like; these hold every character that is trouble in URLs, shells and
# templates. They open nothing but an emulator.
ACCESS_KEY = "u$emulated+access/key%41=1"
SECRET_KEY = "s$emulated+secret/key%2F=2"  # ruff: ignore[hardcoded-password-string]


_OTHER_WORDS = {"too many requests": "Too many requests", "rate limit": "Rate limit exceeded"}


@dataclass
class Settings:
    """What may be changed while the emulator runs; read anew for every call."""

    access_key: str
    secret_key: str
    latency: Latency
    latency_before: Latency
    api_host: str | None = None
    """The account's API host as the key check names it, without scheme; None for the emulator itself."""
    app_host: str | None = None
    org_short_code: str = "LSQEMU"
    org_display_name: str = "Emulated Account"


class Account(WritableCrm):
    """All state of the emulator; the server in front of it holds none."""

    def __init__(
        self,
        *,
        calls_per_5s: int | None = 25,
        window: float = 5.0,
        count_rejected: bool = False,
        latency: Latency = 0.0,
        latency_before: Latency = 0.0,
        queue_delay: float | None = 0.05,
        dialect: Dialect | Mapping[str, object] | None = None,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(queue_delay=queue_delay, dialect=dialect, clock=clock, now=now)
        self.settings = Settings(access_key, secret_key, latency, latency_before)
        self.limit = CallLimit(calls_per_5s, window, count_rejected=count_rejected)
        self.log = CallLog()
        self.faults = FaultBook()

    @property
    def access_key(self) -> str:
        """The access key that is accepted."""
        return self.settings.access_key

    @property
    def secret_key(self) -> str:
        """The secret key that is accepted."""
        return self.settings.secret_key

    # -- calls --------------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[CallRecord]:
        """All calls to ``/v2/`` in the order they arrived, as a new list."""
        return [entry.call for entry in self.log.entries()]

    @property
    def resets(self) -> list[CallRecord]:
        """The calls to Lead.Reset that were accepted, including those whose answer got lost."""
        return [entry.call for entry in self.log.entries() if entry.accepted]

    def throttle_text(self) -> str:
        """Return what a throttled call is told, in the dialect's words."""
        if self.dialect.throttle_text == "documented":
            return self.limit.text()
        return _OTHER_WORDS[self.dialect.throttle_text]

    def worst_window(self) -> int:
        """Return the most calls, accepted or rejected, that arrived within any window of the limit.

        Calls with wrong keys are left out, as they have no account to count against (a guess).
        """
        stamps = [entry.call.arrived for entry in self.log.entries() if entry.counted]
        return most_in_window(stamps, self.limit.seconds)

    def reset_calls(self) -> None:
        """Forget the recorded calls and start with an empty window of the limit."""
        self.log.forget()
        self.limit.forget()

    def forget(self) -> None:
        """Go back to an empty account: no records, calls, faults; the settings stay."""
        with self._changed:
            self._forget_records()
        self.faults.clear()
        self.reset_calls()

    # -- faults -------------------------------------------------------------------------------------------

    def fault(
        self,
        kind: FaultKind,
        *,
        times: int | None = 1,
        path: str | None = None,
        prospect_id: str | None = None,
        body: object = None,
        status: int | None = None,
        seconds: float | None = None,
        size: int | None = None,
    ) -> None:
        """Let the next ``times`` matching calls fail.

        A call that the limit turns away uses up no fault. Only ``hang``, ``trickle`` and ``truncated`` calls are
        carried out: with them a reset is queued although the client cannot know it.

        :param kind: ``429``, ``403``, ``200-throttled``: throttled, in the three forms; ``500``: no MX body;
            ``502-html``; ``404-html``; ``edge-403``: an edge's HTML page, "Access Denied"; ``gateway-403``: an API
            gateway's bare ``{"message": "Forbidden"}``; ``500-mx``: an error envelope; ``hang``: no answer for
            ``seconds``, then the right one; ``trickle``: the right one, a byte each ``seconds``; ``drop``: the
            connection is closed without an answer; ``truncated``: half of the right answer; ``oversized``: JSON
            of ``size`` bytes, in gzip for a client that takes it; ``html`` and ``empty``: status 200 with an HTML
            page or nothing; ``status-error``: an error envelope under 200; ``redirect``: 302; ``wrong-region``:
            401 naming another host; ``401``.
        :param times: None for every call until :meth:`clear_faults`.
        :param path: only calls whose path ends so, say ``Lead.Reset``.
        :param prospect_id: only calls about that lead.
        :param body: instead of the usual body: text, or anything else as JSON. For ``500-mx`` text is the
            ExceptionType and a dict is merged into the envelope; for ``redirect`` it is the Location; for
            ``wrong-region`` the host.
        :param status: instead of the usual status.
        :param seconds: how long ``hang`` keeps silent, None for 30; how long ``trickle`` waits before each byte,
            None for 1.
        :param size: bytes of ``oversized`` when unpacked; None for 32 MiB.
        """
        self.faults.add(Fault(kind, times, path, prospect_id, body, status, seconds, size))

    def clear_faults(self) -> None:
        """Forget all faults. Calls that hang already go on hanging."""
        self.faults.clear()

    # -- the user of the keys -----------------------------------------------------------------------------

    def set_user(
        self,
        role: str | None = None,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        api_host: str | None = None,
        app_host: str | None = None,
        org_short_code: str | None = None,
        org_display_name: str | None = None,
    ) -> None:
        """Change what the key check answers. None leaves a value as it is.

        :param role: anything but ``"Administrator"`` makes Lead.Reset refuse the keys.
        :param api_host: the host the account lives on, without scheme. Another one than the emulator's makes
            every call but the key check fail with a 401 that names it (documented for a wrong region). Empty
            text goes back to the emulator's own.
        :param app_host: the host of the web application, without scheme; empty text as above.
        """
        with self._changed:
            user, settings = self.directory.users[self.user_id], self.settings
            user.role = user.role if role is None else role
            user.first_name = user.first_name if first_name is None else first_name
            user.last_name = user.last_name if last_name is None else last_name
            user.email = user.email if email is None else email
            if api_host is not None:
                settings.api_host = api_host or None
            if app_host is not None:
                settings.app_host = app_host or None
            if org_short_code is not None:
                settings.org_short_code = org_short_code
            if org_display_name is not None:
                settings.org_display_name = org_display_name
