"""Telling which keys were seen before, in flat memory however many there are."""

from __future__ import annotations

import sqlite3
from typing import Self

MOST_IN_MEMORY = 20_000
"""Keys that are held in memory, some 2 MiB; more than these go to a file. Most batches have fewer."""

CACHE_KIB = 16_000
"""Memory that the file's pages take at most, in KiB: with less, a million keys take a third longer (measured)."""


class DistinctKeys:
    """A set of keys that only grows: the first in memory, many in a temporary file without a name.

    Used by one thread, in a ``with`` statement or closed by :meth:`close`.
    """

    def __init__(self) -> None:
        self._few: set[bytes] = set()
        self._many: sqlite3.Cursor | None = None
        self._count = 0

    def add(self, key: bytes) -> bool:
        """Add a key; return whether it is new.

        :param key: a few bytes; for a long text, a digest of it.
        """
        if self._many is None:
            if key in self._few:
                return False
            self._few.add(key)
            self._count += 1
            if len(self._few) > MOST_IN_MEMORY:
                self._many = _on_disk(self._few)
                self._few = set()
            return True
        new = self._many.execute("INSERT OR IGNORE INTO keys VALUES (?)", (key,)).rowcount == 1
        self._count += new
        return new

    def __contains__(self, key: bytes) -> bool:
        if self._many is None:
            return key in self._few
        return self._many.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Forget all keys."""
        self._few = set()
        if self._many is not None:
            self._many.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _on_disk(keys: set[bytes]) -> sqlite3.Cursor:
    # An empty name is SQLite's for a file that it removes itself, whatever ends the process.
    database = sqlite3.connect("", isolation_level=None).cursor()
    database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("CREATE TABLE keys (key BLOB PRIMARY KEY) WITHOUT ROWID")
    database.execute("BEGIN")
    database.executemany("INSERT INTO keys VALUES (?)", ((key,) for key in keys))
    return database
