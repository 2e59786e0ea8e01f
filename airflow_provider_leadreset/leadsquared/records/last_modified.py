"""When leads were last modified: LeadLastModifiedOn, of up to 1,000 leads a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import UnreadableError
from airflow_provider_leadreset.leadsquared.records.leads_by_id import read_leads
from airflow_provider_leadreset.leadsquared.records.rows import field_of, lead_fields, moment_of
from airflow_provider_leadreset.leadsquared.request.window import EARLIEST

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

SLACK = timedelta(minutes=15)
"""By how much a lead may have been modified before its own creation: the two may be rounded otherwise."""

_COLUMN = "LeadLastModifiedOn"

LONGEST = 40
"""Characters of a date; a longer text is none."""


@dataclass(frozen=True, slots=True)
class LastModified:
    """A lead's LeadLastModifiedOn, where it can be believed.

    :param text: as it was given.
    :param moment: the same; aware, UTC.
    """

    text: str
    moment: datetime


def read_last_modified(client: LeadSquaredClient, leads: list[str]) -> dict[str, LastModified | None]:
    """Return when leads were last modified (``Leads/Retrieve/ByIds``, documented; the column seen).

    :param leads: at most 1,000 ids.
    :returns: by id in lower case, of the leads that the account has. None where no date that can be believed came: no
        date, one from before LeadSquared was there (which is what a missing date is often written as) or from before
        the lead's own creation, or two that differ.
    :raises LeadSquaredError: it cannot be told of all which of them the account has.
    """
    found: dict[str, LastModified | None] = {}
    columns = ("CreatedOn", _COLUMN)
    for lead, row in read_leads(client, leads, *columns, told_apart_by=_COLUMN):
        found[lead] = None if lead in found else _believed(row)
    return found


def _believed(row: Mapping[str, object]) -> LastModified | None:
    fields = lead_fields(row)
    text = field_of(fields, _COLUMN)
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    try:
        moment = moment_of(text)
        created = field_of(fields, "CreatedOn")
        if moment < EARLIEST or (created is not None and moment < moment_of(created) - SLACK):
            return None
    except (UnreadableError, OverflowError):
        return None
    return LastModified(text, moment)
