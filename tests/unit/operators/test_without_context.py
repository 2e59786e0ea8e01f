"""Tasks called directly, with next to no context, as Airflow's documentation recommends it for unit tests."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.operators.lead_reset import (
    ENTIRE_HISTORY,
    LeadResetOperator,
    LeadResetPreviewOperator,
)
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import IN_WINDOW

ASKED: dict[str, Any] = {"window": "2026-09-01/2026-10-01", "should_delete_prospect_notes": True}


@pytest.fixture
def lead(lsq: Any) -> str:
    made = str(lsq.add_lead())
    lsq.add_note(made, "a note", IN_WINDOW)
    return made


def test_tasks_with_an_empty_context(lsq, lead):
    """Preview, reset and sensor work with an empty context."""
    context: Any = {}
    preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=lead, **ASKED).execute(context)
    assert preview["totals"]["notes"] == 1
    sensor = LeadResetSensor(task_id="verify", prospect_ids=lead, **ASKED)
    assert not sensor.poke(context)
    summary = LeadResetOperator(task_id="reset", prospect_ids=lead, **ASKED).execute(context)
    assert (summary["queued"], len(lsq.resets)) == (1, 1)
    lsq.wait_until_idle()
    assert sensor.poke(context)


def test_what_needs_a_context(lsq, lead, tmp_path):
    """The run's moment, and evidence, which is named after the run, say that they need one."""
    context: Any = {}
    asked = {"prospect_ids": lead, "should_delete_prospect_notes": True}
    with pytest.raises(LeadResetInputError, match="ENTIRE_HISTORY ends when the DAG run was due"):
        LeadResetOperator(task_id="reset", window=ENTIRE_HISTORY, **asked).execute(context)
    for task in (LeadResetOperator, LeadResetPreviewOperator):
        with pytest.raises(LeadResetInputError, match=r"evidence_path: .* no task instance in the context"):
            task(task_id="one", prospect_ids=lead, evidence_path=str(tmp_path), **ASKED).execute(context)
    assert lsq.resets == []
