from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from typing import Any

import pytest
import requests

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.emulator_client import RESET, Api
from support.samples import EDGE, sample

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
        ("404-html", 404, "<h1>404 Not Found</h1>"),
        ("edge-403", 403, "<H1>Access Denied</H1>"),
        ("gateway-403", 403, '{"message":"Forbidden"}'),
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


def test_edge_page_has_a_reference(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """The edge's page is HTML with a reference number, as its sample is."""
    lsq.fault("edge-403")
    answer = send(api, lead_id)
    assert answer.headers["content-type"].startswith("text/html")
    assert "Reference&#32;&#35;18" in answer.text
    assert answer.text == sample(EDGE, "seen-akamai-403").body


def raw_answer(lsq: LeadSquaredEmulator, lead_id: str, encoding: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a lead's answer, as they go over the wire."""
    keys = f"x-LSQ-AccessKey: {lsq.access_key}\r\nx-LSQ-SecretKey: {lsq.secret_key}\r\n"
    request = f"GET /v2/LeadManagement.svc/Leads.GetById?id={lead_id} HTTP/1.1\r\nHost: {lsq.host}\r\n{keys}"
    with socket.create_connection(("127.0.0.1", int(lsq.host.partition(":")[2])), timeout=10) as peer:
        peer.sendall(f"{request}Accept-Encoding: {encoding}\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: peer.recv(1 << 16), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}, body


def test_oversized_answer(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """An oversized answer is JSON of the size asked for, in gzip for a client that takes it."""
    lsq.fault("oversized", size=3_000_000, times=2)
    headers, body = raw_answer(lsq, lead_id, "deflate, gzip")
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 10_000
    unpacked = gzip.decompress(body)
    assert (len(unpacked), len(json.loads(unpacked))) == (3_000_000, 1)
    headers, body = raw_answer(lsq, lead_id, "identity")
    assert "content-encoding" not in headers
    assert body == unpacked
    lsq.fault("oversized", body="x" * 5000)
    headers, body = raw_answer(lsq, lead_id, "gzip")
    assert gzip.decompress(body) == b"x" * 5000
    lsq.fault("oversized")
    assert len(api.get("LeadManagement.svc/Leads.GetById", id=lead_id).content) == 32 * 1024 * 1024


def test_trickling_answer(lsq: LeadSquaredEmulator, api: Api, lead_id: str) -> None:
    """A reset whose answer comes byte by byte was carried out, and the answer is the right one in the end."""
    lsq.fault("trickle", seconds=0.001)
    start = time.monotonic()
    assert send(api, lead_id).json()["Status"] == "Success"
    assert time.monotonic() - start >= 0.09
    assert len(lsq.resets) == 1
    lsq.fault("trickle")
    url = f"{lsq.url}/v2/{RESET}"
    body = {"ProspectId": lead_id, "ActivityEventList": [166]}
    with requests.post(url, json=body, headers=api.keys, timeout=60, stream=True) as answer:
        begun = time.monotonic()
        assert next(answer.iter_content(1)) == b"{"
        assert time.monotonic() - begun >= 0.9
    # The client has gone: the next call is answered as ever, and the emulator ends at once.
    assert send(api, lead_id).status_code == 200
    assert len(lsq.resets) == 3


def test_stop_breaks_off_trickling(lead_id: str) -> None:
    """Stopping the emulator breaks off answers that trickle."""
    with LeadSquaredEmulator() as lsq:
        lsq.add_lead(lead_id)
        lsq.fault("trickle", seconds=30)
        api = Api(lsq)
        answer = requests.get(
            f"{lsq.url}/v2/LeadManagement.svc/Leads.GetById",
            {"id": lead_id},
            headers=api.keys,
            timeout=30,
            stream=True,
        )
        start = time.monotonic()
    assert time.monotonic() - start < 5
    with pytest.raises(requests.exceptions.ChunkedEncodingError), answer:
        answer.json()


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
    with pytest.raises(ValueError, match=r"size must be 4 bytes or more, .* not 3"):
        lsq.fault("oversized", size=3)


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
