"""Values that no text rendered by a template can equal: members of enums, which Airflow serializes stably."""

from __future__ import annotations

from enum import Enum


class EntireHistory(Enum):
    """The type of :data:`ENTIRE_HISTORY`. An enum, so that no text rendered by a template can equal it."""

    ENTIRE_HISTORY = "entire history"

    def __repr__(self) -> str:
        return self.name


ENTIRE_HISTORY = EntireHistory.ENTIRE_HISTORY
"""As ``window``: from 2000-01-01 00:00:00 UTC up to when the DAG run was due.

LeadSquared's own form for this, a request without dates, is never sent: it would also delete what was
created after the run began, and is one lost value away from any other request.
"""


class NotGiven(Enum):
    """The type of :data:`NOT_GIVEN`."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return self.name


NOT_GIVEN = NotGiven.NOT_GIVEN
"""The default of an argument for which None is not the same as leaving it out."""
