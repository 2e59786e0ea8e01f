"""How many slots of which pool the running task has: in the account's pool, a slot is one call in 5 seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import AirflowTaskTimeout, get_current_context
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import BaseOperator, Context
    from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter

DEFAULT_POOL = "default_pool"
"""Airflow's, in which a task is that names none."""


WORTH_SAYING = 1.0
"""Seconds of a wait that a log says the reason of."""


@dataclass(frozen=True)
class TaskSlots:
    """What the scheduler has given a task.

    :param pool: the pool's name.
    :param slots: how many of its slots.
    """

    pool: str
    slots: int


def slots_of(task: BaseOperator, context: Context) -> TaskSlots:
    """Return the slots in which the scheduler has put a task.

    The DAG's own task tells. In a worker, ``task.pool`` of a mapped task says what was mapped, and the scheduler has it
    in another pool all the same (seen on Airflow 3.3; 2.11 refuses to map a pool).

    :param task: the one that runs; an operator that another task calls runs in that one's slots.
    :raises InputError: pool or slots were mapped over.
    """
    scheduled = _scheduled(context)
    if scheduled is None:
        return _slots(task)
    own = _slots(scheduled)
    if task.task_id == scheduled.task_id:
        given = _slots(task)
        for name, mapped, meant in (
            ("pool", given.pool, own.pool),
            ("pool_slots", given.slots, own.slots),
        ):
            if mapped != meant:
                raise InputError(
                    f"{name} is {quoted(mapped)} by expand(), which Airflow does not schedule by: the task has "
                    f"{quoted(meant)}. Give it by partial(). Several accounts are a loop in the DAG file, each with "
                    "its own pool"
                )
    return own


def current_slots() -> TaskSlots | None:
    """Return the slots of the task that runs in this process; None outside a task.

    :raises InputError: as :func:`slots_of`.
    """
    try:
        context: Context = get_current_context()
    except Exception:  # the versions raise different ones
        return None
    task: Any = context.get("task")
    return None if task is None else slots_of(task, context)


def drain(limiter: RateLimiter, log: Any, *, says: bool = True) -> None:
    """Wait until the calls that were made count no more: whoever gets the slots next may start as many at once.

    :param says: whether to log why.
    """
    left = limiter.drains_in()
    if says and left >= WORTH_SAYING:
        log.info(
            "Waiting %.0f s until the last calls count no more: so the next task in these slots has the whole limit",
            left,
        )
    try:
        limiter.drain()
    except AirflowTaskTimeout:
        # How the work ended stands; a wait of seconds cut short would let others exceed the limit.
        log.warning("execution_timeout passed after the last call; its slots are kept to the end")
        limiter.drain()


def warn_outside_pool(log: Any, slots: TaskSlots, pool: str) -> None:
    """Tell a task that it calls outside the account's pool."""
    log.warning(
        "This task is in the pool %s, not in %s, the pool of the account", quoted(slots.pool), quoted(pool)
    )
    log.warning(
        "So the calls of other tasks are not counted, and together they may exceed the account's limit"
    )
    log.warning(
        "Make that pool and give the task pool=%r, or name another in the connection's extra pool", pool
    )


def runs_without_context() -> bool:
    """Return whether this process is a task's, or was started by one, if no context is at hand: then slots are unknown.

    Airflow has none for most callbacks (2.11: for any), nor has a process that is started anew. What a task exports is
    there all the same.
    """
    return bool(os.environ.get("AIRFLOW_CTX_TASK_ID"))


def was_forked_off_a_task() -> bool:
    """Return whether this process was forked off in a running task, whose context it has inherited."""
    return _forked_off_a_task


def _note_fork() -> None:
    global _forked_off_a_task
    try:
        _forked_off_a_task = bool(get_current_context())
    except Exception:  # the versions raise different ones
        _forked_off_a_task = False


_forked_off_a_task = False
# What Airflow itself forks, it forks before a task has its context.
os.register_at_fork(after_in_child=_note_fork)


def warn_without_context(log: Any, calls: int) -> None:
    """Tell a callback, or a process that a task has started, that its calls are not counted by any slot."""
    log.warning(
        "This is a callback of a task, or a process that it started: the task's slots are not known here, so up to "
        "%d calls start in 5 s, beside those of other tasks. Give the hook calls=1, or as many as are kept free",
        calls,
    )


def warn_of_other_process(log: Any) -> None:
    """Tell a process that a task has started."""
    log.warning(
        "This process was started by a task: its calls are counted neither with the task's nor with those of its other "
        "processes, and together they may exceed the task's slots. Give each its part by calls=, or use threads"
    )


def _scheduled(context: Context) -> Any:
    """Return the DAG's own task of a context; None where that knows neither, as in a unit test."""
    dag: Any = context.get("dag")
    ti: Any = context.get("ti")
    if dag is None or ti is None or not dag.has_task(ti.task_id):
        return None
    return dag.get_task(ti.task_id)


def _slots(task: Any) -> TaskSlots:
    return TaskSlots(task.pool or DEFAULT_POOL, task.pool_slots)
