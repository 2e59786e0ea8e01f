"""What is shown of a run, in one sentence, and what it rests on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_leadreset.evidence_report.run_facts import RunFacts, VerificationFacts
from airflow_provider_leadreset.evidence_report.words import MOST_VALUES, leads, number, planned_records
from airflow_provider_leadreset.leadsquared.text import pluralize

VerdictKind = Literal["gone", "partly", "nothing_sent"]

TITLES: dict[VerdictKind, str] = {
    "gone": "The API no longer gives the planned records",
    "partly": "Not all of the reset is done or shown",
    "nothing_sent": "No reset was sent",
}


NO_CALL = {"nothing_to_reset": "had nothing to reset", "excluded": "excluded, as was asked"}
"""What is said of leads that needed no call."""


MOST_ENDS = 3
"""Tries without a call of which it is said how they ended: the last ones."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is shown of a run.

    :param shown: what it rests on, as whole sentences.
    :param lacking: what is not done, or not shown.
    """

    kind: VerdictKind
    shown: list[str]
    lacking: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The sentence."""
        return TITLES[self.kind]


def verdict_of(run: RunFacts) -> Verdict:
    """Return what is shown of a run.

    ``gone``: every lead that a reset was asked for is queued or needed none, a sensor found that the API no longer
    gives any record of its plan, and every file is as it was written. ``nothing_sent``: every file is, no call and no
    doubt is in them, and no verification or copy is of a reset whose own files are not there. ``partly``: all else.
    """
    unreadable = sum(task.unreadable_count for task in run.tasks)
    damage = [f"{pluralize(unreadable, 'file')} cannot be relied on: listed below."] if unreadable else []
    outcomes = _outcomes(run)
    calls = sum(task.sent.resets for task in run.tasks)
    missing, of_leads = _missing(run), _of_leads(outcomes, all_told=_all_told(run))
    if not (calls or outcomes["unanswered"] or outcomes["queued"] or damage or missing):
        return Verdict("nothing_sent", _why_nothing(run, outcomes), of_leads)
    done, lacking = _verified(run)
    doubts = [*of_leads, *_against_journals(run), *missing, *lacking, *damage]
    shown = [f"LeadSquared queued the reset of {leads(outcomes['queued'])}."] if run.tries else []
    if done:
        shown.append(_said_of(done))
    return Verdict("partly" if doubts else "gone", shown + _without_call(outcomes), doubts)


def _against_journals(run: RunFacts) -> list[str]:
    """Return what the journals say otherwise than the summaries, which one could write by hand."""
    summed_up, told = Counter[str](), Counter[str]()
    more = False
    for task in run.tasks:
        if (one := task.summed_up) is not None:
            journals = task.sent.outcomes()
            summed_up.update(one)
            told.update(journals)
            more |= journals["queued"] > one["queued"]
    queued, said = told["queued"], []
    if queued < summed_up["queued"]:
        said.append(f"The journals tell of {leads(queued)} queued only.")
    elif more:
        said.append(
            f"The journals tell of {leads(queued)} queued, the summaries of {number(summed_up['queued'])}."
        )
    if told["unanswered"] > summed_up["unanswered"]:
        said.append(f"The journals tell of {leads(told['unanswered'])} unanswered.")
    return said


def _missing(run: RunFacts) -> list[str]:
    """Return that a verification, or a copy, is of a reset whose own files are not there."""
    reset = {one.plan_digest for one in run.tries}
    told = [
        f"no reset is by the plan that {one.task} verified"
        for one in run.verifications
        if one.digest not in reset and one.records != 0
    ]
    told += [
        f"{task.name} has copies, and no request"
        for task in run.tasks
        if task.copied.parts and not task.tries
    ]
    return [f"The evidence of the reset is missing: {why}." for why in dict.fromkeys(told)][:MOST_VALUES]


def _all_told(run: RunFacts) -> bool:
    """Return whether the last try of each task tells how it ended: after one that does not, another may be removed."""
    return all(task.tries[-1].whole for task in run.tasks if task.tries)


def _outcomes(run: RunFacts) -> Counter[str]:
    found: Counter[str] = Counter()
    for task in run.tasks:
        found.update(task.outcomes())
    return found


def _why_nothing(run: RunFacts, outcomes: Counter[str]) -> list[str]:
    tries = run.tries
    if not tries:
        return [
            "There is a plan, and no evidence of a reset."
            if run.plans
            else "There is no evidence of a reset."
        ]
    said = [f"{one.task}, try {one.name}, ended {one.ended}." for one in tries][-MOST_ENDS:]
    return said + _without_call(outcomes)


def _without_call(outcomes: Counter[str]) -> list[str]:
    return [f"{leads(count)} {words}." for outcome, words in NO_CALL.items() if (count := outcomes[outcome])]


def _verified(run: RunFacts) -> tuple[list[VerificationFacts], list[str]]:
    """Return the last verification of each plan that a reset went by, and what is not verified."""
    by_plan = {one.digest: one for one in run.verifications}
    reset = {one.plan_digest for one in run.tries}
    done = [one for digest, one in by_plan.items() if digest in reset]
    lacking = []
    if reset - set(by_plan):
        lacking.append(
            "No verification of it is in the evidence: what is queued may still be there."
            if not done
            else "Of a part of it no verification is in the evidence."
        )
    for one in done:
        if one.records is None or one.gone != one.records:
            lacking.append(
                f"{one.task} found that the API no longer gives {number(one.gone or 0)} of "
                f"{planned_records(one.records or 0)}."
            )
        lacking += [f"Not verified: {why}." for why in one.unverifiable]
        if one.unknown_leads:
            lacking.append(f"{leads(one.unknown_leads)} unknown to the account: nothing is shown of them.")
    return done, lacking[:MOST_VALUES]


def _said_of(done: list[VerificationFacts]) -> str:
    gone, records = sum(one.gone or 0 for one in done), sum(one.records or 0 for one in done)
    asked = leads(sum(one.leads for one in done))
    return f"The API no longer gives {number(gone)} of {planned_records(records)} of {asked}."


def _of_leads(outcomes: Counter[str], *, all_told: bool) -> list[str]:
    words = {
        "failed": "failed and {were} not reset",
        "unknown": "unknown to the account: not reset",
        "unanswered": "unanswered: LeadSquared's own answer did not come, so {they} may have been reset",
        "not_reached": (
            "not reached: no reset of {them} was sent"
            if all_told
            else "not reached, as far as is known: there is no evidence that a reset of {them} was sent"
        ),
    }
    said = []
    for outcome, text in words.items():
        if count := outcomes[outcome]:
            one = count == 1
            told = text.format(
                were="was" if one else "were", they="it" if one else "they", them="it" if one else "them"
            )
            said.append(f"{leads(count)} {told}.")
    return said
