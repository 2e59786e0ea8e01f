"""What became of each lead of a batch: exactly one outcome, and they add up to the leads asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    LeadRejectedError,
    LeadSquaredError,
    OverdueError,
    OvertakenError,
    ThrottledError,
    UnavailableError,
    UnknownLeadsError,
)
from airflow_provider_leadreset.leadsquared.text import LATER, scrubbed

OutcomeKind = Literal[
    "queued", "failed", "unknown", "unanswered", "nothing_to_reset", "excluded", "not_reached"
]
OUTCOMES: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
"""Every lead ends in exactly one of these; see :attr:`Outcome.kind`."""

WithoutCall = Literal["without_records", "already_gone", "not_modified", "excluded"]
"""Why a lead needed no call."""

NOTHING_KINDS: tuple[WithoutCall, ...] = ("without_records", "already_gone", "not_modified")
"""The ways in which there is nothing to reset."""

MOST_REASON = 500
"""Characters of a reason that are kept."""

_NOT_SENT = (AccessError, ClosedError, OverdueError, OvertakenError, ThrottledError, UnavailableError)
"""Errors that say nothing of the lead, and after which nothing was carried out unless ``in_doubt`` says so."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one lead.

    :param index: the lead's place among those asked for, from 0.
    :param error: what came in place of "queued"; None if nothing did.
    :param without_call: why no call was needed; None if one was.
    """

    index: int
    prospect_id: str
    error: LeadSquaredError | None = None
    without_call: WithoutCall | None = None

    @property
    def kind(self) -> OutcomeKind:
        """Which outcome it is.

        ``queued``: LeadSquared said so. ``failed``: refused, or not reset because of what its records are.
        ``unknown``: the account says that it has no such lead. ``unanswered``: a reset was sent, and LeadSquared's own
        answer did not come, so it may have been carried out. ``nothing_to_reset``, ``excluded``: no call was needed.
        ``not_reached``: no call was sent, or none that LeadSquared let in.
        """
        if self.without_call is not None:
            return "excluded" if self.without_call == "excluded" else "nothing_to_reset"
        if self.error is None:
            return "queued"
        if self.error.in_doubt:
            return "unanswered"  # whatever was said of its repetition
        if isinstance(self.error, LeadRejectedError):
            return "unknown" if isinstance(self.error, UnknownLeadsError) else "failed"
        return "not_reached" if isinstance(self.error, _NOT_SENT) else "failed"

    @property
    def final(self) -> bool:
        """Whether another call could not change it."""
        return self.error is None or (isinstance(self.error, LeadRejectedError) and not self.error.in_doubt)

    @property
    def reason(self) -> str:
        """Why, without the lead: equal for two leads that ended alike. Empty for one that is queued."""
        if self.without_call is not None:
            return self.without_call
        if self.error is None:
            return ""
        first, last = self.error.why_in_doubt, self.error.reason
        said = f"{first}{LATER}{last}" if self.error.in_doubt and first not in {"", last} else last
        return scrubbed(said, MOST_REASON)


def without_ids(reason: str) -> str:
    """Return a reason without ids, should LeadSquared name the lead in its message."""
    return _GUID.sub("…", reason)
