"""LeadSquared over HTTP: every call is paced, has a time-out, and gives an answer or an error."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.leadsquared.api.account_window import account_limiter
from airflow_provider_leadreset.leadsquared.api.connection import account_host, base_address, clean_key
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.responses import (
    NO_TEXT,
    no_such_call,
    read_answer,
    wrong_host,
)
from airflow_provider_leadreset.leadsquared.api.secret import KeySpellings, Secret
from airflow_provider_leadreset.leadsquared.api.sliding_window import RESET, Permit
from airflow_provider_leadreset.leadsquared.api.transport import RawAnswer, Transport
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    BrokenOffError,
    ClosedError,
    EdgeError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    OutageError,
    OverdueError,
    PageNotFoundError,
    QuotaError,
    ResponseTooLargeError,
    ThrottledError,
    UnavailableError,
    UnknownLeadsError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    import requests

    from airflow_provider_leadreset.leadsquared.records.pages import PagingStyle

KEY_CHECK = "Authentication.svc/UserByAccessKey.Get"
"""The call that every region's host answers (documented)."""

HTTP_NOT_FOUND = 404

USER_AGENT = f"airflow-provider-leadreset/{__version__}"

RETRY_DELAYS = (1.0, 2.0, 4.0)
"""Seconds waited before each repetition of a call that got no answer or an outage's."""

_NO_ANSWER = (UnavailableError, ResponseTooLargeError)
"""Errors of a request that was sent, and whose answer is not LeadSquared's own or cannot be read."""

GIVE_UP_AFTER = 300.0
"""Seconds without one accepted call after which the batch ends, for Airflow to retry later."""

MOST_THREADS = 50
"""How many threads may use one client, and so how many connections it keeps."""


_UNKNOWN_LEAD = "MXInvalidEntityReferenceException"
"""ExceptionType of "Lead not found" (seen; it also stands for other references, so the text decides too)."""


@dataclass(slots=True)
class _Attempts:
    """What became of the attempts at one call.

    :param in_doubt: whether one was sent, and LeadSquared's own answer to it did not come.
    :param why_in_doubt: what came in place of that answer, the last time.
    """

    in_doubt: bool = False
    why_in_doubt: str = ""


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

    All clients of an account in this process together keep to the smallest ``calls`` that one of them was made with and
    that is still in use: until its :meth:`close`, or until it is gone.

    :param host: the API host, such as ``api-in21.leadsquared.com``, or ``host:port``. Spelled with
        ``http://`` it is taken only for this machine's own addresses (the emulator's).
    :param access_key: travels in the header ``x-LSQ-AccessKey`` (documented and recommended), nowhere else.
    :param secret_key: travels in the header ``x-LSQ-SecretKey``, nowhere else.
    :param timeout: seconds for a call as a whole, from the look-up of the host to the last byte of the answer.
    :param calls: at most so many calls start in any 5 seconds.
    :param account_calls: calls that the plan allows the account in any 5 seconds; by default ``calls``.
    :param limiter: paces all calls, in place of what the account's clients share.
    :raises InputError: a host or key that cannot be used. Neither the error nor a local name of its traceback shows a
        key.
    """

    def __init__(
        self,
        host: str,
        access_key: str,
        secret_key: str,
        *,
        timeout: float = 30.0,
        calls: int = 25,
        account_calls: int | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        # First of all, and the arguments go: tracebacks show local names. A pasted host may carry the keys too.
        given = Secret(host), Secret(access_key), Secret(secret_key)
        del host, access_key, secret_key
        self.host, base = base_address(given[0])
        keys = clean_key("access key (Login)", given[1]), clean_key("secret key (Password)", given[2])
        if not 0 < timeout < math.inf:
            raise InputError(f"timeout is {quoted(timeout)}: give a number of seconds above 0")
        self._timeout = timeout
        self.access_key_digest = hashlib.sha256(keys[0].text().encode()).hexdigest()[:16]
        """The first 16 hex digits of the access key's SHA-256: it tells keys apart, and none can be had from it."""
        self.limiter = limiter or account_limiter(self.host, keys[0], calls, account_calls or calls)
        self.paging_styles: dict[str, PagingStyle | None] = {}
        """How this account gives the next page, by call, as far as the reads found out."""
        self.on_call: Callable[[Call], None] | None = None
        """Told each call about a lead, in the thread that made it."""
        self._spellings = KeySpellings(*keys)
        self._answered = False
        """Whether LeadSquared has answered a call, so that the host is right."""
        self._answered_paths: set[str] = set()
        """Calls that LeadSquared has answered in its own form: what is not in it comes from the way there."""
        self._transport = Transport(
            base, self.host, _Signature(*keys), user_agent=USER_AGENT, connections=MOST_THREADS
        )

    def __repr__(self) -> str:
        # Also of one that could not be made.
        return f"<LeadSquaredClient of {getattr(self, 'host', 'no host')}>"

    def redact(self, text: str) -> str:
        """Strike both keys, in any spelling, out of a text that is about to be shown."""
        return self._spellings.strike_out(text)

    def stop(self) -> None:
        """Let no further call start, give those under way a second, and break them off then.

        Returns at once. A signal handler may call it. A call that is broken off raises :class:`.BrokenOffError`, or
        :class:`.ClosedError` if it was not sent yet.
        """
        self.limiter.close()
        self._transport.stop()

    def close(self) -> None:
        """Close the connections, and let the account's other clients in this process have what this one may use."""
        self._transport.close()
        self.limiter.release()

    def reset(self, reset: LeadReset, *, not_after: float | None = None) -> None:
        """Queue one lead's reset (``LeadManagement.svc/Lead.Reset``, documented).

        LeadSquared answers once the reset is queued, not once it is done. How long that takes is unknown.

        :param not_after: as in :meth:`call`.
        :raises UnknownLeadsError: the account says that it has no such lead.
        :raises OverdueError: it was not sent, or not again, since ``not_after`` has passed.
        :raises LeadSquaredError: the reset was not queued, or may not have been (``in_doubt``).
        """
        try:
            self.call(
                "POST",
                RESET,
                body=reset.body(),
                writes=True,
                about=reset.prospect_id,
                not_after=not_after,
            )
        except LeadSquaredError as error:
            error.prospect_id = reset.prospect_id
            if _says_unknown_lead(error):
                raise UnknownLeadsError(
                    error.message,
                    status=error.status,
                    exception_type=error.exception_type,
                    prospect_id=reset.prospect_id,
                ) from None
            raise

    def current_user(self, *, patient: bool = True) -> dict[str, Any]:
        """Return what LeadSquared knows of the keys' user (``Authentication.svc/UserByAccessKey.Get``).

        Documented: Name, PassPhrase (the e-mail address), EmailAddress (null in the sample), Role, OrgShortCode,
        OrgDisplayName, and ``LSQCommonServiceURLs`` with the account's own ``api`` and ``app`` hosts; any region's
        host answers.

        :param patient: as in :meth:`call`.
        """
        answer = self.call("GET", KEY_CHECK, patient=patient)
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
        patient: bool = True,
        not_after: float | None = None,
    ) -> Any:
        """Make one call: wait for its turn, repeat it while throttled or blocked, and a few times in an outage.

        :param path: after ``/v2/``.
        :param params: query; never keys.
        :param body: sent as JSON.
        :param writes: whether it changes something: then only ``Status: Success`` is a success.
        :param about: the lead it is about, for :attr:`on_call`.
        :param patient: whether throttling, and something on the way there that blocks calls, is waited for; else it is
            an error at once.
        :param not_after: a moment of the limiter's clock, in seconds, after which it is not sent any more, nor again.
        :returns: the answer's JSON. Numbers of more than 100 digits, infinite ones and NaN are text.
        :raises ThrottledError: throttled, and not ``patient``.
        :raises QuotaError: throttled, and nothing was accepted for five minutes.
        :raises OutageError: unavailable or blocked, and nothing was answered for five minutes.
        :raises BrokenOffError: :meth:`stop` ended it.
        :raises OverdueError: ``not_after`` has passed.
        :raises LeadSquaredError: any other error of :mod:`.errors`.
        """
        attempts = _Attempts()
        try:
            return self._repeated(
                attempts,
                method,
                path,
                params,
                body,
                writes=writes,
                about=about,
                patient=patient,
                not_after=not_after,
            )
        except LeadSquaredError as error:
            error.in_doubt = attempts.in_doubt
            error.why_in_doubt = attempts.why_in_doubt
            raise

    def _repeated(
        self,
        attempts: _Attempts,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: object,
        *,
        writes: bool,
        about: str | None,
        patient: bool,
        not_after: float | None,
    ) -> object:
        pauses = iter(RETRY_DELAYS)
        while True:
            permit = self.limiter.acquire(path)
            try:
                self._refuse_overdue(not_after)
                answer = self._observed(
                    permit,
                    attempts,
                    method,
                    path,
                    params,
                    body,
                    writes=writes,
                    about=about,
                    not_after=not_after,
                )
            except ThrottledError as error:
                self.limiter.throttled(permit, error.limit)
                if not patient:
                    raise
                if self.limiter.since_last_success() >= GIVE_UP_AFTER:
                    said = "" if error.message == NO_TEXT else f"; LeadSquared says: {error.message}"
                    raise QuotaError(
                        f"not one call was accepted for {GIVE_UP_AFTER / 60:.0f} minutes, so the day's quota may be "
                        f"used up{said}",
                        limit=error.limit,
                        status=error.status,
                        exception_type=error.exception_type,
                    ) from None
            except OverdueError:
                self.limiter.give_back(permit)
                raise
            except (BrokenOffError, ClosedError):
                self.limiter.broken_off(permit)
                raise
            except UnreadableError as error:
                # An answer came, so it is no outage, and would come so again.
                self._note_answer(error, path)
                self.limiter.accepted(permit)
                raise
            except UnavailableError as error:
                try:
                    self._wait_for(error, permit, pauses, path, patient=patient)
                except (AccessError, LeadRejectedError):
                    attempts.in_doubt = False  # there is no such call, so none was carried out
                    raise
            except AccessError as error:
                self.limiter.accepted(permit)
                if error.status == HTTP_NOT_FOUND and self._is_right_host(path):
                    raise no_such_call(path, status=error.status) from None
                raise
            except LeadSquaredError as error:
                self._note_answer(error, path)
                self.limiter.accepted(permit)
                raise
            except BaseException:
                self.limiter.broken_off(permit)
                raise
            else:
                self._answered = True
                self._answered_paths.add(path)
                self.limiter.accepted(permit)
                return answer

    def _note_answer(self, error: LeadSquaredError, path: str) -> None:
        # Its type, or that it is a 200, tells that the answer is LeadSquared's.
        if error.exception_type or error.status == 200:
            self._answered = True
            self._answered_paths.add(path)

    def _refuse_overdue(self, not_after: float | None) -> None:
        if not_after is not None and self.limiter.clock.now() > not_after:
            raise OverdueError("not sent: its records were read too long ago")

    def _wait_for(
        self, error: UnavailableError, permit: Permit, pauses: Iterator[float], path: str, *, patient: bool
    ) -> None:
        """Wait until a call may be repeated that got no answer of LeadSquared's, or raise what it ends with."""
        blocked = isinstance(error, EdgeError)
        if blocked:
            self.limiter.blocked(permit, error.reason)
        else:
            self.limiter.unanswered(permit)
        if self.limiter.since_last_success() >= GIVE_UP_AFTER:
            raise OutageError(
                f"not one answer for {GIVE_UP_AFTER / 60:.0f} minutes: {error.reason}"
            ) from None
        if blocked and patient:
            return  # the limiter says when the next may go
        pause = None if blocked else next(pauses, None)
        if pause is not None:
            self.limiter.pause(pause)
        elif isinstance(error, PageNotFoundError) and path not in self._answered_paths:
            # It was never there, so it is no hiccup: either the host is wrong, or the account has no such call.
            if self._is_right_host(path):
                raise no_such_call(path, status=error.status) from None
            raise wrong_host(self.host, status=error.status) from None
        else:
            raise error

    def _is_right_host(self, path: str) -> bool:
        """Return whether this is the account's API host: it has answered, or the key check says so.

        The key check is answered by any region's host, and names the account's own (documented).

        :raises LeadSquaredError: it cannot be told now: throttled, blocked or stopped.
        """
        if self._answered or path == KEY_CHECK:
            return self._answered
        try:
            named = account_host(self.current_user())
        except (ThrottledError, OutageError, BrokenOffError, ClosedError):
            raise  # it says nothing of the host
        except LeadSquaredError:
            return False
        self._answered = named in {None, self.host}
        return self._answered

    def _observed(
        self,
        permit: Permit,
        attempts: _Attempts,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: object,
        *,
        writes: bool,
        about: str | None,
        not_after: float | None,
    ) -> object:
        sent_at, began = datetime.now(UTC), self.limiter.clock.now()
        failure: LeadSquaredError | None = None
        try:
            return self._send(permit, method, path, params, body, writes=writes, not_after=not_after)
        except LeadSquaredError as error:
            failure = error
            if writes and permit.sent is not None and isinstance(error, _NO_ANSWER):
                attempts.in_doubt = True
                attempts.why_in_doubt = error.reason
            raise
        finally:
            # One that was not sent is no call.
            if about and self.on_call and not isinstance(failure, (ClosedError, OverdueError)):
                self.on_call(Call(about, sent_at, self.limiter.clock.now() - began, failure))

    def _send(
        self,
        permit: Permit,
        method: str,
        path: str,
        params: dict[str, str] | None,
        body: object,
        *,
        writes: bool,
        not_after: float | None,
    ) -> object:
        def on_send() -> None:
            self._refuse_overdue(not_after)  # once more: it took some time to connect
            self.limiter.sent(permit)

        answer = self._transport.exchange(
            method,
            f"v2/{path}",
            params=params,
            body=None if body is None else json.dumps(body),
            timeout=self._timeout,
            on_send=on_send,
        )
        try:
            return self._meaning(answer, path, writes=writes)
        except LeadSquaredError as error:
            failure = error.with_traceback(None)
        # Raised out here, without the frames that hold the answer as it came: a server may repeat a key in it.
        del answer
        failure.__context__ = None
        raise failure

    def _meaning(self, answer: RawAnswer, path: str, *, writes: bool) -> object:
        return read_answer(
            answer.status,
            answer.text,
            host=self.host,
            writes=writes,
            content_type=answer.content_type,
            answered=self._answered,
            answered_call=path in self._answered_paths,
            garbled=answer.garbled,
            redact=self.redact,
        )


class _Signature:
    """Puts the keys into a request's headers. Knows no client, so that one that nobody uses is gone at once."""

    def __init__(self, access: Secret, secret: Secret) -> None:
        self._access, self._secret = access, secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        request.headers["x-LSQ-AccessKey"] = self._access.text()
        request.headers["x-LSQ-SecretKey"] = self._secret.text()
        return request


def _says_unknown_lead(error: LeadSquaredError) -> bool:
    if not isinstance(error, LeadRejectedError) or error.exception_type != _UNKNOWN_LEAD:
        return False
    said = error.message.lower()
    return ("lead" in said or "prospect" in said) and ("not found" in said or "not exist" in said)
