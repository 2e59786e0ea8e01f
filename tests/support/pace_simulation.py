"""The pace against a LeadSquared in simulated time: an hour of calls takes a second. Also for benchmarks.

Nothing here reads a clock or draws a number of its own: equal arguments give equal results.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from airflow_provider_leadreset.leadsquared.api.sliding_window import Permit, SlidingWindow

WINDOW = 5.0

Trip = Callable[[random.Random], tuple[float | None, float | None]]
"""Draws one call's seconds up to the server's stamp and from there to its answer.

None for the first: the call never arrives. None for the second: it arrives, and no answer comes.
"""


def trip(
    before: Callable[[random.Random], float | None], after: Callable[[random.Random], float | None]
) -> Trip:
    return lambda draw: (before(draw), after(draw))


def uniform(low: float, high: float) -> Callable[[random.Random], float]:
    return lambda draw: draw.uniform(low, high)


def steady(seconds: float, jitter: float = 0.003) -> Callable[[random.Random], float]:
    """``seconds``, and a little more: ``jitter`` on average."""
    return lambda draw: seconds + draw.expovariate(1 / jitter)


@dataclass
class Result:
    """What one simulation saw."""

    arrivals: list[float] = field(default_factory=list)
    """When calls were stamped by the server, throttled ones included."""
    throttled: int = 0
    answered: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How often (task, lead) got a success."""
    ended: float = 0.0
    """When the last answer came."""

    def ratio(self, leads: int, limit: int) -> float:
        """First to last arrival, over the least time that the account's limit allows."""
        return (self.arrivals[-1] - self.arrivals[0]) / ((math.ceil(leads / limit) - 1) * WINDOW)

    def worst(self) -> int:
        """The most arrivals that lie less than a window apart."""
        return most_in_a_window(self.arrivals)


def most_in_a_window(moments: Iterable[float]) -> int:
    recent: deque[float] = deque()
    most = 0
    for moment in moments:
        while recent and moment - recent[0] >= WINDOW:
            recent.popleft()
        recent.append(moment)
        most = max(most, len(recent))
    return most


class _Task:
    def __init__(self, number: int, pace: SlidingWindow, leads: int) -> None:
        self.number = number
        self.window = pace
        self.departed = 0
        self.todo = deque(range(leads))
        self.free = min(2 * pace.share, 50)


def simulate(
    paces: Sequence[SlidingWindow],
    leads: int,
    travel: Trip,
    *,
    limit: int | None = 25,
    count_rejected: bool = False,
    names_limit: bool = True,
    timeout: float = 30.0,
    seed: int = 0,
    most_calls: int = 1_000_000,
) -> Result:
    """Send ``leads`` calls through each window, repeating throttled and unanswered ones until all succeeded.

    :param paces: one per task; all tasks share the account.
    :param limit: the account's calls in a window; None for no limit.
    :param count_rejected: whether throttled calls use it up too.
    :param names_limit: whether a throttled answer says what the limit is.
    :param timeout: seconds after which a call without an answer is given up, and repeated a second later.
    :param most_calls: more than that is a pace that never ends.
    """
    draw = random.Random(seed)
    tasks = [_Task(number, pace, leads) for number, pace in enumerate(paces)]
    result = Result()
    order = itertools.count()
    events: list[tuple[float, int, Callable[[float], None]]] = []
    counted: deque[float] = deque()
    calls = 0
    now = 0.0

    def at(moment: float, what: Callable[[float], None]) -> None:
        heapq.heappush(events, (moment, next(order), what))

    def admit(moment: float) -> bool:
        while counted and moment - counted[0] >= WINDOW:
            counted.popleft()
        admitted = limit is None or len(counted) < limit
        if admitted or count_rejected:
            counted.append(moment)
        return admitted

    def send(task: _Task, lead: int, departed: float) -> None:
        permit = task.window.depart(departed, opens_connection=task.departed < task.window.capacity)
        task.departed += 1
        before, after = travel(draw)
        answered = before is not None and after is not None and before + after <= timeout
        if before is not None:
            at(
                departed + before,
                lambda moment: arrive(task, lead, permit, moment, after if answered else None),
            )
        if not answered:
            at(departed + timeout, lambda moment: give_up(task, lead, permit, moment))

    def arrive(task: _Task, lead: int, permit: Permit, moment: float, after: float | None) -> None:
        result.arrivals.append(moment)
        admitted = admit(moment)
        result.throttled += not admitted
        if after is not None:
            at(moment + after, lambda then: answer(task, lead, permit, then, admitted))

    def answer(task: _Task, lead: int, permit: Permit, moment: float, admitted: bool) -> None:
        task.free += 1
        result.ended = moment
        if admitted:
            task.window.accepted(permit, moment)
            result.answered[task.number, lead] += 1
        else:
            task.window.throttled(permit, moment, limit if names_limit else None)
            task.todo.append(lead)

    def give_up(task: _Task, lead: int, permit: Permit, moment: float) -> None:
        task.window.unanswered(permit, moment)
        at(moment + 1.0, lambda _: again(task, lead))

    def again(task: _Task, lead: int) -> None:
        task.free += 1
        task.todo.append(lead)

    while True:
        next_start = math.inf
        for task in tasks:
            while task.todo and task.free:
                start = task.window.starts_at(now)
                if start > now:
                    next_start = min(next_start, start)
                    break
                calls += 1
                assert calls <= most_calls, "the pace never gets through"
                task.free -= 1
                send(task, task.todo.popleft(), now)
        if next_start == math.inf and not events:
            return result
        if not events or next_start < events[0][0]:
            now = next_start
        else:
            now, _, happen = heapq.heappop(events)
            happen(now)
