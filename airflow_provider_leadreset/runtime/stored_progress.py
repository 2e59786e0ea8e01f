"""What :class:`.Checkpoint` keeps in Airflow's store, read again: all of it checked, or refused as a whole.

Nothing of it is guessed. A try that began anew in its place would call leads that an earlier one was told to spare.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    ValidationError,
)

from airflow_provider_leadreset.leadsquared.batch.outcomes import OutcomeKind
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import is_guid
from airflow_provider_leadreset.leadsquared.text import scrubbed


def _in_order(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    bounds = [bound for span in spans for bound in span]
    if bounds != sorted(set(bounds)) or (bounds and bounds[0] < 0):
        raise ValueError("spans must be in order, and apart")
    return spans


def _lead_id(text: str) -> str:
    if not is_guid(text):
        raise ValueError("must be a lead id")
    return text


Spans = Annotated[list[tuple[int, int]], AfterValidator(_in_order)]
"""Places of leads among those asked for, as :meth:`.IndexSet.spans` gives them."""

LeadId = Annotated[str, AfterValidator(_lead_id)]


class _Stored(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class StoredFailure(_Stored):
    """A lead of an earlier request that failed, is unknown or unanswered."""

    prospect_id: LeadId
    outcome: OutcomeKind
    error: str


class StoredEarlierRequests(_Stored):
    """What :meth:`.EarlierRequests.as_json` gave."""

    leads: NonNegativeInt
    queued: NonNegativeInt
    failed: NonNegativeInt
    unknown: NonNegativeInt
    unanswered: NonNegativeInt
    nothing_to_reset: NonNegativeInt
    excluded: NonNegativeInt
    not_reached: NonNegativeInt
    failures: list[StoredFailure]
    doubts: dict[str, list[LeadId]]
    doubts_without_id: NonNegativeInt


class StoredProgress(_Stored):
    """What a try of a task keeps for the next one."""

    version: Literal[1]
    request: str
    """The :func:`.fingerprint` of what was asked for."""
    reset: str
    """The :func:`.reset_fingerprint` of what was to be deleted."""
    leads: NonNegativeInt
    others: list[str]
    """The fingerprints of what tries before it were asked for otherwise."""
    queued: Spans
    failed: Spans
    unknown: Spans
    excluded: Spans
    without_records: Spans
    already_gone: Spans
    unanswered: Spans
    spared: Spans
    failures: list[tuple[NonNegativeInt, LeadId, OutcomeKind, str]]
    contradicted: str
    earlier_requests: StoredEarlierRequests | None


def _with_known_places(stored: StoredProgress) -> StoredProgress:
    """Return it; raise ValueError where a lead is named beyond the last one."""
    sets = (
        stored.queued,
        stored.failed,
        stored.unknown,
        stored.excluded,
        stored.without_records,
        stored.already_gone,
        stored.unanswered,
        stored.spared,
    )
    ends = [end for spans in sets for _, end in spans]
    last = max([*ends, *(failure[0] + 1 for failure in stored.failures)], default=0)
    if last > stored.leads:
        raise ValueError(f"there is no lead {last} of {stored.leads}")
    return stored


def parse_stored(value: object) -> StoredProgress | None:
    """Return what an earlier try stored; None for nothing.

    :raises InputError: it cannot be read.
    """
    if value is None:
        return None
    try:
        return _with_known_places(StoredProgress.model_validate_json(json.dumps(value)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"{where}: {first['msg']}" if where else first["msg"]
    except (TypeError, ValueError, RecursionError) as error:
        what = str(error)
    raise InputError(
        f"what an earlier try stored cannot be read ({scrubbed(what, 200)}): clear the task to start anew"
    )
