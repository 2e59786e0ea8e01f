"""Dates and times of a time zone as instants, where a clock change has two or none of them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>(?:[01]\d|2[0-3]):\d{2}(?::\d{2}(?:\.(?P<fraction>\d{1,9}))?)?)"
    r"(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
"""A date, or a date and time with or without an offset."""

_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_SECOND = timedelta(seconds=1)

LONGEST_DURATION = 40
"""Characters of a text that may have been meant for a duration."""


def instant_of(text: str, zone: str) -> datetime:
    """Return the instant, in UTC, that a date, or a date and time, names in a time zone; see :func:`instant_at`.

    A fraction finer than microseconds is kept as one microsecond at least: whole seconds stay told from others.

    :raises InputError: it is neither.
    :raises ValueError: there is no such date, time or offset.
    """
    wall, offset = _written(text)
    return instant_at(wall, zone) if offset is None else wall.replace(tzinfo=offset).astimezone(UTC)


def instant_at(wall: datetime, zone: str) -> datetime:
    """Return the instant, in UTC, at which a clock of the time zone shows a naive date and time.

    Midnight is the date's first instant, see :func:`first_instant`. Any other time that a clock change skips counts as
    the same time after the gap; one that occurs twice is its second occurrence.
    """
    if wall.time() == time(0):
        return first_instant(wall.date(), zone)
    local = wall.replace(tzinfo=_zone(zone))
    before, after = (local.replace(fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
    return (wall - min(before, after)).replace(tzinfo=UTC)


def first_instant(day: date, zone: str) -> datetime:
    """Return the first instant, in UTC, at which a clock of the time zone shows that date, or has left it out.

    Midnight, the first where there are two; the clock change where it skips midnight. Should a change set the clock
    back into the evening before, the date has begun all the same: what follows counts to it.
    """
    midnight = datetime.combine(day, time(0))
    there = _zone(zone)
    # With the offset before a gap it names an instant after the gap, with the one after the gap one before.
    late, early = (midnight.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1))
    if late.astimezone(there).replace(tzinfo=None) == midnight:
        return late
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(there).replace(tzinfo=None) < midnight:
            early = middle
        else:
            late = middle
    return late


def read_duration(text: str) -> dict[str, int] | None:
    """Return the units of an ISO 8601 duration in whole numbers, as ``timedelta`` names them and ``years`` and
    ``months``; None for any other text."""
    match = _DURATION.fullmatch(text)
    return {unit: int(number) for unit, number in match.groupdict().items() if number} if match else None


def moved(text: str, zone: str, length: dict[str, int], sign: int) -> datetime:
    """Return the instant, in UTC, that lies a duration after or before a date, or a date and time.

    By the calendar of the time zone, from the local time as it is written: a day before or after it is the same local
    time on another date. Hours, minutes and seconds alone are counted as they pass.

    :param sign: 1 for after, -1 for before.
    :raises InputError: as :func:`instant_of`.
    :raises ValueError: as there.
    """
    hours = {
        unit: sign * length[unit]
        for unit in ("weeks", "days", "hours", "minutes", "seconds")
        if unit in length
    }
    months = sign * (12 * length.get("years", 0) + length.get("months", 0))
    if not months and not hours.get("weeks") and not hours.get("days"):
        return instant_of(text, zone) + timedelta(**hours)
    wall, offset = _written(text)
    if offset is not None:
        wall = wall.replace(tzinfo=offset).astimezone(_zone(zone)).replace(tzinfo=None)
    return instant_at(_months_later(wall, months) + timedelta(**hours), zone)


def _written(text: str) -> tuple[datetime, tzinfo | None]:
    """Return the date and time as written, and the offset behind it, None where it has none."""
    match = MOMENT.fullmatch(text)
    if not match:
        raise InputError(f"{quoted(text)} is neither a date nor a date and time nor a duration{_hint(text)}")
    whole = (match["time"] or "00:00").partition(".")[0]
    wall = datetime.fromisoformat(f"{match['date']}T{whole}")
    if fraction := match["fraction"]:
        wall = wall.replace(microsecond=int(fraction.ljust(6, "0")[:6]) or int(int(fraction) > 0))
    if match["offset"] is None:
        return wall, None
    return wall, datetime.fromisoformat(f"2000-01-01T00:00{match['offset']}").tzinfo


def _hint(text: str) -> str:
    """Return the duration that may have been meant, where hours have no T before them, or the P is missing."""
    if len(text) > LONGEST_DURATION:
        return ""
    upper = text.upper()
    for duration in (upper, f"P{upper}"):
        days, _, times = duration.rpartition("D")
        with_t = f"{days}DT{times}" if days else f"PT{times[1:]}"
        for meant in (duration, with_t):
            if read_duration(meant):
                return f" (did you mean {meant}?)"
    return ""


def _months_later(wall: datetime, months: int) -> datetime:
    """Return the same day of another month, or that month's last day where it has fewer."""
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, (following - timedelta(days=1)).day))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
