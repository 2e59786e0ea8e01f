"""Keeping a batch's progress between the tries of a task, where Airflow (3.3 and later) has a place for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.batch.progress import Progress

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context

SAVE_EVERY = 2.0
"""Seconds between two savings: a killed try repeats at most the calls of so long, and those on their way."""


def times_cleared(context: Context) -> str:
    """Return a text that a retry leaves as it is, and a Clear changes."""
    # Alone, max_tries would not do: with fewer retries in the DAG than before, a Clear can come to the same number.
    # A unit test may call the task with next to no context.
    ti: Any = context.get("ti")
    dag_run: Any = context.get("dag_run")
    return f"{getattr(dag_run, 'clear_number', 0)}.{ti.max_tries if ti else 0}"


class Checkpoint:
    """The stored progress of one batch.

    It is kept under what was asked for, the run's ``clear_number`` and the task's ``max_tries``: a retry leaves both
    as they are, a Clear raises the first and mostly the second. So a retry continues where it stopped, and a Clear
    starts anew.

    :param fingerprint: equal for batches that ask for the same.
    """

    def __init__(self, context: Context, fingerprint: str, log: Any) -> None:
        ti: Any = context.get("ti")
        self._store: Any = context.get("task_state_store")
        self._key = f"leadreset/{fingerprint}/{times_cleared(context)}"
        self._log = log
        self._saved_at = float("-inf")
        stored: Any = self._store.get(self._key) if self._store is not None else None
        self.progress = Progress(stored)
        self._saved = stored or self.progress.as_json()
        if self.progress.in_earlier_tries:
            log.info(
                "Continuing where an earlier try stopped: %d leads are done", self.progress.in_earlier_tries
            )
        elif self._store is None and ti and ti.max_tries:
            log.info(
                "Airflow keeps no task state before version 3.3: a retry will repeat all leads of this task"
            )

    def save_if_due(self, now: float) -> None:
        """Save what is new if the last time is two seconds ago.

        :param now: seconds of a clock that never goes back.
        """
        if now - self._saved_at >= SAVE_EVERY and self.save():
            self._saved_at = now

    def save(self) -> bool:
        """Save; return whether there was anything new.

        :raises OSError: the process that watches over this task is gone, so nobody is told of what it does.
        """
        if self._store is None:
            return False
        state = self.progress.as_json()
        if state == self._saved:
            return False
        try:
            self._store.set(self._key, state)
        except (BrokenPipeError, EOFError):
            raise
        except (
            Exception
        ) as error:  # whatever else it is: it costs some repeated calls, the batch itself goes well
            self._log.warning("Progress could not be saved, a retry would repeat calls: %s", error)
        else:
            self._saved = state
        return True
