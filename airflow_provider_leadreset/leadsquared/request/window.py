"""The span of time a reset deletes in: a half-open interval, made into FromDate and ToDate."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pendulum

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No LeadSquared record is older, so a date before it is a slip of the pen (0206 for 2026)."""

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far behind LeadSquared's clock a worker's may be before a window "up to now" is refused."""

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_FORMS = (
    "Write it as 'start/end', for example '2026-09-01/2026-10-01', '2026-09-01T18:30/2026-09-02T18:30' "
    "or 'P30D/run_day' (of the DAG run, in timezone); ENTIRE_HISTORY, the name and not a text, means everything"
)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval ``[start, end)``: ``start`` belongs to it, ``end`` does not.

    :param start: aware datetime, cut to the second.
    :param end: aware datetime, cut to the second; later than ``start``.
    :param timezone: IANA name, only for showing the window to people.
    :raises InputError: start before 2000, or end not later than start.

    LeadSquared documents FromDate and ToDate as UTC; its sample ends on a day's last second, so ToDate is
    sent as one second before ``end``. Whether the bounds are inclusive is not documented: should ToDate
    be exclusive, the window's last second is not deleted, which is the lesser loss. Both are assumed to
    compare with the records' CreatedOn (inferred).
    """

    start: datetime
    end: datetime
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if not isinstance(value, datetime) or value.utcoffset() is None:
                raise InputError(
                    f"a window's {name} must be a datetime with a time zone, not {quoted(value)}"
                )
            try:
                value = value.astimezone(UTC).replace(microsecond=0)
            except OverflowError:
                raise InputError(f"a window's {name}, {quoted(str(value))}, is no year of ours") from None
            # A frozen dataclass is set this way in its own __post_init__ only.
            object.__setattr__(self, name, value)
        # A day of grace: the year 2000 began up to 14 hours earlier than in UTC.
        if self.start < EARLIEST - timedelta(days=1):
            raise InputError(
                f"the window starts at {self.start.isoformat()}, before 2000-01-01, when there was no LeadSquared. "
                "Correct the date, or pass ENTIRE_HISTORY if everything is meant"
            )
        if self.end <= self.start:
            raise InputError(
                f"the window is empty: it starts at {self.start.isoformat()} and ends, exclusively, "
                f"at {self.end.isoformat()}. The end is not part of a window: for one whole day write "
                "'2026-10-01/2026-10-02' or '2026-10-01/P1D'. On Airflow 3 a cron schedule's data interval is empty: "
                "write 'P1D/run_moment'"
            )

    @property
    def from_date(self) -> str:
        """FromDate as sent: ``YYYY-MM-DD HH:MM:SS`` in UTC (documented)."""
        return _sent(self.start)

    @property
    def to_date(self) -> str:
        """ToDate as sent: the last second of the window, ``YYYY-MM-DD HH:MM:SS`` in UTC."""
        return _sent(self.end - timedelta(seconds=1))

    @property
    def text(self) -> str:
        """The interval as text that :func:`parse_window` reads as the same window."""
        return f"{_iso(self.start)}/{_iso(self.end)}"

    def describe(self) -> str:
        """Describe the window for a log: in its own time zone, and as sent."""
        zone = pendulum.timezone(self.timezone)
        local = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in (self.start, self.end)]
        return (
            f"from {local[0]} up to, not including, {local[1]} {self.timezone} "
            f"(sent as FromDate {self.from_date}, ToDate {self.to_date} UTC)"
        )

    def __contains__(self, moment: datetime) -> bool:
        """Whether ``moment`` lies inside, to the second: as LeadSquared is taken to compare."""
        return self.start <= moment.replace(microsecond=0) < self.end


def parse_window(
    value: object,
    *,
    timezone: object = "UTC",
    run_due: datetime | None = None,
    now: Callable[[], datetime] | None = None,
) -> Window:
    """Read a window as an operator gets it, after templates were rendered.

    :param value: text ``A/B`` or :data:`ENTIRE_HISTORY`. Each side is ``YYYY-MM-DD``, optionally with
        ``THH:MM[:SS[.f]]`` (or a blank for the T) and then ``Z`` or an offset; one side may be an ISO 8601
        duration in whole numbers, which is taken from or added to the other by the calendar of ``timezone``:
        a day before or after a local time is the same local time, as written, on another date.
    :param timezone: IANA name for sides without an offset. A local time that a clock change skips counts as
        the same time after the gap; one that occurs twice is its second occurrence.
    :param run_due: aware datetime at which :data:`ENTIRE_HISTORY` ends.
    :param now: gives the present moment (aware datetime); by default the clock's.
    :raises InputError: anything else, an empty or inverted window, one that ends more than a minute from
        now (what does not exist yet cannot have been meant), or one that begins before 2000.
    """
    zone = parse_timezone(timezone)
    if value is ENTIRE_HISTORY:
        if run_due is None:
            raise InputError("ENTIRE_HISTORY ends when the DAG run was due, and this run does not say when")
        window = Window(EARLIEST, run_due, zone)
        _refuse_future(value, window, now)
        return window
    if not isinstance(value, str) or not value.strip() or value.strip() in {"None", "null"}:
        raise InputError(
            f"window is {quoted(value)}, which is no window: a template may have rendered to nothing. {_FORMS}"
        )
    sides = [side.strip() for side in value.split("/")]
    if len(sides) != 2 or not all(sides):
        raise InputError(f"window {quoted(value)} is not two sides with one '/' between. {_FORMS}")
    try:
        start, end = _bounds(sides[0], sides[1], zone)
    except InputError as error:
        raise InputError(f"window {quoted(value)}: {error}. {_FORMS}") from None
    except (ValueError, OverflowError) as error:
        raise InputError(f"window {quoted(value)} names no real moment ({error}). {_FORMS}") from None
    try:
        window = Window(start, end, zone)
    except InputError as error:
        raise InputError(f"window {quoted(value)}: {error}") from None
    _refuse_future(value, window, now)
    return window


def _refuse_future(value: object, window: Window, now: Callable[[], datetime] | None) -> None:
    present = now() if now else datetime.now(UTC)
    if window.end > present + CLOCK_TOLERANCE:
        raise InputError(
            f"window {quoted(value)} ends at {window.end.isoformat()}, which is in the future (now "
            f"{present.astimezone(UTC).isoformat(timespec='seconds')}). Records that do not exist yet cannot have "
            "been meant, and a rerun would delete newer ones: end it at the latest now, for example at run_moment"
        )


def parse_timezone(value: object) -> str:
    """Check an IANA time zone name.

    :raises InputError: no text, or a name that the time zone database does not have.
    """
    names = pendulum.timezones()
    if isinstance(value, str) and value in names:
        return value
    lower = {name.lower(): name for name in names}
    text = value.strip().lower() if isinstance(value, str) else ""
    # Near names only: for IST, a guess such as MST would be worse than none.
    near = difflib.get_close_matches(text, lower, n=1, cutoff=0.85)
    hint = (
        f"did you mean '{lower[near[0]]}'?" if near else "write an IANA name such as 'Asia/Kolkata' or 'UTC'"
    )
    raise InputError(f"timezone {quoted(value)} is not known: {hint}")


def _bounds(left: str, right: str, zone: str) -> tuple[datetime, datetime]:
    lengths = [_DURATION.fullmatch(side) for side in (left, right)]
    if lengths[0] and lengths[1]:
        raise InputError("both sides are durations, one must be a date")
    if lengths[0]:
        return _moved(right, zone, lengths[0], -1), _moment(right, zone)
    if lengths[1]:
        return _moment(left, zone), _moved(left, zone, lengths[1], 1)
    return _moment(left, zone), _moment(right, zone)


def _moment(text: str, zone: str) -> pendulum.DateTime:
    if not _MOMENT.fullmatch(text):
        raise InputError(f"{quoted(text)} is neither a date nor a date and time nor a duration")
    moment = pendulum.parse(text, tz=zone)
    assert isinstance(moment, pendulum.DateTime)  # ruff: ignore[assert] - of such a text it makes nothing else
    # A date and time with an offset of its own: days are still counted by the calendar of the zone asked for.
    return moment.in_timezone(zone)


def _moved(text: str, zone: str, length: re.Match[str], sign: int) -> pendulum.DateTime:
    units = {unit: sign * int(number) for unit, number in length.groupdict().items() if number}
    moment = _moment(text, zone)
    if not any(units.get(unit) for unit in ("years", "months", "weeks", "days")):
        return moment.add(**units)
    # By the calendar, from the local time as it is written. Where a clock change skips that, the moment itself
    # is an hour later, and a day counted from there would end an hour after the next day begins.
    written = _MOMENT.fullmatch(text)
    wall = moment if written and written["offset"] else _moment(text, "UTC")
    moved = wall.naive().add(**units)
    return pendulum.datetime(*moved.timetuple()[:6], moved.microsecond, tz=zone)


def _sent(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
