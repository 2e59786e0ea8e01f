"""Records of what a task writes while it works: typed, versioned, written and read in one place.

Every file says ``schema_version``: in its first object, or in each. A reader that meets another version says so, and
takes nothing from it. JSON Schemas of all of them are in ``docs/schemas/``.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

SCHEMA_VERSION = 1
"""Version of all records but a plan's, which has its own. It goes up with every change of a field."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, Field(description="ISO 8601, UTC")]
OutcomeName = Literal[
    "queued", "failed", "unknown", "unanswered", "nothing_to_reset", "excluded", "not_reached"
]


class VersionError(Exception):
    """A record is of another version than this package knows."""


class EvidenceRecord(BaseModel):
    """What all records have in common: nothing in them that is not named, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_line(self) -> bytes:
        """Return it as one line of JSON, in ASCII: a text may hold half of an emoji, which no encoding takes."""
        return (json.dumps(self.model_dump()) + "\n").encode()

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the record that a JSON object is.

        :raises VersionError: it is of another version.
        :raises InputError: it is no such record.
        """
        if "schema_version" in cls.model_fields:
            check_version(value)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise InputError(_told(error, cls.__name__)) from None


class FileDigest(EvidenceRecord):
    """A file of the same folder, and what it held."""

    name: str
    sha256: Sha256


class KeysUser(EvidenceRecord):
    """Whose keys were used, as LeadSquared says."""

    name: str | None = None
    mail: str | None = None


class EvidenceAccount(EvidenceRecord):
    """The account: its API host, its own code and name where LeadSquared says them."""

    host: str
    code: str | int | None = None
    name: str | None = None


class SentDates(EvidenceRecord):
    """The window as it is sent, in UTC, both ends included."""

    FromDate: str
    ToDate: str


class PlanReference(EvidenceRecord):
    """The plan that a reset goes by."""

    path: str
    digest: Sha256


class Trigger(EvidenceRecord):
    """What started the run, as far as Airflow tells: a person, a schedule, an asset."""

    run_type: str | None = None
    user: str | None = None


class Code(EvidenceRecord):
    """Which version of the DAG ran."""

    dag_version: str | None = None
    bundle: str | None = None
    bundle_version: str | None = None


class Versions(EvidenceRecord):
    """What ran it."""

    package: str
    airflow: str
    python: str
    time_zones: str | None = None


class EarlierTry(EvidenceRecord):
    """A try whose files were read to know what is done, and what those files held."""

    try_number: int
    files: list[FileDigest] = Field(
        description="Its request, the last part that was read, and its summary: each part tells the one before"
    )


class Request(EvidenceRecord):
    """What a reset was asked for: the first file of a try, written before its first reset (``…-request.json``)."""

    schema_version: Literal[1] = 1
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    generation: str = Field(description="Changes with a Clear, not with a retry")
    request_digest: str = Field(description="Equal for what asks for the same")
    asked_at: Moment
    account: EvidenceAccount
    keys_user: KeysUser
    leads: int
    leads_path: str | None = Field(default=None, description="The members of a list, as they were read")
    selectors: dict[str, object]
    window: str
    sent: SentDates
    plan: PlanReference | None = None
    excluded: int = Field(default=0, description="Leads that are not to be reset")
    archive: bool = False
    reason: str | None = None
    rules: dict[str, object] = Field(default_factory=dict, description="What the account's owner demands")
    account_check: dict[str, object] | None = Field(
        default=None, description="What the account check in force had found; null: none was used"
    )
    skip_unmodified: bool = Field(
        default=False, description="Whether leads that were not modified are left out"
    )
    approval: object = None
    approver_is_trigger: bool | None = Field(
        default=None,
        description="Whether who approved also started the run, by the names, ids and e-mail addresses that are "
        "known of them; null: not known",
    )
    shown: FileDigest | None = Field(default=None, description="The text that was shown to who approved")
    trigger: Trigger = Trigger()
    code: Code = Code()
    versions: Versions
    continues: list[EarlierTry] = Field(default_factory=list)

    @property
    def identity(self) -> list[str | int]:
        """The task that it is of: ids of its DAG, run and task, and its map index."""
        return [self.dag_id, self.run_id, self.task_id, self.map_index]


class JournalHead(EvidenceRecord):
    """The first line of a part of the journal (``…-00001.jsonl``): its number, and the file before it."""

    line: Literal["head"] = "head"
    schema_version: Literal[1] = 1
    part: int
    lines: int = Field(description="How many follow: a part that was cut has fewer")
    previous: FileDigest


class NamedLine(EvidenceRecord):
    """Leads that may be called from now on: no lead is called before the part that names it is closed."""

    line: Literal["named"] = "named"
    leads: list[tuple[int, str]] = Field(description="Place among the leads asked for, from 0, and id")


class CallLine(EvidenceRecord):
    """A reset that was sent, and what came back."""

    line: Literal["call"] = "call"
    prospect_id: str
    sent_at: Moment
    seconds: float
    answer: str = Field(description='"queued", or the error')
    status: int | None = Field(description="HTTP")


class OutcomeLine(EvidenceRecord):
    """What became of a lead in this try. A lead that is named and has none is unanswered."""

    line: Literal["outcome"] = "outcome"
    index: int
    prospect_id: str
    outcome: OutcomeName
    reason: str = ""
    final: bool = Field(
        description="Whether a retry leaves the lead alone; one that was not modified is looked at anew all the same"
    )


class ArchivedLine(EvidenceRecord):
    """A closed part of the archive, in the folder of the same path below ``archive/``."""

    line: Literal["archived"] = "archived"
    file: FileDigest
    leads: int
    records: int


class ContradictionLine(EvidenceRecord):
    """A lead that was not modified since the window began, by the account check, and has a record in it all the same.

    From here on no lead of the run is left out.
    """

    line: Literal["contradiction"] = "contradiction"
    prospect_id: str
    kind: str
    record: str
    created_on: Moment
    last_modified: str = Field(description="The lead's LeadLastModifiedOn, as it was given")


Line = NamedLine | CallLine | OutcomeLine | ArchivedLine | ContradictionLine
JournalLine = Annotated[Line, Field(discriminator="line")]

_LINES: TypeAdapter[Line] = TypeAdapter(JournalLine)


def parse_journal_line(value: object) -> Line:
    """Return the record that a line of the journal, but its head, is.

    :raises InputError: it is none.
    """
    try:
        return _LINES.validate_python(value)
    except ValidationError as error:
        raise InputError(_told(error, "line of a journal")) from None


def check_version(value: object) -> None:
    """Refuse a record of a version that is not known.

    :raises VersionError: it is of another.
    :raises InputError: it says none.
    """
    if not isinstance(value, dict) or "schema_version" not in value:
        raise InputError(f"it is {quoted(value)}, which says no schema_version")
    version = value["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise VersionError(
            f"it is of schema version {quoted(version)}, and this package knows {SCHEMA_VERSION} alone"
        )


def _told(error: ValidationError, what: str) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:100]
    return f"it is no {what}: {place or 'it'}: {first['msg'][:200]}, not {quoted(first['input'])}"
