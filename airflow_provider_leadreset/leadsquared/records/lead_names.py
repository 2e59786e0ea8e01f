"""What leads are called, for whoever approves. A name decorates: without it all else is as it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.errors import AccessError, LeadRejectedError, UnavailableError
from airflow_provider_leadreset.leadsquared.records.leads_by_id import read_leads
from airflow_provider_leadreset.leadsquared.records.rows import field_of, lead_fields

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

log = logging.getLogger(__name__)


def lead_names(client: LeadSquaredClient, leads: list[str]) -> dict[str, str]:
    """Return the names of at most 1,000 leads by their ids in lower case (``Leads/Retrieve/ByIds``, documented).

    As LeadSquared gives them, first and last name with a blank between; empty where a lead has neither. A lead whose
    name is not given is left out. Where they cannot be read, none is, with a warning.

    :raises LeadSquaredError: the task is to end: no more calls are allowed, or accepted.
    """
    if not leads:
        return {}
    try:
        rows = read_leads(client, leads, "FirstName", "LastName")
    except (AccessError, LeadRejectedError, UnavailableError) as error:
        log.warning("The leads' names cannot be read, so they are shown by their ids alone: %s", error)
        return {}
    return {lead: _name(row) for lead, row in rows}


def _name(row: dict[str, object]) -> str:
    fields = lead_fields(row)
    parts = (field_of(fields, name) for name in ("FirstName", "LastName"))
    return " ".join(part for part in parts if isinstance(part, str))
