"""Records of what a task writes once: how it ended, who failed, what was copied, shown and verified."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from airflow_provider_leadreset.leadsquared.journal.schema import (
    ContradictionLine,
    EvidenceRecord,
    FileDigest,
    Moment,
    OutcomeName,
    SentDates,
    Sha256,
)


class FailedLine(EvidenceRecord):
    """A lead that failed, is unknown or unanswered, in whichever try that was asked for the same (``…-failed.jsonl``).

    The file can be given back as ``prospect_ids_path``: no lead is in it that is excluded, or that only a try was asked
    for which was asked for something else.
    """

    schema_version: Literal[1] = 1
    prospect_id: str
    outcome: OutcomeName
    reason: str


class ListedFailure(EvidenceRecord):
    """A failed lead as a summary lists it."""

    prospect_id: str
    outcome: OutcomeName
    error: str


class EarlierOutcomes(EvidenceRecord):
    """What became of that which earlier tries were asked for otherwise. The outcomes add up to ``leads``."""

    leads: int = Field(description="One that two requests name counts twice")
    queued: int
    failed: int
    unknown: int
    unanswered: int
    nothing_to_reset: int
    excluded: int
    not_reached: int
    failures: list[ListedFailure] = Field(description="The first fifty, those that are unanswered first")


class Summary(EvidenceRecord):
    """How a try ended (``…-summary.json``). The outcomes add up to ``leads``, over all tries that it continued."""

    schema_version: Literal[1] = 1
    account: str
    leads: int
    queued: int
    failed: int
    unknown: int
    unanswered: int
    nothing_to_reset: int
    excluded: int
    not_reached: int
    nothing_to_reset_by: dict[str, int]
    failed_by_reason: dict[str, int]
    done_in_earlier_tries: int
    calls: int
    throttled: int
    seconds: float
    failures: list[ListedFailure]
    earlier_requests: EarlierOutcomes | None = Field(
        default=None,
        description="What earlier tries of the task were asked for otherwise, beside all else here; null: nothing",
    )
    window: str
    sent: SentDates
    selectors: dict[str, object]
    system_event_codes: list[int]
    unknown_event_codes: list[int]
    approval: object
    reason: str | None = None
    evidence: str | None
    failed_path: str | None
    leads_path: str | None = Field(default=None, description="The members of the list that was reset")
    stopped_because: str | None
    contradiction: str | None = Field(
        default=None,
        description="Why nothing was left out, though skip_unmodified was asked for; null: nothing spoke against it",
    )
    parts: int = Field(description="How many parts the journal of this try has")
    files: list[FileDigest] = Field(
        description="What this try wrote before, in its order; of very many the last: each part tells the one before"
    )
    archive_files: list[FileDigest] = Field(
        description="Copies of records, below archive/; of very many the last: the journal tells all"
    )


class ArchiveLine(EvidenceRecord):
    """A copy of a record (``…-archive-00001.jsonl.gz``)."""

    schema_version: Literal[1] = 1
    prospect_id: str
    kind: str
    id: str
    type: str
    type_name: str
    created_on: str
    record: dict[str, object]


class VerificationRecord(EvidenceRecord):
    """How many planned records the API no longer gives, as a sensor found (``…-verification.json``)."""

    schema_version: Literal[1] = 1
    plan: str
    digest: Sha256
    verified_at: Moment | None = None
    account: str
    leads: int
    leads_done: int
    excluded: int = 0
    records: int | None
    gone: int | None
    left: object
    unverifiable: list[str]
    unknown_leads: list[str]


CONTRADICTION_NAME = "contradiction-{}-{}.json"
"""Where a preview writes down what it found against LeadLastModifiedOn: its try, and a name of its process's own."""


class KeptContradictionRecord(EvidenceRecord):
    """What a preview found against leaving leads out (``contradiction-1-….json``): its later tries leave none out."""

    schema_version: Literal[1] = 1
    made_by: list[object] = Field(description="Ids of DAG, run and task, and the map index")
    generation: str = Field(description="Changes with a Clear, not with a retry")
    found: ContradictionLine


class PlanHead(EvidenceRecord):
    """The first line of a plan (``plan-1.jsonl.gz``)."""

    plan: Literal[1]
    account: dict[str, object]
    made_by: list[object]
    request_digest: str
    window: str
    timezone: str
    selectors: dict[str, object]
    made_at: Moment
    account_check: Sha256 | None = Field(
        default=None, description="Checksum of the account check under which it was made; null: none"
    )


class PlanLead(EvidenceRecord):
    """A lead of a plan, and what tells its records, per kind."""

    prospect_id: str
    activities: list[str] = Field(default_factory=list)
    tasks: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    audits: list[str] = Field(default_factory=list)
    tasks_of_unknown_type: list[str] = Field(default_factory=list)
    last_modified: str | None = Field(
        default=None,
        description="The lead's LeadLastModifiedOn, read before its records; where a reset may rely on it",
    )


class PlanPreview(EvidenceRecord):
    """The last but one line of a plan: what the preview's output says."""

    preview: dict[str, object]
    finished_at: Moment


class PlanEnd(EvidenceRecord):
    """The last line of a plan."""

    end: Literal[True]
    leads: int
    counts: dict[str, int]
    digest: Sha256
