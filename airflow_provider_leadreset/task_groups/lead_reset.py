"""LeadResetTaskGroup: the careful way in one piece, preview >> approve >> reset >> verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import BaseOperator, TaskGroup
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, describe_none
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_leadreset.compat import XComArg
    from airflow_provider_leadreset.leadsquared.sentinels import NotGiven
    from airflow_provider_leadreset.operators._arguments import (
        Codes,
        Flag,
        LeadIds,
        Names,
        Text,
        Value,
        WindowText,
    )

ALL_SUCCESS = "all_success"
"""The trigger rule of all tasks: under any other, a rejected approval may still run what follows (tried)."""

TYPED_DIGEST = "First 8 characters of the plan's digest"


class LeadResetTaskGroup(TaskGroup):
    """Preview, have a person approve, reset what was shown, and verify that the API no longer gives it.

    Four tasks: :attr:`preview` >> :attr:`approve` >> :attr:`reset` >> :attr:`verify`. The question stands under
    Required Actions (Airflow 3.1 and later). The approver reads what would go and types the first 8 characters of the
    plan's digest; the reset refuses an approval without them, or with others. Reject skips reset and verification. All
    four have the trigger rule ``all_success``, whatever ``default_args`` say: a rejected approval must run nothing.

    What is left out is left to ``default_args``, of the group or of the DAG: ``retries`` (give them: the approval needs
    them on Airflow 3.3, see the guide), ``poke_interval`` and ``timeout`` of the verification (a week, by Airflow's
    default), ``response_timeout``, ``notifiers`` and ``fail_on_reject`` of the approval. None is no value of any
    argument. To map it, put it into a ``@task_group`` and expand that: each index is approved by itself.

    :param group_id: prefix of the tasks' ids.
    :param archive: whether to copy the records to ``evidence_path`` before they go. Required: the approver is told.
    :param prospect_ids: (templated) as in :class:`.LeadResetOperator`, like all that follow up to
        ``leadsquared_conn_id``.
    :param prospect_ids_path: (templated)
    :param list_id: (templated)
    :param prospect_id_field: (templated)
    :param exclude: (templated) read when the reset runs, and again by the verification.
    :param activity_event_list: (templated)
    :param task_type_list: (templated)
    :param audit_activity_list: (templated)
    :param should_delete_prospect_notes: (templated)
    :param window: (templated)
    :param timezone: (templated)
    :param evidence_path: (templated) required: the plan is kept there.
    :param reason: (templated)
    :param skip_unmodified: whether the preview, and with it all that follows, leaves out leads that were not modified.
    :param max_plan_age: how long the approver may take.
    :param max_leads: of each task.
    :param max_records: of the reset.
    :param max_calls: of each try of the preview, and of the reset.
    :param max_failed_leads: of the reset.
    :param leadsquared_conn_id: (templated)
    :param names: whether the approver sees the leads' names, as in :class:`.LeadResetPreviewOperator`.
    :param pool: of the tasks that call LeadSquared; the approval calls nothing and is in ``default_pool``.
    :param pool_slots: of each of them.
    :param assigned_users: who may answer, as ApprovalOperator takes it: ``{"id": …, "name": …}``, one or a list.
    :param approve_with: makes the task that approves, in place of Airflow's ApprovalOperator, as below Airflow 3.1 it
        must: a function of the preview's output, such as a ``@task``, that returns the operator or its output. What
        its task returns is the ``approval`` of :class:`.LeadResetOperator`.
    :param prefix_group_id: TaskGroup's, like all that follow.
    :param default_args: of the tasks of this group.
    :param tooltip: in the graph.
    :param add_suffix_on_collision: whether a second group of this id gets a number.

    :raises ValueError: arguments are missing, exclude one another or are None; there is no ApprovalOperator and no
        ``approve_with``.
    :raises TypeError: ``approve_with`` made no task.
    """

    preview: LeadResetPreviewOperator
    approve: BaseOperator
    reset: LeadResetOperator
    verify: LeadResetSensor

    def __init__(
        self,
        group_id: str,
        *,
        archive: bool,
        prospect_ids: LeadIds = NOT_GIVEN,
        prospect_ids_path: Text = NOT_GIVEN,
        list_id: Text = NOT_GIVEN,
        prospect_id_field: Text = NOT_GIVEN,
        exclude: LeadIds = NOT_GIVEN,
        activity_event_list: Codes = NOT_GIVEN,
        task_type_list: Names = NOT_GIVEN,
        audit_activity_list: Names = NOT_GIVEN,
        should_delete_prospect_notes: Flag | NotGiven = NOT_GIVEN,
        window: WindowText = NOT_GIVEN,
        timezone: Value | NotGiven = NOT_GIVEN,
        evidence_path: Text = NOT_GIVEN,
        reason: Text = NOT_GIVEN,
        skip_unmodified: bool | NotGiven = NOT_GIVEN,
        max_plan_age: timedelta | NotGiven = NOT_GIVEN,
        max_leads: int | NotGiven = NOT_GIVEN,
        max_records: int | NotGiven = NOT_GIVEN,
        max_calls: int | NotGiven = NOT_GIVEN,
        max_failed_leads: int | NotGiven = NOT_GIVEN,
        leadsquared_conn_id: Value | NotGiven = NOT_GIVEN,
        names: bool | NotGiven = NOT_GIVEN,
        pool: str | NotGiven = NOT_GIVEN,
        pool_slots: int | NotGiven = NOT_GIVEN,
        assigned_users: Mapping[str, object] | Sequence[Mapping[str, object]] | NotGiven = NOT_GIVEN,
        approve_with: Callable[[Any], BaseOperator | XComArg] | NotGiven = NOT_GIVEN,
        prefix_group_id: bool = True,
        default_args: dict[str, Any] | None = None,
        tooltip: str = "",
        add_suffix_on_collision: bool = False,
    ) -> None:
        own_defaults: Any = default_args or {}
        super().__init__(
            group_id=group_id,
            prefix_group_id=prefix_group_id,
            default_args=own_defaults,
            tooltip=tooltip,
            add_suffix_on_collision=add_suffix_on_collision,
        )
        self._refuse_none(
            pool=pool, pool_slots=pool_slots, assigned_users=assigned_users, approve_with=approve_with
        )
        if approve_with is not NOT_GIVEN and assigned_users is not NOT_GIVEN:
            raise self._problem(
                "assigned_users is of Airflow's own approval: leave it out beside approve_with"
            )
        # Only what is given is passed on: a default of ours would win over default_args.
        everywhere = _given(
            max_leads=max_leads, leadsquared_conn_id=leadsquared_conn_id, pool=pool, pool_slots=pool_slots
        )
        everywhere["trigger_rule"] = ALL_SUCCESS
        asked = _given(
            prospect_ids=prospect_ids,
            prospect_ids_path=prospect_ids_path,
            list_id=list_id,
            prospect_id_field=prospect_id_field,
            activity_event_list=activity_event_list,
            task_type_list=task_type_list,
            audit_activity_list=audit_activity_list,
            should_delete_prospect_notes=should_delete_prospect_notes,
            window=window,
            timezone=timezone,
            names=names,
            skip_unmodified=skip_unmodified,
        )
        kept = _given(evidence_path=evidence_path)
        spent = _given(max_calls=max_calls)
        left_out = _given(exclude=exclude)
        guarded = _given(
            reason=reason,
            max_plan_age=max_plan_age,
            max_records=max_records,
            max_failed_leads=max_failed_leads,
        )
        with self:
            self.preview = LeadResetPreviewOperator(task_id="preview", **asked, **kept, **spent, **everywhere)
            if self.preview.evidence_path is NOT_GIVEN:
                raise self._problem("give an evidence_path: the plan that is approved is kept there")
            if approve_with is NOT_GIVEN:
                self.approve = self._question(_given(assigned_users=_as_list(assigned_users)))
                approval: Any = self.approve.output
            else:
                self.approve, approval = self._made(approve_with(self.preview.output))
            self.reset = LeadResetOperator(
                task_id="reset",
                plan=self.preview.output,
                approval=approval,
                archive=archive,
                skip_unmodified=False,  # the plan has none of the others, whatever default_args say
                **kept,
                **spent,
                **left_out,
                **guarded,
                **everywhere,
            )
            self.reset.approval_names_plan = approve_with is NOT_GIVEN
            # Waiting in a worker's slot would keep calls from others.
            self.verify = LeadResetSensor(
                task_id="verify", plan=self.preview.output, mode="reschedule", **left_out, **everywhere
            )
            self.preview >> self.approve >> self.reset >> self.verify

    def _question(self, users: dict[str, Any]) -> BaseOperator:
        """Return the task that asks a person.

        :raises ValueError: this Airflow has no such operator.
        """
        try:
            from airflow.providers.standard.operators.hitl import ApprovalOperator
            from airflow.sdk import Param
        except Exception as error:  # Airflow's own, of another kind in each version
            raise self._problem(
                "Airflow's ApprovalOperator asks a person from Airflow 3.1 on, with apache-airflow-providers-standard "
                "1.8 or later, and is not here. Give approve_with=, a function that makes the task whose output is the "
                'approval, such as {"approved": True, "by": "who"}'
            ) from error
        # What was approved is shown again at a retry. Empty is no slip of the form: who rejects types nothing.
        digest = Param(
            "",
            type=["null", "string"],
            title=TYPED_DIGEST,
            description="They stand at the end of the text. An approval without them resets nothing.",
        )
        shown = f"ti.xcom_pull(task_ids={self.preview.task_id!r}, map_indexes=ti.map_index)['markdown']"
        return ApprovalOperator(
            task_id="approve",
            subject="Ask LeadSquared to delete these records?",
            body="{{ " + shown + " }}",
            params={"digest": digest},
            trigger_rule=ALL_SUCCESS,
            pool="default_pool",
            pool_slots=1,
            execution_timeout=None,  # default_args' is meant for the tasks that call; this one waits for a person
            **users,
        )

    def _made(self, made: Any) -> tuple[BaseOperator, Any]:
        """Return the task that ``approve_with`` has made, and its output."""
        operator = getattr(made, "operator", made)
        output = getattr(made, "output", made)
        if not hasattr(operator, "task_id") or not hasattr(operator, "trigger_rule"):
            raise TypeError(
                f"task group {self.group_id}: approve_with gave {made!r}: return the task that approves, or its output"
            )
        rule = getattr(operator.trigger_rule, "value", operator.trigger_rule)
        if rule != ALL_SUCCESS:
            raise self._problem(
                f"approve_with made {operator.task_id} with trigger_rule={rule}, under which it may approve what no "
                f"preview has shown: set it to {ALL_SUCCESS} (default_args may hold another)"
            )
        return operator, output

    def _refuse_none(self, **given: object) -> None:
        if nothing := [name for name, value in given.items() if value is None]:
            raise self._problem(describe_none(*nothing))

    def _problem(self, text: str) -> ValueError:
        return ValueError(f"task group {self.group_id}: {text}")


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not NOT_GIVEN}


def _as_list(users: Any) -> Any:
    return list(users) if isinstance(users, (tuple, set)) else users
