"""What the evidence of one DAG run says, as values: cleaned and limited, since others may have written the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_provider_leadreset.evidence_report.as_written import Notes
from airflow_provider_leadreset.evidence_report.lead_table import LeadTable
from airflow_provider_leadreset.evidence_report.sent_and_copied import Copied, Sent
from airflow_provider_leadreset.evidence_report.try_facts import (
    MOST_TEXT,
    AccountFacts,
    TryFacts,
    moment_of,
)
from airflow_provider_leadreset.leadsquared.journal.schema_results import VerificationRecord
from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from airflow_provider_leadreset.leadsquared.text import scrubbed

MOST_FILES = 50
"""Files of one task that are named as unreadable."""

Line = tuple[str, str]
"""A heading and what is said under it."""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan that a preview finished.

    :param counts: records per kind.
    :param checksum: of the account check under which it was made; None for none.
    :param made_at: aware.
    """

    task: str
    path: ReadablePath
    account: AccountFacts
    leads: int
    counts: Mapping[str, int]
    window: Window
    what: str
    selectors: Selectors
    checksum: str | None
    made_at: datetime
    digest: str

    @classmethod
    def of(cls, task: str, plan: Plan) -> PlanFacts:
        """Return what a plan says."""
        return cls(
            task,
            plan.path,
            AccountFacts.of(plan.account.get("host"), plan.account.get("code")),
            plan.leads.count,
            plan.counts,
            plan.window,
            scrubbed(plan.selectors.describe(), MOST_TEXT),
            plan.selectors,
            plan.account_check,
            plan.made_at,
            plan.digest,
        )


@dataclass(frozen=True, slots=True)
class VerificationFacts:
    """What a sensor found the API to give no longer.

    :param sha256: of the file itself.
    :param digest: of the plan.
    :param at: when; None where that is not recorded.
    :param records: planned; None where no plan counts them.
    """

    task: str
    sha256: str
    digest: str
    at: datetime | None
    leads: int
    leads_done: int
    records: int | None
    gone: int | None
    unverifiable: list[str]
    unknown_leads: int

    @classmethod
    def of(cls, task: str, record: VerificationRecord, sha256: str) -> VerificationFacts:
        """Return what a verification says."""
        return cls(
            task,
            sha256,
            record.digest,
            moment_of(record.verified_at),
            record.leads,
            record.leads_done,
            record.records,
            record.gone,
            [scrubbed(why, MOST_TEXT) for why in record.unverifiable[:MOST_FILES]],
            len(record.unknown_leads),
        )


@dataclass(slots=True)
class TaskFacts:
    """What the evidence of one task, or of one mapped part of it, says.

    :param name: the task's id, and its map index where it has one.
    :param place: its folder, from the folder that was asked for.
    :param removed: parts of the archive that were written once and are not there any more.
    :param unfinished: names of plans whose preview was ended before it was done.
    :param unplanned: what a preview found, so that it made no plan.
    :param unreadable: files that cannot be read or are not as they were written, and why; the first few.
    :param unreadable_count: how many there are.
    """

    name: str
    place: str
    plans: list[PlanFacts] = field(default_factory=list)
    tries: list[TryFacts] = field(default_factory=list)
    verifications: list[VerificationFacts] = field(default_factory=list)
    sent: Sent = field(default_factory=Sent)
    copied: Copied = field(default_factory=Copied)
    removed: int = 0
    unfinished: list[str] = field(default_factory=list)
    unplanned: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unreadable_count: int = 0

    @property
    def summed_up(self) -> Counter[str] | None:
        """Leads per outcome as the last summary says; None where it does not tell of all."""
        if self.sent.requests == 1 and self.tries[-1].whole:
            return Counter(self.tries[-1].outcomes)
        return None

    def outcomes(self) -> Counter[str]:
        """Return leads per outcome: as the last summary says, or as the journals tell.

        The journals do where no summary tells of all, and where they have more leads queued than it has.
        """
        told, summed_up = self.sent.outcomes(), self.summed_up
        return told if summed_up is None or told["queued"] > summed_up["queued"] else summed_up

    def doubt(self, *notes: Notes) -> None:
        """Record the files that cannot be read, or are not as they were written."""
        for one in notes:
            self.unreadable += [scrubbed(what, MOST_TEXT) for what in one.named]
            self.unreadable_count += one.count


@dataclass(slots=True)
class RunFacts:
    """What the evidence of one DAG run says.

    :param lines: the same as prose, in order.
    """

    name: str
    leads: LeadTable
    tasks: list[TaskFacts] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def plans(self) -> list[PlanFacts]:
        """All finished plans."""
        return [plan for task in self.tasks for plan in task.plans]

    @property
    def tries(self) -> list[TryFacts]:
        """All tries of all resets."""
        return [one for task in self.tasks for one in task.tries]

    @property
    def verifications(self) -> list[VerificationFacts]:
        """All verifications."""
        return [one for task in self.tasks for one in task.verifications]
