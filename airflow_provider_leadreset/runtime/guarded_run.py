"""What holds a reset back, whatever its leads are: rules, exclusions, approval, reason, the age of its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_leadreset.compat import AirflowSkipException
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.storage_uris import parse_uri
from airflow_provider_leadreset.leadsquared.safety.approval import (
    DIGEST_CHARACTERS,
    check_against_plan,
    checked_approval,
    is_rejected,
    refuse_for_lack_of_a_plan,
)
from airflow_provider_leadreset.leadsquared.safety.approval_text import approvals_for_log
from airflow_provider_leadreset.leadsquared.safety.exclusions import Exclusions
from airflow_provider_leadreset.leadsquared.safety.reason import checked_reason
from airflow_provider_leadreset.leadsquared.safety.rules import REQUIRABLE
from airflow_provider_leadreset.leadsquared.safety.unmodified import has_settled, why_not_allowed
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import quoted
from airflow_provider_leadreset.runtime.base import BaseRun, storage_path
from airflow_provider_leadreset.runtime.unmodified_leads import NOTHING, refuse_flag_without_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.batch.progress import Progress
    from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath
    from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
    from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
    from airflow_provider_leadreset.leadsquared.request.window import Window
    from airflow_provider_leadreset.leadsquared.safety.plan import Plan
    from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator


class GuardedRun(BaseRun):
    """A run that may delete only what nothing holds back."""

    task: LeadResetOperator

    def __init__(self, task: LeadResetOperator, context: Context) -> None:
        super().__init__(task, context)
        self.approval: object = None
        self.reason: str | None = None
        self.exclusions = Exclusions()
        self._plan: Plan | None = None
        self.left_out = NOTHING
        """The places of leads that were not modified, and are left out."""

    def check_values(self) -> None:
        """Check, before any call, what needs none.

        :raises InputError: it cannot have been meant, or the account's rules do not allow it.
        :raises AirflowSkipException: the question of the task group was answered with no.
        """
        if self.task.approval_names_plan and is_rejected(self.task.approval):
            # Inside a mapped task group a rejecting approval skips nothing by itself (tried on Airflow 3.3).
            raise AirflowSkipException("the approval was rejected, so nothing is reset")
        values = {name: getattr(self.task, name) for name in REQUIRABLE}
        given = {name for name, value in values.items() if value is not NOT_GIVEN and value is not False}
        with self.naming_connection():
            self.hook.settings.rules.check_arguments(given)
        if self.task.approval is not NOT_GIVEN:
            self.approval = self._checked_approval()
            if self.task.plan is NOT_GIVEN:
                refuse_for_lack_of_a_plan(self.approval)
        if self.task.reason is not NOT_GIVEN:
            self.reason = checked_reason(self.task.reason, self.client.redact)
        self.checked("max_failed_leads")
        if self.task.max_records is not NOT_GIVEN:
            self.checked("max_records")
        self._max_plan_age()
        refuse_flag_without_check(self)
        self.exclusions = Exclusions.parse(self.task.exclude, file_of_exclusions)

    @property
    def relies_on_plan(self) -> bool:
        """Whether leads that are as the plan saw them need not be read again, as far as it is known yet."""
        if self.task.plan is NOT_GIVEN or self.task.archive:
            return False
        if self.request is None or self.request.plan is None:
            return self.hook.settings.account_check is not None
        findings, now = self.findings, self.now()
        return (
            findings is not None
            and why_not_allowed(findings, self.request.selectors, host=self.request.account, today=now.date())
            is None
            and has_settled(self.request.window, findings, now)
        )

    def tell_request(self, leads: int, selectors: Selectors, window: Window) -> None:
        """Log what the task is about, by which plan, and by whose approval."""
        super().tell_request(leads, selectors, window)
        if self._plan:
            self.log.info(
                "By the plan with digest %s…, finished at %s",
                self._plan.digest[:DIGEST_CHARACTERS],
                self._plan.finished_at.isoformat(timespec="seconds"),
            )
        if self.approval is not None:
            for line in approvals_for_log(self.approval, self.client.redact):
                self.log.info("%s", line)

    def is_to_be_called(self, index: int, lead: str, progress: Progress) -> bool:
        """Return whether a lead is neither done nor excluded.

        :param index: its place among those asked for.
        """
        return index not in progress and not progress.is_excluded(index) and lead not in self.exclusions

    def may_be_called(self, leads: Leads) -> int:
        """Return how many of the leads are not excluded."""
        return sum(lead not in self.exclusions for lead in leads) if len(self.exclusions) else leads.count

    def _checked_approval(self) -> object:
        """Return the approval without keys. An error of the check quotes it cut, so they are struck out before, too."""
        try:
            given = redacted(self.task.approval, self.client.redact)
        except RecursionError:
            given = self.task.approval  # the check says so
        return redacted(checked_approval(given), self.client.redact)

    def _max_plan_age(self) -> timedelta:
        value = self.task.max_plan_age
        if not isinstance(value, timedelta) or value <= timedelta(0):
            raise InputError(f"max_plan_age is {quoted(value)}: give a timedelta, such as timedelta(days=7)")
        return value

    def _accept(self, plan: Plan) -> None:
        self._plan = plan
        if self.approval is not None:
            check_against_plan(
                self.approval,
                digest=plan.digest,
                finished_at=plan.finished_at,
                must_name_plan=self.task.approval_names_plan,
            )

    @property
    def account_text(self) -> str:
        """What tells the account: it is asked for, since keys can be exchanged between two tries."""
        return self.account.text


def redacted(value: object, redact: Callable[[str], str]) -> object:
    """Return a value with the keys struck out of its texts: it is kept as evidence and as XCom.

    :param value: what JSON can hold, or any mapping or sequence, such as a mapped task's output.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [redacted(item, redact) for item in value]
    if isinstance(value, Mapping):
        return {
            redact(name) if isinstance(name, str) else name: redacted(item, redact)
            for name, item in value.items()
        }
    return value


def file_of_exclusions(text: str) -> ReadablePath:
    """Return the file of ids that ``exclude`` names.

    :raises InputError: it is no absolute URI or path, or of a storage that Airflow does not have.
    """
    return storage_path("exclude", parse_uri("exclude", text, "file"))
