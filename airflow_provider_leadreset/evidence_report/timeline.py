"""What happened in a run, in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from airflow_provider_leadreset.evidence_report.run_facts import RunFacts
from airflow_provider_leadreset.evidence_report.try_facts import ApprovalFacts, moment_of
from airflow_provider_leadreset.evidence_report.words import leads, number, planned_records, records

MOST_EVENTS = 60
"""Events of one run that are shown; of more, the first and the last."""


class Event(NamedTuple):
    """What happened when; None where nothing tells."""

    at: datetime | None
    what: str


class Timeline(NamedTuple):
    """The first events, how many are left out, and the last ones."""

    first: list[Event]
    left_out: int
    last: list[Event]


def timeline_of(run: RunFacts) -> Timeline:
    """Return what happened, in order; what nothing gives a time to comes last."""
    far = datetime.max.replace(tzinfo=UTC)
    events = sorted(_events(run), key=lambda event: event.at or far)
    if len(events) <= MOST_EVENTS:
        return Timeline(events, 0, [])
    half = MOST_EVENTS // 2
    return Timeline(events[:half], len(events) - 2 * half, events[-half:])


def _events(run: RunFacts) -> Iterator[Event]:
    for plan in run.plans:
        yield Event(plan.made_at, f"{plan.task} made the plan: {records(plan.counts)} of {leads(plan.leads)}")
    seen: set[ApprovalFacts] = set()
    for one in run.tries:
        yield Event(one.asked_at, f"{one.task}, try {one.name}, began with {leads(one.leads)}")
        for approval in one.approvals:
            if approval.at and approval not in seen:
                seen.add(approval)
                yield Event(approval.at, f"{approval.who or 'Somebody not named'} approved")
    for task in run.tasks:
        if task.sent.resets:
            yield Event(moment_of(task.sent.first), f"{task.name} sent the first reset")
        if task.sent.resets > 1:
            last = f"{task.name} sent the last of {number(task.sent.resets)} resets"
            yield Event(moment_of(task.sent.last), f"{last} that are recorded" if task.sent.untold else last)
    for check in run.verifications:
        found = f"{number(check.gone or 0)} of {planned_records(check.records or 0)}"
        yield Event(check.at, f"{check.task} found that the API no longer gives {found}")
