"""Files of evidence: whole or absent, never written over, in a folder and in an object store."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal import storage
from airflow_provider_leadreset.leadsquared.journal.storage import (
    LocalStorage,
    ObjectStorage,
    Storage,
    storage_of,
)


@pytest.fixture(params=["local", "object"])
def folder(request: Any, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "a" / "b")
    return ObjectStorage(MemoryFileSystem(), f"/{tmp_path.name}/a/b")


class Broken(io.BytesIO):
    """Ends in the middle."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, "full")
        return super().read(4)


def test_file_is_kept_whole(folder):
    """What is put can be read again, and is listed."""
    assert folder.names() == []
    folder.put("x", io.BytesIO(b"12"))
    folder.put("y", io.BytesIO(b""))
    assert (folder.names(), folder.read("x"), folder.read("y")) == (["x", "y"], b"12", b"")


def test_file_is_never_written_over(folder):
    """A name that exists is refused, and what it holds stays."""
    folder.put("x", io.BytesIO(b"1"))
    with pytest.raises(FileExistsError, match="exists already"):
        folder.put("x", io.BytesIO(b"2"))
    assert folder.read("x") == b"1"
    assert folder.names() == ["x"]


def test_broken_write_leaves_nothing(folder):
    """A write that is broken off leaves no file, not even a torn one."""
    with pytest.raises(OSError, match="full"):
        folder.put("x", Broken(b"123456789" * 99) if isinstance(folder, LocalStorage) else Failing())
    assert folder.names() == []
    folder.put("x", io.BytesIO(b"1"))
    assert folder.read("x") == b"1"


class Failing(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.ENOSPC, "full")


def test_large_read_refused(folder):
    """A file that is larger than its reader allows is refused."""
    folder.put("x", io.BytesIO(b"1" * 100))
    with pytest.raises(InputError, match="more than 99"):
        folder.read("x", 99)


def test_others_see_nothing(tmp_path):
    """Files are for owner and group, folders too, below a umask that would give everyone all."""
    before = os.umask(0)
    try:
        LocalStorage(tmp_path / "a" / "b").put("x", io.BytesIO(b"1"))
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/x")]
    assert modes == [0o750, 0o750, 0o640]


def test_file_system_without_links(tmp_path, monkeypatch):
    """Where there are no hard links a file gets its name by a rename, and still overwrites nothing."""

    def link(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    folder = LocalStorage(tmp_path)
    folder.put("x", io.BytesIO(b"1"))
    with pytest.raises(FileExistsError, match="exists already"):
        folder.put("x", io.BytesIO(b"2"))
    assert (folder.names(), folder.read("x")) == (["x"], b"1")


def test_named_pipe_is_no_file(tmp_path):
    """A named pipe in a folder is refused at once."""
    os.mkfifo(tmp_path / "x")
    with pytest.raises(InputError, match="no file"):
        LocalStorage(tmp_path).read("x")


class RecordingStore(MemoryFileSystem):
    """Tells how files were put, and remembers listings until told not to."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []
        self.invalidated = 0

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:
        self.puts.append("pipe")
        super().pipe_file(path, value)

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:
        self.puts.append("file")
        super().put_file(lpath, rpath)

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        assert mode == "rb" or self.puts
        return super().open(path, mode, **options)

    def invalidate_cache(self, path: str | None = None) -> None:
        self.invalidated += 1


def test_object_is_put_in_one_request(monkeypatch, tmp_path):
    """An object is put whole, a large one from a closed file, and a listing is asked anew."""
    monkeypatch.setattr(storage, "LARGE", 10)
    store = RecordingStore()
    folder = ObjectStorage(store, f"/{tmp_path.name}/")
    folder.put("x", io.BytesIO(b"1" * 10))
    folder.put("y", io.BytesIO(b"1" * 11))
    assert store.puts == ["pipe", "file"]
    assert folder.read("y") == b"1" * 11
    assert (folder.names(), store.invalidated) == (["x", "y"], 1)


def test_storage_by_path(tmp_path):
    """A path leads to a folder or to an object store by its file system."""

    class StoredPath:
        path = "/bucket/x"
        fs = MemoryFileSystem()

    class LocalPath:
        path = str(tmp_path)
        fs = type("Local", (), {"protocol": ("file", "local")})()

    assert isinstance(storage_of(tmp_path), LocalStorage)
    assert isinstance(storage_of(LocalPath()), LocalStorage)
    assert isinstance(storage_of(StoredPath()), ObjectStorage)
