"""Which leads may be left out, and which of these are read: any of them as likely as another."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_leadreset.leadsquared.account_check.check_options import (
    MOST_CODES,
    cost_of,
    parse_check_options,
)
from airflow_provider_leadreset.leadsquared.api.account_findings import parse_account_findings
from airflow_provider_leadreset.leadsquared.records.last_modified import LastModified
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import Window
from airflow_provider_leadreset.leadsquared.safety.unmodified import (
    HOW_TO_FIND_OUT,
    MARGIN,
    SPOT_CHECKS,
    UnmodifiedLeads,
    has_settled,
    in_calls,
    settling_time,
    why_not_allowed,
)
from support.checked_account import account_check

START = datetime(2026, 9, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
OLD = LastModified("2026-08-01 00:00:00", datetime(2026, 8, 1, tzinfo=UTC))


def test_sample_is_of_all():
    """Each of many leads is among those that are read about as often as any other, the first and the last too."""
    times, leads = 300, 400
    read: Counter[int] = Counter()
    for seed in range(times):
        found = UnmodifiedLeads(WINDOW, random.Random(seed))
        for index in range(leads):
            found.add(index, f"lead {index}", OLD)
        assert len(found.sample) == SPOT_CHECKS == len({index for index, _, _ in found.sample})
        assert len(found.places) == leads
        read.update(index for index, _, _ in found.sample)
    expected = times * SPOT_CHECKS / leads
    tenths = [sum(read[index] for index in range(first, first + 40)) / 40 for first in range(0, leads, 40)]
    assert all(0.8 * expected < one < 1.2 * expected for one in tenths)


def test_what_is_not_old_is_no_place():
    """A lead without a date, or with one from after the margin, is no place."""
    found = UnmodifiedLeads(WINDOW, random.Random(1))
    for index, value in enumerate((None, START, START - MARGIN)):
        found.add(index, "a", value if value is None else LastModified("", value))
    assert len(found.places) == 0
    assert found.sample == []


@pytest.mark.parametrize(("lag", "minutes"), [(0, 15), (299, 15), (301, 15.05), (3600, 180), (20000, 1000)])
def test_settling(lag, minutes):
    """Three times the lag, and a quarter of an hour at least."""
    findings = parse_account_findings(account_check(last_modified_lag=lag), today=datetime.now(UTC).date())
    settled = timedelta(minutes=minutes)
    assert settling_time(findings) == settled
    assert has_settled(WINDOW, findings, WINDOW.end + settled)
    assert not has_settled(WINDOW, findings, WINDOW.end + settled - timedelta(seconds=1))


def test_calls_of_a_thousand():
    """2,500 leads are three calls."""
    leads = [(index, str(index)) for index in range(2500)]
    chunks = list(in_calls(leads))
    assert [len(chunk) for chunk in chunks] == [1000, 1000, 500]
    assert [one for chunk in chunks for one in chunk] == leads


def test_how_to_find_out_tells_the_time():
    """What people are told to do is told with what it takes for the codes of their task, and how many a check takes."""
    few, many = (
        cost_of(
            parse_check_options(activity_event=codes, task_type="Call", host="api.example.com"), 25
        ).minutes
        for codes in (1, range(1, MOST_CODES + 1))
    )
    assert (many - few) / (MOST_CODES - 1) == pytest.approx(12, abs=1)
    assert "some two hours, and 12 minutes more for each further event code" in HOW_TO_FIND_OUT
    assert f"up to {MOST_CODES}: of more, divide the task" in HOW_TO_FIND_OUT


def test_many_codes_that_were_not_asked_about():
    """Of those that the check did not find to move it, twenty are named."""
    today = datetime.now(UTC).date()
    findings = parse_account_findings(account_check(), today=today)
    selectors = Selectors(activity_event_list=tuple(range(1000, 2000)))
    why = why_not_allowed(findings, selectors, host="api.example.com", today=today)
    assert why is not None
    assert why.endswith("event 1019 moves LeadLastModifiedOn and 980 more")
    assert len(why) < 2000
