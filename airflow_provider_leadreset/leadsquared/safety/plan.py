"""A plan: which records of which leads are to go, as a preview found them. Written once, then only read.

A gzip file of JSON lines: a head (account, window, selectors, when counting began), a line for each lead that is to be
reset (its records' ids per kind), the preview (and when it was finished), and an end (counts, and the SHA-256 of all
lines before it). A file without its end was never finished and counts for nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Self

from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.errors import InputError, MissingFileError
from airflow_provider_leadreset.leadsquared.private_copy import PrivateCopy
from airflow_provider_leadreset.leadsquared.records.records import PLAN_KINDS
from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import Window, parse_window
from airflow_provider_leadreset.leadsquared.safety.plan_lines import (
    PLAN_VERSION,
    PlannedLead,
    UnfinishedError,
    check_plan_lines,
    plan_end,
    plan_line,
    planned_leads,
)
from airflow_provider_leadreset.leadsquared.text import quoted
from airflow_provider_leadreset.leadsquared.untrusted_files import BLOCK, MOST_FILE, limited

SHA256_DIGITS = 64

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead the clock of whoever made a plan may be."""


class PlanWriter:
    """Writes a plan to a temporary file; :meth:`finish` gives its bytes, to be stored at once.

    :param account: see :meth:`.AccountIdentity.as_json`.
    :param made_by: the task that makes it: ids of its DAG, run and task, and its map index.
    :param request_digest: the :func:`.fingerprint` of what the preview was asked for.
    :param account_check: the checksum of the account check under which it is made; None for none.
    """

    def __init__(
        self,
        *,
        account: dict[str, object],
        made_by: list[object],
        request_digest: str,
        window: Window,
        selectors: Selectors,
        now: datetime,
        account_check: str | None = None,
    ) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (given away by finish)
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0)
        # Of a preview that fails.
        self._discard = weakref.finalize(self, _close_both, self._packed, self._file)
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
                "account_check": account_check,
            }
        )

    def add(self, prospect_id: str, ids: dict[str, list[str]], *, last_modified: str | None = None) -> None:
        """Add a lead that is to be reset.

        :param last_modified: its LeadLastModifiedOn before its records were read, if a reset may rely on it.
        """
        self._leads += 1
        for kind in PLAN_KINDS:
            self._counts[kind] += len(ids.get(kind, ()))
        modified = {} if last_modified is None else {"last_modified": last_modified}
        records = {kind: ids[kind] for kind in PLAN_KINDS if ids.get(kind)}
        self._line({"prospect_id": prospect_id, **records, **modified})

    def finish(self, preview: dict[str, object], now: datetime) -> tuple[IO[bytes], str]:
        """Write the end; return the packed file, at its beginning, and the digest.

        :param preview: what the preview's output says beside plan and digest, so that it can be given again.
        :param now: the present moment, aware: nobody can have seen the plan before.
        """
        self._line({"preview": preview, "finished_at": now.astimezone(UTC).isoformat(timespec="seconds")})
        digest = self._digest.hexdigest()
        self._line(plan_end(self._leads, self._counts, digest))
        self._packed.close()
        self._discard.detach()
        self._file.seek(0)
        return self._file, digest

    def _line(self, content: dict[str, object]) -> None:
        line = plan_line(content)
        self._packed.write(line)
        self._digest.update(line)


def _close_both(packed: gzip.GzipFile, file: IO[bytes]) -> None:
    packed.close()  # it still writes its end
    file.close()


@dataclass(frozen=True)
class Plan:
    """A finished plan.

    :param made_at: when counting began, aware: nothing that came later is sure to be in it.
    :param finished_at: when it was finished, aware: nobody can have seen it before.
    :param leads: the leads to reset, streamed from the file.
    :param counts: records per kind.
    :param preview: the preview's output but for ``plan`` and ``digest``.
    :param account_check: the checksum of the account check under which it was made; None for none.
    """

    path: ReadablePath
    account: dict[str, object]
    made_by: list[object]
    request_digest: str
    window: Window
    selectors: Selectors
    made_at: datetime
    finished_at: datetime
    leads: Leads
    counts: dict[str, int]
    digest: str
    preview: dict[str, Any]
    account_check: str | None
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
                _moment(head, "made_at", "its head"),
                _moment(read.preview_line, "finished_at", "its last line but one"),
                Leads(
                    read.leads,
                    read.lead_digest,
                    lambda: (one.prospect_id for one in planned_leads(kept)),
                    rows=read.leads,
                ),
                read.counts,
                read.digest,
                read.preview_line["preview"],
                _account_check(head),
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
        return ((one.prospect_id, one.records) for one in self.planned())

    def planned(self) -> Iterator[PlannedLead]:
        """Stream each lead with all that the plan says of it."""
        return planned_leads(self._kept)

    def check(self, *, digest: str, now: datetime, max_age: timedelta | None) -> None:
        """Refuse a plan that is not the one that was shown, or too old.

        :param digest: the whole digest that the preview gave.
        :param max_age: None to take it at any age.
        :raises InputError: it is.
        """
        if digest != self.digest:
            raise InputError(
                f"the plan {self.path} is not the one that was shown: its digest is not {quoted(digest)}"
            )
        if max_age is None:
            return
        if now - self.made_at > max_age:
            raise InputError(
                f"the plan {self.path} was made at {self.made_at.isoformat()}, longer ago than max_plan_age={max_age} "
                "allows: preview in another run"
            )
        if self.made_at - now > CLOCKS_DIFFER:
            raise InputError(
                f"the plan {self.path} was made at {self.made_at.isoformat()}, which is in the future: is the clock of "
                "a worker wrong? Preview in another run"
            )

    def check_account(self, account: AccountIdentity) -> None:
        """Refuse a plan of another account.

        :raises InputError: it is, or that it is not cannot be told.
        """
        if account.is_other_than(self.account):
            raise InputError(
                f"the plan {self.path} is for the account at {self.account}, and the connection leads to "
                f"{account.as_json()}"
            )

    def refuse_other_check(self, findings: AccountFindings | None) -> None:
        """Refuse a plan that was made by other findings of an account check: it may show other records than would go.

        :param findings: those in force; None for none.
        :raises InputError: it was.
        """
        if self.account_check == (findings.checksum if findings else None):
            return
        now = f"that of {findings.checked_on}" if findings else "none"
        raise InputError(
            f"the plan {self.path} was made under {'another' if self.account_check else 'no'} account_check, and the "
            f"connection now has {now}: preview in another run"
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


def _text(head: dict[str, object], name: str) -> str:
    value = head.get(name)
    if not isinstance(value, str):
        raise InputError(f"its head has {quoted(value)} as {name}")
    return value


def _mapping(head: dict[str, object], name: str) -> dict[str, object]:
    value = head.get(name)
    if not isinstance(value, dict):
        raise InputError(f"its head has {quoted(value)} as {name}")
    return value


def _account(head: dict[str, object]) -> dict[str, object]:
    account = _mapping(head, "account")
    _text(account, "host")
    if not all(isinstance(account.get(name), (str, int, type(None))) for name in ("code", "key")):
        raise InputError(f"its head has {quoted(account)} as account")
    return account


def _account_check(head: dict[str, object]) -> str | None:
    value = head.get("account_check")
    if value is not None and (not isinstance(value, str) or len(value) != SHA256_DIGITS):
        raise InputError(f"its head has {quoted(value)} as account_check")
    return value


def _made_by(head: dict[str, object]) -> list[object]:
    value = head.get("made_by")
    if not isinstance(value, list) or len(value) != 4:
        raise InputError(f"its head has {quoted(value)} as made_by")
    return value


def _moment(line: dict[str, object], name: str, where: str) -> datetime:
    value = line.get(name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise InputError(f"{where} has {quoted(value)} as {name}")
    return moment
