from __future__ import annotations

import enum
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY, NOT_GIVEN
from support.written import written

LEAD = "3F2504E0-4f89-11d3-9a0c-0305e82c3301"
TASK = "3c8c1f00-0000-4000-8000-000000000001"
OTHER_TASK = "3c8c1f00-0000-4000-8000-000000000002"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WINDOW = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))


# -- bodies ---------------------------------------------------------------------------------------------------


def test_complete_body() -> None:
    """The body has everything that was asked for, under the API's names."""
    selectors = parse_selectors([166, 167], [TASK], ["StageChange", "OwnerChange"], True)
    assert LeadReset(LEAD, selectors, WINDOW).body() == {
        "ProspectId": LEAD,
        "TaskTypeList": [TASK],
        "ActivityEventList": [166, 167],
        "ShouldDeleteProspectNotes": True,
        "AuditActivityList": ["StageChange", "OwnerChange"],
        "FromDate": "2026-09-01 00:00:00",
        "ToDate": "2026-09-30 23:59:59",
    }


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"activity_event_list": [166]}, {"ActivityEventList": [166]}),
        ({"task_type_list": [TASK]}, {"TaskTypeList": [TASK]}),
        ({"audit_activity_list": ["OwnerChange"]}, {"AuditActivityList": ["OwnerChange"]}),
        ({"should_delete_prospect_notes": True}, {"ShouldDeleteProspectNotes": True}),
        (
            {
                "activity_event_list": [166],
                "task_type_list": [],
                "audit_activity_list": NOT_GIVEN,
                "should_delete_prospect_notes": False,
            },
            {"ActivityEventList": [166]},
        ),
        (
            {"activity_event_list": "[]", "task_type_list": (), "should_delete_prospect_notes": "True"},
            {"ShouldDeleteProspectNotes": True},
        ),
        (
            {"activity_event_list": [166], "should_delete_prospect_notes": "False"},
            {"ActivityEventList": [166]},
        ),
    ],
)
def test_unused_selectors_omitted(given_: dict[str, Any], expected: dict[str, Any]) -> None:
    """A selector that was not asked for is left out of the body."""
    body = LeadReset(LEAD, parse_selectors(**given_), WINDOW).body()
    assert {name: body[name] for name in body.keys() - {"ProspectId", "FromDate", "ToDate"}} == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (166, (166,)),
        ("166", (166,)),
        (" 166 ", (166,)),
        ("0166", (166,)),
        ("166,167", (166, 167)),
        ("166 , 167", (166, 167)),
        ("[166, 167]", (166, 167)),
        ("[166,\n 167,\n]", (166, 167)),
        ("['166',\r\n 167]", (166, 167)),
        ('["166", "167"]', (166, 167)),
        ("['166', '167']", (166, 167)),
        ("(166, 167)", (166, 167)),
        ("(166,)", (166,)),
        ([167, "166", 167, "0166"], (167, 166)),
        ((166, 167), (166, 167)),
        (range(166, 168), (166, 167)),
        (999_999_999, (999_999_999,)),
    ],
    ids=written,
)
def test_event_code_forms(value: object, expected: tuple[int, ...]) -> None:
    """Event codes are read from lists and from the texts that templates make of them."""
    assert parse_selectors(value).activity_event_list == expected


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        [True],
        [False],
        "[true]",
        "[True]",
        "True",
        0,
        -1,
        [0],
        "0",
        "-166",
        "+166",
        "1_66",
        "166.0",
        166.0,
        [166.0],
        "[166.0]",
        "1e2",
        "[1e2]",
        10**9,
        "1000000000",
        [None],
        "[null]",
        "[None]",
        ["None"],
        [[166]],
        "[[166]]",
        "[166",
        "166]",
        "(166)",
        "[166 167]",
        "166 167",
        "166;167",
        "166,",
        ",",
        "Lead Capture",
        "\N{ARABIC-INDIC DIGIT ONE}66",
        b"166",
        [b"166"],
        bytearray(b"166"),
        memoryview(b"166"),
        # How an array of numpy's is shown: to Python, texts side by side are one.
        "['166' '167']",
        '["166"\n "167"]',
        "[''166']",
        "['\\x31\\x36\\x36']",
        "[1_66]",
        "[0xA6]",
        {"166": 1},
        '{"a": 166}',
        object(),
        "[{[]: 1}]",
        "[{[]}]",
        "[\0]",
        "[__import__('os').getpid()]",
    ],
    ids=written,
)
def test_invalid_event_codes_refused(value: object) -> None:
    """A value that is not an event code is refused."""
    with pytest.raises(InputError, match="activity_event_list"):
        parse_selectors(value)


@pytest.mark.parametrize("brackets", ["[" * 100_000, "[" * 3000 + "]" * 3000, "(" * 5000 + ")" * 5000])
def test_endless_brackets_refused(brackets: str) -> None:
    """Endless brackets are refused like any other unreadable value."""
    # Python 3.13 reads deeper lists than those before it.
    with pytest.raises(InputError, match=r"no readable list|an event code is a whole number"):
        parse_selectors(brackets)


@pytest.mark.parametrize("name", ["activity_event_list", "task_type_list", "audit_activity_list"])
@pytest.mark.parametrize("value", ["", "  ", "None", " None\n", "null"])
def test_empty_rendered_list_refused(name: str, value: str) -> None:
    """A list that rendered to nothing is refused, even if other selectors are given."""
    with pytest.raises(InputError, match=rf"{name} rendered to .*, which is nothing"):
        parse_selectors(**{"should_delete_prospect_notes": True, name: value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TASK, (TASK,)),
        (TASK.upper(), (TASK.upper(),)),
        (uuid.UUID(TASK), None),
        ([uuid.UUID(TASK)], (TASK,)),
        (f"{TASK}, {OTHER_TASK}", (TASK, OTHER_TASK)),
        (json.dumps([TASK, OTHER_TASK]), (TASK, OTHER_TASK)),
        (repr([TASK, OTHER_TASK, TASK]), (TASK, OTHER_TASK)),
        (f"['{TASK}' '{OTHER_TASK}']", None),
        (f"['{TASK[:8]}' '{TASK[8:]}']", None),
        (f"{{{TASK}}}", None),
        ("Follow up", None),
        ([166], None),
        (166, None),
        ([TASK, ""], None),
    ],
    ids=written,
)
def test_task_types_are_guids(value: object, expected: tuple[str, ...] | None) -> None:
    """Task types are read as GUIDs, and anything else is refused."""
    if expected is None:
        with pytest.raises(InputError, match="task_type_list"):
            parse_selectors(task_type_list=value)
    else:
        assert parse_selectors(task_type_list=value).task_type_list == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("StageChange", ("StageChange",)),
        ("StageChange,OwnerChange", ("StageChange", "OwnerChange")),
        ('["OwnerChange"]', ("OwnerChange",)),
        ("['OwnerChange', 'OwnerChange']", ("OwnerChange",)),
        ("stagechange", None),
        (["StageChange", "Everything"], None),
        ([None], None),
        ([True], None),
        ("[StageChange]", None),
    ],
    ids=written,
)
def test_audit_names(value: object, expected: tuple[str, ...] | None) -> None:
    """Audits are the two that exist, in their exact spelling."""
    if expected is None:
        with pytest.raises(InputError, match="audit_activity_list"):
            parse_selectors(audit_activity_list=value)
    else:
        assert parse_selectors(audit_activity_list=value).audit_activity_list == expected


@pytest.mark.parametrize(
    "value", ["true", "false", "TRUE", "yes", "", "None", " True", 1, 0, 1.0, [], [True], {}, b"True", "0"]
)
def test_notes_flag_values(value: object) -> None:
    """Only True and False, or exactly these texts, say whether notes are deleted."""
    with pytest.raises(InputError, match="should_delete_prospect_notes"):
        parse_selectors([166], should_delete_prospect_notes=value)


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"should_delete_prospect_notes": "False"},
        {"activity_event_list": [], "task_type_list": "[]", "audit_activity_list": "()"},
    ],
)
def test_missing_selectors_refused(given_: dict[str, Any]) -> None:
    """A reset without any selector is refused."""
    with pytest.raises(InputError, match="nothing to delete was named"):
        parse_selectors(**given_)


@pytest.mark.parametrize(
    "name", ["activity_event_list", "task_type_list", "audit_activity_list", "should_delete_prospect_notes"]
)
def test_none_is_no_selector(name: str) -> None:
    """None is refused, since it is what a task gives that was skipped, and not the same as leaving it out."""
    with pytest.raises(InputError, match=rf"{name} came to None: leave it out"):
        parse_selectors(**{"activity_event_list": [166], name: None})


def test_selectors_arguments_and_description() -> None:
    """Selectors can be passed again as arguments and are described in words."""
    selectors = parse_selectors("166,167", [TASK], "StageChange,OwnerChange", "True")
    assert parse_selectors(**selectors.arguments()) == selectors
    assert json.loads(json.dumps(selectors.arguments())) == selectors.arguments()
    assert selectors.describe() == (
        f"activities of event 166, 167; tasks of type {TASK}; StageChange and OwnerChange audits; notes"
    )
    assert parse_selectors([166]).describe() == "activities of event 166"


@pytest.mark.parametrize(
    "value", [None, "", "None", " " + LEAD, f"{{{LEAD}}}", LEAD[:-1], 5, [LEAD], LEAD + "\n"]
)
def test_invalid_prospect_id_refused(value: Any) -> None:
    """A reset is for one lead, whose ID must be a GUID."""
    with pytest.raises(InputError, match="prospect_id"):
        LeadReset(value, parse_selectors([166]), WINDOW)


def test_uuid_sent_as_text() -> None:
    """A UUID object is sent as text."""
    lead: Any = uuid.UUID(LEAD)
    assert (
        json.loads(json.dumps(LeadReset(lead, parse_selectors([166]), WINDOW).body()))["ProspectId"]
        == LEAD.lower()
    )


@pytest.mark.parametrize(
    "value", [None, "2026-09-01/2026-10-01", ENTIRE_HISTORY, (WINDOW.start, WINDOW.end), {}]
)
def test_window_required(value: Any) -> None:
    """There is no reset without a window."""
    with pytest.raises(InputError, match="without dates LeadSquared would delete everything"):
        LeadReset(LEAD, parse_selectors([166]), value)


@pytest.mark.parametrize("value", [None, {}, {"ActivityEventList": [166]}])
def test_selectors_required(value: Any) -> None:
    """There is no reset without selectors."""
    with pytest.raises(InputError, match="Selectors"):
        LeadReset(LEAD, value, WINDOW)


def test_empty_selectors_refused() -> None:
    """There is no reset that names no kind of record."""
    with pytest.raises(InputError, match="nothing to delete was named"):
        LeadReset(LEAD, Selectors(), WINDOW)


# -- whatever templates render to, a body has both dates, inside what was asked for ---------------------------

NOTHING = st.sampled_from(
    [None, "", " ", "\n", "None", "null", "NaN", "undefined", "[]", "{}", [], {}, 0, False]
)
NATIVE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
SIDE = st.one_of(
    st.datetimes(datetime(1990, 1, 1), datetime(2032, 1, 1)).map(lambda m: m.isoformat()[:19]),  # noqa: DTZ001
    st.dates(datetime(2024, 1, 1).date(), datetime(2027, 1, 1).date()).map(str),  # noqa: DTZ001
    st.sampled_from(
        ["P1D", "P30D", "PT5M", "P9999Y", "now", "2026", "None", "", " ", "ENTIRE_HISTORY", "2026-W05"]
    ),
    st.sampled_from(
        ["2026-10-01T05:30:00.75+05:30", "2026-10-01 05:30Z", "9999-12-31", "0001-01-01", "0206-10-01"]
    ),
    st.text("0123456789-:TZP+./ ", max_size=20),
)
INTERVAL = st.builds("{}/{}".format, SIDE, SIDE)
DAYS = st.builds(
    lambda day, length: f"{datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y-%m-%d}/P{length}D",
    st.integers(0, 900),
    st.integers(1, 90),
)


def mostly(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Good values come often, else most draws would be refused for one bad value among seven."""
    return st.integers(0, 9).flatmap(lambda drawn: bad if drawn == 9 else good)


ANYTHING = NOTHING | NATIVE
WINDOWS = mostly(
    DAYS, INTERVAL | INTERVAL.map(lambda text: f" {text}\n") | SIDE | ANYTHING | st.just(ENTIRE_HISTORY)
)
ZONES = mostly(st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Paris", "Pacific/Apia"]), ANYTHING)
GUIDS = st.uuids().map(str)
LEADS = mostly(GUIDS, ANYTHING)
NOTES = mostly(st.sampled_from([True, False, "True", "False"]), st.just("true") | ANYTHING)


def selector(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(items, max_size=3)
    return mostly(st.just(NOT_GIVEN) | items | lists | lists.map(str) | lists.map(json.dumps), ANYTHING)


@settings(max_examples=400)
@given(
    prospect_id=LEADS,
    value=WINDOWS,
    timezone=ZONES,
    events=selector(st.integers(1, 300)),
    tasks=selector(GUIDS),
    audits=selector(st.sampled_from(["StageChange", "OwnerChange"])),
    notes=NOTES,
    run_due=st.none() | st.just(NOW),
)
@example(LEAD, "2026-10-01/P1D", "Asia/Kolkata", "[166]", NOT_GIVEN, NOT_GIVEN, "False", None)
@example(LEAD, "P1D/2026-10-01", "UTC", NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, "True", None)
@example(LEAD, ENTIRE_HISTORY, "UTC", [166], NOT_GIVEN, NOT_GIVEN, False, NOW)
@example(LEAD, "2026-09-01/9999-12-31T23:59:59", "America/New_York", [166], NOT_GIVEN, NOT_GIVEN, False, NOW)
@example(LEAD, "2026-09-01/2026-10-01", "UTC", "[{[]: 1}]", NOT_GIVEN, NOT_GIVEN, False, NOW)
@example(LEAD, "2026-09-01T00:00:00.9/2026-09-01T00:00:01.1", "UTC", [166], NOT_GIVEN, NOT_GIVEN, False, NOW)
def test_any_values_refused_or_safe(
    prospect_id: Any,
    value: Any,
    timezone: Any,
    events: Any,
    tasks: Any,
    audits: Any,
    notes: Any,
    run_due: datetime | None,
) -> None:
    """Any values are either refused or make a body with both dates inside the requested window."""
    try:
        window = parse_window(value, timezone=timezone, run_due=run_due, now=lambda: NOW)
        body = LeadReset(prospect_id, parse_selectors(events, tasks, audits, notes), window).body()
    except InputError:
        event("refused")
        return
    event("made")
    assert re.fullmatch(r"[0-9A-Fa-f-]{36}", body["ProspectId"])
    dates = []
    for name in ("FromDate", "ToDate"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", body[name])
        dates.append(datetime.strptime(body[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC))
    assert datetime(2000, 1, 1, tzinfo=UTC) <= dates[0] <= dates[1] <= NOW + timedelta(minutes=1)
    if value is not ENTIRE_HISTORY:
        start, end = asked(value, timezone)
        if start:
            assert dates[0] == start.replace(microsecond=0)
        if end:
            assert dates[1] == end.replace(microsecond=0) - timedelta(seconds=1)
    # Nothing is in it that was not asked for, and nothing empty.
    assert all(body.values())
    assert ("ShouldDeleteProspectNotes" in body) == (notes in ("True",) or notes is True)
    for name, wanted in (
        ("ActivityEventList", events),
        ("TaskTypeList", tasks),
        ("AuditActivityList", audits),
    ):
        for item in body.get(name, ()):
            assert str(item) in str(wanted)


def asked(value: str, timezone: str) -> tuple[datetime | None, datetime | None]:
    """Read the sides of a window by the standard library; None for a length."""
    from zoneinfo import ZoneInfo

    read: list[datetime | None] = []
    for side in value.split("/"):
        text = side.strip()
        if text.startswith("P"):
            read.append(None)
            continue
        # The library takes no fraction of one digit before 3.11, and neither more than six.
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        if moment.tzinfo is None:
            # The second of two equal local times, and what a clock change skips by the offset before it.
            zone = ZoneInfo(timezone)
            late = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
            skipped = late.astimezone(zone).replace(tzinfo=None) != moment
            moment = moment.replace(tzinfo=zone, fold=0 if skipped else 1)
        read.append(moment.astimezone(UTC))
    return read[0], read[1]


@pytest.mark.parametrize(
    "made",
    [
        {"activity_event_list": (True,)},
        {"activity_event_list": (None,)},
        {"activity_event_list": None},
        {"should_delete_prospect_notes": "no"},
        {"should_delete_prospect_notes": 1},
        {"audit_activity_list": ("stagechange",)},
        {"task_type_list": ("call",)},
    ],
)
def test_selectors_made_by_hand(made):
    """Selectors of other values than a reset can send make no reset."""
    with pytest.raises(InputError):
        LeadReset(LEAD, Selectors(**made), WINDOW)


def test_texts_in_selectors_made_by_hand():
    """A text is read as the operators read it, and not sign by sign or as true."""
    made: dict[str, Any] = {"activity_event_list": "166", "should_delete_prospect_notes": "False"}
    assert LeadReset(LEAD, Selectors(**made), WINDOW).body()["ActivityEventList"] == [166]
    assert "ShouldDeleteProspectNotes" not in LeadReset(LEAD, Selectors(**made), WINDOW).body()


class Code(int, enum.Enum):
    """Event codes by name."""

    CALL = 166


def test_enum_member_is_its_code() -> None:
    """A member of an enum of numbers is told as its code, as it is sent."""
    selectors = parse_selectors([Code.CALL])
    assert selectors.describe() == "activities of event 166"
    assert type(selectors.activity_event_list[0]) is int


class Ambiguous:
    """What can be compared with nothing, as pandas' NA."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise TypeError("ambiguous")


class Agreeable:
    """What says that it equals everything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


@pytest.mark.parametrize("odd", [Ambiguous(), Agreeable()])
def test_odd_comparison_refused(odd: object) -> None:
    """What compares in its own way is refused as any other value, by an error of ours."""
    for name in ("activity_event_list", "task_type_list", "audit_activity_list"):
        with pytest.raises(InputError, match=f"{name} holds"):
            parse_selectors(**{name: [odd]})
    with pytest.raises(InputError, match="only True, False or exactly"):
        parse_selectors([166], should_delete_prospect_notes=odd)
