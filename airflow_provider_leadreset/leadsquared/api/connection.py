"""Host and keys as people paste them: read forgivingly, never quoted where a key could be among them.

And where LeadSquared's web application shows a lead, which is worked out from the host without a call.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from airflow_provider_leadreset.leadsquared.api.secret import SHORTEST_ANYWHERE, Secret
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<name>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/+v2)?/*"
)
_NAMED = re.compile(
    r"((?:https?://)?[a-z0-9-][a-z0-9.-]{0,252}?)\.?(:[0-9]{1,5})?(?:[/?#]|\Z)", re.IGNORECASE
)
_API = re.compile(r"https://api(?:-([a-z0-9]+))?\.leadsquared\.com/")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def key_forms(*keys: Secret) -> set[str]:
    """Return every spelling in which a key could turn up in a text: raw, percent-encoded, inside JSON.

    None of a key of fewer than 4 characters, as of a connection for a trial: whoever masks these forms does so inside
    of words, and would leave no log readable. Our own texts are without it all the same, see :class:`.KeySpellings`.
    Of what can be no key (:func:`clean_key` refuses it later) only the raw one: a lone surrogate cannot be encoded.
    """
    masked = [key for key in keys if len(key.text()) >= SHORTEST_ANYWHERE]
    forms = {key.text() for key in masked}
    for key in masked:
        if is_printable_ascii(key):
            forms |= _encoded(key)
    return forms


def _encoded(key: Secret) -> set[str]:
    forms = {quote(key.text(), safe=""), quote(key.text()), quote_plus(key.text())}
    # Some encoders write %2f for %2F, some \/ for /.
    forms |= {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in forms}
    return forms | {json.dumps(key.text())[1:-1], key.text().replace("/", "\\/")}


def is_printable_ascii(key: Secret) -> bool:
    """Return whether a header takes the key as it is."""
    return key.text().isprintable() and key.text().isascii()


def clean_key(name: str, key: Secret) -> Secret:
    """Return a key without the blanks around it.

    :raises InputError: none, or with characters that no header takes. Neither the error nor a local name of its
        traceback shows it.
    """
    if not key.text():
        raise InputError(
            f"the connection has no {name}: paste it from LeadSquared's My Account > Settings > API and Webhooks"
        )
    # requests would refuse such a key by an error that quotes it.
    if not is_printable_ascii(key):
        raise InputError(
            f"the connection's {name} has a line break or another character no key has: paste it anew"
        )
    return Secret(key.text())


def base_address(host: object) -> tuple[str, str]:
    """Read what people paste as host: ``https://host/``, ``host/v2``, ``host:port``.

    :param host: also as a :class:`.Secret`, since a pasted address may carry the keys.
    :returns: host, with its port if that is not the scheme's own; and the address up to its last slash.
    :raises InputError: no host name, or ``http`` to another machine. What may hold a key is not quoted, and no local
        name of the traceback shows it.
    """
    found, problem = _address_or_problem(host)
    del host
    if problem:
        raise InputError(f"the connection's Host is {problem}")
    return found


def account_host(user: Mapping[str, object]) -> str | None:
    """Return the API host that the key check names as the account's own (documented); None where it names none.

    As :func:`base_address` spells it: ``https://api.leadsquared.com:443/v2/`` and ``api.leadsquared.com.`` are both
    ``api.leadsquared.com``.

    :param user: what ``UserByAccessKey.Get`` gave.
    """
    urls = user.get("LSQCommonServiceURLs")
    named = urls.get("api") if isinstance(urls, dict) else None
    match = _NAMED.match(named.strip()) if isinstance(named, str) else None
    (address, _), problem = (
        _address_or_problem(f"{match[1]}{match[2] or ''}") if match else (("", ""), "none")
    )
    return None if problem else address


def _address_or_problem(host: object) -> tuple[tuple[str, str], str]:
    """Return host and address, and what is wrong, empty for nothing. Raises nothing: it knows the host by name."""
    text = (host if isinstance(host, Secret) else Secret(host)).text()
    nothing = ("", "")
    match = _ADDRESS.fullmatch(text)
    if not match or int(match["port"] or 0) > 65535 or not _is_name(match["name"].lower()):
        # A pasted address may carry the keys, in its query or before an @; so may a field taken for another.
        harmless = re.fullmatch(r"[a-z0-9:/]*[a-z0-9-]\.[A-Za-z0-9.:/_-]*|", text)
        return nothing, (
            f"{quoted(text) if harmless else 'no host name'}: write the API host alone, such as "
            "api-in21.leadsquared.com (LeadSquared shows it under My Account > Settings > API and Webhooks)"
        )
    name, scheme, port = match["name"].lower(), match["scheme"] or "https", int(match["port"] or 0)
    # LeadSquared names its hosts without the scheme's own port, and test_connection compares them.
    address = name if port in (0, {"https": 443, "http": 80}[scheme]) else f"{name}:{port}"
    if scheme == "http" and not _is_loopback(name):
        return nothing, f"{quoted(text)}: keys travel over https only, write {address}"
    return (address, f"{scheme}://{address}/"), ""


def _is_name(name: str) -> bool:
    if name.startswith("["):
        try:
            return bool(ipaddress.IPv6Address(name[1:-1]))
        except ValueError:
            return False
    # Without a dot it is a key in the wrong field more likely than a host.
    return (
        (name == "localhost" or "." in name)
        and len(name) <= 253
        and all(_LABEL.fullmatch(label) for label in name.split("."))
    )


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def lead_page(web_address: str | None, prospect_id: str) -> str | None:
    """Return the address of a lead's page (seen in public integrations, not documented); None without a host.

    :param web_address: as :func:`web_address_of` gives it.
    """
    if web_address is None:
        return None
    return f"{web_address}LeadManagement/LeadDetails?LeadID={quote(prospect_id, safe='')}"


def web_address_of(api_host: str) -> str | None:
    """Return the web application's address for an API host; None where it cannot be told.

    ``api-in21.leadsquared.com`` has it at ``in21.leadsquared.com``, and ``api.leadsquared.com`` at
    ``run.leadsquared.com`` (seen in public integrations, not documented). A LeadSquared on this machine, the
    emulator, is its own.

    :raises InputError: no host name.
    """
    given = Secret(api_host)
    del api_host
    _, address = base_address(given)
    if address.startswith("http://"):
        return address
    match = _API.fullmatch(address)
    return f"https://{match[1] or 'run'}.leadsquared.com/" if match else None


def given_web_address(app_host: object) -> str | None:
    """Parse the connection's ``app_host``: a host, or the address people paste; None if it was left empty.

    :raises InputError: no host name, or ``http`` to another machine.
    """
    if app_host is None or (isinstance(app_host, str) and not app_host.strip()):
        return None
    (_, address), problem = _address_or_problem(app_host)
    del app_host
    if problem:
        # Not quoted: a field can be taken for another, and this one then holds a key.
        raise InputError(
            "the connection's app_host is no host name: write that of the web application alone, such as "
            "in21.leadsquared.com, or leave it empty"
        )
    return address
