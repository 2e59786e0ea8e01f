"""LeadResetOperator in real DAG runs, in one process, against the emulator."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from support.dag_runs import OUTSIDE, a_lead, airflow_version, is_airflow_2, left, load_dag_file, printed

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture(scope="module")
def dags(airflow_db: None) -> ModuleType:
    return load_dag_file("reset_dags")


WINDOW = "2026-09-01/2026-10-01"


@pytest.mark.parametrize("kind", ["text", "native"])
def test_rendered_values_reset_the_leads_named_and_nothing_else(dags, lsq, run, kind):
    leads, other = [a_lead(lsq), a_lead(lsq)], a_lead(lsq)
    result = run(getattr(dags, kind), leads=leads, codes=[166], window=WINDOW)
    assert result.state == "success"
    assert [left(lsq, lead) for lead in leads] == [[OUTSIDE], [OUTSIDE]]
    assert len(left(lsq, other)) == 2
    (summary,) = result.xcoms()
    assert summary["queued"] == summary["leads"] == 2
    assert summary["sent"] == {"FromDate": "2026-09-01 00:00:00", "ToDate": "2026-09-30 23:59:59"}
    assert summary["selectors"] == {"activity_event_list": [166]}
    assert summary["window"] == "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z"


@pytest.mark.parametrize("kind", ["text", "native"])
@pytest.mark.parametrize("missing", ["leads", "codes", "window"])
def test_a_value_that_renders_to_nothing_sends_nothing(dags, lsq, run, kind, missing):
    values = {"leads": [a_lead(lsq)], "codes": [166], "window": WINDOW}
    values[missing] = None
    result = run(getattr(dags, kind), **values)
    assert result.state == "failed"
    assert lsq.calls == []


def test_a_run_without_data_interval_fails_with_the_fix(dags, lsq, run, capfd):
    result = run(dags.interval, logical_date=None, leads=[a_lead(lsq)])
    if is_airflow_2():  # gives every run a data interval
        assert (result.state, len(lsq.resets)) == ("success", 1)
        return
    assert (result.state, len(lsq.resets)) == ("failed", 0)
    # On 3.0 it is there and None, and the window says what to write.
    assert "dag_run.run_after" in capfd.readouterr().out
    assert run(dags.whole_days, logical_date=None, leads=[a_lead(lsq)]).state == "success"
    assert lsq.resets[0].body["ToDate"].endswith(" 23:59:59")


def test_an_interval_end_is_read_as_rendered(dags, lsq, run):
    end = datetime(2026, 10, 1, tzinfo=UTC)
    lead = a_lead(lsq)
    result = run(dags.interval, logical_date=end, leads=lead)
    assert result.state == "success"
    assert left(lsq, lead) == [OUTSIDE]
    assert lsq.resets[0].body["FromDate"] == "2026-09-01 00:00:00"


@pytest.mark.parametrize("kind", ["everything", "mapped_everything"])
def test_entire_history_ends_when_the_run_was_due(dags, lsq, run, kind):
    lead = a_lead(lsq)
    before = datetime.now(UTC).replace(microsecond=0)
    result = run(getattr(dags, kind), leads=[lead])
    assert result.state == "success"
    (call,) = lsq.resets
    assert call.body["FromDate"] == "2000-01-01 00:00:00"
    to = datetime.strptime(call.body["ToDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert before - timedelta(seconds=2) <= to < call.at
    assert left(lsq, lead) == []


def test_entire_history_ends_there_however_late_the_run_begins(dags, lsq, run):
    """As after a Clear, which begins a finished run anew."""
    due = datetime(2026, 10, 1, tzinfo=UTC)
    lead = a_lead(lsq)
    assert run(dags.everything, logical_date=due, run_after=due, leads=[lead]).state == "success"
    assert lsq.resets[0].body["ToDate"] == "2026-09-30 23:59:59"
    assert left(lsq, lead) == [OUTSIDE]


def test_a_task_that_returns_leads_feeds_the_reset(dags, lsq, run):
    leads = [a_lead(lsq) for _ in range(3)]
    assert run(dags.from_task, leads=[*leads, leads[0].upper()]).state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)


def test_an_empty_list_skips_the_task(dags, lsq, run):
    result = run(dags.from_task, leads=[])
    assert result.states() == ["skipped"]
    assert lsq.calls == []


def test_a_task_that_returns_nothing_is_an_error(dags, lsq, run):
    assert run(dags.from_task, leads=None).state == "failed"
    assert lsq.calls == []


def test_mapped_tasks_reset_a_chunk_each(dags, lsq, run):
    leads = [a_lead(lsq) for _ in range(4)]
    result = run(dags.mapped, leads=[leads[:2], leads[2:]], window="2026-10-01")
    assert result.state == "success"
    assert [summary["queued"] for summary in result.xcoms()] == [2, 2]
    assert all(left(lsq, lead) == [OUTSIDE] for lead in leads)


def test_the_output_of_a_mapped_task_is_flattened(dags, lsq, run):
    leads = [a_lead(lsq) for _ in range(3)]
    assert run(dags.after_mapped, leads=leads).state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)


def test_a_file_of_leads_is_reset(dags, lsq, run, tmp_path):
    leads = [a_lead(lsq) for _ in range(3)]
    path = tmp_path / "leads.csv"
    path.write_text("name,PROSPECTID\n" + "".join(f"x,{lead}\n" for lead in leads))
    result = run(dags.file, path=str(path))
    assert result.state == "success"
    assert all(left(lsq, lead) == [OUTSIDE] for lead in leads)


def test_more_leads_than_max_leads_are_refused_whole(dags, lsq, run, tmp_path, capfd):
    path = tmp_path / "leads.txt"
    path.write_text("\n".join(a_lead(lsq) for _ in range(6)))
    assert run(dags.file, path=str(path)).state == "failed"
    assert lsq.calls == []
    if airflow_version() != (3, 0):  # which says nothing of a task that failed, run in one process
        assert "max_leads=5" in printed(capfd)


def test_wrong_keys_fail_the_task_and_its_message_has_no_key(dags, lsq, run, monkeypatch, capfd):
    connection = json.loads(lsq.conn_json) | {"password": "wr0ng$+/%=secret"}
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    result = run(dags.text, leads=[a_lead(lsq), a_lead(lsq)], codes=[166], window=WINDOW)
    assert result.state == "failed"
    assert lsq.resets == []
    (summary,) = result.xcoms()
    assert summary["not_reached"] == 2
    for text in (printed(capfd), json.dumps(summary)):
        assert "wr0ng" not in text
        assert lsq.access_key not in text
    assert "401" in summary["stopped_because"]


def test_an_unknown_lead_fails_alone_and_is_named(dags, lsq, run, capfd):
    good, unknown = a_lead(lsq), "00000000-0000-4000-8000-000000000000"
    result = run(dags.text, leads=[unknown, good], codes=[166], window=WINDOW)
    assert result.state == "failed"
    assert left(lsq, good) == [OUTSIDE]
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["failed"], summary["not_reached"]) == (1, 1, 0)
    assert summary["failures"][0]["prospect_id"] == unknown
    assert unknown in capfd.readouterr().out


def test_failed_leads_up_to_the_limit_are_a_success_that_names_them(dags, lsq, run, capfd):
    good, unknown = a_lead(lsq), "00000000-0000-4000-8000-000000000000"
    result = run(dags.in_pool, leads=[unknown, good])
    assert result.state == "success"
    assert result.xcoms()[0]["failed"] == 1


def test_the_first_log_line_says_what_is_about_to_happen(dags, lsq, run, capfd):
    lead = a_lead(lsq)
    run(dags.text, leads=[lead], codes=[166], window=WINDOW)
    line = next(message for message in capfd.readouterr().out.splitlines() if "LeadSquared at" in message)
    for part in (
        lsq.host,
        "1 leads",
        "event 166",
        "up to, not including, 2026-10-01 00:00:00 UTC",
        "2026-09-30 23:59:59",
    ):
        assert part in line
    assert "not in the account's pool leadsquared_default" in line


def test_a_throttled_call_is_repeated(dags, lsq, run):
    lead = a_lead(lsq)
    lsq.fault("200-throttled", times=1)
    result = run(dags.text, leads=[lead], codes=[166], window=WINDOW)
    assert result.state == "success"
    assert result.xcoms()[0]["throttled"] == 1
    assert left(lsq, lead) == [OUTSIDE]
