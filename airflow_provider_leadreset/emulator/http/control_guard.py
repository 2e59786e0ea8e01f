"""Who may call the emulator: whoever means it, and no web page that a browser on this machine happens to show.

A page of any site can have a browser POST to 127.0.0.1. But the browser says where the request comes from (``Origin``),
and lets the page add no header of its own unless the server agrees first, which this one never does.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import HTTPException, Request

HEADER, VALUE = "X-Leadreset-Emulator", "control"
"""What each control call says."""

_HERE = {"127.0.0.1", "localhost", "::1"}


def comes_from_elsewhere(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a request says that another site's page has made it.

    :param headers: as ASGI gives them, names in small letters.
    """
    origin = host = b""
    for name, value in headers:
        if name == b"origin":
            origin = value
        elif name == b"host":
            host = value
    return bool(origin) and origin.lower() != b"http://" + host.lower()


def require_meant(request: Request) -> None:
    """Refuse a control call that does not say that it is one, or to a name that some site has made of this machine.

    :raises HTTPException: 403.
    """
    if request.url.hostname not in _HERE:
        raise HTTPException(403, "A control call goes to 127.0.0.1 or localhost")
    if request.headers.get(HEADER) != VALUE:
        raise HTTPException(403, f"A control call needs the header {HEADER}: {VALUE}")
