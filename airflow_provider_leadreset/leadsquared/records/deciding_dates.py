"""Which date of a record FromDate and ToDate compare with: inferred, until the account check has found it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings

CREATED_ON = "CreatedOn"

_FINDINGS = {"activities": "activity_date", "tasks": "task_date", "notes": "note_date"}
"""Under what the account check keeps a kind's date."""

_AUDIT_FINDINGS = {"StageChange": "stage_audits_reset", "OwnerChange": "owner_audits_reset"}
AUDIT_GOES = "goes"
"""Found where an audit went by a reset of the very seconds of its CreatedOn."""


@dataclass(frozen=True, slots=True)
class DecidingDates:
    """The date that decides, for each kind of records.

    :param found: those that the account check found, by kind; audits by their name. Of the others it is inferred that
        CreatedOn decides.
    :param checked_on: the day of the check, UTC; None without one.
    """

    found: tuple[tuple[str, str], ...] = ()
    checked_on: date | None = None

    def of(self, kind: str) -> str:
        """Return the name of the date of a kind of records, as rows call it."""
        return dict(self.found).get(kind, CREATED_ON)

    def were_found(self, kinds: Iterable[str]) -> bool:
        """Return whether the check found them for all of some kinds."""
        return {kind for kind, _ in self.found} >= set(kinds)

    def verb(self, selectors: Selectors) -> str:
        """Return what records in the window were: ``created``, or ``dated`` where another date decides."""
        return "created" if all(self.of(kind) == CREATED_ON for kind in kinds_of(selectors)) else "dated"

    def of_each(self, selectors: Selectors) -> str:
        """Return the date of each kind, and how that is known, in a few words."""
        kinds = kinds_of(selectors)
        by_source = {
            f"found on this account on {self.checked_on}": [one for one in kinds if self.were_found([one])],
            "inferred, not documented": [one for one in kinds if not self.were_found([one])],
        }
        told = []
        for source, of_source in by_source.items():
            by_date: dict[str, list[str]] = {}
            for kind in of_source:
                by_date.setdefault(self.of(kind), []).append(kind)
            named = [f"{date} of {', '.join(kinds)}" for date, kinds in by_date.items()]
            told += [f"{'; '.join(named)} ({source})"] if named else []
        return "; ".join(told)

    def describe(self, selectors: Selectors) -> str:
        """Return by which dates records are counted, and how that is known."""
        kinds = kinds_of(selectors)
        found = [kind for kind in kinds if self.were_found([kind])]
        inferred = [kind for kind in kinds if kind not in found]
        if not found:
            return "Counted by creation; that LeadSquared compares the window with that is inferred, not documented."
        by_date: dict[str, list[str]] = {}
        for kind in found:
            by_date.setdefault(self.of(kind), []).append(kind)
        listed = ", ".join(f"{', '.join(kinds)} by {name}" for name, kinds in by_date.items())
        text = (
            f"Counted: {listed}; that LeadSquared compares the window with that was found on this account on "
            f"{self.checked_on}."
        )
        if inferred:
            text += f" Of {', '.join(inferred)} it is inferred that it compares with their creation."
        return text


INFERRED = DecidingDates()


def kinds_of(selectors: Selectors) -> list[str]:
    """Return the kinds of records that are asked for; audits by their name."""
    kinds = [
        ("activities", bool(selectors.activity_event_list)),
        ("tasks", bool(selectors.task_type_list)),
        ("notes", selectors.should_delete_prospect_notes),
    ]
    return [*(kind for kind, asked in kinds if asked), *selectors.audit_activity_list]


def deciding_dates(findings: AccountFindings | None) -> DecidingDates:
    """Return the dates that the account check found to decide.

    :param findings: of this account; None for none.
    """
    if findings is None:
        return INFERRED
    found = {kind: str(findings.found[name]) for kind, name in _FINDINGS.items() if findings.found.get(name)}
    for audit, name in _AUDIT_FINDINGS.items():
        if findings.found.get(name) == AUDIT_GOES:
            found[audit] = CREATED_ON
    return DecidingDates(tuple(found.items()), findings.checked_on)
