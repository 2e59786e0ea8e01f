"""LeadResetHook.check_account, over real sockets to an emulator whose time is compressed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import Dialect, LeadSquaredEmulator
from airflow_provider_leadreset.emulator.account.call_limit import most_in_window
from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from support.simulated_account import compress


@pytest.fixture
def lsq(monkeypatch: pytest.MonkeyPatch) -> Iterator[LeadSquaredEmulator]:
    with LeadSquaredEmulator(calls_per_5s=None) as emulator:
        connection = emulator.connection(calls_per_5s=10)
        monkeypatch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", json.dumps(connection))
        yield emulator


def test_hook_checks_the_account(lsq: LeadSquaredEmulator) -> None:
    """The hook checks the account of its connection, says how far it is, and keeps to a fifth of the calls."""
    lsq.add_activity_type(201, "Demo booked")
    starts: list[float] = []
    time = compress(lsq)
    open_ = lsq.log.open

    def stamped(call: Any) -> Any:
        starts.append(time.seconds())
        return open_(call)

    lsq.log.open = stamped  # type: ignore[method-assign]
    said: list[str] = []
    result = LeadResetHook().check_account(activity_event=201, clock=time, say=said.append)
    found = {one.name: one.found for one in result.questions}
    assert (found["activity_date"], found["last_modified_activity_201"]) == ("CreatedOn", "moves")
    assert result.account_check["account"] == "LSQEMU"
    assert most_in_window(starts, 5.0) <= 2, "a fifth of 10"
    assert {call.prospect_id for call in lsq.resets} == {result.lead}
    assert "records whose dates differ" in "\n".join(said)


def test_hook_asks_about_several_events(lsq: LeadSquaredEmulator) -> None:
    """The argument takes several codes as it takes one."""
    for code in (201, 202):
        lsq.add_activity_type(code, f"Event {code}")
    lsq.dialect = Dialect(still_events=frozenset({202}))
    result = LeadResetHook().check_account(activity_event=[201, 202], clock=compress(lsq), say=lambda _: None)
    found = result.account_check["found"]
    assert found["last_modified_activity_201"] == "moves"
    assert found["last_modified_activity_202"] == "does not move"


def test_hook_refuses_before_any_call(lsq: LeadSquaredEmulator) -> None:
    """A value that cannot be meant is refused before any call."""
    with pytest.raises(LeadResetInputError, match="activity_event came to None"):
        LeadResetHook().check_account(activity_event=None)  # type: ignore[arg-type]
    assert lsq.calls == []
