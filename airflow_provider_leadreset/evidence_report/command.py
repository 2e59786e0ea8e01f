"""The command line of the auditor's report."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.expected import judge, parse_digest
from airflow_provider_leadreset.evidence_report.render import Made, as_html, as_text
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted, scrubbed

DESCRIPTION = """A report for an auditor: what was deleted, when and by whose approval, from the evidence folder alone.

python -m airflow_provider_leadreset.evidence PATH [--html FILE] [--expect DIGEST] prints, for each DAG run that it
finds evidence of below PATH: what was planned, who approved it and when, what was sent and answered, what was copied,
and what a sensor found the API to give no longer. It reads files only, and names each that it cannot read, and each
that is not as it was written.
"""

NOT_AS_EXPECTED = 3
"""The command's exit code where the evidence is not what a digest that was kept elsewhere says."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    :returns: 0; 1 where there is no evidence; 2 where what was named cannot be used; :data:`NOT_AS_EXPECTED`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_leadreset.evidence", description=DESCRIPTION
    )
    parser.add_argument(
        "path", help="an evidence_path, or a folder in it; an address such as s3://… needs Airflow"
    )
    parser.add_argument("--html", metavar="FILE", help="also write it as one HTML page")
    parser.add_argument(
        "--expect",
        metavar="DIGEST",
        action="append",
        default=[],
        type=parse_digest,
        help="the evidence_digest of a reset, as its log, XCom or OpenLineage has kept it, or the digest in a sensor's "
        f"log: the exit code is {NOT_AS_EXPECTED} where no summary or verification has it, or the evidence beside "
        "that is not as it was written; may be given several times",
    )
    given = parser.parse_args(arguments)
    try:
        account = account_of(_folder(given.path))
        _print(as_text(account.runs))
        judged = [judge(digest, account.ends, account.plans) for digest in given.expect]
        if given.html:
            made = Made(source=given.path, at=datetime.now(UTC), judged=judged)
            Path(given.html).write_text(as_html(account.runs, made), encoding="utf-8")
    except (OSError, ValueError) as error:
        # What a single file holds is said of that file: this is the folder, its storage, or the page.
        print(f"{parser.prog}: {scrubbed(str(error))}", file=sys.stderr)
        return 2
    for good, said in judged:
        _print(f"{'As' if good else 'NOT as'} expected: {said}")
    if not all(good for good, _ in judged):
        return NOT_AS_EXPECTED
    return 0 if account.runs else 1


def _print(text: str) -> None:
    """Print whatever standard output can show: of other signs their codes, so that the account is never lost."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _folder(given: str) -> object:
    """Return the folder that was named.

    :raises InputError: there is none.
    """
    root: Any = Path(given).resolve()  # a run is named after the folders above it
    if "://" in given:
        from airflow_provider_leadreset.compat import ObjectStoragePath

        root = ObjectStoragePath(given)
    if not root.exists():
        raise InputError(f"there is nothing at {quoted(given)}: give an evidence_path, or a folder in it")
    if not root.is_dir():
        raise InputError(f"{quoted(given)} is no folder: give an evidence_path, or a folder in it")
    return root
