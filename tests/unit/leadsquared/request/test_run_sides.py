"""Windows whose sides a DAG run says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.run_sides import parse_run_window
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY

MOMENT = datetime(2026, 10, 1, 21, 0, tzinfo=UTC)
"""2026-10-02 02:30 in India."""


def parsed(value: object, timezone: str = "UTC", moment: datetime | None = MOMENT) -> Window:
    return parse_run_window(value, timezone=timezone, moment=moment, now=lambda: MOMENT + timedelta(hours=20))


@pytest.mark.parametrize(
    ("value", "timezone", "sent"),
    [
        ("P30D/run_day", "Asia/Kolkata", ("2026-09-01 18:30:00", "2026-10-01 18:29:59")),
        ("P30D/run_day", "UTC", ("2026-09-01 00:00:00", "2026-09-30 23:59:59")),
        ("P1D/run_moment", "Asia/Kolkata", ("2026-09-30 21:00:00", "2026-10-01 20:59:59")),
        ("PT1H/run_moment", "UTC", ("2026-10-01 20:00:00", "2026-10-01 20:59:59")),
        ("run_day/run_moment", "Asia/Kolkata", ("2026-10-01 18:30:00", "2026-10-01 20:59:59")),
        ("run_day/PT2H", "Asia/Kolkata", ("2026-10-01 18:30:00", "2026-10-01 20:29:59")),
        (" 2026-09-01 / run_day ", "Asia/Kolkata", ("2026-08-31 18:30:00", "2026-10-01 18:29:59")),
        ("P1M/run_day", "America/New_York", ("2026-09-01 04:00:00", "2026-10-01 03:59:59")),
        ("2026-09-01/2026-09-02", "UTC", ("2026-09-01 00:00:00", "2026-09-01 23:59:59")),
        (ENTIRE_HISTORY, "UTC", ("2000-01-01 00:00:00", "2026-10-01 20:59:59")),
    ],
)
def test_sides_of_a_run(value: object, timezone: str, sent: tuple[str, str]) -> None:
    """A day of the run is that of the window's time zone, its moment is the moment."""
    window = parsed(value, timezone)
    assert (window.from_date, window.to_date) == sent
    assert parse_window(window.text, now=lambda: MOMENT + timedelta(hours=20)).text == window.text


def test_days_over_a_clock_change() -> None:
    """Whole local days are counted by the calendar: 30 of them may have an hour more."""
    window = parsed("P30D/run_day", "Europe/Berlin", datetime(2026, 4, 10, 8, tzinfo=UTC))
    assert (window.from_date, window.to_date) == ("2026-03-10 23:00:00", "2026-04-09 21:59:59")


@pytest.mark.parametrize("value", ["P30D/run_day", "run_moment/P1D"])
def test_no_run_to_say_it(value: str) -> None:
    """Without a run, what only a run says is refused, quoted."""
    with pytest.raises(InputError, match=rf"window '{value}' is told by the DAG run, and there is none here"):
        parsed(value, moment=None)
    assert parsed("2026-09-01/P1D", moment=None).to_date == "2026-09-01 23:59:59"


@pytest.mark.parametrize(
    "side", ["RUN_DAY", "run day", "rundate", "run-date", "{{ run_day }}", "run_time", "Run Moment"]
)
def test_nearly_the_word(side: str) -> None:
    """What is nearly one of the words is refused, with the word."""
    with pytest.raises(InputError, match=r"^window 'P1D/.*' has '.*': write run_(day|moment), so"):
        parsed(f"P1D/{side}")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("run_day/run_day", "is empty"),
        ("run_day/P2D", "in the future"),
        ("P30D/run_day/", "two sides"),
        ("run_moment", "two sides"),
    ],
)
def test_error_quotes_what_came(value: str, why: str) -> None:
    """An error says the window as it was given, and what it came to."""
    with pytest.raises(InputError, match=why) as caught:
        parsed(value)
    assert repr(value) in str(caught.value)


def test_unknown_time_zone() -> None:
    """A day in no time zone is none."""
    with pytest.raises(InputError, match="IST"):
        parsed("P30D/run_day", "IST")
