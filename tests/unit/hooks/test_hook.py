from __future__ import annotations

import importlib
import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

import airflow
import pytest
from pytest_mock import MockerFixture

from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import (
    LeadResetAccessError,
    LeadResetInputError,
    LeadResetOutageError,
    LeadResetRejectedError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.hooks import lead_reset
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from support.answering import ACCESS, SECRET, Answering, Request, chain, http

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
HOST = "api-in21.leadsquared.com"
MASKERS = (
    "airflow.sdk._shared.secrets_masker",
    "airflow.sdk.execution_time.secrets_masker",  # 3.0
    "airflow.utils.log.secrets_masker",  # 2.11
)


def redact(text: str) -> str:
    """Let Airflow mask a text."""
    for place in MASKERS:
        with suppress(ImportError):
            return str(importlib.import_module(place).redact(text))
    raise AssertionError("this Airflow masks elsewhere")


@pytest.fixture(scope="module")
def shared() -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, access_key=ACCESS, secret_key=SECRET) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared: LeadSquaredEmulator) -> Iterator[LeadSquaredEmulator]:
    shared.forget()
    shared.add_lead(LEAD)
    yield shared
    shared.set_user("Administrator", first_name="Asha", api_host="")


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a hook of a connection with these fields."""

    def hook(*, calls: int | None = None, **fields: Any) -> LeadResetHook:
        connection = {"conn_type": "leadsquared", "host": HOST, "login": ACCESS, "password": SECRET} | fields
        monkeypatch.setenv("AIRFLOW_CONN_LSQ", json.dumps(connection))
        return LeadResetHook("lsq", calls=calls)

    return hook


def assert_no_key(text: str) -> None:
    for key in (ACCESS, SECRET):
        for form in (key, quote(key), quote(key, safe=""), quote_plus(key)):
            assert form not in text


# -- rules ----------------------------------------------------------------------------------------------------


def a_reset(lead: str = LEAD) -> LeadReset:
    return LeadReset(lead, parse_selectors([166]), parse_window("2026-09-01/2026-10-01"))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"resets": False}, "stop every reset"),
        ('{"resets": false}', "stop every reset"),
        ({"require": ["plan"]}, r"require plan of every reset: .*LeadResetHook.reset takes none"),
        ({"max_leads": 0}, "1 lead given, more than the rules"),
    ],
)
def test_rules_refuse_a_reset(emulator: LeadSquaredEmulator, connect: Any, rules: Any, said: str) -> None:
    """The account's rules are held before a hook's reset is sent."""
    with pytest.raises(LeadResetInputError, match=said):
        connect(host=emulator.url, extra={"rules": rules}).reset(a_reset())
    assert emulator.calls == []


def test_rules_count_a_hooks_leads(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """A hook resets no more leads than the rules allow, however many calls that are; one lead counts once."""
    hook = connect(host=emulator.url, extra={"rules": {"max_leads": 2}})
    leads = [emulator.add_lead() for _ in range(3)]
    for lead in (*leads[:2], leads[0].upper()):
        hook.reset(a_reset(lead))
    with pytest.raises(LeadResetInputError, match="3 leads given"):
        hook.reset(a_reset(leads[2]))
    hook.reset(a_reset(leads[1]))
    assert {call.prospect_id.lower() for call in emulator.resets} == set(leads[:2])


@pytest.mark.parametrize("name", ["rule", "Rules", "rulse", "ruels", "rules "])
def test_misspelt_rules_refused(connect: Any, name: str) -> None:
    """Rules under a misspelt name would guard nothing, so they are refused."""
    with pytest.raises(LeadResetInputError, match="did you mean rules"):
        connect(extra={name: {"resets": False}}).settings  # noqa: B018


@pytest.mark.parametrize("extra", [{"resets": False}, {"rules": {}, "Max-Leads": 5}, {"require": ["plan"]}])
def test_rule_beside_rules_refused(connect: Any, extra: dict[str, Any]) -> None:
    """A rule that stands beside the rules would guard nothing, so it is refused."""
    with pytest.raises(LeadResetInputError, match="beside rules, where it guards nothing"):
        connect(extra=extra).settings  # noqa: B018


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("call_per_5s", "calls_per_5s"),
        ("Calls_per_5s", "calls_per_5s"),
        ("calls-per-5s", "calls_per_5s"),
        ("Pool", "pool"),
        ("extra__leadsquared__rules", "rules"),
        ("extra__leadsquared__calls_per_5s", "calls_per_5s"),
    ],
)
def test_misspelt_limit_refused(connect: Any, name: str, meant: str) -> None:
    """A limit under a misspelt name would be the default's, which is the largest."""
    with pytest.raises(LeadResetInputError, match=f"did you mean {meant}"):
        connect(extra={name: 5}).settings  # noqa: B018


@pytest.mark.parametrize(
    "extra",
    [
        '{"rules": {"resets": false}, "rules": {}}',
        '{"rules": {"resets": false, "resets": true}}',
        '{"calls_per_5s": 5, "calls_per_5s": 25}',
    ],
)
def test_extra_that_stands_twice(connect: Any, extra: str) -> None:
    """Of a guard that stands twice the last does not win: it is refused."""
    with pytest.raises(LeadResetInputError, match=r"Extra has '\w+' twice"):
        connect(extra=extra).settings  # noqa: B018


@pytest.mark.parametrize("pool", [5, True, ["crm"]], ids=str)
def test_unusable_pool_refused(connect: Any, pool: Any) -> None:
    """A pool that is no text is refused, and blanks around a name are none of it."""
    with pytest.raises(LeadResetInputError, match=r"pool is .*: give the name of an Airflow pool"):
        connect(extra={"pool": pool}).settings  # noqa: B018
    assert connect(extra={"pool": " crm\n"}).settings.pool == "crm"


def test_bad_rules_stop_the_connection(connect: Any) -> None:
    """Rules that cannot be read stop every use of the connection, and its test says why."""
    hook = connect(extra={"rules": {"resets": "false"}})
    works, message = hook.test_connection()
    assert (works, "resets='false': write true or false" in message) == (False, True)


# -- the connection -------------------------------------------------------------------------------------------


def test_json_connection(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """A connection given as JSON reaches LeadSquared."""
    reset = LeadReset(LEAD, parse_selectors([166]), parse_window("2026-09-01/2026-10-01"))
    connect(host=emulator.url).reset(reset)
    (call,) = emulator.resets
    assert call.body == reset.body()


@pytest.mark.parametrize("host", ["{whole}", "{name}:{port}"], ids=["port in the host", "port of its own"])
def test_uri_connection(emulator: LeadSquaredEmulator, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A connection given as a URI with percent-encoded keys reaches LeadSquared."""
    name, _, port = emulator.host.partition(":")
    whole = quote(emulator.url, safe="")
    host = host.format(whole=whole, name=quote(f"http://{name}", safe=""), port=port)
    uri = f"leadsquared://{quote(ACCESS, safe='')}:{quote(SECRET, safe='')}@{host}/?calls_per_5s=10&timeout=7"
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", uri)
    hook = LeadResetHook()
    assert hook.get_conn().current_user()["Role"] == "Administrator"
    assert (hook.settings.calls_per_5s, hook.settings.timeout) == (10, 7.0)


def test_default_connection() -> None:
    """The default connection and the connection type are the documented ones."""
    assert LeadResetHook().leadsquared_conn_id == LeadResetHook.default_conn_name == "leadsquared_default"
    assert (LeadResetHook.conn_type, LeadResetHook.conn_name_attr) == ("leadsquared", "leadsquared_conn_id")


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        (HOST, 8443, f"{HOST}:8443"),
        (HOST, 443, HOST),
        (HOST, 0, HOST),
        (HOST, None, HOST),
        (f"https://{HOST}/v2/", 8443, f"{HOST}:8443"),
        (f"{HOST}:8443", 9999, f"{HOST}:8443"),
        (f"https://{HOST}:8443/", 9999, f"{HOST}:8443"),
        ("http://127.0.0.1", 8080, "127.0.0.1:8080"),
        ("http://[::1]", 8080, "[::1]:8080"),
        ("[::1]:8081", 8080, "[::1]:8081"),
    ],
)
def test_port_in_field_or_host(connect: Any, host: str, port: Any, expected: str) -> None:
    """The port may stand in its own field or in the host."""
    assert connect(host=host, port=port).get_conn().host == expected


def test_client_is_reused(connect: Any) -> None:
    """A hook's client is one and the same, since it holds the sliding window of its calls."""
    hook = connect()
    assert hook.get_conn() is hook.get_conn()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": ""}, "Host"),
        ({"host": None}, "Host"),
        ({"host": f"http://{HOST}"}, "https only"),
        ({"login": ""}, "Login"),
        ({"login": None}, "Login"),
        ({"password": None}, "Password"),
        ({"password": "  "}, "Password"),
        ({"password": SECRET + "\nmore"}, "Password"),
        ({"login": ACCESS + "\r\nX-Evil: 1"}, "Login"),
    ],
)
def test_unusable_connection(connect: Any, fields: dict[str, Any], said: str) -> None:
    """A connection that cannot work is refused, and the error does not show its keys."""
    hook = connect(**fields)
    with pytest.raises(LeadResetInputError, match=said) as caught:
        hook.get_conn()
    assert_no_key(str(caught.value))
    able, message = hook.test_connection()
    assert not able
    assert said in message
    assert message[0].isupper()
    assert_no_key(message)


# -- extras ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (None, (25, "lsq", 30.0)),
        ("", (25, "lsq", 30.0)),
        ({}, (25, "lsq", 30.0)),
        ({"calls_per_5s": 10}, (10, "lsq", 30.0)),
        ({"calls_per_5s": " 10 ", "timeout": "2.5", "pool": "crm"}, (10, "crm", 2.5)),
        ({"calls_per_5s": "", "timeout": None, "pool": ""}, (25, "lsq", 30.0)),
        ({"timeout": 600}, (25, "lsq", 600.0)),
        ('{"calls_per_5s": 2}', (2, "lsq", 30.0)),
    ],
    ids=str,
)
def test_defaults_of_extras(connect: Any, extra: Any, expected: tuple[int, str, float]) -> None:
    """Extras have defaults and may be text."""
    settings = connect(extra=extra).settings
    assert (settings.calls_per_5s, settings.pool, settings.timeout) == expected


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        *(
            ({"calls_per_5s": value}, "calls_per_5s is")
            for value in (0, -1, 2.5, "2.5", "many", True, False, [], "0", 10000)
        ),
        *(
            ({"timeout": value}, "timeout is")
            for value in (0, -1, 601, "nan", "inf", "long", True, False, [])
        ),
    ],
    ids=str,
)
def test_extras_with_unusable_numbers(connect: Any, extra: Any, said: str) -> None:
    """Extras that are no usable number are refused."""
    hook = connect(extra=extra)
    with pytest.raises(LeadResetInputError, match=said):
        hook.get_conn()
    assert hook.test_connection()[0] is False


# Airflow 3.0 and 3.1 take such a connection for none at all.
NONE_AT_ALL = airflow.__version__.startswith(("3.0.", "3.1."))
REFUSED = LeadResetResourceError if NONE_AT_ALL else LeadResetInputError
SAID_OF_EXTRA = "isn't defined" if NONE_AT_ALL else "Extra is no JSON object"


@pytest.mark.filterwarnings("ignore:Encountered")
@pytest.mark.parametrize("extra", ["[1, 2]", '"calls_per_5s"', "5", "null"])
def test_extra_that_is_no_object(connect: Any, extra: str) -> None:
    """An Extra that is no JSON object is refused and does not count as none."""
    with pytest.raises(REFUSED, match=SAID_OF_EXTRA):
        connect(extra=extra).get_conn()


@pytest.mark.filterwarnings("ignore:Encountered non-JSON")
def test_extra_that_is_no_json(connect: Any) -> None:
    """An Extra that is no JSON is refused, does not count as none, and is not quoted in the error."""
    hook = connect(extra="calls_per_5s=2&accessKey=u$r")
    with pytest.raises(REFUSED, match=SAID_OF_EXTRA) as caught:
        hook.get_conn()
    assert "u$r" not in str(caught.value)


def test_unknown_extra(connect: Any, mocker: MockerFixture) -> None:
    """A warning tells of an unknown extra by its name only."""
    log = mocker.patch.object(LeadResetHook, "log")
    hook = connect(extra={"region": 3, "secretKey": SECRET, "timeout": 5})
    assert hook.settings.calls_per_5s == 25
    (told,) = [call.args[0] % call.args[1:] for call in log.warning.call_args_list]
    assert "the extras 'region', 'secretKey' are not known and have no effect" in told
    assert_no_key(told)


def test_unknown_extras_in_one_line(connect: Any, mocker: MockerFixture) -> None:
    """An unknown extra breaks no line of the log and shows no key, and a warning names ten of many."""
    log = mocker.patch.object(LeadResetHook, "log")
    names = ["note\nERROR x", f"of {SECRET} and", "z" * 500, *(f"x{number:02}" for number in range(20))]
    connect(extra=dict.fromkeys(names, 1)).settings  # noqa: B018
    (told,) = [call.args[0] % call.args[1:] for call in log.warning.call_args_list]
    assert told.startswith("Connection lsq: the extras 'note ERROR x', 'of *** and', 'x00', ")
    assert "'x07', and 13 more are not known" in told
    assert_no_key(told)
    connect(extra={"z" * 500: 1}).settings  # noqa: B018
    assert len(log.warning.call_args.args[2]) < 100


@pytest.mark.parametrize("name", ["roles", "rules_doc", "api_rules", "call_per_5s"])
def test_what_to_do_with_an_extra_like_a_guard(connect: Any, name: str) -> None:
    """An extra that is another's and only looks like a guard may be removed."""
    with pytest.raises(LeadResetInputError, match="or remove it, since it has no effect"):
        connect(extra={name: 5}).settings  # noqa: B018


@pytest.mark.parametrize(("calls", "share"), [(None, 10), (3, 3), (10, 10), (25, 10)])
def test_share_of_the_limit(connect: Any, calls: int | None, share: int) -> None:
    """A task keeps to its share of the calls and never goes above the account's limit."""
    window = connect(calls=calls, extra={"calls_per_5s": 10}).get_conn().limiter.sliding_window
    assert (window.share, window.limit) == (share, 10)


@pytest.mark.parametrize("calls", [0, -1, 2.5, float("nan"), True, "5", [5]], ids=str)
def test_unusable_share_refused(connect: Any, calls: Any) -> None:
    """A share that is no whole number of calls is refused and does not count as the whole limit."""
    with pytest.raises(LeadResetInputError, match=r"connection lsq: calls is .*: give a whole number"):
        connect(calls=calls).get_conn()


# -- secrets --------------------------------------------------------------------------------------------------


def shown_by(error: BaseException) -> str:
    """Return all that an error tracker shows of an error: texts, attributes, and local names of its traceback."""
    told = []
    for one in chain(error):
        told += [str(one), repr(one), repr(vars(one))]
        frames = traceback.walk_tb(one.__traceback__)
        told += [repr(frame.f_locals) for frame, _ in frames if frame.f_code.co_filename != __file__]
    return "\n".join(told)


ECHOES = {
    "name of a list": (
        lambda hook: hook.list_members(LEAD),
        http(200, json.dumps({"Lists": [{"ListId": LEAD, "ListName": SECRET}], "Leads": []})),
    ),
    "count": (
        lambda hook: hook.preview(a_reset()),
        http(200, json.dumps({"RecordCount": SECRET, "ProspectActivities": []})),
    ),
    "long count": (
        lambda hook: hook.preview(a_reset()),
        http(200, json.dumps({"RecordCount": "x" * 110 + SECRET, "ProspectActivities": []})),
    ),
    "refusal": (
        lambda hook: hook.reset(a_reset()),
        http(200, json.dumps({"Status": "Error", "ExceptionMessage": f"{ACCESS} {SECRET}"})),
    ),
    "page": (lambda hook: hook.reset(a_reset()), http(404, f"<p>{SECRET}</p>")),
    "redirect": (lambda hook: hook.reset(a_reset()), http(302, SECRET, f"Location: http://x/{SECRET}")),
}


@pytest.mark.parametrize(("use", "answer"), ECHOES.values(), ids=list(ECHOES))
def test_echoed_keys_in_no_error(
    connect: Any, monkeypatch: pytest.MonkeyPatch, use: Any, answer: bytes
) -> None:
    """A key that the server repeats is in no error, none that it came from, and no local name of its traceback."""
    monkeypatch.setattr(client_module, "RETRY_DELAYS", ())
    with Answering(answer) as server, pytest.raises(AirflowException) as caught:
        use(connect(host=server.url))
    shown = shown_by(caught.value)
    for key in (ACCESS, SECRET):
        assert key[: len(key) // 2] not in shown


def test_echoed_keys_in_no_error_of_a_task(connect: Any) -> None:
    """Nor is it in what a task ends with, by whatever it was read."""
    task = LeadResetOperator(
        task_id="reset",
        list_id=LEAD,
        activity_event_list=[166],
        window="2026-09-01/2026-10-01",
        leadsquared_conn_id="lsq",
        retries=0,
    )
    with Answering(ECHOES["name of a list"][1]) as server:
        connect(host=server.url)
        with pytest.raises(AirflowException) as caught:
            task.execute({})
    assert "the list '***' does not say" in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_unreadable_headers_are_not_logged(connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Headers that the network library cannot read are in no log: a key may be among them."""
    with Answering(http(200, '{"Status": "Success"}', SECRET)) as server:
        connect(host=server.url).reset(a_reset())
    assert SECRET not in caplog.text
    logging.getLogger("urllib3.connection").warning("of others")
    assert "of others" in caplog.text


def test_airflow_masks_the_keys(connect: Any) -> None:
    """Airflow masks the keys in every spelling."""
    access, secret = "u$rMask/me+please%41=1", "s3c$Mask/me too+9=9%2F"
    assert access in redact(access)
    assert secret in redact(secret)
    connect(login=f" {access}", password=f"{secret}\n")._connection  # noqa: B018
    for key in (access, secret, f" {access}", f"{secret}\n"):
        for spell in (str, quote, lambda text: quote(text, safe=""), quote_plus):
            form = spell(key)
            assert "***" in redact(f"GET /v2/x?accessKey={form}&x=1")
            assert "ask" not in redact(f"GET /v2/x?accessKey={form}&x=1")
    for key in (access, secret):
        assert "ask" not in redact(re.sub("%..", lambda code: code[0].lower(), quote(key, safe="")))


def test_no_keys_in_stack_frames(connect: Any) -> None:
    """No stack frame of a failing hook holds the connection by name, so that no key shows in a traceback."""
    hook = connect(host="no host")
    with pytest.raises(LeadResetInputError) as caught:
        hook.get_conn()
    trace, seen = caught.value.__traceback__, 0
    while trace:
        if trace.tb_frame.f_code.co_filename == lead_reset.__file__:
            seen += 1
            assert_no_key("".join(map(repr, trace.tb_frame.f_locals.values())))
        trace = trace.tb_next
    assert seen
    assert_no_key(repr(hook))


# -- testing the connection -----------------------------------------------------------------------------------


def test_administrator_passes(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """The test of the connection passes with an administrator's keys."""
    able, message = connect(host=emulator.url).test_connection()
    assert able
    who = "Asha Admin (asha.admin@example.com)"
    assert message == f"Keys of {who}, Administrator, Emulated Account (LSQEMU), at {emulator.host}"


def test_other_roles_do_not_pass(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """The test of the connection does not pass with the keys of a user who is no administrator."""
    emulator.set_user("Sales User")
    able, message = connect(host=emulator.url).test_connection()
    assert not able
    assert "Asha Admin (asha.admin@example.com), Sales User" in message
    assert "needs an administrator's keys" in message


def test_keys_of_another_region(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """With keys of another region the message names the right host."""
    emulator.set_user(api_host="api-us11.leadsquared.com")
    able, message = connect(host=emulator.url).test_connection()
    assert not able
    assert f"lives at api-us11.leadsquared.com, not at {emulator.host}: set Host to api-us11" in message


@pytest.mark.parametrize("fields", [{"login": "other"}, {"password": "other"}])
def test_wrong_keys_do_not_pass(emulator: LeadSquaredEmulator, connect: Any, fields: dict[str, str]) -> None:
    """The connection test does not pass with wrong keys, and its message says which fields to check."""
    able, message = connect(host=emulator.url, **fields).test_connection()
    assert not able
    assert "check Login (access key), Password (secret key) and Host" in message
    assert_no_key(message)


def _by_path(user: bytes, fields: bytes) -> Any:
    def answer(request: Request) -> bytes:
        return user if "UserByAccessKey.Get" in request.line else fields

    return answer


@pytest.mark.parametrize(
    "objection", [http(401), http(404), http(400), http(500, '{"ExceptionType": "MXA"}')]
)
def test_fallback_to_lead_fields(connect: Any, objection: bytes) -> None:
    """Where the key check is refused, the lead fields are read to test the keys."""
    with Answering(_by_path(objection, http(200, "[]"))) as server:
        able, message = connect(host=server.url).test_connection()
    assert able
    assert message == f"{server.host} accepts the keys; it did not say whose they are"
    assert server.requests[-1].line.startswith(
        "GET /v2/LeadManagement.svc/LeadsMetaData.Get?schemaName=ProspectID "
    )


def test_region_named_in_refusal(connect: Any) -> None:
    """Where both calls are refused, a region named in the refusal is passed on."""
    wrong = http(401, '{"ExceptionMessage": "Use api-us11.leadsquared.com"}')
    with Answering(_by_path(http(401), wrong)) as server:
        able, message = connect(host=server.url).test_connection()
    assert not able
    assert "set the connection's Host to api-us11.leadsquared.com" in message


def _user(**fields: Any) -> bytes:
    return http(
        200, json.dumps({"Role": "Administrator", "FirstName": "A", "LSQCommonServiceURLs": {}} | fields)
    )


@pytest.mark.parametrize(
    ("user", "able", "said"),
    [
        (_user(), True, "Keys of A, Administrator, account (no code)"),
        (_user(Role="administrator"), True, "administrator"),
        (_user(FirstName=None, EmailAddress="a@example.com"), True, "Keys of a@example.com"),
        (_user(FirstName=""), True, "an unnamed user"),
        (_user(LSQCommonServiceURLs=None), True, "Administrator"),
        (_user(LSQCommonServiceURLs=[]), True, "Administrator"),
        (_user(LSQCommonServiceURLs={"api": None}), True, "Administrator"),
        (
            _user(LSQCommonServiceURLs={"api": "https://API-us11.leadsquared.com/v2/"}),
            False,
            "Host to api-us11.leadsquared.com",
        ),
        (_user(Role=None), False, "whose role was not said"),
        (_user(Role=1), False, "whose role was not said"),
        (_user(FirstName=None, Name="Asha Nair"), True, "Keys of Asha Nair, Administrator"),
        (_user(FirstName=None, Name=["x"], PassPhrase={}), True, "Keys of an unnamed user, Administrator"),
        (_user(PassPhrase="no address"), True, "Keys of A, Administrator"),
        (_user(OrgDisplayName=5, OrgShortCode=[]), True, "account (no code)"),
        (_user(LSQCommonServiceURLs={"api": ["x"]}), True, "Administrator"),
        (_user(LSQCommonServiceURLs={"api": "no host name"}), True, "Administrator"),
        (_user(LSQCommonServiceURLs={"api": "/" * 80_000}), True, "Administrator"),
        (http(200, "[]"), False, "whose role was not said"),
        (_user(FirstName=SECRET[:6], LastName=SECRET[6:]), True, "Keys of ***, "),
        (_user(FirstName=f"{SECRET[:6]}\x1b[0m{SECRET[6:]}"), True, "Keys of ***, "),
        (_user(OrgShortCode=123), True, "account (no code)"),
        (http(429), False, "The account is throttled now"),
        (_user(FirstName=ACCESS, LastName=SECRET, OrgShortCode=quote(SECRET)), True, "***"),
        (http(503), False, "HTTP 503"),
    ],
)
def test_shapes_of_the_key_check(
    connect: Any, monkeypatch: pytest.MonkeyPatch, user: bytes, able: bool, said: str
) -> None:
    """An answer to the key check is judged whatever its shape."""
    # The pauses before repetitions are another test's matter.
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    with Answering(user) as server:
        result, message = connect(host=server.url).test_connection()
    assert result is able
    assert said in message
    assert_no_key(message)


# As documented: no first name, no e-mail address by that name.
KEY_CHECK_SAMPLE = {
    "Id": "b0d27e5b-6b6d-11e3-8a7f-22000aa8e760",
    "Name": "Nikhil Salman",
    "PassPhrase": "nikhil@example.com",
    "EmailAddress": None,
    "Role": "Administrator",
    "TimeZone": "Asia/Kolkata",
    "OrgId": "2",
    "OrgShortCode": "ACME",
    "OrgDisplayName": "Acme",
    "UserType": 0,
}


def test_documented_sample(connect: Any) -> None:
    """The documented answer to the key check is understood."""
    with Answering(http(200, json.dumps(KEY_CHECK_SAMPLE))) as server:
        able, message = connect(host=server.url).test_connection()
    assert able
    assert message == (
        f"Keys of Nikhil Salman (nikhil@example.com), Administrator, Acme (ACME), at {server.host}"
    )


def test_foreign_names_are_tamed(connect: Any) -> None:
    """Names of the account are shown on one line, short, and without what a terminal obeys."""
    evil = {
        "Name": "\x1b[31mA\nsh\ra\x00\u202e" + "x" * 5000,
        "OrgDisplayName": "\x1b]0;title\x07Ac\tme" * 500,
    }
    with Answering(http(200, json.dumps(KEY_CHECK_SAMPLE | evil))) as server:
        able, message = connect(host=server.url).test_connection()
    assert able
    assert message.isprintable()
    assert message.startswith("Keys of A sh a")
    assert len(message) < 400


def test_blocked_way_is_told_at_once(connect: Any) -> None:
    """The test of the connection does not wait for an edge that blocks calls: it says so."""
    with Answering(http(403, "<html>Access Denied</html>")) as server:
        able, message = connect(host=server.url).test_connection()
    assert not able
    assert "something on the way to LeadSquared answered in its place" in message
    assert len(server.requests) == 1


def test_no_pasted_key_in_extras_frames(connect: Any) -> None:
    """No stack frame shows a key that was pasted into the Extra field."""
    for extra in ({"app_host": SECRET}, json.dumps([SECRET]), {"timeout": "x", "pool": SECRET}):
        hook = connect(extra=extra)
        with pytest.raises((LeadResetInputError, LeadResetResourceError)) as caught:
            hook.get_conn()
        trace = caught.value.__traceback__
        while trace:
            if "airflow_provider_leadreset" in trace.tb_frame.f_code.co_filename:
                assert_no_key("".join(map(repr, trace.tb_frame.f_locals.values())))
            trace = trace.tb_next


# -- reading --------------------------------------------------------------------------------------------------


def test_list_over_several_pages(
    emulator: LeadSquaredEmulator, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list's members are read over several pages."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.records.lead_lists.PAGE", 2)
    leads = [emulator.add_lead() for _ in range(5)]
    list_id = emulator.add_list("to reset", leads)
    assert connect(host=emulator.url).list_members(list_id) == leads


def test_unknown_list(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """An unknown list is an error, and its members are never searched for."""
    with pytest.raises(LeadResetInputError, match="has no list"):
        connect(host=emulator.url).list_members(LEAD)
    assert {call.path for call in emulator.calls} == {"LeadManagement.svc/Lists.Get"}


def test_types_are_read(emulator: LeadSquaredEmulator, connect: Any) -> None:
    """The hook reads the types of activities and tasks."""
    emulator.add_activity_type(166, "Site visit")
    kind = emulator.add_task_type("Call back")
    hook = connect(host=emulator.url)
    assert hook.activity_types()[166] == "Site visit"
    assert hook.task_types() == {kind: "Call back"}


@pytest.mark.parametrize("extra", [{"timeout": SECRET}, {"calls_per_5s": "many"}, {"rules": {SECRET: 1}}])
def test_keys_in_no_traceback(connect: Any, extra: dict[str, Any]) -> None:
    """Neither an error of the connection nor what a traceback shows of the hook holds a key, wherever it was pasted."""
    hook = connect(extra=extra)
    with pytest.raises(LeadResetInputError) as caught:
        hook.get_conn()
    assert_no_key(str(caught.value))
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert frames
    for frame in frames:
        for value in frame.f_locals.values():
            assert_no_key(repr(value))


# -- errors of a hook that is used alone ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ([http(401)], LeadResetAccessError, "^connection lsq: .*HTTP 401: .*check Login"),
        ([http(500)], LeadResetOutageError, "^connection lsq: .*HTTP 500"),
        (
            [http(400, '{"Status":"Error","ExceptionType":"MXInvalidInputException"}')],
            LeadResetRejectedError,
            "^connection lsq: ",
        ),
    ],
)
@pytest.mark.parametrize(
    "name", ["activity_types", "task_types", "list_members", "reset", "preview", "check_account"]
)
def test_what_reaches_airflow(
    connect: Any, monkeypatch: pytest.MonkeyPatch, name: str, answers: list[bytes], error: Any, said: str
) -> None:
    """Each call raises one exported class per cause, so that a task fails at once or is retried; it names the
    connection."""
    monkeypatch.setattr("airflow_provider_leadreset.leadsquared.api.client.RETRY_DELAYS", ())
    given: dict[str, list[Any]] = {"list_members": [LEAD], "reset": [a_reset()], "preview": [a_reset()]}
    with Answering(*answers) as server:
        hook = connect(host=server.url)
        with pytest.raises(error, match=said):
            getattr(hook, name)(*given.get(name, []))


def test_wrong_keys_cost_one_call(connect: Any) -> None:
    """A reset whose keys are refused at the list of types is not tried once more."""
    with Answering(http(401)) as server:
        connect(host=server.url)
        task = LeadResetOperator(
            task_id="reset",
            prospect_ids=LEAD,
            activity_event_list=[166],
            window="2026-09-01/2026-10-01",
            leadsquared_conn_id="lsq",
        )
        context: Any = {}
        with pytest.raises(LeadResetAccessError, match="connection lsq: HTTP 401"):
            task.execute(context)
    assert len(server.requests) == 1
