"""What the keys and words of a ticket, as an approval, mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from airflow_provider_leadreset.leadsquared.text import without_invisible

_NOBODY = {
    *("", "none", "null", "nil", "nan", "undefined", "nobody", "false", "no", "unknown"),
    *("unassigned", "pending", "tbd", "todo"),
}
"""Words that name no person, in any letter case."""

_BETWEEN_WORDS = re.compile(r"n/a|[\W_]+")

TIMES = {
    *("at", "respondedat", "approvedat", "approvedon", "approvaldate", "approvaltime"),
    *("answeredat", "decidedat", "signedat", "signedoffat", "confirmedat"),
}
"""Keys under which a ticket says when, as :func:`plain_name` makes them."""

DIGESTS = {"digest", "plandigest"}
"""Keys under which a ticket says which plan it is about, likewise."""

_FAILURE = re.compile(
    r"(?:is|has|mx)?(?:errors?|exceptions?)"
    r"(?:messages?|types?|texts?|codes?|descriptions?|details?|ids?|keys?|names?|reasons?|status)*"
)
"""Keys under which a failure stands, likewise; ``error_margin`` and ``exception_granted_by`` are none."""

_NO_FAILURE = {"", "0", "none", "null", "no", "n/a", "false", "success"}
"""Words that say, under such a key, that nothing failed."""

_NO = {
    *("rejected", "denied", "declined", "refused", "disapproved"),
    *("revoked", "withdrawn", "cancelled", "canceled", "expired"),
}
"""Words that mean no, as a ticket's state or as a key that is true."""

_STATES_OF_NO = _NO | {"no", "notapproved", "unapproved", "reject", "deny", "decline", "refuse"}
"""Words that mean no as a ticket's state, without signs between them."""

_STATES = {
    *("status", "state", "decision", "result", "outcome", "resolution", "answer"),
    *("approval", "approvalstatus", "approvalstate"),
}
"""Keys under which a ticket's state stands, likewise."""

_SAYS_A_STATE = {"name", "value", "displayvalue", "displayname", "status", "state"}
"""Keys under which it stands where it is a mapping (documented: Jira's ``{"name": "Declined", "id": "10001"}``)."""


def plain_name(name: object) -> str:
    """Return a key without letter case, blanks and signs: ``approvedAt`` is ``approved_at``."""
    return "".join(sign for sign in str(name).lower() if sign.isalnum())


def says_no(name: object, said: object) -> bool:
    """Return whether a key and its value say that it is no yes, whatever else there stands."""
    plain = plain_name(name)
    yes = said is True or (isinstance(said, str) and plain_name(said) in {"true", "yes"})
    return (
        (plain == "approved" and said is not True)
        or (plain == "isapproved" and said is not None and said != "" and not yes)
        or (plain in {"approval", "decision"} and said is False)
        or (plain in _STATES and any(plain_name(word) in _STATES_OF_NO for word in _words_of_state(said)))
        or (plain in _NO and yes)
    )


def _words_of_state(said: object) -> list[str]:
    told = (
        [value for key, value in said.items() if plain_name(key) in _SAYS_A_STATE]
        if isinstance(said, Mapping)
        else [said]
    )
    return [word for word in told if isinstance(word, str)]


def says_failure(name: object, said: object) -> bool:
    """Return whether a key and its value tell of a look-up that failed."""
    fine = not said or (isinstance(said, str) and said.strip(" .").lower() in _NO_FAILURE)
    return not fine and _FAILURE.fullmatch(plain_name(name)) is not None


def is_somebody(who: object) -> bool:
    """Whether it names a person: by a text, a number, or a mapping or list with one of them."""
    if isinstance(who, Mapping):
        return any(map(is_somebody, who.values()))
    if isinstance(who, (list, tuple)):
        return bool(who) and all(map(is_somebody, who))
    if isinstance(who, str):
        # An address of a page is nobody, nor are signs alone, of which some do not even show.
        named = any(map(str.isalnum, without_invisible(who))) and "://" not in who
        return named and not set(_BETWEEN_WORDS.split(who.lower())) <= _NOBODY
    return isinstance(who, (int, UUID)) and not isinstance(who, bool) and who != 0
