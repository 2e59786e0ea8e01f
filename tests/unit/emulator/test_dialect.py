"""What a dialect is given as, what is refused, and what is the default."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

import airflow_provider_leadreset.emulator as emulator
from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.emulator.__main__ import main
from support.leadsquared_control import CONTROL

FIELDS = [field.name for field in dataclasses.fields(Dialect)]
FOLDER = Path(__file__).parent


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"task_key": "TaskID"}, "a dialect has no 'task_key'; it has task_id_key, lead_id_key"),
        (
            {"task_id_key": "Taskid"},
            "dialect task_id_key must be 'documented', 'TaskID' or 'UserTaskId', not 'Taskid'",
        ),
        ({"mirror_rows": 1}, "dialect mirror_rows must be True or False, not 1"),
        ({"mirror_rows": "true"}, "dialect mirror_rows must be True or False, not 'true'"),
        ({"page_cap": 100}, "dialect page_cap must be None, 25, 200 or 500, not 100"),
        ({"page_cap": "25"}, "dialect page_cap must be None, 25, 200 or 500, not '25'"),
        ({"last_modified_lag": -1}, "last_modified_lag must be whole seconds, from 0 to 86400, not -1"),
        ({"last_modified_lag": True}, "last_modified_lag must be whole seconds, from 0 to 86400, not True"),
        (
            {"last_modified_lag": 86_401},
            "last_modified_lag must be whole seconds, from 0 to 86400, not 86401",
        ),
        ({"moves_last_modified": ["activity", "sms"]}, "must be some of activity, note, .*, not 'sms'"),
        ({"moves_last_modified": 5}, "must be some of activity, note, .*, not 5"),
        ({"still_events": [201, 0]}, "dialect still_events must be event codes such as 201, not 0"),
        ({"still_events": True}, "dialect still_events must be event codes such as 201, not True"),
        ({"still_events": "site visit"}, "still_events must be event codes such as 201, not 'site visit'"),
        ({"throttle_status": 429}, "dialect throttle_status must be '429', '200' or '403', not 429"),
    ],
)
def test_bad_dialects_are_refused(given: dict[str, Any], message: str) -> None:
    """A name or value that there is not is refused, quoted, with those that there are."""
    with pytest.raises(ValueError, match=message if ".*" in message else re.escape(message)):
        LeadSquaredEmulator(dialect=given)


def test_what_a_dialect_is_given_as() -> None:
    """A dialect is given as such, as a mapping or as None, and as nothing else."""
    dialect = Dialect(page_cap=200)
    assert LeadSquaredEmulator(dialect=dialect).dialect is dialect
    assert LeadSquaredEmulator(dialect={"page_cap": 200}).dialect == dialect
    assert LeadSquaredEmulator(dialect=None).dialect == LeadSquaredEmulator().dialect == Dialect()
    assert Dialect.of(json.loads(json.dumps(dialect.as_json()))) == dialect
    with pytest.raises(TypeError, match="a dialect is a Dialect, a mapping or None, not 'page_cap=200'"):
        LeadSquaredEmulator(dialect="page_cap=200")  # type: ignore[arg-type]


DEFAULTS: dict[str, Any] = {
    "task_id_key": "documented",
    "lead_id_key": "ProspectID",
    "notes_key": "List",
    "mirror_rows": False,
    "mirrors_kept": False,
    "audits_shown": True,
    "paging": "both",
    "offset_means": "pages from 1",
    "page_cap": None,
    "task_cap": None,
    "beyond_the_end": "empty",
    "counts": "all",
    "note_counts": False,
    "notes_api": True,
    "types_api": True,
    "event_types_shown": True,
    "key_check": "documented",
    "unknown_lead": "refused",
    "unknown_types": "ignored",
    "system_events": "ignored",
    "lost_resets": "none",
    "replica_lag": 0,
    "activity_date": "CreatedOn",
    "task_date": "CreatedOn",
    "note_date": "CreatedOn",
    "audit_date": "CreatedOn",
    "from_included": True,
    "to_included": True,
    "fractions": "compared",
    "fractions_kept": True,
    "fractions_shown": True,
    "activity_time_sets": "ActivityDateTime",
    "update_calls": True,
    "moves_last_modified": ["activity", "owner", "stage"],
    "still_events": [],
    "last_modified_lag": 0,
    "last_modified_zone": "UTC",
    "automation_every": 0,
    "throttle_status": "429",
    "throttle_text": "documented",
    "errors_as": "500",
}


def test_defaults_are_those_told(lsq: LeadSquaredEmulator) -> None:
    """The default dialect is the one that the documentation tells, field by field."""
    assert Dialect().as_json() == DEFAULTS
    assert (
        requests.get(f"{lsq.url}/_emulator/state", headers=CONTROL, timeout=60).json()["dialect"] == DEFAULTS
    )
    guide = (Path(__file__).parents[3] / "docs/emulator-dialects.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", guide, re.MULTILINE))
    assert {name: json.loads(value) for name, value in table.items()} == DEFAULTS


def test_each_field_is_described() -> None:
    """The package's documentation names every field, and some test of the emulator gives it."""
    tests = "".join(path.read_text() for path in FOLDER.rglob("test_*.py") if path != Path(__file__))
    for name in FIELDS:
        assert f"``{name}``" in str(emulator.__doc__), name
        assert re.search(rf'[(, ]{name}=|"{name}": |"{name.removesuffix("_date")}", \[', tests), name


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], Dialect()),
        (["page_cap=200", "mirror_rows = True"], Dialect(page_cap=200, mirror_rows=True)),
        (["page_cap=none", "offset_means=pages from 0"], Dialect(offset_means="pages from 0")),
        (['{"counts": "none", "page_cap": 25}', "page_cap=500"], Dialect(counts="none", page_cap=500)),
        (["moves_last_modified=note, task"], Dialect(moves_last_modified=frozenset({"note", "task"}))),
        (["moves_last_modified="], Dialect(moves_last_modified=frozenset())),
        (["still_events=202, 203"], Dialect(still_events=frozenset({202, 203}))),
        (["still_events="], Dialect()),
        (["last_modified_lag=30"], Dialect(last_modified_lag=30)),
        (["replica_lag=5", "automation_every=90"], Dialect(replica_lag=5, automation_every=90)),
        (["throttle_status=403"], Dialect(throttle_status="403")),
        (["lead_id_key=ProspectId"], Dialect(lead_id_key="ProspectId")),
    ],
)
def test_dialect_of_a_command_line(texts: list[str], expected: Dialect) -> None:
    """On a command line a dialect is pairs, JSON objects or both, the last word counting."""
    assert Dialect.parse(texts) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page_cap", "dialect 'page_cap' is neither name=value nor a JSON object"),
        ("page_cap=100", "dialect page_cap must be None, 25, 200 or 500, not '100'"),
        ("pagecap=25", "a dialect has no 'pagecap'"),
        ("mirror_rows=yes", "dialect mirror_rows must be True or False, not 'yes'"),
        ('{"page_cap": 25', "is no JSON object"),
        ("last_modified_lag=soon", "not 'soon'"),
    ],
)
def test_command_refuses_bad_dialects(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    """The command does not start with a dialect that there is not, and says why."""
    assert main(["--dialect", text]) == 1
    assert message in capsys.readouterr().err
