"""The connection's form for Airflow 2.11 to 3.1, made from what later versions read in the provider's description."""

from __future__ import annotations

from typing import Any

from airflow_provider_leadreset.get_provider_info import get_provider_info


def field_behaviour() -> dict[str, object]:
    """Return names and placeholders of the fields that every connection has."""
    return {name.replace("-", "_"): value for name, value in _connection_type()["ui-field-behaviour"].items()}


def widgets() -> dict[str, object]:
    """Return the fields that are kept in Extra.

    :raises ImportError: these packages, of the user interface, are missing; Airflow then goes without.
    """
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms import IntegerField, StringField
    from wtforms.validators import NumberRange, Optional

    made = {}
    for name, field in _connection_type()["conn-fields"].items():
        schema = field["schema"]
        a_number = "integer" in schema["type"]
        bounds = [NumberRange(min=schema["minimum"], max=schema["maximum"])] if a_number else []
        made[name] = (IntegerField if a_number else StringField)(
            field["label"],
            validators=[Optional(), *bounds],
            description=field["description"],
            default=schema.get("default"),
            widget=BS3TextFieldWidget(),
        )
    return made


def _connection_type() -> dict[str, Any]:
    (only,) = get_provider_info()["connection-types"]
    assert isinstance(only, dict)  # ruff: ignore[assert] - for the type checker alone
    return only
