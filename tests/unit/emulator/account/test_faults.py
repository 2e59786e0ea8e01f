from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import RESET, Api

PHRASE = "API calls exceeded the limit of 25 in 5 second(s)"


def send(api: Api, lead_id: str, timeout: float = 5) -> requests.Response:
    return api.reset(lead_id, timeout, ActivityEventList=[166])


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("429", 429, PHRASE),
        ("403", 403, PHRASE),
        ("200-throttled", 200, "MXAPIRateLimitExceededException"),
        ("500", 500, "Internal Server Error"),
        ("502-html", 502, "<h1>502 Bad Gateway</h1>"),
        ("500-mx", 500, "MXInvalidInputException"),
        ("html", 200, "<html>"),
        ("empty", 200, ""),
        ("status-error", 200, '"Status":"Error"'),
        ("redirect", 302, ""),
        ("wrong-region", 401, "api-in21.leadsquared.com"),
        ("401", 401, "MXInvalidAccessDetailsException"),
    ],
)
def test_fault_hits_once(
    lsq: LeadSquaredEmulator, api: Api, lead_id: str, kind: str, status: int, text: str
) -> None:
    """A fault hits one call only, and that call's reset is not carried out."""
    lsq.fault(kind)  # type: ignore[arg-type]
    answer = send(api, lead_id)
    assert answer.status_code == status
    assert text in answer.text
    assert (answer.text == "") == (text == "")
    assert ("MX" in answer.text) == ("MX" in text or kind in ("status-error", "wrong-region"))
    assert lsq.resets == []
    assert lsq.calls[0].status == status
    assert lsq.calls[0].throttled == (kind in ("429", "403", "200-throttled"))
    assert send(api, lead_id).json()["Status"] == "Success"
    assert len(lsq.resets) == 1


def test_redirect_target(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A redirect leads back to the emulator, where following it would show, or to a given address."""
    lsq.fault("redirect")
    lsq.fault("redirect", body="https://elsewhere.invalid/")
    assert send(api, lead_id).headers["location"] == f"/v2/{RESET}?redirected=1"
    assert send(api, lead_id).headers["location"] == "https://elsewhere.invalid/"


def test_dropped_connection(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A dropped connection is a connection error for the caller, and its reset is not carried out."""
    lsq.fault("drop")
    with pytest.raises(requests.ConnectionError):
        send(api, lead_id)
    assert lsq.resets == []
    assert lsq.calls[0].status == 0
    assert send(api, lead_id).status_code == 200


def test_truncated_answer_was_carried_out(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A reset whose answer is cut off was carried out all the same."""
    lsq.fault("truncated")
    answer = send(api, lead_id)
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert len(lsq.resets) == 1


def test_hanging_answer_was_carried_out(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A reset whose answer comes late, or never, was carried out all the same."""
    lsq.fault("hang", seconds=0.1)
    lsq.fault("hang")
    start = time.monotonic()
    assert send(api, lead_id).json()["Status"] == "Success"
    assert time.monotonic() - start >= 0.1
    with pytest.raises(requests.ReadTimeout):
        send(api, lead_id, timeout=0.1)
    assert len(lsq.resets) == 2
    assert [call.status for call in lsq.calls] == [200, 0]


def test_stop_breaks_off_hanging_answers(lead_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping the emulator breaks off answers that hang."""
    failures: list[Exception] = []
    carried_out = threading.Event()
    with LeadSquaredEmulator() as lsq:
        lsq.add_lead(lead_id)
        lsq.fault("hang", seconds=60)
        enqueue = lsq.enqueue

        def tell(reset: Any) -> None:
            enqueue(reset)
            carried_out.set()

        monkeypatch.setattr(lsq, "enqueue", tell)
        api = Api(lsq)

        def go() -> None:
            try:
                send(api, lead_id, timeout=30)
            except requests.ConnectionError as error:
                failures.append(error)

        thread = threading.Thread(target=go)
        thread.start()
        assert carried_out.wait(5)
    thread.join(5)
    api.session.close()
    assert len(failures) == 1


def test_faults_by_path_lead_and_number(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A fault can be for a path and a lead, and lasts a number of calls or until it is cleared."""
    other = lsq.add_lead()
    lsq.fault("500", times=2, path="Lead.Reset", prospect_id=other.upper())
    assert api.get("LeadManagement.svc/Leads.GetById", id=other).status_code == 200
    assert [send(api, one).status_code for one in (lead_id, other, other, other)] == [200, 500, 500, 200]
    lsq.fault("429", times=None)
    lsq.fault("500")
    assert {send(api, lead_id).status_code for _ in range(3)} == {429}
    lsq.clear_faults()
    assert send(api, lead_id).status_code == 200


def test_faults_with_custom_bodies(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """Faults can be given a body and a status of their own."""
    lsq.fault("500-mx", body="MXUnheardOfException")
    assert send(api, lead_id).json()["ExceptionType"] == "MXUnheardOfException"
    lsq.fault("500-mx", body={"ExceptionMessage": "Mine"}, status=400)
    answer = send(api, lead_id)
    assert (answer.status_code, answer.json()["ExceptionMessage"]) == (400, "Mine")
    assert answer.json()["ExceptionType"] == "MXInvalidInputException"
    lsq.fault("429", body="API calls exceeded the limit of 7 in 5 second(s)")
    assert send(api, lead_id).text == "API calls exceeded the limit of 7 in 5 second(s)"
    lsq.fault("status-error", body={"Status": "Queued"})
    assert send(api, lead_id).json() == {"Status": "Queued"}
    lsq.fault("wrong-region", body="api-us11.leadsquared.com")
    assert "api-us11.leadsquared.com" in send(api, lead_id).text
    lsq.fault("truncated", body="[1, 2]", status=201)
    answer = send(api, lead_id)
    assert (answer.status_code, answer.text) == (201, "[1,")


def test_unknown_faults_are_refused(lsq: LeadSquaredEmulator) -> None:
    """Unknown kinds of faults, and faults that would never hit, are refused."""
    with pytest.raises(ValueError, match="A fault is one of"):
        lsq.fault("503")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="times"):
        lsq.fault("500", times=0)


def test_forced_throttling_and_the_limit(lead_id: str) -> None:
    """A forced throttling uses up nothing of the call limit, and a call over the limit uses up no fault."""
    with LeadSquaredEmulator(calls_per_5s=1, window=60) as lsq:
        lsq.add_lead(lead_id)
        api = Api(lsq)
        with api.session:
            lsq.fault("429")
            assert [send(api, lead_id).status_code for _ in range(2)] == [429, 200]
            lsq.fault("500")
            assert send(api, lead_id).status_code == 429
            assert lsq.faults.pending() == ["500"]
