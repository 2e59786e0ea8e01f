from __future__ import annotations

import json
import re
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.responses import NO_TEXT, network_error, read_answer
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    QuotaError,
    ResponseTooLargeError,
    ThrottledError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.text import quoted, scrubbed
from support.answer_cases import CASES, HAPPENS, AnswerCase, page

HOST = "api-in21.leadsquared.com"
LIMIT = "API calls exceeded the limit of 20 in 5 second(s)"
QUEUED = {"Status": "Success", "Message": {"Message": "Your request for lead reset has been queued."}}


def envelope(kind: str | None, message: str = "No.") -> str:
    return json.dumps({"Status": "Error", "ExceptionType": kind, "ExceptionMessage": message})


def read(status: int, text: str, *, writes: bool = True) -> Any:
    return read_answer(status, text, host=HOST, writes=writes)


def error_of(status: int, text: str, *, writes: bool = True) -> LeadSquaredError:
    with pytest.raises(LeadSquaredError) as caught:
        read(status, text, writes=writes)
    return caught.value


@pytest.mark.parametrize(
    ("one", "writes"),
    [(one, writes) for one in CASES for writes in (True, False) if one.writes in {None, writes}],
    ids=lambda value: value.name if isinstance(value, AnswerCase) else "writes" if value else "reads",
)
def test_meaning_of_answers(one: AnswerCase, writes: bool) -> None:
    """Each answer has the meaning that docs/answers.md tells."""
    before = [
        (answered, same)
        for answered, same in ((False, False), (True, False), (True, True))
        if one.answered in {None, answered} and one.same_call in {None, same}
    ]
    for answered, same in before:
        given = {"host": HOST, "content_type": one.content_type, "answered": answered, "writes": writes}
        given["answered_call"] = same
        if one.means is None:
            assert read_answer(one.status, one.body, **given) == json.loads(one.body)
            continue
        with pytest.raises(LeadSquaredError) as caught:
            read_answer(one.status, one.body, **given)
        error = caught.value
        assert type(error) is one.means
        assert error.status == one.status
        assert error.message
        assert len(str(error)) < 600
        if isinstance(error, ThrottledError):
            assert error.limit == one.limit


@pytest.mark.parametrize("body", ["[" * 100_000, '"Success"', "true", "null", " \n"])
def test_unreadable_write_answers(body: str) -> None:
    """An answer to a write that says nothing of success is none."""
    assert type(error_of(200, body)) is UnavailableError


@pytest.mark.parametrize("status", ["Successful", "Queued", 0, ["Success"]])
def test_other_status_than_success(status: object) -> None:
    """Any Status but the documented word is a refusal of a write."""
    assert type(error_of(200, json.dumps(QUEUED | {"Status": status}))) is LeadRejectedError


def test_too_many_values() -> None:
    """An answer of which a small part takes much memory is not read, and what is nested too deep is no content."""
    lists = "[" + "[]," * 300_000 + "[]]"
    tracemalloc.start()
    try:
        assert type(error_of(200, lists, writes=False)) is ResponseTooLargeError
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()
    assert type(error_of(503, lists)) is UnavailableError
    assert type(error_of(200, "[" * 101 + "]" * 101, writes=False)) is UnavailableError
    rows = [{f"mx_{number}": "a, b" for number in range(200)}] * 1000
    assert read(200, json.dumps(rows), writes=False) == rows


def test_key_behind_a_terminal_sequence() -> None:
    """A key inside which a terminal sequence stands is not shown once that is taken out."""
    for sequence in ("\x1b[0m", "\x1b]0;x\x07", "\x9b0m"):
        with pytest.raises(LeadSquaredError) as caught:
            read_answer(
                500,
                envelope("MXA", f"bad s3c{sequence}$ret-key"),
                host=HOST,
                writes=True,
                redact=lambda said: said.replace("s3c$ret-key", "***"),
            )
        assert caught.value.message == "bad ***"


def test_throttling_without_a_text() -> None:
    """Our own words are not called LeadSquared's, and plain ones of LeadSquared's are quoted."""
    assert error_of(429, "").message == NO_TEXT
    assert error_of(429, LIMIT).message == LIMIT


def test_page_is_made_from_the_cases() -> None:
    """docs/answers.md says what the cases above say."""
    path = Path(__file__).parents[4] / "docs" / "answers.md"
    assert path.read_text("utf-8") == page(), "python tests/support/answer_cases.py > docs/answers.md"
    assert not [one for one in CASES if "|" in one.body or "`" in one.body]
    assert {one.means for one in CASES} == set(HAPPENS)


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
        (LIMIT.replace(" in 5 ", " in 10 "), None),
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


@pytest.mark.parametrize("status", [401, 404, 302])
@pytest.mark.parametrize(
    "named",
    [
        "https://www.leadsquared.com/",
        "https://help.leadsquared.com/keys and https://apidocs.leadsquared.com/authentication/",
        "support@mail.leadsquared.com",
        "run.leadsquared.com",
        f"https://{HOST}/v2/",
        "fakeapi-us11.leadsquared.com",
        "api-us11.leadsquared.com.evil.example",
        "api-us11.leadsquared.com or api-ir31.leadsquared.com",
    ],
)
def test_unsuitable_hosts_not_offered(status: int, named: str) -> None:
    """Hosts that are not the API's, or several at once, are not offered as the right one."""
    error = error_of(status, f'See "{named}": {named}')
    assert isinstance(error, AccessError)
    assert "does not live" not in error.message


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Login (access key)"), (404, f"Host, {HOST}"), (302, f"Host, {HOST}")],
)
def test_access_error_advice(status: int, said: str) -> None:
    """An access error says what to do."""
    assert said in error_of(status, "").message
    assert error_of(status, envelope("MXAnyException", "Because.")).message.startswith("Because.: ")
    rights = error_of(403, envelope("MXAnyException", "Because.")).message
    assert rights == "Because.: the keys must be an administrator's"


@pytest.mark.parametrize("key", ["limit", "rate", "MX", "Success", "a"])
def test_key_that_is_a_deciding_word(key: str) -> None:
    """A key that is a word of the answer changes what is shown, and not what it means."""
    redact = re.compile(re.escape(key), re.IGNORECASE)
    for one in CASES:
        if one.means is None:
            continue
        with pytest.raises(one.means) as caught:
            read_answer(
                one.status,
                one.body,
                host=HOST,
                content_type=one.content_type,
                answered=bool(one.answered),
                answered_call=bool(one.same_call),
                writes=one.writes is not False,
                redact=lambda said: redact.sub("***", said),
            )
        assert type(caught.value) is one.means


@pytest.mark.parametrize(
    ("number", "read_as"),
    [
        ("9" * 5000, "9" * 5000),
        ("-" + "1" * 101, "-" + "1" * 101),
        ("1" * 100, int("1" * 100)),
        ("1e400", "1e400"),
        ("-1e400", "-1e400"),
        ("1.5", 1.5),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_numbers_beyond_reason(number: str, read_as: object) -> None:
    """A number that Python cannot read, or only as infinite, stays text."""
    assert read(200, f'{{"RecordCount": {number}}}', writes=False) == {"RecordCount": read_as}


@pytest.mark.parametrize(
    "text",
    [
        '<a href="/' + "api-abc-bcd-" * 20_000,
        "api-" + "-" * 200_000,
        "api." * 60_000,
        "exceeded the limit of " * 10_000,
        "exceeded the limit of " + "1" * 200_000,
        "rate" * 50_000,
        "\x1b[" * 100_000,
        "\x1b]" + "a" * 200_000,
        " " * 300_000 + "x",
    ],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_long_answers_are_judged_fast(status: int, text: str) -> None:
    """What an answer means is found in a time that does not explode with its length."""
    began = time.thread_time()
    error_of(status, text)
    assert time.thread_time() - began < 5


def test_key_cut_in_a_long_answer() -> None:
    """A key that lies across the end of what is searched is not shown in part."""
    key = "s3c$ret-key"
    for at in range(64 * 1024 - len(key), 64 * 1024 + 1):
        text = "start" + " " * (at - 5) + key + "." * 100
        with pytest.raises(LeadSquaredError) as caught:
            read_answer(400, text, host=HOST, writes=True, redact=lambda said: said.replace(key, "***"))
        assert "start" in str(caught.value)
        assert "s3" not in str(caught.value)


def test_terminal_sequences_are_taken_out() -> None:
    """Text of others is shown without what a terminal obeys, on one line, and cut."""
    assert scrubbed("\x1b[1;31mred\x1b[0m\n\x1b]8;;https://evil\x07link\x1b]8;;\x07 \x9b2Jx") == "red link x"
    assert scrubbed("a\u202eb\x00c\x1bd") == "a\ufffdb\ufffdc\ufffdd"
    assert scrubbed("x" * 81, 80) == "x" * 80 + "…"
    assert scrubbed("x" * 80, 80) == "x" * 80


def test_long_answer_shortened() -> None:
    """A long answer is shortened, its blanks are collapsed, and its control characters are replaced."""
    text = "\x1b[31m" + "word \n\t" * 5000
    message = error_of(400, text).message
    assert len(message) == 301
    assert message.startswith("word word")
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


def test_unreachable_host() -> None:
    """A call that was not even sent asks for the Host."""
    said = network_error("ConnectionError", HOST, sent=False).message
    assert said.startswith(
        f"{HOST} cannot be reached (ConnectionError): check the connection's Host, and that this"
    )


def test_error_class_hierarchy() -> None:
    """Bad values are value errors, and not errors of LeadSquared."""
    assert issubclass(InputError, ValueError)
    assert not issubclass(InputError, LeadSquaredError)
    assert issubclass(QuotaError, ThrottledError)
    assert quoted("x" * 500).endswith("… (502 characters)")
    assert quoted("x") == "'x'"
