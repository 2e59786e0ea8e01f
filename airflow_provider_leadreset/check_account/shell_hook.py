"""The connection as a shell finds it: through ``airflow.models``, or made of a host and keys in the environment."""

from __future__ import annotations

import os
from typing import Any

from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

ACCESS_KEY, SECRET_KEY = "LEADSQUARED_ACCESS_KEY", "LEADSQUARED_SECRET_KEY"
"""Names of the variables that hold the keys where a host is given. Keys are never arguments: others see those."""


class StoredConnectionHook(LeadResetHook):
    """A hook that finds Airflow's connections in a shell, where ``airflow.sdk`` finds none that is in the database."""

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Return a connection from Airflow's environment, secrets backends or database."""
        from airflow.models import Connection

        from airflow_provider_leadreset.compat import AirflowNotFoundException

        try:
            # That of airflow.sdk asks no database.
            return Connection.get_connection_from_secrets(conn_id)  # ruff: ignore[airflow3-suggested-update]
        except AirflowNotFoundException:
            raise InputError(
                f"connection {quoted(conn_id)} is not defined, or its secrets backend or database did not answer"
            ) from None


class EnvironmentHook(LeadResetHook):
    """A hook for a host, with the keys from the environment.

    :param host: the account's API host.
    :param calls_per_5s: what its plan allows.
    """

    def __init__(self, host: str, calls_per_5s: int) -> None:
        super().__init__("the environment")
        self._given = host, calls_per_5s

    def get_connection(self, conn_id: str) -> Any:  # type: ignore[override]
        """Return a connection made of the host and the keys.

        :raises InputError: one of the keys is not in the environment.
        """
        from airflow.models import Connection

        missing = [name for name in (ACCESS_KEY, SECRET_KEY) if not os.environ.get(name)]
        if missing:
            raise InputError(
                f"{' and '.join(missing)} must be set in the environment: the keys of the account"
            )
        host, calls = self._given
        return Connection(  # ruff: ignore[airflow3-suggested-update] - the same class
            conn_id=conn_id,
            conn_type=self.conn_type,
            host=host,
            login=os.environ[ACCESS_KEY],
            password=os.environ[SECRET_KEY],
            extra={"calls_per_5s": calls},
        )
