"""Addresses of files and folders that mean the same on every worker."""

from __future__ import annotations

import re

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import quoted

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://(.*)", re.DOTALL)

LOCAL = {"file", "local"}
"""Schemes of the worker's own file system."""

_FORM = "write it like file:///mnt/leadreset or s3://bucket/leadreset"


def parse_uri(argument: str, value: object, names: str) -> str:
    """Parse an address as an operator gets it, after templates were rendered.

    :param argument: what an error names.
    :param names: what it stands for, ``"folder"`` or ``"file"``.
    :returns: a text such as ``s3://bucket/x``, ``file:///mnt/x`` or ``/mnt/x``.
    :raises InputError: no text, one that rendered to nothing, or one that another worker would take for another place:
        relative, or with ``~``, ``.``, ``..``, a shell's variable or a host in a local path.
    """
    text = str(value).strip()
    if text in {"", "None"}:
        raise InputError(f"{argument} is {quoted(value)}, which names no {names}; leave it out to give none")
    match = _SCHEME.fullmatch(text)
    scheme, path = (match[1].lower(), match[2]) if match else ("", text)
    if scheme and scheme not in LOCAL:
        return text
    if scheme and not path.startswith("/") and path:
        raise InputError(
            f"{argument} is {quoted(value)}, with two slashes where a local path needs three: {path.split('/')[0]!r} "
            f"would be a host, or a folder of the worker's working directory; {_FORM}"
        )
    if not path.startswith("/"):
        raise InputError(
            f"{argument} is {quoted(value)}, which is no absolute URI: each worker has its own working directory, "
            f"so {_FORM}"
        )
    odd = next((part for part in path.split("/") if part in {".", ".."} or part.startswith(("~", "$"))), None)
    if odd:
        raise InputError(
            f"{argument} is {quoted(value)}, and {odd!r} in it is left as it is, or differs between workers; {_FORM}"
        )
    return text
