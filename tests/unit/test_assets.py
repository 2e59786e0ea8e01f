from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import airflow
import pytest

from airflow_provider_leadreset.assets import create_asset, normalized, tell_consumers, to_openlineage
from airflow_provider_leadreset.compat import Asset, AssetAlias

ON_2 = airflow.__version__.startswith("2.")
SUMMARY = {
    "account": "host",
    "leads": 3,
    "queued": 2,
    "failed": 1,
    "unknown": 0,
    "unanswered": 0,
    "nothing_to_reset": 0,
    "excluded": 0,
    "not_reached": 0,
    "failed_by_reason": {"refused": 1},
    "evidence_digest": None,
    "window": "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
    "selectors": {"activity_event_list": [166]},
    "failures": [{"prospect_id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "error": "unknown"}],
    "approval": {"ticket": 1},
}


@pytest.mark.parametrize(
    "uri",
    [
        "leadsquared://api-in21.leadsquared.com/leads",
        "leadsquared://acme/lists/Cold leads",
        "leadsquared://127.0.0.1:8080/activities",
        "leadsquared://acme/leads?stage=1",
    ],
)
def test_valid_asset_addresses(uri):
    """The address of an asset names an account and some data of it."""
    assert normalized(urlsplit(uri)) == urlsplit(uri)


@pytest.mark.parametrize(
    "uri", ["leadsquared:leads", "leadsquared:///leads", "leadsquared://acme", "leadsquared://acme/"]
)
def test_incomplete_asset_addresses(uri):
    """An address without an account or without data is an error that says what to write."""
    with pytest.raises(ValueError, match="such as leadsquared://api-in21"):
        normalized(urlsplit(uri))


def test_keys_in_an_asset_address():
    """A key in an asset's address is an error that does not quote the key."""
    with pytest.raises(ValueError, match="keys belong in the connection") as caught:
        normalized(urlsplit("leadsquared://AKIA:hush@acme/leads"))
    assert "AKIA" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_scheme_is_registered():
    """Airflow asks this package about the scheme."""
    assert Asset("LeadSquared://acme/leads/").uri == "leadsquared://acme/leads"
    # Airflow 2.11 warns of what is an error in Airflow 3.
    expected = (
        pytest.warns(UserWarning, match="names an account")
        if ON_2
        else pytest.raises(ValueError, match="names an")
    )
    with expected:
        Asset("leadsquared:///leads")


def test_factory_and_converter_registered():
    """Airflow knows how to make an asset of an account's data and how to translate it for OpenLineage."""
    try:
        from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime as Manager
    except ImportError:  # before Airflow 3.2
        from airflow.providers_manager import ProvidersManager as Manager

    manager, kind = Manager(), "dataset" if ON_2 else "asset"
    assert getattr(manager, f"{kind}_factories")["leadsquared"] is create_asset
    assert getattr(manager, f"{kind}_to_openlineage_converters")["leadsquared"] is to_openlineage


def test_asset_factory():
    """The factory makes the asset of an account's data."""
    made = create_asset(account="acme", name="notes", extra={"a": 1})
    assert (made.uri, made.extra) == ("leadsquared://acme/notes", {"a": 1})
    assert create_asset(account="acme").uri == "leadsquared://acme/leads"


def test_openlineage_dataset_name():
    """The asset's dataset is named like those of the operators."""
    dataset = to_openlineage(Asset("leadsquared://acme/lists/cold"), None)
    assert (dataset.namespace, dataset.name) == ("leadsquared://acme", "lists/cold")


def test_what_consumers_are_told():
    """Consumers are told only what names no lead, and what is no asset is passed over."""
    asset, events = Asset("leadsquared://acme/leads"), {}

    class Accessors:
        def __getitem__(self, outlet):
            return events.setdefault(outlet.uri, type("Accessor", (), {"extra": {"mine": 1}}))

    tell_consumers([asset, object()], Accessors(), SUMMARY)
    assert events["leadsquared://acme/leads"].extra == {
        "mine": 1,
        **{name: value for name, value in SUMMARY.items() if name not in {"failures", "approval"}},
    }
    assert "3f2504e0" not in json.dumps(events["leadsquared://acme/leads"].extra)


class Broken:
    """What an Airflow gives that does not know an outlet."""

    def __getitem__(self, outlet):
        raise RuntimeError("no such asset")


def test_unknown_asset_fails_no_reset(caplog):
    """An outlet that Airflow does not know is warned of, and changes nothing of the reset's end."""
    tell_consumers([Asset("leadsquared://acme/leads")], Broken(), SUMMARY)
    assert "says nothing of the reset: no such asset" in caplog.text


def test_alias_gets_an_event():
    """An alias gets an event of the account's leads."""
    added = []

    class Accessors:
        def __getitem__(self, outlet):
            return SimpleNamespace(add=lambda asset, extra: added.append((outlet.name, asset.uri, extra)))

    tell_consumers([AssetAlias("cleaned")], Accessors(), SUMMARY)
    ((name, uri, extra),) = added
    assert (name, uri) == ("cleaned", f"leadsquared://{SUMMARY['account']}/leads")
    assert "3f2504e0" not in json.dumps(extra)
    assert frozenset(extra.items()), "Airflow makes a set of them"


def test_asset_loads_nothing_heavy():
    """Naming an asset loads nothing heavy, as Airflow imports the scheme's owner wherever a DAG file names
    any asset with a URI.
    """
    code = (
        "import json, sys\n"
        "from airflow_provider_leadreset.compat import Asset\n"
        "Asset('leadsquared://acme/leads')\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('airflow_provider_leadreset')]))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(json.loads(run.stdout.splitlines()[-1])) <= {
        "airflow_provider_leadreset",
        "airflow_provider_leadreset.assets",
        "airflow_provider_leadreset.compat",
        "airflow_provider_leadreset.get_provider_info",
    }
