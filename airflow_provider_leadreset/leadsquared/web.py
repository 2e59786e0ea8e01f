"""Where LeadSquared's web application shows a lead. Worked out without a call."""

from __future__ import annotations

import re
from urllib.parse import quote

from airflow_provider_leadreset.leadsquared.credentials import base_address
from airflow_provider_leadreset.leadsquared.errors import InputError

_API = re.compile(r"https://api(?:-([a-z0-9]+))?\.leadsquared\.com/")


def lead_page(web_address: str | None, prospect_id: str) -> str | None:
    """Give the address of a lead's page (seen in public integrations, not documented); None without a host.

    :param web_address: as :func:`web_address_of` gives it.
    """
    if web_address is None:
        return None
    return f"{web_address}LeadManagement/LeadDetails?LeadID={quote(prospect_id, safe='')}"


def web_address_of(api_host: str) -> str | None:
    """Give the web application's address for an API host; None where it cannot be told.

    ``api-in21.leadsquared.com`` has it at ``in21.leadsquared.com``, and ``api.leadsquared.com`` at
    ``run.leadsquared.com`` (seen in public integrations, not documented). A LeadSquared on this machine, the
    emulator, is its own.

    :raises InputError: no host name.
    """
    _, address = base_address(api_host)
    if address.startswith("http://"):
        return address
    match = _API.fullmatch(address)
    return f"https://{match[1] or 'run'}.leadsquared.com/" if match else None


def given_web_address(app_host: object) -> str | None:
    """Take the connection's ``app_host``: a host, or the address people paste; None if it was left empty.

    :raises InputError: no host name, or ``http`` to another machine.
    """
    if app_host is None or (isinstance(app_host, str) and not app_host.strip()):
        return None
    try:
        _, address = base_address(app_host)
    except InputError:
        # Not quoted: a field can be taken for another, and this one then holds a key.
        raise InputError(
            "the connection's app_host is no host name: write that of the web application alone, such as "
            "in21.leadsquared.com, or leave it empty"
        ) from None
    return address
