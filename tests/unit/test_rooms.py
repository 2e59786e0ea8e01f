"""What holds the house together: names that stand for one thing, tests that say what they test."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import airflow_provider_leadreset

PACKAGE = Path(airflow_provider_leadreset.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
SHARED_NAMES = {"__init__.py", "__main__.py", "lead_reset.py"}
"""lead_reset.py is the one concept that every Airflow room has, and the request for it."""


def test_file_names_are_unique() -> None:
    """No file of the package has the name of another."""
    """No two files of the package have the same name, except those that every folder may have."""
    places = defaultdict(list)
    for path in SOURCES:
        places[path.name].append(str(path.relative_to(PACKAGE)))
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in SHARED_NAMES}
    assert len(places) > 50
    assert twice == {}


def test_class_names_are_unique() -> None:
    """No class of the package has the name of another."""
    """No two classes of the package have the same name."""
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 50
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_tests_are_named_shortly() -> None:
    """Each test has a name of a few words, and a docstring that says it as a sentence."""
    tests = Path(__file__).parents[1]
    found = [
        (path.name, node)
        for path in sorted(tests.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(found) > 500
    assert [(file, node.name) for file, node in found if len(node.name) > 45] == []
    assert [(file, node.name) for file, node in found if not ast.get_docstring(node)] == []
