"""Which date of a record FromDate and ToDate compare with: inferred, until the account check has found it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.text import listed

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings, Found

CREATED_ON = "CreatedOn"

_FINDINGS = {"activities": "activity_date", "tasks": "task_date", "notes": "note_date"}
"""Under what the account check keeps a kind's date."""

ACTIVITY_CODES = "activity_codes"
"""Under what the account check keeps the event codes that the date of activities was found of: "201, 202"."""

_AUDIT_FINDINGS = {"StageChange": "stage_audits_reset", "OwnerChange": "owner_audits_reset"}
AUDIT_GOES = "goes"
"""Found where an audit went by a reset of the very seconds of its CreatedOn."""


@dataclass(frozen=True, slots=True)
class DecidingDates:
    """The date that decides, for each kind of records.

    :param found: those that the account check found, by kind; audits by their name. Of the others it is inferred that
        CreatedOn decides.
    :param checked_on: the day of the check, UTC; None without one.
    :param codes: the event codes that the date of activities was found of: others are counted by it too, as the
        likeliest, and it is told as inferred of them. None where the check does not tell them.
    """

    found: tuple[tuple[str, str], ...] = ()
    checked_on: date | None = None
    codes: frozenset[int] | None = None

    def of(self, kind: str) -> str:
        """Return the name of the date of a kind of records, as rows call it."""
        return dict(self.found).get(kind, CREATED_ON)

    def were_found(self, kinds: Iterable[str], selectors: Selectors) -> bool:
        """Return whether the check found them for all of some kinds; of activities, of each event code asked for."""
        found = {kind for kind, _ in self.found}
        if self._unasked(selectors):
            found.discard("activities")
        return found >= set(kinds)

    def _unasked(self, selectors: Selectors) -> list[int]:
        """Return the event codes that the check did not ask about, as far as it tells."""
        return [] if self.codes is None else [c for c in selectors.activity_event_list if c not in self.codes]

    def _inferred_from(self, selectors: Selectors) -> str:
        codes = self._unasked(selectors)
        events = f"event{'' if len(codes) == 1 else 's'} {listed(codes)}"
        return f"inferred from other event codes: the account check of {self.checked_on} did not ask about {events}"

    def _by_date(self, kinds: Iterable[str]) -> dict[str, list[str]]:
        """Return the kinds of each date, as people are told of them."""
        by_date: dict[str, list[str]] = {}
        found = dict(self.found)
        for kind in kinds:
            part = kind == "activities" and kind in found and self.codes is None
            told = f"{kind} (of the event codes it asked about)" if part else kind
            by_date.setdefault(self.of(kind), []).append(told)
        return by_date

    def verb(self, selectors: Selectors) -> str:
        """Return what records in the window were: ``created``, or ``dated`` where another date decides."""
        return "created" if all(self.of(kind) == CREATED_ON for kind in kinds_of(selectors)) else "dated"

    def _by_source(self, selectors: Selectors) -> tuple[list[str], list[str], list[str]]:
        """Return the kinds whose date was found, those whose was found of others alone, and those of no finding."""
        kinds, known = kinds_of(selectors), {kind for kind, _ in self.found}
        found = [kind for kind in kinds if self.were_found([kind], selectors)]
        guessed = [kind for kind in kinds if kind in known and kind not in found]
        return found, guessed, [kind for kind in kinds if kind not in known]

    def of_each(self, selectors: Selectors) -> str:
        """Return the date of each kind, and how that is known, in a few words."""
        found, guessed, inferred = self._by_source(selectors)
        by_source = {
            f"found on this account on {self.checked_on}": found,
            self._inferred_from(selectors): guessed,
            "inferred, not documented": inferred,
        }
        told = []
        for source, of_source in by_source.items():
            named = [f"{date} of {', '.join(kinds)}" for date, kinds in self._by_date(of_source).items()]
            told += [f"{'; '.join(named)} ({source})"] if named else []
        return "; ".join(told)

    def describe(self, selectors: Selectors) -> str:
        """Return by which dates records are counted, and how that is known."""
        found, guessed, inferred = self._by_source(selectors)
        if not found and not guessed:
            return (
                "Counted by when they were created. LeadSquared does not document which date it compares with the "
                "window; that it is this one is inferred."
            )
        sources = (
            (found, f"was found on this account on {self.checked_on}"),
            (guessed, f"is {self._inferred_from(selectors)}"),
        )
        told = []
        for kinds, source in sources:
            by_date = self._by_date(kinds).items()
            counted = ", ".join(f"{', '.join(kinds)} by {name}" for name, kinds in by_date)
            told += (
                [f"Counted: {counted}. That LeadSquared compares the window with that date {source}."]
                if kinds
                else []
            )
        text = " ".join(told)
        if inferred:
            text += f" For {', '.join(inferred)} it is inferred that it compares the date of creation."
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
    codes = findings.found.get(ACTIVITY_CODES)
    return DecidingDates(tuple(found.items()), findings.checked_on, None if codes is None else _codes(codes))


def _codes(told: Found) -> frozenset[int]:
    return frozenset(
        int(one) for one in str(told).replace(",", " ").split() if one.isascii() and one.isdecimal()
    )
