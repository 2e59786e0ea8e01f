"""What each answer of LeadSquared means, as data: for the tests, and for the table of docs/answers.md.

``python tests/support/answer_cases.py > docs/answers.md`` writes that page anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

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

LIMIT = "API calls exceeded the limit of 20 in 5 second(s)"
ATTACHMENT = "Attachment exceeded the limit of 5 in 10 seconds"
NOTE = "Note exceeded the limit of 1 in 5 second(s)"
MANY = "Too many requests"
OTHER_WORDS = (
    "Rate limit exceeded",
    "API calls exceeded the limit of 25 in 5 sec",
    "API calls exceeded the limit of 1,000 in 5 second(s)",
    "API calls exceeded the limit of 100000 in 1 day",
    "Your daily API limit has been exceeded",
    "API call limit exceeded",
)
REFUSALS = ('"Failure"', '"Fail"', '"FAILED "', '"Rejected"', '"Odd"', "false")
QUEUED = '{"Status":"Success","Message":{"Message":"Your request for lead reset has been queued."}}'
HTML = "<html><head><title>Access Denied</title></head><body>Reference #18.2f</body></html>"
TEXT_HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"


def envelope(kind: str | None, message: str | None = "No.", **fields: object) -> str:
    return json.dumps({"Status": "Error", "ExceptionType": kind, "ExceptionMessage": message} | fields)


HAPPENS: dict[type[LeadSquaredError] | None, str] = {
    None: "it is the content",
    AccessError: "the batch ends, a person must act",
    EdgeError: "all calls pause, one probe at a time, then this call again",
    LeadRejectedError: "this lead has failed, a retry would repeat it; the others go on",
    NotFoundError: "this call has failed, a retry would repeat it; the others go on",
    PageNotFoundError: "repeated three times; then as an outage, or, where nothing was ever answered, as a wrong host",
    ThrottledError: "waited out, then this call again",
    UnavailableError: "repeated three times; then this lead has failed so that a retry may help",
}


@dataclass(frozen=True)
class AnswerCase:
    """One answer, and what it means.

    :param known: where the fact comes from: documented, seen, inferred.
    :param answered: whether LeadSquared answered another call before; None where that makes no difference.
    :param same_call: whether it answered this very call before; None where that makes no difference.
    :param writes: whether it answers a call that changes something; None where that makes no difference.
    """

    status: int
    body: str
    means: type[LeadSquaredError] | None
    known: str
    content_type: str = JSON
    answered: bool | None = None
    same_call: bool | None = None
    writes: bool | None = None
    limit: int | None = None

    @property
    def name(self) -> str:
        before = {None: "", True: " after others", False: " at first"}[self.answered]
        before += {None: "", True: " after the same", False: " not after the same"}[self.same_call]
        return f"{self.status}{before} {self.body[:60]}"


def case(
    status: int, body: str, means: type[LeadSquaredError] | None, known: str, **more: object
) -> AnswerCase:
    if body.lstrip().startswith("<"):
        more.setdefault("content_type", TEXT_HTML)
    return AnswerCase(status, body, means, known, **more)  # type: ignore[arg-type]


CASES = [
    # -- what was asked for
    case(200, QUEUED, None, "documented", writes=True),
    case(200, "[]", None, "documented", writes=False),
    case(200, '{"RecordCount":0,"List":[]}', None, "documented", writes=False),
    case(200, json.dumps({"List": [{"Note": LIMIT}]}), None, "inferred", writes=False),
    case(
        200, json.dumps({"Status": "Success", "Message": {"Message": LIMIT}}), None, "inferred", writes=True
    ),
    case(200, '{"IsMXException":false,"List":[]}', None, "inferred", writes=False),
    case(200, '{"Status":"SUCCESS"}', None, "inferred"),
    case(200, '{"status":"success","message":"queued"}', None, "inferred"),
    case(200, '{"Status":"Active","Role":"Administrator"}', None, "inferred", writes=False),
    # -- throttled
    case(429, LIMIT, ThrottledError, "documented", limit=20),
    case(429, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError, "documented", limit=20),
    case(429, "", ThrottledError, "documented"),
    case(429, HTML, ThrottledError, "inferred"),
    case(429, '{"message":"Too Many Requests"}', ThrottledError, "inferred"),
    case(429, ATTACHMENT, ThrottledError, "inferred"),
    case(200, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError, "seen", limit=20),
    case(200, envelope("MXAPIRateLimitExceededException", "Slow down"), ThrottledError, "inferred"),
    case(200, envelope(None, LIMIT), ThrottledError, "inferred", limit=20),
    case(200, json.dumps({"Status": "Failed", "Message": LIMIT}), ThrottledError, "inferred", limit=20),
    case(200, LIMIT, ThrottledError, "inferred", limit=20, content_type="text/plain"),
    case(403, LIMIT, ThrottledError, "seen", limit=20, content_type="text/plain"),
    case(403, "Too many requests, rate limit reached", ThrottledError, "seen", content_type="text/plain"),
    case(403, "<html><h1>Too Many Requests</h1></html>", ThrottledError, "inferred"),
    case(403, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError, "seen", limit=20),
    case(500, envelope("MXThrottleException"), ThrottledError, "seen"),
    *(
        case(status, envelope(None, said), ThrottledError, "seen" if said == MANY else "inferred")
        for said in (MANY, *OTHER_WORDS)
        for status in (200, 403, 500)
    ),
    case(400, MANY, ThrottledError, "seen", content_type="text/plain"),
    case(500, envelope("MXException", MANY), ThrottledError, "inferred"),
    case(500, envelope("MXAPILimitExceededException"), ThrottledError, "inferred"),
    case(500, envelope("MXTooManyRequestsException"), ThrottledError, "inferred"),
    case(200, envelope("MXQuotaExceededException"), ThrottledError, "inferred"),
    case(400, '{"message":"Limit Exceeded"}', ThrottledError, "inferred"),
    case(403, '{"message":"Limit Exceeded"}', ThrottledError, "inferred"),
    case(200, envelope(None, "Error", Message=LIMIT), ThrottledError, "inferred", limit=20),
    case(429, envelope("MXInvalidInputException", LIMIT), ThrottledError, "inferred"),
    case(503, LIMIT.upper(), ThrottledError, "inferred", limit=20, content_type="text/plain"),
    # -- keys, rights, host
    case(401, envelope("MXInvalidAccessDetailsException"), AccessError, "seen"),
    case(401, "", AccessError, "documented"),
    case(401, HTML, AccessError, "documented", answered=False),
    case(401, '{"message":"Unauthorized"}', AccessError, "inferred"),
    case(403, envelope("MXInvalidInputException"), AccessError, "inferred"),
    case(403, '{"Status":"Failed","Message":"No."}', AccessError, "inferred"),
    case(403, '{"IsMXException":true}', AccessError, "inferred"),
    *(
        case(status, envelope(f"MX{kind}Exception"), AccessError, "seen" if status == 500 else "inferred")
        for status in (200, 500)
        for kind in ("UnAuthorizedAccess", "UnauthorizedRequest", "AuthenticationFailed")
    ),
    case(200, envelope("MXPermissionDeniedException"), AccessError, "inferred"),
    case(404, "", AccessError, "documented", answered=False),
    case(404, '{"message":"Not Found"}', AccessError, "inferred", answered=False),
    case(302, "", AccessError, "seen", answered=False),
    case(301, HTML, AccessError, "inferred", answered=False),
    # -- one call's own
    case(404, "", NotFoundError, "seen", answered=True, same_call=False),
    case(404, envelope("MXUnknownResourceException"), NotFoundError, "inferred", answered=True),
    case(404, '{"message":"Not Found"}', NotFoundError, "inferred", answered=True, same_call=False),
    case(404, HTML, PageNotFoundError, "seen"),
    # -- the way there
    case(403, HTML, EdgeError, "seen"),
    case(403, "", EdgeError, "seen"),
    case(403, '{"message":"Forbidden"}', EdgeError, "seen"),
    case(403, "Forbidden", EdgeError, "inferred", content_type="text/plain"),
    case(403, "Access Denied", EdgeError, "inferred", content_type=TEXT_HTML),
    case(403, '{"message":"Missing Authentication Token"}', EdgeError, "inferred"),
    *(case(status, HTML, EdgeError, "inferred") for status in (400, 402, 405, 407, 411, 413, 414, 421, 451)),
    case(400, "<?xml version='1.0'?><Error><Code>Bad</Code></Error>", EdgeError, "inferred"),
    case(407, "", EdgeError, "inferred"),
    *(case(status, "", EdgeError, "inferred", answered=True) for status in (301, 302, 307, 308)),
    case(401, HTML, EdgeError, "inferred", answered=True),
    *(
        case(status, "", UnavailableError, "inferred", answered=True, same_call=True)
        for status in (400, 404, 405, 409, 413, 418, 421, 431, 499)
    ),
    case(400, '{"message":"Bad Request"}', UnavailableError, "inferred", answered=True, same_call=True),
    case(404, '{"message":"Not Found"}', UnavailableError, "inferred", answered=True, same_call=True),
    case(
        404, '{"status":404,"error":"Not Found"}', UnavailableError, "inferred", answered=True, same_call=True
    ),
    # -- refused
    case(400, envelope("MXInvalidInputException"), LeadRejectedError, "documented"),
    case(400, "Bad Request", LeadRejectedError, "seen", content_type="text/plain", same_call=False),
    case(400, "", LeadRejectedError, "documented", same_call=False),
    case(405, envelope(None), LeadRejectedError, "seen"),
    case(415, "", LeadRejectedError, "inferred", same_call=False),
    case(500, envelope("MXInvalidInputException"), LeadRejectedError, "seen"),
    case(500, envelope("MXInvalidInputException", ATTACHMENT), LeadRejectedError, "inferred"),
    *(
        case(500, envelope("MXInvalidInputException", said), LeadRejectedError, "inferred")
        for said in (NOTE, LIMIT)
    ),
    case(500, envelope("SomeException", IsMXException=True), LeadRejectedError, "inferred"),
    case(200, '{"Status":"Failed","Message":{"Message":"Invalid event code"}}', LeadRejectedError, "seen"),
    case(200, '{"Status":"Failed","Message":"No."}', LeadRejectedError, "inferred"),
    case(200, envelope("MXInvalidInputException"), LeadRejectedError, "seen"),
    case(200, '{"Status":"Error"}', LeadRejectedError, "inferred"),
    *(case(200, f'{{"Status":{said}}}', LeadRejectedError, "inferred") for said in REFUSALS),
    case(200, '{"status":"failed","message":"No."}', LeadRejectedError, "inferred"),
    case(200, '{"Status":"Failure","Message":"No."}', LeadRejectedError, "inferred"),
    case(500, '{"Status":"Failed"}', LeadRejectedError, "inferred"),
    case(500, '{"Status":"Failed","Message":"No."}', LeadRejectedError, "inferred"),
    case(200, '{"ExceptionType":"MXInvalidInputException"}', LeadRejectedError, "inferred"),
    # -- outages, and answers that are none
    case(500, "", UnavailableError, "inferred"),
    case(500, HTML, UnavailableError, "seen"),
    case(500, envelope("MySqlException"), UnavailableError, "seen"),
    case(500, envelope(None), UnavailableError, "inferred"),
    case(200, envelope("MySqlException"), UnavailableError, "inferred"),
    case(500, envelope("System.UnauthorizedAccessException"), UnavailableError, "inferred"),
    case(200, envelope("UnauthorizedAccessException"), UnavailableError, "inferred"),
    case(200, '{"Status":null}', UnavailableError, "inferred", writes=True),
    *(case(status, HTML, UnavailableError, "seen") for status in (502, 503, 504)),
    case(504, '{"message":"Endpoint request timed out"}', UnavailableError, "inferred"),
    case(408, HTML, UnavailableError, "inferred"),
    case(200, "", UnavailableError, "inferred"),
    case(200, HTML, UnavailableError, "inferred"),
    case(200, QUEUED[:-3], UnavailableError, "inferred"),
    case(200, "[]", UnavailableError, "inferred", writes=True),
    case(200, "{}", UnavailableError, "inferred", writes=True),
    case(202, QUEUED, UnavailableError, "inferred"),
    case(204, "", UnavailableError, "inferred"),
]

HEAD = """# What each answer of LeadSquared means

At the end you know what a task does with an answer that you see in its report, and where that rule comes from. The
page is made from the cases of a test (`tests/support/answer_cases.py`), so it is what the package does.

*Before* says whether LeadSquared had answered another call of the task, and so whether its host is right, or this very
call, so that an answer without LeadSquared's envelope comes from the way there. *Documented* is what LeadSquared's
pages say, *seen* what public code reports of live accounts, *inferred* what follows from these.
A call that was repeated is told in the report each time. Five minutes without one answer end the task for a retry.

| status | body | call | before | means | what happens | known |
|---|---|---|---|---|---|---|
"""


def _before(one: AnswerCase) -> str:
    """Return what was answered before, for the table."""
    if one.same_call is not None:
        return "this call" if one.same_call else "not this call"
    return {None: "", True: "answered", False: "nothing"}[one.answered]


def page() -> str:
    """Return docs/answers.md."""
    lines = []
    for one in CASES:
        body = (
            one.body if one.content_type != TEXT_HTML or one.body.startswith("<") else f"{one.body} (as HTML)"
        )
        cells = [
            str(one.status),
            f"`{body}`" if body else "none",
            {None: "any", True: "writes", False: "reads"}[one.writes],
            _before(one),
            f"`{one.means.__name__}`" if one.means else "success",
            HAPPENS[one.means],
            one.known,
        ]
        lines.append(f"| {' | '.join(cells)} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    print(page(), end="")
