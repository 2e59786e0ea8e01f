"""A report for an auditor: what was deleted, when and by whose approval, from the evidence folder alone.

``python -m airflow_provider_leadreset.evidence PATH [--html FILE] [--expect DIGEST]`` prints, for each DAG run that it
finds evidence of below ``PATH``: what was planned, who approved it and when, what was sent and answered, what was
copied, and what a sensor found the API to give no longer. It reads files only, and names each that it cannot read, and
each that is not as it was written: also compared with a digest that was kept elsewhere (``--expect``).
"""

from __future__ import annotations

import sys

from airflow_provider_leadreset.evidence_report.command import main

if __name__ == "__main__":
    sys.exit(main())
