"""The schema that the package publishes of its facet."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FIRST, SCHEMA = (
    json.loads(
        files("airflow_provider_leadreset")
        .joinpath(f"facets/{version}/LeadResetSummaryRunFacet.json")
        .read_text()
    )
    for version in ("1-0-0", "2-0-0")
)

# What it refers to in OpenLineage's own schema, as far as that can be said in a few lines.
_URI = {"type": "string", "pattern": "^https?://"}
_OPENLINEAGE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {
        "RunFacet": {
            "type": "object",
            "properties": {"_producer": _URI, "_schemaURL": _URI},
            "required": ["_producer", "_schemaURL"],
        }
    },
}


def check_facet(facet: dict[str, Any]) -> None:
    """Judge a facet by the schema at the address that it names itself.

    :raises jsonschema.ValidationError: it is not as the schema says.
    """
    registry = Registry().with_resources(
        [
            *((schema["$id"], Resource.from_contents(schema)) for schema in (FIRST, SCHEMA)),
            (
                "https://openlineage.io/spec/2-0-2/OpenLineage.json",
                Resource.from_contents(_OPENLINEAGE),
            ),
        ]
    )
    Draft202012Validator({"$ref": facet["_schemaURL"]}, registry=registry).validate(facet)
