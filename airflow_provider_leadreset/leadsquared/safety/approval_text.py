"""Who approved, in words: what others wrote, cleaned and limited."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.leadsquared.text import presentable, scrubbed

MOST_NAME = 200
"""Characters of a person, an id or a version that are shown."""

MOST_IN_LOG = 80
"""Characters of a person or a moment in a line of a log."""

MOST_APPROVERS = 5
"""Approvers that a log names."""

_SEVERAL = re.compile(r"[,;&/|+]|\band\b", re.IGNORECASE)


def describe_person(who: object) -> str:
    """Return who is told by a text, a number, or a mapping with name, id or e-mail address; empty for nobody."""
    if isinstance(who, list):
        who = ", ".join(filter(None, map(_describe_one, who)))
    return scrubbed(_describe_one(who), MOST_NAME)


def may_be_several(who: object) -> bool:
    """Return whether what tells who approved may tell more than one person: a list, or a text as ``Asha, Meera``."""
    if isinstance(who, list):
        return len(who) > 1 or any(map(may_be_several, who))
    return isinstance(who, str) and _SEVERAL.search(who) is not None


def _describe_one(who: object) -> str:
    if isinstance(who, dict):
        name, key, mail = who.get("name"), who.get("id"), who.get("email") or who.get("mail")
        beside = ", ".join(filter(None, ("" if key is None else f"id {key}", str(mail or ""))))
        who = f"{name} ({beside})" if name and beside else name or mail or key
    return str(who) if who else ""


def approvals_for_log(approval: Any, redact: Callable[[str], str]) -> list[str]:
    """Return a line for each answer: who approved, and when as far as it is told.

    :param approval: as :func:`.checked_approval` gave it.
    :param redact: strikes the keys out.
    """
    answers = [one for one in _flat(approval) if isinstance(one, dict)]
    told = []
    for answer in answers[:MOST_APPROVERS]:
        who = describe_person(answer.get("responded_by_user") or answer.get("by")) or "somebody not named"
        at = answer.get("responded_at") or answer.get("at")
        said = presentable(who, redact, MOST_IN_LOG)
        told.append(f"Approved by {said}{f' at {presentable(str(at), redact, MOST_IN_LOG)}' if at else ''}")
    if more := len(answers) - len(told):
        told.append(f"and by {more} more")
    return told


def _flat(approval: Any) -> list[Any]:
    """Return the answers, those in lists of lists too."""
    if not isinstance(approval, list):
        return [approval]
    return [answer for one in approval for answer in _flat(one)]
