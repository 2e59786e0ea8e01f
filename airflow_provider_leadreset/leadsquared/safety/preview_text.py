"""A preview in words: lines for a log, and Markdown for whoever approves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pendulum

from airflow_provider_leadreset.leadsquared.safety.approval import DIGEST_CHARACTERS
from airflow_provider_leadreset.leadsquared.safety.type_names import TypeNames, shown_name
from airflow_provider_leadreset.leadsquared.text import duration, pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window
    from airflow_provider_leadreset.leadsquared.safety.preview import (
        KindCount,
        LeadRecordCounts,
        RecordCounts,
    )

MOST_SHOWN = 20
"""How many leads the Markdown shows one by one."""

MOST_TYPES = 50
"""How many types either text shows one by one."""

NO_AUDITS_SHOWN = (
    "None of the leads shows any audit of any time, so the account may not show them: they cannot be counted, copied "
    "or verified."
)
AUDITS_SHOWN = (
    "Audits are counted as the activities 3001 and 3002 that show them; a lead that shows none may have some."
)
NAMES_ARE_KEPT = (
    "This text has names of leads. It is kept in Airflow's database (XCom, Required Actions), and, with a plan, below "
    "report/ of the evidence."
)
CANNOT_BE_COUNTED = "cannot be counted"


@dataclass(frozen=True)
class ResetAhead:
    """What the reset that follows does beside deleting, as far as it is known before.

    :param calls: how many it makes at least.
    :param seconds: how long they take at least.
    :param share: how many of them in any 5 seconds.
    :param keeps_copy: whether it copies the records first; None where that is not known.
    :param leaves_out: whether it leaves leads out that its ``exclude`` names.
    """

    calls: int
    seconds: float
    share: int
    keeps_copy: bool | None = None
    leaves_out: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what an approver should know of it."""
        time = f"{duration(self.seconds)} or more" if self.seconds >= 1 else "a few seconds"
        yield f"The reset makes {pluralize(self.calls, 'call')} at least, {self.share} in any 5 seconds: {time}."
        if self.keeps_copy is not None:
            yield (
                "A copy of each record is kept with the evidence before it goes."
                if self.keeps_copy
                else "**No copy is kept.**"
            )
        if self.leaves_out:
            yield "Leads that the reset's exclude names when it runs are left alone, listed above or not."


@dataclass(frozen=True)
class PreviewText:
    """What a preview found, to be told.

    :param names: of types.
    :param account: the API's host.
    :param zone: IANA name of the time zone that all times are shown in.
    :param reset: what the reset does; None where that is not known.
    :param lead_names: by ids in lower case; None where they are not to be shown.
    :param address_of: gives the address of a lead's page, or None.
    """

    counts: RecordCounts
    selectors: Selectors
    window: Window
    names: TypeNames
    account: str
    zone: str = "UTC"
    reset: ResetAhead | None = None
    lead_names: Mapping[str, str] | None = None
    address_of: Callable[[str], str | None] = field(default=lambda _: None)

    @property
    def kinds(self) -> list[str]:
        """The kinds of records that are asked for."""
        asked = {
            "activities": bool(self.selectors.activity_event_list or self.names.codes.system),
            "tasks": bool(self.selectors.task_type_list),
            "notes": self.selectors.should_delete_prospect_notes,
            "audits": bool(self.selectors.audit_activity_list),
        }
        return [kind for kind, is_asked in asked.items() if is_asked]

    def markdown(self) -> str:
        """Return it for people; :func:`with_digest` adds how the plan's digest begins."""
        counts = self.counts
        also = ""
        if counts.audits_cannot_be_counted:
            known = counts.leads - len(counts.unknown)
            also = f", and audits of {pluralize(known, 'lead')}, which cannot be counted"
        records, leads = pluralize(counts.count, "record"), pluralize(counts.with_records, "lead")
        window = replace(self.window, timezone=self.zone).describe()
        dated = f"Records {counts.dates.verb(self.selectors)}"
        lines = [
            f"### {records} of {leads} would be deleted{also}",
            "",
            f"Asked for: {pluralize(counts.leads, 'lead')} at {self.account}. {dated} {window}.",
            "",
            "**LeadSquared documents no undo of a reset.**",
            *(self.reset.lines() if self.reset else ()),
            "",
            f"| kind | type | records | oldest ({self.zone}) | newest ({self.zone}) |",
            "|---|---|---:|---|---|",
            *(f"| {' | '.join(row)} |" for row in self._type_rows(in_markdown=True)),
            *self._lead_table(),
        ]
        if counts.unknown:
            leads, shown = self._unknown()
            lines += ["", f"**Unknown to the account: {leads}**, not reset: {shown}."]
        if self.lead_names is not None:
            lines += ["", NAMES_ARE_KEPT]
        return "\n".join([*lines, "", *self._remarks()])

    def log_lines(self, whole: str | None) -> Iterator[str]:
        """Yield it for a log, without names of leads.

        :param whole: where the plan of all leads is; None if none was made.
        """
        counts = self.counts
        yield f"What a reset would delete, times in {self.zone}:"
        rows: list[Sequence[str]] = [("lead", *self.kinds, "oldest", "newest")]
        rows += [
            (lead.prospect_id, *self._numbers(lead.kinds), *self._from_to(_span(lead)))
            for lead in counts.listed
        ]
        rows.append(("all", *self._numbers(counts.kinds), "", ""))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if counts.with_records > len(counts.listed):
            listed = pluralize(len(counts.listed), "lead")
            yield (
                f"(the {listed} with most records, of {counts.with_records}; "
                + (f"all are in the plan {whole})" if whole else "with an evidence_path, all are in a plan)")
            )
        for kind, name, number, oldest, newest in self._type_rows(in_markdown=False):
            span = f", {oldest} to {newest}" if oldest else ""
            yield f"{kind}: {number}  {name}".rstrip() + span
        if counts.unknown:
            yield f"Unknown to the account: {': '.join(self._unknown())}"
        yield from self._remarks()

    def _lead_table(self) -> Iterator[str]:
        if not self.counts.listed:
            return
        named = [] if self.lead_names is None else ["name"]
        yield ""
        yield f"| {' | '.join(['lead', *named, *self.kinds])} |"
        yield f"|---|{'---|' * len(named)}{'---:|' * len(self.kinds)}"
        for lead in self.counts.listed[:MOST_SHOWN]:
            cells = [self._linked(lead.prospect_id)]
            if self.lead_names is not None:
                name = self.lead_names.get(lead.prospect_id.lower())
                cells.append("not given" if name is None else shown_name(name, in_markdown=True))
            yield f"| {' | '.join([*cells, *self._numbers(lead.kinds)])} |"
        if (others := self.counts.with_records - MOST_SHOWN) > 0:
            yield f"\n… and {pluralize(others, 'more lead')}, none with more records than these."

    def _linked(self, lead: str) -> str:
        address = self.address_of(lead)
        return f"[{lead}]({address})" if address else lead

    def _numbers(self, kinds: Mapping[str, KindCount]) -> list[str]:
        """Return counts for a table; a question mark where nothing can be counted: a 0 would be taken for one."""
        return [
            "?" if kind == "audits" and self.counts.audits_cannot_be_counted else str(kinds[kind].count)
            for kind in self.kinds
        ]

    def _type_rows(self, *, in_markdown: bool) -> list[Sequence[str]]:
        names = replace(self.names, in_markdown=in_markdown)
        found = self.counts.by_type
        rows: list[tuple[tuple[str, str], str]] = [
            *(
                (("activities", str(code)), names.activity(code))
                for code in self.selectors.activity_event_list
            ),
            *((("activities", str(code)), names.activity(code)) for code in names.codes.system),
        ]
        kinds = dict.fromkeys(kind.lower() for kind in self.selectors.task_type_list)
        rows += [(("tasks", kind), names.task(kind)) for kind in kinds]
        if ("tasks", "") in found:
            rows.append((("tasks", ""), names.task("")))
        if self.selectors.should_delete_prospect_notes:
            rows.append((("notes", ""), ""))
        rows += [(("audits", audit), audit) for audit in self.selectors.audit_activity_list]
        cells: list[Sequence[str]] = []
        for key, name in rows[:MOST_TYPES]:
            count = found.get(key)
            number = str(count.count if count else 0)
            if key[0] == "audits" and self.counts.audits_cannot_be_counted:
                number = CANNOT_BE_COUNTED
            span = (count.oldest, count.newest) if count else (None, None)
            cells.append((key[0], name, number, *self._from_to(span)))
        if others := rows[MOST_TYPES:]:
            left = sum(found[key].count for key, _ in others if key in found)
            cells.append(("others", pluralize(len(others), "more type"), str(left), "", ""))
        return cells

    def _from_to(self, span: tuple[datetime | None, datetime | None]) -> tuple[str, str]:
        zone = pendulum.timezone(self.zone)
        oldest, newest = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else "" for moment in span)
        return oldest, newest

    def _unknown(self) -> tuple[str, str]:
        """Return how many, and the first of them."""
        unknown = self.counts.unknown
        shown = ", ".join(unknown[:MOST_SHOWN])
        more = f" and {len(unknown) - MOST_SHOWN} more" if len(unknown) > MOST_SHOWN else ""
        return pluralize(len(unknown), "lead"), shown + more

    def _remarks(self) -> list[str]:
        counts, remarks = self.counts, []
        if counts.not_modified:
            remarks.append(
                f"Not read: {pluralize(counts.not_modified, 'lead')} not modified since the window began; that a new "
                f"record modifies its lead was found on this account on {counts.dates.checked_on}."
            )
        if counts.asks_for_audits:
            remarks.append(NO_AUDITS_SHOWN if counts.audits_cannot_be_counted else AUDITS_SHOWN)
        return [*remarks, counts.dates.describe(self.selectors)]


def with_digest(markdown: str, digest: str | None) -> str:
    """Return a preview's text with how the digest of its plan begins, which an approver types.

    The plan holds the text without it: its digest is known once it is written.

    :param digest: None where there is no plan.
    """
    if digest is None:
        return markdown
    return f"{markdown}\n\nThe plan's digest begins with `{digest[:DIGEST_CHARACTERS]}`."


def _span(lead: LeadRecordCounts) -> tuple[datetime | None, datetime | None]:
    kinds = lead.kinds.values()
    oldest = min((one.oldest for one in kinds if one.oldest), default=None)
    newest = max((one.newest for one in kinds if one.newest), default=None)
    return oldest, newest
