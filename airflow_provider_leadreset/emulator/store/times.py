"""Points in time as LeadSquared writes them: UTC text without a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_TEXT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")


def parse_time(value: datetime | str) -> datetime:
    """Read an aware datetime, or UTC text ``YYYY-MM-DD HH:MM:SS[.f]``, as an aware datetime in UTC.

    :param value: the time. A naive datetime is refused: whose clock it shows is anyone's guess.
    :raises ValueError: for anything else. (Documented by LeadSquared: other formats may fail.)
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime or UTC text")
        return value.astimezone(UTC)
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise ValueError(f"{value!r} is not a time of the form YYYY-MM-DD HH:MM:SS")
    form = "%Y-%m-%d %H:%M:%S.%f" if "." in value else "%Y-%m-%d %H:%M:%S"
    return datetime.strptime(value, form).replace(tzinfo=UTC)


def american_text(moment: datetime) -> str:
    """Write ``moment`` as the times inside ActivityFields were seen: ``7/31/2026 5:33:50 AM``, UTC."""
    utc = moment.astimezone(UTC)
    hour = utc.hour % 12 or 12
    return f"{utc.month}/{utc.day}/{utc.year} {hour}:{utc:%M:%S} {'AM' if utc.hour < 12 else 'PM'}"


def time_text(moment: datetime, *, millis: bool = False) -> str:
    """Write ``moment`` as UTC text.

    :param millis: always write three decimals. Otherwise only where the moment is not a whole second.
        Both forms were seen in LeadSquared's answers.
    """
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(" ", "milliseconds" if millis or utc.microsecond else "seconds")


def automation_before(until: datetime, every: int) -> datetime:
    """Return when an automation last ran.

    Its moments drift, so that nobody falls into step with it: each lies somewhere in the first third of its span.

    :param until: aware; the present moment, or one before it.
    :param every: seconds between two runs, on the average.
    """
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    number = int((until - epoch).total_seconds() // every)
    while True:
        run = epoch + timedelta(seconds=number * every + number * number * 7 % (every // 3 + 1))
        if run <= until:
            return run
        number -= 1
