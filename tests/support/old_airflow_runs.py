"""What Airflow 2 does by its interface, its API and its command line, in one process: COMMAND [DAG …]."""

from __future__ import annotations

import sys
from datetime import datetime


def start(run_id: str, date: str | None, *dag_ids: str) -> None:
    """Start a run by hand, with a logical date or without."""
    from airflow.api.common.trigger_dag import trigger_dag

    for dag_id in dag_ids:
        trigger_dag(
            dag_id,
            run_id=run_id,
            execution_date=datetime.fromisoformat(date) if date else None,
            replace_microseconds=False,
        )


def clear(run_id: str, *dag_ids: str) -> None:
    """Clear a finished run."""
    from airflow.models import DagBag, DagRun

    bag = DagBag(read_dags_from_db=True)
    for dag_id in dag_ids:
        (run,) = DagRun.find(dag_id=dag_id, run_id=run_id)
        bag.get_dag(dag_id).clear(start_date=run.execution_date, end_date=run.execution_date)


if __name__ == "__main__":
    if sys.argv[1] == "clear":
        clear(*sys.argv[2:])
    else:
        start("ui", "2026-03-05T10:20:30+00:00", "cron", "interval", "none")
        start("api", None, "cron", "interval", "none", "source", "trigger")
