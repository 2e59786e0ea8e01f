"""What a call gets that a fault hits."""

from __future__ import annotations

import gzip
import json

from airflow_provider_leadreset.emulator.account.faults import Fault
from airflow_provider_leadreset.emulator.http.replies import (
    INVALID_INPUT,
    Answer,
    envelope,
    html_answer,
    json_answer,
    text_answer,
    throttled,
    wrong_keys,
    wrong_region,
)

_OVERSIZED = 32 * 1024 * 1024
_EDGE_PAGE = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n"
    "You don't have permission to access this server.<P>\n"
    "Reference&#32;&#35;18&#46;1a2b3c4d&#46;1790000000&#46;5e6f7a8b\n</BODY>\n</HTML>\n"
)
"""The form of Akamai's page, which stands in front of LeadSquared's Indian host (seen); the number is made up."""


def fault_answer(fault: Fault, *, path: str, limit_text: str, takes_gzip: bool) -> Answer:
    """Return the answer of a fault that replaces the call's own.

    :param path: the call's path after ``/v2/``.
    :param limit_text: the message of a throttled call.
    :param takes_gzip: whether the client takes a body in gzip.
    """
    answer = _answer(fault, path, limit_text)
    body, media_type = answer.body, answer.media_type
    if fault.body is not None and fault.kind not in ("500-mx", "redirect", "wrong-region"):
        body, media_type = _body(fault.body, media_type)
    headers = answer.headers
    if fault.kind == "oversized" and takes_gzip:
        body, headers = gzip.compress(body), (*headers, ("content-encoding", "gzip"))
    return Answer(fault.status or answer.status, body, media_type, headers)


def _answer(fault: Fault, path: str, limit_text: str) -> Answer:
    given = fault.body if isinstance(fault.body, str) else None
    match fault.kind:
        case "429" | "403":
            return throttled(fault.kind, limit_text)
        case "200-throttled":
            return throttled("200", limit_text)
        case "500":
            return text_answer("Internal Server Error", 500)
        case "502-html":
            return html_answer("502 Bad Gateway", 502)
        case "404-html":
            return html_answer("404 Not Found", 404)
        case "edge-403":
            return text_answer(_EDGE_PAGE, 403, "text/html")
        case "gateway-403":
            return json_answer({"message": "Forbidden"}, 403)
        case "oversized":
            size = _OVERSIZED if fault.size is None else fault.size
            return Answer(200, b'["' + b"x" * (size - 4) + b'"]')
        case "500-mx":
            error = envelope(given or INVALID_INPUT, "Forced by a fault of the emulator")
            return json_answer(error | fault.body if isinstance(fault.body, dict) else error, 500)
        case "html":
            return html_answer("Please sign in", 200)
        case "empty":
            return Answer(200, b"")
        case "status-error":
            return json_answer(envelope(INVALID_INPUT, "Forced by a fault of the emulator"), 200)
        case "redirect":
            # By default back to the same call, so that a client that follows shows up in the record.
            location = given or f"/v2/{path}?redirected=1"
            return Answer(302, b"", "text/html; charset=utf-8", (("location", location),))
        case "wrong-region":
            return wrong_region(given or "api-in21.leadsquared.com")
        case "401":
            return wrong_keys()
        case _:
            raise AssertionError(f"{fault.kind} has no answer of its own")


def truncate(fault: Fault, answer: Answer) -> Answer:
    """Return the first half of an answer, complete as far as HTTP can tell."""
    body = answer.body if fault.body is None else _body(fault.body, answer.media_type)[0]
    return Answer(fault.status or answer.status, body[: len(body) // 2], answer.media_type, answer.headers)


def _body(given: object, media_type: str) -> tuple[bytes, str]:
    if isinstance(given, str):
        return given.encode(), media_type
    return json.dumps(given).encode(), "application/json; charset=utf-8"
