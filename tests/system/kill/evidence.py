"""What a round's evidence tells, and whether that is what the server saw."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

FINAL = {"queued", "failed", "unknown", "nothing_to_reset", "excluded"}


@dataclass(frozen=True)
class Told:
    """What closed parts tell at one moment, of all tries.

    :param named: leads that may have been called.
    :param queued: leads whose reset LeadSquared is said to have queued.
    :param done: leads that a retry leaves alone.
    :param files: each file's digest.
    :param torn: files that are under their own name and cannot be read.
    """

    named: frozenset[str] = frozenset()
    queued: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    files: dict[str, str] = field(default_factory=dict)
    torn: int = 0


@dataclass(frozen=True)
class Checked:
    """How a round's evidence stands to what the server saw.

    :param untold: leads of accepted resets that no closed part names.
    :param invented: leads told as queued without an accepted reset.
    :param overwritten: files that are not as they were at the kill, or gone.
    :param torn: files that cannot be read.
    """

    untold: int
    invented: int
    overwritten: int
    torn: int

    @property
    def good(self) -> bool:
        return not (self.untold or self.invented or self.overwritten or self.torn)

    def line(self) -> str:
        """Return it as part of a line."""
        return f"untold {self.untold}, invented {self.invented}, overwritten {self.overwritten}, torn {self.torn}"


def read_evidence(folder: Path) -> Told:
    """Read what lies in a round's evidence folder now."""
    named: set[str] = set()
    queued: set[str] = set()
    done: set[str] = set()
    files: dict[str, str] = {}
    torn = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        data = path.read_bytes()
        files[str(path)] = sha256(data).hexdigest()
        if "report" not in path.parts or path.suffix not in {".json", ".jsonl"}:
            continue
        try:
            rows: list[dict[str, Any]] = [json.loads(line) for line in data.splitlines()]
        except ValueError:
            torn += 1
            continue
        for row in rows:
            if row.get("line") == "named":
                named.update(lead.lower() for _, lead in row["leads"])
            elif row.get("line") == "outcome":
                lead = row["prospect_id"].lower()
                if row["outcome"] == "queued":
                    queued.add(lead)
                if row["outcome"] in FINAL and row["final"]:
                    done.add(lead)
    return Told(frozenset(named), frozenset(queued), frozenset(done), files, torn)


def check(at_kill: Told, at_end: Told, accepted: set[str]) -> Checked:
    """Compare what is told at the end with the accepted resets, and with what was told at the kill."""
    return Checked(
        untold=len(accepted - at_end.named),
        invented=len(at_end.queued - accepted),
        overwritten=sum(at_end.files.get(path) != digest for path, digest in at_kill.files.items()),
        torn=at_end.torn,
    )
