"""What happens in a round: drawn from the seed and the round's number alone, whichever lane plays it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

CALLS_PER_5S = 25
LATENCY = 0.3
WINDOW = 5.0

Victim = Literal["runner", "tree", "supervisor"]
"""Who is killed: the process that runs the operator, that one and its supervisor, or the supervisor alone."""


@dataclass(frozen=True)
class Plan:
    """One round.

    :param number: from 1.
    :param leads: how many are reset.
    :param after_calls: the kill waits for so many resets; None: for the first call only.
    :param then_seconds: and for so long after that.
    """

    number: int
    victim: Victim
    leads: int
    after_calls: int | None
    then_seconds: float

    @property
    def least_seconds(self) -> float:
        """From the first call to the last at the account's limit."""
        return (math.ceil(self.leads / CALLS_PER_5S) - 1) * WINDOW


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
        after_calls, then_seconds = dice.randint(1, leads - 1), dice.uniform(0, 2 * LATENCY)
    else:
        after_calls, then_seconds = None, dice.random()
    plan = Plan(number, victim, leads, after_calls, then_seconds)
    if after_calls is None:
        return Plan(number, victim, leads, None, then_seconds * plan.least_seconds)
    return plan
