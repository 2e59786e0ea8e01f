"""The public names, their signatures and what Airflow registers, as text.

After a change that is meant: ``python tests/support/public_api.py > tests/unit/public_api.txt``,
and a line in CHANGELOG.md.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

PACKAGE = "airflow_provider_leadreset"
PUBLIC = {
    "operators.lead_reset": ("LeadResetOperator", "LeadResetPreviewOperator", "ENTIRE_HISTORY"),
    "operators._selection": ("LeadSelection",),
    "sensors.lead_reset": ("LeadResetSensor",),
    "task_groups.lead_reset": ("LeadResetTaskGroup",),
    "hooks.lead_reset": ("LeadResetHook", "AccountSettings"),
    "links": ("LeadLink", "EvidenceLink"),
    "leadsquared": None,
    "exceptions": (
        "LeadResetInputError",
        "LeadResetAccessError",
        "LeadResetRejectedError",
        "LeadResetMaxCallsError",
        "LeadResetOvertakenError",
        "LeadResetFailedError",
        "LeadResetResourceError",
        "LeadResetQuotaError",
        "LeadResetOutageError",
        "LeadResetLeadsFailedError",
    ),
    "emulator": ("CallRecord", "LeadSquaredEmulator"),
    "testing": ("leadsquared", "leadsquared_conn_id", "leadsquared_options", "approve_as", "check_pools"),
}
"""None: all that the module hands on."""


def describe() -> str:
    lines: list[str] = []
    for module, names in PUBLIC.items():
        loaded = importlib.import_module(f"{PACKAGE}.{module}")
        for name in names or loaded.__all__:
            lines += _described(f"{module}.{name}", getattr(loaded, name))
    info = importlib.import_module(f"{PACKAGE}.get_provider_info").get_provider_info()
    return "\n".join([*lines, "get_provider_info() ==", json.dumps(info, indent=1, sort_keys=True), ""])


def _described(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{name}{inspect.signature(value)}" if callable(value) else f"{name} = {value!r}"
        return
    yield f"class {name}({', '.join(base.__name__ for base in value.__bases__ if _ours(base))})"
    for key in sorted({key for owner in value.__mro__ if _ours(owner) for key in vars(owner)}):
        member = next(vars(owner)[key] for owner in value.__mro__ if key in vars(owner))
        if key == "__init__" or not (key.startswith("_") or _is_airflows(key, value)):
            yield f"  {key}{_shape(member)}"


def _ours(owner: type) -> bool:
    return owner.__module__.startswith(PACKAGE)


def _is_airflows(key: str, value: type) -> bool:
    """Whether Airflow, not the user, calls or reads it; some matter to both."""
    if key in ("template_fields", "xcom_key"):
        return False
    return any(key in vars(owner) for owner in value.__mro__ if not _ours(owner))


def _shape(member: Any) -> str:
    if isinstance(member, (staticmethod, classmethod)):
        member = member.__func__
    if isinstance(member, property) or hasattr(member, "func") or inspect.isdatadescriptor(member):
        return ""
    if callable(member):
        return str(inspect.signature(member))
    return f" = {member.value!r}" if isinstance(member, Enum) else f" = {member!r}"


if __name__ == "__main__":
    print(describe(), end="")
