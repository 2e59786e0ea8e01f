"""Who said yes: the answer of Airflow's ApprovalOperator, or whatever stands for one elsewhere."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

APPROVE = "Approve"
"""The option of the ApprovalOperator that means yes."""

_NO = {
    "",
    "none",
    "null",
    "nan",
    "undefined",
    "false",
    "f",
    "no",
    "n",
    "off",
    "0",
    "[]",
    "{}",
    "()",
    "pending",
} | {
    *("reject", "rejected", "deny", "denied", "decline", "declined", "refuse", "refused"),
    *("cancel", "canceled", "cancelled", "abort", "aborted"),
}
"""Texts that no approval is, in any letter case."""


def checked_approval(value: Any) -> Any:
    """Check an approval as an operator gets it, after templates were rendered.

    :param value: the ApprovalOperator's output (``chosen_options``, ``responded_by_user``, ``responded_at``), also
        as the text that a template makes of it, or several of them; or any other JSON value that is not empty,
        such as ``{"ticket": "CRM-17"}`` or ``"CRM-17"``. None of its
        values may be None, False or a text that is empty or says no: a template may have failed.
    :returns: the value, as it can be kept.
    :raises InputError: nothing, an answer other than Approve alone, or a value that is no JSON.
    """
    value = _plain(value)
    _refuse_no(value)
    try:
        return json.loads(json.dumps(value, default=_moment_text, allow_nan=False))
    except (TypeError, ValueError):
        raise InputError(f"approval is {quoted(value)}, which is no JSON value") from None


def _moment_text(value: object) -> str:
    if isinstance(value, (date, UUID)):
        return str(value)
    raise TypeError


def _plain(value: Any) -> Any:
    """Read what a template has made a text of; make a list of a mapped task's output."""
    if isinstance(value, str) and value.strip().startswith(("[", "{", "(")):
        for read in (json.loads, ast.literal_eval):
            try:
                return _plain(read(value.strip()))
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue  # the last three: an unhashable key, brackets without end
    if isinstance(value, str) and "chosen_options" in value:
        raise InputError(
            f"approval is {quoted(value)}, a text that cannot be read: give the output itself, approval=approve.output"
        )
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value


def _refuse_no(value: Any) -> None:
    if _says_nothing(value):
        raise InputError(f"approval is {quoted(value)}: nobody has said yes, so nothing is reset")
    if isinstance(value, list):
        for item in value:
            _refuse_no(item)
    elif isinstance(value, Mapping) and "chosen_options" in value:
        _refuse_other_options(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            # Lists and mappings may well be empty in a ticket; a text or a None may be a template's failure.
            if _says_nothing(inner) and not isinstance(inner, (list, tuple, Mapping)):
                raise InputError(
                    f"approval has {name}={quoted(inner)}: nobody has said yes, so nothing is reset"
                )
            if inner and isinstance(inner, (list, tuple, Mapping)):
                _refuse_no(list(inner) if isinstance(inner, tuple) else inner)


def _says_nothing(value: Any) -> bool:
    return value.strip().lower() in _NO if isinstance(value, str) else value is not True and not value


def _refuse_other_options(answer: Mapping[str, Any]) -> None:
    chosen = answer["chosen_options"]
    if not isinstance(chosen, (list, tuple)) or list(chosen) != [APPROVE]:
        raise InputError(f"the approval chose {quoted(chosen)}, not {APPROVE}: nothing is reset")
    # Airflow answers for nobody at the time-out, with the default; its own operators do not pass timedout on.
    by = answer.get("responded_by_user")
    named = any(by.get(name) for name in ("id", "name")) if isinstance(by, Mapping) else by
    if answer.get("timedout") or not named:
        raise InputError(
            "the approval was answered by its time-out, by nobody: nothing is reset. If somebody did answer, "
            "apache-airflow-providers-standard is older than 1.8 and does not say who"
        )
