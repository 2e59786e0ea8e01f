from __future__ import annotations

import datetime as dt
import functools
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.window import (
    Window,
    parse_timezone,
    parse_window,
    wait_out,
)
from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY, EntireHistory
from support.written import written

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def window(value: object, timezone: object = "UTC", **more: Any) -> Window:
    return parse_window(value, timezone=timezone, **{"now": lambda: NOW} | more)


def sent(value: object, timezone: object = "UTC") -> tuple[str, str]:
    read = window(value, timezone)
    return read.from_date, read.to_date


# -- what is sent ---------------------------------------------------------------------------------------------


def test_documented_sample() -> None:
    """Two whole days in India are sent as in LeadSquared's documented sample."""
    assert sent("2026-10-01/2026-10-03", "Asia/Kolkata") == ("2026-09-30 18:30:00", "2026-10-02 18:29:59")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-01/2026-10-01", ("2026-09-01 00:00:00", "2026-09-30 23:59:59")),
        ("2026-09-01T18:30/2026-09-02T18:30", ("2026-09-01 18:30:00", "2026-09-02 18:29:59")),
        ("2026-09-01 18:30/2026-09-02 18:30", ("2026-09-01 18:30:00", "2026-09-02 18:29:59")),
        ("2026-09-01T18:30:15/2026-09-02", ("2026-09-01 18:30:15", "2026-09-01 23:59:59")),
        (
            "2026-09-01T18:30:15.999/2026-09-02T00:00:00.999999",
            ("2026-09-01 18:30:16", "2026-09-01 23:59:59"),
        ),
        ("2026-09-01T00:00:00.000000000/2026-09-02", ("2026-09-01 00:00:00", "2026-09-01 23:59:59")),
        ("2026-09-01T00:00:00.000000001/2026-09-02", ("2026-09-01 00:00:01", "2026-09-01 23:59:59")),
        (
            "2026-09-01T00:00:00/2026-09-02T00:00:00.999999999",
            ("2026-09-01 00:00:00", "2026-09-01 23:59:59"),
        ),
        ("2026-09-01T10:00:00.9/P1D", ("2026-09-01 10:00:01", "2026-09-02 09:59:59")),
        ("2026-09-01T00:00Z/2026-09-02T00:00Z", ("2026-09-01 00:00:00", "2026-09-01 23:59:59")),
        ("2026-09-01T00:00+05:30/2026-09-02T00:00:00+0530", ("2026-08-31 18:30:00", "2026-09-01 18:29:59")),
        ("2026-09-01 00:00:00+05/2026-09-02 00:00-03", ("2026-08-31 19:00:00", "2026-09-02 02:59:59")),
        ("P30D/2026-10-01", ("2026-09-01 00:00:00", "2026-09-30 23:59:59")),
        ("2026-09-01/P1M", ("2026-09-01 00:00:00", "2026-09-30 23:59:59")),
        ("2026-09-01/P1W", ("2026-09-01 00:00:00", "2026-09-07 23:59:59")),
        ("P1Y2M1W3DT4H5M6S/2026-10-01", ("2025-07-21 19:54:54", "2026-09-30 23:59:59")),
        ("2026-09-01T10:00/PT90M", ("2026-09-01 10:00:00", "2026-09-01 11:29:59")),
        ("2026-09-01/PT1S", ("2026-09-01 00:00:00", "2026-09-01 00:00:00")),
        ("  2026-09-01 / 2026-10-01\n", ("2026-09-01 00:00:00", "2026-09-30 23:59:59")),
        ("2024-02-29/P1D", ("2024-02-29 00:00:00", "2024-02-29 23:59:59")),
        ("P1M/2026-03-31", ("2026-02-28 00:00:00", "2026-03-30 23:59:59")),
        ("2000-01-01/2000-01-02", ("2000-01-01 00:00:00", "2000-01-01 23:59:59")),
    ],
)
def test_documented_forms(text: str, expected: tuple[str, str]) -> None:
    """Every documented form of a window is read."""
    assert sent(text) == expected


def test_offset_overrides_zone() -> None:
    """A side without an offset is local time, and a side's own offset overrides the time zone."""
    assert sent("2026-09-01/2026-09-01T12:00Z", "America/New_York") == (
        "2026-09-01 04:00:00",
        "2026-09-01 11:59:59",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The clock goes from 02:00 to 03:00 on 2026-03-29: the day has 23 hours.
        ("2026-03-29/P1D", ("2026-03-28 23:00:00", "2026-03-29 21:59:59")),
        ("P1D/2026-03-30", ("2026-03-28 23:00:00", "2026-03-29 21:59:59")),
        ("2026-03-29/PT24H", ("2026-03-28 23:00:00", "2026-03-29 22:59:59")),
        # 02:30 does not exist on that day, and is 03:30.
        ("2026-03-29T02:30/2026-03-29T04:00", ("2026-03-29 01:30:00", "2026-03-29 01:59:59")),
        ("2026-03-28T02:30/P1D", ("2026-03-28 01:30:00", "2026-03-29 01:29:59")),
        # A day counted from it ends where the next one begins: at 02:30, not an hour later.
        ("2026-03-29T02:30/P1D", ("2026-03-29 01:30:00", "2026-03-30 00:29:59")),
        ("P1D/2026-03-29T02:30", ("2026-03-28 01:30:00", "2026-03-29 01:29:59")),
        # 02:30 comes twice on 2026-10-25, and is the second.
        ("2026-10-25T02:30/P1D", ("2026-10-25 01:30:00", "2026-10-26 01:29:59")),
        ("2026-10-25T02:30+02:00/2026-10-25T02:30", ("2026-10-25 00:30:00", "2026-10-25 01:29:59")),
    ],
)
def test_days_across_clock_changes(text: str, expected: tuple[str, str]) -> None:
    """Days are counted by the calendar of the time zone, even when its clock changes."""
    assert sent(text, "Europe/Paris") == expected


def test_fractions_rounded_inwards() -> None:
    """A start with a fraction is rounded up and an end down, so that nothing outside goes."""
    read = Window(
        datetime(2026, 9, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 9, 1, 0, 0, 5, 999_999, tzinfo=UTC)
    )
    assert (read.from_date, read.to_date) == ("2026-09-01 00:00:01", "2026-09-01 00:00:04")
    assert datetime(2026, 9, 1, 0, 0, 0, 999_999, tzinfo=UTC) not in read


def test_moment_with_offset_is_not_local() -> None:
    """A moment with an offset stays that moment in any time zone, and its day is counted back from there."""
    for zone in ("Asia/Kolkata", "America/New_York"):
        expected = ("2026-09-30 21:00:00", "2026-10-01 20:59:59")
        assert sent("P1D/2026-10-01 21:00:00+00:00", zone) == expected
        assert sent("2026-09-30T21:00Z/P1D", zone) == expected
        assert sent("PT24H/2026-10-01T21:00:00+00:00", zone) == expected


def test_entire_history_end() -> None:
    """The entire history ends at the time at which the run is due."""
    read = window(ENTIRE_HISTORY, "Asia/Kolkata", run_due=NOW + timedelta(milliseconds=500))
    assert (read.from_date, read.to_date) == ("2000-01-01 00:00:00", "2026-11-20 11:59:59")


def test_entire_history_of_future_run() -> None:
    """The entire history is refused for a run that is not due yet."""
    with pytest.raises(InputError, match=r"window ENTIRE_HISTORY ends at .* in the future"):
        window(ENTIRE_HISTORY, run_due=NOW + timedelta(days=7))


def test_entire_history_needs_run() -> None:
    """The entire history is refused without a run that says when it ends."""
    with pytest.raises(InputError, match="does not say when"):
        window(ENTIRE_HISTORY)


def test_entire_history_is_not_text() -> None:
    """The entire history is not a text and does not equal any text."""
    assert not isinstance(ENTIRE_HISTORY, str)
    assert all(text != ENTIRE_HISTORY for text in ("ENTIRE_HISTORY", "entire history", str(ENTIRE_HISTORY)))
    assert repr(ENTIRE_HISTORY) == "ENTIRE_HISTORY"
    assert EntireHistory("entire history") is ENTIRE_HISTORY


def test_window_description() -> None:
    """A window is described in its own time zone and as it is sent."""
    assert window("2026-10-01/2026-10-03", "Asia/Kolkata").describe() == (
        "from 2026-10-01 00:00:00 up to, not including, 2026-10-03 00:00:00 Asia/Kolkata "
        "(sent as FromDate 2026-09-30 18:30:00, ToDate 2026-10-02 18:29:59 UTC)"
    )


def test_window_contains_moment() -> None:
    """Whether a moment is inside the window is decided to the second."""
    read = window("2026-10-01/2026-10-02")
    last = datetime(2026, 10, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    assert datetime(2026, 10, 1, tzinfo=UTC) in read
    assert last in read
    assert last + timedelta(microseconds=1) not in read
    assert datetime(2026, 9, 30, 23, 59, 59, 999_999, tzinfo=UTC) not in read


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-10-01/2026-10-03", "Asia/Kolkata"),
        ("P1M/2026-10-25T02:30:09.5", "Europe/Paris"),
        ("2000-01-01/2026-11-20", "UTC"),
    ],
)
def test_text_round_trip(text: str, zone: str) -> None:
    """A window's text is read back as the same window in any time zone."""
    read = window(text, zone)
    again = window(read.text, "Pacific/Auckland")
    assert (again.start, again.end) == (read.start, read.end)
    assert re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/?){2}", read.text)


# -- what is refused ------------------------------------------------------------------------------------------

REFUSED = [
    None,
    "",
    " \n",
    "None",
    " None ",
    "null",
    "now",
    "2026",
    "2026-W05",
    "2026-W05/2026-W06",
    "2026/2027",
    "2026-09/2026-10",
    "2026-09-01",
    "2026-09-01/",
    "/2026-10-01",
    "/",
    "None/2026-10-01",
    "2026-09-01/None",
    "now/2026-10-01",
    "2026-09-01/now",
    "P1D/P1D",
    "P1D",
    "P/2026-10-01",
    "PT/2026-10-01",
    "P1DT/2026-10-01",
    "P-1D/2026-10-01",
    "-P1D/2026-10-01",
    "P1.5D/2026-10-01",
    "p1d/2026-10-01",
    "P1H/2026-10-01",
    "2026-09-01/2026-09-02/2026-09-03",
    "2026-09-01--2026-10-01",
    "20260901/20261001",
    "01/09/2026",
    "2026-9-1/2026-10-01",
    "2026-02-30/2026-10-01",
    "2026-09-01T25:00/2026-10-01",
    "2026-09-01T24:00/2026-10-01",
    "2026-09-01Z/2026-10-01",
    "2026-09-01T00/2026-10-01",
    "2026-09-01T00:00+99:00/2026-10-01",
    "2026-09-01T00:00 +05:30/2026-10-01",
    "2026-09-01T00:00[UTC]/2026-10-01",
    "0000-01-01/2026-10-01",
    "2026-09-01/P99999999999999999999Y",
    "P9999Y/2026-09-01",
    "\N{FULLWIDTH DIGIT TWO}026-09-01/2026-10-01",
    "2026-09-0\N{ARABIC-INDIC DIGIT ONE}/2026-10-01",
    "P1\N{ARABIC-INDIC DIGIT THREE}D/2026-10-01",
    "{{ data_interval_start }}/{{ data_interval_end }}",
    "ENTIRE_HISTORY",
    "EntireHistory.ENTIRE_HISTORY",
    "entire history",
    20260901,
    20260901.5,
    True,
    False,
    ["2026-09-01", "2026-10-01"],
    ("2026-09-01", "2026-10-01"),
    {"start": "2026-09-01", "end": "2026-10-01"},
    b"2026-09-01/2026-10-01",
    NOW,
    NOW.date(),
    EntireHistory,
]


@pytest.mark.parametrize("value", REFUSED, ids=written)
def test_invalid_windows_refused(value: object) -> None:
    """Any other value is refused, and the error quotes it and names the right form."""
    with pytest.raises(InputError) as caught:
        window(value, run_due=NOW)
    assert repr(value)[:120] in str(caught.value)
    assert "2026-09-01/2026-10-01" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2026-10-01/2026-10-01", "UTC"),
        ("2026-10-01T00:00:00.1/2026-10-01T00:00:00.9", "UTC"),
        ("2026-10-01/P0D", "UTC"),
        ("PT0S/2026-10-01", "UTC"),
        ("2026-10-25T02:30+02:00/P0D", "Europe/Paris"),
        ("2011-12-30/2011-12-31", "Pacific/Apia"),  # a day that Samoa left out
        ("2026-10-01T10:00+05:30/2026-10-01T04:30+00:00", "UTC"),
    ],
)
def test_empty_window_refused(value: str, zone: str) -> None:
    """An empty window is refused, and the error shows how to write a whole day."""
    with pytest.raises(InputError, match="the window is empty") as caught:
        window(value, zone)
    assert repr(value) in str(caught.value)
    assert "2026-10-01/P1D" in str(caught.value)


@pytest.mark.parametrize(
    "value", ["2026-10-01/2026-09-01", "2026-10-01T00:00:01/2026-10-01", "2026-10-01T00:00:00.9/2026-10-01"]
)
def test_swapped_sides_refused(value: str) -> None:
    """A window that starts after it ends is refused, and the error asks whether its sides were swapped."""
    with pytest.raises(InputError, match="starts after it ends: were the sides swapped") as caught:
        window(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("0206-09-01/2026-10-01", "UTC"),
        ("1999-12-30T23:59:59/2026-10-01", "UTC"),
        ("1970-01-01/2026-10-01", "UTC"),
        ("P30Y/2026-10-01", "UTC"),
    ],
)
def test_start_too_early_refused(value: str, zone: str) -> None:
    """A start before LeadSquared existed is refused as a mistake."""
    with pytest.raises(InputError, match="before 2000-01-01") as caught:
        window(value, zone)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("2026-09-01/9999-12-31T23:59:59", "America/New_York"),
        ("0001-01-01/2026-10-01", "Asia/Kolkata"),
        ("2026-09-01/9999-12-31T23:59:59-12:00", "UTC"),
    ],
)
def test_calendar_limits_refused(value: str, zone: str) -> None:
    """Dates at the ends of the calendar are refused like other bad values."""
    with pytest.raises(InputError) as caught:
        window(value, zone)
    assert repr(value) in str(caught.value)


def test_end_slightly_ahead_accepted() -> None:
    """An end of up to five minutes ahead of the clock is accepted."""
    assert window("2026-11-20/2026-11-20T12:05").to_date == "2026-11-20 12:04:59"


@pytest.mark.parametrize(
    "value", ["2026-11-20/2026-11-20T12:05:01", "2026-11-20/P1D", "2026-11-01/2062-12-01"]
)
def test_future_end_refused(value: str) -> None:
    """An end in the future is refused, and the error offers the run's own times instead."""
    with pytest.raises(InputError, match="in the future") as caught:
        window(value)
    assert repr(value) in str(caught.value)
    assert "for example at run_moment" in str(caught.value)


def wait(ahead: float, *, jumps: float = 0.0) -> tuple[list[float], list[str]]:
    """Return how long a window that ends so many seconds ahead is waited out, and what is said of it."""
    slept: list[float] = []
    said: list[str] = []
    end = NOW.replace(microsecond=0) + timedelta(seconds=ahead)
    wait_out(
        Window(NOW - timedelta(days=1), end),
        now=lambda: NOW + timedelta(seconds=sum(slept) - jumps * len(slept)),
        sleep=slept.append,
        log=said.append,
    )
    return slept, said


def test_clock_behind_is_waited_out() -> None:
    """A window that has not ended on the worker's clock is waited out, and the log says so."""
    slept, said = wait(240.0)
    assert slept == [240.0]
    assert len(said) == 1
    assert "240 s from now by this worker's clock" in said[0]


def test_ended_window_is_not_waited_for() -> None:
    """A window that has ended is neither waited for nor spoken of."""
    assert wait(0.0) == wait(-1.0) == ([], [])


def test_clock_set_back_while_waiting() -> None:
    """A clock that is set back again and again keeps no task waiting for ever."""
    slept, said = wait(200.0, jumps=200.0)
    assert slept == [200.0, 200.0]
    assert len(said) == 1


def test_default_clock() -> None:
    """Without a given clock, the real one is used."""
    today = datetime.now(UTC)
    assert parse_window(f"2026-01-01/{today:%Y-%m-%dT%H:%M:%SZ}").end == today.replace(microsecond=0)
    with pytest.raises(InputError, match="in the future"):
        parse_window(f"2026-01-01/{today + timedelta(minutes=7):%Y-%m-%dT%H:%M:%SZ}")


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Asia/Kolkatta", "did you mean 'Asia/Kolkata'?"),
        ("asia/kolkata", "did you mean 'Asia/Kolkata'?"),
        ("Asia/Calcuta", "did you mean 'Asia/Calcutta'?"),
        ("utc", "did you mean 'UTC'?"),
        (" UTC", "did you mean 'UTC'?"),
        # No guess at all where a near name is a different zone.
        ("IST", "write an IANA name such as 'Asia/Kolkata'"),
        ("PST", "write an IANA name such as 'Asia/Kolkata'"),
        ("GMT+5", "write an IANA name such as 'Asia/Kolkata'"),
        ("+05:30", "write an IANA name such as 'Asia/Kolkata'"),
        ("", "write an IANA name"),
        ("None", "write an IANA name"),
        (None, "write an IANA name"),
        (5.5, "write an IANA name"),
        (["UTC"], "write an IANA name"),
        (UTC, "write an IANA name"),
    ],
)
def test_unknown_zone_refused(zone: object, hint: str) -> None:
    """An unknown time zone is refused, and the error quotes it and offers a similar name."""
    with pytest.raises(InputError, match=re.escape(hint)) as caught:
        window("2026-09-01/2026-10-01", zone)
    assert repr(zone) in str(caught.value)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory"])
def test_zone_of_a_machine_refused(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """What a machine calls its own time zone is another one on another worker."""
    known = pendulum.timezones() | {zone}
    monkeypatch.setattr(pendulum, "timezones", lambda: known)
    with pytest.raises(InputError, match="is not known: write an IANA name"):
        parse_timezone(zone)


def test_known_zones_accepted() -> None:
    """Known time zones are accepted by name."""
    assert [parse_timezone(zone) for zone in ("UTC", "Asia/Kolkata")] == ["UTC", "Asia/Kolkata"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 9, 1), NOW),  # noqa: DTZ001 - what it is about
        (datetime(2026, 9, 1, tzinfo=UTC), "2026-10-01"),
        (None, NOW),
        (dt.date(2026, 9, 1), NOW),
        (datetime(2026, 9, 1, tzinfo=UTC), datetime.max.replace(tzinfo=dt.timezone(timedelta(hours=-5)))),
        (datetime.min.replace(tzinfo=dt.timezone(timedelta(hours=5))), NOW),
    ],
)
def test_naive_bounds_refused(start: Any, end: Any) -> None:
    """A window is made of timezone-aware datetimes only."""
    with pytest.raises(InputError, match=r"a window's (start|end)"):
        Window(start, end)


# -- windows that meet ----------------------------------------------------------------------------------------

ZONES = sorted(pendulum.timezones() - {"localtime", "posixrules", "Factory"})
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@functools.cache
def transitions(zone: str) -> list[datetime]:
    """Moments since 2005, to the hour and somewhat before, at which a zone's clock changes."""
    info, found = ZoneInfo(zone), []
    day = datetime(2005, 1, 1, tzinfo=UTC)
    while day.year < 2027:
        later = day + timedelta(days=7)
        if day.astimezone(info).utcoffset() != later.astimezone(info).utcoffset():
            low, high = day, later
            while high - low > timedelta(minutes=30):
                middle = low + (high - low) / 2
                if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(low)
        day = later
    return found or [datetime(2020, 6, 1, tzinfo=UTC)]


@st.composite
def zone_and_local_times(draw: st.DrawFn, count: int) -> tuple[str, list[datetime]]:
    """A zone, and local times around one of its clock changes, in rising order as written."""
    zone = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(transitions(zone)))
    local = change.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
    minutes = draw(
        st.lists(
            st.integers(-300, 300) | st.integers(-3000, 3000), min_size=count, max_size=count, unique=True
        )
    )
    seconds = draw(st.sampled_from([0, 0, 1, 59]))
    return zone, [local + timedelta(minutes=minute, seconds=seconds) for minute in sorted(minutes)]


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def next_second(text: str) -> str:
    return f"{datetime.strptime(text, '%Y-%m-%d %H:%M:%S') + timedelta(seconds=1)}"  # noqa: DTZ007


def at(value: str, zone: str) -> Window:
    try:
        return parse_window(value, timezone=zone, now=lambda: FAR)
    except InputError as error:
        # Written in rising order, a clock change can make them one moment or turn them round. Nothing else may.
        if "the window is empty" not in str(error) and "the window starts after it ends" not in str(error):
            raise
        reject()


def local(*fields: int) -> datetime:
    return datetime(*fields, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


@given(zone_and_local_times(3))
@example(("Europe/Paris", [local(2026, 3, 29, 1), local(2026, 3, 29, 2, 30), local(2026, 3, 29, 4)]))
@example(("Pacific/Apia", [local(2011, 12, 29), local(2011, 12, 30), local(2012, 1, 1)]))
def test_adjacent_windows(drawn: tuple[str, list[datetime]]) -> None:
    """Adjacent windows leave no gap and do not overlap."""
    zone, (a, b, c) = drawn[0], map(written, drawn[1])
    assert next_second(at(f"{a}/{b}", zone).to_date) == at(f"{b}/{c}", zone).from_date


@given(zone_and_local_times(1), st.sampled_from(["P1D", "P2D", "P1W", "P1M", "P1DT2H"]))
@example(("Africa/Cairo", [local(2010, 4, 30)]), "P1D")
@example(("Europe/Paris", [local(2026, 3, 29, 2, 30)]), "P1D")
def test_adjacent_window_after_length(drawn: tuple[str, list[datetime]], length: str) -> None:
    """A window given by its length ends where a window that starts at that local time begins."""
    zone, (start,) = drawn
    days = pendulum.instance(start, tz=None)
    added = {"P1D": days.add(days=1), "P2D": days.add(days=2), "P1W": days.add(weeks=1)} | {
        "P1M": days.add(months=1),
        "P1DT2H": days.add(days=1, hours=2),
    }
    end = written(added[length])
    assert next_second(at(f"{written(start)}/{length}", zone).to_date) == at(f"{end}/P9D", zone).from_date


@given(zone_and_local_times(1), st.sampled_from(["P1D", "P2D", "P1W"]))
@example(("Africa/Casablanca", [local(2010, 5, 3)]), "P1D")
def test_adjacent_window_before_length(drawn: tuple[str, list[datetime]], length: str) -> None:
    """A window that reaches back from a local time begins where a window up to its start ends."""
    zone, (end,) = drawn
    start = end - timedelta(days={"P1D": 1, "P2D": 2, "P1W": 7}[length])
    earlier = at(f"P20D/{written(start)}", zone)
    assert next_second(earlier.to_date) == at(f"{length}/{written(end)}", zone).from_date


@given(zone_and_local_times(1), st.integers(1, 100))
def test_hours_across_clock_changes(drawn: tuple[str, list[datetime]], hours: int) -> None:
    """Hours have their full length across any clock change."""
    zone, (start,) = drawn
    read = at(f"{written(start)}/PT{hours}H", zone)
    assert read.end - read.start == timedelta(hours=hours)


YEARS = ["0000", "0001", "1999", "2000", "2024", "2026", "9999", "１９９９"]
DAYS = ["00-01", "01-00", "01-01", "02-29", "02-30", "06-31", "13-01", "12-31"]
TIMES = ["", "T00:00", " 24:00", "T23:59:60", "T23:59:59.999999999", "T99:99", "T02:30:00"]
OFFSETS = ["Z", "+05:30", "-0000", "+99:99", "-24:00", "+14", "-23:59"]
LENGTHS = [
    "P1D",
    "P0D",
    "PT0S",
    "P9999Y",
    f"P{'9' * 400}D",
    f"P{'9' * 5000}D",
    f"PT{'9' * 20}S",
    "P1.5D",
    "P-1D",
]
ZONES = ["UTC", "Asia/Kolkata", "Pacific/Apia", "Africa/Monrovia", "Etc/GMT+12"]


def odd_sides(chance: random.Random) -> str:
    sides = [
        chance.choice(LENGTHS)
        if chance.random() < 0.3
        else f"{chance.choice(YEARS)}-{chance.choice(DAYS)}"
        + ((time + chance.choice(["", *OFFSETS])) if (time := chance.choice(TIMES)) else "")
        for _ in range(2)
    ]
    return "/".join(sides)


def test_odd_dates_refused_or_kept() -> None:
    """Dates, times, offsets and lengths at the edge of the calendar give a window or an InputError, nothing else."""
    chance, kept = random.Random(5), 0
    for _ in range(15_000):
        zone = chance.choice(ZONES)
        try:
            window = parse_window(odd_sides(chance), timezone=zone)
        except InputError:
            continue
        kept += 1
        assert parse_window(window.text, timezone=zone) == window
        assert window.from_date <= window.to_date
        assert zone in window.describe()
    assert kept > 30
