from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.responses import network_error, read_answer
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    QuotaError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.text import quoted

HOST = "api-in21.leadsquared.com"
LIMIT = "API calls exceeded the limit of 20 in 5 second(s)"
QUEUED = {"Status": "Success", "Message": {"Message": "Your request for lead reset has been queued."}}
HTML = "<html><head><title>Oops</title></head><body>Oops</body></html>"


def envelope(kind: str | None, message: str = "No.") -> str:
    return json.dumps({"Status": "Error", "ExceptionType": kind, "ExceptionMessage": message})


def read(status: int, text: str, *, writes: bool = True) -> Any:
    return read_answer(status, text, host=HOST, writes=writes)


def error_of(status: int, text: str, *, writes: bool = True) -> LeadSquaredError:
    with pytest.raises(LeadSquaredError) as caught:
        read(status, text, writes=writes)
    return caught.value


# Each kind of answer that is documented or was seen, and each that a broken way there could make of one.
CASES: list[tuple[int, str, type[LeadSquaredError]]] = [
    # documented statuses of Lead.Reset
    (400, envelope("MXInvalidInputException"), LeadRejectedError),
    (400, "", LeadRejectedError),
    (400, HTML, LeadRejectedError),
    (401, envelope("MXInvalidAccessDetailsException"), AccessError),
    (401, "", AccessError),
    (404, "", AccessError),
    (404, HTML, AccessError),
    (429, LIMIT, ThrottledError),
    (429, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError),
    (429, "", ThrottledError),
    (429, HTML, ThrottledError),
    # the limit, as it was seen
    (200, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError),
    (200, envelope("MXAPIRateLimitExceededException", "Slow down"), ThrottledError),
    (200, envelope(None, LIMIT), ThrottledError),
    (200, LIMIT, ThrottledError),
    (200, json.dumps(LIMIT), ThrottledError),
    (403, LIMIT, ThrottledError),
    (403, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError),
    (429, envelope("MXThrottleException"), ThrottledError),
    (500, envelope("MXAPIRateLimitExceededException", LIMIT), ThrottledError),
    (500, envelope("MXThrottleException"), ThrottledError),
    (503, LIMIT.upper(), ThrottledError),
    # the exception types that were seen
    *(
        (500, envelope(f"MX{kind}Exception"), LeadRejectedError)
        for kind in (
            "MandatoryAttributeMissing",
            "MandatoryFieldMissing",
            "InvalidInput",
            "InvalidEntityReference",
            "UnknownProspectActivity",
            "Timeout",
            "DuplicateEntry",
            "UnknownAttribute",
            "MailDelivery",
            "DuplicateEntityName",
            "XSS",
        )
    ),
    (500, envelope("MXInvalidAccessDetailsException"), AccessError),
    # rights: what a non-administrator gets is unknown
    (403, "", AccessError),
    (403, HTML, AccessError),
    (403, envelope("MXInvalidInputException"), AccessError),
    (200, envelope("MXPermissionDeniedException"), AccessError),
    (500, envelope("MXUnauthorizedException"), AccessError),
    (500, envelope("MXAccessDeniedException"), AccessError),
    # other refusals
    (405, "", LeadRejectedError),
    (413, "", LeadRejectedError),
    (415, "", LeadRejectedError),
    (200, envelope("MXInvalidInputException"), LeadRejectedError),
    (200, '{"Status": "Error"}', LeadRejectedError),
    (200, '{"ExceptionType": "MXInvalidInputException"}', LeadRejectedError),
    # outages, and answers that are none
    (500, "", UnavailableError),
    (500, "Internal Server Error", UnavailableError),
    (500, HTML, UnavailableError),
    (500, envelope(None), UnavailableError),
    (500, envelope("NullReferenceException"), UnavailableError),
    (500, envelope("MXInvalidInputException")[:-5], UnavailableError),
    (502, HTML, UnavailableError),
    (503, "", UnavailableError),
    (504, HTML, UnavailableError),
    (408, "", UnavailableError),
    (200, "", UnavailableError),
    (200, " \n", UnavailableError),
    (200, "null", UnavailableError),
    (200, HTML, UnavailableError),
    (200, json.dumps(QUEUED)[:-3], UnavailableError),
    (200, "[" * 100_000, UnavailableError),
    (200, "{}", UnavailableError),
    (200, "[]", UnavailableError),
    (200, '"Success"', UnavailableError),
    (200, "true", UnavailableError),
    (200, json.dumps(QUEUED | {"Status": "success"}), UnavailableError),
    (200, json.dumps(QUEUED | {"Status": None}), UnavailableError),
    (200, json.dumps([QUEUED]), UnavailableError),
    (202, json.dumps(QUEUED), UnavailableError),
    (204, "", UnavailableError),
    # redirects: to a sign-in page, to another host
    *((status, "", AccessError) for status in (301, 302, 303, 307, 308)),
    (302, json.dumps(QUEUED), AccessError),
]


@pytest.mark.parametrize(("status", "text", "kind"), CASES, ids=lambda value: str(value)[:60])
def test_write_answer_errors(status: int, text: str, kind: type[LeadSquaredError]) -> None:
    """Each failed answer to a write becomes the error that it means."""
    error = error_of(status, text)
    assert type(error) is kind
    assert error.status == status
    assert error.message
    assert f"HTTP {status}" in str(error)
    assert len(str(error)) < 600


def test_write_success() -> None:
    """Only the status Success under HTTP 200 is a success for a write."""
    assert read(200, json.dumps(QUEUED)) == QUEUED


@pytest.mark.parametrize(
    "content", [[], {}, [{"Id": 1}], {"RecordCount": 0, "List": []}, QUEUED, 0, False, ""]
)
def test_read_success_without_status(content: object) -> None:
    """A read returns the content it got, which needs no status."""
    assert read(200, json.dumps(content), writes=False) == content


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        case
        for case in CASES
        if case[0] != 200 or "Error" in case[1] or "Exception" in case[1] or case[1] in ("", LIMIT, HTML)
    ],
    ids=lambda value: str(value)[:60],
)
def test_read_answer_errors(status: int, text: str, kind: type[LeadSquaredError]) -> None:
    """A read fails by the same rules as a write."""
    assert type(error_of(status, text, writes=False)) is kind


@pytest.mark.parametrize(
    "content",
    [
        [{"ActivityEventName": LIMIT}],
        {"RecordCount": 1, "List": [{"Note": f"Sync failed: {LIMIT}"}]},
        {"RecordCount": 1, "ProspectActivities": [{"Data": [{"Value": LIMIT}]}]},
    ],
)
def test_limit_text_in_records(content: object) -> None:
    """Records whose text mentions the limit are still records."""
    assert read(200, json.dumps(content), writes=False) == content


def test_limit_text_in_queued_reset() -> None:
    """A queued reset whose message mentions the limit is still queued."""
    content = {"Status": "Success", "Message": {"Message": LIMIT}}
    assert read(200, json.dumps(content)) == content


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (LIMIT, 20),
        (envelope("MXAPIRateLimitExceededException", LIMIT), 20),
        (LIMIT.replace("20", "0"), 0),
        (LIMIT.replace("20", "9" * 5000), None),
        ("Too many requests", None),
        ("", None),
    ],
)
def test_limit_read_from_text(text: str, limit: int | None) -> None:
    """The limit is read from the answer where the answer names it."""
    error = error_of(429, text)
    assert isinstance(error, ThrottledError)
    assert not isinstance(error, QuotaError)
    assert error.limit == limit


def test_exception_details_kept() -> None:
    """The exception type and message of the answer are kept in the error."""
    error = error_of(500, envelope("MXInvalidEntityReferenceException", "Lead \n not  found"))
    assert (error.exception_type, error.message) == ("MXInvalidEntityReferenceException", "Lead not found")
    assert str(error) == "HTTP 500 MXInvalidEntityReferenceException: Lead not found"
    assert error.args == ("Lead not found",)
    error.prospect_id = "some-lead"
    assert str(error) == "lead some-lead: HTTP 500 MXInvalidEntityReferenceException: Lead not found"
    assert error.reason == "HTTP 500 MXInvalidEntityReferenceException: Lead not found"


@pytest.mark.parametrize("value", [None, "", " ", 5, [], {}, ["MXInvalidInputException"]])
def test_exception_type_must_be_text(value: object) -> None:
    """An exception type that is not text counts as none."""
    text = json.dumps({"Status": "Error", "ExceptionType": value, "ExceptionMessage": value})
    error = error_of(500, text)
    assert isinstance(error, UnavailableError)
    assert error.exception_type is None


@pytest.mark.parametrize("status", [401, 403, 404, 302])
@pytest.mark.parametrize(
    "text",
    [
        envelope(
            "MXInvalidAccessDetailsException", "Use https://api-us11.leadsquared.com/v2/ for this account."
        ),
        envelope("MXInvalidAccessDetailsException", f"{HOST} is wrong, API-US11.LEADSQUARED.COM is right"),
        "Your API host is api-us11.leadsquared.com.",
        '{"Message": "api-us11.leadsquared.com"}',
    ],
)
def test_wrong_region_names_host(status: int, text: str) -> None:
    """The error for a wrong region names the right host."""
    error = error_of(status, text)
    assert isinstance(error, AccessError)
    assert "set the connection's Host to api-us11.leadsquared.com" in error.message
    assert f"does not live at {HOST}" in error.message


def test_oldest_host_recognized() -> None:
    """The oldest API host, which names no region, is recognized as a host too."""
    assert "Host to api.leadsquared.com" in error_of(401, "Use api.leadsquared.com").message


@pytest.mark.parametrize("status", [401, 403, 404, 302])
@pytest.mark.parametrize(
    "named",
    [
        "https://www.leadsquared.com/",
        "https://help.leadsquared.com/keys and https://apidocs.leadsquared.com/authentication/",
        "support@mail.leadsquared.com",
        "run.leadsquared.com",
        f"https://{HOST}/v2/",
        "api-us11.leadsquared.com.example.org.leadsquared.com.evil"[:0] + "fakeapi-us11.leadsquared.com",
        "api-us11.leadsquared.com or api-ir31.leadsquared.com",
    ],
)
def test_unsuitable_hosts_not_offered(status: int, named: str) -> None:
    """Hosts that are not the API's, or several at once, are not offered as the right one."""
    error = error_of(status, f'<a href="{named}">{named}</a>')
    assert isinstance(error, AccessError)
    assert "does not live" not in error.message


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Login (access key)"), (403, "administrator's"), (404, f"Host, {HOST}"), (302, f"Host, {HOST}")],
)
def test_access_error_advice(status: int, said: str) -> None:
    """An access error says what to do."""
    assert said in error_of(status, "").message
    assert error_of(status, envelope("MXAnyException", "Because.")).message.startswith("Because.: ")


def test_long_answer_shortened() -> None:
    """A long answer is shortened, its blanks are collapsed, and its control characters are replaced."""
    text = "\x1b[31m" + "word \n\t" * 5000
    message = error_of(400, text).message
    assert len(message) == 301
    assert message.startswith("\N{REPLACEMENT CHARACTER}[31mword word")
    assert message.endswith("…")


def test_lone_surrogate_replaced() -> None:
    """A lone surrogate does not get into a message."""
    error_of(500, '{"ExceptionType": "MXA", "ExceptionMessage": "x\\ud800y"}').message.encode()


@pytest.mark.parametrize("at", [0, 280, 290, 297, 299, 300])
def test_keys_redacted_before_shortening(at: int) -> None:
    """A key is removed before the answer is shortened, so that no part of it remains."""
    key = "s3c$ret key"
    redact = re.compile(re.escape(key)).sub
    for text in ("." * at + key + "." * 500, envelope("MXA" + key, "." * at + key + "." * 500)):
        with pytest.raises(LeadSquaredError) as caught:
            read_answer(
                500 if "{" in text else 400,
                text,
                host=HOST,
                writes=True,
                redact=lambda said: redact("***", said),
            )
        for part in (caught.value.message, str(caught.value), caught.value.exception_type or ""):
            assert "s3" not in part


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ConnectTimeout", "no connection within the time-out"),
        ("ReadTimeout", "no answer within the time-out"),
        ("SSLError", "TLS"),
        ("ProxyError", "proxy"),
        ("ChunkedEncodingError", "the connection failed"),
    ],
)
def test_network_error_kinds(kind: str, said: str) -> None:
    """A call without an answer is reported as unavailable, with the kind of network failure."""
    error = network_error(kind, HOST)
    assert type(error) is UnavailableError
    assert error.status is None
    assert said in str(error)
    assert f"({kind}, {HOST})" in str(error)


def test_error_class_hierarchy() -> None:
    """Bad values are value errors, and not errors of LeadSquared."""
    assert issubclass(InputError, ValueError)
    assert not issubclass(InputError, LeadSquaredError)
    assert issubclass(QuotaError, ThrottledError)
    assert quoted("x" * 500).endswith("… (502 characters)")
    assert quoted("x") == "'x'"
