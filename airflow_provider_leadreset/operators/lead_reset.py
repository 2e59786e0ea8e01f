"""LeadResetOperator: resets leads from a DAG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_leadreset.compat import BaseOperator
from airflow_provider_leadreset.leadsquared.window import ENTIRE_HISTORY, EntireHistory

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context
    from airflow_provider_leadreset.operators.batch import ResetBatch

__all__ = ["ENTIRE_HISTORY", "LeadResetOperator"]


class LeadResetOperator(BaseOperator):
    """Delete chosen history of LeadSquared leads, in a window of time. **This cannot be undone.**

    Each lead is one call of ``LeadManagement.svc/Lead.Reset`` (documented), which queues the deletion;
    when LeadSquared carries it out is unknown. Values are checked after rendering and before the first
    call. A selector, a window or leads that render to nothing are an error, never "everything".

    Give exactly one of ``prospect_ids`` and ``prospect_ids_path``, and at least one of the four selectors.

    :param prospect_ids: (templated) lead ids, which are GUIDs: text with one or several, a list, or another
        task's output. Named twice: reset once. A real empty list skips the task.
    :param prospect_ids_path: (templated) file with lead ids, any ``ObjectStoragePath``: text, ``.csv`` with
        a ``ProspectID`` column, or ``.jsonl``; ``.gz`` too. Streamed; taken as it is, doubles included.
    :param activity_event_list: (templated) codes of custom activity events to delete.
    :param task_type_list: (templated) GUIDs of task types whose tasks to delete.
    :param audit_activity_list: (templated) ``"StageChange"`` and/or ``"OwnerChange"``.
    :param should_delete_prospect_notes: (templated) True, False, or exactly that text.
    :param window: (templated) ``start/end``, the end excluded; each side a date, optionally with time and
        offset; one side may be an ISO 8601 duration: ``"P30D/{{ data_interval_end }}"``. Or
        :data:`ENTIRE_HISTORY`. It must depend on the run, not on the clock, so that a retry deletes the same.
        That LeadSquared compares it with a record's CreatedOn is inferred, not documented.
    :param timezone: (templated) IANA name for dates and times without an offset.
    :param evidence_path: (templated) folder, any ``ObjectStoragePath``, for a report with one JSON line per
        call: ``dag/run/task/map index/try/report-00001.jsonl`` and so on. No file is ever written twice.
    :param max_leads: more leads than this are refused before the first call.
    :param max_failed_leads: the task fails when more leads than this failed.
    :param leadsquared_conn_id: the connection, see :class:`.LeadResetHook`.

    Returns a summary (XCom ``return_value``, pushed before a failing task raises, too): ``account`` (the API
    host), ``leads``, ``queued``, ``failed``, ``not_reached``, ``done_in_earlier_tries``, ``calls``,
    ``throttled``, ``seconds``, ``window`` (UTC text, usable as ``window`` again), ``sent`` (``FromDate`` and
    ``ToDate`` as sent), ``selectors``, ``failures`` (up to 100, ``prospect_id`` and ``error``), ``evidence``
    (this try's folder), ``stopped_because`` (None, or why leads were not reached). ``queued``, ``failed`` and
    ``not_reached`` add up to ``leads``.

    On Airflow 3.3 and later a retry goes on where the last try was, however that ended; a Clear starts anew.
    Before 3.3 a retry repeats all leads, which deletes nothing more but spends calls.

    :raises AirflowFailException: bad values; wrong keys, rights or host; only failures that a retry would
        repeat. Not retried.
    :raises AirflowException: outages and throttling, which a retry may get past.
    :raises AirflowSkipException: an empty list or file of leads.
    """

    template_fields: Sequence[str] = (
        "prospect_ids",
        "prospect_ids_path",
        "activity_event_list",
        "task_type_list",
        "audit_activity_list",
        "should_delete_prospect_notes",
        "window",
        "timezone",
        "evidence_path",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"prospect_ids": "json"}
    ui_color = "#f9d9d4"

    def __init__(
        self,
        *,
        window: str | EntireHistory,
        prospect_ids: str | Sequence[str | Sequence[str]] | None = None,
        prospect_ids_path: str | None = None,
        activity_event_list: Sequence[int] | str | None = None,
        task_type_list: Sequence[str] | str | None = None,
        audit_activity_list: Sequence[str] | str | None = None,
        should_delete_prospect_notes: bool | str = False,
        timezone: str = "UTC",
        evidence_path: str | None = None,
        max_leads: int = 10_000,
        max_failed_leads: int = 0,
        leadsquared_conn_id: str = "leadsquared_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (prospect_ids is None) == (prospect_ids_path is None):
            raise ValueError(
                "give exactly one of prospect_ids and prospect_ids_path (a task whose output is None gives neither)"
            )
        self.prospect_ids = prospect_ids
        self.prospect_ids_path = prospect_ids_path
        self.activity_event_list = activity_event_list
        self.task_type_list = task_type_list
        self.audit_activity_list = audit_activity_list
        self.should_delete_prospect_notes = should_delete_prospect_notes
        self.window = window
        self.timezone = timezone
        self.evidence_path = evidence_path
        self.max_leads = max_leads
        self.max_failed_leads = max_failed_leads
        self.leadsquared_conn_id = leadsquared_conn_id
        self._batch: ResetBatch | None = None
        # Set here, not given to super(): there it would win over default_args, and be lost in mapped tasks.
        if getattr(self, "retry_policy", self) is None:
            from airflow_provider_leadreset.operators.retry import LeadResetRetryPolicy

            self.retry_policy = LeadResetRetryPolicy()

    def execute(self, context: Context) -> dict[str, Any]:
        """Reset the leads; see the class."""
        from airflow_provider_leadreset.operators.batch import ResetBatch

        self._batch = ResetBatch(self, context)
        return self._batch.run()

    def on_kill(self) -> None:
        """Let no further call start. Calls on their way are still answered and counted."""
        if self._batch:
            self._batch.stop()

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        # Airflow calls this one for plain and for mapped tasks.
        import jinja2

        try:
            super()._do_render_template_fields(*args, **kwargs)
        except jinja2.UndefinedError as error:
            from airflow_provider_leadreset.compat import AirflowFailException

            raise AirflowFailException(
                f"A template of task {self.task_id} could not be rendered: {error}. A run started by hand or by an "
                "asset may have no data interval and no logical date: {{ dag_run.run_after }} is always there, "
                "for example window='P30D/{{ dag_run.run_after }}'"
            ) from None
