"""A plan: which records of which leads are to go, as a preview found them. Written once, then only read.

A gzip file of JSON lines: a head (account, window, selectors, when), a line for each lead that is to be reset
(its records' ids per kind), and an end (counts, and the SHA-256 of all lines before it). A file without its
end was never finished and counts for nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Self

from airflow_provider_leadreset.leadsquared.errors import InputError, MissingFileError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.records.records import PLAN_KINDS
from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.safety.plan_lines import (
    PLAN_VERSION,
    UnfinishedError,
    check_plan_lines,
    plan_end,
    plan_line,
    planned_records,
)
from airflow_provider_leadreset.leadsquared.text import quoted
from airflow_provider_leadreset.leadsquared.untrusted_files import BLOCK, MOST_FILE, limited

MOST_AGE = timedelta(days=1)
"""How old a plan may be when it is used."""


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
        self._counts = dict.fromkeys(PLAN_KINDS, 0)
        self._line(
            {
                "plan": PLAN_VERSION,
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
        for kind in PLAN_KINDS:
            self._counts[kind] += len(ids.get(kind, ()))
        self._line({"prospect_id": prospect_id, **{kind: ids[kind] for kind in PLAN_KINDS if ids.get(kind)}})

    def finish(self, preview: dict[str, Any]) -> tuple[IO[bytes], str]:
        """Write the end; return the packed file, at its beginning, and the digest.

        :param preview: what the preview's output says beside plan and digest, so that it can be given again.
        """
        self._line({"preview": preview})
        digest = self._digest.hexdigest()
        self._line(plan_end(self._leads, self._counts, digest))
        self._packed.close()
        self._file.seek(0)
        return self._file, digest

    def _line(self, content: dict[str, Any]) -> None:
        line = plan_line(content)
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
        kept = _kept(path)
        try:
            read = check_plan_lines(kept)
            head = read.head
            window = parse_window(_text(head, "window"), timezone=_text(head, "timezone"))
            return cls(
                path,
                _account(head),
                _made_by(head),
                _text(head, "request_digest"),
                window,
                parse_selectors(**_mapping(head, "selectors")),
                _moment(head, "made_at"),
                Leads(
                    read.leads,
                    read.lead_digest,
                    lambda: (lead for lead, _ in planned_records(kept)),
                    rows=read.leads,
                ),
                read.counts,
                read.digest,
                read.preview,
                kept,
            )
        except UnfinishedError:
            return None
        except InputError as error:
            raise InputError(f"{path} is no plan, or was changed since it was written: {error}") from None
        except TypeError:
            # Selectors that this version does not know.
            raise InputError(f"{path} is no plan of this version: it names other selectors") from None

    def records(self) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """Stream each lead with its records' ids per kind."""
        return planned_records(self._kept)

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
    """Check a preview's output, as an operator gets it after rendering; return the plan's path and digest.

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
    except FileNotFoundError:
        raise MissingFileError(f"there is no plan at {path}, or its storage is away") from None
    except (IsADirectoryError, NotADirectoryError):
        raise InputError(f"{path} is no plan: it is no file") from None
    with raw:
        source = limited(raw, MOST_FILE)
        try:
            return PrivateCopy(iter(lambda: source.read(BLOCK), b""))
        except InputError as error:
            raise InputError(f"{path} is no plan: {error}") from None


def _text(head: dict[str, Any], name: str) -> str:
    value = head.get(name)
    if not isinstance(value, str):
        raise InputError(f"its head has {quoted(value)} as {name}")
    return value


def _mapping(head: dict[str, Any], name: str) -> dict[str, Any]:
    value = head.get(name)
    if not isinstance(value, dict):
        raise InputError(f"its head has {quoted(value)} as {name}")
    return value


def _account(head: dict[str, Any]) -> dict[str, Any]:
    account = _mapping(head, "account")
    _text(account, "host")
    if not isinstance(account.get("code"), (str, int, type(None))):
        raise InputError(f"its head has {quoted(account)} as account")
    return account


def _made_by(head: dict[str, Any]) -> list[Any]:
    value = head.get("made_by")
    if not isinstance(value, list) or len(value) != 4:
        raise InputError(f"its head has {quoted(value)} as made_by")
    return value


def _moment(head: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(head, name))
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise InputError(f"its head has {quoted(head.get(name))} as {name}")
    return moment
