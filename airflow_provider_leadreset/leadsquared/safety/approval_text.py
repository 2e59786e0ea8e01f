"""Who approved, in words: what others wrote, cleaned and limited."""

from __future__ import annotations

import re
from collections.abc import Callable

from airflow_provider_leadreset.leadsquared.safety.ticket_moments import (
    exact_moment,
    said_times,
    ticket_moment,
)
from airflow_provider_leadreset.leadsquared.safety.ticket_words import is_somebody, plain_name
from airflow_provider_leadreset.leadsquared.text import presentable, scrubbed

MOST_NAME = 200
"""Characters of a person, an id or a version that are shown."""

MOST_IN_LOG = 80
"""Characters of a person or a moment in a line of a log."""

MOST_APPROVERS = 5
"""Approvers that a log names."""

_TELLS = (
    ("name", "displayname", "displayvalue", "fullname", "realname", "username", "login", "user"),
    ("id", "accountid", "userid", "value"),
    ("mail", "email", "emailaddress"),
)
"""Keys of a person's name, id and e-mail address, as :func:`.plain_name` makes them, the most telling first."""

_SEVERAL = re.compile(r"[,;&/|+]|\band\b", re.IGNORECASE)


def describe_person(who: object) -> str:
    """Return who is told by a text, a number, or a mapping with name, id or e-mail address; empty for nobody.

    The keys of a mapping may be Airflow's or a ticket system's (documented: Jira's ``displayName``, ``accountId`` and
    ``emailAddress``; ServiceNow's ``display_value`` and ``value``).
    """
    return scrubbed(_described(who), MOST_NAME)


def _described(who: object) -> str:
    return ", ".join(filter(None, map(_describe_one, who if isinstance(who, list) else [who])))


def may_be_several(who: object) -> bool:
    """Return whether what tells who approved may tell more than one person: a list, or a text as ``Asha, Meera``."""
    if isinstance(who, list):
        return len(who) > 1 or any(map(may_be_several, who))
    return isinstance(who, str) and _SEVERAL.search(who) is not None


def _describe_one(who: object) -> str:
    while isinstance(who, dict) and isinstance(who.get("user"), dict):
        who = who["user"]
    if isinstance(who, dict):
        told = {
            plain_name(key): said
            for key, said in reversed(who.items())  # of two keys the first
            if isinstance(said, (str, int)) and is_somebody(said)
        }
        name, key, mail = (next((told[one] for one in keys if one in told), None) for keys in _TELLS)
        beside = ", ".join(filter(None, (f"id {key}" if key and key != name else "", str(mail or ""))))
        who = f"{name} ({beside})" if name and beside else name or mail or key
    return str(who) if who else ""


def approvals_for_log(approval: object, redact: Callable[[str], str]) -> list[str]:
    """Return a line for each answer: who approved, and when as far as it is told.

    :param approval: as :func:`.checked_approval` gave it.
    :param redact: strikes the keys out.
    """
    answers = [one for one in _flat(approval) if isinstance(one, dict)]
    told = []
    for answer in answers[:MOST_APPROVERS]:
        who = _described(answer.get("responded_by_user") or answer.get("by")) or "somebody not named"
        at = answer.get("responded_at") or next((said for _, said in said_times(answer)), None)
        said = presentable(who, redact, MOST_IN_LOG)
        told.append(
            f"Approved by {said}{f' at {presentable(_readable(at), redact, MOST_IN_LOG)}' if at else ''}"
        )
    if more := len(answers) - len(told):
        told.append(f"and by {more} more")
    return told


def _readable(at: object) -> str:
    """Return a moment as it was said; seconds since 1970 so that people can read them."""
    moment = None if exact_moment(at) else ticket_moment(at)
    return moment.isoformat(timespec="seconds") if moment else str(at)


def _flat(approval: object) -> list[object]:
    """Return the answers, those in lists of lists too."""
    if not isinstance(approval, list):
        return [approval]
    return [answer for one in approval for answer in _flat(one)]
