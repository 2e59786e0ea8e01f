"""The span of time a reset deletes in: a half-open interval, made into FromDate and ToDate."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pendulum

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.local_time import instant_of, moved, read_duration
from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No LeadSquared record is older, so a date before it is a slip of the pen (0206 for 2026)."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far behind the scheduler's clock a worker's may be: a window "up to now" that ends later is refused, and one that
ends within it is waited out, see :func:`wait_out`."""

_NO_ZONES = {"localtime", "posixrules", "Factory"}
"""Files among those of the time zones that are none: the machine's own, which another worker has otherwise, and the one
of a machine on which nobody has set any."""

_FORMS = (
    "Write it as 'start/end', for example '2026-09-01/2026-10-01', '2026-09-01T18:30/2026-09-02T18:30' "
    "or 'P30D/run_day' (of the DAG run, in timezone); ENTIRE_HISTORY, the name and not a text, means everything"
)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval ``[start, end)``: ``start`` belongs to it, ``end`` does not.

    :param start: aware datetime; a fraction of a second is rounded up.
    :param end: aware datetime, later than ``start``; a fraction of a second is rounded down.
    :param timezone: IANA name, only for showing the window to people.
    :raises InputError: start before 2000, end not later than start, or not one whole second between.

    LeadSquared documents FromDate and ToDate as UTC; its sample ends on a day's last second, so ToDate is
    sent as one second before ``end``. Whether the bounds are inclusive is not documented: should ToDate
    be exclusive, the window's last second is not deleted, which is the lesser loss. Both are assumed to
    compare with the records' CreatedOn (inferred).
    """

    start: datetime
    end: datetime
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        given = [_in_utc(name, getattr(self, name)) for name in ("start", "end")]
        start, end = _rounded_up(given[0]), given[1].replace(microsecond=0)
        # A frozen dataclass is set this way in its own __post_init__ only.
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        # A day of grace: the year 2000 began up to 14 hours earlier than in UTC.
        if start < EARLIEST - timedelta(days=1):
            raise InputError(
                f"the window starts at {start.isoformat()}, before 2000-01-01, when there was no LeadSquared. "
                "Correct the date, or pass ENTIRE_HISTORY if everything is meant"
            )
        if given[0] > given[1]:
            raise InputError(
                f"the window starts after it ends: were the sides swapped? It starts at {given[0].isoformat()} and "
                f"ends at {given[1].isoformat()}"
            )
        if end <= start:
            raise InputError(
                f"the window is empty: it starts at {given[0].isoformat()} and ends, exclusively, "
                f"at {given[1].isoformat()}. The end is not part of a window: for one whole day write "
                "'2026-10-01/2026-10-02' or '2026-10-01/P1D'. On Airflow 3 a cron schedule's data interval is empty: "
                "write 'P1D/run_moment'"
            )

    @property
    def from_date(self) -> str:
        """FromDate as sent: the first second of the window, ``YYYY-MM-DD HH:MM:SS`` in UTC (documented)."""
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
        """Describe the window in one line: in its own time zone, and as sent."""
        return f"{local_text(self)} (sent as {sent_text(self)})"

    def __contains__(self, moment: datetime) -> bool:
        """Whether ``moment`` lies inside, to the second: as LeadSquared is taken to compare."""
        return self.start <= moment.replace(microsecond=0) < self.end


def local_text(window: Window) -> str:
    """Return a window for people, in its own time zone."""
    zone = pendulum.timezone(window.timezone)
    local = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in (window.start, window.end)]
    return f"from {local[0]} up to, not including, {local[1]} {window.timezone}"


def sent_text(window: Window) -> str:
    """Return a window for people, as it is sent."""
    return f"FromDate {window.from_date}, ToDate {window.to_date} UTC"


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
    :param timezone: IANA name for sides without an offset. A date, or its midnight, begins at its first instant, where
        a clock change has two or none of its midnight, too. Any other local time that a clock change skips counts as
        the same time after the gap; one that occurs twice is its second occurrence.
    :param run_due: aware datetime at which :data:`ENTIRE_HISTORY` ends.
    :param now: gives the present moment (aware datetime); by default the clock's.
    :raises InputError: anything else, an empty or inverted window, one that ends more than five minutes from
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
    names = pendulum.timezones() - _NO_ZONES
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


def wait_out(
    window: Window, *, now: Callable[[], datetime], sleep: Callable[[float], None], log: Callable[[str], None]
) -> None:
    """Wait until a window that was just refused by nobody has ended on this clock, too: at most five minutes.

    A worker's clock may be behind the scheduler's, which says when a run is due. Records would still come into the
    window while it is read and reset.

    :param now: gives the present moment (aware datetime).
    :param sleep: waits so many seconds.
    :param log: is told once, if there is anything to wait for.
    """
    left = (window.end - now()).total_seconds()
    if left > 0:
        log(
            f"The window ends at {window.end.isoformat()}, {left:.0f} s from now by this worker's clock, which may be "
            "behind: waiting until then"
        )
    waited = timedelta(0)
    while left > 0 and waited <= CLOCK_TOLERANCE:  # a clock that is set back meanwhile does not keep us
        sleep(left)
        waited += timedelta(seconds=left)
        left = (window.end - now()).total_seconds()


def _bounds(left: str, right: str, zone: str) -> tuple[datetime, datetime]:
    lengths = [read_duration(side) for side in (left, right)]
    if lengths[0] is not None and lengths[1] is not None:
        raise InputError("both sides are durations, one must be a date")
    if lengths[0] is not None:
        return moved(right, zone, lengths[0], -1), instant_of(right, zone)
    if lengths[1] is not None:
        return instant_of(left, zone), moved(left, zone, lengths[1], 1)
    return instant_of(left, zone), instant_of(right, zone)


def _in_utc(name: str, value: object) -> datetime:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InputError(f"a window's {name} must be a datetime with a time zone, not {quoted(value)}")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InputError(f"a window's {name}, {quoted(str(value))}, is no year of ours") from None


def _rounded_up(moment: datetime) -> datetime:
    try:
        return moment.replace(microsecond=0) + timedelta(seconds=bool(moment.microsecond))
    except OverflowError:
        return moment.replace(
            microsecond=0
        )  # the calendar's last second: whatever ends there is in the future


def _sent(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
