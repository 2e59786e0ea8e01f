"""A request that was sent and not answered stays in doubt, whatever later tries come to."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowException
from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.leadsquared.api import client
from airflow_provider_leadreset.leadsquared.journal.storage import LocalStorage
from support.reset_tries import ResetTask, make_leads


@pytest.fixture
def lsq(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(client, "RETRY_DELAYS", ())
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", emulator.conn_json)
        yield emulator


@pytest.fixture
def task(lsq: Any, tmp_path: Any) -> ResetTask:
    return ResetTask(tmp_path)


def test_refused_later(lsq, task):
    """A lead that is refused by a later try may have been reset by the one before, and says both."""
    leads = make_leads(lsq, 2)
    lsq.fault("500", times=1, prospect_id=leads[0])
    with pytest.raises(AirflowException):
        task.run(1, prospect_ids=leads)
    lsq.fault("500-mx", times=1, prospect_id=leads[0])
    with pytest.raises(AirflowException):
        task.run(2, prospect_ids=leads)
    assert (task.summary["queued"], task.summary["unanswered"], task.summary["failed"]) == (1, 1, 0)
    (told,) = task.summary["failures"]
    assert "; later: HTTP 500 MX" in told["error"]


def test_storage_away_at_a_retry(lsq, task, monkeypatch):
    """What an earlier try did is not taken for nothing, where its journal cannot be read now."""
    leads = make_leads(lsq, 3)
    lsq.fault("500", times=1, prospect_id=leads[0])
    with pytest.raises(AirflowException):
        task.run(1, prospect_ids=leads)
    sent = len(lsq.resets)

    def away(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(LocalStorage, "read", away)
        with pytest.raises(AirflowException, match="a storage refused or did not answer"):
            task.run(2, prospect_ids=leads)
    assert len(lsq.resets) == sent
    assert task.run(3, prospect_ids=leads)["queued"] == 3


def test_approval_holds_no_key(lsq, task):
    """Keys that somebody pasted into a ticket are struck out of what is kept."""
    ticket = {"approved": True, "by": "Asha", "note": [f"{lsq.access_key} {lsq.secret_key}"]}
    summary = task.run(1, prospect_ids=make_leads(lsq, 1), approval=ticket)
    kept = "".join(path.read_text() for path in task.files("*.json"))
    for text in (str(summary), kept):
        assert lsq.access_key not in text
        assert lsq.secret_key not in text
    assert summary["approval"]["note"] == ["*** ***"]
