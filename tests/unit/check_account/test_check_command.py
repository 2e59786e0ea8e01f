"""The command line of the account check, over real sockets to an emulator whose time is compressed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.check_account.check_command import main
from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api.account_findings import parse_account_findings
from support.simulated_account import SimulatedTime, compress

CONNECTION = "AIRFLOW_CONN_CRM"


@pytest.fixture
def lsq(monkeypatch: pytest.MonkeyPatch) -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None, dialect={"moves_last_modified": ["note"]}) as emulator:
        monkeypatch.setenv(CONNECTION, json.dumps(emulator.connection(calls_per_5s=25)))
        monkeypatch.setenv("LEADSQUARED_ACCESS_KEY", emulator.access_key)
        monkeypatch.setenv("LEADSQUARED_SECRET_KEY", emulator.secret_key)
        yield emulator


@pytest.fixture
def time(lsq: LeadSquaredEmulator) -> SimulatedTime:
    return compress(lsq)


def test_without_yes_nothing_is_done(
    lsq: LeadSquaredEmulator, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without --yes it says what it would cost and do, and makes no call."""
    file = tmp_path / "check.json"
    assert main(["--conn-id", "crm", "--activity-event", "201", "--json", str(file)]) == 0
    out, err = capsys.readouterr()
    said = " ".join(err.split())
    assert out == ""
    assert "about 470 calls" in said
    assert "4.7 % of a day's calls" in said
    assert "Automations of the account may react" in said
    assert "the lead stays" in said
    assert (
        "Not asked about, since none was named: tasks (--task-type), changes of the stage (--stage)" in said
    )
    assert "--activity-event" not in said
    assert "give --yes" in said
    assert lsq.calls == []
    assert not file.exists()


def test_event_codes_are_named_one_by_one(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str]
) -> None:
    """--activity-event is given for each code: the cost is of all of them, and each is asked about."""
    codes = ["--activity-event", "201", "--activity-event", "202", "--activity-event", "203"]
    assert main(["--conn-id", "crm", *codes]) == 0
    assert "about 700 calls" in " ".join(capsys.readouterr().err.split())
    lsq.dialect = Dialect(still_events=frozenset({202}))
    for code in (201, 202, 203):
        lsq.add_activity_type(code, f"Event {code}")
    assert main(["--conn-id", "crm", *codes, "--yes", "--json", "-"], clock=time) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)["account_check"]["found"]
    assert [found[f"last_modified_activity_{code}"] for code in (201, 202, 203)] == [
        "moves",
        "does not move",
        "moves",
    ]
    assert "Does a new activity of event 202 move LeadLastModifiedOn?" in err


@pytest.mark.parametrize("account", ["connection", "host"])
def test_json_alone_on_standard_output(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str], account: str
) -> None:
    """With --json - standard output is one object, and all for people goes to standard error."""
    given = ["--conn-id", "crm"] if account == "connection" else ["--host", lsq.url, "--calls-per-5s", "25"]
    assert main([*given, "--yes", "--json", "-"], clock=time) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert set(result) == {"account_check", "questions"}
    kept = parse_account_findings(result["account_check"], today=time.now().date())
    assert kept.found["note_date"] == "CreatedOn"
    verdicts = {one["question"]: one["verdict"] for one in result["questions"]}
    assert verdicts["Which date of a note do FromDate and ToDate compare with?"] == "CreatedOn"
    assert "CreatedOn" in err
    assert "the API no longer gives their records; waiting for the others, at most" in err, "progress"
    assert "add this to the connection's Extra, as account_check" in err
    for text in (out, err):
        assert lsq.access_key not in text
        assert lsq.secret_key not in text


def test_json_file(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With a file, the object goes there and standard output stays empty."""
    file = tmp_path / "check.json"
    assert main(["--conn-id", "crm", "--yes", "--json", str(file)], clock=time) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(file.read_text())["account_check"]["account"] == "LSQEMU"


@pytest.mark.parametrize(
    ("arguments", "message", "status"),
    [
        (["--conn-id", "other", "--yes"], "connection 'other' is not defined", 2),
        (["--conn-id", "crm", "--calls-per-5s", "5"], "--calls-per-5s goes with --host", 2),
        (["--conn-id", "crm", "--activity-event", "0"], "activity_event is 0", 2),
        (["--conn-id", "crm", "--patience", "0.5"], "patience is 0.5: give seconds", 2),
        (["--conn-id", "crm", "--yes", "--lead", "asha"], "lead", 2),
        (["--conn-id", "crm", "--yes", "--task-type", "Nap"], "task_type is 'Nap'", 2),
        (["--host", "api-in21.leadsquared.com", "--patience", "5"], "less is for an emulator", 2),
        (["--host", "no host", "--yes"], "the connection's Host is", 2),
    ],
)
def test_what_cannot_be_used(
    lsq: LeadSquaredEmulator,
    time: SimulatedTime,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    status: int,
) -> None:
    """What cannot be used is said in one line, and nothing is created."""
    assert main(arguments, clock=time) == status
    assert message in capsys.readouterr().err
    assert lsq.leads() == []


def test_keys_must_be_in_the_environment(
    lsq: LeadSquaredEmulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without keys in the environment, the variables are named."""
    monkeypatch.delenv("LEADSQUARED_SECRET_KEY")
    assert main(["--host", lsq.url]) == 2
    assert "LEADSQUARED_SECRET_KEY must be set in the environment" in capsys.readouterr().err


def test_wrong_keys(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    """Where the account cannot be asked, the status tells it."""
    monkeypatch.setenv("LEADSQUARED_SECRET_KEY", "wrong")
    assert main(["--host", lsq.url, "--yes"], clock=time) == 1
    assert "check Login (access key)" in capsys.readouterr().err


def test_stopped_by_hand(
    lsq: LeadSquaredEmulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C it says that the lead stays, and shows no traceback."""
    time = compress(lsq)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 40:
            raise KeyboardInterrupt
        time.passed += max(0.0, seconds)

    monkeypatch.setattr(time, "sleep", sleep)
    assert main(["--conn-id", "crm", "--yes"], clock=time) == 130
    said = capsys.readouterr().err
    (lead,) = lsq.leads()
    left = len(lead.notes)
    assert left > 1
    assert f"stopped: lead {lead.id} stays, with {left} records that were not seen to go" in said
    assert "stopped, and nothing was found out" in said
    assert "Traceback" not in said


def test_stopped_before_anything_was_made(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    """After Ctrl-C before the lead was made, no lead is spoken of."""

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", stop)
    assert main(["--conn-id", "crm", "--yes"], clock=time) == 130
    assert "lead " not in capsys.readouterr().err
    assert lsq.leads() == []


def test_lead_that_holds_records(
    lsq: LeadSquaredEmulator, time: SimulatedTime, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lead that holds a record is refused, in one line, before anything is written."""
    lead = lsq.add_lead()
    lsq.add_note(lead, "ours", "2026-09-15 10:00:00")
    assert main(["--conn-id", "crm", "--yes", "--lead", lead], clock=time) == 2
    assert f"lead '{lead}' holds 1 record or more" in capsys.readouterr().err
    assert not [call for call in lsq.calls if "Create" in call.path or "Reset" in call.path]


@pytest.mark.parametrize("place", ["missing/check.json", ".", "", "a\0b"])
def test_file_that_cannot_be_written(
    lsq: LeadSquaredEmulator,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    """A file that the result could not be written to is said before any call."""
    monkeypatch.chdir(tmp_path)
    assert main(["--conn-id", "crm", "--yes", "--json", place]) == 2
    assert "--json is '" in capsys.readouterr().err
    assert lsq.calls == []


def test_file_of_before_is_kept_till_the_end(
    lsq: LeadSquaredEmulator, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that is there already keeps what it holds until there is a result."""
    file = tmp_path / "check.json"
    file.write_text("before")
    assert main(["--conn-id", "crm", "--json", str(file)]) == 0
    capsys.readouterr()
    assert file.read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--secret-key", "s3cr3t/held"], "--secret-key, a value without an option"),
        (["--secret-key=s3cr3t/held"], "--secret-key"),
        (["s3cr3t/held"], "a value without an option"),
        (["--y"], "--y"),
    ],
)
def test_arguments_that_are_not_known(
    lsq: LeadSquaredEmulator, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    """What is not known is named without its value, which may be a key; and --yes is not said by its beginning."""
    with pytest.raises(SystemExit) as ended:
        main(["--conn-id", "crm", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.endswith(f"error: not known: {named}\n")
    assert "s3cr3t" not in said
    assert lsq.calls == []


@pytest.mark.parametrize("arguments", [[], ["--conn-id", "crm", "--host", "x"], ["--secret-key", "x"]])
def test_arguments_that_there_are_not(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An account is named in one way, and no key is an argument."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    capsys.readouterr()


MODULE = "airflow_provider_leadreset.check_account"


def test_help_names_the_keys() -> None:
    """The module runs, and its help says where the keys are taken from."""
    done = subprocess.run(
        [sys.executable, "-m", MODULE, "--help"], capture_output=True, text=True, check=True
    )
    assert "LEADSQUARED_ACCESS_KEY" in done.stdout
    assert "--patience" in done.stdout


def test_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names each exit status, as the guide does."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = re.findall(r"^  (\d+)  ", capsys.readouterr().out.partition("exit status:")[2], re.MULTILINE)
    guide = (Path(__file__).parents[3] / "docs/check-your-account.md").read_text()
    assert told == ["0", "1", "2", "130"] == re.findall(r"with `(\d+)`", guide)


def test_airflow_says_nothing_on_standard_output(lsq: LeadSquaredEmulator) -> None:
    """Standard output stays empty but for the result, though Airflow logs there."""
    command = [sys.executable, "-m", MODULE, "--conn-id", "crm", "--json", "-"]
    logging = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG", "AIRFLOW__CORE__FERNET_KEY": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **logging})
    assert done.stdout == ""
    assert "empty cryptography key" in done.stderr
