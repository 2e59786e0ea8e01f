"""Where a task's leads come from: its arguments, a file, a list of the CRM."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.leadsquared.batch.progress_log import ListProgress
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.records.lead_lists import list_members
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.storage_uris import parse_uri
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import pluralize, quoted
from airflow_provider_leadreset.runtime.checkpoint import generation
from airflow_provider_leadreset.runtime.listed_leads import FolderCopy, KeptLeads, StoreCopy, list_key

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.request.lead_files import ReadablePath
    from airflow_provider_leadreset.runtime.base import BaseRun


class LeadSource:
    """The leads that one run of a task was given.

    :param run: the run.
    :param open_path: gives the path that an argument names, see :func:`.base.storage_path`.
    """

    def __init__(self, run: BaseRun, open_path: Callable[[str, str], ReadablePath]) -> None:
        self._run = run
        self._task = run.task
        self._open_path = open_path
        self._kept: KeptLeads | None = None
        self.calls = 0
        """Calls that it took to read the members of a list."""

    def leads(self) -> Leads:
        """Return the leads, each once.

        :raises InputError: they cannot be read, or are more than ``max_leads``.
        :raises LeadSquaredError: the members of a list cannot be had.
        """
        leads = self._from_list() if self._is_list else self._given()
        self.check_count(leads)
        if leads.rows > leads.count:
            self._run.log.info(
                "%s, %s: one that is named twice is taken once",
                pluralize(leads.rows, "row"),
                pluralize(leads.count, "lead"),
            )
        return leads

    def check_count(self, leads: Leads) -> None:
        """Refuse too many leads.

        :raises InputError: they are more than ``max_leads``, or than the rules of the connection allow to delete.
        """
        most = self._run.checked("max_leads", least=1)
        if leads.count <= most:
            if self._run.deletes:
                with self._run.naming_connection():
                    self._run.hook.settings.rules.check_leads(leads.count)
            return
        remedy = f"If all are meant, set max_leads={leads.count} or more"
        many = pluralize(leads.count, "lead")
        if self._is_list:
            raise InputError(
                f"the list {self._list_id} has {many}, more than max_leads={most} allows; no lead was touched. {remedy}"
            )
        raise InputError(f"{many} were given, more than max_leads={most} allows; no call was made. {remedy}")

    def describe_empty(self) -> str:
        """Return why there are no leads."""
        if self._task.plan is not NOT_GIVEN:
            return "the plan has none with records"
        if self._is_list:
            return f"the list {self._list_id} has no members"
        if self._task.prospect_ids_path is not NOT_GIVEN:
            return f"the file {quoted(str(self._task.prospect_ids_path))} names none"
        return "prospect_ids is an empty list"

    @property
    def path(self) -> str | None:
        """A file with the members of the list, for other tasks; None without one."""
        return self._kept.path if self._kept else None

    def forget(self) -> None:
        """Delete what only a retry would have needed."""
        if self._kept:
            self._kept.forget()

    @property
    def _is_list(self) -> bool:
        return self._task.list_id is not NOT_GIVEN

    @cached_property
    def _list_id(self) -> str:
        given = self._task.list_id
        return parse_guid(given.strip() if isinstance(given, str) else given, "list_id")

    @property
    def _field(self) -> object:
        """The argument ``prospect_id_field``; None where it was left out."""
        field = self._task.prospect_id_field
        return None if field is NOT_GIVEN else field

    def _given(self) -> Leads:
        path = self._task.prospect_ids_path
        if path is NOT_GIVEN:
            return Leads.parse(self._task.prospect_ids, self._field)
        uri = parse_uri("prospect_ids_path", path, "file")
        return Leads.from_file(self._open_path("prospect_ids_path", uri), self._field)

    def _place(self) -> KeptLeads | None:
        """Return where the members of the list are kept between tries; None if nowhere."""
        run, task = self._run, self._task
        if "ti" not in run.context:
            return None
        ti: Any = run.context["ti"]
        store: Any = run.context.get("task_state_store")
        # A preview gives one plan a run, whatever was cleared; a reset that is cleared starts anew.
        since = generation(run.context) if run.deletes else ""
        key = list_key(run.identity, run.account_text, self._list_id.lower(), since)
        if task.evidence_path is not NOT_GIVEN:
            return FolderCopy(run.evidence_in(task.evidence_path), key, ti.try_number, run.log)
        return None if store is None else StoreCopy(store, key, run.log)

    def _from_list(self) -> Leads:
        # The id first: what is no list is refused before the account is asked.
        list_id = self._list_id
        kept = self._place()
        self._kept = kept
        if kept and (leads := kept.read()):
            self._run.log.info(
                "The list %s was read by an earlier try of this run: %s",
                list_id,
                pluralize(leads.count, "lead"),
            )
            return leads
        before = self._run.client.limiter.calls
        self._run.tell_account()
        progress = self._run.progress
        on_page = ListProgress(progress, list_id) if progress else None
        self._run.log.info("Reading the list %s", list_id)
        leads = Leads.of(list_members(self._run.client, list_id, on_page))
        self.calls = self._run.client.limiter.calls - before
        self._run.log.info("The list %s has %s", list_id, pluralize(leads.count, "lead"))
        if kept and leads.count:
            kept.keep(leads)
        return leads
