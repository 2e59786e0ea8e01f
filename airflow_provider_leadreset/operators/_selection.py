"""Which leads, what of them, and when: the arguments that the operators and the sensor share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from airflow_provider_leadreset.compat import BaseOperator, is_mapped
from airflow_provider_leadreset.leadsquared.sentinels import (
    ENTIRE_HISTORY,
    NOT_GIVEN,
    NotGiven,
    describe_none,
)
from airflow_provider_leadreset.operators._arguments import (
    Codes,
    Flag,
    LeadIds,
    Names,
    PlanOutput,
    Text,
    Value,
    WindowText,
)

SELECTORS = (
    "activity_event_list",
    "task_type_list",
    "audit_activity_list",
    "should_delete_prospect_notes",
)
LEADS = ("prospect_ids", "prospect_ids_path")


class LeadSelection(BaseOperator):
    """Keeps the arguments as given; values are checked when the task runs, after templates were rendered.

    What can be told without the values is told when the DAG loads: arguments that are missing, that exclude one
    another, or are None. Of a mapped task the arguments are known when it runs only.
    """

    template_fields: Sequence[str] = (
        *LEADS,
        "prospect_id_field",
        *SELECTORS,
        "window",
        "timezone",
        "leadsquared_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"prospect_ids": "json", "plan": "json"}
    ui_color = "#f9d9d4"
    _not_templated: ClassVar[tuple[str, ...]] = ("max_leads",)
    """Further arguments for which None is no value."""

    _sources: ClassVar[tuple[str, ...]] = LEADS
    """The arguments of which one says which leads."""

    plan: PlanOutput = NOT_GIVEN
    skip_unmodified: bool = False
    max_calls: int | NotGiven = NOT_GIVEN
    list_id: Text = NOT_GIVEN
    evidence_path: Text = NOT_GIVEN

    def __init__(
        self,
        *,
        prospect_ids: LeadIds,
        prospect_ids_path: Text,
        prospect_id_field: Text,
        activity_event_list: Codes,
        task_type_list: Names,
        audit_activity_list: Names,
        should_delete_prospect_notes: Flag,
        window: WindowText,
        timezone: Value,
        max_leads: int,
        leadsquared_conn_id: Value,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prospect_ids = prospect_ids
        self.prospect_ids_path = prospect_ids_path
        self.prospect_id_field = prospect_id_field
        self.activity_event_list = activity_event_list
        self.task_type_list = task_type_list
        self.audit_activity_list = audit_activity_list
        self.should_delete_prospect_notes: Flag | NotGiven = should_delete_prospect_notes
        self.window = window
        self.timezone: Value | NotGiven = timezone
        self.max_leads = max_leads
        self.leadsquared_conn_id = leadsquared_conn_id
        self.stop_asked = False
        """Whether Airflow has asked this task to end; it may do so before there is a run."""
        self._run: Any = None
        # Set here, not given to super(): there it would win over default_args, and be lost in mapped tasks.
        if hasattr(self, "retry_policy") and self.retry_policy is None:
            from airflow_provider_leadreset.runtime.retry_policy import LeadResetRetryPolicy

            self.retry_policy = LeadResetRetryPolicy()

    def on_kill(self) -> None:
        """Let no further call start. Calls on their way are still answered and counted."""
        self.stop_asked = True
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

    def argument_problem(self) -> str | None:
        """Return what is wrong with the arguments as such, whatever their values; None if nothing is.

        Asked when the DAG loads, and again when the task runs: then what a task gave that was skipped is None.
        """
        nothing = [
            name for name in (*self.template_fields, *self._not_templated) if getattr(self, name) is None
        ]
        if nothing:
            return describe_none(*nothing)
        leads = [name for name in self._sources if getattr(self, name) is not NOT_GIVEN]
        if self.plan is not NOT_GIVEN:
            return self._beside_a_plan(leads)
        if len(leads) != 1:
            plan = ", or a plan" if "plan" in self.template_fields else ""
            *sources, last = self._sources
            return f"give exactly one of {', '.join(sources)} and {last}{plan}"
        if self.window is NOT_GIVEN:
            return "give a window, such as 'P30D/run_day': there is no default"
        if all(getattr(self, name) in (NOT_GIVEN, False) for name in SELECTORS):
            lists = ", ".join(SELECTORS[:3])
            return f"nothing to delete was named: give at least one of {lists} or {SELECTORS[3]}=True"
        return self._beside_a_list() if leads == ["list_id"] else None

    def _beside_a_list(self) -> str | None:
        if self.prospect_id_field is not NOT_GIVEN:
            return "prospect_id_field names a column of a file or a key of rows, and a list has neither: leave it out"
        keeps_state = hasattr(self, "retry_policy")  # both came with Airflow 3.3
        if self.retries and self.evidence_path is NOT_GIVEN and not keeps_state:
            return (
                f"list_id with retries={self.retries} needs an evidence_path before Airflow 3.3: a retry must have the "
                "leads that the first try read, and they are kept there. Give one, or retries=0"
            )
        return None

    def _skipping_problem(self) -> str | None:
        """Return why unmodified leads cannot be left out, whatever the values are; None for no reason."""
        if problem := self.flag_problem("skip_unmodified"):
            return problem
        if self.skip_unmodified and self.plan is not NOT_GIVEN:
            return (
                "skip_unmodified=True beside a plan says nothing: the plan names the leads. Give it to the preview "
                "that makes the plan, and leave it out here"
            )
        if self.skip_unmodified and self.window is ENTIRE_HISTORY:
            return (
                "skip_unmodified=True with ENTIRE_HISTORY leaves no lead out: each was modified since its creation. "
                "Leave it out, or give a shorter window"
            )
        return None

    def flag_problem(self, name: str) -> str | None:
        """Return what is wrong with an argument that is neither True nor False: any text would count as true."""
        value = getattr(self, name)
        return None if isinstance(value, bool) else f"{name} is {value!r}: give True or False"

    def _beside_a_plan(self, leads: list[str]) -> str | None:
        # A time zone may stand there: it is what default_args are for, and beside a plan it decides nothing.
        others = [
            *leads,
            *(
                name
                for name in ("prospect_id_field", *SELECTORS, "window")
                if getattr(self, name) not in (NOT_GIVEN, False)
            ),
        ]
        if others:
            return f"a plan says which leads, what and when: leave out {', '.join(others)} (in default_args, too)"
        return None

    def _settle_arguments(self) -> None:
        """Refuse what cannot be meant; to be called at the end of each ``__init__``.

        :raises ValueError: see :meth:`argument_problem`. Never of a mapped task: it is made by the worker, which would
            retry that.
        """
        problem = self.argument_problem()
        if problem and not is_mapped(self):
            raise ValueError(f"task {self.task_id}: {problem}")
        if not problem and self.plan is not NOT_GIVEN:
            # Under Rendered Templates they would contradict the plan.
            self.should_delete_prospect_notes = NOT_GIVEN
            self.timezone = NOT_GIVEN

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        # Airflow calls this one for plain and for mapped tasks; here field by field, so that an error can name it.
        for name in template_fields:
            try:
                super()._do_render_template_fields(parent, (name,), *args, **kwargs)
            except Exception as error:
                from airflow_provider_leadreset.runtime.template_errors import template_error

                told = template_error(self.task_id, name, getattr(parent, name, None), error)
                if told is None:
                    raise
                raise told from None
