from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, metadata
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

from airflow_provider_leadreset.get_provider_info import get_provider_info

INFO = get_provider_info()


def test_provider_info_schema() -> None:
    """The provider info is what Airflow asks for."""
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**INFO, "connection-types": [{"hook-name": "x"}]}, schema)


def test_entry_point() -> None:
    """Airflow finds the provider info by the entry point and under the package's name."""
    (point,) = [
        point
        for point in entry_points(group="apache_airflow_provider")
        if point.value.startswith("airflow_provider_leadreset")
    ]
    assert point.load() is get_provider_info
    assert metadata("airflow-provider-leadreset")["Name"] == INFO["package-name"]


def test_import_is_light() -> None:
    """Importing the provider info loads that module and the package root alone."""
    code = (
        "import sys; before = set(sys.modules); import airflow_provider_leadreset.get_provider_info as info;"
        "info.get_provider_info(); print(*sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert set(loaded.split()) - {"__future__", "typing"} - set(_typing_needs()) == {
        "airflow_provider_leadreset",
        "airflow_provider_leadreset.get_provider_info",
    }


def _typing_needs() -> list[str]:
    code = (
        "import sys; before = set(sys.modules); import typing, __future__; print(*set(sys.modules) - before)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()


def names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)
    elif isinstance(value, str) and value.startswith("airflow_provider_leadreset."):
        yield value


@pytest.mark.parametrize("name", sorted(set(names(INFO))))
def test_names_can_be_imported(name: str) -> None:
    """Every name in the provider info can be imported."""
    module, _, last = name.rpartition(".")
    if module == "airflow_provider_leadreset.assets":
        assert callable(getattr(importlib.import_module(module), last))
    elif last[0].isupper():
        assert isinstance(getattr(importlib.import_module(module), last), type)
    else:
        assert importlib.import_module(name).__doc__


def test_public_modules_are_listed() -> None:
    """Every module of operators, hooks and sensors with a public class is in the provider info."""
    import airflow_provider_leadreset

    root = Path(airflow_provider_leadreset.__file__).parent
    for kind in ("hooks", "operators", "sensors"):
        listed = {name for entry in INFO.get(kind, []) for name in entry["python-modules"]}
        expected = {
            f"airflow_provider_leadreset.{kind}.{path.stem}"
            for path in (root / kind).glob("*.py")
            if path.stem == "lead_reset"
        }
        assert listed == expected


def test_connection_type_is_registered(recwarn: pytest.WarningsRecorder) -> None:
    """The connection type is registered with Airflow."""
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "airflow-provider-leadreset" in manager.providers
    hook = manager.hooks["leadsquared"]
    assert hook is not None
    assert hook.hook_class_name == "airflow_provider_leadreset.hooks.lead_reset.LeadResetHook"
    assert hook.hook_name == "LeadSquared"
    assert hook.connection_id_attribute_name == "leadsquared_conn_id"
