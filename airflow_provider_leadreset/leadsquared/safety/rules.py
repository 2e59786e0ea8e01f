"""What the account's owner demands of every reset, kept with the connection. A misspelt guard is none: refused."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json

RULES = ("resets", "require", "max_leads")
"""Names of the rules."""

REQUIRABLE = ("plan", "approval", "evidence_path", "archive", "reason")
"""Arguments of a reset that a rule may require."""

_EXAMPLE = '{"resets": true, "require": ["plan", "approval"], "max_leads": 10000}'


@dataclass(frozen=True, slots=True)
class AccountRules:
    """The rules of one connection; without any, everything is allowed that an operator allows.

    :param resets: whether leads may be reset at all.
    :param require: which of :data:`REQUIRABLE` each reset must have.
    :param max_leads: how many leads one reset may have at most; None for no limit of the account's own.
    """

    resets: bool = True
    require: tuple[str, ...] = ()
    max_leads: int | None = None

    def check_arguments(self, given: Collection[str]) -> None:
        """Refuse a reset that the rules do not allow, whatever its leads are.

        :param given: which of :data:`REQUIRABLE` it has.
        :raises InputError: resets are stopped, or something required is missing.
        """
        if not self.resets:
            raise InputError(
                'the rules of the connection stop every reset ("resets": false): ask the owner of the account'
            )
        if missing := [name for name in self.require if name not in given]:
            raise InputError(
                f"the rules of the connection require {', '.join(missing)} of every reset: give "
                f"{'it' if len(missing) == 1 else 'them'} to LeadResetOperator (LeadResetHook.reset takes none), or "
                "ask the owner of the account"
            )

    def check_leads(self, count: int) -> None:
        """Refuse a reset of more leads than the rules allow.

        :raises InputError: there are more.
        """
        if self.max_leads is not None and count > self.max_leads:
            raise InputError(
                f"{pluralize(count, 'lead')} given, more than the rules of the connection allow (max_leads="
                f"{self.max_leads}): reset fewer in one task, or ask the owner of the account"
            )

    def as_json(self) -> dict[str, object]:
        """Return those in force, as they are written; empty for none."""
        rules: dict[str, object] = {} if self.resets else {"resets": False}
        if self.require:
            rules["require"] = list(self.require)
        if self.max_leads is not None:
            rules["max_leads"] = self.max_leads
        return rules


def parse_rules(value: object) -> AccountRules:
    """Parse the connection's extra ``rules``: an object, or the text that a form makes of one.

    That of Airflow 2.11 keeps JSON as it was typed, and shows an object as Python spells it, to save it again so.

    :param value: None or empty text, which is what an empty field gives, for no rules.
    :raises InputError: no object, a rule that is not known, or one with a value that it does not take.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return AccountRules()
    rules = _from_text(value) if isinstance(value, str) else value
    if not isinstance(rules, dict):
        raise InputError(
            f"the connection's rules are {quoted(value)}, which is no object: write them like {_EXAMPLE}"
        )
    if unknown := [name for name in rules if name not in RULES]:
        raise InputError(
            f"the connection's rules have {', '.join(map(quoted, unknown))}, which is no rule; known are resets, "
            "require and max_leads, and a misspelt rule guards nothing"
        )
    return AccountRules(
        _flag(rules.get("resets", True)),
        _requirements(rules.get("require", [])),
        _limit(rules["max_leads"]) if "max_leads" in rules else None,
    )


def _from_text(text: str) -> object:
    try:
        return parse_json(text.strip(), "it")
    except InputError:
        pass
    try:
        found: object = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None  # named by the caller, as it was given
    # What JSON refused, such as a rule that stands there twice, is not let in by this way.
    return found if isinstance(found, dict) and str(found) == text.strip() else None


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise InputError(f"the connection's rules have resets={quoted(value)}: write true or false")


def _requirements(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(name, str) and name in REQUIRABLE for name in value):
        return tuple(dict.fromkeys(value))
    raise InputError(
        f"the connection's rules have require={quoted(value)}: write a list of some of "
        f"{', '.join(map(json.dumps, REQUIRABLE))}"
    )


def _limit(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise InputError(f"the connection's rules have max_leads={quoted(value)}: write a whole number of leads")
