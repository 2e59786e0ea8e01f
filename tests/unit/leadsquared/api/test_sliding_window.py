from __future__ import annotations

import random
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_leadreset.leadsquared.api import sliding_window
from airflow_provider_leadreset.leadsquared.api.sliding_window import (
    GUARD,
    MARGIN,
    MARGIN_MOST,
    MARGIN_STEP,
    SlidingWindow,
)
from support.pace_simulation import WINDOW, most_in_a_window, simulate, steady, trip, uniform

FIXED = trip(uniform(0.001, 0.011), steady(0.3))
DOWN = trip(uniform(0.001, 0.011), uniform(0.05, 0.8))
BOTH_WAYS = trip(uniform(0.025, 0.4), uniform(0.025, 0.4))

many = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def everyone_once(result, leads, tasks=1):
    return result.answered == {(task, lead): 1 for task in range(tasks) for lead in range(leads)}


# -- the figures to keep -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leads", "travel", "seeds", "most"),
    [(200, FIXED, 60, 1.03), (1000, FIXED, 25, 1.02), (1000, DOWN, 35, 1.02)],
    ids=["200 of 300 ms", "1000 of 300 ms", "1000 of 50 to 800 ms after the stamp"],
)
def test_full_limit_without_throttling(leads, travel, seeds, most):
    """The whole limit is used and nothing is throttled."""
    for seed in range(seeds):
        result = simulate([SlidingWindow(25)], leads, travel, seed=seed)
        assert everyone_once(result, leads)
        assert result.throttled == 0
        assert 1 <= result.ratio(leads, 25) <= most


@pytest.mark.parametrize("count_rejected", [True, False])
def test_jitter_costs_little(count_rejected):
    """Varying travel times to the server cost little."""
    for seed in range(40 if count_rejected else 20):
        result = simulate([SlidingWindow(25)], 1000, BOTH_WAYS, count_rejected=count_rejected, seed=seed)
        assert everyone_once(result, 1000)
        assert result.ratio(1000, 25) <= 1.12
        assert (
            result.throttled <= 15
        )  # of 300 seeds one had 16: a burst that is on its way cannot be called back


@pytest.mark.parametrize("count_rejected", [True, False])
def test_smaller_account_limit(count_rejected):
    """When the account allows fewer calls than configured, this costs one throttled burst."""
    for seed in range(30):
        result = simulate([SlidingWindow(25)], 100, FIXED, limit=10, count_rejected=count_rejected, seed=seed)
        assert everyone_once(result, 100)
        assert result.ratio(100, 10) <= 1.15
        assert 0 < result.throttled <= 20


def test_four_shares_of_account():
    """Four shares of one account never exceed its limit together, and waste little of it."""
    for seed in range(10):
        result = simulate([SlidingWindow(6, limit=25) for _ in range(4)], 150, FIXED, seed=seed)
        assert everyone_once(result, 150, tasks=4)
        assert result.throttled == 0
        assert result.worst() <= 25
        # The last window of each task is not counted: it may be a part of one.
        inside = [moment for moment in result.arrivals if moment < 24 * WINDOW]
        assert len(inside) / 24 >= 0.94 * 24


@pytest.mark.parametrize("share", [1, 2, 25])
def test_many_leads(share):
    """No number of leads is too large for the sliding window."""
    window, now = SlidingWindow(share), 0.0
    for _ in range(2200 * share):
        now = window.starts_at(now)
        window.accepted(window.depart(now), now + 0.3)
    assert window.margin == MARGIN


# -- any network -------------------------------------------------------------------------------------------

seconds = st.one_of(
    st.floats(0, 0.4), st.floats(0, 3), st.floats(4.9, 5.1), st.floats(5, 12), st.sampled_from([0, 5, 60])
)
pieces = st.lists(seconds, min_size=1, max_size=6)


@st.composite
def any_travel(draw, before=pieces):
    """A mixture of what was drawn; some calls get lost on the way, some answers on the way back."""
    there, back = draw(before), draw(pieces)
    lost = draw(st.sampled_from([0, 0, 0.05, 0.3]))
    tail = draw(st.booleans())

    def travel(dice: random.Random):
        if dice.random() < lost:
            return (None, None) if dice.random() < 0.5 else (dice.choice(there), None)
        after = dice.choice(back) if dice.random() < 0.95 else 0.0
        return dice.choice(there), after * (dice.paretovariate(1.5) if tail and dice.random() < 0.1 else 1)

    return travel


@pytest.mark.exhaustive
@many
@given(
    any_travel(),
    st.integers(1, 30),
    st.integers(1, 30),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_any_network(travel, share, limit, count_rejected, names_limit, seed):
    """Every lead gets through any network."""
    calls = count()
    paces = [SlidingWindow(share)]
    result = simulate(
        paces,
        25,
        # No network is out for good: after some hundred calls it works.
        lambda dice: travel(dice) if next(calls) < 200 else (0.01, 0.1),
        limit=limit,
        count_rejected=count_rejected,
        names_limit=names_limit,
        seed=seed,
        most_calls=5000,
    )
    assert everyone_once(result, 25)
    assert 1 <= paces[0].capacity <= paces[0].share <= share
    assert MARGIN <= paces[0].margin <= MARGIN_MOST


@pytest.mark.exhaustive
@many
@given(any_travel(before=st.floats(0, 20).map(lambda one: [one])), st.integers(1, 25), st.integers(0, 2**32))
def test_share_kept_without_jitter(travel, share, seed):
    """Without varying travel times to the server, it never sees more calls than the share."""
    result = simulate([SlidingWindow(share)], 2 * share + 5, travel, limit=share, seed=seed)
    assert everyone_once(result, 2 * share + 5)
    assert result.throttled == 0
    assert result.worst() <= share


@pytest.mark.exhaustive
@many
@given(
    st.floats(0, 3),
    st.lists(st.floats(0, MARGIN * 0.999), min_size=2, max_size=6),
    any_travel(),
    st.integers(1, 25),
    st.integers(0, 2**32),
)
def test_jitter_within_margin(way, jitter, network, share, seed):
    """Travel times that vary within the margin change nothing."""

    def travel(dice):
        before, after = network(dice)
        return None if before is None else way + dice.choice(jitter), after

    result = simulate([SlidingWindow(share)], 2 * share + 5, travel, limit=share, seed=seed)
    assert everyone_once(result, 2 * share + 5)
    assert result.throttled == 0
    assert result.worst() <= share


def test_jitter_beyond_margin():
    """Travel times that vary by more than the margin do show the server more calls than the share."""
    # What the two tests above deny does happen where it may, so they could fail.
    jitter = trip(uniform(0, 0.4), steady(0.05))
    assert any(simulate([SlidingWindow(25)], 200, jitter, seed=seed).worst() > 25 for seed in range(5))


# -- the rule ----------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.sampled_from("dddauwt"), st.one_of(st.just(0.0), st.floats(0, 6)), st.integers(0, 40)),
    max_size=80,
)


@pytest.mark.exhaustive
@many
@given(steps, st.integers(1, 6), st.integers(0, 10))
def test_permit_return_time(steps, share, more):
    """A permit comes back at the earliest moment that its departure or its answer allows, and never later."""
    window = SlidingWindow(share, limit=share + more)
    now, calls, under_way = 0.0, [], []

    def back(permit):
        moments = [permit.departed + WINDOW + (WINDOW if permit.opens_connection else window.margin)]
        if permit.answered is not None:
            moments.append(permit.answered + WINDOW + GUARD)
        return min(moments)

    def out(moment):
        return sum(back(permit) > moment for permit in calls)

    for kind, wait, number in steps:
        now += wait
        limit, was = window.limit, window.capacity
        if kind == "d":
            start = window.starts_at(now)
            assert start >= now
            assert out(start) < window.capacity, "too early"
            assert start == now or out(start - 1e-6) >= window.capacity, "too late"
            now = start
            calls.append(window.depart(now, opens_connection=number % 2 == 1))
            under_way.append(calls[-1])
        elif kind != "w" and under_way:
            permit = under_way.pop(number % len(under_way))
            if kind == "a":
                window.accepted(permit, now)
                assert was <= window.capacity <= was + 1
            elif kind == "u":
                window.unanswered(permit, now)
                assert window.capacity == was
            else:
                window.throttled(permit, now, number or None)
                assert window.limit == (min(limit, number) if number else limit)
                assert window.capacity <= was
        assert 1 <= window.capacity <= window.share <= window.limit <= share + more
        assert MARGIN <= window.margin <= MARGIN_MOST
        # A permit given back once is not taken away again when the margin grows.
        calls = [permit for permit in calls if back(permit) > now]
        window.starts_at(now)
        assert window.drained_at() == max(map(back, calls), default=float("-inf"))


def test_new_connection_permit():
    """A call on a new connection gives its permit back only after its answer."""
    window = SlidingWindow(2)
    cold = window.depart(0, opens_connection=True)
    window.depart(0, opens_connection=True)
    assert window.starts_at(1) == 2 * WINDOW  # should no answer ever come
    window.accepted(cold, 1.5)
    assert window.starts_at(1.5) == pytest.approx(1.5 + WINDOW + GUARD)


def test_handshake_causes_no_throttling():
    """The handshakes that delay the first calls cause no throttling."""
    calls = iter(range(10**6))

    def travel(dice):
        return (0.25 if next(calls) < 25 else 0.02), 0.05

    result = simulate([SlidingWindow(25)], 200, travel)
    assert result.throttled == 0
    assert result.worst() <= 25


def test_slow_answer_frees_permit():
    """An answer that takes longer than a window does not hold its permit."""
    window = SlidingWindow(1)
    permit = window.depart(0)
    assert window.starts_at(0) == WINDOW + MARGIN
    window.unanswered(permit, 0.01)
    assert window.starts_at(0.01) == pytest.approx(0.01 + WINDOW + GUARD)
    assert window.starts_at(7) == 7


def test_wait_after_capacity_cut():
    """After its capacity is cut, the sliding window waits until enough permits are back."""
    window = SlidingWindow(4, limit=25)
    permits = [window.depart(moment) for moment in (0, 1, 2, 3)]
    window.throttled(permits[3], 3.5)
    assert window.capacity == 2
    assert window.starts_at(3.5) == permits[2].departed + WINDOW + MARGIN


def test_drained_at():
    """The window is drained at the moment the last permit is back."""
    window = SlidingWindow(3)
    assert window.drained_at() == float("-inf")
    first, second = window.depart(0), window.depart(1)
    assert window.drained_at() == 1 + WINDOW + MARGIN
    window.accepted(second, 1.01)
    assert window.drained_at() == pytest.approx(1.01 + WINDOW + GUARD)
    window.accepted(first, 1.02)
    assert window.drained_at() == pytest.approx(1.01 + WINDOW + GUARD)


@pytest.mark.parametrize("calls", [0, -1])
def test_zero_calls_refused(calls):
    """A sliding window that would never let a call start is refused."""
    with pytest.raises(ValueError, match="never lets a call start"):
        SlidingWindow(calls)


def test_limit_at_least_share():
    """The limit is never below the share."""
    assert SlidingWindow(10).limit == SlidingWindow(10, limit=3).limit == 10
    assert SlidingWindow(10, limit=25).limit == 25


# -- throttled ---------------------------------------------------------------------------------------------


def depart(window, count, now):
    return [window.depart(now) for _ in range(count)]


def accept(window, permits, now):
    for permit in permits:
        window.accepted(permit, now)


def test_share_halves_and_recovers():
    """A share of a larger limit halves once for a throttled burst and recovers by one call a window."""
    window = SlidingWindow(12, limit=25)
    accept(window, depart(window, 6, 0.0), 0.2)
    burst = depart(window, 6, 0.1)
    changes = [window.throttled(permit, 0.4, 25) for permit in burst]
    assert [bool(change) for change in changes] == [True, False, False, False, False, False]
    assert "going on with 6" in changes[0]
    assert window.capacity == 6

    late = depart(window, 1, 0.39)  # left before the change was known
    window.throttled(late[0], 0.6, 25)
    assert window.capacity == 6

    capacities, now = [], 10.0
    while window.capacity < 12:
        for _ in range(window.capacity):
            window.accepted(window.depart(now), now + 0.1)
        capacities.append(window.capacity)
        now += 6
    assert capacities == [7, 8, 9, 10, 11, 12]
    accept(window, depart(window, 50, now), now + 0.1)
    assert window.capacity == 12

    again = depart(window, 2, now + 10)
    window.throttled(again[0], now + 10.1, None)
    window.throttled(again[1], now + 10.2, None)
    assert window.capacity == 6


def test_halving_ends_at_one():
    """Repeated halving ends at a capacity of one call."""
    window = SlidingWindow(5, limit=25)
    seen = []
    for burst in range(5):
        window.throttled(window.depart(10.0 * burst + 1), 10.0 * burst + 2)
        seen.append(window.capacity)
    assert seen == [2, 1, 1, 1, 1]


def test_first_answer_throttled():
    """A first answer that is throttled shows that others use the account's limit too."""
    window = SlidingWindow(25)
    assert window.throttled(window.depart(0), 0.3, 25) == (
        "others use the account's limit too: going on with 12 calls in 5 s"
    )
    assert window.share == 25


@pytest.mark.parametrize(
    ("named", "share", "capacity"), [(10, 10, 10), (24, 24, 24), (25, 25, 25), (72, 25, 25), (0, 25, 25)]
)
def test_named_limit_only_lowers(named, share, capacity):
    """A limit named by the server applies at once, and only downwards."""
    window = SlidingWindow(25)
    accept(window, depart(window, 10, 0), 0.3)
    change = window.throttled(window.depart(0), 0.3, named)
    assert (window.share, window.limit, window.capacity) == (share, share, capacity)
    assert (f"allows {named} calls" in change) if named in (10, 24) else change is None
    window.throttled(window.depart(9), 9.3, 25)
    assert window.limit == share


def test_named_limit_above_share():
    """A named limit above the share leaves the share unchanged."""
    window = SlidingWindow(5, limit=25)
    window.throttled(window.depart(0), 0.3, 8)
    assert (window.share, window.limit) == (5, 8)
    window.throttled(window.depart(1), 1.3, 3)
    assert (window.share, window.limit) == (3, 3)
    assert window.capacity <= 3


def test_margin_grows_before_cut():
    """Throttling first widens the margin for varying travel times, and only then cuts the capacity."""
    window = SlidingWindow(25)
    accept(window, depart(window, 24, 0), 0.3)
    margins = [window.margin]
    for number in range(8):
        assert window.throttled(window.depart(number), number + 0.1, 25) is None
        margins.append(window.margin)
    assert window.capacity == 25
    assert margins[0] == MARGIN
    assert margins[-1] == MARGIN_MOST
    assert all(b - a == pytest.approx(MARGIN_STEP) for a, b in pairwise(margins[:-1]))
    assert "going on with 12" in window.throttled(window.depart(9), 9.1, 25)


def test_margin_shrinks_slowly():
    """The margin shrinks slowly, and not below its initial value."""
    window = SlidingWindow(25)
    accept(window, depart(window, 1, 0), 0.3)
    window.throttled(window.depart(1), 1.3, 25)
    wide = window.margin
    accept(window, depart(window, 100, 2), 2.3)
    assert wide - window.margin == pytest.approx(100 * sliding_window.MARGIN_DECAY)
    accept(window, depart(window, 1000, 3), 3.3)
    assert window.margin == MARGIN


def test_initial_margin_from_answers():
    """In the first windows the margin is as wide as the answer times differ."""
    window = SlidingWindow(4)
    quick, slow = depart(window, 2, 0)
    window.accepted(quick, 0.1)
    assert window.margin == MARGIN
    window.accepted(slow, 0.5)
    assert window.margin == pytest.approx(0.4)
    margins = []
    for now in range(10, 60):
        accept(window, depart(window, 1, now), now + 0.1)
        margins.append(window.margin)
    assert margins == sorted(margins, reverse=True)
    assert pytest.approx(0.2) in margins
    assert margins[-1] == MARGIN


def test_most_in_a_window():
    """The simulation's maximum counts the calls that lie less than a window apart."""
    assert most_in_a_window([0, 1, 4.9, 5, 9.9]) == 3
    assert most_in_a_window([]) == 0
