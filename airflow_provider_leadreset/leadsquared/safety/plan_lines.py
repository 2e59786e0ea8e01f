"""The lines of a plan's file, read as a stream and checked: whatever is not as it was written is refused."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_provider_leadreset.leadsquared.distinct_keys import DistinctKeys
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.records.records import PLAN_KINDS
from airflow_provider_leadreset.leadsquared.request.guids import guid_key, parse_guid
from airflow_provider_leadreset.leadsquared.text import quoted
from airflow_provider_leadreset.leadsquared.untrusted_files import (
    BLOCK,
    DAMAGED,
    bounded_lines,
    parse_json,
    unpacked,
)

PLAN_VERSION = 1
"""What a plan's head says of how its lines are written."""

MOST_PLAN_LINE = 12 << 20
"""Bytes of a plan's line: some 300,000 records of one lead. To read one takes up to seven times as much memory."""

HEAD, LEAD, PREVIEW, END = "the head", "a lead", "the preview", "the end"

MARKS = {END: "end", HEAD: "plan", PREVIEW: "preview", LEAD: "prospect_id"}
"""The key that tells a kind of line."""

MAY_FOLLOW = {HEAD: {"nothing"}, LEAD: {HEAD, LEAD}, PREVIEW: {HEAD, LEAD}, END: {PREVIEW}}
"""What each kind of line comes after."""

MOST_DATE = 40
"""Characters of a date as LeadSquared gives it."""

GZIP_FLAGS = 3
"""Place of a gzip header's flags, all off in a plan."""


class PlannedLead(NamedTuple):
    """A lead of a plan."""

    prospect_id: str
    records: dict[str, list[str]]
    """What tells its records, per kind."""
    last_modified: str | None = None
    """Its LeadLastModifiedOn before they were read, as it was given; None where it cannot be relied on."""


class UnfinishedError(Exception):
    """A plan ends before its end: whoever wrote it was stopped."""


@dataclass
class PlanLines:
    """What a finished plan's lines say, but for the leads themselves.

    :param preview_line: what the preview said, under ``preview``, and when it was finished.
    :param digest: SHA-256 of all lines but the end, as hex.
    :param lead_digest: SHA-256 of the leads' ids, see :class:`.Leads`.
    """

    head: dict[str, object] = field(default_factory=dict)
    preview_line: dict[str, Any] = field(default_factory=dict)
    leads: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLAN_KINDS, 0))
    digest: str = ""
    lead_digest: str = ""


def plan_line(content: dict[str, object]) -> bytes:
    """Return a line of a plan as it is written."""
    return (json.dumps(content, separators=(",", ":")) + "\n").encode()


def plan_end(leads: int, counts: dict[str, int], digest: str) -> dict[str, object]:
    """Return what a plan's last line says."""
    return {"end": True, "leads": leads, "counts": counts, "digest": digest}


def check_plan_lines(kept: PrivateCopy) -> PlanLines:
    """Read a plan's lines to its end, holding none of its leads: a head, the leads, the preview, the end.

    :raises UnfinishedError: there is no end, and what is there is as it was written.
    :raises InputError: it is no plan, or was changed.
    """
    read, digest, lead_digest, before = PlanLines(), hashlib.sha256(), hashlib.sha256(), "nothing"
    with DistinctKeys() as seen:
        for number, line in enumerate(_lines(kept), 1):
            where = f"line {number}"
            end = plan_end(read.leads, read.counts, digest.hexdigest())
            if not line.endswith(b"\n"):
                _refuse_damaged_rest(line, before, plan_line(end), where)
                raise UnfinishedError
            kind, content = _parsed(line, where)
            if before not in MAY_FOLLOW[kind]:
                raise InputError(f"{where}, {kind}, comes after {before}")
            before = kind
            if kind == END:
                if content != end:
                    raise InputError(f"what its end says is not so, but {quoted(end)}")
                read.digest, read.lead_digest = digest.hexdigest(), lead_digest.hexdigest()
                return read
            digest.update(line)
            if kind == HEAD:
                if type(content["plan"]) is not int or content["plan"] != PLAN_VERSION:
                    raise InputError(
                        f"it is of version {quoted(content['plan'])}, and {PLAN_VERSION} is known alone"
                    )
                read.head = content
            elif kind == PREVIEW:
                if not isinstance(content["preview"], dict):
                    raise InputError(f"{where} holds no preview")
                read.preview_line = content
            else:
                lead, records, _ = _planned(content, where)
                if not seen.add(guid_key(lead)):
                    raise InputError(f"{where} names the lead {lead} a second time")
                read.leads += 1
                lead_digest.update(lead.lower().encode())
                for kind_of_record, ids in records.items():
                    read.counts[kind_of_record] += len(ids)
    raise UnfinishedError


def planned_leads(kept: PrivateCopy) -> Iterator[PlannedLead]:
    """Stream the leads of a plan that was checked before."""
    for number, line in enumerate(_lines(kept), 1):
        where = f"line {number}"
        kind, content = _parsed(line, where)
        if kind == END:
            return  # what stands behind the end is none of the plan
        if kind == LEAD:
            yield _planned(content, where)


def _lines(kept: PrivateCopy) -> Iterator[bytes]:
    """Return the lines; the last has no end where the file was cut off."""
    with kept.open() as packed, unpacked(packed) as file:
        source = _TornFile(file)
        try:
            yield from bounded_lines(io.BufferedReader(source, BLOCK), MOST_PLAN_LINE)
        except DAMAGED as error:
            raise InputError(f"it cannot be unpacked: {error}") from None
        if source.torn and kept.at(GZIP_FLAGS, 1) not in (b"", b"\0"):
            # Flags that announce a longer header: then nothing can be told from a file that was cut off.
            raise InputError("it cannot be unpacked: its header is damaged")


class _TornFile(io.RawIOBase):
    """An unpacked file's bytes. One that was cut off simply ends, and ``torn`` says so."""

    def __init__(self, file: io.BufferedReader) -> None:
        super().__init__()
        self._file = file
        self.torn = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            block = self._file.read1(len(buffer))
        except EOFError:
            self.torn = True
            return 0
        buffer[: len(block)] = block
        return len(block)


def _parsed(line: bytes, where: str) -> tuple[str, dict[str, object]]:
    # One sign that is not ASCII would make its text four times as large in memory; ours are escaped.
    content = parse_json(line, where) if line.isascii() else None
    if isinstance(content, dict):
        for kind, mark in MARKS.items():
            if mark in content:
                return kind, content
    raise InputError(f"{where} is none of a plan's: {quoted(line[:1000])}")


def _refuse_damaged_rest(rest: bytes, before: str, end: bytes, where: str) -> None:
    """Refuse a last line that no line of a plan begins with.

    A changed byte can make a file look cut off. Then its rest is not as it was written.

    :param end: the line that must come if nothing else does.
    """
    if before == PREVIEW:
        as_written = end.startswith(rest)
    else:
        beginnings = [f'{{"{MARKS[kind]}":'.encode() for kind, after in MAY_FOLLOW.items() if before in after]
        as_written = any(rest.startswith(beginning) or beginning.startswith(rest) for beginning in beginnings)
    if not as_written or not rest.isascii():
        raise InputError(f"{where} is none of a plan's: {quoted(rest[:1000])}")


def _planned(content: dict[str, Any], where: str) -> PlannedLead:
    lead = parse_guid(content["prospect_id"], f"prospect_id of {where}")
    records = {kind: content.get(kind, []) for kind in PLAN_KINDS}
    for kind, ids in records.items():
        if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
            raise InputError(f"{kind} of {where} are no list of ids")
    last_modified = content.get("last_modified")
    if last_modified is not None and (not isinstance(last_modified, str) or len(last_modified) > MOST_DATE):
        raise InputError(f"last_modified of {where} is {quoted(last_modified)}, which is no date")
    return PlannedLead(lead, records, last_modified)
