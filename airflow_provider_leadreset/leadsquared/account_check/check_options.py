"""What the account check is asked to find out, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from airflow_provider_leadreset.leadsquared.account_check.gentle_limiter import seconds_between
from airflow_provider_leadreset.leadsquared.account_check.trials import PATIENCE
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.text import quoted

_SMALLEST_DAY = 10_000
"""Calls a day of the smallest plan whose quota is published (documented)."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What the check may do beside making a lead with notes.

    :param lead: a lead without any record to use in place of a new one; None to make one.
    :param activity_event: code of a custom activity; None to ask nothing of activities.
    :param task_type: name or id of a task type; None to ask nothing of tasks.
    :param stage: a stage to change the lead to and back; None to leave it.
    :param owner: GUID of a user, likewise.
    :param patience: seconds for which a record that stays is watched at least.
    :raises InputError: a value that cannot be what was meant.
    """

    lead: str | None = None
    activity_event: int | None = None
    task_type: str | None = None
    stage: str | None = None
    owner: str | None = None
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        for name in ("lead", "owner"):
            value = getattr(self, name)
            if value is not None:
                # A frozen dataclass is set this way in its own __post_init__ only.
                object.__setattr__(self, name, parse_guid(value, name).lower())
        for name in ("task_type", "stage"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value.strip()):
                raise InputError(f"{name} is {quoted(value)}: give a name, or leave it out")
        code: Any = self.activity_event
        if code is not None and (isinstance(code, bool) or not isinstance(code, int) or not 0 < code < 10**9):
            raise InputError(
                f"activity_event is {quoted(code)}: give the code of a custom activity, such as 201"
            )
        patience: Any = self.patience
        if isinstance(patience, bool) or not isinstance(patience, int | float) or not 1 <= patience <= 86_400:
            raise InputError(f"patience is {quoted(patience)}: give seconds, from 1 to 86400")


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
    # Counted on the emulator: records made, changed and reset for each kind, and what reads of them take.
    records = 45 * kinds + 8 * activities + 4 * tasks + 10 * changes
    watched = 6 + 2 * kinds + 2 * changes
    calls = 30 + int(1.6 * records) + 60 * kinds + 28 * watched
    spacing = 4.0 * (0.6 * records)
    waits = 2 * options.patience + (kinds + 1) * 2 * options.patience
    waits += 0.1 * options.patience * 4 * (kinds + changes + 1)
    seconds = max(calls * seconds_between(calls_per_5s), spacing + waits)
    return CheckCost(calls, math.ceil(seconds / 60), round(100 * calls / _SMALLEST_DAY, 1))
