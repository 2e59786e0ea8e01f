"""What hook lineage is told of a hook's calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.exceptions import LeadResetRejectedError
from airflow_provider_leadreset.hooks import hook_lineage
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window

UNKNOWN = "00000000-0000-4000-8000-000000000000"
SELECTORS = parse_selectors([166], audit_activity_list=["StageChange"], should_delete_prospect_notes=True)


class Collector:
    """Airflow's, as far as a hook sees it; on Airflow 2.11 assets are datasets."""

    def __init__(self, called: str) -> None:
        self.told: list[tuple[str, str, Any]] = []
        for direction in ("input", "output"):
            setattr(self, f"add_{direction}_{called}", self._adder(direction))

    def _adder(self, direction: str) -> Any:
        return lambda *, context, uri: self.told.append((direction, uri, context))


@pytest.fixture(params=["asset", "dataset"])
def collector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Collector:
    made = Collector(request.param)
    monkeypatch.setattr(hook_lineage, "get_hook_lineage_collector", lambda: made)
    return made


@pytest.fixture
def hook(lsq: LeadSquaredEmulator, monkeypatch: pytest.MonkeyPatch) -> LeadResetHook:
    return LeadResetHook()


def reset_of(lead: str) -> LeadReset:
    return LeadReset(lead, SELECTORS, parse_window("2026-09-01/2026-10-01"))


def test_reset_and_preview(collector: Collector, hook: LeadResetHook, lsq: Any) -> None:
    """A reset's data are outputs and a preview's inputs, each told once; no key and no lead is in them."""
    leads = [lsq.add_lead(), lsq.add_lead()]
    for lead in leads:
        hook.preview(reset_of(lead))
        hook.reset(reset_of(lead))
    data = [f"leadsquared://{lsq.host}/{name}" for name in ("activities", "audits", "notes")]
    assert sorted((direction, uri) for direction, uri, _ in collector.told) == [
        *(("input", uri) for uri in data),
        *(("output", uri) for uri in data),
    ]
    assert {context for _, _, context in collector.told} == {hook}
    text = json.dumps([uri for _, uri, _ in collector.told])
    assert not [hidden for hidden in (*leads, lsq.access_key, lsq.secret_key) if hidden in text]


def test_other_reads(collector: Collector, hook: LeadResetHook, lsq: Any) -> None:
    """Members of a list and types are inputs."""
    hook.list_members(lsq.add_list("a list", [lsq.add_lead()]))
    hook.activity_types()
    hook.task_types()
    assert [(direction, uri.rpartition("/")[2]) for direction, uri, _ in collector.told] == [
        ("input", "leads"),
        ("input", "activity_types"),
        ("input", "task_types"),
    ]


def test_what_failed_is_not_told(collector: Collector, hook: LeadResetHook) -> None:
    """A reset that was refused has deleted from nothing."""
    with pytest.raises(LeadResetRejectedError):
        hook.reset(reset_of(UNKNOWN))
    assert collector.told == []


def test_lineage_fails_no_call(hook: LeadResetHook, lsq: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of lineage that raises does not make a reset look failed."""

    def broken() -> Any:
        raise RuntimeError("a plugin")

    monkeypatch.setattr(hook_lineage, "get_hook_lineage_collector", broken)
    hook.reset(reset_of(lsq.add_lead()))
    assert len(lsq.resets) == 1


def test_airflows_own_collector(hook: LeadResetHook, lsq: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector of the installed Airflow takes what it is told, where a reader is registered."""
    try:
        from airflow.sdk.lineage import HookLineageCollector
    except ImportError:
        from airflow.lineage.hook import HookLineageCollector
    own = HookLineageCollector()
    monkeypatch.setattr(hook_lineage, "get_hook_lineage_collector", lambda: own)
    hook.reset(reset_of(lsq.add_lead()))
    found = own.collected_assets if hasattr(own, "collected_assets") else own.collected_datasets
    known = [getattr(one, "asset", None) or one.dataset for one in found.outputs]
    assert sorted(one.uri for one in known) == [
        f"leadsquared://{lsq.host}/{name}" for name in ("activities", "audits", "notes")
    ]
    assert not found.inputs
