"""Check an account: ``python -m airflow_provider_leadreset.check_account --conn-id C --yes``."""

from __future__ import annotations

import sys

from airflow_provider_leadreset.check_account.check_command import main

if __name__ == "__main__":
    sys.exit(main())
