"""What can go wrong, one class per thing the caller should do about it.

::

    InputError (a ValueError)       the caller's own values; nothing was sent
    └── MissingFileError            a file that may come back
    LeadSquaredError
    ├── AccessError                 keys, rights or host: stop everything, a person must act
    ├── LeadRejectedError           this lead or request, permanently: go on with the others
    │   ├── UnknownLeadsError       the account has no such lead
    │   └── NotFoundError           this call is not there, while others of the account are
    ├── ThrottledError              the account's call limit: wait, repeat
    │   └── QuotaError              nothing accepted for minutes: come back much later
    ├── UnavailableError            outage, time-out, unreadable answer: repeat, then retry later
    │   ├── EdgeError               something on the way there answered: nothing gets through, pause everything
    │   ├── PageNotFoundError       a page, and no answer, says that there is no such call
    │   ├── BrokenOffError          sent, and not waited for, since the batch was stopped
    │   └── OutageError             nothing answered for minutes: come back later
    ├── ResponseTooLargeError       an answer beyond the limit of size: ask for less
    ├── SameErrorsError             every lead so far failed alike: end the batch
    ├── UncheckedError              a lead's records could not be read this time, so it was not reset
    ├── OverdueError                not sent: it was allowed until a moment that has passed; look again first
    ├── OvertakenError              a later try of the same task is at work: stop
    ├── StorageError                what keeps files refused or did not answer: come back later
    └── ClosedError                 not sent: the batch had ended
        └── MaxCallsError           not sent: as many calls were made as may be

No text of any of them holds a key: :mod:`.api.client` strikes both keys out of whatever LeadSquared
says, and leaves out what the network library says.
"""

from __future__ import annotations

from typing import Self


class InputError(ValueError):
    """A value that cannot be what was meant. Raised before any call is made.

    The text quotes the value and says what to write instead.
    """


class MissingFileError(InputError):
    """There is no such file: a slip, or a storage that is away; nothing tells which."""


class LeadSquaredError(Exception):
    """LeadSquared, or the way to it, did not do what was asked.

    :param message: what happened, without keys.
    :param status: HTTP status, None where no answer came.
    :param exception_type: LeadSquared's ``ExceptionType`` (``MX…Exception``), None where none came.
    :param prospect_id: the lead the call was about, None where it was about no single lead.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        exception_type: str | None = None,
        prospect_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.exception_type = exception_type
        self.prospect_id = prospect_id
        self.in_doubt = False
        """Whether a request that deletes was sent, and LeadSquared's own answer to it did not come."""
        self.why_in_doubt = ""
        """What came in place of that answer, where this is an error of what was done after it."""

    @property
    def reason(self) -> str:
        """What happened, without the lead: equal for two leads that failed alike."""
        marks = [f"HTTP {self.status}" if self.status else "", self.exception_type or ""]
        prefix = " ".join(mark for mark in marks if mark)
        return f"{prefix}: {self.message}" if prefix else self.message

    def __str__(self) -> str:
        return f"lead {self.prospect_id}: {self.reason}" if self.prospect_id else self.reason


class AccessError(LeadSquaredError):
    """Wrong keys, not an administrator, or the wrong host. Every further call would fail alike."""


class LeadRejectedError(LeadSquaredError):
    """LeadSquared refused this request, and would refuse it again: a bad request or an unknown lead."""


class UnknownLeadsError(LeadRejectedError):
    """The account does not have some of the leads, so that nothing can be said of their records."""


class NotFoundError(LeadRejectedError):
    """HTTP 404 of one call of an account whose other calls are answered.

    Seen: an account without a notes API answers all its note calls so.
    """


class ThrottledError(LeadSquaredError):
    """The account's limit of calls was exceeded. The call was not carried out and may be repeated.

    :param limit: the account's calls per window where the answer named it (seen: "exceeded the limit of
        N in 5 second(s)"), else None.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: int | None = None,
        status: int | None = None,
        exception_type: str | None = None,
        prospect_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, exception_type=exception_type, prospect_id=prospect_id)
        self.limit = limit


class QuotaError(ThrottledError):
    """Not one call was accepted for minutes: the day's quota may be used up. Retry in an hour or more."""


class UnavailableError(LeadSquaredError):
    """An outage, a refused or broken connection, a time-out, or an answer that cannot be read.

    The call may or may not have been carried out. A reset may be repeated all the same: the same window
    asks for nothing more.
    """


class UnreadableError(UnavailableError):
    """An answer came, and what was asked for cannot be read from it, or not whole."""


class EdgeError(UnavailableError):
    """What answered is on the way to LeadSquared: an edge's page, a proxy, a gateway's "Forbidden".

    Seen: the edge in front of api-in21 blocks for a while. It says nothing of the keys or of the lead, and every
    other call would meet it too.
    """


class PageNotFoundError(UnavailableError):
    """HTTP 404 with an HTML page: LeadSquared's own, or a hiccup on the way there. Repeating tells which."""


class BrokenOffError(UnavailableError):
    """The call was sent, and the batch was stopped before its answer came. It is not repeated."""


class OutageError(UnavailableError):
    """Not one call was answered for minutes. Every further one would wait as long."""


class ResponseTooLargeError(LeadSquaredError):
    """An answer, unpacked, is larger than the limit that the text names. To ask for fewer rows may help."""


class SameErrorsError(LeadSquaredError):
    """Every lead so far failed in the same way, so the batch was ended."""


class UncheckedError(LeadSquaredError):
    """A lead's records could not be read this time, so it was not reset."""


class OverdueError(LeadSquaredError):
    """The call was allowed until a moment that has passed. It was not sent, or not again."""


class OvertakenError(LeadSquaredError):
    """A later try of the same task is at work, so this one stops."""


class StorageError(LeadSquaredError):
    """What keeps evidence and other files refused, or did not answer: its rights, its space or the way there."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Return it for what a storage raised."""
        return cls(
            f"a storage refused or did not answer ({type(error).__name__}: {error}): is it there, and may this worker "
            "read and write it?"
        )


class ClosedError(LeadSquaredError):
    """The batch ended while this call was still waiting to start. It was not sent."""


class MaxCallsError(ClosedError):
    """As many calls were made as ``max_calls`` allows, repetitions included. Neither this one nor any other is sent."""
