"""What the account check is asked to find out, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import seconds_between
from airflow_provider_leadreset.leadsquared.api.account_findings import PATIENCE
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, describe_none
from airflow_provider_leadreset.leadsquared.text import quoted

_DAY = 86_400
_SMALLEST_DAY = 10_000
"""Calls a day of the smallest plan whose quota is published (documented)."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the check may do beside making a lead with notes; :func:`parse_check_options` makes it of what is given.

    :param lead: a lead without any record to use in place of a new one; None to make one.
    :param activity_event: code of a custom activity; None to ask nothing of activities.
    :param task_type: name or id of a task type; None to ask nothing of tasks.
    :param stage: a stage to change the lead to and back; None to leave it.
    :param owner: GUID of a user, likewise.
    :param patience: seconds for which a record that stays is watched at least.
    """

    lead: str | None = None
    activity_event: int | None = None
    task_type: str | None = None
    stage: str | None = None
    owner: str | None = None
    patience: float = PATIENCE


def parse_check_options(
    *,
    lead: object = NOT_GIVEN,
    activity_event: object = NOT_GIVEN,
    task_type: object = NOT_GIVEN,
    stage: object = NOT_GIVEN,
    owner: object = NOT_GIVEN,
    patience: object = PATIENCE,
    host: str,
) -> CheckOptions:
    """Parse what the check is asked, as people, templates and the params of a DAG give it.

    :param host: the account's: only the emulator's may be asked with less patience.
    :raises InputError: a value that cannot be what was meant, None among them.
    """
    return CheckOptions(
        _guid("lead", lead),
        _code(activity_event),
        _name("task_type", task_type),
        _name("stage", stage),
        _guid("owner", owner),
        _seconds(patience, host),
    )


def _guid(name: str, value: object) -> str | None:
    text = _name(name, value)
    return None if text is None else parse_guid(text, name).lower()


def _name(name: str, value: object) -> str | None:
    if value is NOT_GIVEN:
        return None
    if value is None:
        raise InputError(describe_none(name))
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name} is {quoted(value)}: give a name or an id, or leave it out")
    return value.strip()


def _code(value: object) -> int | None:
    if value is NOT_GIVEN:
        return None
    if value is None:
        raise InputError(describe_none("activity_event"))
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) <= 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**9:
        raise InputError(
            f"activity_event is {quoted(value)}: give the code of a custom activity, such as 201"
        )
    return value


def _seconds(value: object, host: str) -> float:
    if value is None:
        raise InputError(describe_none("patience"))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _DAY:
        raise InputError(f"patience is {quoted(value)}: give seconds, from {PATIENCE:.0f} to {_DAY}")
    on_this_machine = host.partition(":")[0] in {"127.0.0.1", "localhost"}
    if value < PATIENCE and not on_this_machine:
        raise InputError(
            f"patience is {quoted(value)}: an account needs {PATIENCE:.0f} seconds at least, since what stays must not "
            "be told too early; less is for an emulator on this machine"
        )
    return value


@dataclass(frozen=True, slots=True)
class CheckCost:
    """What a check costs an account that behaves as most do.

    :param calls: about so many.
    :param minutes: about so many; more where the account's queue is slow.
    :param share: of a day's calls of the smallest plan, in percent.
    """

    calls: int
    minutes: int
    share: float


def cost_of(options: CheckOptions, calls_per_5s: int) -> CheckCost:
    """Return what a check costs at least.

    :param calls_per_5s: what the account's plan allows.
    """
    activities, tasks = options.activity_event is not None, options.task_type is not None
    kinds = 1 + activities + tasks
    changes = (options.stage is not None) + (options.owner is not None)
    # Fitted to what it takes on the emulator; a test holds it to that.
    calls = 320 + 150 * activities + 230 * tasks + 32 * changes
    # Where no activity tells how soon LeadLastModifiedOn moves, each wait for it is a long one.
    waits = 6 + 1.6 * tasks + 0.95 * changes + (0 if activities else 7.5)
    slower = 0.6 * calls * max(0.0, seconds_between(calls_per_5s) - 1)
    seconds = waits * options.patience + 160 * kinds + slower
    return CheckCost(calls, math.ceil(seconds / 60), round(100 * calls / _SMALLEST_DAY, 1))
