"""What a template that cannot be rendered ends its task with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

import jinja2

from airflow_provider_leadreset.compat import AirflowNotFoundException
from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetResourceError
from airflow_provider_leadreset.leadsquared.text import quoted

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import AirflowException

_PERMANENT = (
    *(jinja2.TemplateError, TypeError, ValueError, ZoneInfoNotFoundError),
    *(ArithmeticError, LookupError, AttributeError, NameError, AssertionError),
)
"""What a retry, with the same template and the same run, would only repeat."""

_RUN_DATES = ("'data_interval_", "'logical_date'", "'ds", "'ts")


def template_error(task_id: str, field: str, template: object, error: Exception) -> AirflowException | None:
    """Return the exception of the task for one that rendering raised; None if that should pass as it is.

    :param template: the field's value before.
    :param error: of jinja2, of a macro, or of Airflow, which looks up a template's Variables and connections.
    """
    text = f"{field} of task {task_id} could not be rendered, from {quoted(template)}: {error}"
    if (
        type(error).__name__ == "XComNotFound"
    ):  # as a task that was skipped gives; each Airflow has its own class
        return LeadResetInputError(f"{text}: the task before it was skipped, or returned no such thing")
    if isinstance(error, _PERMANENT) and not _is_missing(error):
        if isinstance(error, jinja2.UndefinedError) and any(name in text for name in _RUN_DATES):
            text += (
                ". On Airflow 3, a run started by hand, the command line or an asset may have no data interval and "
                "no logical date. Every run has run_day and run_moment, which a window takes as they are: write "
                "window='P30D/run_day' for the 30 whole days before the run"
            )
        return LeadResetInputError(text)
    if _is_missing(error) or isinstance(error, OSError):
        return LeadResetResourceError(
            f"{text}. It is missing, or its secrets backend or database did not answer"
        )
    return None


def _is_missing(error: Exception) -> bool:
    """Return whether a Variable or connection was not found; Airflow says so of a backend that is away, too (tried)."""
    if isinstance(error, KeyError):
        return "Variable" in str(error)  # Airflow 2
    # Airflow 3's AirflowRuntimeError, by its name: Airflow 2 has none.
    return isinstance(error, AirflowNotFoundException) or (
        type(error).__name__ == "AirflowRuntimeError" and "_NOT_FOUND" in str(error)
    )
