"""LeadResetSensor: true once nothing is left of what was to be reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_leadreset.compat import BaseSensorOperator
from airflow_provider_leadreset.operators._selection import LeadSelection

if TYPE_CHECKING:
    from airflow_provider_leadreset.compat import Context, PokeReturnValue
    from airflow_provider_leadreset.leadsquared.safety.verification import Verification


class LeadResetSensor(LeadSelection, BaseSensorOperator):
    """Wait until what a reset was to delete is gone. Reads only.

    Give ``plan=preview.output``: it is verified by the ids of the records that the plan shows. Or give the same leads,
    selectors and window as to the reset: it is verified once none of them has a matching record in the window. It says
    that LeadSquared no longer gives the records, never more. Audits are read as the activities 3001 and 3002; where no
    lead shows any, they are named as unverifiable, and audits alone are then an error. A lead that the account does
    not have, or has merged into another, fails the task at once: nothing can be said of its records.

    A plain Airflow sensor: ``mode``, ``poke_interval``, ``timeout``, ``soft_fail`` are Airflow's. Each poke reads
    only leads that are not done yet; on Airflow before 3.3 in ``mode="reschedule"`` each poke reads all again. A
    poke that fails for an outage is repeated at the next; on timeout the error names leads and what is left.

    :param prospect_ids: (templated) as in :class:`.LeadResetOperator`, like all that follow.
    :param prospect_ids_path: (templated)
    :param activity_event_list: (templated)
    :param task_type_list: (templated)
    :param audit_activity_list: (templated)
    :param should_delete_prospect_notes: (templated)
    :param window: (templated)
    :param timezone: (templated)
    :param plan: (templated) a preview's output.
    :param max_leads: more leads than this are refused before the first call.
    :param accept_unknown_leads: whether leads that the account does not have count as done.
    :param leadsquared_conn_id: the connection.

    Returns ``account``, ``leads``, ``leads_done``, ``records`` and ``gone`` (how many of how many; None without a
    plan, which alone knows), ``left`` (up to 20 leads with their records' ids), ``unverifiable`` (texts:
    audits of an account that shows none, tasks still there whose type nothing tells), ``unknown_leads`` (accepted).

    :raises AirflowFailException: bad values, wrong keys, rights or host, unknown leads, audits alone that are not
        shown.
    :raises AirflowSkipException: an empty list or file of leads.
    :raises AirflowSensorTimeout: something is still there at ``timeout``.
    """

    def __init__(self, *, accept_unknown_leads: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.accept_unknown_leads = accept_unknown_leads
        # What was verified at earlier pokes in this process, and for which request.
        self.last_verification: tuple[str, Verification] | None = None

    def poke(self, context: Context) -> PokeReturnValue:
        """Poke once; see the class."""
        from airflow_provider_leadreset.runtime.verification_run import VerificationRun

        run = self._run = VerificationRun(self, context)
        return run.verify(self)

    def execute(self, context: Context) -> Any:
        """Poke until it is gone; see the class."""
        from airflow_provider_leadreset.compat import AirflowSensorTimeout

        try:
            return super().execute(context)
        except AirflowSensorTimeout as error:
            left = (
                self.last_verification[1].describe_remaining()
                if self.last_verification
                else "nothing was read"
            )
            raise AirflowSensorTimeout(f"{error} {left}") from None
