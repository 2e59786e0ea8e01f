"""LeadResetOperator asks for the deletion, LeadResetPreviewOperator counts what would go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from airflow_provider_leadreset.leadsquared.sentinels import ENTIRE_HISTORY, NOT_GIVEN, NotGiven
from airflow_provider_leadreset.links import EvidenceLink, LeadLink
from airflow_provider_leadreset.operators._arguments import (
    Approval,
    BaseOperatorArguments,
    Codes,
    Flag,
    LeadIds,
    Names,
    PlanOutput,
    Text,
    Value,
    WindowText,
)
from airflow_provider_leadreset.operators._selection import LEADS, LeadSelection

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context

__all__ = ["ENTIRE_HISTORY", "LeadResetOperator", "LeadResetPreviewOperator"]


class LeadResetOperator(LeadSelection):
    """Ask LeadSquared to delete chosen history of leads, in a window of time. **No undo is documented.**

    Each lead is one call of ``LeadManagement.svc/Lead.Reset`` (documented). LeadSquared only answers "queued"; when it
    carries that out is unknown: :class:`.LeadResetSensor` shows what the API no longer gives. Values are checked after
    rendering and before the first call. A selector, a window or leads that render to nothing are an error, never
    "everything".

    Give exactly one of ``prospect_ids``, ``prospect_ids_path`` and ``list_id``, at least one of the four selectors,
    and a ``window``; or a ``plan``, which says all three. None is no value of any argument: it is what a task gives
    that was skipped or returned nothing.

    :param prospect_ids: (templated) lead ids, which are GUIDs: text with one or several, a list of them or of rows
        (mappings) with an id in them, or another task's output. Named twice: reset once. A real empty list skips the
        task.
    :param prospect_ids_path: (templated) file with lead ids, any ``ObjectStoragePath``: text, ``.csv`` (separated by
        comma, semicolon, tab or ``|``), or ``.jsonl``; ``.gz`` too. Streamed. Named twice: reset once.
    :param list_id: (templated) GUID of a list of the CRM, whose members are reset. They are read once per run, whole,
        by the first try, and kept for its retries: in ``evidence_path``, or on Airflow 3.3 in the task's state. Before
        3.3 it needs one of ``evidence_path`` and ``retries=0``. LeadSquared's own lists are refused. A list without
        members skips the task.
    :param prospect_id_field: (templated) name of the column or key of the id. By default the one called ProspectID,
        LeadID or RelatedProspectID; blanks, underscores and letter case make no difference.
    :param exclude: (templated) leads that are never reset, such as those under a legal hold: ids, or the absolute URI
        of a file of them, both as above, their field by its usual names. Read at each try, with a plan too. A lead that
        one try was asked for and told to leave out stays so at its retries, until a Clear; one that it was not asked
        for does not. Of an empty list or file nobody is excluded; a file that is missing stops the task.
    :param activity_event_list: (templated) codes of custom activities to delete. Codes of system activities,
        which LeadSquared never deletes (documented), are not sent; alone they are refused. The account's list of
        types tells them apart, which takes one call. A code that it does not know is sent, and warned of.
    :param task_type_list: (templated) GUIDs of task types whose tasks to delete.
    :param audit_activity_list: (templated) ``"StageChange"`` and/or ``"OwnerChange"``.
    :param should_delete_prospect_notes: (templated) True, False, or exactly that text.
    :param window: (templated) ``start/end``, the end excluded; each side ``run_day``, ``run_moment``, or a date,
        optionally with time and offset; one side may be an ISO 8601 duration: ``"P30D/run_day"`` is the 30 whole days
        before the run's, in ``timezone``. Or :data:`ENTIRE_HISTORY`. ``run_moment`` is the end of the data interval of
        a scheduled or backfill run; the logical date of one by hand, by API or by a task, ``run_after`` where it has
        none; ``run_after`` of one made by assets (Airflow 2: the logical date). A retry and a Clear have the same.
        That LeadSquared compares it with a record's CreatedOn is inferred, not documented; the connection's
        ``account_check`` says what was found on this account, which never changes the dates that are sent.
    :param timezone: (templated) IANA name for dates and times without an offset.
    :param plan: (templated) a preview's output, ``plan=preview.output``: resets the leads that it found records
        of, with its selectors and window. Refused when it is not the one that was shown, of another account, made under
        another ``account_check``, or older than ``max_plan_age``. Each lead is read again first, and not reset when it
        has records that the plan does not show. Where the account check allows ``skip_unmodified``, a lead whose
        LeadLastModifiedOn is what it was for the plan is not read again.
    :param max_plan_age: how long ago the plan may have been made.
    :param approval: (templated) who said yes: the output of Airflow's ApprovalOperator, with exactly Approve and a
        person; or a mapping with ``approved`` being True and a ``by``, and whatever a ticket has to say; or several of
        them, of which each must be a yes. Text alone is none. Kept in the summary and as evidence. An answer more than
        a minute older than the plan is refused, and one whose param ``digest`` is not how the plan's digest begins.
        Leave it out where no approval is wanted.
    :param reason: (templated) why, for whoever asks in two years; at most 1,000 characters. Kept in the summary and as
        evidence.
    :param evidence_path: (templated) folder, any ``ObjectStoragePath``, for the journal, from which a retry continues:
        ``report/dag/run/task/map index/try-1/`` and so on. No lead is called before a closed file names it; no
        file is ever written twice.
    :param archive: whether to copy the records to ``evidence_path``, below ``archive/``, before they go: gzip JSON
        lines, a part for as many leads as are read and reset in some 20 s, closed before the first of them is reset.
        A lead that cannot be copied is not reset, one without records needs no reset. Audits are copied where the
        account shows them, attachments only by their address.
    :param skip_unmodified: whether to leave out leads that were not modified since the window began, which takes a call
        for 1,000 leads. Needs an ``account_check`` in the connection that is at most 90 days old and found, of each
        kind and event code asked for, that its creation moves LeadLastModifiedOn (UTC) and that CreatedOn decides;
        refused without it, with a plan and with :data:`ENTIRE_HISTORY`. A lead is left out if it was modified last
        more than 15 minutes before the window, and the window ended 15 minutes ago, or three times the lag that the
        check saw. 50 of these, at random, are read: one record in the window, and all leads are reset and the task
        fails. A retry looks at the leads anew.
    :param max_leads: more leads than this are refused before the first call.
    :param max_records: more records than this are refused before the first reset; they are counted first, at a retry
        those of the leads that are still to be reset.
        Audits count where the account shows them; where no lead shows any, it is refused together with them.
    :param max_calls: the most calls that one try makes, repetitions included: it guards the day's quota. A task that
        needs more at least is refused before the first (a retry: before it calls a lead, by what is left to do); one
        that comes to it stops, says what was not reached, and is not retried, since each retry would spend as many
        again.
    :param max_failed_leads: the task fails when more leads than this failed or are unanswered.
    :param leadsquared_conn_id: (templated) the connection, see :class:`.LeadResetHook`.

    Returns a summary (XCom ``return_value``, pushed before a failing task raises, too): ``account`` (the API
    host), ``leads``, and of them, adding up: ``queued``, ``failed`` (refused, or holding records that the plan does not
    show), ``unknown`` (the account has no such lead; counts as failed where none is known), ``unanswered`` (sent, not
    answered: it may have been carried out, a retry calls it again), ``nothing_to_reset`` (no record in the window, or
    not modified),
    ``excluded``, ``not_reached``; ``nothing_to_reset_by``, ``failed_by_reason``, ``done_in_earlier_tries``, ``calls``,
    ``throttled``, ``seconds``, ``window`` (UTC text, usable as ``window`` again), ``sent`` (``FromDate`` and
    ``ToDate`` as sent), ``selectors``, ``system_event_codes``, ``unknown_event_codes``, ``failures`` (up to 100,
    ``prospect_id``, ``outcome`` and ``error``), ``earlier_requests`` (None, or leads, outcomes and ``failures`` of
    earlier tries that were asked for something else: a lead that is unanswered there, and the same reset of it not
    queued since, counts as failed here), ``failed_path`` (a file of all in ``failures``, however many, without those
    that ``exclude`` names and those of ``earlier_requests``: usable as ``prospect_ids_path``), ``leads_path`` (a file
    with the members of the ``list_id``, for a sensor's ``prospect_ids_path``; None without an ``evidence_path``),
    ``approval``, ``reason``,
    ``evidence`` (this try's folder), ``evidence_digest`` (SHA-256 of the summary
    there, which has those of all files), ``stopped_because`` (None, or why leads were not reached), ``contradiction``
    (None, or why nothing was left out by ``skip_unmodified``). The events of
    ``outlets`` carry account, window, selectors and the outcomes as their extra.

    With an ``evidence_path``, and without one on Airflow 3.3 and later, a retry continues where the last try
    stopped, however that ended; a Clear starts anew. Else a retry repeats all leads, which only spends calls.

    :raises AirflowFailException: bad values; wrong keys, rights or host; only failures that a retry would
        repeat. Not retried.
    :raises AirflowException: what a retry may get past: outages, throttling, a connection that is not found.
    :raises AirflowSkipException: an empty list, file or CRM list of leads, or a plan with nothing to reset.
    """

    template_fields: Sequence[str] = (
        *LeadSelection.template_fields,
        "exclude",
        "list_id",
        "plan",
        "approval",
        "reason",
        "evidence_path",
    )
    _sources: ClassVar[tuple[str, ...]] = (*LEADS, "list_id")
    _not_templated: ClassVar[tuple[str, ...]] = (
        "max_plan_age",
        "archive",
        "skip_unmodified",
        "max_leads",
        "max_records",
        "max_calls",
        "max_failed_leads",
    )
    operator_extra_links = (LeadLink(), EvidenceLink())
    approval_names_plan = False
    """Whether the approver must have typed how the plan's digest begins; the task group sets it, which asks so."""

    def __init__(
        self,
        *,
        prospect_ids: LeadIds = NOT_GIVEN,
        prospect_ids_path: Text = NOT_GIVEN,
        list_id: Text = NOT_GIVEN,
        prospect_id_field: Text = NOT_GIVEN,
        exclude: LeadIds = NOT_GIVEN,
        activity_event_list: Codes = NOT_GIVEN,
        task_type_list: Names = NOT_GIVEN,
        audit_activity_list: Names = NOT_GIVEN,
        should_delete_prospect_notes: Flag = False,
        window: WindowText = NOT_GIVEN,
        timezone: Value = "UTC",
        plan: PlanOutput = NOT_GIVEN,
        max_plan_age: timedelta = timedelta(days=7),
        approval: Approval = NOT_GIVEN,
        reason: Text = NOT_GIVEN,
        evidence_path: Text = NOT_GIVEN,
        archive: bool = False,
        skip_unmodified: bool = False,
        max_leads: int = 10_000,
        max_records: int | NotGiven = NOT_GIVEN,
        max_calls: int | NotGiven = NOT_GIVEN,
        max_failed_leads: int = 0,
        leadsquared_conn_id: Value = "leadsquared_default",
        **kwargs: Unpack[BaseOperatorArguments],
    ) -> None:
        super().__init__(
            prospect_ids=prospect_ids,
            prospect_ids_path=prospect_ids_path,
            prospect_id_field=prospect_id_field,
            activity_event_list=activity_event_list,
            task_type_list=task_type_list,
            audit_activity_list=audit_activity_list,
            should_delete_prospect_notes=should_delete_prospect_notes,
            window=window,
            timezone=timezone,
            max_leads=max_leads,
            leadsquared_conn_id=leadsquared_conn_id,
            **kwargs,
        )
        self.exclude = exclude
        self.plan = plan
        self.max_plan_age = max_plan_age
        self.approval = approval
        self.reason = reason
        self.list_id = list_id
        self.evidence_path = evidence_path
        self.archive = archive
        self.skip_unmodified = skip_unmodified
        self.max_records = max_records
        self.max_calls = max_calls
        self.max_failed_leads = max_failed_leads
        self._settle_arguments()

    def argument_problem(self) -> str | None:
        """Return what is wrong with the arguments as such; an archive needs a place."""
        problem = super().argument_problem() or self.flag_problem("archive") or self._skipping_problem()
        if not problem and self.archive and self.evidence_path is NOT_GIVEN:
            return "archive=True needs an evidence_path to copy the records to"
        return problem

    def execute(self, context: Context) -> dict[str, Any]:
        """Reset the leads; see the class."""
        from airflow_provider_leadreset.runtime.reset_run import ResetRun

        run = self._run = ResetRun(self, context)
        return run.run()


class LeadResetPreviewOperator(LeadSelection):
    """Count what a reset would ask LeadSquared to delete, and delete nothing.

    Takes the same leads, selectors and window as :class:`LeadResetOperator`. Activities, tasks and notes are read
    and counted by when they were created; that LeadSquared compares the window with that is inferred, and every
    preview says so. With the connection's ``account_check`` they are counted by the date that was found to decide.
    Audits are read as the activities 3001 and 3002; where no lead shows any, they are named as not countable, never as
    0. A task whose type cannot be found out counts as matching. A table goes to the task's log, the leads with most
    records among its lines; times are in ``timezone``, or in the DAG's where that is UTC.

    :param prospect_ids: (templated) as in :class:`LeadResetOperator`, like all that follow.
    :param prospect_ids_path: (templated)
    :param list_id: (templated)
    :param prospect_id_field: (templated)
    :param activity_event_list: (templated)
    :param task_type_list: (templated)
    :param audit_activity_list: (templated)
    :param should_delete_prospect_notes: (templated)
    :param window: (templated)
    :param timezone: (templated)
    :param evidence_path: (templated) folder for a plan: which records of which leads are to go. Written once a
        run: a preview that runs again in the same run gives the same plan again, so that what was approved goes.
    :param names: whether ``markdown`` has the names of the leads that it lists, which takes one call more. They are
        then kept wherever it is: in XCom, in the approval's question, and with an ``evidence_path`` in the plan and in
        what the reset keeps as shown, below ``report/``. The log never has them.
    :param skip_unmodified: whether not to read leads that were not modified since the window began; as in
        :class:`LeadResetOperator`. With a record found against it, all are counted, no plan is made, and the task
        fails.
    :param max_leads: more leads than this are refused before the first call.
    :param max_calls: the most calls that one try makes; as in :class:`LeadResetOperator`.
    :param leadsquared_conn_id: (templated) the connection.

    Returns ``account``, ``leads``, ``unknown_leads`` (ids that the account does not have, up to 1,000),
    ``not_modified`` (how many leads were not read, by ``skip_unmodified``),
    ``totals`` (``activities``, ``tasks``, ``notes``, and ``audits``: None where no lead shows any),
    ``system_event_codes`` (LeadSquared's own: never deleted, not sent), ``unknown_event_codes``,
    ``window`` (UTC text), ``selectors``,
    ``markdown`` (for whoever approves: what would go, of which leads, whether the DAG's reset keeps a copy, its calls
    and time, how the digest begins), ``plan`` and ``digest`` (None without ``evidence_path``). As
    ``plan=preview.output`` it is what the reset and the sensor take.

    :raises AirflowFailException: as :class:`LeadResetOperator`.
    :raises AirflowSkipException: an empty list, file or CRM list of leads.
    """

    template_fields: Sequence[str] = (*LeadSelection.template_fields, "list_id", "evidence_path")
    _sources: ClassVar[tuple[str, ...]] = (*LEADS, "list_id")
    _not_templated: ClassVar[tuple[str, ...]] = ("names", "skip_unmodified", "max_leads", "max_calls")
    operator_extra_links = (LeadLink(), EvidenceLink())

    def __init__(
        self,
        *,
        prospect_ids: LeadIds = NOT_GIVEN,
        prospect_ids_path: Text = NOT_GIVEN,
        list_id: Text = NOT_GIVEN,
        prospect_id_field: Text = NOT_GIVEN,
        activity_event_list: Codes = NOT_GIVEN,
        task_type_list: Names = NOT_GIVEN,
        audit_activity_list: Names = NOT_GIVEN,
        should_delete_prospect_notes: Flag = False,
        window: WindowText = NOT_GIVEN,
        timezone: Value = "UTC",
        evidence_path: Text = NOT_GIVEN,
        names: bool = False,
        skip_unmodified: bool = False,
        max_leads: int = 10_000,
        max_calls: int | NotGiven = NOT_GIVEN,
        leadsquared_conn_id: Value = "leadsquared_default",
        **kwargs: Unpack[BaseOperatorArguments],
    ) -> None:
        super().__init__(
            prospect_ids=prospect_ids,
            prospect_ids_path=prospect_ids_path,
            prospect_id_field=prospect_id_field,
            activity_event_list=activity_event_list,
            task_type_list=task_type_list,
            audit_activity_list=audit_activity_list,
            should_delete_prospect_notes=should_delete_prospect_notes,
            window=window,
            timezone=timezone,
            max_leads=max_leads,
            leadsquared_conn_id=leadsquared_conn_id,
            **kwargs,
        )
        self.list_id = list_id
        self.evidence_path = evidence_path
        self.names = names
        self.skip_unmodified = skip_unmodified
        self.max_calls = max_calls
        self._settle_arguments()

    def argument_problem(self) -> str | None:
        """Return what is wrong with the arguments as such; see the base class."""
        return super().argument_problem() or self.flag_problem("names") or self._skipping_problem()

    def execute(self, context: Context) -> dict[str, Any]:
        """Count; see the class."""
        from airflow_provider_leadreset.runtime.preview_run import PreviewRun

        run = self._run = PreviewRun(self, context)
        return run.run()
