"""JSON Schemas of the evidence, made from the records: ``python tests/support/evidence_schemas.py`` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from airflow_provider_leadreset.leadsquared.journal import schema, schema_results

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"

RECORDS: dict[str, Any] = {
    "request": schema.Request,
    "journal-line": schema.JournalHead | schema.JournalLine,
    "failed-line": schema_results.FailedLine,
    "summary": schema_results.Summary,
    "archive-line": schema_results.ArchiveLine,
    "verification": schema_results.VerificationRecord,
    "contradiction": schema_results.KeptContradictionRecord,
    "plan-line": schema_results.PlanHead
    | schema_results.PlanLead
    | schema_results.PlanPreview
    | schema_results.PlanEnd,
}
"""Each file of evidence, or each line of it, by the name of its schema."""


def schemas() -> dict[str, str]:
    """Return the text of each schema, by its file's name."""
    return {
        f"{name}.json": json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **TypeAdapter(record).json_schema(mode="serialization"),
            },
            indent=2,
        )
        + "\n"
        for name, record in RECORDS.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
