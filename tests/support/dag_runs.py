"""Running DAGs in this process, and looking at what became of leads."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

IN_WINDOW, OUTSIDE = "2026-09-15 10:00:00", "2026-10-01 00:00:00"


class Runner:
    """Runs a DAG once and gives its run's state and what the reset task left in XCom."""

    def __call__(self, dag: Any, logical_date: Any = "now", run_after: Any = None, **conf: Any) -> Run:
        date = datetime.now(UTC) if logical_date == "now" else logical_date
        if is_airflow_2():
            return Run(_tested(dag, date, conf))
        return Run(dag.test(logical_date=date, run_after=run_after, run_conf=conf))


def _tested(dag: Any, date: datetime, conf: dict[str, Any]) -> Any:
    """Run a DAG on Airflow 2, whose ``test`` a task's time-out leaves, as it is no ``Exception`` there."""
    from airflow.exceptions import AirflowTaskTimeout

    try:
        return dag.test(execution_date=date, run_conf=conf)
    except AirflowTaskTimeout:
        dag_run = dag.get_dagrun(execution_date=date)
        dag_run.dag = dag
        dag_run.update_state()
        return dag_run


def airflow_version() -> tuple[int, int]:
    from airflow import __version__

    major, minor, *_ = __version__.split(".")
    return int(major), int(minor)


def is_airflow_2() -> bool:
    return airflow_version() < (3, 0)


def printed(capfd: Any) -> str:
    """What was printed, without the lines in which Airflow 3.0 itself, run in one process, says what it is to mask."""
    lines = capfd.readouterr().out.splitlines()
    if airflow_version() == (3, 0):
        lines = [line for line in lines if "MaskSecret" not in line]
    return "\n".join(lines)


class Run:
    def __init__(self, dag_run: Any) -> None:
        self.dag_run = dag_run
        self.state = str(getattr(dag_run.state, "value", dag_run.state))

    def states(self, task_id: str = "reset") -> list[str]:
        return [
            str(getattr(ti.state, "value", ti.state))
            for ti in self.dag_run.get_task_instances()
            if ti.task_id == task_id
        ]

    def xcoms(self, task_id: str = "reset") -> list[Any]:
        from airflow.models import xcom
        from airflow.utils.session import create_session

        stored = xcom.XCom if is_airflow_2() else xcom.XComModel

        with create_session() as session:
            rows = session.query(stored).filter_by(
                dag_id=self.dag_run.dag_id, run_id=self.dag_run.run_id, task_id=task_id, key="return_value"
            )
            return [
                row.value if isinstance(row.value, (dict, list)) else json.loads(row.value) for row in rows
            ]


def clear(dag_id: str, run_id: str, task_id: str) -> int:
    """Clear a task of a run, as the user interface does; return how many instances of it that were."""
    from airflow.models.taskinstance import TaskInstance, clear_task_instances
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(TaskInstance).filter_by(dag_id=dag_id, run_id=run_id, task_id=task_id).all()
        clear_task_instances(found, session)
        return len(found)


def a_lead(lsq: Any) -> str:
    lead = lsq.add_lead()
    lsq.add_activity(lead, 166, IN_WINDOW)
    lsq.add_activity(lead, 166, OUTSIDE)
    return lead


def left(lsq: Any, lead: str) -> list[str]:
    lsq.wait_until_idle()
    return sorted(str(record["created_on"])[:19] for record in lsq.remaining(lead)["activities"])


def load_dag_file(name: str) -> ModuleType:
    """Import a file of the DAGs folder."""
    spec = importlib.util.spec_from_file_location(
        name, Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], f"{name}.py")
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
