"""An account of deletions for an auditor, from the evidence folder alone.

``python -m airflow_provider_leadreset.evidence PATH [--html FILE]`` prints, for each DAG run that it finds evidence of
below ``PATH``: what was planned, who approved it and when, what was sent and answered, what was copied, and what
is verified as gone. It reads files only, and says of each that it cannot read that it cannot.
"""

from __future__ import annotations

import sys

from airflow_provider_leadreset.evidence_report.command import main

if __name__ == "__main__":
    sys.exit(main())
