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
def test_rendered_values_reset_named_leads(dags, lsq, run, kind):
    """Rendered values reset the leads that they name and nothing else."""
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
def test_empty_rendered_value_sends_nothing(dags, lsq, run, kind, missing):
    """A value that renders to nothing sends nothing."""
    values = {"leads": [a_lead(lsq)], "codes": [166], "window": WINDOW}
    values[missing] = None
    result = run(getattr(dags, kind), **values)
    assert result.state == "failed"
    assert lsq.calls == []


def test_missing_data_interval(dags, lsq, run, capfd):
    """A run without a data interval fails and says how to fix it."""
    result = run(dags.interval, logical_date=None, leads=[a_lead(lsq)])
    if is_airflow_2():  # gives every run a data interval
        assert (result.state, len(lsq.resets)) == ("success", 1)
        return
    assert (result.state, len(lsq.resets)) == ("failed", 0)
    # On 3.0 it is there and None, and the window says what to write.
    assert "P30D/run_day" in capfd.readouterr().out
    assert run(dags.whole_days, logical_date=None, leads=[a_lead(lsq)]).state == "success"
    assert lsq.resets[0].body["ToDate"].endswith(" 23:59:59")


def test_interval_end_read_as_rendered(dags, lsq, run):
    """The end of an interval is read as it is rendered."""
    end = datetime(2026, 10, 1, tzinfo=UTC)
    lead = a_lead(lsq)
    result = run(dags.interval, logical_date=end, leads=lead)
    assert result.state == "success"
    assert left(lsq, lead) == [OUTSIDE]
    assert lsq.resets[0].body["FromDate"] == "2026-09-01 00:00:00"


@pytest.mark.parametrize("kind", ["everything", "mapped_everything"])
def test_entire_history_ends_when_due(dags, lsq, run, kind):
    """The entire history ends when the run was due."""
    lead = a_lead(lsq)
    before = datetime.now(UTC).replace(microsecond=0)
    result = run(getattr(dags, kind), leads=[lead])
    assert result.state == "success"
    (call,) = lsq.resets
    assert call.body["FromDate"] == "2000-01-01 00:00:00"
    to = datetime.strptime(call.body["ToDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert before - timedelta(seconds=2) <= to < call.at
    assert left(lsq, lead) == []


def test_entire_history_of_late_run(dags, lsq, run):
    """The entire history ends when the run was due, however late the run begins, as after a Clear, which
    begins a finished run anew."""
    due = datetime(2026, 10, 1, tzinfo=UTC)
    lead = a_lead(lsq)
    assert run(dags.everything, logical_date=due, run_after=due, leads=[lead]).state == "success"
    assert lsq.resets[0].body["ToDate"] == "2026-09-30 23:59:59"
    assert left(lsq, lead) == [OUTSIDE]


def test_task_output_feeds_reset(dags, lsq, run):
    """A task that returns leads feeds the reset."""
    leads = [a_lead(lsq) for _ in range(3)]
    assert run(dags.from_task, leads=[*leads, leads[0].upper()]).state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)


def test_empty_list_skips_task(dags, lsq, run):
    """An empty list skips the task."""
    result = run(dags.from_task, leads=[])
    assert result.states() == ["skipped"]
    assert lsq.calls == []


def test_missing_task_output_fails(dags, lsq, run):
    """A task that returns nothing is an error."""
    assert run(dags.from_task, leads=None).state == "failed"
    assert lsq.calls == []


def test_mapped_tasks_reset_chunks(dags, lsq, run):
    """Mapped tasks reset a chunk of the leads each."""
    leads = [a_lead(lsq) for _ in range(4)]
    result = run(dags.mapped, leads=[leads[:2], leads[2:]], window="2026-10-01")
    assert result.state == "success"
    assert [summary["queued"] for summary in result.xcoms()] == [2, 2]
    assert all(left(lsq, lead) == [OUTSIDE] for lead in leads)


def test_mapped_output_is_flattened(dags, lsq, run):
    """The output of a mapped task is flattened."""
    leads = [a_lead(lsq) for _ in range(3)]
    assert run(dags.after_mapped, leads=leads).state == "success"
    assert sorted(call.prospect_id for call in lsq.resets) == sorted(leads)


def test_lead_file_is_reset(dags, lsq, run, tmp_path):
    """The leads of a file are reset."""
    leads = [a_lead(lsq) for _ in range(3)]
    path = tmp_path / "leads.csv"
    path.write_text("name,PROSPECTID\n" + "".join(f"x,{lead}\n" for lead in leads))
    result = run(dags.file, path=str(path))
    assert result.state == "success"
    assert all(left(lsq, lead) == [OUTSIDE] for lead in leads)


def test_too_many_leads_refused(dags, lsq, run, tmp_path, capfd):
    """More leads than `max_leads` are refused as a whole."""
    path = tmp_path / "leads.txt"
    path.write_text("\n".join(a_lead(lsq) for _ in range(6)))
    assert run(dags.file, path=str(path)).state == "failed"
    assert lsq.calls == []
    if airflow_version() != (3, 0):  # which says nothing of a task that failed, run in one process
        assert "max_leads=5" in printed(capfd)


def test_wrong_keys_stay_secret(dags, lsq, run, monkeypatch, capfd):
    """Wrong keys fail the task, and its message has no key."""
    connection = json.loads(lsq.conn_json) | {"password": "wr0ng$+/%=secret"}
    monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
    result = run(dags.text, leads=[a_lead(lsq), a_lead(lsq)], codes=[166], window=WINDOW)
    assert result.state == "failed"
    assert lsq.resets == []
    said = printed(capfd)
    for text in (said, json.dumps(result.xcoms())):
        assert "wr0ng" not in text
        assert lsq.access_key not in text
    assert "401" in said


def test_unknown_lead_fails_alone(dags, lsq, run, capfd):
    """An unknown lead fails alone and is named."""
    good, unknown = a_lead(lsq), "00000000-0000-4000-8000-000000000000"
    result = run(dags.text, leads=[unknown, good], codes=[166], window=WINDOW)
    assert result.state == "success"
    assert left(lsq, good) == [OUTSIDE]
    (summary,) = result.xcoms()
    assert (summary["queued"], summary["unknown"], summary["not_reached"]) == (1, 1, 0)
    assert summary["failures"][0]["prospect_id"] == unknown


def test_unknown_leads_alone_fail(dags, lsq, run, capfd):
    """Where no lead is known, the connection leads elsewhere: the task fails."""
    result = run(dags.text, leads=["00000000-0000-4000-8000-000000000000"], codes=[166], window=WINDOW)
    assert result.state == "failed"
    assert "Lead not found" in printed(capfd)


def test_tolerated_failures_succeed(dags, lsq, run, capfd):
    """Failed leads up to the limit are a success that names them."""
    good, unknown = a_lead(lsq), "00000000-0000-4000-8000-000000000000"
    lsq.fault("500-mx", times=None, prospect_id=unknown)
    result = run(dags.in_pool, leads=[unknown, good])
    assert result.state == "success"
    assert result.xcoms()[0]["failed"] == 1


def test_first_log_lines(dags, lsq, run, capfd):
    """The first lines say what is about to happen, each in a few words, and none twice."""
    lead = a_lead(lsq)
    run(dags.text, leads=[lead], codes=[166], window=WINDOW)
    lines = list(
        dict.fromkeys(printed(capfd).splitlines())
    )  # Airflow 2 prints each line of a task twice here
    said = [
        "This task is in the pool 'default_pool', not in 'leadsquared_default', the pool of the account",
        "So the calls of other tasks are not counted",
        "Make that pool and give the task pool='leadsquared_default'",
        f"Account: {lsq.host}, by connection leadsquared_default",
        "To reset, of 1 lead: activities of event 166",
        "Created: from 2026-09-01 00:00:00 up to, not including, 2026-10-01 00:00:00 UTC",
        "Sent as: FromDate 2026-09-01 00:00:00, ToDate 2026-09-30 23:59:59 UTC",
        "At least 1 call, 25 in 5 s: a few seconds",
        "1 of 1 lead queued, 0 failed and 0 not reached",
    ]
    places = []
    for text in said:
        found = [number for number, line in enumerate(lines) if text in line]
        assert len(found) == 1 or (found and is_airflow_2()), text
        places.append(found[0])
    assert places == sorted(places)


def test_throttled_call_is_repeated(dags, lsq, run):
    """A throttled call is repeated."""
    lead = a_lead(lsq)
    lsq.fault("200-throttled", times=1)
    result = run(dags.text, leads=[lead], codes=[166], window=WINDOW)
    assert result.state == "success"
    assert result.xcoms()[0]["throttled"] == 1
    assert left(lsq, lead) == [OUTSIDE]
