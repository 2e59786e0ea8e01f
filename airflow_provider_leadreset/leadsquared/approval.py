"""Who said yes: the answer of Airflow's ApprovalOperator, or whatever stands for one elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_provider_leadreset.leadsquared.errors import InputError, shown

APPROVE = "Approve"
"""The option of the ApprovalOperator that means yes."""


def checked_approval(value: Any) -> Any:
    """Take an approval as an operator gets it, after templates were rendered.

    :param value: the ApprovalOperator's output (``chosen_options``, ``responded_by_user``, ``responded_at``), or
        any other JSON value that is not empty, such as ``{"ticket": "CRM-17"}`` or ``"CRM-17"``.
    :returns: the value, as it can be kept.
    :raises InputError: nothing, an answer other than Approve alone, or a value that is no JSON.
    """
    if value in (None, "", "None", "null") or value == [] or value == {} or value is False:
        raise InputError(f"approval is {shown(value)}: nobody has said yes, so nothing is reset")
    if isinstance(value, Mapping) and "chosen_options" in value:
        chosen = value["chosen_options"]
        if not isinstance(chosen, (list, tuple)) or list(chosen) != [APPROVE]:
            raise InputError(f"the approval chose {shown(chosen)}, not {APPROVE}: nothing is reset")
        if value.get("timedout"):
            raise InputError("the approval was answered by its time-out, by nobody: nothing is reset")
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError):
        raise InputError(f"approval is {shown(value)}, which is no JSON value") from None
