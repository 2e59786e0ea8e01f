"""The account check that was in force, as a request or a plan keeps it: which date decided what of a window goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_provider_leadreset.leadsquared.api.account_findings import (
    AccountFindings,
    parse_account_findings,
)
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.records.deciding_dates import deciding_dates
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors

NOT_TOLD = "found by an account check that no request here tells of"


@dataclass(frozen=True, slots=True)
class CheckInForce:
    """The account check that was in force.

    :param checksum: what tells it from others; None for none.
    :param findings: what it found; None where there was none, or nothing tells what it found.
    :param unread: why nothing tells what it found, in words; empty otherwise.
    """

    checksum: str | None = None
    findings: AccountFindings | None = None
    unread: str = ""

    @classmethod
    def of_request(cls, kept: Mapping[str, object] | None, asked_at: datetime | None) -> CheckInForce:
        """Return the one that a request keeps.

        :param asked_at: aware; a check cannot be of a later day. None where that is not known.
        """
        if kept is None:
            return cls()
        try:
            findings = parse_account_findings(kept, today=(asked_at or datetime.now(UTC)).date())
        except InputError:
            return cls(unread="found by an account check that cannot be read")
        return cls(findings.checksum, findings)

    @classmethod
    def of_plan(cls, checksum: str | None, known: Mapping[str | None, CheckInForce]) -> CheckInForce:
        """Return the one of a plan, which keeps its checksum alone.

        :param known: those that requests tell of, by checksum.
        """
        if checksum is None:
            return cls()
        return known.get(checksum) or cls(checksum, unread=NOT_TOLD)

    def says_created(self, selectors: Selectors | None) -> bool:
        """Return whether the window is of the records' creation, as far as is known."""
        if selectors is None:
            return not self.checksum and not self.unread
        return not self.unread and deciding_dates(self.findings).verb(selectors) == "created"

    def describe(self, selectors: Selectors | None) -> str:
        """Return which date decides for each kind of records, and how that is known; empty where nothing tells."""
        if self.unread or selectors is None:
            return self.unread
        return deciding_dates(self.findings).of_each(selectors)
