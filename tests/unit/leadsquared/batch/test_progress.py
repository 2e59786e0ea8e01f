from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.leadsquared.batch.progress import MOST_STORED, IndexSet, Progress, fingerprint
from airflow_provider_leadreset.leadsquared.errors import (
    LeadRejectedError,
    MaxCallsError,
    ResponseTooLargeError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@given(st.lists(st.integers(0, 60)))
def test_index_set_spans(numbers):
    """An index set holds what was added, in as few spans as possible."""
    indices = IndexSet()
    for number in numbers:
        indices.add(number)
    wanted = set(numbers)
    assert len(indices) == len(wanted)
    assert [number for number in range(62) if number in indices] == sorted(wanted)
    spans = indices.spans()
    assert all(start < end for start, end in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    again = IndexSet(json.loads(json.dumps(spans)))
    assert (again.spans(), len(again)) == (spans, len(wanted))


def in_doubt(message="no answer"):
    error = UnavailableError(message)
    error.in_doubt = True
    return error


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30))))
def test_index_set_discard(steps):
    """An index set loses what is taken out, and nothing else."""
    indices, wanted = IndexSet(), set()
    for adds, number in steps:
        (indices.add if adds else indices.discard)(number)
        (wanted.add if adds else wanted.discard)(number)
    assert {number for number in range(32) if number in indices} == wanted
    assert len(indices) == len(wanted)
    assert all(start < end for start, end in indices.spans())


def test_progress_keeps_final_outcomes():
    """Progress keeps what is final or unanswered, and forgets what only failed in passing."""
    progress = Progress()
    progress.add(Outcome(0, LEAD))
    progress.add(Outcome(1, LEAD, LeadRejectedError("unknown lead", status=500)))
    progress.add(Outcome(2, LEAD, UnavailableError("no connection")))
    progress.add(Outcome(3, LEAD, in_doubt()))
    progress.add(Outcome(4, LEAD, without_call="already_gone"))
    progress.add(Outcome(5, LEAD, ResponseTooLargeError("large")))
    later = Progress(json.loads(json.dumps(progress.as_json())))
    assert [index in later for index in range(6)] == [True, True, False, False, True, False]
    assert later.in_earlier_tries == 3
    assert [later.is_unanswered(index) for index in range(6)] == [False, False, False, True, False, False]
    assert later.failures == {
        1: (LEAD, "failed", "HTTP 500: unknown lead"),
        3: (LEAD, "unanswered", "no answer"),
    }
    assert (later.count("failed"), progress.count("failed")) == (1, 2)


def test_unanswered_until_answered():
    """A lead stays unanswered over tries until an answer comes, whatever is not sent meanwhile."""
    progress = Progress()
    progress.add(Outcome(0, LEAD, in_doubt()))
    progress.end_try()
    progress.add(Outcome(0, LEAD, UnavailableError("no connection")))
    assert (progress.count("unanswered"), 0 in progress) == (1, False)
    progress.add(Outcome(0, LEAD))
    assert (progress.count("unanswered"), progress.count("queued"), progress.failures) == (0, 1, {})


def test_reason_of_a_doubt():
    """A lead in doubt is told with what came in place of an answer, not only with what ended the batch after it."""
    error = MaxCallsError("max_calls=5 is reached")
    error.in_doubt, error.why_in_doubt = True, "HTTP 500: no answer"
    outcome = Outcome(3, LEAD, error)
    assert (outcome.kind, outcome.reason) == (
        "unanswered",
        "HTTP 500: no answer; later: max_calls=5 is reached",
    )
    error.why_in_doubt = error.reason
    assert Outcome(3, LEAD, error).reason == "max_calls=5 is reached"


def test_long_batch_stays_small():
    """The progress of a long batch that is done in order stays small."""
    progress = Progress()
    for index in range(100_000):
        progress.add(Outcome(index, LEAD))
    assert progress.as_json()["queued"] == [[0, 100_000]]


def test_stored_failures_limited():
    """Airflow's store keeps the reasons of the first hundred failed leads only."""
    progress = Progress()
    for index in range(MOST_STORED + 5):
        progress.add(Outcome(index, LEAD, LeadRejectedError("no")))
    stored = progress.as_json()
    assert len(stored["failures"]) == MOST_STORED
    assert stored["failed"] == [[0, MOST_STORED + 5]]
    assert len(progress.failures) == MOST_STORED + 5


def test_fingerprint_covers_request():
    """The fingerprint changes with everything that was asked for."""

    def of(account="a", leads=(LEAD,), codes=(166,), window="2026-09-01/2026-10-01"):
        return fingerprint(account, Leads.parse(leads), parse_selectors(codes), parse_window(window))

    others = [
        of(account="b"),
        of(leads=(LEAD, LEAD.replace("3f", "4f"))),
        of(codes=(167,)),
        of(window="2026-09-01/2026-10-02"),
    ]
    assert of() == of(leads=(LEAD.upper(),))
    assert len({of(), *others}) == 5
