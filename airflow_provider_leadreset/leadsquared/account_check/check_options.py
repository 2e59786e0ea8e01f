"""What the account check is asked to find out, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import seconds_between
from airflow_provider_leadreset.leadsquared.api.account_findings import PATIENCE
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.request.lead_reset import parse_items
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, describe_none
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted

MOST_CODES = 20
"""Event codes in one check: each takes minutes, and what was found must stay short enough for a connection."""

_DAY = 86_400
_SMALLEST_DAY = 10_000
"""Calls a day of the smallest plan whose quota is published (documented)."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the check may do beside making a lead with notes; :func:`parse_check_options` makes it of what is given.

    :param lead: a lead without any record to use in place of a new one; None to make one.
    :param activity_events: codes of custom activities; none to ask nothing of activities. The first serves for all
        that is not asked of each.
    :param task_type: name or id of a task type; None to ask nothing of tasks.
    :param stage: a stage to change the lead to and back; None to leave it.
    :param owner: GUID of a user, likewise.
    :param patience: seconds for which a record that stays is watched at least.
    """

    lead: str | None = None
    activity_events: tuple[int, ...] = ()
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
        _codes(activity_event),
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


def _codes(value: object) -> tuple[int, ...]:
    if value is NOT_GIVEN:
        return ()
    codes = parse_items("activity_event", value, _code)
    if not 0 < len(codes) <= MOST_CODES:
        raise InputError(
            f"activity_event has {pluralize(len(codes), 'event code')}: give from 1 to {MOST_CODES} in one check, or "
            "leave it out"
        )
    return codes


def _code(value: object) -> int:
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
    :param minutes: about so many; more where the account's queue is slow, or where new activities do not move
        LeadLastModifiedOn, or move it late.
    :param share: of a day's calls of the smallest plan, in percent.
    """

    calls: int
    minutes: int
    share: float


def cost_of(options: CheckOptions, calls_per_5s: int) -> CheckCost:
    """Return what a check costs at least.

    :param calls_per_5s: what the account's plan allows.
    """
    activities, tasks = bool(options.activity_events), options.task_type is not None
    more_codes = max(0, len(options.activity_events) - 1)
    kinds = 1 + activities + tasks + more_codes
    changes = (options.stage is not None) + (options.owner is not None)
    # Fitted to what it takes on the emulator; a test holds it to that.
    calls = 320 + 150 * activities + 230 * tasks + 32 * changes + 85 * more_codes
    # Beside that of tasks: lists of activities outgrow a page, and each reading takes a second one.
    calls += 60 if more_codes and not tasks else 0
    # Where no activity tells how soon LeadLastModifiedOn moves, each wait for it is a long one.
    waits = 6 + 1.6 * tasks + 0.95 * (changes + more_codes) + (0 if activities else 7.5)
    slower = 0.6 * calls * max(0.0, seconds_between(calls_per_5s) - 1)
    seconds = waits * options.patience + 160 * kinds + slower
    return CheckCost(calls, math.ceil(seconds / 60), round(100 * calls / _SMALLEST_DAY, 1))
