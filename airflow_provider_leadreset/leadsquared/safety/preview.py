"""Counting what a reset would delete, per lead and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.batch.worker_pool import Crew
from airflow_provider_leadreset.leadsquared.records.records import (
    KINDS,
    LEAD_PAGE,
    Record,
    known_leads,
    read_records,
)
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes, task_types_of
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window


@dataclass
class Span:
    """How many records, and from when to when (aware datetimes, UTC; None where there are none)."""

    count: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, count: int, oldest: datetime | None, newest: datetime | None) -> None:
        """Add records."""
        self.count += count
        self.oldest = min(filter(None, (self.oldest, oldest)), default=None)
        self.newest = max(filter(None, (self.newest, newest)), default=None)


def _spans() -> dict[str, Span]:
    return {kind: Span() for kind in KINDS}


@dataclass
class LeadSurvey:
    """What a reset of one lead would delete, as far as it can be read.

    :param types: records per kind and type (event code, GUID of a task type, or empty).
    :param ids: ids per kind.
    """

    prospect_id: str
    spans: dict[str, Span] = field(default_factory=_spans)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, record: Record) -> None:
        """Count a record."""
        self.spans[record.kind].add(1, record.created_on, record.created_on)
        self.types[record.kind, record.type] += 1
        self.ids[record.kind].append(record.id)

    @property
    def count(self) -> int:
        """Records of all kinds."""
        return sum(span.count for span in self.spans.values())


@dataclass
class Survey:
    """What the resets of many leads would delete.

    :param leads: leads asked for.
    :param unknown: ids of leads that the account does not have.
    :param task_names: the account's task types, GUID to name, where tasks were asked for.
    :param listed: the surveys, without ids, of the leads with most records; at most :data:`MOST_LISTED`.
    """

    leads: int = 0
    unknown: list[str] = field(default_factory=list)
    spans: dict[str, Span] = field(default_factory=_spans)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    with_records: int = 0
    task_names: dict[str, str] = field(default_factory=dict)
    listed: list[LeadSurvey] = field(default_factory=list)

    def add(self, lead: LeadSurvey) -> None:
        """Add one lead."""
        for kind, span in lead.spans.items():
            self.spans[kind].add(span.count, span.oldest, span.newest)
        self.types.update(lead.types)
        if lead.count:
            self.with_records += 1
            self.listed.append(LeadSurvey(lead.prospect_id, lead.spans, lead.types))
            self.listed.sort(key=lambda one: one.count, reverse=True)
            del self.listed[MOST_LISTED:]

    @property
    def count(self) -> int:
        """Records of all kinds."""
        return sum(span.count for span in self.spans.values())

    def totals(self) -> dict[str, Any]:
        """Give the counts per kind; None for audits, which cannot be counted."""
        return {**{kind: span.count for kind, span in self.spans.items()}, "audits": None}


MOST_LISTED = 50
"""How many leads a preview shows one by one."""


def survey_lead(client: LeadSquaredClient, reset: LeadReset, types: TaskTypes) -> LeadSurvey:
    """Count what one reset would delete. Deletes nothing.

    :raises LeadSquaredError: something could not be read.
    """
    counted = LeadSurvey(reset.prospect_id)
    for record in read_records(client, reset.prospect_id, reset.selectors, reset.window, types):
        counted.add(record)
    return counted


def survey_leads(
    crew: Crew,
    leads: Iterable[str],
    selectors: Selectors,
    window: Window,
    on_lead: Callable[[LeadSurvey], None] | None = None,
) -> Survey:
    """Count what resets of ``leads`` would delete. Deletes nothing.

    Takes a call for each 1,000 leads, and for each lead one for each kind asked for (more where a lead has more than
    1,000 activities or 24 notes); for tasks, two for each owner and type until the types are known, and one for
    the types. The API allows no fewer.

    :param on_lead: told of each lead that the account has, with its records' ids.
    :raises LeadSquaredError: something could not be read: a survey is whole or none.
    """
    survey = Survey()
    types = task_types_of(crew.client, selectors)
    survey.task_names = types.names
    for chunk in _chunks(leads):
        survey.leads += len(chunk)
        known = known_leads(crew.client, chunk)
        survey.unknown.extend(lead for lead in chunk if lead.lower() not in known)

        def count(lead: str) -> LeadSurvey:
            return survey_lead(crew.client, LeadReset(lead, selectors, window), types)

        def done(_lead: str, future: Future[LeadSurvey]) -> None:
            counted = future.result()
            survey.add(counted)
            if on_lead:
                on_lead(counted)

        crew.each((lead for lead in chunk if lead.lower() in known), count, done)
    return survey


def _chunks(leads: Iterable[str]) -> Iterator[list[str]]:
    source = iter(leads)
    while chunk := list(islice(source, LEAD_PAGE)):
        yield chunk
