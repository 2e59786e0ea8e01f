"""A plan file: what was written is what is read, or it is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, PlanWriter, plan_reference

LEADS = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(3)]
OTHER = "11111111-0000-4000-8000-000000000000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    writer = PlanWriter(
        account={"host": "api.leadsquared.com", "code": "1"},
        made_by=["d", "r", "t", -1],
        request_digest="f",
        window=parse_window("2026-09-01/2026-10-01"),
        selectors=Selectors((166,)),
        now=datetime(2026, 10, 2, tzinfo=UTC),
    )
    for lead in LEADS:
        writer.add(lead, {"activities": ["a", "b"], "tasks": [], "notes": ["n"]})
    file, _ = writer.finish({"leads": 3})
    path = tmp_path / "plan-1.jsonl.gz"
    with file:
        path.write_bytes(file.read())
    return path


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    change(lines)
    path.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))


def test_plan_round_trip(path):
    """A plan is read as it was written."""
    plan = Plan.read(path)
    assert plan
    assert (plan.leads.count, plan.counts) == (3, {"activities": 6, "tasks": 0, "notes": 3})
    assert plan.made_by == ["d", "r", "t", -1]
    assert [lead for lead, _ in plan.records()] == list(plan.leads) == LEADS


@pytest.mark.parametrize("packed", [True, False])
def test_lines_after_end_ignored(path, packed):
    """Lines after the end of a plan do not belong to it."""
    line = json.dumps({"prospect_id": OTHER}).encode() + b"\n"
    content = path.read_bytes()
    path.write_bytes(
        content + gzip.compress(line) if packed else gzip.compress(gzip.decompress(content) + line)
    )
    plan = Plan.read(path)
    assert plan
    assert [lead for lead, _ in plan.records()] == LEADS
    assert list(plan.leads) == LEADS


def test_changed_counts_refused(path):
    """A plan whose counts were changed is refused."""
    rewrite(path, lambda lines: lines[-1].update(counts={"activities": 0, "tasks": 0, "notes": 0}))
    with pytest.raises(InputError, match="was changed"):
        Plan.read(path)


def test_later_plan_changes_ignored(path):
    """A plan is used as it was checked, whatever happens to its file later."""
    plan = Plan.read(path)
    assert plan
    rewrite(path, lambda lines: lines[1].update(prospect_id=OTHER))
    assert [lead for lead, _ in plan.records()] == list(plan.leads) == LEADS
    path.unlink()
    assert list(plan.leads) == LEADS


@pytest.mark.parametrize(
    "content", [b"[1]\n", b'{"end": true}\n', b'{"plan": 1}\n{"end": true}\n', b"[" * 100_000, b"\xff\xfe"]
)
def test_invalid_plan_refused(path, content):
    """A file that is not a plan is refused."""
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"no plan|was changed"):
        Plan.read(path)


def test_damaged_plan_refused(path):
    """Damage to a plan's file is refused, wherever it is."""
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            plan = Plan.read(path)
        except InputError:
            continue
        assert plan is None or list(plan.leads) == LEADS


ACCOUNT = {"host": "api.leadsquared.com", "code": "1"}
MADE_AT = datetime(2026, 10, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"digest": "other"}, "is not the one that was shown"),
        ({"account": {**ACCOUNT, "code": "2"}}, "and the connection leads to"),
        ({"account": {**ACCOUNT, "host": "api-in21.leadsquared.com"}}, "and the connection leads to"),
        ({"now": MADE_AT + timedelta(days=1, seconds=1)}, "more than a day ago"),
        ({"now": MADE_AT - timedelta(minutes=6)}, "more than a day ago"),
    ],
)
def test_plan_check(path, changed, said):
    """A plan is accepted only as it was shown, for its own account and in time."""
    plan = Plan.read(path)
    assert plan
    good = {"digest": plan.digest, "account": ACCOUNT, "now": MADE_AT + timedelta(hours=23)}
    plan.check(**good)
    plan.check(**{**good, "now": None, "account": {**ACCOUNT, "code": None}})
    with pytest.raises(InputError, match=said):
        plan.check(**{**good, **changed})


@pytest.mark.parametrize("value", [None, "", "plan.jsonl.gz", ["a"]])
def test_reference_must_be_output(value):
    """A reference to a plan must be a preview's output."""
    with pytest.raises(InputError, match="give the preview's output itself"):
        plan_reference(value)


@pytest.mark.parametrize(
    "output", [{}, {"plan": None, "digest": None}, {"plan": "a", "digest": ""}, {"plan": 1, "digest": "b"}]
)
def test_preview_without_plan_refused(output):
    """The output of a preview without a plan is no reference."""
    with pytest.raises(InputError, match="give the preview an evidence_path"):
        plan_reference(output)


def test_missing_plan_file(path):
    """The error says that there is no plan where there is no file."""
    with pytest.raises(InputError, match="there is no plan at"):
        Plan.read(path.with_name("plan-2.jsonl.gz"))


def test_unfinished_plan(path):
    """A plan that was never finished counts as none."""
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    assert Plan.read(path) is None
    path.write_bytes(path.read_bytes()[:-9])
    assert Plan.read(path) is None
