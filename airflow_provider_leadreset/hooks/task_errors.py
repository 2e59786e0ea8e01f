"""Errors of the core as those that reach Airflow: one exported class per cause, see :mod:`.exceptions`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.exceptions import (
    LeadResetAccessError,
    LeadResetFailedError,
    LeadResetInputError,
    LeadResetMaxCallsError,
    LeadResetOutageError,
    LeadResetOvertakenError,
    LeadResetQuotaError,
    LeadResetRejectedError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    InputError,
    LeadRejectedError,
    LeadSquaredError,
    MaxCallsError,
    MissingFileError,
    OvertakenError,
    QuotaError,
    StorageError,
    UnavailableError,
)

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import AirflowException

AFTER_OUTAGE = timedelta(minutes=1)
AFTER_QUOTA = timedelta(hours=1)

_CAUSES: tuple[tuple[type[Exception], type[AirflowException]], ...] = (
    (MissingFileError, LeadResetResourceError),
    (InputError, LeadResetInputError),
    (AccessError, LeadResetAccessError),
    (OvertakenError, LeadResetOvertakenError),
    (StorageError, LeadResetResourceError),
    (LeadRejectedError, LeadResetRejectedError),
    (MaxCallsError, LeadResetMaxCallsError),
    (QuotaError, LeadResetQuotaError),
    (UnavailableError, LeadResetOutageError),
    (LeadSquaredError, LeadResetFailedError),
)
"""The first that fits an error of the core says what the task ends with."""


def as_task_error(error: InputError | LeadSquaredError, text: str | None = None) -> AirflowException:
    """Return the exception of the task for an error of the core, whose traceback is let go.

    Its frames hold answers as they came, in which a server may have repeated a key, and records of persons.

    :param text: in place of the error's own.
    """
    error.with_traceback(None).__context__ = None
    kind = next(kind for cause, kind in _CAUSES if isinstance(error, cause))
    told = str(error) if text is None else text
    if not issubclass(kind, LeadResetFailedError) or issubclass(kind, LeadResetResourceError):
        return kind(told)
    return kind(told, AFTER_QUOTA if isinstance(error, QuotaError) else AFTER_OUTAGE)
