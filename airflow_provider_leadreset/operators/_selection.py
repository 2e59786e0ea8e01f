"""Which leads, what of them, and when: the arguments that the operators and the sensor share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow_provider_leadreset.compat import BaseOperator
from airflow_provider_leadreset.leadsquared.sentinels import EntireHistory

SELECTORS = (
    "activity_event_list",
    "task_type_list",
    "audit_activity_list",
    "should_delete_prospect_notes",
)


class LeadSelection(BaseOperator):
    """Keeps the arguments as given; they are checked when the task runs, after templates were rendered."""

    template_fields: Sequence[str] = (
        "prospect_ids",
        "prospect_ids_path",
        *SELECTORS,
        "window",
        "timezone",
        "plan",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"prospect_ids": "json", "plan": "json"}
    ui_color = "#f9d9d4"

    def __init__(
        self,
        *,
        prospect_ids: str | Sequence[str | Sequence[str]] | None = None,
        prospect_ids_path: str | None = None,
        activity_event_list: Sequence[int] | str | None = None,
        task_type_list: Sequence[str] | str | None = None,
        audit_activity_list: Sequence[str] | str | None = None,
        should_delete_prospect_notes: bool | str = False,
        window: str | EntireHistory | None = None,
        timezone: str = "UTC",
        plan: Any = None,
        max_leads: int = 10_000,
        leadsquared_conn_id: str = "leadsquared_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prospect_ids = prospect_ids
        self.prospect_ids_path = prospect_ids_path
        self.activity_event_list = activity_event_list
        self.task_type_list = task_type_list
        self.audit_activity_list = audit_activity_list
        self.should_delete_prospect_notes = should_delete_prospect_notes
        self.window = window
        self.timezone = timezone
        self.plan = plan
        self.max_leads = max_leads
        self.leadsquared_conn_id = leadsquared_conn_id
        self._check_what_was_passed()
        self._run: Any = None
        # Set here, not given to super(): there it would win over default_args, and be lost in mapped tasks.
        if hasattr(self, "retry_policy") and self.retry_policy is None:
            from airflow_provider_leadreset.runtime.retry_policy import LeadResetRetryPolicy

            self.retry_policy = LeadResetRetryPolicy()

    def on_kill(self) -> None:
        """Let no further call start. Calls on their way are still answered and counted."""
        if self._run:
            self._run.stop()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return what OpenLineage's provider asks for, where that is installed; see :mod:`.lineage`."""
        from airflow_provider_leadreset.lineage import lineage_of

        del task_instance
        return lineage_of(self._run)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Return the same for a task that failed: as far as it came."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def _check_what_was_passed(self) -> None:
        leads = [name for name in ("prospect_ids", "prospect_ids_path") if getattr(self, name) is not None]
        if self.plan is None:
            if len(leads) != 1:
                raise ValueError(
                    "give exactly one of prospect_ids and prospect_ids_path, or a plan (a task whose output is "
                    "None gives none of them)"
                )
            if self.window is None:
                raise ValueError(
                    "give a window, such as 'P30D/{{ data_interval_end }}': without one nothing is reset"
                )
            return
        others = [
            *leads,
            *(name for name in (*SELECTORS, "window") if getattr(self, name) not in (None, False)),
            *(["timezone"] if self.timezone != "UTC" else []),
        ]
        if others:
            raise ValueError(f"a plan says which leads, what and when: leave out {', '.join(others)}")

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        # Airflow calls this one for plain and for mapped tasks.
        import jinja2

        try:
            super()._do_render_template_fields(*args, **kwargs)
        except jinja2.UndefinedError as error:
            from airflow_provider_leadreset.compat import AirflowFailException

            text = f"A template of task {self.task_id} could not be rendered: {error}"
            if any(name in text for name in ("'data_interval_", "'logical_date'", "'ds", "'ts")):
                text += (
                    ". On Airflow 3, a run started by hand, the command line or an asset may have no data interval and "
                    "no logical date, and dag_run.run_after is always there: end a window of whole local days at "
                    "{{ (data_interval_end | default(dag_run.run_after, true)).astimezone(dag.timezone).date() }}"
                )
            raise AirflowFailException(text) from None
