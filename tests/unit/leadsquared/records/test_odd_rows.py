"""Whatever a row holds, it fails its own lead alone, and the error names lead and kind."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    LeadSquaredError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.records.records import read_lead
from airflow_provider_leadreset.leadsquared.records.rows import moment_of, reading, whole_number
from airflow_provider_leadreset.leadsquared.records.task_types import TaskTypes
from airflow_provider_leadreset.leadsquared.request.lead_reset import parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window

LEAD = "1f0c6f5e-3b1d-4a57-9a44-0a6f3f1f7a01"
KIND = "3c8c7b1e-5a0f-4f0e-9c56-0d7a4b1f9e01"
WINDOW = parse_window("2026-09-01/2026-10-01")
INSIDE = "2026-09-15 10:00:00"
ODD = (
    None,
    "",
    "x",
    "201x",
    -1,
    1e400,
    float("nan"),
    0.5,
    10**12,
    "9" * 5000,
    True,
    [],
    {},
    "0001-01-01T00:00:00+05:30",
    "9999-12-31T23:59:59-14:00",
    "/Date(1694772000000)/",
    "2026-02-30 00:00:00",
    "\ud83d",
)


def answering(answer: Any) -> Any:
    return SimpleNamespace(paging_styles={}, call=lambda *_, **__: answer)


def read(answer: Any, **asked: Any) -> Any:
    client, selectors = answering(answer), parse_selectors(**asked)
    return read_lead(client, LEAD, selectors, WINDOW, TaskTypes(client, selectors.task_type_list, {}))


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("field", ["EventCode", "CreatedOn", "Id"])
def test_odd_activity(field, value):
    """An odd value in an activity is unreadable, or read as it can only be meant; never another error."""
    row = {"Id": "a", "EventCode": 201, "CreatedOn": INSIDE, field: value}
    answer = {"RecordCount": 1, "ProspectActivities": [row]}
    taken = (field == "Id" and isinstance(value, (str, int)) and value not in ("", True)) or (
        field == "EventCode" and whole_number(value) is not None
    )
    if taken:
        read(answer, activity_event_list=[201])
        return
    with pytest.raises(UnreadableError) as caught:
        read(answer, activity_event_list=[201])
    assert caught.value.prospect_id == LEAD
    assert str(caught.value).startswith(f"lead {LEAD}: activities: ")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("answer", "asked", "kind"),
    [
        ({"TaskList": [{"TaskID": "t", "CreatedOn": "never"}]}, {"task_type_list": [KIND]}, "tasks"),
        ({"TaskList": "none"}, {"task_type_list": [KIND]}, "tasks"),
        ({"RecordCount": 9, "TaskList": []}, {"task_type_list": [KIND]}, "tasks"),
        ({"List": [{"ProspectNoteId": "n"}]}, {"should_delete_prospect_notes": True}, "notes"),
        ([], {"should_delete_prospect_notes": True}, "notes"),
        (
            {"ProspectActivities": [{"Id": "a", "EventCode": 3002}]},
            {"audit_activity_list": ["StageChange"]},
            "audits",
        ),
    ],
)
def test_error_names_lead_and_kind(answer, asked, kind):
    """Each kind's error names the lead and the kind."""
    with pytest.raises(UnreadableError, match=f"lead {LEAD}: {kind}: "):
        read(answer, **asked)


@pytest.mark.parametrize(
    "beside",
    [
        {"Status": "Timeout"},
        {"status": "Partial"},
        {"Status": False},
        {"Success": False},
        {"Success": "false"},
        {"IsSuccess": "False"},
        {"HasError": True},
        {"IsError": "true"},
        {"ErrorCode": "17"},
        {"error": "the server gave up"},
        {"ErrorMessage": "timed out"},
        {"ExceptionText": "timed out"},
        {"prospectactivities": [{"Id": "a"}]},
        {"TotalRecordCount": 50},
        {"RecordCount": 0, "TotalCount": "50"},
        {"Total": 50},
        {"total_records": 1, "TotalRecords": 50},
        {"HasMore": True},
        {"has_more_records": "true"},
        {"IsTruncated": True},
    ],
    ids=str,
)
def test_trouble_beside_rows(beside):
    """Rows beside which an answer says that something went wrong, or that there are more, are not all."""
    with pytest.raises(
        UnreadableError, match=rf"lead {LEAD}: activities: .*(not be all|announced|more follow)"
    ):
        read({"ProspectActivities": [], **beside}, activity_event_list=[201])


@pytest.mark.parametrize(
    "beside",
    [
        {"Status": "Success", "Success": True, "Errors": [], "ErrorMessage": None, "TotalCount": 0},
        *({"Status": status} for status in (None, "", "OK", "success.", True, 200, "200", 0)),
        *({"ErrorCode": code} for code in (0, "0", "", None)),
        *({"ErrorMessage": text} for text in ("", " ", "None", "null", "OK", "Success")),
        {"HasMore": False, "Total": 0, "IsTruncated": None},
        {"HasError": False, "IsError": "false", "IsSuccess": "true", "Success": None},
    ],
    ids=str,
)
def test_no_trouble_beside_rows(beside):
    """Success in any of its words, and fields of trouble that are empty or say that there was none, are none."""
    assert read({"ProspectActivities": [], **beside}, activity_event_list=[201]).records == []


@pytest.mark.parametrize("unknown", [-1, "-1"])
@pytest.mark.parametrize("name", ["TotalCount", "TotalRecordCount"])
def test_count_that_is_not_known(name, unknown):
    """A total of -1, .NET's "not known", is no count; of RecordCount, which is documented, it would be odd."""
    answer = {"RecordCount": 0, "ProspectActivities": []}
    assert read({**answer, name: unknown}, activity_event_list=[201]).records == []
    with pytest.raises(UnreadableError, match="which is no number"):
        read({**answer, "RecordCount": unknown}, activity_event_list=[201])


@pytest.mark.parametrize("name", ["TotalCount", "TotalRecordCount", "RecordCount"])
@pytest.mark.parametrize("hidden", [0, 1])
def test_count_of_every_code(name, hidden):
    """Where one code's activities are counted with all others, all are read, and the count must be met by them."""
    rows = [{"Id": f"a{code}", "EventCode": code, "CreatedOn": INSIDE} for code in (201, 202, 203)]

    def call(*_: Any, body: Any, **__: Any) -> Any:
        code = body["Parameter"].get("ActivityEvent")
        given = [row for row in rows if code in (None, row["EventCode"])]
        return {"RecordCount": len(given), "ProspectActivities": given, name: len(rows) + hidden}

    client: Any = SimpleNamespace(paging_styles={}, call=call)
    selectors = parse_selectors(activity_event_list=[201])
    types = TaskTypes(client, selectors.task_type_list, {})
    if hidden:
        with pytest.raises(UnreadableError, match="4 rows were announced and only 3 given"):
            read_lead(client, LEAD, selectors, WINDOW, types)
    else:
        found = read_lead(client, LEAD, selectors, WINDOW, types).records
        assert [record.id for record in found] == ["a201"]


@pytest.mark.parametrize("name", ["RelatedProspectId", "ProspectID", "ProspectId", "LeadId"])
def test_task_of_another_lead(name):
    """A task that says that it is another lead's is none of this one's: the filter was not heeded."""
    nil = "00000000-0000-0000-0000-000000000000"
    for lead in (LEAD, LEAD.upper(), f"{{{LEAD}}}", LEAD.replace("-", ""), nil, f"{{{nil}}}", " ", None):
        row = {"TaskID": "t", "CreatedOn": INSIDE, name: lead}
        assert len(read({"TaskList": [row]}, task_type_list=[KIND]).records) == 1
    for other in (KIND, KIND.replace("-", "")):
        with pytest.raises(UnreadableError, match="a record of another lead"):
            read({"TaskList": [{**row, name: other}]}, task_type_list=[KIND])


def test_other_errors_keep_their_class():
    """What LeadSquared's own errors mean is kept, and what is not about one lead is not said to be."""
    for error in (AccessError("keys"), ClosedError("stopped")):
        with pytest.raises(type(error)), reading("notes", LEAD):
            raise error
    with pytest.raises(LeadSquaredError, match="the answer cannot be read"), reading("notes", LEAD):
        json.loads("{")
    with pytest.raises(KeyboardInterrupt), reading("notes", LEAD):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (" 7 ", 7),
        (201.0, 201),
        (0, 0),
        (-1, None),
        ("٣", None),
        (True, None),
        (1e400, None),
    ],
)
def test_whole_number(value, number):
    """A whole number may come as text or with a decimal point; nothing else is one."""
    assert whole_number(value) == number


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-14:00", None, 5, "today"]
)
def test_moment_that_is_none(value):
    """A time that is none, or that no calendar has in UTC, is unreadable."""
    with pytest.raises(UnreadableError, match="which is no date"):
        moment_of(value)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the machine's time zone can be changed on POSIX only")
def test_times_are_utc_on_any_machine(monkeypatch):
    """A time without an offset is UTC, whatever the worker's own time zone is."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert moment_of("2026-09-15 10:00:00.5").isoformat() == "2026-09-15T10:00:00.500000+00:00"
        assert moment_of("2026-09-15T10:00:00+05:30").isoformat() == "2026-09-15T04:30:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()
