"""The task group as a DAG file makes it: what its tasks are given, and what is refused when the DAG loads."""

from __future__ import annotations

import inspect
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from airflow_provider_leadreset.compat import BaseOperator
from airflow_provider_leadreset.leadsquared.safety.approval import DIGEST_CHARACTERS, DIGEST_PARAM
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup
from airflow_provider_leadreset.testing import DIGEST_SHOWN
from support.dag_runs import airflow_version

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG

needs_approvals = pytest.mark.skipif(
    airflow_version() < (3, 1), reason="the ApprovalOperator came with Airflow 3.1"
)
LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
HOLD = "HOLD"
ASKED: dict[str, Any] = {
    "prospect_ids": LEAD,
    "window": "2026-09-01/2026-10-01",
    "activity_event_list": [166],
    "evidence_path": "/mnt/evidence",
    "archive": True,
}


class Ticket(BaseOperator):
    """Stands for a task that looks a ticket up."""


def ticket(preview: Any) -> BaseOperator:
    assert preview.operator.task_id.endswith("preview")
    return Ticket(task_id="ticket", trigger_rule="all_success")


def a_group(**given: Any) -> LeadResetTaskGroup:
    of_dag = given.pop("of_dag", {})
    with DAG("a", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), default_args=of_dag):
        return LeadResetTaskGroup("clean_up", **{"approve_with": ticket, **ASKED, **given})


def three(group: LeadResetTaskGroup) -> tuple[Any, Any, Any]:
    return group.preview, group.reset, group.verify


def test_takes_what_the_reset_takes():
    """The group names every argument of the reset but those that it settles itself, and no variable ones."""
    own = inspect.signature(LeadResetTaskGroup.__init__).parameters
    resets = inspect.signature(LeadResetOperator.__init__).parameters
    assert set(resets) - set(own) == {"plan", "approval", "kwargs"}
    assert set(own) - set(resets) == {
        *("group_id", "names", "pool", "pool_slots", "assigned_users", "approve_with"),
        *("prefix_group_id", "default_args", "tooltip", "add_suffix_on_collision"),
    }
    assert own["archive"].default is inspect.Parameter.empty
    left = {
        name: one.default for name, one in own.items() if name in resets and name not in ("self", "archive")
    }
    assert set(left.values()) == {NOT_GIVEN}


def test_arguments_reach_their_tasks():
    """Each argument reaches the tasks that it is of, and no other."""
    group = a_group(
        exclude=[HOLD],
        timezone="Asia/Kolkata",
        reason="why",
        names=True,
        max_plan_age=timedelta(days=1),
        max_leads=5,
        max_records=6,
        max_calls=7,
        max_failed_leads=8,
        leadsquared_conn_id="crm",
        pool="crm",
        pool_slots=9,
    )
    preview, reset, verify = three(group)
    for one in (preview, reset, verify):
        assert (one.max_leads, one.leadsquared_conn_id, one.pool, one.pool_slots) == (5, "crm", "crm", 9)
    assert (preview.names, preview.timezone, preview.max_calls) == (True, "Asia/Kolkata", 7)
    assert (reset.reason, reset.max_plan_age, reset.max_records) == ("why", timedelta(days=1), 6)
    assert (reset.max_calls, reset.max_failed_leads, reset.archive) == (7, 8, True)
    assert reset.exclude == verify.exclude == [HOLD]
    assert reset.plan.operator is verify.plan.operator is preview
    assert reset.approval.operator is group.approve
    assert verify.mode == "reschedule"


def test_default_args_are_not_overruled():
    """What is left out is left to default_args, of the DAG or the group: no default of the group's own wins."""
    group = a_group(
        of_dag={"leadsquared_conn_id": "crm", "retries": 3},
        default_args={"max_leads": 5, "poke_interval": 7},
    )
    assert [one.leadsquared_conn_id for one in three(group)] == ["crm"] * 3
    assert [one.max_leads for one in three(group)] == [5] * 3
    assert group.verify.poke_interval == 7
    assert group.approve.retries == 3


def test_order_and_trigger_rules():
    """The four follow one another, under all_success whatever default_args say."""
    group = a_group(of_dag={"trigger_rule": "none_failed"})
    names = ["preview", "ticket", "reset", "verify"]
    assert [one.task_id for one in (group.preview, group.approve, group.reset, group.verify)] == [
        f"clean_up.{name}" for name in names
    ]
    for one, after in pairwise(names):
        assert f"clean_up.{after}" in group.reset.dag.get_task(f"clean_up.{one}").downstream_task_ids
    rules = {str(getattr(one.trigger_rule, "value", one.trigger_rule)) for one in group.reset.dag.tasks}
    assert rules == {"all_success"}


@pytest.mark.parametrize(
    "name",
    ["pool", "pool_slots", "assigned_users", "approve_with", "window", "exclude", "max_calls", "names"],
)
def test_none_is_no_value(name):
    """None is refused when the DAG loads, and named."""
    given = {"approve_with": NOT_GIVEN} if name == "assigned_users" else {}
    with pytest.raises(ValueError, match=rf"^task.* clean_up.*{name} came to None: leave it out"):
        a_group(**given, **{name: None})


def test_archive_must_be_said():
    """Whether a copy is kept has no default, and is True or False."""
    with pytest.raises(TypeError, match="archive"), DAG("a", schedule=None):
        LeadResetTaskGroup("clean_up", **{name: value for name, value in ASKED.items() if name != "archive"})
    with pytest.raises(ValueError, match=r"^task clean_up.reset: archive is 'yes': give True or False"):
        a_group(archive="yes")


def test_plan_needs_a_place():
    """Without an evidence_path there is no plan to approve; it may come from default_args."""
    with pytest.raises(ValueError, match=r"^task group clean_up: give an evidence_path: the plan"):
        a_group(evidence_path=NOT_GIVEN)
    assert (
        a_group(evidence_path=NOT_GIVEN, default_args={"evidence_path": "/mnt"}).reset.evidence_path == "/mnt"
    )


def test_without_approval_operator(monkeypatch):
    """Where Airflow cannot ask, and nothing else is to, the DAG does not load, and the text says what to give."""
    monkeypatch.setitem(sys.modules, "airflow.providers.standard.operators.hitl", None)
    with pytest.raises(
        ValueError, match=r"^task group clean_up: Airflow's ApprovalOperator .* Give approve_with="
    ):
        a_group(approve_with=NOT_GIVEN)


@pytest.mark.parametrize("made", [None, "approve", {"approved": True, "by": "Asha"}])
def test_approve_with_makes_a_task(made):
    """What approve_with returns is a task or its output."""
    with pytest.raises(TypeError, match=r"^task group clean_up: approve_with gave .*: return the task"):
        a_group(approve_with=lambda preview: made)


def test_approve_with_keeps_the_rule():
    """A task that approves under another trigger rule may say yes to what no preview has shown."""
    with pytest.raises(ValueError, match=r"approve_with made clean_up.t with trigger_rule=all_done"):
        a_group(approve_with=lambda preview: Ticket(task_id="t", trigger_rule="all_done"))


def test_users_are_of_the_question():
    """Who may answer is told to Airflow's own question alone."""
    with pytest.raises(ValueError, match="assigned_users is of Airflow's own approval"):
        a_group(assigned_users={"id": "1", "name": "Asha"})


@needs_approvals
def test_question(recwarn):
    """The question takes no slot of the account's pool, waits without a time-out, and has the digest's param alone."""
    users = ({"id": "1", "name": "Asha"}, {"id": "2", "name": "Meera"})
    group = a_group(
        approve_with=NOT_GIVEN,
        assigned_users=users,
        pool="crm",
        pool_slots=20,
        of_dag={"execution_timeout": timedelta(hours=1), "pool": "crm"},
    )
    ask: Any = group.approve
    assert (ask.pool, ask.pool_slots, ask.execution_timeout, ask.response_timeout) == (
        "default_pool",
        1,
        None,
        None,
    )
    assert ask.assigned_users == list(users)
    assert list(ask.params) == [DIGEST_PARAM]
    assert f"{DIGEST_CHARACTERS} characters" in ask.params.get_param(DIGEST_PARAM).schema["title"]
    assert DIGEST_SHOWN == DIGEST_CHARACTERS
    assert "clean_up.preview" in ask.body
    assert group.reset.approval_names_plan
    assert not a_group().reset.approval_names_plan
