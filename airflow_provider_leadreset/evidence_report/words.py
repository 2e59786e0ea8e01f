"""Numbers and values in words, as the page says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from airflow_provider_leadreset.leadsquared.text import describe_counts, pluralize

MOST_VALUES = 20
"""Values of one fact that are shown: mapped parts of a task may each have their own."""


def distinct(told: Iterable[tuple[str, str]]) -> list[str]:
    """Return each value once; with the tasks that have it, where there are several.

    :param told: a task, and its value; an empty one is left out.
    """
    tasks: dict[str, dict[str, None]] = {}
    for task, value in told:
        if value:
            tasks.setdefault(value, {})[task] = None
    if len(tasks) <= 1:
        return list(tasks)
    shown = []
    for value, names in list(tasks.items())[:MOST_VALUES]:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        shown.append(f"{value} ({', '.join(list(names)[:3])}{more})")
    if len(tasks) > MOST_VALUES:
        shown.append(f"and {counted(len(tasks) - MOST_VALUES, 'other')}")
    return shown


def number(count: int) -> str:
    """Return a number with a comma between thousands."""
    return f"{count:,}"


def leads(count: int) -> str:
    """Return how many leads, in words."""
    return counted(count, "lead")


def planned_records(count: int) -> str:
    """Return how many planned records, in words."""
    return counted(count, "planned record")


def counted(count: int, noun: str, many: str | None = None) -> str:
    """Return a number with its noun, as :func:`.pluralize` does, with a comma between thousands."""
    said = pluralize(count, noun, many)
    return f"{number(count)}{said[len(str(count)) :]}"


def records(counts: Mapping[str, int]) -> str:
    """Return records per kind, in words."""
    return re.sub(r"[0-9]+", lambda found: number(int(found[0])), describe_counts(counts))
