"""A preview in words: a table for a log, and Markdown for whoever approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from airflow_provider_leadreset.leadsquared.records.records import CUSTOM_EVENTS_FROM
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.safety.preview import RecordCounts
from airflow_provider_leadreset.leadsquared.text import pluralize, scrubbed

MOST_SHOWN = 20
"""How many leads the Markdown shows one by one."""

CREATED_ON = (
    "Counted by creation; that LeadSquared compares the window with that is inferred, not documented."
)


@dataclass(frozen=True)
class TypeNames:
    """The account's names for event codes and task types.

    :param in_markdown: a name becomes no Markdown of its own, and what is unknown stands out.
    """

    activities: dict[int, str]
    tasks: dict[str, str]
    in_markdown: bool = False

    def activity(self, code: int) -> str:
        """Name an event code; say so when the account does not know it."""
        if code < CUSTOM_EVENTS_FROM:
            return f"event {code} (a system activity, never deleted)"
        name = self.activities.get(code)
        if name is None:
            return self._unknown(f"event {code}")
        return f"{self._known(name)} ({code})"

    def task(self, kind: str) -> str:
        """Name a task type; say so when the account does not know it, or when it could not be found out."""
        if not kind:
            return "tasks whose type could not be found out, counted as matching"
        name = {key.lower(): value for key, value in self.tasks.items()}.get(kind.lower())
        if name is None:
            return self._unknown(f"type {kind}")
        return f"{self._known(name)} ({kind})"

    def _known(self, name: str) -> str:
        printable = scrubbed(str(name))
        if self.in_markdown:
            printable = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&~" else sign for sign in printable)
        return printable or "unnamed"

    def _unknown(self, what: str) -> str:
        return f"{what}, {'**unknown to the account**' if self.in_markdown else 'unknown to the account'}"


def markdown(
    counts: RecordCounts, selectors: Selectors, window: Window, names: TypeNames, account: str
) -> str:
    """Return a preview for people."""
    names = replace(names, in_markdown=True)
    also = ""
    if selectors.audit_activity_list:
        known = counts.leads - len(counts.unknown)
        also = f", and audits of {pluralize(known, 'lead')}, which cannot be counted"
    lines = [
        f"### {pluralize(counts.count, 'record')} of {pluralize(counts.with_records, 'lead')} would be deleted{also}",
        "",
        f"Asked for: {pluralize(counts.leads, 'lead')} at {account}. Records created {window.describe()}.",
        "",
        "**A reset cannot be undone.**",
        "",
        "| kind | type | records |",
        "|---|---|---:|",
        *(f"| {kind} | {name} | {count} |" for kind, name, count in _rows(counts, selectors, names)),
    ]
    if selectors.audit_activity_list:
        lines.append(f"| audits | {', '.join(selectors.audit_activity_list)} | **cannot be counted** |")
    lines += ["", "| kind | records | oldest | newest |", "|---|---:|---|---|"]
    lines += [
        f"| {kind} | {kind_count.count} | {_day(kind_count.oldest)} | {_day(kind_count.newest)} |"
        for kind, kind_count in counts.kinds.items()
    ]
    if counts.listed:
        lines += ["", "| lead | activities | tasks | notes |", "|---|---:|---:|---:|"]
        for lead in counts.listed[:MOST_SHOWN]:
            numbers = " | ".join(str(kind_count.count) for kind_count in lead.kinds.values())
            lines.append(f"| {lead.prospect_id} | {numbers} |")
        if counts.with_records > MOST_SHOWN:
            lines.append(
                f"\n… and {pluralize(counts.with_records - MOST_SHOWN, 'lead')} more, with fewer records each."
            )
    if counts.unknown:
        shown = ", ".join(counts.unknown[:MOST_SHOWN])
        more = f" and {len(counts.unknown) - MOST_SHOWN} more" if len(counts.unknown) > MOST_SHOWN else ""
        lines += [
            "",
            f"**Unknown to the account: {pluralize(len(counts.unknown), 'lead')}**, not reset: {shown}{more}.",
        ]
    if selectors.audit_activity_list:
        lines += [
            "",
            "Audits can be neither counted nor copied nor verified gone: LeadSquared has no call that reads them.",
        ]
    return "\n".join([*lines, "", CREATED_ON])


def log_table(counts: RecordCounts, selectors: Selectors, names: TypeNames) -> str:
    """Return a preview for a log."""
    rows: list[Sequence[object]] = [("lead", "activities", "tasks", "notes", "oldest (UTC)", "newest (UTC)")]
    for lead in counts.listed:
        kinds = lead.kinds.values()
        oldest = min((kind_count.oldest for kind_count in kinds if kind_count.oldest), default=None)
        newest = max((kind_count.newest for kind_count in kinds if kind_count.newest), default=None)
        rows.append(
            (lead.prospect_id, *(kind_count.count for kind_count in kinds), _moment(oldest), _moment(newest))
        )
    rows.append(("all", *(kind_count.count for kind_count in counts.kinds.values()), "", ""))
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    notes = [f"{kind}: {count}  {name}".rstrip() for kind, name, count in _rows(counts, selectors, names)]
    notes.append(CREATED_ON)
    if counts.with_records > len(counts.listed):
        notes.insert(0, f"(the {len(counts.listed)} leads with most records, of {counts.with_records})")
    if counts.unknown:
        shown = ", ".join(counts.unknown[:MOST_SHOWN])
        notes.append(f"Unknown to the account: {pluralize(len(counts.unknown), 'lead')}: {shown}")
    if selectors.audit_activity_list:
        notes.append(f"{', '.join(selectors.audit_activity_list)} audits cannot be counted.")
    return "\n".join(["What a reset would delete:", *table, *notes])


def _rows(counts: RecordCounts, selectors: Selectors, names: TypeNames) -> list[tuple[str, str, int]]:
    rows = [
        ("activities", names.activity(code), counts.types["activities", str(code)])
        for code in selectors.activity_event_list
    ]
    kinds = [kind.lower() for kind in selectors.task_type_list]
    rows += [("tasks", names.task(kind), counts.types["tasks", kind]) for kind in dict.fromkeys(kinds)]
    if counts.types["tasks", ""]:
        rows.append(("tasks", names.task(""), counts.types["tasks", ""]))
    if selectors.should_delete_prospect_notes:
        rows.append(("notes", "", counts.types["notes", ""]))
    return rows


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
