"""The sides of a window that a DAG run says: ``run_day`` and ``run_moment``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pendulum

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.window import parse_timezone, parse_window
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_leadreset.leadsquared.request.window import Window

RUN_DAY = "run_day"
RUN_MOMENT = "run_moment"

_NEARLY = {"runday": RUN_DAY, "rundate": RUN_DAY, "runmoment": RUN_MOMENT, "runtime": RUN_MOMENT}
"""What stands for one of them in haste, without blanks, underscores, hyphens, braces and letter case."""


def parse_run_window(
    value: object,
    *,
    timezone: object = "UTC",
    moment: datetime | None = None,
    now: Callable[[], datetime] | None = None,
) -> Window:
    """Read a window as :func:`.parse_window` does; each side may be ``run_day`` or ``run_moment`` too.

    :param value: the window. ``run_moment`` is the run's moment, ``run_day`` the first instant of that moment's day in
        ``timezone``: ``P30D/run_day`` is the 30 whole local days before the run's.
    :param timezone: IANA name.
    :param moment: aware datetime, the run's moment; None where there is no run. ``ENTIRE_HISTORY`` ends there, too.
    :param now: gives the present moment (aware datetime); by default the clock's.
    :raises InputError: as :func:`.parse_window`; there is no run to say when it was; a word that is nearly one of them.
    """
    if not isinstance(value, str):
        return parse_window(value, timezone=timezone, run_due=moment, now=now)
    sides = [side.strip() for side in value.split("/")]
    for side in sides:
        meant = _NEARLY.get("".join(sign for sign in side.lower() if sign not in " _-{}'\""))
        if meant and side != meant:
            raise InputError(
                f"window {quoted(value)} has {quoted(side)}: write {meant}, so and without braces"
            )
    if not {RUN_DAY, RUN_MOMENT} & set(sides):
        return parse_window(value, timezone=timezone, run_due=moment, now=now)
    zone = parse_timezone(timezone)
    if moment is None:
        raise InputError(
            f"window {quoted(value)} is told by the DAG run, and there is none here: run the DAG (dag.test() does), or "
            "give dates"
        )
    said = {
        RUN_DAY: f"{moment.astimezone(pendulum.timezone(zone)):%Y-%m-%d}",
        RUN_MOMENT: moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    text = "/".join(said.get(side, side) for side in sides)
    try:
        return parse_window(text, timezone=zone, run_due=moment, now=now)
    except InputError as error:
        raise InputError(f"{error} (window is {quoted(value)}, in this run {quoted(text)})") from None
