"""The command line of the account."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.render import as_html, as_text

DESCRIPTION = """An account of deletions for an auditor, from the evidence folder alone.

python -m airflow_provider_leadreset.evidence PATH [--html FILE] prints, for each DAG run that it finds evidence of
below PATH: what was planned, who approved it and when, what was sent and answered, what was copied, and what
is verified as gone. It reads files only, and says of each that it cannot read that it cannot.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_leadreset.evidence", description=DESCRIPTION
    )
    parser.add_argument(
        "path", help="an evidence_path, or a folder in it; an address such as s3://… needs Airflow"
    )
    parser.add_argument("--html", metavar="FILE", help="also write it as one HTML page")
    given = parser.parse_args(arguments)
    root: Any = Path(given.path).resolve()  # a run is named after the folders above it
    if "://" in given.path:
        from airflow_provider_leadreset.compat import ObjectStoragePath

        root = ObjectStoragePath(given.path)
    account = account_of(root)
    print(as_text(account))
    if given.html:
        Path(given.html).write_text(as_html(account), encoding="utf-8")
    return 0 if account else 1
