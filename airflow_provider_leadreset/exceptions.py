"""What a task of this provider ends with, one class per cause, for retry policies and callbacks of a DAG file.

::

    AirflowFailException               permanent: a retry would only repeat it
    ├── LeadResetInputError            a value or the connection's fields: change it
    ├── LeadResetAccessError           wrong keys, rights or host
    ├── LeadResetRejectedError         LeadSquared refused leads, or what the task needs, permanently
    ├── LeadResetMaxCallsError         as many calls were made as max_calls allows
    └── LeadResetOvertakenError        a later try of the same task is at work (on Airflow 2 a LeadResetFailedError)
    AirflowException
    └── LeadResetFailedError           a retry may get further
        ├── LeadResetResourceError     a connection, a Variable or a storage is missing, or does not answer
        ├── LeadResetQuotaError        the day's quota may be used up
        ├── LeadResetOutageError       LeadSquared does not answer, or something on the way there does
        └── LeadResetLeadsFailedError  more leads failed than may, some of them in a way that may pass
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.compat import AirflowException, AirflowFailException, is_airflow_2


class LeadResetInputError(AirflowFailException):
    """A value that cannot be what was meant, of the task or of its connection.

    Or what ``skip_unmodified`` relies on does not hold; of that a task tells after all its leads were reset.
    """


class LeadResetAccessError(AirflowFailException):
    """Wrong keys, not an administrator's, or the wrong host."""


class LeadResetRejectedError(AirflowFailException):
    """LeadSquared refused, and would refuse again."""


class LeadResetMaxCallsError(AirflowFailException):
    """As many calls were made as ``max_calls`` allows. Not retried: each retry would spend as many again."""


class LeadResetFailedError(AirflowException):
    """The task did not do all it was asked for, and a retry may get further.

    :param retry_after: how long to wait before the first retry; None: as long as the task says.
    """

    def __init__(self, text: str, retry_after: timedelta | None = timedelta(minutes=1)) -> None:
        super().__init__(text)
        self.retry_after = retry_after


if TYPE_CHECKING or not is_airflow_2():  # noqa: SIM108, a conditional expression is no base for mypy
    _Overtaken = AirflowFailException
else:
    _Overtaken = LeadResetFailedError


class LeadResetOvertakenError(_Overtaken):
    """A later try of the same task is at work, so this one has stopped. A retry would be a third beside it.

    On Airflow 2 it is a LeadResetFailedError, and retried: there all tries of a task are one row, so whatever this one
    ends with ends the later one too. Then the next try does the rest, and a later one that has succeeded stays so.
    """


del _Overtaken


class LeadResetResourceError(LeadResetFailedError):
    """A connection, a Variable or a storage is missing, or what keeps it does not answer: Airflow cannot tell."""

    def __init__(self, text: str) -> None:
        super().__init__(text, retry_after=None)


class LeadResetQuotaError(LeadResetFailedError):
    """Not one call was accepted for minutes: the day's quota may be used up."""

    def __init__(self, text: str, retry_after: timedelta = timedelta(hours=1)) -> None:
        super().__init__(text, retry_after)


class LeadResetOutageError(LeadResetFailedError):
    """No answer, an unreadable one, or one of something on the way to LeadSquared."""


class LeadResetLeadsFailedError(LeadResetFailedError):
    """More leads failed than ``max_failed_leads`` allows, and for some of them a retry may help."""
