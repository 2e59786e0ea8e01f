"""Where evidence lies: a local folder, or a prefix of an object store. A file is there whole, or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.text import scrubbed
from airflow_provider_leadreset.leadsquared.untrusted_files import MOST_FILE, limited

FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""Of what is written locally: for the group to read, for others nothing. A stricter umask stays stricter."""

LARGE = 64 << 20
"""Bytes beyond which a file is put into an object store from a file in place of from memory."""

MOST_ERROR = 300
"""Characters of a storage's error that are told."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems say that have no hard links."""


class EvidencePath(Protocol):
    """A path such as ``pathlib.Path`` or Airflow's ``ObjectStoragePath``."""

    def __truediv__(self, name: str) -> EvidencePath:
        """Return what is called ``name`` in it."""


class Storage(Protocol):
    """A folder that files are put into."""

    def put(self, name: str, data: IO[bytes]) -> None:
        """Put what ``data`` still holds into a new file, whole or not at all.

        :raises FileExistsError: there is such a file.
        """

    def names(self) -> list[str]:
        """Return the names of files and folders in it, as they are now; none if it is not there."""

    def read(self, name: str, most: int = MOST_FILE) -> bytes:
        """Return what a file holds.

        :raises InputError: it holds more than ``most`` bytes.
        """


def storage_of(path: Any) -> Storage:
    """Return the storage that a path leads to."""
    store = getattr(path, "fs", None)
    if store is None:
        return LocalStorage(Path(path))
    protocols = {store.protocol} if isinstance(store.protocol, str) else set(store.protocol)
    if protocols & {"file", "local"}:
        return LocalStorage(Path(path.path))
    return ObjectStorage(store, path.path)


class LocalStorage:
    """A folder of a file system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: IO[bytes]) -> None:
        """Write under another name, then give it its own, which overwrites nothing; both are on the disk then."""
        self._make_folders()
        target, unfinished = self._folder / name, self._folder / f".{name}.{secrets.token_hex(4)}.tmp"
        try:
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(data, file)
                file.flush()
                os.fsync(file.fileno())
            _give_name(unfinished, target)
        finally:
            with suppress(OSError):
                unfinished.unlink()
        _sync_folder(self._folder)

    def names(self) -> list[str]:
        """Return what is in it."""
        try:
            return sorted(os.listdir(self._folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str, most: int = MOST_FILE) -> bytes:
        """Return what a file holds."""
        path = self._folder / name
        if not path.is_file():  # to open a named pipe would wait for ever
            raise InputError("it is no file")
        with path.open("rb") as file:
            return limited(file, most).read()

    def _make_folders(self) -> None:
        missing = []
        folder = self._folder
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with suppress(
                FileExistsError
            ):  # another task made it; a file of that name shows at the next step
                folder.mkdir(FOLDER_MODE)
            _sync_folder(folder.parent)


def _give_name(unfinished: Path, target: Path) -> None:
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, "exists already", str(target)) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists already", str(target)) from None
        unfinished.rename(target)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where its file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _telling_as_os_error() -> Iterator[None]:
    """Raise as an OSError what the library of a storage raises: each has errors of its own."""
    try:
        yield
    except (OSError, InputError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {scrubbed(str(error), MOST_ERROR)}") from error


class ObjectStorage:
    """A prefix of an object store, by fsspec.

    A file is put in one request (large ones in parts that the store joins at the end), never streamed: what an
    exception ends in the middle of a stream is kept torn.

    :param store: an fsspec file system.
    """

    def __init__(self, store: Any, prefix: str) -> None:
        self._store = store
        self._prefix = prefix.rstrip("/")

    @_telling_as_os_error()
    def put(self, name: str, data: IO[bytes]) -> None:
        """Put the whole of it."""
        target = f"{self._prefix}/{name}"
        if self._store.exists(target):
            raise FileExistsError(errno.EEXIST, "exists already", target)
        if data.seekable() and _size(data) > LARGE:
            with tempfile.NamedTemporaryFile(prefix="leadreset-") as file:
                shutil.copyfileobj(data, file)
                file.flush()
                self._store.put_file(file.name, target)
            return
        self._store.pipe_file(target, data.read())

    @_telling_as_os_error()
    def names(self) -> list[str]:
        """Return what is in it, asked anew: a listing that the client remembers would hide another process's files."""
        self._store.invalidate_cache(self._prefix)
        try:
            found = self._store.ls(self._prefix, detail=False)
        except FileNotFoundError:
            return []
        names = {str(path).rstrip("/").rpartition("/")[2] for path in found}
        return sorted(names - {self._prefix.rpartition("/")[2], ""})

    @_telling_as_os_error()
    def read(self, name: str, most: int = MOST_FILE) -> bytes:
        """Return what a file holds."""
        with self._store.open(f"{self._prefix}/{name}", "rb") as file:
            return limited(file, most).read()


def _size(data: IO[bytes]) -> int:
    here = data.tell()
    end = data.seek(0, io.SEEK_END)
    data.seek(here)
    return end - here
