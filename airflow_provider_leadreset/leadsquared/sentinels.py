"""Values that no text rendered by a template can equal: members of enums, which Airflow serializes stably."""

from __future__ import annotations

from enum import Enum


class EntireHistory(Enum):
    """As a window: from 2000-01-01 00:00:00 UTC up to the DAG run's moment.

    Its one member is :data:`ENTIRE_HISTORY`; no text rendered by a template can equal it.
    """

    ENTIRE_HISTORY = "entire history"

    def __repr__(self) -> str:
        return self.name


ENTIRE_HISTORY = EntireHistory.ENTIRE_HISTORY
"""As ``window``: from 2000-01-01 00:00:00 UTC up to the DAG run's moment.

LeadSquared's own form for this, a request without dates, is never sent: it would also delete what was
created after the run began, and is one lost value away from any other request.
"""


class NotGiven(Enum):
    """The type of :data:`NOT_GIVEN`."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        # What Airflow shows under Rendered Templates.
        return self.value


NOT_GIVEN = NotGiven.NOT_GIVEN
"""The default of an argument that guards or narrows. None is not the same as leaving it out: it is what a task gives
that was skipped, and so is refused."""


def describe_none(*names: str) -> str:
    """Return what is wrong with arguments that are None, and what to do."""
    them = "it" if len(names) == 1 else "them"
    return (
        f"{' and '.join(names)} came to None: leave {them} out if you do not want {them}; a task gives None when it "
        f"was skipped or returned nothing, and default_args may hold {them}"
    )
