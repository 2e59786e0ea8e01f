"""A private copy of a file, for what is read more than once: what was checked must be what is used."""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from collections.abc import Iterable


class PrivateCopy:
    """Bytes in a local file without a name: nobody can change it, and nothing of it stays, whatever ends the process.

    :param blocks: what to keep.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._file, name = tempfile.mkstemp(prefix="leadreset-")
        weakref.finalize(self, os.close, self._file)
        os.unlink(name)
        with os.fdopen(self._file, "wb", closefd=False) as file:
            file.writelines(blocks)

    def open(self) -> io.BufferedReader:
        """Return it from its beginning; several may read at once."""
        return io.BufferedReader(_Reader(self))

    def at(self, place: int, most: int) -> bytes:
        """Return at most so many bytes from there."""
        return os.pread(self._file, most, place)


class _Reader(io.RawIOBase):
    """Reads with a place of its own, unlike all that share a file's handle."""

    def __init__(self, copy: PrivateCopy) -> None:
        super().__init__()
        self._copy = copy
        self._place = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._copy.at(self._place, len(buffer))
        buffer[: len(block)] = block
        self._place += len(block)
        return len(block)
