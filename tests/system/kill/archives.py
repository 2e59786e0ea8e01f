"""What an archived reset has to leave behind: of every record that is gone, a copy that can be read."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plans import Plan
from stage import EVIDENCE, Account

TASK_TYPE = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
_OTHER_TYPE = "8f2d6a44-1b7c-4e39-a2d8-57c0e9b3d602"

KINDS = ("activities", "tasks", "notes")

Key = tuple[str, str, str]
"""A record: its lead, kind and id."""


@dataclass(frozen=True)
class Look:
    """How things stand at one moment.

    :param gone: records that the account does not have any more.
    :param uncopied: those of them that are in no closed part, of whichever try.
    :param strangers: those of them that were not to go.
    :param left: records that were to go and are still there.
    :param parts: closed parts that can be read to their end.
    :param torn: files that cannot, as their writer was killed.
    """

    gone: int
    uncopied: int
    strangers: int
    left: int
    parts: int
    torn: int


@dataclass(frozen=True)
class Archived:
    """What a round found out about its archive.

    :param resetting: whether the last call before the kill was a reset; otherwise records were being read.
    :param at_kill: right after the kill, before the retry.
    :param at_end: when all was over.
    """

    resetting: bool
    at_kill: Look
    at_end: Look

    @property
    def good(self) -> bool:
        at_end = self.at_end
        return (
            self.at_kill.uncopied == self.at_kill.strangers == 0
            and at_end.uncopied == at_end.strangers == at_end.left == 0
            and at_end.gone > 0
        )

    def line(self) -> str:
        """Return it as part of a line."""
        then, end = self.at_kill, self.at_end
        return (
            f"{'resetting' if self.resetting else 'reading':<9}  "
            f"gone then {then.gone:>3}, uncopied {then.uncopied}; in the end {end.gone:>3}, uncopied {end.uncopied}, "
            f"left {end.left}, wrongly gone {end.strangers}; {end.parts} parts, {end.torn} torn"
        )


class Archive:
    """The records of a round, and its parts.

    :param run_id: names the round's evidence.
    """

    def __init__(self, account: Account, plan: Plan, run_id: str) -> None:
        self._account = account
        self._folder = EVIDENCE / run_id
        dice = random.Random(f"records/{run_id}")
        account.ask("POST", "/reset")
        body = {"leads": [_lead(dice, number) for number in range(plan.leads)]}
        self.leads: list[str] = [lead.lower() for lead in account.ask("POST", "/seed", body)["lead_ids"]]
        found = self._there()
        self._to_go = {key for key, goes in found.items() if goes}
        self._to_stay = set(found) - self._to_go

    def look(self) -> Look:
        """Compare the account with the parts. First the account: what is gone must have been copied before."""
        self._account.ask("POST", "/apply")
        there = set(self._there())
        gone = (self._to_go | self._to_stay) - there
        copied: set[Key] = set()
        parts = torn = 0
        for path in sorted(self._folder.rglob("*-archive-*")):
            try:
                copied |= _keys_of(path)
                parts += 1
            except (OSError, EOFError, ValueError, zlib.error):
                torn += 1
        return Look(
            gone=len(gone),
            uncopied=len(gone - copied),
            strangers=len(gone & self._to_stay),
            left=len(self._to_go & there),
            parts=parts,
            torn=torn,
        )

    def _there(self) -> dict[Key, bool]:
        """Return every record that the account still has, and whether it is to go."""
        found: dict[Key, bool] = {}
        for lead in self.leads:
            remaining = self._account.ask("GET", f"/remaining/{lead}")
            for kind in KINDS:
                for record in remaining[kind]:
                    goes = record["created_on"].startswith("2025-") and (
                        record.get("task_type_id", TASK_TYPE) == TASK_TYPE
                    )
                    found[lead, kind, record["id"].lower()] = goes
        return found


def _lead(dice: random.Random, number: int) -> dict[str, list[dict[str, Any]]]:
    """Make a lead with some records to go, of one to three kinds, and some to stay."""
    kinds = dice.sample(KINDS, dice.randint(1, len(KINDS)))

    def moments(kind: str) -> list[str]:
        going = dice.randint(1, 3) if kind in kinds else 0
        days = [f"2025-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}" for _ in range(going)]
        return [f"{day} 09:00:00" for day in [*days, "2026-03-01"]]

    tasks = [{"task_type_id": TASK_TYPE, "created_on": moment} for moment in moments("tasks")]
    tasks.append({"task_type_id": _OTHER_TYPE, "created_on": "2025-06-01 09:00:00"})
    return {
        "activities": [{"event_code": 166, "created_on": moment} for moment in moments("activities")],
        "tasks": tasks,
        "notes": [{"text": f"Note {number}", "created_on": moment} for moment in moments("notes")],
    }


def _keys_of(part: Path) -> set[Key]:
    """Read a part.

    :raises EOFError: it was not closed.
    """
    if not part.stat().st_size:
        raise EOFError  # which gzip takes for a file without lines
    keys: set[Key] = set()
    with gzip.open(part, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if not row["record"]:
                raise ValueError("a copy without content")
            keys.add((row["prospect_id"].lower(), row["kind"], row["id"].lower()))
    return keys
