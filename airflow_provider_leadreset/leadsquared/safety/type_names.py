"""What the account calls its types and leads, shown to people: others wrote it, so it is cleaned, cut and escaped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from airflow_provider_leadreset.leadsquared.records.catalog import EventCodes
from airflow_provider_leadreset.leadsquared.text import scrubbed

LONGEST_NAME = 80
"""Characters of a name of the account's that are shown."""

_LINKS = re.compile(r"://|www\.|@", re.IGNORECASE)


def shown_name(name: object, *, in_markdown: bool) -> str:
    """Return a name that others gave, on one line.

    :param in_markdown: it becomes no Markdown of its own: no link, mention, table cell or tag.
    """
    printable = scrubbed(str(name), LONGEST_NAME)
    if in_markdown:
        # What would become a link or a mention by itself is parted.
        printable = _LINKS.sub(r"\g<0> ", printable)
        printable = "".join(f"\\{sign}" if sign in "\\`*_[]<>|#&~" else sign for sign in printable)
    return printable or "unnamed"


@dataclass(frozen=True)
class TypeNames:
    """The account's names for event codes and task types.

    :param in_markdown: a name becomes no Markdown of its own, and what is unknown stands out.
    """

    codes: EventCodes = field(default_factory=EventCodes)
    tasks: dict[str, str] = field(default_factory=dict)
    in_markdown: bool = False

    def activity(self, code: int) -> str:
        """Name an event code; say so when the account does not know it."""
        if code in self.codes.system:
            return f"event {code} (a system activity: never deleted, not sent)"
        known = (self.codes.types or {}).get(code)
        if known:
            return f"{self._known(known.name)} ({code})"
        return self._unknown(f"event {code}") if code in self.codes.unknown else f"event {code}"

    def task(self, kind: str) -> str:
        """Name a task type; say so when the account does not know it, or when it could not be found out."""
        if not kind:
            return "tasks whose type could not be found out, counted as matching"
        name = {key.lower(): value for key, value in self.tasks.items()}.get(kind.lower())
        if name is None:
            return self._unknown(f"type {kind}")
        return f"{self._known(name)} ({kind})"

    def _known(self, name: str) -> str:
        return shown_name(name, in_markdown=self.in_markdown)

    def _unknown(self, what: str) -> str:
        return f"{what}, {'**unknown to the account**' if self.in_markdown else 'unknown to the account'}"
