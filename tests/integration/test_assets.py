"""Assets in real DAG runs: what a reset's events carry, and the DAG that they start."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.batch.outcomes import OUTCOMES
from support.dag_runs import a_lead, is_airflow_2, load_dag_file

ACCOUNT = "leadsquared://api-in21.leadsquared.com"
IN_KOLKATA = "2026-08-31T18:30:00Z/2026-09-30T18:30:00Z"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
WINDOW = "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("link_dags")


@pytest.fixture(scope="module")
def account_dags(airflow_db: None) -> ModuleType:
    return load_dag_file("account_dags")


@pytest.fixture(scope="module")
def example(airflow_db: None) -> ModuleType:
    return load_dag_file("example_asset_consumer")


@pytest.fixture(scope="module", autouse=True)
def known_to_airflow(airflow_db: None) -> None:
    """Have the DAGs and their assets in the database, and none paused, as where a scheduler runs."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    command = [sys.executable, "-m", "airflow", "dags", "reserialize"]
    subprocess.run(command, capture_output=True, check=False)  # fails for DAG files of a later Airflow
    with create_session() as session:
        session.query(DagModel).update({"is_paused": False})


@pytest.fixture
def triggered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the next run of a DAG be triggered by asset events, as the scheduler creates it."""

    from airflow.models import dag, dagrun

    def by(events: list[Any]) -> None:
        ids = [event_id for _, event_id, _ in events]
        if is_airflow_2():
            from airflow.models.dataset import DatasetEvent as AssetEvent

            consumed = "consumed_dataset_events"
        else:
            from airflow.models.asset import AssetEvent

            consumed = "consumed_asset_events"
        places = ((dagrun, "get_or_create_dagrun"), (dag, "_get_or_create_dagrun"))  # the second before 3.1
        ((module, maker),) = [place for place in places if hasattr(*place)]
        make = getattr(module, maker)

        def with_events(*args: Any, session: Any, **kwargs: Any) -> Any:
            dag_run = make(*args, session=session, **kwargs)
            getattr(dag_run, consumed).extend(session.query(AssetEvent).filter(AssetEvent.id.in_(ids)))
            session.commit()
            return dag_run

        monkeypatch.setattr(module, maker, with_events)

    return by


def waiting(dag: Any) -> int:
    """How many assets of a DAG's schedule have news for it, from which the scheduler makes its next run."""
    from airflow.utils.session import create_session

    if is_airflow_2():
        from airflow.models.dataset import DatasetDagRunQueue as Queue
    else:
        from airflow.models.asset import AssetDagRunQueue as Queue
    with create_session() as session:
        return session.query(Queue).filter_by(target_dag_id=dag.dag_id).count()


def events_of(dag: Any, result: Any) -> Any:
    """Return id, URI and extra of a run's asset events, by URI."""
    from airflow.utils.session import create_session

    if is_airflow_2():
        from airflow.models.dataset import DatasetEvent as AssetEvent
    else:
        from airflow.models.asset import AssetEvent
    with create_session() as session:
        found = session.query(AssetEvent).filter_by(
            source_dag_id=dag.dag_id, source_run_id=result.dag_run.run_id
        )
        return sorted((event.uri, event.id, event.extra) for event in found)


def test_outlet_events_carry_summary(dags, lsq, run):
    """The event of each outlet carries what was reset."""
    result = run(dags.with_outlets, leads=[a_lead(lsq), a_lead(lsq)])
    assert result.state == "success"
    carried = {
        "account": lsq.host,
        "window": WINDOW,
        "selectors": {"activity_event_list": [166], "should_delete_prospect_notes": True},
        "leads": 2,
        "queued": 2,
        "failed": 0,
        "unknown": 0,
        "unanswered": 0,
        "nothing_to_reset": 0,
        "excluded": 0,
        "not_reached": 0,
        "failed_by_reason": {},
        "evidence_digest": None,
    }
    assert [(uri, extra) for uri, _, extra in events_of(dags.with_outlets, result)] == [
        (f"{ACCOUNT}/activities", carried),
        (f"{ACCOUNT}/notes", carried),
    ]


def carried_by(lsq: Any, selectors: dict[str, Any], leads: int = 1) -> dict[str, Any]:
    return {
        "account": lsq.host,
        "window": WINDOW,
        "selectors": selectors,
        "leads": leads,
        **dict.fromkeys(OUTCOMES, 0),
        "queued": leads,
        "failed_by_reason": {},
        "evidence_digest": None,
    }


NOTES_ONLY = {"should_delete_prospect_notes": True}


@pytest.mark.skipif(is_airflow_2(), reason="references came with Airflow 3")
def test_events_of_references(account_dags, lsq, run):
    """The events of outlets that are named by URI or by name carry what was reset."""
    result = run(account_dags.with_references, leads=[a_lead(lsq)])
    assert result.state == "success"
    told = [(uri, extra) for uri, _, extra in events_of(account_dags.with_references, result)]
    assert told == [
        (f"{ACCOUNT}/activities", carried_by(lsq, NOTES_ONLY)),
        (f"{ACCOUNT}/cleaned", carried_by(lsq, NOTES_ONLY)),
    ]


def test_event_of_alias(account_dags, lsq, run):
    """An alias gets an event of the account's leads, which carries what was reset."""
    result = run(account_dags.with_alias, leads=[a_lead(lsq)])
    assert result.state == "success"
    told = [(uri, extra) for uri, _, extra in events_of(account_dags.with_alias, result)]
    carried = carried_by(lsq, NOTES_ONLY) | {
        "selectors": json.dumps(NOTES_ONLY),
        "failed_by_reason": "{}",
    }
    assert told == [(f"leadsquared://{lsq.host}/leads", carried)]


@pytest.mark.parametrize("leads", [[UNKNOWN], []])
def test_no_event_without_reset(dags, lsq, run, leads):
    """A reset that failed or was skipped has no event."""
    result = run(dags.with_outlets, leads=leads)
    assert result.states() == ["failed" if leads else "skipped"]
    assert events_of(dags.with_outlets, result) == []


def test_example_consumer_follows_cleanup(example, lsq, run, triggered):
    """The consumer of the example is due after a clean-up and tells of it."""
    producer, consumer = example.example_asset_producer(), example.example_asset_consumer()
    assert run(consumer).xcoms("tell") == [[]]  # by hand
    before = waiting(consumer)
    cleaned = run(producer, leads=[a_lead(lsq)])
    assert (before, waiting(consumer)) == (0, 1)
    triggered(events_of(producer, cleaned))
    told = run(consumer)
    assert told.state == "success"
    assert told.xcoms("tell") == [
        [f"1 of 1 leads at {lsq.host}: {{'activity_event_list': [166]}}, created in {IN_KOLKATA}"]
    ]
