"""Dates as instants, at each change of each clock there is."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.local_time import first_instant, instant_at, instant_of
from airflow_provider_leadreset.leadsquared.request.window import EARLIEST, Window, parse_window

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})

Spans = tuple[tuple[datetime, timedelta], ...]
"""From when on a zone's clock is how far from UTC."""


@cache
def offsets(zone: str) -> Spans:
    """Return them from 1970 to 2037, found by looking at each day and between two that differ."""
    there = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(there).utcoffset() or timedelta(0)

    spans = [(FIRST - 400 * DAY, offset(FIRST - 400 * DAY))]
    for number in range(-399, (LAST - FIRST).days):
        moment = FIRST + number * DAY
        if moment.astimezone(there).utcoffset() != spans[-1][1]:
            before, after = moment - DAY, moment
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
                if offset(middle) == spans[-1][1]:
                    before = middle
                else:
                    after = middle
            spans.append((after, offset(after)))
    return tuple(spans)


def rules(zone: str) -> bytes:
    """Return what the time zone database keeps of a zone; its name where that lies in no folder."""
    paths = (Path(folder, zone) for folder in zoneinfo.TZPATH)
    return next((path.read_bytes() for path in paths if path.is_file()), zone.encode())


def changes(quarter: int) -> Iterator[tuple[str, int]]:
    """Yield each change of each clock, once for zones that are the same, in the given quarter of them."""
    for zone in sorted({rules(zone): zone for zone in sorted(ZONES)}.values())[quarter::4]:
        spans = offsets(zone)
        yield from ((zone, number) for number in range(1, len(spans)) if spans[number][0] >= FIRST)


def expected(spans: Spans, number: int, day: date) -> datetime:
    """Return the first instant at which a clock shows the date or a later one, by what the clock is around a change."""
    midnight = datetime.combine(day, time(0), UTC)
    for at in range(max(0, number - 3), len(spans)):
        begins, offset = spans[at]
        ends = spans[at + 1][0] if at + 1 < len(spans) else LAST + 400 * DAY
        if (first := max(begins, midnight - offset)) < ends:
            return first
    raise AssertionError


def read(text: str, zone: str) -> Window:
    return parse_window(text, timezone=zone, now=lambda: LATER)


def sent(window: Window) -> tuple[datetime, datetime]:
    first, last = (datetime.fromisoformat(f"{moment}Z") for moment in (window.from_date, window.to_date))
    return first, last


@pytest.mark.exhaustive
@pytest.mark.parametrize("quarter", range(4))
def test_dates_at_each_clock_change(quarter: int) -> None:
    """Dates around each clock change from 1970 to 2037 begin at their first instant, and windows of them meet there."""
    count = 0
    for zone, number in changes(quarter):
        spans = offsets(zone)
        change, before = spans[number][0], spans[number - 1][1]
        count += 1
        today = (change + before).date()
        days = [today + timedelta(days=shift) for shift in (-1, 0, 1, 2, 3)]
        begins = [expected(spans, number, day) for day in days]
        assert [first_instant(day, zone) for day in days] == begins, (zone, today)
        if begins[0] < EARLIEST:
            continue
        for day, following, begin, end in zip(days, days[1:], begins, begins[1:], strict=False):
            texts = (
                f"{day}/{following}",
                f"{day}/P1D",
                f"P1D/{following}",
                f"{day}T00:00/{following} 00:00:00",
            )
            if begin == end:  # a date that was left out
                for text in texts:
                    with pytest.raises(InputError, match="the window is empty"):
                        read(text, zone)
                continue
            for text in texts:
                assert sent(read(text, zone)) == (begin, end - timedelta(seconds=1)), (zone, text)
    assert count > 2_500


@pytest.mark.parametrize(
    ("day", "zone", "begins"),
    [
        ("2025-10-26", "Atlantic/Azores", "2025-10-26T00:00"),  # midnight comes twice, and is the first
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00"),  # and never: the day begins at one o'clock
        ("1971-01-01", "Africa/Monrovia", "1971-01-01T00:44:30"),
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00"),  # left out
        # The clock is set back from 00:01 to 23:01: the day has begun.
        ("2006-10-29", "America/St_Johns", "2006-10-29T02:30"),
        # From 23:30 to 00:30.
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30"),
    ],
)
def test_first_instants(day: str, zone: str, begins: str) -> None:
    """A date begins at its first instant where a clock change has two or none of its midnight."""
    begin = datetime.fromisoformat(f"{begins}Z")
    assert first_instant(date.fromisoformat(day), zone) == begin
    assert instant_at(datetime.fromisoformat(day), zone) == begin


def test_nothing_of_the_excluded_day() -> None:
    """Of a day that is excluded nothing goes, though its midnight comes twice."""
    window = read("2025-10-25/2025-10-26", "Atlantic/Azores")
    assert (window.from_date, window.to_date) == ("2025-10-25 00:00:00", "2025-10-25 23:59:59")


DATES = st.dates(date(2000, 1, 2), date(2037, 12, 1))
MOMENTS = st.datetimes(datetime(2000, 1, 3), datetime(2037, 12, 1))  # noqa: DTZ001 (Hypothesis wants them so)
WRITTEN = MOMENTS.map(lambda moment: moment.isoformat()) | DATES.map(str)
ANY_ZONE = st.sampled_from(ZONES)


def window_or_none(text: str, zone: str) -> Window | None:
    try:
        return read(text, zone)
    except InputError:
        return None


@given(DATES, st.integers(1, 40), st.integers(1, 40), ANY_ZONE)
def test_neighbours_meet(day: date, first: int, second: int, zone: str) -> None:
    """Windows of neighbouring days neither overlap nor leave a second out, however they are written."""
    middle, end = day + timedelta(days=first), day + timedelta(days=first + second)
    before, after = window_or_none(f"P{first}D/{middle}", zone), window_or_none(f"{middle}/{end}", zone)
    if before and after:
        assert sent(before)[1] + timedelta(seconds=1) == sent(after)[0]


@given(WRITTEN, WRITTEN, WRITTEN, ANY_ZONE)
def test_neighbours_never_overlap(first: str, second: str, third: str, zone: str) -> None:
    """Of two windows that share a side none has a second of the other, and at most one second is left out."""
    before, after = window_or_none(f"{first}/{second}", zone), window_or_none(f"{second}/{third}", zone)
    if before and after:
        gap = sent(after)[0] - sent(before)[1]
        assert timedelta(seconds=1) <= gap <= timedelta(seconds=2)


@given(
    st.datetimes(datetime(2000, 1, 3), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), 900 * DAY),
    ANY_ZONE,
)
def test_sent_bounds_lie_inside(start: datetime, length: timedelta, zone: str) -> None:
    """Both bounds as sent lie inside what was asked for, and the text of a window is read as the same window."""
    end: Any = start + min(length, LATER - start)  # of the calendar's last days, no sum is a date
    try:
        window = read(f"{start.isoformat()}/{end.isoformat()}", zone)
    except InputError:
        return
    first, last = sent(window)
    assert start <= first <= last < last + timedelta(seconds=1) <= end
    again = read(window.text, "Pacific/Auckland")
    assert (again.start, again.end, again.text) == (window.start, window.end, window.text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("P1H", "PT1H"),
        ("P30S", "PT30S"),
        ("P1D12H", "P1DT12H"),
        ("p30d", "P30D"),
        ("30D", "P30D"),
        ("1h", "PT1H"),
        ("tomorrow", None),
        ("P", None),
        ("", None),
        ("1" * 100_000, None),
    ],
)
def test_duration_that_is_nearly_one(text, meant):
    """A duration without its T or P, or in small letters, is refused with what was meant."""
    with pytest.raises(InputError) as caught:
        instant_of(text, "UTC")
    assert ("did you mean" in str(caught.value)) == (meant is not None)
    assert f"(did you mean {meant}?)" in str(caught.value) or meant is None
