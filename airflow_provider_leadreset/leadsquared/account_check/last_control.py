"""The last control: what stayed must go by another reset, else that it stayed says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion, not_told
from airflow_provider_leadreset.leadsquared.account_check.trials import Trial, TrialRunner
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.audits_question import AuditsQuestion

TIMES = 3
"""How often all that is left is reset, should one get lost."""

_LONG_AGO = timedelta(days=1000)
_KINDS = {"unknown_event_code": "activity", "system_event_code": "activity", "unknown_task_type": "task"}
"""Whose records a question is about, where its name does not begin with that."""
_FROM_STAYING = {"stays", "in vain", "dropped"}
"""What was found because something stayed."""


def take_all_away(runner: TrialRunner, questions: Sequence[CheckedQuestion]) -> list[CheckedQuestion]:
    """Reset all that was made, and return the questions, without what rests on records that stayed even so."""
    runner.say("cleaning up: what stayed must go now")
    runner.wait_seen(one for one in runner.specimens if one.seen is None)
    for _ in range(TIMES):
        left = [one for one in runner.specimens if not one.is_gone and one.seen]
        if not left:
            break
        now = runner.server_now()
        window = Window(now - _LONG_AGO, now)
        trials = [
            Trial("clean-up", kind.selectors, window, [one for one in left if one.kind is kind])
            for kind in dict.fromkeys(one.kind for one in left)
        ]
        runner.send(trials)
        runner.wait_gone(trials, runner.watch)
    left = [one for one in runner.specimens if not one.is_gone]
    kinds = {one.kind.name for one in left}
    if left:
        runner.say(f"{pluralize(len(left), 'record')} stayed whatever was done")
    return [
        not_told(one.name, one.question, "its records did not go by another reset either", one.did)
        if one.found in _FROM_STAYING and _kind_of(one.name) in kinds
        else one
        for one in questions
    ]


def what_stays(runner: TrialRunner, audits: Sequence[AuditsQuestion]) -> str:
    """Return what people are told of the lead where the check ends before its end."""
    left = sum(not one.is_gone for one in runner.specimens)
    records = f"{pluralize(left, 'record')} that were not seen to go" if left else "no record on it"
    changed = [f"; its {one.name} may be {quoted(one.values[1])}" for one in audits if one.may_be_changed]
    again = "" if left else "; it can be given as lead another time"
    return f"stopped: lead {runner.lead_id} stays, with {records}{''.join(changed)}{again}"


def _kind_of(name: str) -> str:
    return _KINDS.get(name, name.partition("_")[0])
