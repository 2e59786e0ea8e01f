"""Leads of a CRM list, read once per run; and rows of a task."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_leadreset import evidence
from airflow_provider_leadreset.leadsquared.api import client
from airflow_provider_leadreset.runtime import failures as failure
from support.dag_runs import OUTSIDE, a_lead, airflow_version, left, load_dag_file, printed

pytestmark = pytest.mark.usefixtures("airflow_db")

REMEMBERS = airflow_version() >= (3, 3)
SPEAKS = airflow_version() != (3, 0)
"""Airflow 3.0 says nothing of a task that is run in one process."""


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("list_dags")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat a call of an outage once and at once, and retry a task at once."""
    monkeypatch.setattr(client, "RETRY_DELAYS", (0.0,))
    monkeypatch.setattr(failure, "AFTER_OUTAGE", timedelta(0))


def reads(lsq: Any) -> int:
    """How often members of a list were asked for, whatever it takes to read them once."""
    return sum("BySearchParameter" in call.path for call in lsq.calls)


def tried(lsq: Any, lead: str) -> int:
    return sum(call.prospect_id == lead for call in lsq.calls if "Lead.Reset" in call.path)


def test_list_is_reset_and_verified(dags, lsq, run, tmp_path):
    """The members of a list are reset, kept with the evidence, and given to a sensor; no other lead is touched."""
    leads, stranger = [a_lead(lsq) for _ in range(3)], a_lead(lsq)
    result = run(dags.listed, list=lsq.add_list("Test leads", leads), evidence=str(tmp_path))
    assert result.state == "success"
    assert [left(lsq, lead) for lead in leads] == [[OUTSIDE]] * 3
    assert len(left(lsq, stranger)) == 2
    (summary,) = result.xcoms()
    assert summary["queued"] == 3
    assert Path(summary["leads_path"]).is_relative_to(tmp_path)
    assert result.xcoms("verify")[0]["leads_done"] == 3
    assert evidence.main([str(tmp_path)]) == 0, "the auditor's command passes over the file of leads"


@pytest.mark.parametrize("kind", ["listed", "listed_in_state"])
def test_list_is_read_once_a_run(dags, lsq, run, tmp_path, capfd, kind):
    """A retry resets the leads that the first try read, and reads the list no second time."""
    if kind == "listed_in_state" and not REMEMBERS:
        pytest.skip("before Airflow 3.3, the members are kept with the evidence alone")
    leads = [a_lead(lsq) for _ in range(3)]
    list_id = lsq.add_list("Test leads", leads)
    once = run(dags.listed_without_evidence, list=lsq.add_list("Other leads", leads))
    assert once.state == "success"
    cost = reads(lsq)
    lsq.fault("500", times=2, prospect_id=leads[1])
    result = run(getattr(dags, kind), list=list_id, evidence=str(tmp_path))
    assert result.state == "success"
    assert tried(lsq, leads[1]) == 1 + 3
    assert reads(lsq) == 2 * cost
    (summary,) = result.xcoms()
    assert (summary["leads"], summary["queued"]) == (3, 3)
    assert (summary["leads_path"] is None) == (kind == "listed_in_state")
    if SPEAKS:
        assert "was read by an earlier try of this run: 3 leads" in printed(capfd)


def test_torn_copy_is_passed_over(dags, lsq, run, tmp_path, monkeypatch):
    """A copy that a killed try left torn is not taken for the list."""
    leads = [a_lead(lsq) for _ in range(3)]
    lsq.fault("500", times=2, prospect_id=leads[1])
    from airflow_provider_leadreset.runtime.listed_leads import FolderCopy

    keep = FolderCopy.keep

    def torn(self: FolderCopy, leads: Any) -> None:
        keep(self, leads)
        if "try-1" in str(self.path):
            path = Path(str(self.path))
            path.write_bytes(path.read_bytes()[:-9])

    monkeypatch.setattr(FolderCopy, "keep", torn)
    result = run(dags.listed, list=lsq.add_list("Test leads", leads), evidence=str(tmp_path))
    assert result.state == "success"
    (summary,) = result.xcoms()
    assert summary["leads"] == 3
    assert "try-2" in summary["leads_path"]


def test_empty_list_is_skipped(dags, lsq, run, tmp_path, capfd):
    """A list without members skips the task, and the log says which."""
    list_id = lsq.add_list("Nobody", [])
    result = run(dags.listed, list=list_id, evidence=str(tmp_path))
    assert result.states() == ["skipped"]
    assert lsq.resets == []
    if SPEAKS:
        assert f"There are no leads to reset: the list {list_id} has no members" in printed(capfd)


def test_unusable_lists(dags, lsq, run, capfd):
    """LeadSquared's own list, an unknown one, none and one of too many leads are refused, and nothing is reset."""
    leads = [a_lead(lsq) for _ in range(4)]
    own = next(one.id for one in lsq.system_lists() if one.name == "All Leads")
    many = lsq.add_list("Many", leads)
    for list_id, message in (
        (own, "LeadSquared's own list 'All Leads'"),
        ("11111111-2222-3333-4444-555555555555", "has no list"),
        (None, "list_id holds 'None'"),
        ("Test leads", "list_id holds 'Test leads', which is no GUID"),
        (many, "has 4 leads, more than max_leads=3 allows; no lead was touched"),
    ):
        assert run(dags.listed_without_evidence, list=list_id).state == "failed"
        if SPEAKS:
            assert message in printed(capfd)
    assert lsq.resets == []


def test_list_of_a_preview(dags, lsq, run, tmp_path):
    """A preview of a list makes a plan of its members."""
    leads = [a_lead(lsq) for _ in range(2)]
    result = run(dags.listed_and_planned, list=lsq.add_list("Test leads", leads), evidence=str(tmp_path))
    assert result.state == "success"
    assert result.xcoms("preview")[0]["totals"]["activities"] == 2
    assert [left(lsq, lead) for lead in leads] == [[OUTSIDE]] * 2


@pytest.mark.parametrize("field", [None, "Owner Lead"])
def test_rows_of_a_mapped_task(dags, lsq, run, capfd, field):
    """Rows of a mapped task, of which some are of one lead, are taken by their id, and it is said."""
    leads = [a_lead(lsq) for _ in range(3)]
    rows = [{"Stage": "x", field or "Prospect ID": lead} for lead in [*leads, *leads, leads[0].upper()]]
    result = run(dags.rows_of_a_task, rows=rows, field=field)
    assert result.state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)
    if SPEAKS:
        assert "7 rows, 3 leads: one that is named twice is taken once" in printed(capfd)
