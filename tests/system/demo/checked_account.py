"""The demo's last step: how this account behaves where LeadSquared is not documented, asked with a throw-away lead."""

from __future__ import annotations

import dataclasses
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from support.account_truth import judge
from support.simulated_account import CODE, OTHER_USER, TASK_NAME, compress

STILL = 167
"""An event code of the demo's data whose activities shall not move LeadLastModifiedOn."""

SHOWN = (
    "queue_seconds",
    "activity_date",
    "task_date",
    "note_date",
    "activity_from_second",
    "activity_to_second",
    "unknown_event_code",
    "stage_audits_reset",
    f"last_modified_activity_{CODE}",
    f"last_modified_activity_{STILL}",
    "last_modified_note",
    "last_modified_lag",
    "unknown_lead",
)
"""What most people want to know."""


def check(console: Console, lsq: LeadSquaredEmulator) -> bool:
    """Check the account, print the main verdicts, and hold them all to what the emulator does.

    Its time passes as fast as the check waits for it, so this comes last.
    """
    # Airflow reads its environment when it is first imported, and the demo sets that itself.
    from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

    console.rule("And what LeadSquared leaves undocumented, this account is asked")
    simulated = compress(lsq, began=datetime.now(UTC))
    lsq.limit.calls = None
    lsq.dialect = dataclasses.replace(lsq.dialect, still_events=frozenset({STILL}))
    began = time.monotonic()
    result = LeadResetHook("leadsquared_default").check_account(
        activity_event=[CODE, STILL],
        task_type=TASK_NAME,
        stage="Qualified",
        owner=lsq.directory.user_id(OTHER_USER),
        say=lambda _: None,
        clock=simulated,
    )
    questions = {one.name: one for one in result.questions}
    table = Table("verdict", "question", title=f"The account check of {result.account}")
    for name in SHOWN:
        table.add_row(questions[name].verdict, questions[name].question)
    console.print(table)
    told = judge(result, lsq.dialect, lsq._queue.delay or 0.0, [CODE, STILL])
    console.print(
        f"{len(told.right)} of {len(questions)} questions are answered, the others could not be told. Waiting for "
        f"{simulated.seconds() / 60:.0f} minutes, as the check of a real account does, took "
        f"{time.monotonic() - began:.0f} s here."
    )
    console.print(
        f"[red]WRONG: {dict(told.wrong)}[/]"
        if told.wrong
        else "[green]Each answer is how this emulated account does behave[/]"
    )
    return not told.wrong
