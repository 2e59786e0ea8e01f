"""The task group in real DAG runs: a yes resets what was shown, a no runs neither reset nor verification."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset.testing import (
    approve_as,
    leadsquared,
    leadsquared_conn_id,
    leadsquared_options,
    short_pace,
    unanswered_approvals,
)
from support.dag_runs import Run, Runner, airflow_version, load_dag_file

__all__ = [
    "approve_as",
    "leadsquared",
    "leadsquared_conn_id",
    "leadsquared_options",
    "short_pace",
    "unanswered_approvals",
]

pytestmark = pytest.mark.usefixtures("airflow_db")

with_approval = pytest.mark.skipif(
    airflow_version() < (3, 1), reason="the ApprovalOperator came with Airflow 3.1"
)
AUGUST, SEPTEMBER = "2026-08-15 10:00:00", "2026-09-15 10:00:00"
TASKS = ("preview", "approve", "reset", "verify")


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("group_dags")


@pytest.fixture
def lsq(leadsquared: Any) -> Any:
    """A LeadSquared with a short pace: a group makes more calls than 5 seconds have."""
    return leadsquared


@pytest.fixture
def world(lsq: Any) -> list[str]:
    """Two leads with a test call and a note in August and as many in September."""
    lsq.add_activity_type(166, "Test call")
    leads = [lsq.add_lead(first_name="As|ha", last_name=f"*{number}*") for number in range(2)]
    for lead in leads:
        for when in (AUGUST, SEPTEMBER):
            lsq.add_activity(lead, 166, when)
            lsq.add_note(lead, "a note", when)
    return leads


@pytest.fixture
def group(run: Runner, world: list[str], tmp_path: Path) -> Callable[..., Run]:
    return lambda dag, **conf: run(dag, leads=world, evidence=str(tmp_path), **conf)


def months_left(lsq: Any, lead: str) -> list[str]:
    lsq.wait_until_idle()
    remaining = lsq.remaining(lead)
    return sorted(row["created_on"][:7] for kind in ("activities", "notes") for row in remaining[kind])


def states(result: Run, prefix: str, tasks: tuple[str, ...] = TASKS) -> list[list[str]]:
    return [sorted(result.states(f"{prefix}{name}")) for name in tasks]


@with_approval
def test_yes_resets_what_was_shown(lsq, world, dags, group, approve_as, tmp_path):
    """After a yes what was shown goes, and is verified; what was shown and typed is kept."""
    approve_as("Asha")
    result = group(dags.approved)
    assert states(result, "") == [["success"]] * 4
    assert [months_left(lsq, lead) for lead in world] == [["2026-08"] * 2] * 2
    (preview,), (summary,), (verification,) = (result.xcoms(name) for name in ("preview", "reset", "verify"))
    assert summary["approval"]["params_input"] == {"digest": preview["digest"][:8]}
    assert (verification["gone"], verification["records"]) == (4, 4)
    (shown,) = tmp_path.rglob("*-shown.md")
    assert shown.read_text() == preview["markdown"]
    text = preview["markdown"]
    for part in (
        "### 4 records of 2 leads would be deleted",
        "Records created from 2026-09-01 00:00:00 up to, not including, 2026-10-01 00:00:00 Asia/Kolkata",
        "| kind | type | records | oldest (Asia/Kolkata) | newest (Asia/Kolkata) |",
        "| activities | Test call (166) | 2 | 2026-09-15 15:30 | 2026-09-15 15:30 |",
        "| lead | name | activities | notes |",
        f"| [{world[0]}]({lsq.url}/LeadManagement/LeadDetails?LeadID={world[0]}) | As\\|ha \\*0\\* | 1 | 1 |",
        "The reset makes 7 calls at least, 25 in any 5 seconds: a few seconds.",
        "A copy of each record is kept with the evidence before it goes.",
        "This text has names of leads. It is kept in",
    ):
        assert part in text
    assert text.endswith(f"The plan's digest begins with `{preview['digest'][:8]}`.")


@with_approval
def test_no_runs_nothing(lsq, world, dags, group, approve_as):
    """A rejected approval runs neither reset nor verification, whatever rule default_args name."""
    approve_as("Asha", "Reject", {"digest": ""})
    result = group(dags.approved)
    assert states(result, "") == [["success"], ["success"], ["skipped"], ["skipped"]]
    assert lsq.resets == []


@with_approval
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"digest": ""}, "the approver did not type how the plan's digest begins"),
        ({"digest": None}, "the approver did not type how the plan's digest begins"),
        ({"digest": "00000000"}, "another plan was looked at, or it is a slip"),
    ],
)
def test_yes_without_the_digest(lsq, world, dags, group, approve_as, typed, said, capfd):
    """A yes that does not name the plan resets nothing."""
    approve_as("Asha", params=typed)
    result = group(dags.approved)
    assert states(result, "") == [["success"], ["success"], ["failed"], ["upstream_failed"]]
    assert lsq.resets == []
    assert said in capfd.readouterr().out


@with_approval
def test_yes_by_api_without_params(lsq, dags, group, approve_as, monkeypatch):
    """A yes whose params were left out, as Airflow's API allows, resets nothing."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    approve_as("Asha")
    complete = ApprovalOperator.execute_complete
    monkeypatch.setattr(
        ApprovalOperator,
        "execute_complete",
        lambda self, context, event: complete(self, context, {**event, "params_input": {}}),
    )
    assert group(dags.approved).states("reset") == ["failed"]
    assert lsq.resets == []


@with_approval
def test_mapped_months_answered_apart(lsq, world, dags, group, approve_as, monkeypatch):
    """Of a group mapped over months each is asked about by itself: one is approved, and goes; the other stays."""
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    approve_as("Asha")
    complete = ApprovalOperator.execute_complete

    def august_alone(self: Any, context: Any, event: Any) -> Any:
        if context["ti"].map_index:
            event = {**event, "chosen_options": ["Reject"]}
        return complete(self, context, event)

    monkeypatch.setattr(ApprovalOperator, "execute_complete", august_alone)
    result = group(dags.approved_months)
    both, one = ["success"] * 2, ["skipped", "success"]
    assert states(result, "approved_month.clean_up.") == [both, both, one, one]
    assert [months_left(lsq, lead) for lead in world] == [["2026-09"] * 2] * 2


@pytest.mark.parametrize(("says", "state"), [("yes", "success"), ("no", "skipped")])
def test_approve_with_a_ticket(lsq, world, dags, group, says, state, tmp_path):
    """A task of one's own approves, on every Airflow, and sees the preview; its no runs nothing."""
    result = group(dags.ticketed, says=says)
    assert states(result, "clean_up.", ("preview", "ticket", "reset", "verify")) == [
        ["success"],
        *[[state]] * 3,
    ]
    assert len(lsq.resets) == (2 if says == "yes" else 0)
    if says == "yes":
        (preview,), (summary,) = result.xcoms("clean_up.preview"), result.xcoms("clean_up.reset")
        assert summary["approval"]["plan"] == preview["digest"]


def test_mapped_months_with_tickets(lsq, world, dags, group):
    """A ticket's no to one month leaves the others alone."""
    result = group(dags.ticketed_months, says=["no", "yes"])
    names = ("preview", "ticket", "reset", "verify")
    one = ["skipped", "success"]
    assert states(result, "ticketed_month.clean_up.", names) == [["success"] * 2, one, one, one]
    assert [months_left(lsq, lead) for lead in world] == [["2026-08"] * 2] * 2


def test_held_leads_are_not_verified(lsq, world, dags, group, tmp_path):
    """Leads of exclude are neither reset nor waited for."""
    result = group(dags.ticketed, says="yes", hold=[world[0]])
    assert result.states("clean_up.verify") == ["success"]
    assert [call.prospect_id for call in lsq.resets] == [world[1]]
    (verification,) = result.xcoms("clean_up.verify")
    assert (verification["leads_done"], verification["excluded"]) == (1, 1)
    assert (verification["gone"], verification["records"]) == (2, 2)
    (kept,) = tmp_path.rglob("*-verification.json")
    assert json.loads(kept.read_text())["excluded"] == 1
    (preview,) = result.xcoms("clean_up.preview")
    assert "Leads that the reset's exclude names" in preview["markdown"]
