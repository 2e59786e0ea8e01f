"""What the check does to see whether it moves the lead's LeadLastModifiedOn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import CheckedKind
from airflow_provider_leadreset.leadsquared.account_check.last_modified_question import (
    IN_VAIN,
    TIMES,
    Deed,
    LastModifiedQuestion,
)
from airflow_provider_leadreset.leadsquared.account_check.trials import (
    Specimen,
    Trial,
    TrialRunner,
    seconds_around,
)

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion
    from airflow_provider_leadreset.leadsquared.account_check.audits_question import AuditsQuestion
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient


def ask_what_moves(
    client: LeadSquaredClient, runner: TrialRunner, audits: Sequence[AuditsQuestion]
) -> list[CheckedQuestion]:
    """Ask of each thing that the check can do whether it moves the lead's LeadLastModifiedOn.

    :param audits: changes of stage and owner, where others were named.
    """
    question = LastModifiedQuestion(client, runner.lead_id, runner)
    to_reset: list[Specimen] = []
    if runner.kinds:
        to_reset = [runner.make(runner.kinds[0]) for _ in range(TIMES + IN_VAIN)]
        runner.wait_seen(to_reset)
    made = [(kind.key, f"a new {kind.full_name}", partial(_make, runner, kind)) for kind in runner.kinds]
    waiting = [one for one in made if not question.ask(*one, may_wait=True)]
    for one in audits:
        question.ask(one.name, f"a change of the {one.name}", one.change)
        one.change_back()
    if to_reset:
        question.ask("reset", "a reset", lambda: _take_away(runner, to_reset.pop()))
    if question.has_moved:
        for later in waiting:
            question.ask(*later)
    return question.answers()


def _make(runner: TrialRunner, kind: CheckedKind) -> Deed:
    began = runner.server_now()
    one = runner.make(kind, apart=False)
    return Deed(began, runner.server_now(), lambda: runner.wait_seen([one]))


def _take_away(runner: TrialRunner, one: Specimen) -> Deed:
    """Reset a record, and wait until it is gone."""
    present = runner.server_now()
    if one.seen is None:
        return Deed(present, present, lambda: False)
    moment = one.seen.dates["CreatedOn"]
    trial = Trial("reset", one.kind.selectors, seconds_around(moment, moment), [one])
    runner.send([trial])
    began, pause = runner.clock.seconds(), 1.0
    while not one.is_gone and runner.clock.seconds() - began < runner.watch:
        runner.read()
        if not one.missing:
            present = runner.server_now()
        runner.clock.sleep(pause)
        pause = min(pause * 1.1, max(2.0, runner.watch / 300))
    return Deed(present, runner.server_now(), lambda: one.is_gone)
