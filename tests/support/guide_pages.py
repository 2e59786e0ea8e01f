"""Pages of documentation whose code blocks are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from support.dag_runs import is_airflow_2, load_dag_file

ROOT = Path(__file__).parent.parent.parent
RUN_AT = datetime(2026, 10, 1, 21, 0, tzinfo=UTC)
"""When the nightly run of the window table runs: 2026-10-02 02:30 in India."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WINDOW_ROW = re.compile(r"^\| `([^`]+/[^`]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_DAG_CALL = re.compile(r"^(\w+)\(\)$", re.MULTILINE)


@dataclass
class Page:
    """A page, and which of its blocks were run.

    :param path: from the project's root.
    """

    path: str
    taken: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of each block."""
        return _BLOCK.findall(self.text)

    @property
    def window_rows(self) -> list[tuple[str, str, str]]:
        """The rows of a window table: template, what Airflow 3 sends, what Airflow 2.11 sends."""
        return [(row[0].replace("\\|", "|"), *row[1:]) for row in _WINDOW_ROW.findall(self.text)]

    def having(self, language: str, text: str = "") -> list[str]:
        """Return the blocks with ``text`` in them, as they stand."""
        found = [block for kind, block in self.blocks if kind == language and text in block]
        self.taken += found
        return found

    def block(self, language: str, text: str = "", replaced: dict[str, str] | None = None) -> str:
        """Return the one block with ``text`` in it, fit to be run here."""
        (code,) = self.having(language, text)
        return fitted(code, replaced or {})

    def dag(self, name: str, replaced: dict[str, str] | None = None, *, called: str = "") -> Any:
        """Make the block with the DAG ``name`` a file of the DAGs folder, and give the DAG.

        :param called: another name, for one with other tasks: Airflow may not write a DAG down anew so soon.
        """
        code = self.block("python", f"def {name}(", replaced)
        assert f"\n{name}()\n" in code, "the last line makes the DAG"
        called = called or name
        code = _DAG_CALL.sub(r"the_dag = \1()", code).replace(f"{name}(", f"{called}(")
        return as_dag_file(f"{self.stem}_{called}", code).the_dag

    def run(self, text: str, replaced: dict[str, str] | None = None, **names: Any) -> dict[str, Any]:
        """Run the one Python block with ``text`` in it; return its names.

        :param names: what earlier blocks of the page have made.
        """
        exec(compile(self.block("python", text, replaced), self.path, "exec"), names)
        return names

    @property
    def stem(self) -> str:
        return Path(self.path).stem.lower().replace("-", "_")

    def not_run(self) -> list[str]:
        """Return the blocks that nobody took."""
        return [block for _, block in self.blocks if block not in self.taken]


def as_dag_file(name: str, code: str) -> ModuleType:
    """Airflow 3 runs a DAG only from a file of the DAGs folder."""
    Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], f"{name}.py").write_text(code)
    return load_dag_file(name)


def fitted(code: str, replaced: dict[str, str]) -> str:
    """Put in what differs here: places, ids, and on Airflow 2.11 where the decorators are."""
    for old, new in replaced.items():
        assert old in code, f"{old!r} is not in the block"
        code = code.replace(old, new)
    if is_airflow_2():
        code = re.sub(
            r"from airflow\.sdk import (dag|task|dag, task)$",
            r"from airflow.decorators import \1",
            code,
            flags=re.M,
        )
    return code


def shell(script: str, cwd: Path | None = None, **environment: str) -> str:
    """Run commands with this interpreter's programs first; return what they print, and fail with all that they say."""
    ran = subprocess.run(
        ["bash", "-ec", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
    )
    assert ran.returncode == 0, f"{script}\nended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def airflow_here(script: str) -> None:
    """Run commands of Airflow in this process, where it is loaded already: some seconds less for each."""
    from airflow.cli.cli_parser import get_parser

    for line in script.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "airflow"
        parsed = get_parser().parse_args(arguments)
        parsed.func(parsed)


AS_SHOWN = "api-in21.leadsquared.com u$r12+/%=ab s$12+/%=cd 25"
"""Host, keys and calls in 5 s of the connection that all pages show."""


def connection_in_environment(block: str) -> str:
    """Return what the hook makes of the connection that a block exports."""
    shown = shell(f'{block}\nprintf %s "$AIRFLOW_CONN_LEADSQUARED_DEFAULT"')
    code = (
        "from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook\n"
        "hook = LeadResetHook()\n"
        "keys = [key.text() for key in (hook._connection.login, hook._connection.password)]\n"
        "print(hook.get_conn().host, *keys, hook.settings.calls_per_5s)"
    )
    return shell(f"{sys.executable} -c '{code}'", AIRFLOW_CONN_LEADSQUARED_DEFAULT=shown).splitlines()[-1]


def nightly_context() -> dict[str, Any]:
    """What templates see in the nightly run of the table, worked out by the installed Airflow's own timetable."""
    import pendulum

    if is_airflow_2():
        from airflow.timetables.interval import CronDataIntervalTimetable as Timetable
    else:
        from airflow.timetables.trigger import CronTriggerTimetable as Timetable
    from airflow.timetables.base import TimeRestriction

    timetable = Timetable("30 2 * * *", timezone=pendulum.timezone("Asia/Kolkata"))
    earliest = pendulum.instance(RUN_AT).subtract(days=1 if is_airflow_2() else 0)
    info = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest, None, catchup=True)
    )
    assert info.run_after == RUN_AT

    class DagRun:
        if not is_airflow_2():
            run_after = info.run_after

    return {
        "data_interval_start": info.data_interval.start,
        "data_interval_end": info.data_interval.end,
        "ds": info.data_interval.start.to_date_string(),
        "dag_run": DagRun(),
        "dag": SimpleNamespace(timezone=pendulum.timezone("Asia/Kolkata")),
    }


def check_window_row(template: str, new: str, old: str) -> None:
    """Hold a row of the window table to what is sent."""
    import jinja2
    import pytest

    from airflow_provider_leadreset.leadsquared.errors import InputError
    from airflow_provider_leadreset.leadsquared.request.run_sides import parse_run_window

    said = new if old == "the same" or not is_airflow_2() else old

    def sent() -> str:
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        context = nightly_context()
        text = environment.from_string(template).render(context)
        moment = context["data_interval_end"]  # of a scheduled run
        window = parse_run_window(text, timezone="Asia/Kolkata", moment=moment, now=lambda: RUN_AT)
        return f"{window.from_date} to {window.to_date}"

    if said.startswith("an error"):
        with pytest.raises((InputError, jinja2.UndefinedError)):
            sent()
    else:
        assert said.startswith(sent())
