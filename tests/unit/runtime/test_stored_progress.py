"""What Airflow's store keeps of a task between its tries: small enough for it, and read whole or not at all."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.leadsquared.batch.progress import Progress
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.runtime.checkpoint import Checkpoint
from support.reset_tries import make_leads
from support.task_context import StateStore, task_context

KEY = "leadreset/1"
AIRFLOWS_LIMIT = 65_535
"""Bytes of a value of more than which Airflow warns (``[state_store] max_value_storage_bytes``, its default)."""


def lead(number: int) -> str:
    return f"{number:08x}-1111-1111-1111-111111111111"


def checkpoint(store: StateStore, request: str, leads: int = 400, reset: str = "r") -> Checkpoint:
    context = task_context(task_state_store=store)
    return Checkpoint(context, request, leads, logging.getLogger("test"), reset=reset)


def fail(progress: Progress, begin: int) -> None:
    """Leave every second lead unanswered, the others queued, as much as is ever kept with the longest reasons."""
    for index in range(0, 400, 2):
        progress.record(index, lead(begin + index), "unanswered", reason="r" * 500, final=False)


@pytest.fixture
def stored() -> dict[str, Any]:
    """What is stored after a try that was asked for something else than the two before it."""
    store = StateStore()
    for number, request in enumerate("ABC"):
        kept = checkpoint(store, request, reset=f"reset {number}")
        fail(kept.progress, 1000 * number)
        kept.save()
    found: dict[str, Any] = json.loads(json.dumps(store[KEY]))
    return found


def test_size(stored):
    """With as many failures as are kept, the longest reasons and earlier requests it is well below the limit."""
    assert len(json.dumps(stored)) < 60_000 < AIRFLOWS_LIMIT
    assert stored["earlier_requests"]["unanswered"] == 400


def test_read_again(stored):
    """What was stored is read, and stored again just so."""
    store = StateStore({KEY: stored})
    again = checkpoint(store, "C", reset="reset 2")
    assert again.save() is False
    assert (again.leads, again.progress.count("unanswered")) == (400, 200)
    assert again.requests.count_doubts(again.progress) == 400
    again.progress.record(0, lead(2000), "queued", reason="", final=True)
    assert again.save() is True
    assert {**store[KEY], "queued": []} == {
        **stored,
        "queued": [],
        "unanswered": stored["unanswered"][1:],
        "failures": store[KEY]["failures"],
    }


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"leads": None},
        {"leads": "3"},
        {"leads": 3},
        {"leads": -1},
        {"request": 5},
        {"queued": 5},
        {"queued": [[0]]},
        {"queued": [[5, 3]]},
        {"queued": [[-3, 2]]},
        {"queued": [[0, 401]]},
        {"excluded": None},
        {"failures": [[0, lead(1), "queued?", ""]]},
        {"failures": [[0, "no id", "failed", ""]]},
        {"failures": [[400, lead(1), "failed", ""]]},
        {"earlier_requests": "x"},
        {"earlier_requests": [1]},
        {"earlier_requests": {"leads": 2, "failures": [{"prospect_id": lead(1)}]}},
        {"earlier_requests": {"leads": "2"}},
        {"contradicted": None},
        {"more": 1},
    ],
)
@pytest.mark.parametrize("request_digest", ["C", "X"])
def test_unexpected_shape(stored, change, request_digest):
    """A stored state of another shape is refused, whether or not the same is asked for, and stays as it is."""
    state = {**stored, **change}
    if state["version"] is None:
        del state["version"]
    store = StateStore({KEY: state})
    with pytest.raises(
        InputError, match=r"an earlier try stored cannot be read \(.+\): clear the task to start"
    ):
        checkpoint(store, request_digest)
    assert store == {KEY: state}


@pytest.mark.parametrize("state", ["text", [], 5, {}, {"request": "X"}, {"x": object()}])
def test_no_state_at_all(lsq, state):
    """The task ends with an error that says what to do, and calls no lead."""
    leads = make_leads(lsq, 1)
    store = StateStore({KEY: state})
    task = LeadResetOperator(
        task_id="t", prospect_ids=leads, activity_event_list=[166], window="2026-09-01/2026-10-01"
    )
    with pytest.raises(LeadResetInputError, match="clear the task to start anew"):
        task.execute(task_context(task_state_store=store))
    assert (lsq.resets, store) == ([], {KEY: state})
