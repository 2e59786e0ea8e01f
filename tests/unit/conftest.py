"""What unit tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# On whatever profile Hypothesis chose: a busy machine's slowness is no finding.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_collection_finish() -> None:
    """Load what tasks load when they run, before a test changes a constant that one of its modules takes over."""
    from airflow_provider_leadreset.leadsquared.account_check import account_check
    from airflow_provider_leadreset.runtime import preview_run, reset_run, verification_run

    del account_check, preview_run, reset_run, verification_run
