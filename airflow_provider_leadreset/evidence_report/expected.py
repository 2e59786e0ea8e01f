"""Whether the evidence is what was kept elsewhere: in the log, as XCom, or by OpenLineage."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.text import quoted

MOST_LISTED = 20
"""How many files are listed where none has the expected digest."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FoundEnd:
    """A summary, or a verification, that was found.

    :param place: from the folder of its DAG.
    :param whole: whether all else of its task is as it was written.
    """

    place: str
    sha256: str
    whole: bool


def parse_digest(text: str) -> str:
    """Return a digest as it is written.

    :raises argparse.ArgumentTypeError: it is none, or a part of one, which proves nothing.
    """
    digest = text.strip().lower()
    if not _DIGEST.fullmatch(digest):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is no whole digest: give all 64 hexadecimal digits of evidence_digest, as the task's log, "
            "its XCom or OpenLineage has it; a part of one proves nothing"
        )
    return digest


def judge(digest: str, ends: Iterable[FoundEnd], plans: Iterable[str]) -> tuple[bool, str]:
    """Return whether a digest is that of a summary or verification whose evidence is whole, and that as text.

    :param plans: the digests of the plans that were found, which are easily mistaken for it.
    """
    listed = list(ends)
    found = [one for one in listed if one.sha256 == digest]
    if found:
        places = ", ".join(one.place for one in found)
        if all(one.whole for one in found):
            return True, f"{digest} is the digest of {places}, and all that it tells of is as it was written"
        return False, (
            f"{digest} is the digest of {places}, but beside it not all is as it was written: see what is changed, "
            "missing or unreadable"
        )
    said = (
        f"no summary or verification here has the digest {digest}: changed or removed since, or elsewhere. "
    )
    if digest in plans:
        return False, f"{said}It is the digest of a plan: give the evidence_digest of the reset"
    named = "; ".join(f"{one.place} has {one.sha256}" for one in listed[:MOST_LISTED])
    more = f"; and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
    return False, f"{said}Found: {named or 'none'}{more}"
