"""The example DAGs with parameters for the emulator's leads, so that Trigger is all it takes to run one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.emulator.store.demo_data import demo_leads
from support.processes import RunError

_SOURCE = Path(__file__).parents[3] / "example_dags"
_LEADS = 16
_DAYS = 60

_NIGHTLY = "example_scheduled_cleanup"
_SEVERAL = "example_several_accounts"
_DAGS = {_SEVERAL: [f"{_SEVERAL}_india", f"{_SEVERAL}_ireland"]}
"""Files whose DAGs are not named after them."""

PAUSED = {_NIGHTLY, *_DAGS[_SEVERAL]}
"""Would run by themselves, and take what the others show."""


def seed_and_copy(lsq: LeadSquaredEmulator, dags: Path, evidence: Path) -> list[str]:
    """Add leads to the emulator, and copy the examples with those leads in them.

    :param dags: the folder for the copies.
    :param evidence: what the careful example takes as folder for its evidence.
    :returns: the ids of their DAGs.
    """
    demo = demo_leads(lsq, _LEADS)
    today = datetime.now(ZoneInfo("Asia/Kolkata")).date()
    start = today - timedelta(days=_DAYS)
    window = f"{start}/{today}"
    since = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo("Asia/Kolkata")).astimezone(UTC)

    def test_calls(lead: str) -> int:
        activities = lsq.remaining(lead)["activities"]
        return sum(
            one["event_code"] == 166 and datetime.fromisoformat(one["created_on"]).replace(tzinfo=UTC) > since
            for one in activities
        )

    one_lead, *others = sorted(demo.lead_ids, key=test_calls, reverse=True)
    given = {
        "example_one_lead": {'"lead": ""': f'"lead": "{one_lead}"', "2026-09-01/2026-10-01": window},
        "example_safe_cleanup": {
            '"leads": []': f'"leads": {json.dumps(others[:6])}',
            "2026-09-01/2026-10-01": window,
            "file:///tmp/leadreset-evidence": evidence.as_uri(),
        },
        "example_months": {
            '"leads": []': f'"leads": {json.dumps(others[:6])}',
            '["2026-07", "2026-08", "2026-09"]': json.dumps(_months_before(today)),
            "file:///tmp/leadreset-evidence": evidence.as_uri(),
        },
        "example_fleet": {
            '"leads": []': f'"leads": {json.dumps(others[6:12])}',
            '"leads_per_task": 100': '"leads_per_task": 2',
            "2025-01-01/2026-01-01": window,
        },
        "example_after_crm_import": {'"returned": []': f'"returned": {json.dumps(others[12:14])}'},
        "example_asset_consumer": {
            '"leads": []': f'"leads": {json.dumps(others[14:])}',
            "2026-09-01/2026-10-01": window,
        },
        _NIGHTLY: {
            "11111111-2222-3333-4444-555555555555": demo.list_id,
            "file:///tmp/leadreset-evidence": evidence.as_uri(),
        },
    }
    dags.mkdir()
    names = sorted({path.stem for path in _SOURCE.glob("*.py")} | given.keys())
    for name in names:
        _copy(name, given.get(name, {}), dags)
    return [dag_id for name in names for dag_id in _DAGS.get(name, [name])]


def _months_before(today: date) -> list[str]:
    """Return the last two months that are over, as ``2026-09``."""
    last = today.replace(day=1) - timedelta(days=1)
    return [f"{last.replace(day=1) - timedelta(days=1):%Y-%m}", f"{last:%Y-%m}"]


def _copy(name: str, changes: dict[str, str], dags: Path) -> None:
    text = (_SOURCE / f"{name}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        if text.count(old) != 1:
            raise RunError(f"{name}.py should have {old} once: tests/system/ui/examples.py replaces it")
        text = text.replace(old, new)
    (dags / f"{name}.py").write_text(text, encoding="utf-8")
