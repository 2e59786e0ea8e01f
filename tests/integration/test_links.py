"""The link to the lead, in real DAG runs: what the user interface of the installed Airflow is given."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
import requests

from airflow_provider_leadreset.links import EvidenceLink, LeadLink, links_of, push_links
from support.dag_runs import a_lead, is_airflow_2, load_dag_file

pytestmark = pytest.mark.usefixtures("airflow_db")
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("link_dags")


def shown(dag: Any, result: Any, name: str = "Lead in LeadSquared", map_index: int = -1) -> str:
    """Return the link as the webserver or API server does: from the serialized DAG and the database."""
    from airflow.models.taskinstancekey import TaskInstanceKey

    key = TaskInstanceKey(dag.dag_id, "reset", result.dag_run.run_id, 1, map_index)
    read = None
    if not is_airflow_2():
        from airflow.models.serialized_dag import SerializedDagModel
        from airflow.utils.session import create_session

        with create_session() as session:
            model = SerializedDagModel.get(dag.dag_id, session=session)
            read = model.dag if model else None
    if read is None:  # 2.11 and 3.0 do not keep a DAG that is run by dag.test()
        from airflow.serialization.serialized_objects import SerializedDAG

        read = SerializedDAG.from_dict(SerializedDAG.to_dict(dag))
    task = read.get_task("reset")
    (link,) = [link for link in task.operator_extra_links if link.name == name]
    return str(link.get_link(task, ti_key=key) or "")


def test_task_links_to_lead_page(dags, lsq, run):
    """A task of one lead links to the page of the lead."""
    lead = a_lead(lsq)
    result = run(dags.linked, leads=lead)
    assert result.state == "success"
    address = shown(dags.linked, result)
    assert address == f"{lsq.url}/LeadManagement/LeadDetails?LeadID={lead}"
    page = requests.get(address, timeout=10)
    assert page.status_code == 200
    assert lead in page.text
    assert lsq.access_key not in address
    assert shown(dags.linked, result, "Evidence") == ""


def test_failed_task_has_link(dags, lsq, run):
    """A task that failed has the link too."""
    result = run(dags.linked, leads=UNKNOWN)
    assert result.state == "failed"
    assert shown(dags.linked, result) == f"{lsq.url}/LeadManagement/LeadDetails?LeadID={UNKNOWN}"


def test_mapped_tasks_have_own_links(dags, lsq, run):
    """Each mapped task has a link of its own."""
    leads = [a_lead(lsq), a_lead(lsq)]
    result = run(dags.linked_mapped, leads=leads)
    assert result.state == "success"
    for index, lead in enumerate(leads):
        assert shown(dags.linked_mapped, result, map_index=index).endswith(f"?LeadID={lead}")


def test_many_leads_have_no_link(dags, lsq, run):
    """A task of many leads has no link."""
    result = run(dags.linked, leads=[a_lead(lsq), a_lead(lsq)])
    assert result.state == "success"
    assert shown(dags.linked, result) == ""


def test_link_precedes_first_call(dags, lsq, run, monkeypatch):
    """The addresses are known before the first call about a lead; on Airflow 2 they are pushed then."""
    known, pushed = [], []

    def making(**given):
        known.append(len(lsq.resets))
        return links_of(**given)

    def pushing(*args, **kwargs):
        pushed.append(len(lsq.resets))
        return push_links(*args, **kwargs)

    monkeypatch.setattr("airflow_provider_leadreset.runtime.base.links_of", making)
    monkeypatch.setattr("airflow_provider_leadreset.runtime.base.push_links", pushing)
    run(dags.linked, leads=a_lead(lsq))
    assert (known, pushed) == ([0], [0] if is_airflow_2() else [])
    assert len(lsq.resets) == 1


@pytest.fixture
def written(monkeypatch):
    """Return the keys of XComs that a task writes, each time that it does; on Airflow 3."""
    from airflow.sdk.execution_time.xcom import XCom

    keys = []
    for name in ("set", "_set_xcom_in_db"):
        before = getattr(XCom, name)

        def note(key, value, *args, _before=before, **given):
            keys.append((given["task_id"], key, value))
            return _before(key, value, *args, **given)

        monkeypatch.setattr(XCom, name, note)
    return keys


@pytest.mark.skipif(is_airflow_2(), reason="Airflow 2 keeps XComs in its database, from the task itself")
@pytest.mark.parametrize(("given", "state"), [("one", "success"), ("unknown", "failed")])
def test_xcoms_are_written_once(dags, lsq, run, written, given, state):
    """Summary and links are each written once, of a task that goes well and of one that fails."""
    result = run(dags.linked, leads=a_lead(lsq) if given == "one" else UNKNOWN)
    assert result.state == state
    keys = [key for _, key, _ in written]
    assert sorted(keys) == ["leadsquared_evidence_url", "leadsquared_lead_url", "return_value"]


@pytest.mark.skipif(is_airflow_2(), reason="Airflow 2 asks for links in its webserver")
@pytest.mark.parametrize(
    ("leads", "state"), [([], "skipped"), ("", "failed")], ids=["no leads", "rendered to nothing"]
)
def test_early_end_has_empty_links(dags, lsq, run, written, caplog, capfd, leads, state):
    """A task that ends before it knows an address has empty links, and no error about them in its log."""
    assert run(dags.linked, leads=leads).states() == [state]
    assert {(key, value) for _, key, value in written} == {
        ("leadsquared_evidence_url", ""),
        ("leadsquared_lead_url", ""),
    }
    text = caplog.text + "".join(capfd.readouterr())
    assert "XCom not found" not in text
    assert "Failed to push" not in text


def test_link_uses_app_host(dags, lsq, run, monkeypatch):
    """The app host of the connection is in the link."""
    connection = json.loads(lsq.conn_json)
    connection["extra"]["app_host"] = "crm.example.com"
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    lead = a_lead(lsq)
    result = run(dags.linked, leads=lead)
    assert shown(dags.linked, result) == f"https://crm.example.com/LeadManagement/LeadDetails?LeadID={lead}"


class Pushed(dict):
    """A task instance that keeps what is pushed."""

    def xcom_push(self, key, value):
        self[key] = value


@pytest.mark.parametrize(
    ("evidence", "kept"),
    [
        ("https://files.example.com/e/try-1", True),
        ("http://127.0.0.1:9/e", True),
        ("https://asha:token@files.example.com/e", False),
        ("s3://bucket/e", False),
        ("file:///tmp/e", False),
        (None, False),
    ],
)
def test_evidence_link_needs_web_address(evidence, kept):
    """Evidence is linked to where it has an address on the web."""
    ti = Pushed()
    push_links(ti, evidence=evidence)
    assert ti == {LeadLink.xcom_key: "", EvidenceLink.xcom_key: evidence if kept else ""}
    assert LeadLink.xcom_key != EvidenceLink.xcom_key
