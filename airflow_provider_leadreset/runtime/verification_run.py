"""What a LeadResetSensor does at each poke."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import AirflowSkipException, ObjectStoragePath, PokeReturnValue
from airflow_provider_leadreset.leadsquared.batch.worker_pool import WorkerPool
from airflow_provider_leadreset.leadsquared.errors import (
    InputError,
    QuotaError,
    UnavailableError,
    UnknownLeadsError,
)
from airflow_provider_leadreset.leadsquared.journal.schema_results import VerificationRecord
from airflow_provider_leadreset.leadsquared.records.records import UNKNOWN_TYPE
from airflow_provider_leadreset.leadsquared.records.task_types import task_types_of
from airflow_provider_leadreset.leadsquared.safety.exclusions import Exclusions
from airflow_provider_leadreset.leadsquared.safety.verification import (
    Remaining,
    RemainingIds,
    Verification,
    planned_remaining,
    verify,
    window_remaining,
)
from airflow_provider_leadreset.leadsquared.text import pluralize
from airflow_provider_leadreset.runtime.announcement import announce_calls
from airflow_provider_leadreset.runtime.base import BaseRun, ResetRequest, task_errors
from airflow_provider_leadreset.runtime.checkpoint import times_cleared
from airflow_provider_leadreset.runtime.guarded_run import file_of_exclusions
from airflow_provider_leadreset.runtime.work_told import verifying_work

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

MOST_UNKNOWN = 1000
"""How many unknown leads the output names."""

PLAN_DEPTH = 6
"""A plan lies in ``evidence_path/report/dag/run/task/map index/``: so many steps up is the evidence path."""


@dataclass(frozen=True)
class LeftOut:
    """The excluded leads that an earlier poke, when they were not excluded, has not found to be done.

    :param records: theirs that are planned.
    """

    leads: int = 0
    records: int = 0


class VerificationRun(BaseRun):
    """One poke of a LeadResetSensor."""

    task: LeadResetSensor
    purpose, sends = "verify", "The reset sent"
    failed = False
    """Whether this poke could not read all that it was to read."""

    def __init__(self, task: LeadResetSensor, context: Context) -> None:
        super().__init__(task, context)
        self.says_first_lines = not task.told_first_lines
        task.told_first_lines = True

    def verify(self, sensor: LeadResetSensor) -> PokeReturnValue:
        """Read what is not known to be gone, and judge."""
        with self.account_session():
            with task_errors():
                try:
                    request = self.checked_request()
                except (QuotaError, UnavailableError) as error:  # a plan's account is asked for
                    self.log.warning("This poke failed, the next will try again: %s", error)
                    self.failed = True
                    return PokeReturnValue(is_done=False)
            if not request.leads.count:
                raise AirflowSkipException(f"There are no leads to verify: {self.source.describe_empty()}")
            store: Any = self.context.get("task_state_store")
            key = self._key(request)
            if sensor.last_verification is None or sensor.last_verification[0] != key:
                # The first poke, or a file of leads has changed since the last.
                stored = store.get(key) if store is not None else None
                sensor.last_verification = key, Verification.from_json(stored)
            verification = sensor.last_verification[1]
            with (
                task_errors(),
                closing(Exclusions.parse(self.task.exclude, file_of_exclusions)) as exclusions,
            ):
                self._read(request, verification, exclusions)
                left_out = _left_out(request, verification, exclusions)
            self.failed = bool(verification.unread)
            if store is not None and len(verification.done):
                self._save(store, key, verification)
            is_done = len(verification.done) + left_out.leads == request.leads.count
            with task_errors():
                _refuse_audits_alone_unseen(request, verification, is_done=is_done)
                self._refuse_all_unknown(request, verification)
            output = _output(self.client.host, request, verification, left_out)
            if left_out.leads:
                self.log.info(
                    "%s of exclude were not to be reset, and are not verified",
                    pluralize(left_out.leads, "lead"),
                )
            if is_done:
                self.log.info("%s, of %s", self._said(output), pluralize(output["leads_done"], "lead"))
                if output["unverifiable"]:
                    self.log.warning("Not verified: %s", "; ".join(output["unverifiable"]))
                self._keep(request, output)
            else:
                self.log.info(
                    "%d of %s done; %s",
                    len(verification.done),
                    pluralize(request.leads.count, "lead"),
                    verification.describe_remaining(),
                )
            return PokeReturnValue(is_done=is_done, xcom_value=output)

    def _save(self, store: Any, key: str, verification: Verification) -> None:
        try:
            store.set(key, verification.as_json())
        except Exception as error:  # whatever it is: it costs some repeated calls, the poke itself went well
            self.log.warning("What is done could not be saved, the next poke may read it again: %s", error)

    def _key(self, request: ResetRequest) -> str:
        digest = request.plan.digest[:32] if request.plan else ""
        return f"leadreset-verification/{request.digest}{digest}/{times_cleared(self.context)}"

    def _read(self, request: ResetRequest, verification: Verification, exclusions: Exclusions) -> None:
        read: Callable[[str, RemainingIds | None], Remaining]
        verification.forget()
        work = verifying_work(request, verification)
        if self.says_first_lines:
            announce_calls(self, request.leads.count - len(verification.done), work.calls_left())
        self.begin_work(work)
        try:
            if request.plan:
                read = partial(planned_remaining, self.client)
            else:
                types = task_types_of(self.client, request.selectors)
                read = partial(
                    window_remaining, self.client, request.selectors, request.window, types, self.dates
                )
            with WorkerPool(self.client) as pool:
                verify(
                    pool,
                    (one for one in _leads(request) if one[1] not in exclusions),
                    verification,
                    read,
                    accepts_unknown_leads=self.task.accept_unknown_leads,
                )
        except (QuotaError, UnavailableError) as error:
            self.log.warning("This poke failed, the next will try again: %s", error)
            left_out = _left_out(request, verification, exclusions).leads
            verification.unread = (
                request.leads.count - left_out - len(verification.done) - verification.not_done
            )
            verification.why_unread = verification.why_unread or str(error)

    def _refuse_all_unknown(self, request: ResetRequest, verification: Verification) -> None:
        """Refuse a connection that may lead elsewhere: a plan tells its account, without one only its leads do."""
        if request.plan is None and len(verification.unknown) == request.leads.count:
            raise UnknownLeadsError(
                f"none of {pluralize(request.leads.count, 'lead')} is known to the account at {self.client.host}, so "
                "nothing is verified, though unknown leads are accepted: does the connection lead to another account?"
            )

    def _keep(self, request: ResetRequest, output: dict[str, Any]) -> None:
        """Beside the plan, say that it is verified."""
        if request.plan is None or "ti" not in self.context:  # a unit test may call with next to no context
            return
        root = ObjectStoragePath(str(request.plan.path))
        for _ in range(PLAN_DEPTH):
            root = root.parent
        record = VerificationRecord(
            plan=str(request.plan.path),
            digest=request.plan.digest,
            verified_at=datetime.now(UTC).isoformat(timespec="seconds"),
            **output,
        )
        with task_errors():
            folder = self.evidence_in(root).folder(self.try_name)
            file = folder.write(f"{secrets.token_hex(4)}-verification.json", record.as_line())
        # Nothing that is written later names it: who keeps the log can tell whether it was changed.
        self.log.info("Evidence: %s, digest %s", folder.path / file.name, file.sha256)

    @staticmethod
    def _said(output: dict[str, Any]) -> str:
        if output["records"] is None:
            return "The API no longer gives any record in the window"
        return f"The API no longer gives {output['gone']} of {pluralize(output['records'], 'record')}"


def _leads(request: ResetRequest) -> Iterator[tuple[int, str, RemainingIds | None]]:
    if request.plan:
        for index, (lead, planned) in enumerate(request.plan.records()):
            yield index, lead, planned
    else:
        for index, lead in enumerate(request.leads):
            yield index, lead, None


def _left_out(request: ResetRequest, verification: Verification, exclusions: Exclusions) -> LeftOut:
    if not len(exclusions):
        return LeftOut()
    planned = [
        _countable({kind: len(ids) for kind, ids in (ids_per_kind or {}).items()})
        for index, lead, ids_per_kind in _leads(request)
        if lead in exclusions and index not in verification.done
    ]
    return LeftOut(len(planned), sum(planned))


def _countable(counts: dict[str, int]) -> int:
    """Return how many records can be told to be gone: a task whose type nothing tells may have had to stay."""
    return sum(count for kind, count in counts.items() if kind != UNKNOWN_TYPE)


def _output(
    account: str, request: ResetRequest, verification: Verification, left_out: LeftOut
) -> dict[str, Any]:
    records = _countable(request.plan.counts) - left_out.records if request.plan else None
    return {
        "account": account,
        "leads": request.leads.count,
        "leads_done": len(verification.done),
        "excluded": left_out.leads,
        "records": records,
        "gone": None
        if records is None
        else records - verification.records_left - verification.records_of_unknown,
        "left": verification.left,
        "unverifiable": _unverifiable(request, verification),
        "unknown_leads": verification.unknown[:MOST_UNKNOWN],
    }


def _unverifiable(request: ResetRequest, verification: Verification) -> list[str]:
    """Return what nothing can be said of: audits of an account that shows none, tasks whose type nothing tells."""
    found = []
    if _audits_are_unseen(request, verification):
        named = " and ".join(request.selectors.audit_activity_list)
        found.append(f"{named} audits: none of the leads ever showed one")
    if verification.tasks_of_unknown_type:
        found.append(f"{pluralize(verification.tasks_of_unknown_type, 'task')} of unknown type, still there")
    if verification.unknown:
        leads = pluralize(len(verification.unknown), "lead")
        records = (
            f" with {pluralize(verification.records_of_unknown, 'planned record')}" if request.plan else ""
        )
        found.append(
            f"{leads}{records} that the account does not have: {', '.join(verification.unknown[:20])}"
        )
    return found


def _audits_are_unseen(request: ResetRequest, verification: Verification) -> bool:
    """Return whether audits were asked for and none was ever shown: then none being left proves nothing."""
    if not request.selectors.audit_activity_list:
        return False
    return not request.plan.counts["audits"] if request.plan else not verification.shows_audits


def _refuse_audits_alone_unseen(request: ResetRequest, verification: Verification, *, is_done: bool) -> None:
    alone = set(request.selectors.arguments()) == {"audit_activity_list"}
    if alone and is_done and _audits_are_unseen(request, verification):
        raise InputError(
            "audits alone cannot be verified here: none of the leads shows any, which proves nothing, since the "
            "account may not show them. Give the plan of a preview that saw them, or leave the sensor out"
        )
