from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.batch.progress import MOST_LISTED, IndexSet, Progress, fingerprint
from airflow_provider_leadreset.leadsquared.batch.resets import Outcome
from airflow_provider_leadreset.leadsquared.errors import LeadRejectedError, UnavailableError
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


def test_progress_keeps_final_outcomes():
    """Progress keeps the final outcomes and forgets those that a retry may change."""
    progress = Progress()
    progress.add(Outcome(0, LEAD))
    progress.add(Outcome(1, LEAD, LeadRejectedError("unknown lead", status=500)))
    progress.add(Outcome(2, LEAD, UnavailableError("no answer")))
    later = Progress(json.loads(json.dumps(progress.as_json())))
    assert [index in later for index in range(3)] == [True, True, False]
    assert later.in_earlier_tries == 2
    assert later.failures == [{"prospect_id": LEAD, "error": "HTTP 500: unknown lead"}]


def test_long_batch_stays_small():
    """The progress of a long batch that is done in order stays small."""
    progress = Progress()
    for index in range(100_000):
        progress.add(Outcome(index, LEAD))
    assert progress.as_json()["queued"] == [[0, 100_000]]


def test_listed_failures_limited():
    """The reasons are kept for the first hundred failed leads only."""
    progress = Progress()
    for index in range(MOST_LISTED + 5):
        progress.add(Outcome(index, LEAD, LeadRejectedError("no")))
    assert len(progress.failures) == MOST_LISTED
    assert len(progress.failed) == MOST_LISTED + 5


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
