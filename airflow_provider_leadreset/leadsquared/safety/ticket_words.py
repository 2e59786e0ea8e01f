"""What the keys and words of a ticket, as an approval, mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from uuid import UUID

from airflow_provider_leadreset.leadsquared.text import without_invisible

_NOBODY = {
    *("", "none", "null", "nil", "nan", "undefined", "nobody", "false", "no", "unknown"),
    *("unassigned", "pending", "tbd", "tbc", "todo", "noone", "0"),
}
"""Words that name no person, in any letter case."""

_BETWEEN_WORDS = re.compile(r"n/a|\bn\.a\b\.?|\b(?:no one|not assigned|not set|to be decided)\b|[\W_]+")

TIMES = {
    *("at", "respondedat", "approvedat", "approvedon", "approvaldate", "approvaltime"),
    *("answeredat", "decidedat", "signedat", "signedoffat", "confirmedat"),
}
"""Keys under which a ticket says when, as :func:`plain_name` makes them."""

_WHEN = re.compile(
    r"(?:approv(?:ed|al)|respon(?:ded|se)|answered|deci(?:ded|sion)|signed(?:off)?|confirmed|granted)(?:given)?"
    r"(?:at|on|date|time|datetime|timestamp)(?:utc)?|date(?:approved|decided|signed|confirmed|granted)"
)
"""Keys that are like them, and mean the same."""

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

_STATES_OF_NO = _NO | {
    *("no", "n", "nope", "never", "notapproved", "unapproved", "reject", "deny", "decline", "refuse"),
    *("vetoed", "wontdo", "wontfix"),
}
"""Words that mean no as a ticket's state, without signs between them; what follows a comma or colon is a reason."""

_REASON = re.compile(r"[,.;:!()\u2013\u2014]|\s-\s")

_NOT_APPROVED = re.compile(
    r"\b(?:not|never|cannot|(?:can|won|isn|wasn|don)['\u2019]?t)\b.*"
    r"\b(?:approv(?:e|ed|al)|accept(?:ed)?|grant(?:ed)?|authori[sz]ed?|permitted|allowed|proceed|ok)\b"
)
"""A state that says in several words that it is no yes; ``No objection`` is none."""

_KEYS_OF_NO = {
    f"{before}{word}" for before in ("", "is", "was", "hasbeen") for word in _STATES_OF_NO - {"no", "n"}
}
"""Keys that mean no where they are true."""

_TOLD_OF_NO = {f"{word}{after}" for word in _NO - {"expired"} for after in ("at", "on", "by", "date")}
"""Keys that mean no where they say when, or who: ``revoked_at``. When an approval expires may lie ahead."""

_STATES = {
    *("status", "state", "decision", "result", "outcome", "resolution", "answer"),
    *("approval", "approvalstatus", "approvalstate"),
}
"""Keys under which a ticket's state stands, likewise."""

_ENDS_A_STATE = re.compile(
    r"(?!prev|old|last|former|prior).+(?:status|state|decision|verdict|outcome|resolution)|verdict"
)
"""Keys that say whose state it is: ``request_status``, ``final_decision``."""

_SAYS_A_STATE = {"name", "value", "label", "displayvalue", "displayname", "status", "state"}
"""Keys under which it stands where it is a mapping (documented: Jira's ``{"name": "Declined", "id": "10001"}``)."""


def plain_name(name: object) -> str:
    """Return a key without letter case, blanks and signs: ``approvedAt`` is ``approved_at``."""
    return "".join(sign for sign in _plain_letters(str(name)) if sign.isalnum())


def _plain_letters(text: str) -> str:
    """Return a text in lower case, with letters of other widths as those that they stand for."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def tells_when(name: object) -> bool:
    """Return whether a ticket says under a key when it was answered."""
    plain = plain_name(name)
    return plain in TIMES or _WHEN.fullmatch(plain) is not None


def says_no(name: object, said: object) -> bool:
    """Return whether a key and its value say that it is no yes, whatever else there stands."""
    plain = plain_name(name)
    state = plain in _STATES or _ENDS_A_STATE.fullmatch(plain) is not None
    yes = said is True or (isinstance(said, str) and plain_name(said) in {"true", "yes"})
    return (
        (plain == "approved" and said is not True)
        or (plain == "isapproved" and said is not None and said != "" and not yes)
        or (state and (said is False or any(map(_is_state_of_no, _words_of_state(said)))))
        or (plain in _KEYS_OF_NO and yes)
        or (plain in _TOLD_OF_NO and is_somebody(said))
    )


def _is_state_of_no(said: str) -> bool:
    text = without_invisible(_plain_letters(said))
    return (
        plain_name(text) in _STATES_OF_NO
        or plain_name(_REASON.split(text.strip(), maxsplit=1)[0]) in _STATES_OF_NO
        or any(word in _NO for word in _BETWEEN_WORDS.split(text))
        or _NOT_APPROVED.search(text) is not None
    )


def _words_of_state(said: object) -> list[str]:
    told = (
        [value for key, value in said.items() if plain_name(key) in _SAYS_A_STATE]
        if isinstance(said, Mapping)
        else said
        if isinstance(said, (list, tuple))
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
        return named and not set(_BETWEEN_WORDS.split(_plain_letters(who))) <= _NOBODY
    return isinstance(who, (int, UUID)) and not isinstance(who, bool) and who != 0
