"""Check an account: ``python -m airflow_provider_leadreset.check_account --conn-id C --yes``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Before Airflow is imported, which sets its logging to standard output: that is for the result alone.
    out, sys.stdout = sys.stdout, sys.stderr
    from airflow_provider_leadreset.check_account.check_command import main

    sys.exit(main(out=out))
