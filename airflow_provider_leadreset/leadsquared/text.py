"""Numbers as people read them."""

from __future__ import annotations


def counted(count: int, noun: str, many: str | None = None) -> str:
    """Give ``1 record``, but ``0 records`` and ``2 records``.

    :param many: what several are called, where that is not ``noun`` with an s.
    """
    return f"{count} {noun if count == 1 else many or f'{noun}s'}"
