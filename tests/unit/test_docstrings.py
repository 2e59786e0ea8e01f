"""What the docstrings say of parameters is what the code takes, and templated ones say so."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airflow
import pytest

import airflow_provider_leadreset
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup

AIRFLOW = tuple(map(int, airflow.__version__.split(".")[:2]))
PARAMETER = re.compile(r":param (\w+):")
TASKS = (LeadResetOperator, LeadResetPreviewOperator, LeadResetSensor)


def documented() -> Iterator[tuple[str, Any]]:
    """All classes and functions of the package, with their names."""
    for module in pkgutil.walk_packages(airflow_provider_leadreset.__path__, "airflow_provider_leadreset."):
        if module.name.endswith("__main__"):
            continue
        if module.name.endswith("runtime.retry_policy") and AIRFLOW < (3, 3):
            continue  # of Airflow 3.3, and loaded there only
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            if getattr(value, "__module__", None) != module.name or not callable(value):
                continue
            yield f"{module.name}.{name}", value
            if inspect.isclass(value):
                members = ((key, getattr(value, key)) for key in vars(value) if not key.startswith("__"))
                yield from (
                    (f"{module.name}.{name}.{key}", member) for key, member in members if callable(member)
                )


def parameters(value: Any) -> set[str]:
    """Those that a caller names; an operator's with those of the classes it is made of, Airflow's left out."""
    owners = value.__mro__ if inspect.isclass(value) else (value,)
    ours = [owner for owner in owners if owner.__module__.startswith("airflow_provider_leadreset")]
    found = set()
    for owner in ours:
        if inspect.isclass(owner) and "__init__" not in vars(owner):
            continue
        kinds = inspect.signature(owner.__init__ if inspect.isclass(owner) else owner).parameters.values()
        found |= {one.name for one in kinds}
    return found - {"self", "kwargs"}


WITH_PARAMETERS = [(name, value) for name, value in documented() if PARAMETER.search(value.__doc__ or "")]


@pytest.mark.parametrize(("name", "value"), WITH_PARAMETERS, ids=[name for name, _ in WITH_PARAMETERS])
def test_named_parameters_exist(name: str, value: Any) -> None:
    """Every parameter that a docstring names exists, and is named once."""
    named = PARAMETER.findall(value.__doc__)
    assert len(named) == len(set(named))
    assert set(named) <= parameters(value)


@pytest.mark.parametrize("task", [*TASKS, LeadResetTaskGroup])
def test_task_parameters_are_described(task: Any) -> None:
    """Every parameter of a task is described."""
    assert set(PARAMETER.findall(task.__doc__)) == parameters(task)


@pytest.mark.parametrize("task", TASKS)
def test_templated_parameters(task: Any) -> None:
    """Templated parameters are said to be templated, and no others."""
    assert set(re.findall(r":param (\w+): \(templated\)", task.__doc__)) == set(task.template_fields)


def test_templated_parameters_of_the_group():
    """Those of the group are those of its reset, but for what it settles itself."""
    said = set(re.findall(r":param (\w+): \(templated\)", LeadResetTaskGroup.__doc__ or ""))
    assert said == set(LeadResetOperator.template_fields) - {"plan", "approval"}


def test_docstrings_begin_as_usual():
    """A function's docstring begins with what it does in usual words: Return, Record, Raise, and no idiom."""
    root = Path(airflow_provider_leadreset.__file__).parent
    odd = [
        f"{path.relative_to(root)}: {said.splitlines()[0]}"
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (said := ast.get_docstring(node))
        if said.split()[0] in {"Give", "Gives", "Note", "Say", "Says", "Take", "Takes"}
    ]
    assert odd == []
