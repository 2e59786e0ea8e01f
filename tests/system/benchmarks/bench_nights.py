"""Nightly clean-ups of 10,000 leads of which 300 changed: calls, and time at the account's limit, by skip_unmodified.

Time is simulated: an emulator whose present moment is set from night to night, and tasks that take it for theirs. Calls
go over real sockets, with the pace set wide; the time is what so many calls take at 25 in any 5 s. After each night the
emulator's records are held to what should have gone: each that is missed, and each that went too many, is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))
HERE = Path(__file__).parent

CODE, OTHER_CODE = 201, 202
A_CALL_EACH = 25
"""Calls in any 5 s, for the time that calls take."""
MOST_PLAIN, MOST_CAREFUL = 420, 1800
POKES = 3
MOVERS = "activity,note,task,stage,owner"
BEGIN, END = "<!-- nights -->", "<!-- end of nights -->"


@dataclass
class Count:
    """What some nights came to."""

    way: str
    nights: int = 0
    calls: list[int] = field(default_factory=list)
    records: int = 0
    missed: int = 0
    too_many: int = 0
    seconds: float = 0.0


class Account:
    """An emulated account, and the records in it that a reset could name."""

    def __init__(self, leads: int, changes: int, first: datetime) -> None:
        from airflow_provider_leadreset.emulator import LeadSquaredEmulator

        self.chance = random.Random(f"{leads} {changes}")
        self.changes, self.today = changes, first
        self.lsq = LeadSquaredEmulator(
            calls_per_5s=None, queue_delay=0.0, dialect={"moves_last_modified": MOVERS}
        )
        self.lsq._now = lambda: self.today
        self.leads = [self.lsq.add_lead() for _ in range(leads)]
        self.records: dict[str, datetime] = {}
        """Those of the kinds that are reset."""
        for lead in self.leads:
            # Of another kind, or of long ago: must stay.
            self.lsq.add_activity(lead, OTHER_CODE, first - timedelta(days=200))
            self._add(lead, first - timedelta(days=100))

    def live(self, day: datetime) -> None:
        """Let a day pass: some leads get an activity, a third of them a note too, some one of another event.

        On whole seconds: that a fraction in the window's last second may be left is another matter.
        """
        for number, lead in enumerate(self.chance.sample(self.leads, self.changes)):
            at = day + timedelta(seconds=self.chance.randrange(86_400))
            self._add(lead, at)
            if number % 3 == 0:
                self.records[self.lsq.add_note(lead, "called", at)] = at
            if number % 10 == 0:
                self.lsq.add_activity(lead, OTHER_CODE, at)

    def _add(self, lead: str, at: datetime) -> None:
        self.records[self.lsq.add_activity(lead, CODE, at)] = at

    def left(self) -> set[str]:
        """Return the ids of the records that are still there."""
        return {record.id for lead in self.lsq.leads() for record in (*lead.activities, *lead.notes)}


class Nights:
    """Runs clean-ups of an account, night by night."""

    def __init__(self, account: Account, folder: Path, window: str, *, skips: bool, careful: bool) -> None:
        self._account, self._folder, self._window = account, folder, window
        self._skips, self._careful = skips, careful

    def run(self, moment: datetime, days: int, found: Count) -> None:
        """Run the clean-up that is due at a moment."""
        account, lsq = self._account, self._account.lsq
        account.today = moment + timedelta(minutes=30)
        start = moment - timedelta(days=days)
        due = {one for one, at in account.records.items() if start <= at < moment}
        before = account.left()
        lsq.reset_calls()
        began = time.monotonic()
        self._tasks(moment)
        found.seconds += time.monotonic() - began
        gone = before - account.left()
        found.nights += 1
        found.calls.append(len(lsq.calls))
        found.records += len(due)
        found.missed += len(due - gone)
        found.too_many += len(gone - due)
        for one in due & gone:
            del account.records[one]

    def _tasks(self, moment: datetime) -> None:
        from airflow_provider_leadreset.operators.lead_reset import (
            LeadResetOperator,
            LeadResetPreviewOperator,
        )
        from airflow_provider_leadreset.runtime.preview_run import PreviewRun
        from airflow_provider_leadreset.runtime.reset_run import ResetRun
        from airflow_provider_leadreset.runtime.verification_run import VerificationRun
        from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

        asked: dict[str, Any] = {
            "prospect_ids": self._account.leads,
            "activity_event_list": [CODE],
            "should_delete_prospect_notes": True,
            "window": self._window,
        }
        skips = {"skip_unmodified": self._skips}

        def run(kind: Any, task: Any) -> Any:
            one = kind(task, self._context(task.task_id, moment))
            one.now = lambda: self._account.today
            return one

        if not self._careful:
            run(ResetRun, LeadResetOperator(task_id="reset", **asked, **skips)).run()
            return
        evidence = str(self._folder)
        preview = LeadResetPreviewOperator(task_id="preview", evidence_path=evidence, **asked, **skips)
        plan = run(PreviewRun, preview).run()
        run(ResetRun, LeadResetOperator(task_id="reset", plan=plan, evidence_path=evidence)).run()
        verify = LeadResetSensor(task_id="verify", plan=plan)
        for _ in range(POKES):
            poked = run(VerificationRun, verify)
            if poked.verify(verify).is_done:
                return
            print(f"poked again: {verify.last_verification}", file=sys.stderr, flush=True)
        raise SystemExit("not verified")

    @staticmethod
    def _context(task_id: str, moment: datetime) -> Any:
        ti = SimpleNamespace(
            dag_id="clean_up",
            run_id=f"scheduled {moment:%Y-%m-%d}",
            task_id=task_id,
            map_index=-1,
            try_number=1,
            max_tries=0,
            xcom_push=lambda **_: None,
        )
        run = SimpleNamespace(
            clear_number=0,
            run_type="scheduled",
            data_interval_end=moment,
            run_after=moment,
            logical_date=moment,
        )
        return {"ti": ti, "dag_run": run}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=5, help="of P1D (default: 5)")
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=300, help="leads that change in a day (default: 300)")
    parser.add_argument("--ways", default="", help="only those whose name has this in it")
    parser.add_argument("--keep", action="store_true", help="write the figures to RESULTS.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadreset-bench-") as folder:
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL"}
        counts = list(_ways(given, Path(folder)))
    text = table(counts, given)
    print(text)
    if given.keep:
        keep(text)
    reached = all(not one.missed and not one.too_many for one in counts)
    return 0 if reached else 1


def _ways(given: argparse.Namespace, folder: Path) -> Iterator[Count]:
    few = max(1, min(3, given.nights))
    ways = [
        ("P1D, plain, a call for each lead", 1, 1, False, False),
        ("P1D, plain, skip_unmodified", given.nights, 1, True, False),
        ("P1D, careful, all leads read", 1, 1, False, True),
        ("P1D, careful, skip_unmodified", given.nights, 1, True, True),
        ("P30D, plain, a call for each lead", 1, 30, False, False),
        ("P30D, plain, skip_unmodified", few, 30, True, False),
        ("P30D, careful, skip_unmodified", few, 30, True, True),
    ]
    for number, (way, nights, days, skips, careful) in enumerate(ways):
        if given.ways in way:
            found = _count(way, nights, days, folder / str(number), skips, careful, given)
            print(f"{way}: {nights} nights in {found.seconds:.0f} s", file=sys.stderr, flush=True)
            yield found


def _count(
    way: str, nights: int, days: int, folder: Path, skips: bool, careful: bool, given: argparse.Namespace
) -> Count:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=nights + days)
    account, found = Account(given.leads, given.changes, first), Count(way)
    with account.lsq as lsq:
        connection = lsq.connection(calls_per_5s=9999, account_check=_check(first))
        os.environ["AIRFLOW_CONN_LEADSQUARED_DEFAULT"] = json.dumps(connection)
        for number in range(days - 1):
            account.live(first + timedelta(days=number))
        for number in range(days - 1, days - 1 + nights):
            account.live(first + timedelta(days=number))
            night = Nights(account, folder, f"P{days}D/run_day", skips=skips, careful=careful)
            night.run(first + timedelta(days=number + 1), days, found)
    return found


def _check(checked_on: datetime) -> dict[str, Any]:
    from support.checked_account import account_check

    return account_check({"moves_last_modified": MOVERS}, checked_on=checked_on.date(), codes=[CODE])


def table(counts: list[Count], given: argparse.Namespace) -> str:
    """Return the figures as Markdown."""
    told = (
        f"{given.leads:,} leads of which {given.changes} change in a day: an activity each, a third a note too, "
        "on whole seconds. "
        "Reset are one event code and notes. Careful: a preview with its plan, the reset by it, and the verification. "
        f"Time: what so many calls take at {A_CALL_EACH} in any 5 s. "
        f"Made by `bench_nights.py --nights {given.nights}` on {datetime.now(UTC):%Y-%m-%d}."
    )
    columns = "way | nights | calls a night | most | minutes at the limit | records | missed | too many"
    lines = [told, "", f"| {columns} | figures to reach |", "|---|---:|---:|---:|---:|---:|---:|---:|---|"]
    for one in counts:
        mean = sum(one.calls) / len(one.calls)
        least = MOST_CAREFUL if "careful" in one.way else MOST_PLAIN
        aim = ""
        if one.way.startswith("P1D") and "skip" in one.way:
            verdict = "reached" if max(one.calls) <= least else f"missed by {max(one.calls) - least}"
            aim = f"calls ≤ {least}: {verdict}; "
        exact = "reached" if not one.missed and not one.too_many else "missed"
        lines.append(
            f"| {one.way} | {one.nights} | {mean:,.0f} | {max(one.calls):,} | {mean / A_CALL_EACH * 5 / 60:.1f} | "
            f"{one.records:,} | {one.missed} | {one.too_many} | {aim}none missed, none too many: {exact} |"
        )
    return "\n".join(lines)


def keep(text: str) -> None:
    """Put the figures into RESULTS.md, in place of those of before."""
    path = HERE / "RESULTS.md"
    before = path.read_text(encoding="utf-8")
    head, found, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END) if found else ("", "", "")
    section = f"{BEGIN}\n## Nights, by skip_unmodified\n\n{text}\n\n{HONESTLY}\n{END}"
    path.write_text(f"{head.rstrip()}\n\n{section}{tail.rstrip()}\n", encoding="utf-8")


HONESTLY = """\
Over P30D it saves little: every lead that changed once in the 30 days is read or reset again each night, whatever \
went the night before, since it was modified in the window. Take P1D each night, and a longer window once."""


if __name__ == "__main__":
    sys.exit(main())
