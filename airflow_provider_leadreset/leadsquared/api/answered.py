"""An answer as it came, and what can be read from it: whose it is, what it says, and what of it may be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_leadreset.leadsquared.api.json_answers import TooManyValuesError, read_json
from airflow_provider_leadreset.leadsquared.text import presentable

MOST_SEARCHED = 64 * 1024
"""Characters of an answer that are searched for words, and of which some are shown."""

_MOST_OF_A_KEY = 4 * 1024
"""Characters that a key takes at most in any spelling: so many before a cut are not shown, a key may begin there."""

_LONGEST = 300
_SUCCESS = "success"
_FAILURES = {"error", "failed", "failure", "fail", "rejected", "invalid", "false"}
_ENVELOPE = {"status", "message", "exceptiontype", "exceptionmessage", "ismxexception"}
_OWN_NAMES = {"Status", "ExceptionType", "ExceptionMessage", "IsMXException"}
_GENERIC_TYPES = {"", "MX", "MXEXCEPTION"}


class Answered:
    """Words are searched as they came, and shown without keys. Names of fields are read in any letter case.

    :param status: HTTP status.
    :param text: the body.
    :param content_type: the header, empty if there was none.
    :param writes: whether it answers a call that changes something.
    :param redact: strikes the keys out.
    """

    def __init__(
        self, status: int, text: str, content_type: str, writes: bool, redact: Callable[[str], str]
    ) -> None:
        self.status = status
        self.too_many_values = False
        try:
            self.content = read_json(text)
        except TooManyValuesError:
            self.content, self.too_many_values = None, True
        self._text = text
        self._writes = writes
        self._redact = redact
        given: dict[str, object] = self.content if isinstance(self.content, dict) else {}
        self._own_names = _OWN_NAMES & given.keys()
        # As they are spelled in LeadSquared's envelope where both are there.
        self._fields = {name.lower(): value for name, value in given.items()} | {
            name.lower(): given[name] for name in self._own_names
        }
        self.type = _text(self._fields.get("exceptiontype"))
        self._messages = [
            said
            for said in (_text(self._fields.get("exceptionmessage")), _nested(self._fields.get("message")))
            if said
        ]
        # Where words are searched that decide: "Error" may stand in the one field, and why in the other.
        self.searched = ("\n".join(self._messages) or text)[:MOST_SEARCHED]
        by_itself = "html" in content_type.lower() and self.content is None and bool(text.strip())
        self.is_page = by_itself or text.lstrip().startswith("<")

    @property
    def is_mx(self) -> bool:
        """Whether LeadSquared's own checks refused, and would again."""
        return self.type.upper().startswith("MX") or str(self._fields.get("ismxexception")).lower() == "true"

    @property
    def has_own_type(self) -> bool:
        """Whether LeadSquared's checks name what they refused, so that other words of the text are that lead's."""
        return self.is_mx and self.type.strip().upper() not in _GENERIC_TYPES

    @property
    def says_failed(self) -> bool:
        """Whether its Status says that the call was refused.

        "Error" is documented and "Failed" seen; others are inferred. Under HTTP 200 any Status but success is a
        refusal; of a read only if the object is nothing but an envelope, since a record may have such a field too.
        """
        status = self._fields.get("status")
        word = str(status).strip(" .!").lower()
        if status is None or word == _SUCCESS:
            return False
        if self.status != 200 and not isinstance(status, (str, bool)):
            return False  # a gateway repeats its HTTP status there
        return word in _FAILURES or (
            self.status == 200 and (self._writes or self._fields.keys() <= _ENVELOPE)
        )

    @property
    def is_refused(self) -> bool:
        """Whether the Status of a 500 without a type is one that is seen for refusals, and not "Error"."""
        word = str(self._fields.get("status")).strip(" .!").lower()
        return self.status == 500 and not self.type and self.says_failed and word != "error"

    @property
    def says_error(self) -> bool:
        """Whether it is LeadSquared's envelope of an error (documented; ``Failed`` and ``IsMXException`` seen)."""
        return (
            self.says_failed or self.is_mx or bool(self.type or _text(self._fields.get("exceptionmessage")))
        )

    @property
    def is_leadsquareds(self) -> bool:
        """Whether it has a form that only LeadSquared gives. A gateway has a status and a message too."""
        own = self._own_names - {"Status"} or (
            isinstance(self._fields.get("status"), str) and self._own_names
        )
        return bool(own) or self.is_mx

    @property
    def is_given(self) -> bool:
        """Whether it is what the call asked for."""
        if self.status != 200 or self.says_error:
            return False
        if self._writes:
            return str(self._fields.get("status")).strip().lower() == _SUCCESS
        return isinstance(self.content, (list, dict))

    @property
    def shown_message(self) -> str:
        """LeadSquared's own words, fit to be shown; empty for none."""
        telling = [said for said in self._messages if said.strip(" .!").lower() not in _FAILURES]
        return self._shown((telling or self._messages or [""])[0])

    @property
    def excerpt(self) -> str:
        """The beginning of the answer, fit to be shown."""
        return self._shown(self._text)

    @property
    def marks(self) -> dict[str, Any]:
        """What every error keeps of the answer."""
        return {"status": self.status, "exception_type": self._shown(self.type) or None}

    def _shown(self, text: str) -> str:
        shown = text[:MOST_SEARCHED]
        # A key that the first cut parts would not be found, and is one that was found before never in the rest.
        if len(text) > MOST_SEARCHED:
            shown = self._redact(shown)[:-_MOST_OF_A_KEY]
        return presentable(shown, self._redact, _LONGEST)


def _nested(message: object) -> str:
    """Return the message of an answer without an exception: ``Message``, or ``Message`` in it (seen both)."""
    if isinstance(message, dict):
        message = next((value for name, value in message.items() if name.lower() == "message"), None)
    if isinstance(message, list):
        message = "\n".join(part for part in message[:10] if isinstance(part, str))
    return _text(message)


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.strip() else ""
