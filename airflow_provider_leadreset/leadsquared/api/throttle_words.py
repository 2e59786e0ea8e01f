"""The words in which LeadSquared, or a gateway before it, says that there were too many calls.

Documented is one text, "API calls exceeded the limit of N in 5 second(s)". The others are seen in public code that has
to tell them apart, or follow from these. To take a refusal for throttling costs five minutes at most; to take
throttling for a refusal loses a lead, so each text that speaks of calls is throttling, and only one that names
something else is not.
"""

from __future__ import annotations

import re

LIMIT_SECONDS = 5
"""The window of the account's limit (documented). A text that names another speaks of something else, as of a day."""

_DOCUMENTED = re.compile(
    r"\bAPI calls exceeded the limit of (\d{1,9}) in (\d{1,9})(?:\.0{1,9})? second", re.IGNORECASE
)
_CALLS = re.compile(
    r"too many (?:api )?(?:requests|calls)|rate.?limit|throttl"
    r"|\bapi (?:calls? |requests? |usage )?(?:limit|quota)\b"
    r"|\b(?:call|request) (?:limit|quota)\b"
    r"|\b(?:limit|quota) (?:of|for|on) (?:your |the )?(?:daily )?api (?:calls|requests)\b"
    r"|\bapi (?:calls|requests) (?:have |has )?exceeded\b"
    r"|\bexceeded (?:the |your )?(?:daily )?(?:limit|quota|number) of (?:api )?(?:calls|requests)\b",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(r"[\s\"'.!]{0,9}(?:limit|quota) exceeded[\s\"'.!]{0,9}", re.IGNORECASE)
"""A gateway's whole text (AWS: ``Limit Exceeded``). In a longer one it may be the limit of something else."""
_TYPE = re.compile(
    r"RateLimit|Throttl|TooMany(?:API)?(?:Requests|Calls)|Quota"
    r"|(?:API|Calls?|Requests?|Daily)LimitExceed|ExceededAPILimit",
    re.IGNORECASE,
)


def named_limit(text: str) -> int | None:
    """Return the account's calls in a window, where a text names them in the documented form; else None.

    Of any other form, such as ``1,000``, ``25 in 5 sec`` or another window, nothing is taken over.
    """
    match = _DOCUMENTED.search(text)
    return int(match[1]) if match and int(match[2]) == LIMIT_SECONDS else None


def speaks_of_calls(text: str) -> bool:
    """Return whether a text says that there were too many calls."""
    return bool(_CALLS.search(text) or _NOTHING_ELSE.fullmatch(text))


def is_throttling_type(exception_type: str) -> bool:
    """Return whether an exception type says so (``MXAPIRateLimitExceededException`` seen, the others inferred)."""
    return bool(_TYPE.search(exception_type))
