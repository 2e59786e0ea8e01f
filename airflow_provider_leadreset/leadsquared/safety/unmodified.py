"""Which leads can have no record in a window, since they were not modified since it began: only ever a saving.

A lead is left out only if its own id came back with a LeadLastModifiedOn that can be believed and lies more than 15
minutes before the window, the window has ended long enough before it was read, and the account check found, of each
kind of records asked for, that its creation moves that date and that CreatedOn decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.api.account_findings import PATIENCE, AccountFindings, Found
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.records.deciding_dates import CREATED_ON, deciding_dates, kinds_of
from airflow_provider_leadreset.leadsquared.records.leads_by_id import LEAD_PAGE
from airflow_provider_leadreset.leadsquared.records.records import LeadRecords
from airflow_provider_leadreset.leadsquared.text import listed, presentable, quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.records.last_modified import LastModified
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window

MARGIN = timedelta(minutes=15)
"""Before the window's start a lead must have been modified last, and after its end the date be read, at least."""

LAGS = 3
"""Times the lag that the account check saw, the date is read after the window's end, if that is longer."""

MOST_AGE = timedelta(days=90)
"""An older account check does not allow to leave leads out: accounts change."""

SPOT_CHECKS = 50
"""So many of the leads that would be left out are read, at random."""

MOST_TOLD = 100
"""Characters of what tells a record, and of a date, that are told: both are LeadSquared's texts."""

_MOVERS = {
    "tasks": ("a new task", "task"),
    "notes": ("a new note", "note"),
    "StageChange": ("a change of the stage", "stage"),
    "OwnerChange": ("a change of the owner", "owner"),
}
"""What creates a record of a kind, for people, and as the account check calls it."""
_ALONE = {"127.0.0.1", "localhost"}

HOW_TO_FIND_OUT = (
    "Check the account, which takes some two hours, and 12 minutes more for each further event code (python -m "
    "airflow_provider_leadreset.check_account, or the example DAG example_check_account); name each event code of the "
    "task (activity_event), up to 20: of more, divide the task; put what it prints "
    "into the connection's Extra as account_check; docs/check-your-account.md tells how. Or leave skip_unmodified out"
)


def why_not_allowed(
    findings: AccountFindings | None, selectors: Selectors, *, host: str, today: date
) -> str | None:
    """Return why the account check does not allow to leave unmodified leads out; None where it does.

    :param findings: of this account; None for none.
    :param host: the account's: with less patience than an account needs, a check counts on an emulator only.
    :param today: the present day, UTC.
    """
    if findings is None:
        return "the connection has no account_check that is of this account"
    check = f"the account check of {findings.checked_on}"
    if findings.age(today) > MOST_AGE:
        return f"{check} is more than {MOST_AGE.days} days old"
    if findings.patience < PATIENCE and host.partition(":")[0] not in _ALONE:
        return f"{check} was made with a patience of {findings.patience:g} s, which is for an emulator alone"
    found, dates = findings.found, deciding_dates(findings)
    if found.get("last_modified_zone") != "UTC":
        return f"{check} did not find that LeadLastModifiedOn is written in UTC{_said(found, 'last_modified_zone')}"
    if _lag(findings) is None:
        return f"{check} did not find how soon a move of LeadLastModifiedOn can be read"
    # All at once: a check takes hours.
    missing = [
        f"that {what} moves LeadLastModifiedOn{_said(found, f'last_modified_{mover}')}"
        for what, mover in _movers(selectors)
        if found.get(f"last_modified_{mover}") != "moves"
    ]
    if missing:
        return f"{check} did not find {listed(missing, ', nor ')}"
    for kind in kinds_of(selectors):
        if not dates.were_found([kind], selectors) or dates.of(kind) != CREATED_ON:
            told = f" (it found {dates.of(kind)})" if dates.were_found([kind], selectors) else ""
            if not told and kind == "activities":
                # A code that is no business of this task may have had another date, or none.
                told = " (told only where it is one for all event codes of the check: ask about this task's alone)"
            return f"{check} did not find that CreatedOn decides which {kind} go{told}"
    return None


def _movers(selectors: Selectors) -> Iterator[tuple[str, str]]:
    """Yield what creates the records that are asked for, for people and as the check calls it."""
    for code in selectors.activity_event_list:
        yield f"a new activity of event {code}", f"activity_{code}"
    for kind in kinds_of(selectors):
        if kind in _MOVERS:
            yield _MOVERS[kind]


def _said(found: Mapping[str, Found], name: str) -> str:
    return f" (it found {quoted(found[name])})" if name in found else ""


def _lag(findings: AccountFindings) -> float | None:
    lag = findings.found.get("last_modified_lag")
    return lag if isinstance(lag, int | float) and not isinstance(lag, bool) and 0 <= lag < 10**6 else None


def settling_time(findings: AccountFindings) -> timedelta:
    """Return how long after something was done it can be relied on that the date tells of it."""
    return max(MARGIN, LAGS * timedelta(seconds=_lag(findings) or 0.0))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A lead that would have been left out, and has a record in the window all the same.

    :param kind: of the record.
    :param record: what tells it from others of its kind, as it can be shown.
    :param created_on: when the record was created; ISO 8601, UTC.
    :param last_modified: the lead's LeadLastModifiedOn, as it was given and can be shown.
    """

    prospect_id: str
    kind: str
    record: str
    created_on: str
    last_modified: str

    def describe(self) -> str:
        """Return it as text."""
        return (
            f"lead {self.prospect_id} was last modified at {self.last_modified} by its LeadLastModifiedOn, and has the "
            f"record {self.kind} {self.record}, created at {self.created_on}"
        )


def contradiction_of(
    lead: str, value: LastModified, found: LeadRecords, redact: Callable[[str], str]
) -> Contradiction | None:
    """Return what contradicts that a lead can be left out; None for nothing.

    :param redact: strikes the keys out.
    """
    for record in found.records:
        key, modified = (presentable(text, redact, MOST_TOLD) for text in (record.key, value.text))
        return Contradiction(lead, record.kind, key, record.created_on.isoformat(), modified)
    return None


@dataclass
class UnmodifiedLeads:
    """The leads that may be left out, by their places, and some of them, each as likely as any other.

    :param window: of the reset.
    :param chance: which of them are read.
    :param looked_up: how many leads were looked up.
    :param read: how many of the sample were read.
    """

    window: Window
    chance: random.Random
    places: IndexSet = field(default_factory=IndexSet)
    sample: list[tuple[int, str, LastModified]] = field(default_factory=list)
    looked_up: int = 0
    read: int = 0

    def add(self, index: int, lead: str, value: LastModified | None) -> None:
        """Add a lead if it was not modified since the window began."""
        self.looked_up += 1
        if value is None or value.moment >= self.window.start - MARGIN:
            return
        self.places.add(index)
        one = (index, lead, value)
        if len(self.sample) < SPOT_CHECKS:
            self.sample.append(one)
        elif (place := self.chance.randrange(len(self.places))) < SPOT_CHECKS:
            self.sample[place] = one


def has_settled(window: Window, findings: AccountFindings, now: datetime) -> bool:
    """Return whether the window ended so long ago that the date tells of all that was created in it.

    :param now: the present moment, before the date is read.
    """
    return window.end + settling_time(findings) <= now


def in_calls(leads: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Part leads into as many as one call tells of."""
    source = iter(leads)
    while chunk := list(islice(source, LEAD_PAGE)):
        yield chunk
