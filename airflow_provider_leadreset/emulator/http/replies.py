"""Answers in LeadSquared's forms, independent of any web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass

QUEUED = {"Status": "Success", "Message": {"Message": "Your request for lead reset has been queued."}}
"""The documented answer to a reset that was accepted."""

MANDATORY = "MXMandatoryAttributeMissingException"
INVALID_INPUT = "MXInvalidInputException"
INVALID_REFERENCE = "MXInvalidEntityReferenceException"
INVALID_KEYS = "MXInvalidAccessDetailsException"
UNKNOWN_ACTIVITY = "MXUnknownProspectActivityException"
THROTTLED = "MXAPIRateLimitExceededException"
LEAD_PAGE_TOO_LARGE = "MXMandatoryFieldMissingException"
FORBIDDEN = "MXPermissionDeniedException"
"""A guess: neither the status nor the type of "not an administrator" is published."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    seconds_a_byte: float | None = None
    """How long each byte of the body is held back; None to send it at once."""


class ApiError(Exception):
    """A call that LeadSquared answers with its error envelope.

    :param status: the HTTP status. Logical errors are 500 there (seen on live accounts by others), a body
        that cannot be deserialised is 400 (seen), wrong keys are 401 (documented).
    :param kind: the ``ExceptionType``.
    :param message: the ``ExceptionMessage``. LeadSquared publishes none of its texts, so the wording is ours.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message


def envelope(kind: str, message: str) -> dict[str, str]:
    """Return the documented error object."""
    return {"Status": "Error", "ExceptionType": kind, "ExceptionMessage": message}


def json_answer(content: object, status: int = 200) -> Answer:
    """Return ``content`` as a JSON answer."""
    return Answer(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def text_answer(text: str, status: int, media_type: str = "text/plain; charset=utf-8") -> Answer:
    """Return ``text`` as an answer."""
    return Answer(status, text.encode(), media_type)


def html_answer(title: str, status: int) -> Answer:
    """Return the kind of bare HTML page that proxies and web servers put in front of an API."""
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return text_answer(page, status, "text/html; charset=utf-8")


def error_answer(error: ApiError, form: str = "500") -> Answer:
    """Return the answer for ``error``.

    :param form: how logical errors look: ``"500"`` or ``"200 failed"`` (both seen).
    """
    if form == "200 failed" and error.status == 500:
        return json_answer({"Status": "Failed", "Message": {"Message": error.message}})
    return json_answer(envelope(error.kind, error.message), error.status)


def wrong_keys() -> Answer:
    """Return the answer to wrong keys: 401 is documented, the type was seen in a test of another client."""
    return json_answer(envelope(INVALID_KEYS, "Invalid access key or secret key"), 401)


def wrong_region(host: str) -> Answer:
    """Return the answer of a regional host that is not the account's.

    Documented: a 401 whose message names the right host. The wording is a guess.
    """
    return json_answer(
        envelope(INVALID_KEYS, f"Invalid API host. Use https://{host}/v2/ for this account."), 401
    )


def throttled(form: str, text: str) -> Answer:
    """Return the answer to a call beyond the limit.

    :param form: ``"429"`` (documented status, text as the body), ``"200"`` (seen: an error envelope under
        status 200) or ``"403"`` (seen: the text under 403).
    :param text: the message.
    """
    if form == "200":
        return json_answer(envelope(THROTTLED, text), 200)
    return text_answer(text, int(form))
