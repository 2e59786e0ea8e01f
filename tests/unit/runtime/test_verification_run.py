"""What a sensor says, and does not say, in pokes against the emulator."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.emulator import Dialect
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetRejectedError
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime.verification_run import VerificationRun
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.dag_runs import IN_WINDOW
from support.task_context import task_context

ASKED: dict[str, Any] = {"window": "2026-09-01/2026-10-01", "activity_event_list": [201, 202]}
UNKNOWN = "11111111-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _no_last_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimiter, "drain", lambda self: None)


@pytest.fixture
def leads(lsq: Any) -> list[str]:
    """Two leads with an activity of 201 and of 202 each."""
    made = [lsq.add_lead() for _ in range(2)]
    for code in (201, 202):
        lsq.add_activity_type(code, f"custom {code}")
        for lead in made:
            lsq.add_activity(lead, code, IN_WINDOW)
    return made


def planned(leads: list[str], folder: Any) -> dict[str, Any]:
    task = LeadResetPreviewOperator(task_id="p", prospect_ids=leads, evidence_path=str(folder), **ASKED)
    return task.execute(task_context("p"))


def poke(said: list[str] | None = None, **given: Any) -> Any:
    """Poke once.

    :param said: what the log says is added to it.
    """
    sensor = LeadResetSensor(task_id="verify", **given)
    run = VerificationRun(sensor, task_context("verify"))
    if said is not None:
        run.log = SimpleNamespace(
            info=lambda text, *values: said.append(text % values), warning=lambda *_: None
        )
    return run.verify(sensor)


@pytest.mark.parametrize("kept", [False, True])
def test_mirror_rows_are_told_apart(lsq, leads, tmp_path, kept):
    """Rows that mirror an activity under its id are neither planned nor waited for, though they outlive it."""
    lsq.dialect = Dialect(mirror_rows=True, mirrors_kept=kept)
    plan = planned(leads, tmp_path)
    assert plan["totals"]["activities"] == 4
    assert not poke(plan=plan)
    LeadResetOperator(task_id="reset", plan=plan).execute({})
    lsq.wait_until_idle()
    said: list[str] = []
    result = poke(said, plan=plan)
    assert result.is_done
    assert (result.xcom_value["gone"], result.xcom_value["records"]) == (4, 4)
    assert "The API no longer gives 4 of 4 records, of 2 leads" in said
    (evidence,) = tmp_path.rglob("*-verification.json")
    digest = hashlib.sha256(evidence.read_bytes()).hexdigest()
    assert said[-2:] == [f"Evidence: {evidence}", f"Its digest: {digest}"]
    assert poke(prospect_ids=leads, **ASKED).is_done


def test_merged_lead_is_named(lsq, leads, tmp_path):
    """A lead that was merged into another is named at once, and its records are found by their ids."""
    plan = planned(leads, tmp_path)
    lsq.merge_leads(leads[0], leads[1])
    with pytest.raises(LeadResetRejectedError, match=rf"{leads[1]}.*2 can still be read, 0 cannot"):
        poke(plan=plan)
    with pytest.raises(LeadResetRejectedError, match=leads[1]):
        poke(prospect_ids=leads, **ASKED)


def test_other_account_verifies_nothing(lsq, leads, tmp_path):
    """A connection that leads to another account verifies nothing, unknown leads accepted or not."""
    plan = planned(leads, tmp_path)
    lsq.set_user(org_short_code="OTHER")
    with pytest.raises(LeadResetInputError, match="and the connection leads to"):
        poke(plan=plan, accept_unknown_leads=True)
    for accepted in (False, True):
        with pytest.raises(LeadResetRejectedError, match="another account"):
            poke(prospect_ids=[UNKNOWN], accept_unknown_leads=accepted, **ASKED)


def test_unknown_beside_a_known_lead(lsq, tmp_path):
    """An unknown lead beside a known one counts as done where that is accepted, and is named."""
    result = poke(prospect_ids=[lsq.add_lead(), UNKNOWN], accept_unknown_leads=True, **ASKED)
    assert result.is_done
    assert result.xcom_value["unknown_leads"] == [UNKNOWN]


def test_empty_list_skips(lsq):
    """An empty list skips the sensor, and the log says so."""
    said: list[str] = []
    with pytest.raises(AirflowSkipException, match="no leads to verify"):
        poke(said, prospect_ids=[], **ASKED)
    assert said == ["Skipped: There are no leads to verify: prospect_ids is an empty list"]
    assert lsq.calls == []


@pytest.mark.parametrize("value", ["False", "yes", 2])
def test_acceptance_is_true_or_false(value):
    """A text such as False would count as true, so it is refused when the DAG loads."""
    with pytest.raises(ValueError, match=r"accept_unknown_leads is .*: give True or False"):
        LeadResetSensor(task_id="verify", prospect_ids=UNKNOWN, accept_unknown_leads=value, **ASKED)
