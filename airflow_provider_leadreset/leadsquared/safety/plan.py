"""A plan: which records of which leads are to go, as a preview found them. Written once, then only read.

A gzip file of JSON lines: a head (account, window, selectors, when), a line for each lead that is to be reset
(its records' ids per kind), and an end (counts, and the SHA-256 of all lines before it). A file without its
end was never finished and counts for nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Self

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.records.records import KINDS
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads, ReadablePath
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.text import quoted

MOST_AGE = timedelta(days=1)
"""How old a plan may be when it is used."""

BLOCK = 1 << 20
"""Bytes that are read at once."""

_NO_PLAN = (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)
"""What reading a file raises that is none, or was changed."""


class PlanWriter:
    """Writes a plan to a temporary file; :meth:`finish` gives its bytes, to be stored at once.

    :param account: the API host, and the account's code where it is known.
    :param made_by: the task that makes it: ids of its DAG, run and task, and its map index.
    :param request_digest: the :func:`.fingerprint` of what the preview was asked for.
    """

    def __init__(
        self,
        *,
        account: dict[str, Any],
        made_by: list[Any],
        request_digest: str,
        window: Window,
        selectors: Selectors,
        now: datetime,
    ) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by finish)
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0)
        self._digest = hashlib.sha256()
        self._leads = 0
        self._counts = dict.fromkeys(KINDS, 0)
        self._line(
            {
                "plan": 1,
                "account": account,
                "made_by": made_by,
                "request_digest": request_digest,
                "window": window.text,
                "timezone": window.timezone,
                "selectors": selectors.arguments(),
                "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            }
        )

    def add(self, prospect_id: str, ids: dict[str, list[str]]) -> None:
        """Add a lead that is to be reset."""
        self._leads += 1
        for kind in KINDS:
            self._counts[kind] += len(ids[kind])
        self._line({"prospect_id": prospect_id, **{kind: ids[kind] for kind in KINDS if ids[kind]}})

    def finish(self, preview: dict[str, Any]) -> tuple[IO[bytes], str]:
        """Write the end; return the packed file, at its beginning, and the digest.

        :param preview: what the preview's output says beside plan and digest, so that it can be given again.
        """
        self._line({"preview": preview})
        digest = self._digest.hexdigest()
        self._line({"end": True, "leads": self._leads, "counts": self._counts, "digest": digest})
        self._packed.close()
        self._file.seek(0)
        return self._file, digest

    def _line(self, content: dict[str, Any]) -> None:
        line = (json.dumps(content, separators=(",", ":")) + "\n").encode()
        self._packed.write(line)
        self._digest.update(line)


@dataclass(frozen=True)
class Plan:
    """A finished plan.

    :param leads: the leads to reset, streamed from the file.
    :param counts: records per kind.
    :param preview: the preview's output but for ``plan`` and ``digest``.
    """

    path: ReadablePath
    account: dict[str, Any]
    made_by: list[Any]
    request_digest: str
    window: Window
    selectors: Selectors
    made_at: datetime
    leads: Leads
    counts: dict[str, int]
    digest: str
    preview: dict[str, Any]
    _kept: PrivateCopy = field(repr=False, compare=False)

    @classmethod
    def read(cls, path: ReadablePath) -> Self | None:
        """Read a plan whole, holding none of its leads; None if it was never finished.

        It is read once, into a local copy: what was checked is what is used, whatever becomes of the file.

        :raises InputError: there is no such file, or it is no plan, or was changed.
        """
        digest, head, preview, count, lead_digest = hashlib.sha256(), None, {}, 0, hashlib.sha256()
        counts = dict.fromkeys(KINDS, 0)
        kept = _kept(path)
        try:
            for line in _lines(kept):
                content = json.loads(line)
                if content.get("end"):
                    ended = {"leads": count, "counts": counts, "digest": digest.hexdigest()}
                    if head is None or any(content[name] != value for name, value in ended.items()):
                        raise InputError(f"the plan {path} was changed since it was written")
                    return cls(
                        path,
                        head["account"],
                        head["made_by"],
                        head["request_digest"],
                        parse_window(head["window"], timezone=head["timezone"]),
                        Selectors.parse(**head["selectors"]),
                        datetime.fromisoformat(head["made_at"]),
                        Leads(count, lead_digest.hexdigest(), lambda: (lead for lead, _ in _records(kept))),
                        counts,
                        digest.hexdigest(),
                        preview,
                        kept,
                    )
                digest.update(line)
                if "plan" in content:
                    head = content
                elif "preview" in content:
                    preview = content["preview"]
                else:
                    count += 1
                    lead_digest.update(content["prospect_id"].lower().encode())
                    for kind in KINDS:
                        counts[kind] += len(content.get(kind, ()))
        except (EOFError, gzip.BadGzipFile):
            return None
        except _NO_PLAN as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is no plan ({type(error).__name__})") from None
        return None

    def records(self) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """Stream each lead with its records' ids per kind."""
        return _records(self._kept)

    def check(self, *, digest: str, account: dict[str, Any], now: datetime | None) -> None:
        """Refuse a plan that is not the one that was shown, of another account, or too old.

        :param now: None to take it at any age.
        :raises InputError: it is.
        """
        if digest != self.digest:
            raise InputError(
                f"the plan {self.path} is not the one that was shown: its digest is not {quoted(digest)}"
            )
        for name, value in self.account.items():
            if value and account.get(name) and account[name] != value:
                raise InputError(
                    f"the plan {self.path} is for the account at {self.account}, and the connection leads to {account}"
                )
        age = now - self.made_at if now else timedelta(0)
        if age > MOST_AGE or age < -timedelta(minutes=5):
            raise InputError(
                f"the plan {self.path} was made at {self.made_at.isoformat()}, more than a day ago: preview in "
                "another run"
            )


def plan_reference(value: object) -> tuple[str, str]:
    """Take a preview's output, as an operator gets it after rendering; return the plan's path and digest.

    :raises InputError: it is no such output, or that of a preview without ``evidence_path``, which makes no plan.
    """
    if not isinstance(value, dict):
        raise InputError(f"plan is {quoted(value)}: give the preview's output itself, plan=preview.output")
    path, digest = value.get("plan"), value.get("digest")
    if not isinstance(path, str) or not isinstance(digest, str) or not path or not digest:
        raise InputError(
            "plan is the output of a preview that made no plan: give the preview an evidence_path"
        )
    return path, digest


def _kept(path: ReadablePath) -> PrivateCopy:
    try:
        raw = path.open("rb")
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"there is no plan at {path}") from None
    with raw:
        return PrivateCopy(iter(lambda: raw.read(BLOCK), b""))


def _lines(kept: PrivateCopy) -> Iterator[bytes]:
    with kept.open() as raw, gzip.open(raw) as lines:
        yield from lines


def _records(kept: PrivateCopy) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Of a plan that was read whole before."""
    for line in _lines(kept):
        content = json.loads(line)
        if content.get("end"):
            return  # what stands behind the end is none of the plan
        if "prospect_id" in content:
            yield content["prospect_id"], {kind: content.get(kind, []) for kind in KINDS}
