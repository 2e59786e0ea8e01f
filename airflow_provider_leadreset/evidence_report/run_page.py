"""What the page shows of one run; its templates read nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import pendulum

from airflow_provider_leadreset.evidence_report.asked_and_decided import (
    Decision,
    Fact,
    decisions_of,
    facts_of,
    one_or_two_persons,
)
from airflow_provider_leadreset.evidence_report.lead_table import TROUBLE, LeadRow
from airflow_provider_leadreset.evidence_report.run_facts import RunFacts, TaskFacts
from airflow_provider_leadreset.evidence_report.timeline import Timeline, timeline_of
from airflow_provider_leadreset.evidence_report.try_facts import TryFacts
from airflow_provider_leadreset.evidence_report.verdict import Verdict, verdict_of
from airflow_provider_leadreset.evidence_report.words import distinct, number

MOST_TASKS = 20
"""Tasks of one run whose folders, or unreadable files, are listed."""

MOST_TRIES = 200
"""Tries of one run that are listed."""

MOST_TROUBLED = 50
"""Leads in trouble that are listed above; the appendix has more."""

MOST_IN_FOOT = 80
"""Characters at the foot of a sheet."""

OUTCOMES = {
    "queued": "LeadSquared accepted the reset",
    "failed": "refused, or holding records that the plan does not show: not reset",
    "unknown": "the account says that it has no such lead: not reset",
    "unanswered": "sent, and LeadSquared's own answer did not come: may have been reset",
    "nothing_to_reset": "without records, not modified, or the API no longer gave any: no call was needed",
    "excluded": "never to be reset, as was asked: no call was made",
    "not_reached": "no reset was sent, as far as the evidence tells",
}
"""Every outcome a lead can have, and what it means."""

KINDS = ("activities", "tasks", "notes", "audits", "tasks_of_unknown_type")
"""Kinds of records, in the order in which they are shown."""


class OutcomeCount(NamedTuple):
    """An outcome, how many leads have it, and what it means."""

    name: str
    leads: int
    meaning: str


class Kind(NamedTuple):
    """A kind of records: how many were planned, and how many are copied."""

    name: str
    planned: int
    copied: int


@dataclass
class RunPage:
    """One run, as the templates read it.

    :param number: of this run on its page, from 1: the ids of its headings end in it.
    """

    run: RunFacts
    number: int = 1

    @cached_property
    def verdict(self) -> Verdict:
        """What is shown of it."""
        return verdict_of(self.run)

    @property
    def dag(self) -> str:
        """The DAG, as its folder is named."""
        return self.run.name.rpartition("/")[0] or self.run.name

    @property
    def run_id(self) -> str:
        """The run, as its folder is named."""
        return self.run.name.rpartition("/")[2]

    @property
    def foot(self) -> str:
        """DAG and run at the foot of each sheet, on one line: of a long name the ends, which tell most."""
        name = f"{self.dag}, {self.run_id}"
        if len(name) <= MOST_IN_FOOT:
            return name
        half = MOST_IN_FOOT // 2
        return f"{name[: half - 1]}…{name[-half:]}"

    @cached_property
    def zone(self) -> str:
        """The time zone of the DAG, where the plans name one and the same; else empty."""
        zones = {plan.window.timezone for plan in self.run.plans}
        return zones.pop() if len(zones) == 1 and zones != {"UTC"} else ""

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the DAG's time zone."""
        return moment.astimezone(pendulum.timezone(self.zone or "UTC"))

    @cached_property
    def resets(self) -> list[TaskFacts]:
        """The tasks that reset."""
        return [task for task in self.run.tasks if task.tries]

    @property
    def has_several_tasks(self) -> bool:
        """Whether more than one task reset."""
        return len(self.resets) > 1

    @cached_property
    def facts(self) -> list[Fact]:
        """What was asked for, and what ran it."""
        return facts_of(self.run, self.zone)

    @cached_property
    def decisions(self) -> list[Decision]:
        """Who started it, who approved, whose keys were used."""
        return decisions_of(self.run)

    @property
    def persons(self) -> str:
        """Whether who approved also started the run."""
        return one_or_two_persons(self.run)

    @property
    def shown(self) -> list[str]:
        """Files with the text that was shown for approval."""
        return distinct((one.task, one.shown) for one in self.run.tries)

    @cached_property
    def timeline(self) -> Timeline:
        """What happened, in order."""
        return timeline_of(self.run)

    @cached_property
    def kinds(self) -> list[Kind]:
        """Each kind of records that was planned or copied."""
        planned, copied = Counter[str](), Counter[str]()
        for plan in self.run.plans:
            planned.update(plan.counts)
        for task in self.run.tasks:
            copied.update(task.copied.kinds)
        names = (*KINDS, *sorted(set(copied) - set(KINDS)))
        return [
            Kind(name.replace("_", " "), planned[name], copied[name])
            for name in names
            if planned[name] or copied[name]
        ]

    @property
    def has_plans(self) -> bool:
        """Whether planned records are known."""
        return bool(self.run.plans)

    @property
    def has_copies(self) -> bool:
        """Whether copies are there."""
        return any(task.copied.parts for task in self.run.tasks)

    @property
    def verified(self) -> str:
        """What the verifications found, all kinds of records together; empty without one."""
        checks = self.run.verifications
        gone, records = sum(one.gone or 0 for one in checks), sum(one.records or 0 for one in checks)
        if not checks:
            return ""
        return f"Verified, all kinds together: the API no longer gives {number(gone)} of {number(records)}."

    @cached_property
    def outcomes(self) -> list[OutcomeCount]:
        """Each outcome, and how many leads have it."""
        found = Counter[str]()
        for task in self.resets:
            found.update(task.outcomes())
        return [OutcomeCount(name.replace("_", " "), found[name], said) for name, said in OUTCOMES.items()]

    @property
    def lead_count(self) -> int:
        """How many leads the resets were asked for."""
        return sum(outcome.leads for outcome in self.outcomes)

    @property
    def reasons(self) -> list[tuple[str, str, int]]:
        """Why leads are in trouble, where several have one reason; each lead is listed with its own."""
        reasons = self.run.leads.reasons()
        return reasons[:MOST_TROUBLED] if len(reasons) < len(self.run.leads.troubled) else []

    @property
    def troubled_count(self) -> int:
        """How many leads failed, are unknown or unanswered."""
        return sum(one.leads for one in self.outcomes if one.name in TROUBLE)

    @property
    def troubled(self) -> list[LeadRow]:
        """The first leads that failed, are unknown or unanswered."""
        return self.run.leads.troubled[:MOST_TROUBLED]

    @cached_property
    def leads(self) -> list[LeadRow]:
        """All leads that are kept."""
        return self.run.leads.rows

    @property
    def tries(self) -> list[TryFacts]:
        """The first tries."""
        return self.run.tries[:MOST_TRIES]

    @property
    def damage(self) -> list[TaskFacts]:
        """The first tasks with files that cannot be relied on."""
        return [task for task in self.run.tasks if task.unreadable_count][:MOST_TASKS]

    @property
    def folders(self) -> list[str]:
        """Where the journals of the first tasks are."""
        return [task.place for task in self.resets[:MOST_TASKS]]

    @property
    def digests(self) -> list[Fact]:
        """The digest of each plan, of each task's last summary, and of each verification."""
        found = [Fact(f"plan of {plan.task}", [plan.digest]) for plan in self.run.plans]
        for task in self.resets:
            whole = [one for one in task.tries if one.digest]
            if whole:
                found.append(Fact(f"evidence of {task.name}, try {whole[-1].name}", [whole[-1].digest]))
        found += [Fact(f"verification of {one.task}", [one.sha256]) for one in self.run.verifications]
        return found[:MOST_TRIES]
