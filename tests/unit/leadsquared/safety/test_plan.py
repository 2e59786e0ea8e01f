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
        asked="f",
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


def test_what_was_written_is_read(path):
    plan = Plan.read(path)
    assert plan
    assert (plan.leads.count, plan.counts) == (3, {"activities": 6, "tasks": 0, "notes": 3})
    assert plan.made_by == ["d", "r", "t", -1]
    assert [lead for lead, _ in plan.records()] == list(plan.leads) == LEADS


@pytest.mark.parametrize("packed", [True, False])
def test_what_stands_behind_the_end_is_none_of_the_plan(path, packed):
    line = json.dumps({"prospect_id": OTHER}).encode() + b"\n"
    content = path.read_bytes()
    path.write_bytes(
        content + gzip.compress(line) if packed else gzip.compress(gzip.decompress(content) + line)
    )
    plan = Plan.read(path)
    assert plan
    assert [lead for lead, _ in plan.records()] == LEADS
    assert list(plan.leads) == LEADS


def test_counts_that_were_changed_are_refused(path):
    rewrite(path, lambda lines: lines[-1].update(counts={"activities": 0, "tasks": 0, "notes": 0}))
    with pytest.raises(InputError, match="was changed"):
        Plan.read(path)


def test_a_plan_is_used_as_it_was_checked(path):
    plan = Plan.read(path)
    assert plan
    rewrite(path, lambda lines: lines[1].update(prospect_id=OTHER))
    assert [lead for lead, _ in plan.records()] == list(plan.leads) == LEADS
    path.unlink()
    assert list(plan.leads) == LEADS


@pytest.mark.parametrize(
    "content", [b"[1]\n", b'{"end": true}\n', b'{"plan": 1}\n{"end": true}\n', b"[" * 100_000, b"\xff\xfe"]
)
def test_what_is_no_plan_is_refused(path, content):
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"no plan|was changed"):
        Plan.read(path)


def test_damage_is_refused_wherever_it_is(path):
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
def test_a_plan_is_taken_as_it_was_shown_for_its_account_and_in_time(path, changed, said):
    plan = Plan.read(path)
    assert plan
    good = {"digest": plan.digest, "account": ACCOUNT, "now": MADE_AT + timedelta(hours=23)}
    plan.check(**good)
    plan.check(**{**good, "now": None, "account": {**ACCOUNT, "code": None}})
    with pytest.raises(InputError, match=said):
        plan.check(**{**good, **changed})


@pytest.mark.parametrize("value", [None, "", "plan.jsonl.gz", ["a"]])
def test_a_reference_is_a_previews_output(value):
    with pytest.raises(InputError, match="give the preview's output itself"):
        plan_reference(value)


@pytest.mark.parametrize(
    "output", [{}, {"plan": None, "digest": None}, {"plan": "a", "digest": ""}, {"plan": 1, "digest": "b"}]
)
def test_a_preview_without_a_plan_is_no_reference(output):
    with pytest.raises(InputError, match="give the preview an evidence_path"):
        plan_reference(output)


def test_there_is_no_plan_where_there_is_no_file(path):
    with pytest.raises(InputError, match="there is no plan at"):
        Plan.read(path.with_name("plan-2.jsonl.gz"))


def test_a_plan_that_was_never_finished_is_none(path):
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    assert Plan.read(path) is None
    path.write_bytes(path.read_bytes()[:-9])
    assert Plan.read(path) is None
