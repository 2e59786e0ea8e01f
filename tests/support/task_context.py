"""A context for calling a task directly: just what an operator or a sensor asks of Airflow's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class StateStore(dict[str, Any]):
    """As Airflow keeps a task's state between its tries."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def task_context(task_id: str = "reset", *, run_id: str = "r", try_number: int = 1, **more: Any) -> Any:
    """Return a context; ``context["ti"].xcoms`` is what the task pushed.

    :param more: further keys, such as ``task_state_store``.
    """
    xcoms: dict[str, Any] = {}
    ti = SimpleNamespace(
        dag_id="d",
        run_id=run_id,
        task_id=task_id,
        map_index=-1,
        try_number=try_number,
        max_tries=1,
        xcoms=xcoms,
        xcom_push=lambda *, key, value: xcoms.update({key: value}),
    )
    return {"ti": ti, "dag_run": SimpleNamespace(clear_number=0, run_after=None), **more}
