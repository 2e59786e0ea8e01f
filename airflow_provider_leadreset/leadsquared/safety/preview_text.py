"""A preview in words: a table for a log, and Markdown for whoever approves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.records.catalog import EventCodes
from airflow_provider_leadreset.leadsquared.text import pluralize, scrubbed

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window
    from airflow_provider_leadreset.leadsquared.safety.preview import KindCount, RecordCounts

LONGEST_NAME = 80
"""Characters of a name of the account's that are shown."""

_LINKS = re.compile(r"://|www\.|@", re.IGNORECASE)

MOST_SHOWN = 20
"""How many leads the Markdown shows one by one."""

CREATED_ON = (
    "Counted by creation; that LeadSquared compares the window with that is inferred, not documented."
)
NO_AUDITS_SHOWN = (
    "None of the leads shows any audit of any time, so the account may not show them: they cannot be counted, copied "
    "or verified."
)
AUDITS_SHOWN = (
    "Audits are counted as the activities 3001 and 3002 that show them; a lead that shows none may have some."
)


@dataclass(frozen=True)
class TypeNames:
    """The account's names for event codes and task types.

    :param in_markdown: a name becomes no Markdown of its own, and what is unknown stands out.
    """

    codes: EventCodes = field(default_factory=EventCodes)
    tasks: dict[str, str] = field(default_factory=dict)
    in_markdown: bool = False

    def activity(self, code: int) -> str:
        """Name an event code; say so when the account does not know it."""
        if code in self.codes.system:
            return f"event {code} (a system activity: never deleted, not sent)"
        known = (self.codes.types or {}).get(code)
        if known:
            return f"{self._known(known.name)} ({code})"
        return self._unknown(f"event {code}") if code in self.codes.unknown else f"event {code}"

    def task(self, kind: str) -> str:
        """Name a task type; say so when the account does not know it, or when it could not be found out."""
        if not kind:
            return "tasks whose type could not be found out, counted as matching"
        name = {key.lower(): value for key, value in self.tasks.items()}.get(kind.lower())
        if name is None:
            return self._unknown(f"type {kind}")
        return f"{self._known(name)} ({kind})"

    def _known(self, name: str) -> str:
        printable = scrubbed(str(name), LONGEST_NAME)
        if self.in_markdown:
            # What would become a link or a mention by itself is parted.
            printable = _LINKS.sub(r"\g<0> ", printable)
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
    if counts.audits_cannot_be_counted:
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
    lines += ["", "| kind | records | oldest | newest |", "|---|---:|---|---|"]
    lines += [
        f"| {kind} | {_number(counts, kind, kind_count)} | {_day(kind_count.oldest)} | {_day(kind_count.newest)} |"
        for kind, kind_count in counts.kinds.items()
    ]
    if counts.listed:
        lines += ["", "| lead | activities | tasks | notes | audits |", "|---|---:|---:|---:|---:|"]
        for lead in counts.listed[:MOST_SHOWN]:
            numbers = " | ".join(_number(counts, kind, one) for kind, one in lead.kinds.items())
            lines.append(f"| {lead.prospect_id} | {numbers} |")
        if counts.with_records > MOST_SHOWN:
            more_leads = pluralize(counts.with_records - MOST_SHOWN, "more lead")
            lines.append(f"\n… and {more_leads}, none with more records than these.")
    if counts.unknown:
        shown = ", ".join(counts.unknown[:MOST_SHOWN])
        more = f" and {len(counts.unknown) - MOST_SHOWN} more" if len(counts.unknown) > MOST_SHOWN else ""
        lines += [
            "",
            f"**Unknown to the account: {pluralize(len(counts.unknown), 'lead')}**, not reset: {shown}{more}.",
        ]
    return "\n".join([*lines, "", *_remarks(counts)])


def log_table(counts: RecordCounts, selectors: Selectors, names: TypeNames) -> str:
    """Return a preview for a log."""
    rows: list[Sequence[object]] = [
        ("lead", "activities", "tasks", "notes", "audits", "oldest (UTC)", "newest (UTC)")
    ]
    for lead in counts.listed:
        kinds = lead.kinds.values()
        oldest = min((one.oldest for one in kinds if one.oldest), default=None)
        newest = max((one.newest for one in kinds if one.newest), default=None)
        numbers = [_number(counts, kind, one) for kind, one in lead.kinds.items()]
        rows.append((lead.prospect_id, *numbers, _moment(oldest), _moment(newest)))
    rows.append(("all", *(_number(counts, kind, one) for kind, one in counts.kinds.items()), "", ""))
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    notes = [f"{kind}: {count}  {name}".rstrip() for kind, name, count in _rows(counts, selectors, names)]
    if counts.with_records > len(counts.listed):
        notes.insert(0, f"(the {len(counts.listed)} leads with most records, of {counts.with_records})")
    if counts.unknown:
        shown = ", ".join(counts.unknown[:MOST_SHOWN])
        more = f" and {len(counts.unknown) - MOST_SHOWN} more" if len(counts.unknown) > MOST_SHOWN else ""
        notes.append(f"Unknown to the account: {pluralize(len(counts.unknown), 'lead')}: {shown}{more}")
    return "\n".join(["What a reset would delete:", *table, *notes, *_remarks(counts)])


def _remarks(counts: RecordCounts) -> list[str]:
    if not counts.asks_for_audits:
        return [CREATED_ON]
    return [NO_AUDITS_SHOWN if counts.audits_cannot_be_counted else AUDITS_SHOWN, CREATED_ON]


def _rows(counts: RecordCounts, selectors: Selectors, names: TypeNames) -> list[tuple[str, str, object]]:
    rows: list[tuple[str, str, object]] = [
        ("activities", names.activity(code), counts.types["activities", str(code)])
        for code in selectors.activity_event_list
    ]
    rows += [("activities", names.activity(code), 0) for code in names.codes.system]
    kinds = [kind.lower() for kind in selectors.task_type_list]
    rows += [("tasks", names.task(kind), counts.types["tasks", kind]) for kind in dict.fromkeys(kinds)]
    if counts.types["tasks", ""]:
        rows.append(("tasks", names.task(""), counts.types["tasks", ""]))
    if selectors.should_delete_prospect_notes:
        rows.append(("notes", "", counts.types["notes", ""]))
    for audit in selectors.audit_activity_list:
        found = "cannot be counted" if counts.audits_cannot_be_counted else counts.types["audits", audit]
        rows.append(("audits", audit, found))
    return rows


def _number(counts: RecordCounts, kind: str, found: KindCount) -> str:
    """Return a count for a table; a question mark where nothing can be counted: a 0 would be taken for one."""
    return "?" if kind == "audits" and counts.audits_cannot_be_counted else str(found.count)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
