"""What the account check says of each question: what it did, what it saw, what controlled that, and its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COULD_NOT_BE_TOLD = "could not be told"

Finding = str | int | float | bool
"""What can be found out: a word, a number of seconds, or a yes or no."""


@dataclass(frozen=True, slots=True)
class CheckedQuestion:
    """One question, answered as far as it could be.

    :param name: under what the finding is kept, such as ``activity_date``.
    :param question: the question, as a person would ask it.
    :param did: what was done to find out.
    :param saw: what was seen.
    :param control: what shows that this was no accident.
    :param found: the answer; None where it could not be told.
    """

    name: str
    question: str
    did: str
    saw: str
    control: str
    found: Finding | None = None

    @property
    def verdict(self) -> str:
        """The answer in words."""
        if self.found is None:
            return COULD_NOT_BE_TOLD
        if isinstance(self.found, bool):
            return "yes" if self.found else "no"
        return f"{self.found:g} s" if isinstance(self.found, int | float) else self.found

    def as_json(self) -> dict[str, object]:
        """Return the five texts as they are given to programs."""
        return {
            "question": self.question,
            "did": self.did,
            "saw": self.saw,
            "control": self.control,
            "verdict": self.verdict,
        }


def not_told(name: str, question: str, why: str, did: str = "nothing") -> CheckedQuestion:
    """Return the answer to a question that was not, or could not be, put to the account."""
    return CheckedQuestion(name, question, did, why, "none")


def findings(questions: Iterable[CheckedQuestion]) -> dict[str, Finding]:
    """Return what was found, by name; what could not be told is left out."""
    return {one.name: one.found for one in questions if one.found is not None}
