"""The leads of ``exclude``: counted and told as excluded, and never called.

``exclude`` is read at each try. A lead asked for that it names is excluded from then on, whatever it names at a
later try, and whatever that is asked for: a retry must not delete what an earlier try was told to spare. Only a Clear
of the task begins anew. A lead that an earlier try has called stays as that try left it, and is not called again.
"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.progress import IndexSet
from airflow_provider_leadreset.leadsquared.request.guids import guid_key
from airflow_provider_leadreset.leadsquared.sentinels import NOT_GIVEN
from airflow_provider_leadreset.leadsquared.text import pluralize

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.batch.counts import BatchCounts
    from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
    from airflow_provider_leadreset.runtime.batch_record import BatchRecord
    from airflow_provider_leadreset.runtime.guarded_run import GuardedRun


def leave_out_excluded(run: GuardedRun, leads: Leads, counts: BatchCounts, spared: Set[bytes]) -> IndexSet:
    """Count the leads that are excluded, and say so.

    :param spared: keys of leads that earlier tries excluded which were asked for something else.
    :returns: the places of those that no earlier try of this request has excluded.
    """
    new, held, progress = IndexSet(), 0, counts.progress
    if run.task.exclude is not NOT_GIVEN or spared or progress.count("excluded") or progress.spared:
        for index, lead in enumerate(leads):
            named, known = lead in run.exclusions, progress.is_excluded(index)
            if not (named or known or (spared and guid_key(lead) in spared)):
                continue
            held += not named and (progress.is_unanswered(index) or not progress.has_outcome(index))
            if not known:
                progress.add(Outcome(index, lead, without_call="excluded"))
                new.add(index)
    if run.task.exclude is not NOT_GIVEN:
        run.log.info(
            "Excluded and not reset: %d of %s; exclude names %d",
            counts.of("excluded"),
            pluralize(leads.count, "lead"),
            len(run.exclusions),
        )
    if held:
        run.log.warning(
            "exclude named %s at an earlier try that it does not name now: excluded all the same, since a retry "
            "deletes no more than was allowed before. To reset them too, clear the task",
            pluralize(held, "lead"),
        )
    return new


def tell_excluded(record: BatchRecord, leads: Leads, new: IndexSet) -> None:
    """Have the excluded leads written down, part by part, so that each lead asked for has its outcome there.

    All of them at once: a try that is killed before its first call has told its retry whom to spare. Those too that
    stay as an earlier try left them.

    :param new: the places of those that no earlier try has excluded.
    """
    if not len(new):
        return
    if record.evidence:
        for index, lead in enumerate(leads):
            if index in new:
                record.tell(Outcome(index, lead, without_call="excluded"))
                record.evidence.journal.write_if_full()
    record.save()
