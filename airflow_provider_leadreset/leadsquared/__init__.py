"""LeadSquared itself, without Airflow. Its public names are handed on from here, so that files may move.

Each is loaded when it is first used: DAG files import from here too, and must parse quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.errors import (
        AccessError,
        ClosedError,
        EdgeError,
        InputError,
        LeadRejectedError,
        LeadSquaredError,
        MaxCallsError,
        NotFoundError,
        OutageError,
        QuotaError,
        ResponseTooLargeError,
        SameErrorsError,
        ThrottledError,
        UnavailableError,
    )
    from airflow_provider_leadreset.leadsquared.request.lead_ids import chunked
    from airflow_provider_leadreset.leadsquared.request.lead_reset import (
        LeadReset,
        Selectors,
        parse_selectors,
    )
    from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
    from airflow_provider_leadreset.leadsquared.safety.preview import LeadRecordCounts
    from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY

__all__ = [
    "ENTIRE_HISTORY",
    "AccessError",
    "ClosedError",
    "EdgeError",
    "InputError",
    "LeadRecordCounts",
    "LeadRejectedError",
    "LeadReset",
    "LeadSquaredClient",
    "LeadSquaredError",
    "MaxCallsError",
    "NotFoundError",
    "OutageError",
    "QuotaError",
    "ResponseTooLargeError",
    "SameErrorsError",
    "Selectors",
    "ThrottledError",
    "UnavailableError",
    "Window",
    "chunked",
    "parse_selectors",
    "parse_window",
]

_HOMES = {
    "ENTIRE_HISTORY": "sentinels",
    "LeadReset": "request.lead_reset",
    "LeadSquaredClient": "api.client",
    "LeadRecordCounts": "safety.preview",
    "Selectors": "request.lead_reset",
    "Window": "request.window",
    "chunked": "request.lead_ids",
    "parse_selectors": "request.lead_reset",
    "parse_window": "request.window",
}
"""Where a name lives; every other one is an error, in :mod:`.errors`."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
