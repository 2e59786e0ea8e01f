"""A local LeadSquared: Reset a Lead and the calls around it, for demos and tests.

Run ``python -m airflow_provider_leadreset.emulator`` or, in a test::

    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

    with LeadSquaredEmulator() as lsq:
        lead_id = lsq.add_lead()
        lsq.add_activity(lead_id, 166, "2026-10-01 09:00:00")

It needs ``pip install 'airflow-provider-leadreset[emulator]'``, listens on 127.0.0.1 only, and keeps everything
in memory. Other processes drive it by JSON below ``/_emulator``, each call with the header ``X-Leadreset-Emulator:
control``, which no web page can send; what a page of another site sends (``Origin``) is refused.

**Nothing here was checked against a live LeadSquared account.** It follows LeadSquared's public documentation
and, where that is silent, what public code of others reports. It is good for testing how your DAGs behave, and no
proof of how LeadSquared does.

Where LeadSquared is not documented, or was seen to differ between accounts, a :class:`Dialect` says how the
emulator behaves: ``LeadSquaredEmulator(dialect={"page_cap": 200, "audits_shown": False})``, or ``--dialect
page_cap=200`` on the command line. Run your tests in more than one. Its defaults are guesses about

- what FromDate and ToDate compare with: a record's CreatedOn, tasks included (``activity_date``, ``task_date``,
  ``note_date``, ``audit_date``), both ends included (``from_included``, ``to_included``), fractions of a second
  compared (``fractions``)
- what a call that creates a record keeps of the moment (``fractions_kept``), how times are shown (``fractions_shown``),
  what an ActivityDateTime becomes (``activity_time_sets``), and that records can be changed (``update_calls``)
- that no accepted reset gets lost (``lost_resets``), and that reads show at once what was written (``replica_lag``)
- what an unknown lead does: an error (``unknown_lead``); unknown event codes and task types, and system activities,
  are accepted and ignored (``unknown_types``, ``system_events``)
- that audits are shown as activities 3001 and 3002 (``audits_shown``), and custom activities not twice
  (``mirror_rows``, ``mirrors_kept``)
- the names of ids and rows (``task_id_key``, ``lead_id_key``, ``notes_key``, ``key_check``), and that event types are
  told (``event_types_shown``)
- which paging fields count, and what they mean (``paging``, ``offset_means``), how large a page may be
  (``page_cap``, ``task_cap``), what follows the last one (``beyond_the_end``), and what a RecordCount counts
  (``counts``, ``note_counts``)
- that notes and activity types can be read at all (``notes_api``, ``types_api``)
- what moves a lead's LeadLastModifiedOn: activities, stage and owner, not notes, tasks and resets
  (``moves_last_modified``), of activities each event code (``still_events``); that it does at once
  (``last_modified_lag``) and is UTC (``last_modified_zone``), and that no automation changes leads beside
  (``automation_every``)
- what throttling and errors look like (``throttle_status``, ``throttle_text``, ``errors_as``).

No dialect changes these guesses:

- how long the queue takes (``queue_delay``), and that a reset deletes what is there when it is applied; that a call
  with one date only is accepted
- that a code which no type names is a custom activity from 100 on
- the answer to keys of a user who is no administrator, and to bad dates, GUIDs and audit names
- that the call limit's window slides, that it counts calls on arrival, reads included, and that neither rejected
  calls (``count_rejected``) nor calls with wrong keys use it up. Daily and bulk limits are not played at all
- the order of the reads, the meaning of the dates in ``Task.svc/Retrieve``, a few fields (each is listed, with its
  reason, in ``tests/unit/emulator/test_samples.py``) and all message texts but the two documented ones
- the sibling calls that delete activities, tasks, notes and histories are not there; dynamic lists have fixed members.

All paths and fields are matched exactly; the real API may be more lenient. Times are UTC throughout.
"""

from airflow_provider_leadreset.emulator.account.call_log import CallRecord
from airflow_provider_leadreset.emulator.dialect import Dialect
from airflow_provider_leadreset.emulator.server import LeadSquaredEmulator

__all__ = ["CallRecord", "Dialect", "LeadSquaredEmulator"]
