"""Keeping a batch's progress between the tries of a task, where Airflow (3.3 and later) has a place for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.batch.earlier_requests import EarlierRequests
from airflow_provider_leadreset.leadsquared.batch.progress import Progress
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.runtime.stored_progress import parse_stored

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context

SAVE_EVERY = 2.0
"""Seconds between two savings: a killed try repeats at most the calls of so long, and those on their way."""

MOST_OTHERS = 20
"""Of how many earlier requests it is kept that there were: it tells one that is asked for again."""


def own_clears(context: Context) -> str:
    """Return a text that a Clear of this task changes, and neither a retry nor a Clear of another task does.

    Airflow (2.11 to 3.3, seen in its source and in real runs) sets ``max_tries`` at a Clear to the try's number and the
    task's retries: higher than before, unless the DAG has meanwhile got fewer retries; see :func:`may_be_cleared`. A
    Clear of a task that is just running leaves it, so its next try goes on.
    """
    ti: Any = context.get("ti")  # a unit test may call the task with next to no context
    return str(ti.max_tries if ti else 0)


def may_be_cleared(context: Context, retries: int | None) -> bool:
    """Return whether this may be the first try after a Clear, though :func:`own_clears` is as it was before.

    That needs fewer retries in the DAG than at the earlier tries, by just as many as there were tries. A retry after
    such a change looks the same, so nothing tells which of the two it is.

    :param retries: of the task, as the DAG has it now.
    """
    ti: Any = context.get("ti")
    return bool(ti) and ti.try_number > 1 and ti.max_tries - (ti.try_number - 1) == retries


def times_cleared(context: Context) -> str:
    """Return a text that a Clear of this task changes, and on Airflow 3 one of any task of the run."""
    return f"{getattr(context.get('dag_run'), 'clear_number', 0)}.{own_clears(context)}"


def generation(context: Context) -> str:
    """Return a text that a retry leaves as it is; a Clear of this task changes it, and a new run of an old id."""
    started: Any = getattr(context.get("dag_run"), "start_date", None)
    return f"{own_clears(context)} {started.isoformat() if started else 'unknown start'}"


class Checkpoint:
    """The progress of one batch in the store that Airflow (3.3 and later) has for a task.

    It is kept under :func:`own_clears`. So a retry that asks for the same continues where it stopped, and a Clear
    starts anew.

    :param request_digest: equal for batches that ask for the same; None for whatever was asked for last.
    :param leads: how many are asked for.
    :param reset: equal for requests that delete the same of each lead.
    :raises InputError: something else is asked for than at an earlier try that was told to spare leads. They are stored
        by their place, so nothing tells which of these are meant. Or what is stored cannot be read.
    """

    def __init__(
        self, context: Context, request_digest: str | None, leads: int, log: Any, *, reset: str = ""
    ) -> None:
        ti: Any = context.get("ti")
        self._store: Any = context.get("task_state_store")
        self._key = f"leadreset/{own_clears(context)}"
        self._log = log
        self._saved_at = float("-inf")
        state: object = self._store.get(self._key) if self._store is not None else None
        stored = parse_stored(state)
        contradicted = ""
        self.requests = EarlierRequests(
            stored.earlier_requests.model_dump() if stored and stored.earlier_requests else None
        )
        """What earlier tries were asked for otherwise."""
        self._others: list[str] = stored.others if stored else []
        if stored and request_digest not in {None, stored.request}:
            if stored.excluded or stored.spared:
                raise InputError(
                    "an earlier try of this task excluded leads, and was asked for other leads, selectors, window or "
                    "account than this one, so which leads are to be spared is not known: ask for the same again, or "
                    "clear the task to start anew"
                )
            # What was found of LeadLastModifiedOn holds whatever is asked for.
            contradicted = stored.contradicted
            # So does what was done, and what was sent and not answered.
            self.requests.add(stored.leads, Progress(stored.model_dump()), reset=stored.reset)
            self._others = [*dict.fromkeys([*self._others, stored.request])]
            stored = None
        self.requests.includes_this = request_digest in self._others
        self.leads: int | None = stored.leads if stored else None
        """How many leads the stored progress is of; None without such."""
        self._about = {"request": request_digest, "reset": reset, "leads": leads}
        self.progress = Progress(stored.model_dump() if stored else {"contradicted": contradicted})
        self._saved = state if stored else self._state()
        if self._store is None and ti and ti.max_tries and request_digest:
            log.info(
                "A retry will repeat all leads: before Airflow 3.3 only an evidence_path lets it continue"
            )

    @property
    def is_kept(self) -> bool:
        """Whether Airflow has a place for it."""
        return self._store is not None

    def _state(self) -> dict[str, object]:
        return {
            "version": 1,
            **self._about,
            "others": self._others[-MOST_OTHERS:],
            **self.progress.as_json(),
            "earlier_requests": self.requests.as_json(self.progress),
        }

    def forget(self) -> None:
        """Delete what is stored, once the task has done all."""
        if self._store is None:
            return
        try:
            self._store.delete(self._key)
        except Exception as error:  # whatever it is: the task itself went well
            self._log.warning("Progress is not needed any more, and could not be deleted: %s", error)

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
        state = self._state()
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
