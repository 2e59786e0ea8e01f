"""The account check as a table for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.account_check import AccountCheckResult
    from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
    from airflow_provider_leadreset.leadsquared.account_check.check_options import (
        CheckCost,
        CheckOptions,
    )

WIDTH = 100
_VERDICT = 22


_ASKED = {
    "activity_events": "activities (--activity-event)",
    "task_type": "tasks (--task-type)",
    "stage": "changes of the stage (--stage)",
    "owner": "changes of the owner (--owner)",
}
"""What is asked about only where something is named, and how."""


def cost_text(cost: CheckCost, host: str, options: CheckOptions) -> str:
    """Return what people are told before anything is done."""
    left_out = [what for name, what in _ASKED.items() if not getattr(options, name)]
    unasked = f" Not asked about, since none was named: {', '.join(left_out)}." if left_out else ""
    text = (
        f"The account check of {host} would make about {cost.calls} calls, at a fifth of the account's pace, in about "
        f"{cost.minutes} minutes (longer where its queue is slow, or where new activities do not move "
        f"LeadLastModifiedOn, or move it late): {cost.share:g} % of a day's calls of the smallest plan. It creates a "
        "lead named 'ZZ leadreset check' with records of its own, and resets them. No write names another lead. "
        "Automations of the account may react to what is created, and the lead stays: deleting leads is off by default."
        f"{unasked} Nothing was done. To do it, give --yes."
    )
    return "\n".join(wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def result_text(result: AccountCheckResult) -> str:
    """Return the table, and what to do with what was found."""
    told = [one for one in result.questions if one.found is not None]
    lines = [
        f"Account {result.account or 'without a code'} at {result.host}, checked on {result.checked_on} (UTC)",
        f"with lead {result.lead}, which stays.",
        "",
        *_table(result.questions),
        "",
        f"{len(told)} of {len(result.questions)} questions were answered; the others could not be told.",
    ]
    if result.account:
        lines += [
            "To use it, add this to the connection's Extra, as account_check:",
            json.dumps(result.account_check),
        ]
    else:
        lines.append(
            "The account does not tell its code, so what was found cannot be kept with its connection."
        )
    return "\n".join(lines)


def _table(questions: Sequence[CheckedQuestion]) -> list[str]:
    lines = []
    for one in questions:
        first, *more = wrap(one.question, WIDTH - _VERDICT)
        lines.append(f"{one.verdict:<{_VERDICT}}{first}")
        lines += [f"{'':{_VERDICT}}{text}" for text in (*more, *wrap(f"  saw: {one.saw}", WIDTH - _VERDICT))]
    return lines
