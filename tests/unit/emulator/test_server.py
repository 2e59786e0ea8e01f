from __future__ import annotations

import builtins
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests

import airflow_provider_leadreset
from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.emulator.__main__ import main
from airflow_provider_leadreset.emulator.store.demo_data import demo_leads
from support.emulator_client import Api
from support.leadsquared_control import CONTROL

ROOT = str(Path(airflow_provider_leadreset.__file__).parents[1])
AT = "2026-10-01 12:00:00"


def test_stop_and_start_again() -> None:
    """The emulator listens on loopback and comes back on its port with its records."""
    lsq = LeadSquaredEmulator()
    with pytest.raises(RuntimeError, match="before it was started"):
        _ = lsq.host
    lead_id = lsq.add_lead()
    lsq.start()
    with pytest.raises(RuntimeError, match="runs already"):
        lsq.start()
    host = lsq.host
    assert host.startswith("127.0.0.1:")
    lsq.stop()
    lsq.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(lsq.url, timeout=60)
    with lsq:
        assert lsq.host == host
        assert lead_id in requests.get(lsq.url, timeout=60).text


def test_taken_port_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Starting on a port that is taken is an error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            LeadSquaredEmulator(port=port).start()


def test_airflow_connection() -> None:
    """The emulator gives the Airflow connection that leads to it."""
    with LeadSquaredEmulator(calls_per_5s=7, access_key="a$+/%=", secret_key="s$+/%=") as lsq:
        assert lsq.connection(pool="crm") == {
            "conn_type": "leadsquared",
            "host": f"http://{lsq.host}",
            "login": "a$+/%=",
            "password": "s$+/%=",
            "extra": {"calls_per_5s": 7, "pool": "crm"},
        }
        assert json.loads(lsq.conn_json) == lsq.connection()
        assert all(c in LeadSquaredEmulator().access_key for c in "$+/%=")
        assert all(c in LeadSquaredEmulator().secret_key for c in "$+/%=")
    assert LeadSquaredEmulator(port=1, calls_per_5s=None).connection()["extra"] == {}


def test_many_threads_at_once() -> None:
    """Many threads can call and seed the emulator at once without losing a reset."""
    with LeadSquaredEmulator(calls_per_5s=None, queue_delay=0.001) as lsq:
        leads = [lsq.add_lead() for _ in range(8)]
        failures: list[BaseException] = []

        def work(lead_id: str) -> None:
            try:
                api = Api(lsq)
                with api.session:
                    for _ in range(5):
                        lsq.add_activity(lead_id, 166, AT)
                        assert api.reset(lead_id, ActivityEventList=[166]).status_code == 200
                        lsq.remaining(lead_id)
                        lsq.worst_window()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(lead_id,)) for lead_id in leads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lsq.wait_until_idle()
        assert failures == []
        assert len(lsq.resets) == 40
        assert lsq.counts()["deleted"] == 40
        assert all(lsq.remaining(lead_id)["activities"] == [] for lead_id in lsq.lead_ids())


def test_without_emulator_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the extra the import works, and the use says what to install."""
    real = builtins.__import__

    def no_fastapi(name: str, *rest: Any, **more: Any) -> Any:
        if name == "fastapi":
            raise ModuleNotFoundError("No module named 'fastapi'", name="fastapi")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_fastapi)
    with pytest.raises(ImportError, match=re.escape("pip install 'airflow-provider-leadreset[emulator]'")):
        LeadSquaredEmulator()


def test_import_is_light() -> None:
    """Importing the emulator loads neither the web framework nor Airflow."""
    code = (
        "import sys, airflow_provider_leadreset.emulator;"
        "sys.exit(','.join({'fastapi', 'uvicorn', 'airflow', 'pydantic'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


# -- control ----------------------------------------------------------------------------------------------


def test_control_over_http(lsq: LeadSquaredEmulator, api: Api) -> None:
    """Another process can seed records, read them and force faults."""
    control = f"{lsq.url}/_emulator"
    seed = {
        "list_name": "Mine",
        "leads": [
            {
                "first_name": "Ravi",
                "activities": [
                    {
                        "event_code": 166,
                        "created_on": AT,
                        "activity_date_time": "2026-09-01 00:00:00",
                        "fields": {"mx_Custom_1": "x"},
                    }
                ],
                "tasks": [{"task_type_id": "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01", "created_on": AT}],
                "notes": [{"text": "hello", "created_on": AT, "modified_on": "2026-10-05 00:00:00"}],
                "audits": [{"kind": "StageChange", "created_on": AT, "old": "A", "new": "B"}],
            }
        ],
    }
    answer = requests.post(f"{control}/seed", json=seed, headers=CONTROL, timeout=60).json()
    (lead_id,) = answer["lead_ids"]
    assert len(answer["list_ids"]) == 1
    left = requests.get(f"{control}/remaining/{lead_id}", headers=CONTROL, timeout=60).json()
    assert left == lsq.remaining(lead_id)
    (activity,), (note,) = left["activities"], left["notes"]
    assert (activity["activity_date_time"], activity["fields"]) == (
        "2026-09-01 00:00:00",
        {"mx_Custom_1": "x"},
    )
    assert note["modified_on"] == "2026-10-05 00:00:00"
    assert {kind: len(rows) for kind, rows in left.items()} == dict.fromkeys(
        ("activities", "tasks", "notes", "audits"), 1
    )
    assert requests.post(
        f"{control}/fault", json={"kind": "500", "times": 2}, headers=CONTROL, timeout=60
    ).json() == {"pending": ["500"]}
    assert api.reset(lead_id, ActivityEventList=[166]).status_code == 500
    assert requests.delete(f"{control}/fault", headers=CONTROL, timeout=60).json() == {"pending": []}
    assert api.reset(lead_id, ActivityEventList=[166]).status_code == 200

    state = requests.get(f"{control}/state", headers=CONTROL, timeout=60).json()
    assert (state["calls"], state["resets"], state["records"]["queued"]) == (2, 1, 1)
    assert requests.post(f"{control}/apply", headers=CONTROL, timeout=60).json() == {"deleted": 1}
    calls = requests.get(f"{control}/calls", params={"since": 1}, headers=CONTROL, timeout=60).json()
    assert [call["status"] for call in calls["calls"]] == [200]
    assert calls["next"] == 2

    requests.post(f"{control}/reset", params={"calls_only": True}, headers=CONTROL, timeout=60)
    assert lsq.calls == []
    assert lsq.lead_ids() == [lead_id]
    requests.post(f"{control}/reset", headers=CONTROL, timeout=60)
    assert lsq.lead_ids() == []
    demo = {"demo_leads": 4, "now": "2026-11-01T07:30:00Z"}
    assert requests.post(f"{control}/seed", json=demo, headers=CONTROL, timeout=60).json() == {
        "lead_ids": lsq.lead_ids(),
        "list_ids": [lsq.lists()[0].id],
    }
    assert lsq.calls == [], "control calls are no calls"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("seed", {"lead": []}, 422),
        ("seed", {"leads": [{"prospect_id": "7"}]}, 422),
        ("seed", {"leads": [{"notes": [{"text": "x", "created_on": "yesterday"}]}]}, 422),
        ("seed", {"demo_leads": 1, "now": "2026-10-01T00:00:00"}, 422),
        ("fault", {"kind": "503"}, 422),
        ("faults", {}, 404),
    ],
)
def test_control_refuses_unknown_input(
    lsq: LeadSquaredEmulator, path: str, body: dict[str, Any], status: int
) -> None:
    """The control routes refuse what they do not know."""
    answer = requests.post(f"{lsq.url}/_emulator/{path}", json=body, headers=CONTROL, timeout=60)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert requests.get(f"{lsq.url}/_emulator/remaining/7", headers=CONTROL, timeout=60).status_code == 404


# -- page -------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_lead_page(lsq: LeadSquaredEmulator, api: Api) -> None:
    """A lead's page shows its timeline newest first and escapes every text."""
    evil = "<script>alert(1)</script>"
    lead_id = lsq.add_lead(first_name=evil, last_name='"&', email=evil, stage=evil, owner=evil)
    lsq.add_activity_type(166, evil)
    lsq.add_task_type(evil, "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01")
    lsq.add_activity(lead_id, 166, "2026-10-01 00:00:00", note=evil)
    lsq.add_activity(lead_id, 22, "2026-10-02 00:00:00")
    lsq.add_task(
        lead_id, "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01", "2026-10-03 00:00:00", name=evil, status=evil
    )
    lsq.add_note(lead_id, evil, "2026-10-04 00:00:00")
    lsq.add_audit(lead_id, "StageChange", "2026-10-05 00:00:00", old=evil, new=evil)
    lsq.add_list(evil, [lead_id])
    answer = requests.get(f"{lsq.url}/LeadManagement/LeadDetails", {"LeadID": lead_id}, timeout=60)
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "script" not in page.tags
    assert all(link.startswith(("/", "data:")) for link in page.links)
    assert page.cells[0::4] == [f"2026-10-0{day} 00:00:00" for day in (5, 4, 3, 2, 1)]
    assert page.cells[1::4] == ["Audit", "Note", "Task", "System activity", "Custom activity"]
    assert [cell.strip() for cell in page.cells[-2:]] == [f"166 {evil}", evil]
    assert page.cells[11].strip() == f"{evil} ({evil}, due 2026-10-04 00:00:00 UTC)"
    overview = Page(requests.get(lsq.url, timeout=60).text)
    assert "script" not in overview.tags
    assert answer.text.count("<th scope=") == answer.text.count("<th") - answer.text.count("<thead")
    assert f"/LeadManagement/LeadDetails?LeadID={lead_id}" in overview.links

    api.reset(lead_id, ActivityEventList=[166])
    text = requests.get(f"{lsq.url}/LeadManagement/LeadDetails", {"LeadID": lead_id}, timeout=60).text
    assert "Resets queued for this lead: 1" in text


def test_pages_of_empty_and_unknown_leads(lsq: LeadSquaredEmulator, lead_id: str) -> None:
    """The page of a lead without records says so, and an unknown lead has no page."""
    url = f"{lsq.url}/LeadManagement/LeadDetails"
    assert "Nothing left" in requests.get(url, {"LeadID": lead_id}, timeout=60).text
    assert requests.get(url, {"LeadID": "<b>"}, timeout=60).status_code == 404
    assert requests.get(url, timeout=60).status_code == 404


# -- demo leads and command -------------------------------------------------------------------------------


def test_demo_leads_are_repeatable() -> None:
    """Demo leads are the same for the same arguments, and their records lie in the past."""
    now = datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    one, two, three = (LeadSquaredEmulator() for _ in range(3))
    demo = demo_leads(one, 40, now)
    assert demo == demo_leads(two, 40, now)
    demo_leads(three, 40, now, seed=8)
    records = [one.remaining(lead_id) for lead_id in demo.lead_ids]
    assert records == [two.remaining(lead_id) for lead_id in demo.lead_ids]
    assert records != [three.remaining(lead_id) for lead_id in three.lead_ids()]
    assert len(demo.lead_ids) == 40
    (members,) = one.lists()
    assert (members.id, members.name, len(members.lead_ids)) == (demo.list_id, "Test leads", 30)
    times = [row["created_on"] for record in records for rows in record.values() for row in rows]
    assert max(times) < "2026-11-01 07:30:00"
    assert min(times) >= "2026-08-03 07:30:00"
    assert any(time.endswith("18:29:59") for time in times)
    assert any(time.endswith("18:30:00") for time in times)
    codes = {row["event_code"] for record in records for row in record["activities"]}
    assert codes == {21, 22, 166, 167, 201}
    assert len({row["task_type_id"] for record in records for row in record["tasks"]}) == 2
    assert {row["kind"] for record in records for row in record["audits"]} == {"StageChange", "OwnerChange"}
    assert demo_leads(one, 3, now).lead_ids != demo.lead_ids[:3], "twice gives other leads"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_stopped(number: signal.Signals) -> None:
    """The command serves until it is told to stop."""
    command = [sys.executable, "-W", "error", "-m", "airflow_provider_leadreset.emulator", "--leads", "3"]
    command += ["--dialect", "page_cap=200", "--dialect", '{"counts": "none"}']
    env = {**os.environ, "PYTHONPATH": ROOT}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "Calls per 5 seconds" in line:
                break
        (export,) = (line for line in lines if line.startswith("export "))
        name, _, value = shlex.split(export)[1].partition("=")
        connection = json.loads(value)
        state = requests.get(f"{connection['host']}/_emulator/state", headers=CONTROL, timeout=60).json()
        (page,) = (line.split()[-1] for line in lines if line.startswith("One lead"))
        shown = requests.get(page, timeout=60).status_code
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
    assert name == "AIRFLOW_CONN_LEADSQUARED_DEFAULT"
    assert connection["extra"] == {"calls_per_5s": 25}
    assert (state["records"]["leads"], state["records"]["lists"], shown) == (3, 1, 200)
    assert state["dialect"] == Dialect(page_cap=200, counts="none").as_json()
    assert "Dialect    page_cap=200, counts=none" in lines


def test_command_that_cannot_start(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says when it cannot start."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            assert main(["--port", str(taken.getsockname()[1])]) == 1
        assert main(["--calls-per-5s", "-1"]) == 1
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert "error: " in capsys.readouterr().err
