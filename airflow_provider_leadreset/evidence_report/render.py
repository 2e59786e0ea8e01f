"""The account as text for a terminal, and as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import jinja2

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.evidence_report.run_facts import RunFacts
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.evidence_report.try_facts import moment_of
from airflow_provider_leadreset.evidence_report.words import counted, number
from airflow_provider_leadreset.leadsquared.text import scrubbed

MOST_SHOWN = 4000
"""Characters of any text on the page."""


@dataclass(frozen=True, slots=True)
class Made:
    """When a page was made, of what, and by which version.

    :param at: aware.
    :param source: the folder that was read.
    :param judged: of each digest that was kept elsewhere: whether the evidence is what it says, and that as text.
    """

    source: str
    at: datetime
    version: str = __version__
    judged: Sequence[tuple[bool, str]] = ()


def as_text(account: Sequence[RunFacts]) -> str:
    """Return it for a terminal."""
    if not account:
        return "No evidence was found here."
    parts = []
    for run in account:
        parts += [
            run.name,
            "=" * len(run.name),
            *(f"{heading}\n    {said}" for heading, said in run.lines),
            "",
        ]
    return "\n".join(parts)


def as_html(account: Sequence[RunFacts], made: Made) -> str:
    """Return it as one page that needs nothing else: no script, no picture, no font."""
    runs = [RunPage(run, number) for number, run in enumerate(account, 1)]
    return _environment().get_template("page.html.j2").render(runs=runs, made=made)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("airflow_provider_leadreset.evidence_report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_cleaned,
    )
    environment.filters["number"] = number
    environment.filters["counted"] = counted
    environment.filters["moment"] = _moment
    environment.filters["sent"] = _sent
    environment.filters["css"] = _css
    return environment


def _cleaned(value: object) -> object:
    """Return what is put into the page: whatever a template forgets, no text comes in uncleaned or endless."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return scrubbed(value, MOST_SHOWN)
    return value


def _css(text: str) -> str:
    """Return a text as it stands in quotes in a style sheet, whose escapes are others than those of HTML."""
    cleaned = scrubbed(text, MOST_SHOWN)
    return "".join(sign if sign.isascii() and sign.isalnum() else f"\\{ord(sign):x} " for sign in cleaned)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _sent(text: str) -> str:
    """Return a moment that a journal names, in UTC to the second; as it stands where it is none."""
    at = moment_of(text)
    return _moment(at) if at else text
