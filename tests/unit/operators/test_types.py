"""A type checker refuses a slip in a DAG file, and nothing that README and guides write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.dag_runs import is_airflow_2

ROOT = Path(__file__).parents[3]
GOOD = ROOT / "tests" / "typing" / "good_dag.py"
SLIPS = {
    "LeadResetOperator(task_id='a', prospect_ids=5)": '"prospect_ids"',
    "LeadResetOperator(task_id='b', window=7)": '"window"',
    "LeadResetOperator(task_id='c', wndow=3)": '"wndow"',
    "LeadResetOperator(task_id='d', activity_event_list=[1.5])": "List item 0",
    "LeadResetOperator(task_id='e', max_records=None)": '"max_records"',
    "LeadResetOperator(task_id='f', plan=5)": '"plan"',
    "LeadResetOperator(task_id='g', retrys=3)": '"retrys"',
    "LeadResetOperator(task_id='h', pool_slots='3')": '"pool_slots"',
    "LeadResetOperator(prospect_ids='i')": '"task_id"',
    "LeadResetOperator(task_id='j', prospect_ids=None)": '"prospect_ids"',
    "LeadResetPreviewOperator(task_id='k', plan={})": '"plan"',
    "LeadResetPreviewOperator(task_id='l', archive=True)": '"archive"',
    "LeadResetSensor(task_id='m', poke_intervall=3)": '"poke_intervall"',
    "LeadResetSensor(task_id='n', timeout='3')": '"timeout"',
    "LeadResetSensor(task_id='o', mode='rescheduled')": '"mode"',
    "LeadResetSensor(task_id='p', accept_unknown_leads='no')": '"accept_unknown_leads"',
    "LeadResetTaskGroup('q', archive=True, wndow=3)": '"wndow"',
    "LeadResetTaskGroup('r')": '"archive"',
    "LeadResetTaskGroup('s', archive=None)": '"archive"',
    "LeadResetTaskGroup('t', archive=True, plan={})": '"plan"',
    "LeadResetTaskGroup('u', archive=True, names='yes')": '"names"',
    "LeadResetTaskGroup('v', archive=True, pool_slots=None)": '"pool_slots"',
}


@pytest.mark.skipif(is_airflow_2(), reason="mypy is installed beside the newest Airflow only")
def test_mypy_on_dag_files(tmp_path: Path) -> None:
    """What is documented passes mypy --strict; each slip is refused where it stands, and names the argument."""
    pytest.importorskip("mypy")
    slips = tmp_path / "slips.py"
    lines = [
        "from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator",
        "from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor",
        "from airflow_provider_leadreset.task_groups.lead_reset import LeadResetTaskGroup",
        "LeadResetOperator(prospect_ids=5, window=7, wndow=3)",
        *SLIPS,
    ]
    slips.write_text("\n".join(lines))
    # Its own folder: mypy's would be read and written by `make check` at the same time.
    found = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--config-file=",
                f"--cache-dir={tmp_path / 'cache'}",
            ),
            *("--no-error-summary", "--hide-error-context", str(GOOD), str(slips)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout
    told: dict[int, str] = {}
    for line in found.splitlines():
        assert line.startswith(str(slips)), f"what is documented is refused: {line}"
        number = int(line.removeprefix(f"{slips}:").partition(":")[0])
        told[number] = told.get(number, "") + line
    assert all(name in told[4] for name in ('"prospect_ids"', '"window"', '"wndow"'))
    for number, (slip, name) in enumerate(SLIPS.items(), start=5):
        assert name in told.get(number, ""), f"{slip} is not refused"
