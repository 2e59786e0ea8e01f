"""Rows of leads by their ids, up to 1,000 a call: whether the account has them, and what it says of them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.records.pages import PagedRead, Paging
from airflow_provider_leadreset.leadsquared.records.rows import field_of, lead_fields, lead_id_of

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

LEAD_PAGE = 1000
"""Leads looked up at once (documented sample; up to 10,000 ids a call)."""

_BY_IDS = "LeadManagement.svc/Leads/Retrieve/ByIds"


def read_leads(
    client: LeadSquaredClient, leads: list[str], *columns: str, told_apart_by: str | None = None
) -> list[tuple[str, dict[str, object]]]:
    """Return the rows of leads with their ids in lower case (``Leads/Retrieve/ByIds``, documented).

    Of the leads that the account has, and of no other: others in the answer would mean that the ids were not heeded
    (filters were seen to be ignored).

    :param leads: at most 1,000 ids.
    :param columns: fields that are asked for beside the id.
    :param told_apart_by: a field in which rows of one lead that differ are each returned; else the first one is.
    :raises LeadSquaredError: it cannot be told of all which of them the account has.
    """
    wanted = {lead.lower() for lead in leads}

    def fetch(paging: Paging) -> object:
        body = {
            "SearchParameters": {"LeadIds": leads},
            "Columns": {"Include_CSV": ",".join(("ProspectID", *columns))},
            "Paging": paging,
        }
        return client.call("POST", _BY_IDS, body=body)

    def key(row: dict[str, object]) -> Hashable:
        value = None if told_apart_by is None else field_of(lead_fields(row), told_apart_by)
        return lead_id_of(row), repr(value)

    read = PagedRead(client, _BY_IDS, fetch, names=("Leads",), key=key, size=LEAD_PAGE)
    rows = read.rows(complete=lambda found: {lead_id_of(row) for row in found.values()} >= wanted)
    return [(lead, row) for row in rows if (lead := lead_id_of(row)) in wanted]


def known_leads(client: LeadSquaredClient, leads: list[str]) -> set[str]:
    """Return which of at most 1,000 leads the account has, in lower case; see :func:`read_leads`.

    :raises LeadSquaredError: it cannot be told of all.
    """
    return {lead for lead, _ in read_leads(client, leads, "CreatedOn")}
