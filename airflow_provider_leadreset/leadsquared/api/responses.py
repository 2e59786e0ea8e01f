"""What an HTTP answer of LeadSquared means: its content, or one of the errors of :mod:`.errors`.

Judged is the answer as it came, and the keys are struck out of what is shown only: a key may be a word that decides.
Each rule with what was documented or seen for it is a line of ``docs/answers.md``.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    EdgeError,
    LeadRejectedError,
    LeadSquaredError,
    NotFoundError,
    PageNotFoundError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT = re.compile(r"exceeded the limit of (\d{1,9}) in (\d{1,9}) second", re.IGNORECASE)
_LIMIT_SECONDS = 5
"""The window of the account's limit (documented). A text that names another speaks of something else."""
_TOO_MANY = re.compile(r"too many (?:requests|calls)|rate.?limit|throttl", re.IGNORECASE)
_THROTTLED_TYPE = re.compile(r"RateLimit|Throttl", re.IGNORECASE)
_ACCESS_TYPE = re.compile(
    r"AccessDetails|AccessDenied|Unauthori[sz]ed|Authentication|Permission|Forbidden", re.IGNORECASE
)
_HOST_NAME = re.compile(r"[a-z0-9.@_-]+", re.IGNORECASE)
_MOST_SEARCHED = 64 * 1024
"""Characters of an answer that are searched for words, and of which some are shown."""
_MOST_OF_A_KEY = 4 * 1024
"""Characters that a key takes at most in any spelling: so many before a cut are not shown, a key may begin there."""
_LONGEST = 300
_LONGEST_NUMBER = 100


def read_answer(
    status: int,
    text: str,
    *,
    host: str,
    writes: bool,
    content_type: str = "",
    answered: bool = False,
    redact: Callable[[str], str] = str,
) -> Any:
    """Return the JSON content of an answer, or raise what it means.

    :param status: HTTP status.
    :param text: the body.
    :param host: the host that was asked, to tell a wrong region.
    :param writes: whether the call changes something: then only ``"Status": "Success"`` is a success (seen:
        throttled calls and logical errors come with status 200 too).
    :param content_type: the header, empty if there was none.
    :param answered: whether LeadSquared has answered another call of this client, so that the host is right.
    :param redact: strikes the keys out of what an error quotes, should LeadSquared repeat one.
    :raises ThrottledError: 429; the limit's text or exception type with any status (seen with 200 and 403); a 403 that
        speaks of too many requests (seen).
    :raises AccessError: 401, a 403 in LeadSquared's envelope, or an exception type about rights (which one a
        non-administrator gets is not documented); 404 or a redirect where nothing was answered before.
    :raises EdgeError: another 403 or a redirect, and an HTML page with another 4xx: it came from the way there (seen).
    :raises NotFoundError: 404 where other calls were answered (seen for calls that an account does not have).
    :raises PageNotFoundError: 404 with an HTML page.
    :raises LeadRejectedError: another 4xx than 408; a 5xx with an ``MX…`` type, which is the API's ordinary way to
        say no (seen); a 200 that says it failed (seen).
    :raises UnavailableError: 408 or another 5xx; a 200 of another program's exception; an empty or unreadable answer.
    """
    answer = _Answered(status, text, content_type, redact)
    failure = (
        _throttling(answer, writes)
        or _no_access(answer, host, answered)
        or _the_way_there(answer)
        or _outage(answer)
        or _refusal(answer)
        or _no_answer(answer, writes)
    )
    if failure:
        raise failure
    return answer.content


def wrong_host(host: str, said: str | None = None, **marks: Any) -> AccessError:
    """Return the error for a host that answers, and not as LeadSquared's API."""
    fix = f"check the connection's Host, {host}: it must be the API host, such as api-in21.leadsquared.com"
    return AccessError(f"{said}: {fix}" if said else fix, **marks)


def no_such_call(path: str, **marks: Any) -> NotFoundError:
    """Return the error for a call that an account does not have, though its host answers others (seen: notes)."""
    return NotFoundError(f"this account has no such call: {path}", **marks)


def network_error(kind: str, host: str) -> LeadSquaredError:
    """Return the error for a call that got no answer, from the name of the exception that said so.

    The exception's own text is left out: it can quote addresses and headers.
    """
    words = {
        "ConnectTimeout": "no connection within the time-out",
        "ReadTimeout": "no answer within the time-out",
        "ReadTimeoutError": "no answer within the time-out",
        "SSLError": "no trusted TLS connection",
        "ProxyError": "the proxy refused",
    }
    return UnavailableError(f"{words.get(kind, 'the connection failed')} ({kind}, {host})")


class _Answered:
    """An answer, and what can be read from it. Words are searched as they came, and shown without keys."""

    def __init__(self, status: int, text: str, content_type: str, redact: Callable[[str], str]) -> None:
        self.status = status
        self.content = _parsed(text)
        self._text = text
        self._redact = redact
        self._fields: dict[str, Any] = self.content if isinstance(self.content, dict) else {}
        self.type = _text(self._fields.get("ExceptionType"))
        self.message = _text(self._fields.get("ExceptionMessage")) or _nested_message(self._fields)
        self.searched = (self.message or text)[:_MOST_SEARCHED]
        """Where words are searched that decide."""
        by_itself = "html" in content_type.lower() and self.content is None and bool(text.strip())
        self.is_page = by_itself or text.lstrip().startswith("<")

    @property
    def is_mx(self) -> bool:
        """Whether LeadSquared's own checks refused, and would again."""
        return self.type.upper().startswith("MX") or str(self._fields.get("IsMXException")).lower() == "true"

    @property
    def says_error(self) -> bool:
        """Whether it is LeadSquared's envelope of an error (documented; ``Failed`` and ``IsMXException`` seen)."""
        said = str(self._fields.get("Status")).lower() in {"error", "failed"}
        return said or self.is_mx or bool(self.type or _text(self._fields.get("ExceptionMessage")))

    @property
    def is_leadsquareds(self) -> bool:
        """Whether it has a form that only LeadSquared gives."""
        return self.says_error or not {"ExceptionType", "IsMXException"}.isdisjoint(self._fields)

    def is_given(self, writes: bool) -> bool:
        """Whether it is what the call asked for."""
        if writes:
            return self.status == 200 and self._fields.get("Status") == "Success" and not self.says_error
        return self.status == 200 and isinstance(self.content, (list, dict)) and not self.says_error

    @property
    def shown_message(self) -> str:
        """LeadSquared's own words, fit to be shown; empty for none."""
        return self._shown(self.message)

    @property
    def excerpt(self) -> str:
        """The beginning of the answer, fit to be shown."""
        return self._shown(self._text)

    @property
    def marks(self) -> dict[str, Any]:
        """What every error keeps of the answer."""
        return {"status": self.status, "exception_type": self._shown(self.type) or None}

    def _shown(self, text: str) -> str:
        # Keys go first: cut or squeezed, one would no longer be found. Nor would one that the first cut parts.
        shown = self._redact(text[:_MOST_SEARCHED])
        if len(text) > _MOST_SEARCHED:
            shown = shown[:-_MOST_OF_A_KEY]
        return scrubbed(shown, _LONGEST)


def _throttling(answer: _Answered, writes: bool) -> LeadSquaredError | None:
    # Not in what a call gives: the text of a note or activity may speak of a limit too.
    if answer.is_given(writes):
        return None
    named = _LIMIT.search(answer.searched)
    limit = int(named[1]) if named and int(named[2]) == _LIMIT_SECONDS else None
    if not (
        answer.status == 429
        or limit is not None
        or _THROTTLED_TYPE.search(answer.type)
        or (answer.status == 403 and _TOO_MANY.search(answer.searched))
    ):
        return None
    said = answer.shown_message or "the account's limit of calls was exceeded"
    return ThrottledError(said, limit=limit, **answer.marks)


def _no_access(answer: _Answered, host: str, answered: bool) -> LeadSquaredError | None:
    status = answer.status
    nowhere = not answered and (300 <= status < 400 or (status == 404 and not answer.is_page))
    named = None if answer.is_page and status == 403 else _other_host(answer.searched, host)
    if named and (status in {401, 403} or (not answered and (status == 404 or 300 <= status < 400))):
        return AccessError(
            f"the account does not live at {host} but at {named}: set the connection's Host to {named}",
            **answer.marks,
        )
    if nowhere:
        return wrong_host(host, answer.shown_message, **answer.marks)
    if not (status == 401 or (status == 403 and answer.is_leadsquareds) or _ACCESS_TYPE.search(answer.type)):
        return None
    if status == 401:
        fix = "check Login (access key), Password (secret key) and Host (the account's region) of the connection"
    else:
        fix = "the keys must be an administrator's"
    return AccessError(f"{answer.shown_message}: {fix}" if answer.message else fix, **answer.marks)


def _the_way_there(answer: _Answered) -> LeadSquaredError | None:
    status, page = answer.status, answer.is_page
    if status == 404 and page:
        return PageNotFoundError(f"a page says that there is no such call: {answer.excerpt}", **answer.marks)
    if (
        status == 403
        or 300 <= status < 400
        or (status == 407 and not answer.is_leadsquareds)
        or (page and 400 <= status < 500 and status != 408)
    ):
        said = answer.excerpt or "without a word"
        return EdgeError(f"something on the way to LeadSquared answered in its place: {said}", **answer.marks)
    return None


def _outage(answer: _Answered) -> LeadSquaredError | None:
    # A type that is not LeadSquared's own is a program's that broke (seen: MySqlException, with 500).
    broke = answer.status == 200 and answer.type
    if answer.is_mx or not (answer.status >= 500 or answer.status == 408 or broke):
        return None
    return UnavailableError(answer.shown_message or "LeadSquared is not available", **answer.marks)


def _refusal(answer: _Answered) -> LeadSquaredError | None:
    if answer.status == 404:
        said = answer.shown_message or answer.excerpt
        return NotFoundError(f"this account has no such call{f': {said}' if said else ''}", **answer.marks)
    if answer.status >= 400 or answer.says_error:
        said = answer.shown_message or answer.excerpt
        return LeadRejectedError(said or "no reason was given", **answer.marks)
    return None


def _no_answer(answer: _Answered, writes: bool) -> LeadSquaredError | None:
    if answer.status != 200 or answer.content is None:
        return UnavailableError("the answer is empty or cannot be read", **answer.marks)
    if writes and not answer.is_given(writes):
        return UnavailableError(f"the answer does not say Success: {answer.excerpt}", **answer.marks)
    return None


def _other_host(text: str, host: str) -> str | None:
    """Return the API host that a text names, if it names one other than ``host``, and only that.

    API hosts only: pages and messages also name www, help and apidocs.
    """
    names = {name.rstrip(".").lower() for name in _HOST_NAME.findall(text)} - {host.lower()}
    api = {
        name
        for name in names
        if name.startswith(("api.", "api-")) and name.endswith(".leadsquared.com") and len(name) <= 253
    }
    return api.pop() if len(api) == 1 else None


def _parsed(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


_DECODER = json.JSONDecoder(parse_int=_whole_number, parse_float=_number, parse_constant=str)
"""Numbers that Python cannot or would hardly read stay text, so that one record does not make an answer unreadable."""


def _nested_message(fields: dict[str, Any]) -> str:
    """Return the message of an answer without an exception: ``Message``, or ``Message`` in it (seen both)."""
    message = fields.get("Message")
    return _text(message.get("Message") if isinstance(message, dict) else message)


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.strip() else ""
