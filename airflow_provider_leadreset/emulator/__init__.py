"""A local LeadSquared: Reset a Lead and the calls around it, for demos and tests.

Run ``python -m airflow_provider_leadreset.emulator`` or, in a test::

    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

    with LeadSquaredEmulator() as lsq:
        lead_id = lsq.add_lead()
        lsq.add_activity(lead_id, 166, "2026-10-01 09:00:00")

It needs ``pip install 'airflow-provider-leadreset[emulator]'``, listens on 127.0.0.1 only, and keeps everything
in memory.

**Nothing here was checked against a live LeadSquared account.** It follows LeadSquared's public documentation
and, where that is silent, what public code of others reports. It is good for testing how your DAGs behave, and no
proof of how LeadSquared does. A guess is:

- that FromDate and ToDate compare with a record's CreatedOn (for tasks too), exactly, and include both ends
  (``bounds="from"`` leaves the end out); and that a call with one date only is accepted
- how long the queue takes (``queue_delay``), and that a reset deletes what is there when it is applied
- that an unknown lead is an error; it may be queued and ignored. Unknown event codes and task types are
  accepted and ignored here
- that event codes below 100 are the system activities a reset never deletes
- the answer to keys of a user who is no administrator, and to bad dates, GUIDs and audit names
- that the call limit's window slides, that it counts calls on arrival, reads included, and that neither rejected
  calls (``count_rejected``) nor calls with wrong keys use it up. Daily and bulk limits are not played at all
- what throttling looks like: three forms were reported (``throttle_as``)
- page numbers and order of the reads, the meaning of the dates in ``Task.svc/Retrieve``, the fields of
  ``GetActivityDetails``, of list and lead field answers, and all message texts but the two documented ones
- the sibling calls that delete activities, tasks, notes and histories are not there; neither are dynamic lists.

All paths and fields are matched exactly; the real API may be more lenient. Times are UTC throughout.
"""

from airflow_provider_leadreset.emulator.account.call_log import CallRecord
from airflow_provider_leadreset.emulator.server import LeadSquaredEmulator

__all__ = ["CallRecord", "LeadSquaredEmulator"]
