"""Who may call the emulator: whoever means it, and no web page that a browser on this machine happens to show.

A page of any site can have a browser call 127.0.0.1. But the browser says where the request comes from (``Origin``,
``Sec-Fetch-Site``), and lets the page add no header of its own unless the server agrees first, which this one never
does. A site whose name was made to lead to this machine is the exception: to the browser its page and the emulator are
one site, and a GET of it says nothing of that kind. It still says the site's name, as ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import HTTPException, Request

HEADER, VALUE = "X-Leadreset-Emulator", "control"
"""What each control call says."""

# Any port, since a tunnel may have another; nothing else that a parser of addresses would take for one of these.
_HERE = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_OWN = {b"same-origin", b"none"}
"""What a browser says of a request of the emulator's own page, and of an address that a person has typed."""


def why_refused(path: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return why a request is refused: another site's page has made it, or may have; None when it is not.

    :param path: what it asks for.
    :param headers: as ASGI gives them, names in small letters.
    """
    said: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        said.setdefault(name, []).append(value)
    hosts = said.get(b"host", [])
    if len(hosts) != 1 or _HERE.fullmatch(hosts[0].decode("latin-1")) is None:
        return "A call goes to 127.0.0.1 or localhost, and its Host header says so"
    own_page = b"http://" + hosts[0].lower()
    is_foreign = any(origin.lower() != own_page for origin in said.get(b"origin", []))
    if is_foreign or not (_OWN.issuperset(said.get(b"sec-fetch-site", [])) or _follows_a_link(path, said)):
        return "A web page of another site made this call"
    return None


def _follows_a_link(path: str, said: dict[bytes, list[bytes]]) -> bool:
    # Airflow's page links to a lead's; neither API is a page.
    return said.get(b"sec-fetch-mode") == [b"navigate"] and not path.startswith(("/v2/", "/_emulator"))


def require_meant(request: Request) -> None:
    """Refuse a control call that does not say that it is one.

    :raises HTTPException: 403.
    """
    if request.headers.get(HEADER) != VALUE:
        raise HTTPException(403, f"A control call needs the header {HEADER}: {VALUE}")
