"""The command that checks an account: ``python -m airflow_provider_leadreset.check_account``."""
