"""The moment that a run stands for, by its type; real runs of both Airflows are in the integration tests."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.runtime.run_moment import run_moment

START, END, LOGICAL, AFTER = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3, 4))


class Kind(StrEnum):
    """As Airflow's own."""

    SCHEDULED = "scheduled"


def a_run(run_type: Any, **others: Any) -> SimpleNamespace:
    given = {
        "run_type": run_type,
        "data_interval_start": START,
        "data_interval_end": END,
        "logical_date": LOGICAL,
        "run_after": AFTER,
        "start_date": datetime(2026, 11, 9, tzinfo=UTC),
        **others,
    }
    return SimpleNamespace(**{name: value for name, value in given.items() if value != "missing"})


@pytest.mark.parametrize(
    ("run", "moment"),
    [
        (a_run("scheduled"), END),
        (a_run(Kind.SCHEDULED), END),
        (a_run("backfill"), END),
        (a_run("scheduled", data_interval_end=None), AFTER),
        (a_run("manual"), LOGICAL),
        (a_run("manual", logical_date=None), AFTER),
        (a_run("manual", run_after="missing"), LOGICAL),
        (a_run("operator_triggered"), LOGICAL),
        (a_run("operator_triggered", logical_date=None, data_interval_end=None), AFTER),
        (a_run("asset_triggered", logical_date=None, data_interval_end=None), AFTER),
        (a_run("asset_triggered"), AFTER),
        (a_run("dataset_triggered", run_after="missing"), LOGICAL),
        (a_run("asset_materialization"), AFTER),
        (a_run("one of next year"), AFTER),
        (a_run("one of next year", run_after="missing"), LOGICAL),
        (SimpleNamespace(run_after=AFTER), AFTER),
    ],
)
def test_moment_by_type(run, moment):
    """Each type of run stands for its moment; one that is not known for when it was due; none for its start."""
    assert run_moment({"dag_run": run}) == moment


def test_no_run():
    """Without a run there is no moment."""
    assert run_moment({}) is None
