"""What a template that cannot be rendered ends its task with."""

from __future__ import annotations

import pytest

from airflow_provider_leadreset.exceptions import LeadResetInputError, LeadResetResourceError
from airflow_provider_leadreset.runtime.template_errors import template_error

XComNotFound = type("XComNotFound", (Exception,), {})  # both Airflows have one, each in a place of its own


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (XComNotFound("no ids"), "the task before it was skipped, or returned no such thing"),
        (ZeroDivisionError("division by zero"), "division by zero"),
        (KeyError("x"), "'x'"),
        (AttributeError("no such"), "no such"),
    ],
)
def test_permanent_errors(error, said):
    """What a retry would repeat ends the task, naming field, task and template, the template cut."""
    made = template_error("reset", "window", "{{ x }}" * 100, error)
    assert isinstance(made, LeadResetInputError)
    assert str(made).startswith("window of task reset could not be rendered, from '{{ x }}")
    assert said in str(made)
    assert len(str(made)) < 400


def test_missing_variable():
    """A Variable of Airflow 2 that is not found may come back."""
    for error in (KeyError("Variable x does not exist"), OSError("the vault did not answer")):
        made = template_error("reset", "window", "{{ var.value.x }}", error)
        assert isinstance(made, LeadResetResourceError)


def test_other_errors_pass():
    """What Airflow or a storage raises passes as it is."""
    assert template_error("reset", "window", "{{ x }}", RuntimeError("x")) is None
