"""What all tasks do when they run: check what was asked for, take their share of the account, give it back."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import (
    AirflowNotFoundException,
    AirflowSkipException,
    ObjectStoragePath,
    is_airflow_2,
)
from airflow_provider_leadreset.exceptions import (
    LeadResetAccessError,
    LeadResetInputError,
    LeadResetOutageError,
    LeadResetQuotaError,
    LeadResetResourceError,
)
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.hooks.task_errors import as_task_error
from airflow_provider_leadreset.hooks.task_slots import TaskSlots, drain, slots_of, warn_outside_pool
from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.batch.progress import fingerprint, reset_fingerprint
from airflow_provider_leadreset.leadsquared.batch.progress_log import ProgressLog, Work
from airflow_provider_leadreset.leadsquared.errors import InputError, LeadSquaredError, StorageError
from airflow_provider_leadreset.leadsquared.journal.folder import (
    REPORT,
    EvidenceFolder,
    task_folder,
)
from airflow_provider_leadreset.leadsquared.records.catalog import EventCodes, sort_event_codes
from airflow_provider_leadreset.leadsquared.records.deciding_dates import CREATED_ON, deciding_dates
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors, parse_selectors
from airflow_provider_leadreset.leadsquared.request.run_sides import parse_run_window
from airflow_provider_leadreset.leadsquared.request.storage_uris import parse_uri
from airflow_provider_leadreset.leadsquared.request.window import wait_out
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, plan_reference
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import quoted
from airflow_provider_leadreset.links import links_of, push_links
from airflow_provider_leadreset.runtime.announcement import announce_account, announce_request
from airflow_provider_leadreset.runtime.lead_source import LeadSource
from airflow_provider_leadreset.runtime.max_calls import Need, refuse_if_too_few
from airflow_provider_leadreset.runtime.run_moment import run_moment

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Generator

    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.leadsquared.api.account_findings import AccountFindings
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
    from airflow_provider_leadreset.leadsquared.records.deciding_dates import DecidingDates
    from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
    from airflow_provider_leadreset.leadsquared.request.window import Window
    from airflow_provider_leadreset.operators._selection import LeadSelection


_CONN_ID = re.compile(r"[^\s{}\x00-\x1f\x7f]{1,250}")
"""What Airflow takes as an id is shorter (250 characters) and of fewer signs."""


@dataclass(frozen=True)
class ResetRequest:
    """What a task was asked for, checked."""

    account: str
    leads: Leads
    selectors: Selectors
    window: Window
    plan: Plan | None = None
    identity: str = ""
    """What tells the account from others of its host; empty where nothing is kept that must tell them."""
    event_codes: EventCodes = field(default_factory=EventCodes)
    """What became of the event codes: those of :attr:`selectors` are the ones that can be deleted."""
    asked_for: Selectors | None = None
    """The selectors as asked for, with codes that are left out."""

    @property
    def digest(self) -> str:
        """Equal for what asks for the same of the same account, whatever can be deleted of it today."""
        selectors = self.asked_for or self.selectors
        return fingerprint(self.identity or self.account, self.leads, selectors, self.window)

    @property
    def reset_digest(self) -> str:
        """Equal for what deletes the same of a lead, whichever leads are asked for."""
        return reset_fingerprint(self.selectors.arguments(), self.window.from_date, self.window.to_date)


class BaseRun:
    """One run of a task: its rendered values and its client."""

    deletes = False
    purpose, sends = "read", "Sent as"
    """What the first lines say the task is about to do, and of the window as it is sent."""

    def __init__(self, task: LeadSelection, context: Context) -> None:
        self.task = task
        self.context = context
        self.log = task.log
        # Set anew by tests.
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.sleep: Callable[[float], None] = time.sleep
        self.chance: random.Random = secrets.SystemRandom()
        self.source = LeadSource(self, storage_path)
        # For lineage, which is asked for after the end, however that came.
        self.request: ResetRequest | None = None
        self._hook: LeadResetHook | None = None
        self.says_first_lines = True
        """Whether the log is told what the task is about: a sensor pokes often."""
        self._told_account = False
        self.progress: ProgressLog | None = None
        """What says every ten seconds how far the work has come; None while nothing is called."""
        self.output: dict[str, Any] = {}
        self.summary_pushed = False
        self.links: dict[str, str] = {}
        """Addresses for the user interface, by their links' keys."""

    @property
    def hook(self) -> LeadResetHook:
        """The hook, paced to this task's share of the account's limit.

        :raises LeadResetInputError: the connection has no usable host, keys or extras.
        :raises LeadResetResourceError: it was not found.
        """
        if self._hook is None:
            self._hook = self._found_hook(self.conn_id)
            if self.task.stop_asked:
                self.stop()
        return self._hook

    @property
    def conn_id(self) -> str:
        """The connection's id.

        :raises InputError: what was rendered is none.
        """
        conn_id = self.task.leadsquared_conn_id
        if (
            not isinstance(conn_id, str)
            or not _CONN_ID.fullmatch(conn_id.strip())
            or conn_id.strip() == "None"
        ):
            raise InputError(f"leadsquared_conn_id is {quoted(conn_id)}, which names no connection")
        return conn_id.strip()

    def _found_hook(self, conn_id: str) -> LeadResetHook:
        hook = LeadResetHook(conn_id)
        hook.warns_outside_pool = False  # this run does
        if hook.settings.pool == self.slots.pool:
            hook.calls = self.slots.slots
        hook.get_conn()
        return hook

    @property
    def client(self) -> LeadSquaredClient:
        """The hook's client."""
        return self.hook.get_conn()

    @cached_property
    def slots(self) -> TaskSlots:
        """The slots that the scheduler has given this task.

        :raises InputError: pool or slots were mapped over.
        """
        return slots_of(self.task, self.context)

    @property
    def in_account_pool(self) -> bool:
        """Whether this task's slots are its share of the account's limit."""
        return self.hook.settings.pool == self.slots.pool

    def least_need(self, leads: int, selectors: Selectors) -> Need | None:
        """Return the calls that the task makes at least; None where nothing limits them."""
        del leads, selectors
        return None

    def may_be_called(self, leads: Leads) -> int:
        """Return how many of the leads the task may call at all."""
        return leads.count

    def before_first_call(self, leads: Leads, selectors: Selectors) -> None:
        """Refuse to begin what ``max_calls`` does not suffice for.

        :raises InputError: it is less than what is needed.
        """
        self.refuse_too_few_calls(self.may_be_called(leads), selectors)

    def refuse_too_few_calls(self, leads: int, selectors: Selectors, *, called: bool = False) -> None:
        """Refuse what ``max_calls`` does not suffice for.

        :param leads: how many are to be called.
        :param called: whether a call was made, for all leads together.
        :raises InputError: it is less than what is needed.
        """
        if self.task.max_calls is NOT_GIVEN:
            return
        most, need = self.checked("max_calls", least=1), self.least_need(leads, selectors)
        if need:
            refuse_if_too_few(most, need, read=self.source.calls, called=called)

    @cached_property
    def account(self) -> AccountIdentity:
        """Which account this is, and whose keys; see :meth:`.AccountIdentity.ask`. One call a run."""
        return AccountIdentity.ask(self.client)

    @cached_property
    def findings(self) -> AccountFindings | None:
        """What the account check found, if the connection has it and it is this account's. Asks for the account then.

        :raises LeadSquaredError: the account cannot be asked for now.
        """
        if self.hook.settings.account_check is None:
            return None
        found = self.hook.findings_of(self.account)
        if found:
            others = [
                f"{name} for {kind}" for kind, name in deciding_dates(found).found if name != CREATED_ON
            ]
            self.log.info(
                "Using the account check of %s: the window is compared with %s",
                found.checked_on,
                f"{', '.join(others)}, in place of CreatedOn" if others else CREATED_ON,
            )
        return found

    @property
    def dates(self) -> DecidingDates:
        """Which dates of records decide, as far as it was found out; see :attr:`findings`."""
        return deciding_dates(self.findings)

    def stop(self) -> None:
        """Let no further call start, and break those under way off in a second. Returns at once."""
        if self._hook:
            self._hook.get_conn().stop()

    @contextmanager
    def account_session(self) -> Generator[None, None, None]:
        """Close the connections at the end, and give the pool's slots back as good as new.

        :raises LeadResetInputError: an argument is missing, or came to None; before the connection is looked up.
        """
        with task_errors():
            if problem := self.task.argument_problem():
                raise InputError(problem)
            client = self.client
            if self.task.max_calls is not NOT_GIVEN:
                client.limiter.max_calls = self.checked("max_calls", least=1)
        try:
            with _without_keys(client), ProgressLog(client.limiter, self.log.info) as self.progress:
                yield
            self.source.forget()
        except AirflowSkipException as reason:
            self.log.info("Skipped: %s", reason)  # Airflow itself says nothing of it
            raise
        except (LeadResetAccessError, LeadResetOutageError, LeadResetQuotaError) as error:
            error.args = (f"connection {self.conn_id}: {error}",)
            raise
        finally:
            client.close()
            if self.in_account_pool:
                drain(client.limiter, self.log, says=self.says_first_lines)

    def begin_work(self, work: Work) -> None:
        """Let the log tell of this work every ten seconds."""
        if self.progress:
            self.progress.begin(work)

    def tell_account(self) -> None:
        """Log whom the task is about to call, once."""
        if self.says_first_lines and not self._told_account:
            self._told_account = True
            if not self.in_account_pool:
                warn_outside_pool(self.log, self.slots, self.hook.settings.pool)
            announce_account(self)

    def tell_request(self, leads: int, selectors: Selectors, window: Window) -> None:
        """Log what the task is about, before its first call about a lead."""
        self.tell_account()
        if self.says_first_lines:
            announce_request(self, leads, selectors, window)

    @property
    def identity(self) -> list[Any]:
        """Which task of which run this is: DAG id, run id, task id, map index (-1 for none).

        :raises InputError: the task was called with a context of no task instance.
        """
        if "ti" not in self.context:
            raise InputError(
                "evidence_path: the folder is named after DAG, run and task, and there is no task instance in the "
                "context; leave it out, or run the DAG by dag.test()"
            )
        ti = self.context["ti"]
        return [ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index]

    def evidence_in(self, root: object, kind: str = REPORT) -> EvidenceFolder:
        """Return the folder of all tries of this task below an evidence path.

        :param kind: below which of the two roots, for reports or for copies of records.
        :raises InputError: ``root`` names no folder, or one of a storage that Airflow does not have.
        """
        dag_id, run_id, task_id, map_index = self.identity
        return task_folder(
            storage_path("evidence_path", parse_uri("evidence_path", root, "folder")),
            kind,
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            map_index=map_index,
        )

    @property
    def try_name(self) -> str:
        """The name of this try's folder."""
        return f"try-{self.context['ti'].try_number}"

    def link(self, leads: Leads, evidence: object = None) -> None:
        """Let the user interface link to the lead, if it is one alone, and to the evidence."""
        with task_errors():
            lead = self.hook.lead_url(next(iter(leads))) if leads.count == 1 else None
        told = {"lead": lead, "evidence": str(evidence) if evidence else None}
        self.links = links_of(**told)
        if is_airflow_2() and "ti" in self.context:  # a unit test may call the task with next to nothing
            push_links(self.context["ti"], **told)

    def checked_request(self) -> ResetRequest:
        """Check what was asked for.

        :raises InputError: it cannot have been meant.
        """
        request = self._parsed() if self.task.plan is NOT_GIVEN else self._planned()
        if request.leads.count:
            wait_out(request.window, now=self.now, sleep=self.sleep, log=self.log.info)
            request = replace(request, identity=self.account_text)
        self.request = request
        return request

    @property
    def account_text(self) -> str:
        """What tells the account, for what is kept from one try or run to the next; without a call of its own."""
        known = AccountIdentity.of_keys(self.client) if self.task.plan is NOT_GIVEN else self.account
        return known.text

    def _max_plan_age(self) -> timedelta | None:
        """Return how old a plan may be; None for any age."""
        return None

    def _accept(self, plan: Plan) -> None:
        """Refuse a plan for what this task knows beside it. Called before any call is made.

        :raises InputError: it is refused.
        """

    def _parsed(self) -> ResetRequest:
        selectors = parse_selectors(
            self.task.activity_event_list,
            self.task.task_type_list,
            self.task.audit_activity_list,
            self.task.should_delete_prospect_notes,
        )
        window = parse_run_window(
            self.task.window, timezone=self.task.timezone, moment=run_moment(self.context), now=self.now
        )
        leads = self.source.leads()
        if not leads.count:
            return ResetRequest(self.client.host, leads, selectors, window)
        self.before_first_call(leads, selectors)
        self.tell_request(leads.count, selectors, window)
        codes = self._sorted_codes(selectors)
        deletable = replace(selectors, activity_event_list=codes.deletable) if codes.system else selectors
        return ResetRequest(
            self.client.host, leads, deletable, window, event_codes=codes, asked_for=selectors
        )

    def _sorted_codes(self, selectors: Selectors) -> EventCodes:
        """Tell which event codes can be deleted, before anything is; say of the others what becomes of them.

        :raises InputError: nothing of what was asked for can be deleted.
        """
        if not selectors.activity_event_list:
            return EventCodes()
        codes = sort_event_codes(self.client, selectors.activity_event_list)
        if codes.system:
            named = ", ".join(map(str, codes.system))
            if not codes.deletable and len(selectors.body()) == 1:
                raise InputError(
                    f"activity_event_list is {list(selectors.activity_event_list)}, and {named} stands for activities "
                    "of LeadSquared's own, which a reset never deletes, so nothing could go. Name custom activities "
                    "(in LeadSquared: Settings > Leads > Custom Activities & Scores, column Code); the audits 3001 and "
                    '3002 are asked for by audit_activity_list=["OwnerChange", "StageChange"]'
                )
            self.log.warning(
                "A reset leaves out event code %s: activities of LeadSquared's own, which are never deleted",
                named,
            )
        if codes.unknown:
            self.log.warning(
                "The account has no activity type with event code %s: a slip? It is sent; what that does is not known",
                ", ".join(map(str, codes.unknown)),
            )
        return codes

    def checked(self, name: str, *, least: int = 0) -> int:
        """Return a whole number among the task's arguments."""
        value = getattr(self.task, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{name} is {quoted(value)}: give a whole number of at least {least}")
        return value

    def _planned(self) -> ResetRequest:
        path, digest = plan_reference(self.task.plan)
        plan = Plan.read(storage_path("plan", path))
        if plan is None:
            raise InputError(f"the plan {path} was never finished: preview again")
        self.source.check_count(plan.leads)
        self.before_first_call(plan.leads, plan.selectors)
        plan.check(digest=digest, now=self.now(), max_age=self._max_plan_age())
        self._accept(plan)
        if plan.leads.count:
            self.tell_request(plan.leads.count, plan.selectors, plan.window)
        plan.check_account(self.account)
        return ResetRequest(self.client.host, plan.leads, plan.selectors, plan.window, plan)

    @contextmanager
    def naming_connection(self) -> Generator[None, None, None]:
        """Let an error that comes of the connection's fields name the connection."""
        try:
            yield
        except InputError as error:
            raise InputError(f"connection {self.conn_id}: {error}") from None


@contextmanager
def _without_keys(client: LeadSquaredClient) -> Generator[None, None, None]:
    """Strike the keys out of an error's text: those who read rows and lists quote what came, and know no keys."""
    try:
        yield
    except Exception as error:
        error.args = tuple(client.redact(said) if isinstance(said, str) else said for said in error.args)
        raise


def storage_path(argument: str, text: str) -> ObjectStoragePath:
    """Return the path that an argument names, in a storage that Airflow has.

    :raises InputError: no provider that is installed here knows the scheme, or a package of it is missing.
    :raises LeadResetResourceError: the storage's connection was not found.
    """
    try:
        path = ObjectStoragePath(text)
        _ = path.fs
    except (ValueError, ImportError) as error:
        raise InputError(
            f"{argument} is {quoted(text)}, in a storage that this worker's Airflow does not have: {error}. "
            "Is the scheme spelled right, and its provider installed here?"
        ) from None
    except AirflowNotFoundException as error:
        raise LeadResetResourceError(
            f"{argument} is {quoted(text)}, and its connection is not defined, or its secrets backend or database "
            f"did not answer: {error}"
        ) from None
    return path


@contextmanager
def task_errors() -> Generator[None, None, None]:
    """Turn errors of the core into the task's: what only a person can mend fails it, the rest may be retried."""
    try:
        yield
    except (InputError, LeadSquaredError) as error:
        raise as_task_error(error) from None
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise LeadResetInputError(
            f"a path is no directory where one is needed, or is one where a file is needed: {error}"
        ) from None
    except OSError as error:
        raise as_task_error(StorageError.of(error)) from None
