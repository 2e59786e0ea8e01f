"""What an HTTP answer of LeadSquared means: its content, or one of the errors of :mod:`.errors`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadRejectedError,
    LeadSquaredError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.text import scrubbed

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT = re.compile(r"exceeded the limit of (\d{1,9}) in \d+ second", re.IGNORECASE)
_THROTTLED_TYPE = re.compile(r"RateLimit|Throttl", re.IGNORECASE)
_ACCESS_TYPE = re.compile(r"AccessDetails|AccessDenied|Unauthori[sz]ed|Permission|Forbidden", re.IGNORECASE)
_API_HOST = re.compile(r"(?<![a-z0-9.-])api(?:[.-][a-z0-9-]+)*\.leadsquared\.com\b", re.IGNORECASE)
"""API hosts only: pages and messages also name www, help and apidocs."""
_LONGEST = 300


def read_answer(
    status: int, text: str, *, host: str, writes: bool, redact: Callable[[str], str] = str
) -> Any:
    """Return the JSON content of an answer, or raise what it means.

    :param status: HTTP status.
    :param text: the body.
    :param host: the host that was asked, to tell a wrong region.
    :param writes: whether the call changes something: then only ``"Status": "Success"`` is a success (seen:
        throttled calls and logical errors come with status 200 too).
    :param redact: strikes the keys out of what an error quotes, should LeadSquared repeat one.
    :raises ThrottledError: 429; or the limit's text or exception type with any status (seen with 200 and 403).
    :raises AccessError: 401, 403, 404, a redirect, or an exception type about rights (which one a
        non-administrator gets is not documented).
    :raises LeadRejectedError: another 4xx than 408; a 5xx with an ``MX…`` type, which is the API's ordinary way to
        say no (seen); a 200 that says it failed.
    :raises UnavailableError: 408 or another 5xx; an empty or unreadable answer.
    """
    content = _parsed(text)
    envelope = content if isinstance(content, dict) else {}
    kind = _text(envelope.get("ExceptionType"), redact)
    said = _text(envelope.get("ExceptionMessage"), redact)
    mx = bool(kind and kind.upper().startswith("MX"))
    # Not in what a call gives: the text of a note or activity may speak of a limit too.
    given = status == 200 and (envelope.get("Status") == "Success" if writes else _is_content(content))
    limit = None if given else _LIMIT.search(said or text)
    if status == 429 or limit or (kind and _THROTTLED_TYPE.search(kind)):
        raise ThrottledError(
            said or "the account's limit of calls was exceeded",
            limit=int(limit[1]) if limit else None,
            status=status,
            exception_type=kind,
        )
    if status in (401, 403, 404) or 300 <= status < 400 or (kind and _ACCESS_TYPE.search(kind)):
        raise AccessError(_access(status, said, text, host), status=status, exception_type=kind)
    if (status >= 500 or status == 408) and not mx:
        raise UnavailableError(said or "LeadSquared is not available", status=status, exception_type=kind)
    if status >= 400 or mx or envelope.get("Status") == "Error":
        raise LeadRejectedError(
            said or _excerpt(text, redact) or "no reason was given", status=status, exception_type=kind
        )
    if status != 200 or content is None:
        raise UnavailableError("the answer is empty or cannot be read", status=status)
    if writes and envelope.get("Status") != "Success":
        raise UnavailableError(f"the answer does not say Success: {_excerpt(text, redact)}", status=status)
    return content


def network_error(kind: str, host: str) -> LeadSquaredError:
    """Return the error for a call that got no answer, from the name of the exception that said so.

    The exception's own text is left out: it can quote addresses and headers.
    """
    words = {
        "ConnectTimeout": "no connection within the time-out",
        "ReadTimeout": "no answer within the time-out",
        "SSLError": "no trusted TLS connection",
        "ProxyError": "the proxy refused",
    }
    return UnavailableError(f"{words.get(kind, 'the connection failed')} ({kind}, {host})")


def _access(status: int, said: str | None, text: str, host: str) -> str:
    named = {name.lower() for name in _API_HOST.findall(said or text)} - {host.lower()}
    if len(named) == 1:
        right = named.pop()
        return f"the account does not live at {host} but at {right}: set the connection's Host to {right}"
    if status == 401:
        fix = "check Login (access key), Password (secret key) and Host (the account's region) of the connection"
    elif status == 404 or 300 <= status < 400:
        fix = (
            f"check the connection's Host, {host}: it must be the API host, such as api-in21.leadsquared.com"
        )
    else:
        fix = "the keys must be an administrator's"
    return f"{said}: {fix}" if said else fix


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_content(content: Any) -> bool:
    return isinstance(content, list) or (isinstance(content, dict) and content.get("Status") != "Error")


def _text(value: object, redact: Callable[[str], str]) -> str | None:
    return _excerpt(value, redact) if isinstance(value, str) and value.strip() else None


def _excerpt(text: str, redact: Callable[[str], str]) -> str:
    # Keys go first: cut or squeezed, one would no longer be found.
    text = scrubbed(redact(text))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
