"""The moment that a DAG run stands for: the same at each retry and after a Clear, on every Airflow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context

PLANNED = ("scheduled", "backfill")
"""Types of runs that a timetable makes."""

ASKED_FOR = ("manual", "operator_triggered")
"""Types of runs that a person, a program or a task asks for. Before Airflow 3.1 a task's are manual, too."""


def run_moment(context: Context) -> datetime | None:
    """Return the moment of a DAG run, as an aware datetime; None in a context without a DAG run.

    - scheduled and backfill: the data interval's end
    - manual (by UI, CLI and API), operator-triggered: the logical date where there is one, else ``run_after``. The data
      interval would not do: in a run by hand it ends on 1 November on one version and on 25 November on another (tried)
    - made by assets, and any type that is not named here: ``run_after``; Airflow 2 has none, there the logical date

    The run's start would not do: a Clear moves that, and what was made since the first try would go.
    """
    run: object = context.get("dag_run")
    if run is None:
        return None
    # A unit test may call the task with some of it only.
    due, logical_date, interval_end = (
        getattr(run, name, None) for name in ("run_after", "logical_date", "data_interval_end")
    )
    kind = getattr(run, "run_type", None)
    kind = getattr(kind, "value", kind)  # text, or a member of an enum
    if kind in PLANNED:
        due = interval_end or due
    elif kind in ASKED_FOR:
        due = logical_date or due
    return due or logical_date
