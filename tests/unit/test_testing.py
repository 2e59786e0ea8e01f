"""The fixtures for users' own tests; a whole project that uses them is in the integration tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.api import sliding_window
from support.dag_runs import airflow_version

pytest_plugins = ["airflow_provider_leadreset.testing"]

needs_approvals = pytest.mark.skipif(
    airflow_version() < (3, 1), reason="ApprovalOperator came with Airflow 3.1"
)


def test_loads_no_airflow():
    """Loading the fixtures loads no Airflow, whose environment a conftest may still have to set."""
    code = "import airflow_provider_leadreset.testing, sys; print('airflow' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_connection_leads_to_emulator(leadsquared):
    """The connection leads to the emulator, and its records are those of the test."""
    lead = leadsquared.add_lead()
    client = LeadResetHook().get_conn()
    assert client.host == leadsquared.host
    assert client.call("GET", "LeadManagement.svc/Leads.GetById", params={"id": lead})


class TestOtherConnection:
    """Overridden: the connection, and the emulator's arguments."""

    @pytest.fixture
    def leadsquared_conn_id(self):
        return "crm"

    @pytest.fixture
    def leadsquared_options(self):
        return {"calls_per_5s": 7}

    def test_overridden(self, leadsquared):
        """Another connection and other arguments are taken where they are overridden."""
        assert json.loads(os.environ["AIRFLOW_CONN_CRM"])["extra"] == {"calls_per_5s": 7}
        assert LeadResetHook("crm").get_conn().host == leadsquared.host


def test_short_pace_in_the_fixture_alone(request):
    """A task in a pool gives its slots back at once in a test that has the fixture, and in no other."""
    assert sliding_window.WINDOW == 5.0
    leadsquared = request.getfixturevalue("leadsquared")
    client = LeadResetHook().get_conn()
    for _ in range(30):
        client.current_user()
    window, clock = client.limiter.sliding_window, client.limiter.clock
    assert window.drained_at() - clock.now() <= 0.5
    assert len(leadsquared.calls) == 30
    assert all(call.status == 200 for call in leadsquared.calls)


def a_dag(**tasks: tuple[str, int]) -> Any:
    return SimpleNamespace(
        dag_id="clean_up",
        tasks=[
            SimpleNamespace(task_id=name, pool=pool, pool_slots=slots)
            for name, (pool, slots) in tasks.items()
        ],
    )


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"a": ("crm", 26)}, "a takes 26 slots of the pool 'crm', which has 25"),
        ({"a": ("cmr", 1), "b": ("crm", 25)}, "a is in the pool 'cmr', which does not exist: such"),
        ({"a": ("cmr", 1), "b": ("crm", 30)}, "'cmr', which does not exist; b takes 30 slots"),
    ],
)
def test_tasks_that_would_never_start(check_pools, tasks, message):
    """A task whose pool is missing or too small is named, with the pools that there are."""
    with pytest.raises(AssertionError, match=message) as caught:
        check_pools(a_dag(**tasks), {"crm": 25})
    assert "Pools are: crm (25), default_pool (128)" in str(caught.value)


def test_pools_that_are_large_enough(check_pools):
    """Pools that are as large as the tasks need pass; one of -1 slots has no limit."""
    check_pools(a_dag(a=("crm", 25), b=("default_pool", 1), c=("free", 500)), {"crm": 25, "free": -1})


@pytest.mark.usefixtures("airflow_db")
def test_pools_of_this_airflow(check_pools):
    """Without a mapping, the pools are those of Airflow's own database."""
    check_pools(a_dag(a=("default_pool", 1)))
    with pytest.raises(AssertionError, match="'crm', which does not exist: such a task never starts"):
        check_pools(a_dag(a=("crm", 1)))


def approval(**given: Any) -> Any:
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    return ApprovalOperator(task_id="approve", subject="Delete?", **given)


@needs_approvals
def test_unanswered_approval_fails(unanswered_approvals):
    """An approval that nobody answers fails its task at once, for good, and says what to write."""
    from airflow_provider_leadreset.compat import AirflowFailException

    with pytest.raises(AirflowFailException, match=r"nobody answers the approval approve: take .*approve_as"):
        approval().execute({})


@needs_approvals
def test_approval_is_answered(approve_as):
    """An approval is answered by who is named; the reset takes it for a yes."""
    from airflow_provider_leadreset.leadsquared.safety.approval import checked_approval

    approve_as("reviewer")
    answer = approval().execute({"ti": None})
    assert answer["chosen_options"] == ["Approve"]
    assert answer["responded_by_user"] == {"id": "reviewer", "name": "reviewer"}
    assert checked_approval(json.loads(json.dumps(answer, default=str)))
    approve_as("someone else", "Reject")
    assert approval().execute({"ti": None})["chosen_options"] == ["Reject"]


@needs_approvals
def test_digest_is_typed(approve_as):
    """A param called digest gets what an approver would type: the beginning of the digest that was shown."""
    from airflow.sdk import DAG, Param

    from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator

    with DAG("typed", schedule=None):
        ask = approval(params={"digest": Param("", type="string"), "why": Param("x", type="string")})
        (
            LeadResetPreviewOperator(task_id="preview", prospect_ids="x", activity_event_list=[1], window="x")
            >> ask
        )
    pulled = {"preview": {"digest": "0123456789abcdef", "plan": "x"}}
    ti = SimpleNamespace(map_index=-1, xcom_pull=lambda task_ids, map_indexes: pulled[task_ids])
    approve_as("reviewer")
    assert ask.execute({"ti": ti})["params_input"] == {"digest": "01234567", "why": "x"}
    approve_as("reviewer", params={"digest": "wrong"})
    assert ask.execute({"ti": ti})["params_input"]["digest"] == "wrong"


@pytest.mark.skipif(airflow_version() >= (3, 1), reason="it has approvals")
def test_approvals_need_a_newer_airflow(approve_as, leadsquared):
    """Where there are no approvals, the emulator works all the same, and an answer says what it needs."""
    with pytest.raises(RuntimeError, match=r"needs Airflow 3.1"):
        approve_as("reviewer")
