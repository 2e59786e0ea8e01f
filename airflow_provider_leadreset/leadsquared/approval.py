"""Who said yes: the answer of Airflow's ApprovalOperator, or whatever stands for one elsewhere."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import InputError, shown

APPROVE = "Approve"
"""The option of the ApprovalOperator that means yes."""

_NO = {"", "none", "null", "undefined", "false", "no", "reject", "rejected", "[]", "{}"}
"""Texts that no approval is, in any letter case."""


def checked_approval(value: Any) -> Any:
    """Take an approval as an operator gets it, after templates were rendered.

    :param value: the ApprovalOperator's output (``chosen_options``, ``responded_by_user``, ``responded_at``), also
        as the text that a template makes of it, or several of them; or any other JSON value that is not empty,
        such as ``{"ticket": "CRM-17"}`` or ``"CRM-17"``.
    :returns: the value, as it can be kept.
    :raises InputError: nothing, an answer other than Approve alone, or a value that is no JSON.
    """
    value = _plain(value)
    _refuse_no(value)
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError):
        raise InputError(f"approval is {shown(value)}, which is no JSON value") from None


def _plain(value: Any) -> Any:
    """Read the text of an answer; make a list of a mapped task's output."""
    if isinstance(value, str) and "chosen_options" in value:
        for read in (json.loads, ast.literal_eval):
            try:
                return read(value)
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue  # the last three: an unhashable key, brackets without end
        raise InputError(
            f"approval is {shown(value)}, a text that cannot be read: give the output itself, approval=approve.output"
        )
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value


def _refuse_no(value: Any) -> None:
    said = value.strip().lower() in _NO if isinstance(value, str) else value is not True and not value
    if said:
        raise InputError(f"approval is {shown(value)}: nobody has said yes, so nothing is reset")
    if isinstance(value, list):
        for item in value:
            _refuse_no(item)
    if not isinstance(value, Mapping):
        return
    if "chosen_options" in value:
        chosen = value["chosen_options"]
        if not isinstance(chosen, (list, tuple)) or list(chosen) != [APPROVE]:
            raise InputError(f"the approval chose {shown(chosen)}, not {APPROVE}: nothing is reset")
        # Airflow answers for nobody at the time-out, with the default; its own operators do not pass timedout on.
        if value.get("timedout") or not value.get("responded_by_user", True):
            raise InputError("the approval was answered by its time-out, by nobody: nothing is reset")
    for inner in value.values():
        if isinstance(inner, Mapping) and inner:
            _refuse_no(inner)
