"""None is never a value, and only what may pass is retried: in real runs."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from support.dag_runs import IN_WINDOW, Run, load_dag_file

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("guard_dags")


@pytest.fixture
def lead(lsq: Any) -> str:
    made = lsq.add_lead()
    lsq.add_note(made, "a note", IN_WINDOW)
    return str(made)


def tries(result: Run, task_id: str) -> list[int]:
    return [ti.try_number for ti in result.dag_run.get_task_instances() if ti.task_id == task_id]


def ended(result: Run, task_id: str = "reset") -> tuple[list[str], list[int]]:
    return result.states(task_id), tries(result, task_id)


PERMANENT = (["failed"], [1])
RETRIED = (["failed"], [2])


@pytest.mark.parametrize(
    "guard",
    [
        *("plan", "approval", "evidence_path", "prospect_ids", "prospect_ids_path", "window", "max_records"),
        *("reason", "exclude"),
        *("activity_event_list", "task_type_list", "audit_activity_list", "should_delete_prospect_notes"),
    ],
)
def test_none_is_refused(lsq, dags, run, capfd, guard):
    """An argument that came to None ends the task at once, without a call, wherever the None comes from."""
    result = run(dags.GUARD_DAGS[guard])
    made = ["partial", "expand", "expand_kwargs", *(["skipped", "empty"] if guard in dags.TEMPLATED else [])]
    assert {name: ended(result, name) for name in made} == dict.fromkeys(made, PERMANENT)
    assert lsq.calls == []
    told = capfd.readouterr().out
    assert told.count(f"{guard} came to None: leave it out") >= len(made)


def test_none_in_defaults_of_mapped(lsq, dags, run, capfd):
    """A None in default_args reaches a mapped task, too, and is refused."""
    assert ended(run(dags.none_defaults_in_mapped)) == PERMANENT
    assert lsq.calls == []
    assert "approval came to None" in capfd.readouterr().out


def test_none_for_a_sensor(lsq, dags, run, capfd):
    """A sensor whose plan came to None fails, under soft_fail too."""
    assert ended(run(dags.none_for_sensor), "verify") == PERMANENT
    assert "plan came to None" in capfd.readouterr().out


@pytest.mark.parametrize("kind", ["syntax", "undefined", "type", "value", "zone", "key", "division"])
def test_broken_templates_not_retried(lsq, dags, run, capfd, kind):
    """A template that cannot be rendered ends the task at once, naming it."""
    assert ended(run(dags.TEMPLATE_DAGS[kind])) == PERMANENT
    told = capfd.readouterr().out
    assert " of task reset could not be rendered, from " in told
    assert "LeadResetInputError" in told


def test_key_of_a_skipped_task(lsq, dags, run, capfd):
    """What a skipped task did not return ends the task at once, and says so."""
    assert ended(run(dags.by_key_of_skipped)) == PERMANENT
    assert lsq.calls == []
    assert "prospect_ids came to None" in capfd.readouterr().out


def test_missing_file_is_retried(lsq, dags, run, capfd, tmp_path):
    """A file that is not there may be in a storage that is away."""
    assert ended(run(dags.with_file, path=str(tmp_path / "none.csv"))) == RETRIED
    assert lsq.calls == []
    assert "and there is no such file, or its storage is away" in capfd.readouterr().out


def test_relative_file_is_refused(lsq, dags, run, capfd):
    """A file of a worker's own working directory ends the task at once."""
    assert ended(run(dags.with_file, path="file://leads.csv")) == PERMANENT
    assert "prospect_ids_path is 'file://leads.csv', with two slashes" in capfd.readouterr().out


def test_time_out_without_a_reading(lsq, dags, run, capfd, monkeypatch):
    """A time-out at which nothing could be read is no skip: nobody would look at it."""
    connection = json.loads(lsq.conn_json) | {"host": "http://127.0.0.1:9"}
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    assert run(dags.sensor_away).states("verify") == ["failed"]
    assert "cannot be reached" in capfd.readouterr().out


@pytest.mark.parametrize("kind", ["variable", "connection", "backend"])
def test_missing_variables_are_retried(lsq, dags, run, capfd, kind):
    """What a template looks up elsewhere may come back, and Airflow cannot tell missing from away."""
    assert ended(run(dags.TEMPLATE_DAGS[kind])) == RETRIED
    told = capfd.readouterr().out
    assert "It is missing, or its secrets backend or database did not answer" in told
    assert "LeadResetResourceError" in told


def test_missing_connection_is_retried(lsq, dags, run, capfd):
    """A connection that is not found may be there at the next try."""
    assert ended(run(dags.by_conn, conn="no_such_connection")) == RETRIED
    told = capfd.readouterr().out
    assert "connection no_such_connection is not defined, or its secrets backend or database did not" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": ""}, "the connection's Host is"),
        ({"login": ""}, "the connection has no access key"),
        ({"extra": {"calls_per_5s": "many"}}, "the connection's calls_per_5s is 'many'"),
    ],
)
def test_useless_connection_not_retried(lsq, dags, run, capfd, monkeypatch, change, said):
    """A connection that was found and is of no use ends the task at once, naming it."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(json.loads(lsq.conn_json) | change))
    assert ended(run(dags.by_conn, conn="crm")) == PERMANENT
    assert f"connection crm: {said}" in capfd.readouterr().out


def test_wrong_keys_name_the_connection(lsq, dags, run, lead, capfd, monkeypatch):
    """Wrong keys end the task at once and name the connection."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", lsq.conn_json)
    lsq.fault("401", times=None)
    assert ended(run(dags.by_conn, conn="crm", leads=lead)) == PERMANENT
    told = capfd.readouterr().out
    assert "LeadResetAccessError" in told
    assert "connection crm: " in told


def test_connection_id_is_templated(lsq, dags, run, lead, monkeypatch):
    """The connection may be named by a template, and one that rendered to nothing is refused."""
    monkeypatch.setenv("AIRFLOW_CONN_CRM", lsq.conn_json)
    monkeypatch.delenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT")
    assert run(dags.by_conn, conn="crm", leads=lead).state == "success"
    assert [call.prospect_id for call in lsq.resets] == [lead]
    assert ended(run(dags.by_conn, conn="")) == PERMANENT


@pytest.mark.parametrize("path", ["s3x://bucket/x", "gs://bucket/x"])
@pytest.mark.parametrize("argument", ["evidence", "path"])
def test_unknown_storage_not_retried(lsq, dags, run, capfd, path, argument):
    """A storage that this Airflow does not have ends the task at once."""
    result = run(dags.with_evidence if argument == "evidence" else dags.with_file, **{argument: path})
    assert ended(result) == PERMANENT
    assert lsq.calls == []
    assert "in a storage that this worker's Airflow does not have" in capfd.readouterr().out


def test_file_as_evidence_path(lsq, dags, run, capfd, tmp_path):
    """An evidence path that is a file ends the task at once."""
    path = tmp_path / "file"
    path.write_text("x")
    assert ended(run(dags.with_evidence, evidence=str(path))) == PERMANENT
    assert lsq.resets == []
    assert "a path is no directory where one is needed" in capfd.readouterr().out


@pytest.mark.parametrize("error", [PermissionError("read-only"), OSError("no space left")])
def test_storage_errors_are_retried(lsq, dags, run, tmp_path, monkeypatch, error):
    """A storage that refuses or fails may be mended or come back."""

    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(EvidenceFolder, "write", refuse)
    assert ended(run(dags.with_evidence, evidence=str(tmp_path))) == RETRIED
    assert lsq.resets == []


def test_refused_values_not_retried(lsq, dags, run):
    """A value that is refused ends the task at once."""
    assert ended(run(dags.wrong_codes)) == PERMANENT


@pytest.mark.parametrize("way", ["soft_fail", "never_fail"])
@pytest.mark.parametrize("fault", ["keys", "host"])
def test_sensor_fails_for_a_person(lsq, dags, run, capfd, monkeypatch, way, fault):
    """What a person must mend fails a sensor, and is not skipped."""
    if fault == "keys":
        lsq.fault("401", times=None)
    else:
        connection = json.loads(lsq.conn_json) | {"host": ""}
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    assert ended(run(getattr(dags, f"sensor_{way}")), "verify") == PERMANENT
    assert "connection leadsquared_default: " in capfd.readouterr().out


def test_sensor_is_called_as_airflow_does(lsq, dags, run, lead, capfd):
    """A sensor runs where nested operators are forbidden, and its last poke says what is left at its time-out."""
    result = run(dags.sensor_alone, leads=lead)
    assert result.states("verify") == ["failed"]
    told = capfd.readouterr().out
    assert "cannot be called outside" not in told
    assert "Sensor has timed out" in told
    assert "0 of 1 lead done; 1 record" in told


def rendered(result: Run, task_id: str) -> dict[str, Any]:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session

    with create_session() as session:
        row = (
            session.query(RenderedTaskInstanceFields)
            .filter_by(dag_id=result.dag_run.dag_id, run_id=result.dag_run.run_id, task_id=task_id)
            .one()
        )
        fields: dict[str, Any] = row.rendered_fields
        return fields


@pytest.mark.parametrize("task_id", ["reset", "mapped"])
def test_planned_reset_shows_no_defaults(lsq, dags, run, lead, tmp_path, task_id):
    """Rendered Templates of a planned reset show nothing that contradicts the plan."""
    result = run(dags.planned, leads=lead, evidence=str(tmp_path))
    assert result.states("reset") == ["success"]
    shown = rendered(result, task_id)
    assert shown.pop("leadsquared_conn_id") == "leadsquared_default"
    assert shown.pop("plan")["digest"]
    assert set(shown.values()) == {"not given"}
    assert rendered(result, "preview")["timezone"] == "Asia/Kolkata"
