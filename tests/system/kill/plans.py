"""What happens in a round: drawn from the seed and the round's number alone, whichever lane plays it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

CALLS_PER_5S = 25
LATENCY = 0.3
WINDOW = 5.0

PART_LEADS = 25
ARCHIVED_CALLS_PER_5S = 50
_READS = 3
"""Calls that read a lead's records: its activities, its tasks, its notes."""
_FIRST_READS = 5
"""Calls that read what types there are, and which type each task has."""

Victim = Literal["runner", "tree", "supervisor"]
"""Who is killed: the process that runs the operator, that one and its supervisor, or the supervisor alone."""


@dataclass(frozen=True)
class Plan:
    """One round.

    :param number: from 1.
    :param leads: how many are reset.
    :param after_calls: the kill waits for so many resets, in an archived reset for so many calls; None: for the
        first call only.
    :param then_seconds: and for so long after that.
    :param archived: whether the records are copied before.
    """

    number: int
    victim: Victim
    leads: int
    after_calls: int | None
    then_seconds: float
    archived: bool = False


def draw(seed: int, number: int, attempt: int, *, orphaned: bool) -> Plan:
    """Draw a round.

    Half of the moments are spread over the time from the first call to the last. That is mostly spent waiting for
    the limit, so the other half are spread over the calls instead: at those moments calls are on their way.

    :param attempt: counts anew drawings, after a kill that came when the task had ended.
    :param orphaned: kill the supervisor alone.
    """
    dice = random.Random(f"{seed}/{number}/{attempt}")
    leads = dice.randint(75, 100)
    victim: Victim = "supervisor" if orphaned else dice.choice(("runner", "tree"))
    if dice.random() < 0.5:
        return Plan(number, victim, leads, dice.randint(1, leads - 1), dice.uniform(0, 2 * LATENCY))
    return Plan(number, victim, leads, None, dice.random() * _least_seconds(leads, CALLS_PER_5S))


def draw_archived(seed: int, number: int, attempt: int, *, orphaned: bool) -> Plan:
    """Draw a round with copies, as :func:`draw`.

    A third of the moments are spread over the time, a third over the calls, and a third lie where a part has been
    read: there it is written, and the resets of its leads begin.
    """
    dice = random.Random(f"archived/{seed}/{number}/{attempt}")
    leads = dice.randint(60, 90)
    victim: Victim = "supervisor" if orphaned else dice.choice(("runner", "tree"))
    calls = _FIRST_READS + leads * (_READS + 1)
    after_calls: int | None = None
    match dice.choice(("time", "calls", "part")):
        case "time":
            then_seconds = dice.random() * _least_seconds(calls, ARCHIVED_CALLS_PER_5S)
        case "calls":
            after_calls, then_seconds = dice.randint(1, calls - 1), dice.uniform(0, 2 * LATENCY)
        case _:
            part = dice.randint(1, math.ceil(leads / PART_LEADS))
            read, done = min(part * PART_LEADS, leads), (part - 1) * PART_LEADS
            after_calls = _FIRST_READS + read * _READS + done
            then_seconds = dice.uniform(0.8, 1.5) * LATENCY
    return Plan(number, victim, leads, after_calls, then_seconds, archived=True)


def _least_seconds(calls: int, calls_per_5s: int) -> float:
    """From the first call to the last at the account's limit."""
    return (math.ceil(calls / calls_per_5s) - 1) * WINDOW
