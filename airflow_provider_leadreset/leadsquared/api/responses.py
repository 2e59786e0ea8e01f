"""What an HTTP answer of LeadSquared means: its content, or one of the errors of :mod:`.errors`.

Judged is the answer as it came, and the keys are struck out of what is shown only: a key may be a word that decides.
Each rule with what was documented or seen for it is a line of ``docs/answers.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.api.answered import Answered
from airflow_provider_leadreset.leadsquared.api.json_answers import MOST_ANSWER_VALUES
from airflow_provider_leadreset.leadsquared.api.throttle_words import (
    is_throttling_type,
    named_limit,
    speaks_of_calls,
)
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    EdgeError,
    LeadRejectedError,
    LeadSquaredError,
    NotFoundError,
    PageNotFoundError,
    ResponseTooLargeError,
    ThrottledError,
    UnavailableError,
    UnreadableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCESS_TYPE = re.compile(
    r"AccessDetails|AccessDenied|Unauthori[sz]ed|Authentication|Permission|Forbidden", re.IGNORECASE
)
_HOST_NAME = re.compile(r"[a-z0-9.@_-]+", re.IGNORECASE)
NO_TEXT = "the account's limit of calls was exceeded"
"""Our words for throttling that came without any."""


def read_answer(
    status: int,
    text: str,
    *,
    host: str,
    writes: bool,
    content_type: str = "",
    answered: bool = False,
    answered_call: bool = False,
    garbled: bool = False,
    redact: Callable[[str], str] = str,
) -> object:
    """Return the JSON content of an answer, or raise what it means.

    :param status: HTTP status.
    :param text: the body.
    :param host: the host that was asked, to tell a wrong region.
    :param writes: whether the call changes something: then only ``"Status": "Success"``, in any letter case, is a
        success (seen: throttled calls and logical errors come with status 200 too).
    :param content_type: the header, empty if there was none.
    :param answered: whether LeadSquared has answered another call of this client, so that host and keys are right.
    :param answered_call: whether it has answered this very call before, so that a 4xx without LeadSquared's envelope
        comes from the way there.
    :param garbled: whether bytes of it were no text and were replaced: what is read would be kept so.
    :param redact: strikes the keys out of what an error quotes, should LeadSquared repeat one.
    :raises ThrottledError: 429; an exception type about the limit with any status (seen with 200 and 403), and words
        about it (see :mod:`.throttle_words`) unless LeadSquared's own type says that it is something else.
    :raises AccessError: 401, a 403 in LeadSquared's envelope, or an ``MX…`` type about rights (which one a
        non-administrator gets is not documented); 404 or a redirect where nothing was answered before.
    :raises EdgeError: another 403 or a redirect, and an HTML page with another 4xx, with 401 only where other calls
        were answered: it came from the way there (seen).
    :raises NotFoundError: 404 where other calls were answered (seen for calls that an account does not have).
    :raises PageNotFoundError: 404 with an HTML page.
    :raises LeadRejectedError: another 4xx than 408; a 5xx with an ``MX…`` type, which is the API's ordinary way to
        say no (seen), a 500 that says it failed, and a 200 with any other Status than success (seen: ``Failed``).
    :raises UnavailableError: 408 or another 5xx; a 200 of another program's exception; an empty or unreadable answer;
        a 4xx without LeadSquared's envelope of a call that it answered before.
    :raises UnreadableError: a 200 with bytes that are no text in its encoding; it came, and would come so again.
    :raises ResponseTooLargeError: a 200 with more values than are read.
    """
    answer = Answered(status, text, content_type, writes, redact)
    failure = (
        _throttling(answer)
        or _no_access(answer, host, answered)
        or _the_way_there(answer, answered_call)
        or _outage(answer)
        or _refusal(answer)
        or _no_answer(answer, writes, garbled)
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


def network_error(kind: str, host: str, *, sent: bool = True) -> LeadSquaredError:
    """Return the error for a call that got no answer, from the name of the exception that said so.

    The exception's own text is left out: it can quote addresses and headers.

    :param sent: whether there was a connection, and the request was sent.
    """
    words = {
        "ConnectTimeout": "no connection within the time-out",
        "ReadTimeout": "no answer within the time-out",
        "ReadTimeoutError": "no answer within the time-out",
        "SSLError": "no trusted TLS connection",
        "ProxyError": "the proxy refused",
    }
    if kind not in words and not sent:
        return UnavailableError(
            f"{host} cannot be reached ({kind}): check the connection's Host, and that this machine may reach it"
        )
    return UnavailableError(f"{words.get(kind, 'the connection failed')} ({kind}, {host})")


def _throttling(answer: Answered) -> LeadSquaredError | None:
    # Not in what a call gives: the text of a note or activity may speak of a limit too.
    if answer.is_given:
        return None
    by_type = is_throttling_type(answer.type)
    # Of a page only with the status that is seen for it: a page speaks of much.
    words = answer.status == 403 or not answer.is_page
    # LeadSquared's own type says what was refused, and its text may name that thing's limit. 403 is none of a lead's.
    words = words and (answer.status == 403 or not answer.has_own_type)
    limit = named_limit(answer.searched) if by_type or not answer.has_own_type else None
    if not (
        answer.status == 429 or by_type or limit is not None or (words and speaks_of_calls(answer.searched))
    ):
        return None
    said = answer.shown_message or ("" if answer.is_page else answer.excerpt) or NO_TEXT
    return ThrottledError(said, limit=limit, **answer.marks)


def _no_access(answer: Answered, host: str, answered: bool) -> LeadSquaredError | None:
    status = answer.status
    lost = not answered and (300 <= status < 400 or status == 404)
    nowhere = lost and not (status == 404 and answer.is_page)
    # Looked for only where it decides: what most calls give is long, and names of hosts in it are somebody's text.
    by_name = lost or status == 401 or (status == 403 and not answer.is_page)
    if by_name and (named := _other_host(answer.searched, host)):
        return AccessError(
            f"the account does not live at {host} but at {named}: set the connection's Host to {named}",
            **answer.marks,
        )
    if nowhere:
        return wrong_host(host, answer.shown_message, **answer.marks)
    about_rights = answer.is_mx and _ACCESS_TYPE.search(answer.type)
    # A page says nothing of keys that were just accepted.
    of_keys = status == 401 and not (answer.is_page and answered)
    if not (of_keys or (status == 403 and answer.is_leadsquareds) or about_rights):
        return None
    if status == 401:
        fix = "check Login (access key), Password (secret key) and Host (the account's region) of the connection"
    else:
        fix = "the keys must be an administrator's"
    said = answer.shown_message
    return AccessError(f"{said}: {fix}" if said else fix, **answer.marks)


def _the_way_there(answer: Answered, answered_call: bool) -> LeadSquaredError | None:
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
    if answered_call and 400 <= status < 500 and status not in {401, 408} and not answer.is_leadsquareds:
        said = answer.shown_message or answer.excerpt or "without a word"
        return UnavailableError(
            f"the answer is not LeadSquared's, which has answered this call before: {said}", **answer.marks
        )
    return None


def _outage(answer: Answered) -> LeadSquaredError | None:
    # A type that is not LeadSquared's own is a program's that broke (seen: MySqlException, with 500).
    broke = answer.status == 200 and answer.type
    if answer.is_mx or answer.is_refused or not (answer.status >= 500 or answer.status == 408 or broke):
        return None
    return UnavailableError(answer.shown_message or "LeadSquared is not available", **answer.marks)


def _refusal(answer: Answered) -> LeadSquaredError | None:
    if answer.status == 404:
        said = answer.shown_message or answer.excerpt
        return NotFoundError(f"this account has no such call{f': {said}' if said else ''}", **answer.marks)
    if answer.status >= 400 or answer.says_error:
        said = answer.shown_message or answer.excerpt
        return LeadRejectedError(said or "no reason was given", **answer.marks)
    return None


def _no_answer(answer: Answered, writes: bool, garbled: bool) -> LeadSquaredError | None:
    if answer.status == 200 and answer.too_many_values:
        return ResponseTooLargeError(
            f"the answer holds more than {MOST_ANSWER_VALUES} values", **answer.marks
        )
    if answer.status != 200 or answer.content is None:
        return UnavailableError("the answer is empty or cannot be read", **answer.marks)
    if garbled and not writes:
        return UnreadableError(
            "the answer holds bytes that are no text in its encoding, so a copy would keep its letters wrong: look for "
            "a broken sign in LeadSquared, and write that text anew",
            **answer.marks,
        )
    if writes and not answer.is_given:
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
