"""The questions about what a reset takes: all their records are made first, then all are waited for at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.account_check.answers_found import CheckedQuestion, not_told
from airflow_provider_leadreset.leadsquared.account_check.bounds_question import BoundsQuestion
from airflow_provider_leadreset.leadsquared.account_check.checked_kinds import (
    CheckedActivity,
    CheckedKind,
    CheckedNote,
    CheckedTask,
    one_of_each,
)
from airflow_provider_leadreset.leadsquared.account_check.date_question import (
    DateQuestion,
    codes_of_all,
    date_of_all,
)
from airflow_provider_leadreset.leadsquared.account_check.paging_question import (
    PagingQuestion,
    activity_pages,
    note_pages,
)
from airflow_provider_leadreset.leadsquared.account_check.shape_questions import fractions_read, task_id_names
from airflow_provider_leadreset.leadsquared.account_check.unknown_question import (
    UnknownQuestion,
    unknown_event_code,
    with_code,
    with_unknown_type,
)
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.account_check.trials import Specimen, TrialRunner
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

SYSTEM_CODE = 22
"""An outbound call: a code of LeadSquared's own (seen), of which the throw-away lead has no activity."""

Asked = DateQuestion | BoundsQuestion | UnknownQuestion


def ask_what_resets_take(
    client: LeadSquaredClient, runner: TrialRunner, codes: Collection[int] | None
) -> list[CheckedQuestion]:
    """Ask which dates decide, whether bounds belong, and what becomes of what is not there, of each kind.

    The date is asked of each event code, the rest of the first. While the records are there, what their rows look like
    and how they are paged is asked too.

    :param codes: the account's event codes; None where they could not be read.
    """
    runner.say("records whose dates differ, and resets that reach them by one date alone")
    dates = [DateQuestion(runner, kind, _other(runner, kind)) for kind in runner.kinds]
    first = one_of_each(runner.kinds)
    bounds = [BoundsQuestion(runner, kind, _other(runner, kind)) for kind in first]
    unknown = [one for kind in first for one in _unknown(runner, kind, codes)]
    others: list[Asked] = [*bounds, *unknown]
    asked: list[Asked] = [*dates, *others]
    for question in asked:
        try:
            question.prepare()
        except (LeadRejectedError, UnavailableError) as error:
            runner.say(f"not all records could be made: {error.reason}")
    # No reset reaches these.
    witnesses = {kind: runner.make(kind) for kind in runner.kinds}
    runner.wait_seen(runner.specimens)
    for one in dates:
        one.change()
    runner.wait_seen(runner.specimens)
    found = _shapes(client, runner)
    trials = [trial for question in asked for trial in question.plan()]
    runner.send(trials)
    runner.wait_gone(trials, runner.watch)
    told: dict[str, list[tuple[CheckedKind, CheckedQuestion]]] = {kind.name: [] for kind in first}
    for one in dates:
        for answer in _answers(one, witnesses):
            told[one.kind.name].append((one.kind, answer))
    for answers in told.values():
        found.append(date_of_all(answers))
        found += codes_of_all(answers, found[-1])
    for other in others:
        found += _answers(other, witnesses)
    return found


def _answers(question: Asked, witnesses: Mapping[CheckedKind, Specimen]) -> list[CheckedQuestion]:
    answers = question.answers()
    if witnesses[question.kind].is_gone:
        why = f"{question.kind.a_record} that no reset reached went too, so something else deletes"
        answers = [not_told(one.name, one.question, why, one.did) for one in answers]
    return answers


def _other(runner: TrialRunner, kind: CheckedKind) -> CheckedKind | None:
    """Return a kind for bystanders; activities of another event code where there is nothing else."""
    others = [one for one in runner.kinds if one is not kind]
    return next((one for one in others if one.name != kind.name), others[0] if others else None)


def _unknown(runner: TrialRunner, kind: CheckedKind, codes: Collection[int] | None) -> list[UnknownQuestion]:
    asked = []
    if isinstance(kind, CheckedActivity) and codes is not None:
        code = unknown_event_code({*codes, kind.code})
        what = f"an event code that the account does not have, {code}"
        asked.append(
            UnknownQuestion(runner, kind, "unknown_event_code", what, with_code(kind.selectors, code))
        )
    if isinstance(kind, CheckedActivity):
        what = f"the code of a system activity, {SYSTEM_CODE}"
        selectors = with_code(kind.selectors, SYSTEM_CODE)
        asked.append(UnknownQuestion(runner, kind, "system_event_code", what, selectors))
    if isinstance(kind, CheckedTask):
        what = "a task type that nobody has"
        selectors = with_unknown_type(kind.selectors)
        asked.append(UnknownQuestion(runner, kind, "unknown_task_type", what, selectors))
    return asked


def _shapes(client: LeadSquaredClient, runner: TrialRunner) -> list[CheckedQuestion]:
    lead, found = runner.lead_id, [fractions_read(runner)]
    for kind in one_of_each(runner.kinds):
        if isinstance(kind, CheckedActivity):
            path = "ProspectActivity.svc/Retrieve"
            found += PagingQuestion("activity", path, activity_pages(client, lead)).answers()
        if isinstance(kind, CheckedNote):
            path = "LeadManagement.svc/RetrieveNote"
            found += PagingQuestion("note", path, note_pages(client, lead)).answers()
        if isinstance(kind, CheckedTask):
            one = next((one for one in runner.specimens if one.kind is kind and not one.missing), None)
            found += task_id_names(client, one, kind.owner_id, kind.type_id)
    return found
