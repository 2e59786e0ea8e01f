"""LeadResetSensor: true once nothing is left of what was to be reset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from airflow_provider_leadreset.compat import BaseSensorOperator
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN, NotGiven
from airflow_provider_leadreset.operators._arguments import (
    BaseOperatorArguments,
    Codes,
    Flag,
    LeadIds,
    Names,
    PlanOutput,
    Seconds,
    Text,
    Value,
    WindowText,
)
from airflow_provider_leadreset.operators._selection import LeadSelection

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context, PokeReturnValue
    from airflow_provider_leadreset.leadsquared.safety.verification import Verification


class LeadResetSensor(LeadSelection, BaseSensorOperator):
    """Wait until the API no longer gives what a reset was to delete. Reads only.

    Give ``plan=preview.output``: it is verified by the ids of the records that the plan shows. Or give the same leads,
    selectors and window as to the reset: it is verified once none of them has a matching record in the window. It says
    that the API no longer gives the records, never more. Once the lists of a lead give none of a plan's records, a few
    of its activities are also asked for by their ids; a mirror row under the id of another is none of them. Audits are
    read as the activities 3001 and 3002; where no lead shows any, they are named as unverifiable, and audits alone are
    then an error. A lead that the account does not have, or has merged into another, fails the task at once: nothing
    can be said of its records.

    A plain Airflow sensor: ``mode``, ``poke_interval``, ``timeout``, ``soft_fail`` are Airflow's. Each poke reads
    only leads that are not done yet; on Airflow before 3.3 in ``mode="reschedule"`` each poke reads all again. A
    poke that fails for an outage is repeated at the next. Each poke logs leads and what is left; the last of them says
    what was left at a time-out. What a person must mend fails the task under ``soft_fail`` and ``never_fail`` too.

    :param prospect_ids: (templated) as in :class:`.LeadResetOperator`, like all that follow.
    :param prospect_ids_path: (templated) of a reset of a ``list_id``: its XCom's ``leads_path``.
    :param prospect_id_field: (templated)
    :param exclude: (templated) leads that the reset was told to leave alone: they are not verified. Read at each poke.
    :param activity_event_list: (templated)
    :param task_type_list: (templated)
    :param audit_activity_list: (templated)
    :param should_delete_prospect_notes: (templated)
    :param window: (templated)
    :param timezone: (templated)
    :param plan: (templated) a preview's output.
    :param max_leads: more leads than this are refused before the first call.
    :param accept_unknown_leads: whether leads that the account does not have count as done. Without a plan it must
        have one of them at least, or the connection may lead to another account.
    :param leadsquared_conn_id: (templated) the connection.
    :param poke_interval: Airflow's, like all that follow: between two pokes.
    :param timeout: for all pokes together.
    :param soft_fail: whether a time-out skips the task; not one at which LeadSquared could not be read.
    :param mode: ``"poke"`` or ``"reschedule"``.
    :param exponential_backoff: whether each wait is longer than the one before.
    :param max_wait: between two pokes, at most.
    :param silent_fail: whether a poke that raises is followed by another.
    :param never_fail: whether a poke that raises skips the task.

    Returns ``account``, ``leads``, ``leads_done``, ``excluded``, ``records`` and ``gone`` (how many of how many the API
    no longer gives; None without a plan, which alone knows), ``left`` (up to 20 leads with their records' ids),
    ``unverifiable`` (texts: audits of an account that shows none, tasks still there whose type nothing tells),
    ``unknown_leads`` (accepted).

    :raises AirflowFailException: bad values, wrong keys, rights or host, unknown leads, audits alone that are not
        shown.
    :raises AirflowSkipException: an empty list or file of leads.
    :raises AirflowSensorTimeout: something is still there at ``timeout``.
    """

    template_fields: Sequence[str] = (*LeadSelection.template_fields, "exclude", "plan")
    _not_templated: ClassVar[tuple[str, ...]] = ("max_leads", "accept_unknown_leads")

    def __init__(
        self,
        *,
        prospect_ids: LeadIds = NOT_GIVEN,
        prospect_ids_path: Text = NOT_GIVEN,
        prospect_id_field: Text = NOT_GIVEN,
        exclude: LeadIds = NOT_GIVEN,
        activity_event_list: Codes = NOT_GIVEN,
        task_type_list: Names = NOT_GIVEN,
        audit_activity_list: Names = NOT_GIVEN,
        should_delete_prospect_notes: Flag = False,
        window: WindowText = NOT_GIVEN,
        timezone: Value = "UTC",
        plan: PlanOutput = NOT_GIVEN,
        max_leads: int = 10_000,
        accept_unknown_leads: bool = False,
        leadsquared_conn_id: Value = "leadsquared_default",
        poke_interval: Seconds = NOT_GIVEN,
        timeout: Seconds = NOT_GIVEN,
        soft_fail: bool | NotGiven = NOT_GIVEN,
        mode: Literal["poke", "reschedule"] | NotGiven = NOT_GIVEN,
        exponential_backoff: bool | NotGiven = NOT_GIVEN,
        max_wait: timedelta | float | NotGiven | None = NOT_GIVEN,
        silent_fail: bool | NotGiven = NOT_GIVEN,
        never_fail: bool | NotGiven = NOT_GIVEN,
        **kwargs: Unpack[BaseOperatorArguments],
    ) -> None:
        # Named for editors and YAML factories. A default of ours would win over `[sensors] default_timeout`.
        airflows: dict[str, Any] = {
            "poke_interval": poke_interval,
            "timeout": timeout,
            "soft_fail": soft_fail,
            "mode": mode,
            "exponential_backoff": exponential_backoff,
            "max_wait": max_wait,
            "silent_fail": silent_fail,
            "never_fail": never_fail,
        }
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
            **{name: value for name, value in airflows.items() if value is not NOT_GIVEN},
            **kwargs,
        )
        self.exclude = exclude
        self.plan = plan
        self.accept_unknown_leads = accept_unknown_leads
        # What was verified at earlier pokes in this process, and for which request.
        self.last_verification: tuple[str, Verification] | None = None
        self._may_skip: tuple[bool, bool] | None = None
        self.told_first_lines = False
        """Whether the log says by now what this task is about."""
        self._settle_arguments()

    def argument_problem(self) -> str | None:
        """Return what is wrong with the arguments as such."""
        return super().argument_problem() or self.flag_problem("accept_unknown_leads")

    def poke(self, context: Context) -> PokeReturnValue:
        """Poke once; see the class."""
        from airflow_provider_leadreset.compat import AirflowFailException
        from airflow_provider_leadreset.exceptions import LeadResetFailedError
        from airflow_provider_leadreset.runtime.verification_run import VerificationRun

        run = self._run = VerificationRun(self, context)
        asked = self._may_skip = self._may_skip or (self.soft_fail, self.never_fail)
        try:
            poked = run.verify(self)
        except LeadResetFailedError as error:
            if self.never_fail:
                self.log.warning("This poke failed, and under never_fail that skips the task: %s", error)
            raise
        except AirflowFailException:
            # Airflow would make a skip of it, which nobody looks at (tried on 2.11 and 3.3).
            self.soft_fail = self.never_fail = False
            raise
        # Nor may a time-out be one, as long as nothing can be read: that says nothing of the records.
        self.soft_fail, self.never_fail = (False, False) if run.failed else asked
        return poked
