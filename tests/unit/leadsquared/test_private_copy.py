from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy

LINES = [f"{number}\n".encode() for number in range(10_000)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_copy_has_no_name(folder: Path) -> None:
    """Nobody can find a copy, so nobody can change it and nothing of it stays."""
    copy = PrivateCopy([b"a", b"b"])
    assert list(folder.iterdir()) == []
    assert copy.open().read() == b"ab"


def test_several_readers_at_once() -> None:
    """Each reader has a place of its own, in threads too."""
    copy = PrivateCopy(LINES)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == LINES for found in pool.map(lambda _: list(copy.open()), range(8)))
    first, second = copy.open(), copy.open()
    assert [first.readline(), second.readline(), first.readline()] == [b"0\n", b"0\n", b"1\n"]


@pytest.mark.parametrize(("place", "most", "found"), [(0, 2, b"ab"), (2, 9, b"c"), (3, 1, b""), (9, 1, b"")])
def test_bytes_at_a_place(place: int, most: int, found: bytes) -> None:
    """What stands at a place is read without moving any reader."""
    copy = PrivateCopy([b"abc"])
    reader = copy.open()
    assert copy.at(place, most) == found
    assert reader.read() == b"abc"


def test_interrupted_copy_leaves_nothing(folder: Path) -> None:
    """A copy that could not be made whole leaves neither a file nor an open one."""

    def blocks() -> Iterator[bytes]:
        yield b"a"
        raise TimeoutError

    gc.collect()
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(TimeoutError):
        PrivateCopy(blocks())
    gc.collect()
    assert list(folder.iterdir()) == []
    assert set(os.listdir("/dev/fd")) == before
