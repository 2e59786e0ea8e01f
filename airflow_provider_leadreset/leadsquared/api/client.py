"""LeadSquared over HTTP: every call is paced, has a time-out, and gives an answer or an error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.leadsquared.api.connection import base_address, clean_key, key_forms
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter, SlidingWindow
from airflow_provider_leadreset.leadsquared.api.responses import network_error, read_answer
from airflow_provider_leadreset.leadsquared.errors import (
    InputError,
    LeadSquaredError,
    OutageError,
    QuotaError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.text import quoted

USER_AGENT = f"airflow-provider-leadreset/{__version__}"

RETRY_DELAYS = (1.0, 2.0, 4.0)
"""Seconds waited before each repetition of a call that got no answer or an outage's."""

GIVE_UP_AFTER = 300.0
"""Seconds without one accepted call after which the batch ends, for Airflow to retry later."""

MOST_THREADS = 50
"""How many threads may use one client, and so how many connections it keeps."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call about a lead, as it went.

    :param sent_at: aware datetime, UTC.
    :param seconds: until the answer or the failure.
    :param error: what came instead of success.
    """

    prospect_id: str
    sent_at: datetime
    seconds: float
    error: LeadSquaredError | None


class LeadSquaredClient:
    """One account, one ``requests.Session``. May be used by several threads at once.

    :param host: the API host, such as ``api-in21.leadsquared.com``, or ``host:port``. Spelled with
        ``http://`` it is taken only for this machine's own addresses (the emulator's).
    :param access_key: travels in the header ``x-LSQ-AccessKey`` (documented and recommended), nowhere else.
    :param secret_key: travels in the header ``x-LSQ-SecretKey``, nowhere else.
    :param timeout: seconds to wait for a connection, and again for an answer.
    :param limiter: paces all calls; by default 25 in 5 s.
    :raises InputError: a host or key that cannot be used; the error does not quote the keys.
    """

    def __init__(
        self,
        host: str,
        access_key: str,
        secret_key: str,
        *,
        timeout: float = 30.0,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.host, self._base = base_address(host)
        self._keys = (
            clean_key("access key (Login)", access_key),
            clean_key("secret key (Password)", secret_key),
        )
        if not 0 < timeout < math.inf:
            raise InputError(f"timeout is {quoted(timeout)}: give a number of seconds above 0")
        self._timeout = timeout
        self.limiter = limiter or RateLimiter(SlidingWindow(25))
        self.on_call: Callable[[Call], None] | None = None
        """Told each call about a lead, in the thread that made it."""
        # Longest first, else a key that begins with the other would be struck out in part.
        forms = sorted(key_forms(*self._keys), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # As auth, the keys are in no header list that somebody may print, and no netrc file can replace them.
        self._session.auth = self._sign
        self._session.mount(self._base, HTTPAdapter(pool_maxsize=MOST_THREADS))
        # A proxy of the environment must not see what is sent unencrypted, and cannot reach this machine's own.
        self._session.trust_env = self._base.startswith("https:")

    def __repr__(self) -> str:
        return f"<LeadSquaredClient of {self.host}>"

    def redact(self, text: str) -> str:
        """Strike both keys out of a text that is about to be shown."""
        return self._secrets.sub("***", text)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def reset(self, reset: LeadReset) -> None:
        """Queue one lead's reset (``LeadManagement.svc/Lead.Reset``, documented).

        LeadSquared answers once the reset is queued, not once it is done. How long that takes is unknown.

        :raises LeadSquaredError: the reset was not queued, or (``UnavailableError``) may not have been.
        """
        try:
            self.call(
                "POST",
                "LeadManagement.svc/Lead.Reset",
                body=reset.body(),
                writes=True,
                about=reset.prospect_id,
            )
        except LeadSquaredError as error:
            error.prospect_id = reset.prospect_id
            raise

    def current_user(self) -> dict[str, Any]:
        """Return what LeadSquared knows of the keys' user (``Authentication.svc/UserByAccessKey.Get``).

        Documented: Role, OrgShortCode, OrgDisplayName, and ``LSQCommonServiceURLs`` with the account's own
        ``api`` and ``app`` hosts; any region's host answers.
        """
        answer = self.call("GET", "Authentication.svc/UserByAccessKey.Get")
        return answer if isinstance(answer, dict) else {}

    def call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: object = None,
        writes: bool = False,
        about: str | None = None,
    ) -> Any:
        """Make one call: wait for its turn, repeat it while throttled, and a few times in an outage.

        :param path: after ``/v2/``.
        :param params: query; never keys.
        :param body: sent as JSON.
        :param writes: whether it changes something: then only ``Status: Success`` is a success.
        :param about: the lead it is about, for :attr:`on_call`.
        :returns: the answer's JSON.
        :raises QuotaError: throttled, and nothing was accepted for five minutes.
        :raises OutageError: unavailable, and nothing was answered for five minutes.
        :raises LeadSquaredError: any other error of :mod:`.errors`.
        """
        pauses = iter(RETRY_DELAYS)
        while True:
            permit = self.limiter.acquire()
            try:
                answer = self._observed(method, path, params, body, writes=writes, about=about)
            except ThrottledError as error:
                self.limiter.throttled(permit, error.limit)
                if self.limiter.since_last_success() >= GIVE_UP_AFTER:
                    raise QuotaError(
                        f"not one call was accepted for {GIVE_UP_AFTER / 60:.0f} minutes, so the day's quota may be "
                        f"used up; LeadSquared says: {error.message}",
                        limit=error.limit,
                        status=error.status,
                        exception_type=error.exception_type,
                    ) from None
            except UnavailableError as error:
                self.limiter.unanswered(permit)
                if self.limiter.since_last_success() >= GIVE_UP_AFTER:
                    raise OutageError(
                        f"not one answer for {GIVE_UP_AFTER / 60:.0f} minutes: {error.reason}"
                    ) from None
                pause = next(pauses, None)
                if pause is None:
                    raise
                self.limiter.pause(pause)
            except BaseException:
                self.limiter.accepted(permit)
                raise
            else:
                self.limiter.accepted(permit)
                return answer

    def _observed(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: object,
        *,
        writes: bool,
        about: str | None,
    ) -> Any:
        sent_at, began = datetime.now(UTC), self.limiter.clock.now()
        failure: LeadSquaredError | None = None
        try:
            return self._send(method, path, params, body, writes=writes)
        except LeadSquaredError as error:
            failure = error
            raise
        finally:
            if about and self.on_call:
                self.on_call(Call(about, sent_at, self.limiter.clock.now() - began, failure))

    def _send(
        self, method: str, path: str, params: dict[str, str] | None, body: object, *, writes: bool
    ) -> Any:
        failure: str | None = None
        response: requests.Response | None = None
        try:
            response = self._session.request(
                method,
                f"{self._base}v2/{path}",
                params=params,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            failure = type(error).__name__
        # Raised out here, the error has no context: requests' own exception holds the request with its headers.
        if response is None:
            raise network_error(failure or "no answer", self.host)
        # utf-8-sig: servers of .NET may write a mark before the JSON.
        text = response.content.decode("utf-8-sig", "replace")
        return read_answer(response.status_code, text, host=self.host, writes=writes, redact=self.redact)

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-LSQ-AccessKey"], request.headers["x-LSQ-SecretKey"] = self._keys
        return request
