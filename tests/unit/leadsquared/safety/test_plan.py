"""A plan file: what was written is what is read, or it is refused."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.records.records import PLAN_KINDS
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety import plan as plan_module
from airflow_provider_leadreset.leadsquared.safety.plan import Plan, PlanWriter, plan_reference
from support.peak_memory import bomb, cost_of, needs_linux
from support.written import written

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
    file, _ = writer.finish({"leads": 3}, datetime(2026, 10, 2, 1, tzinfo=UTC))
    path = tmp_path / "plan-1.jsonl.gz"
    with file:
        path.write_bytes(file.read())
    return path


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    change(lines)
    path.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))


def test_whole_digest_is_compared(path):
    """A plan is taken by its whole digest: one that begins or ends alike is another's."""
    plan = Plan.read(path)
    assert plan
    plan.check(digest=plan.digest, now=plan.made_at, max_age=timedelta(days=7))
    for at in range(64):
        other = plan.digest[:at] + ("1" if plan.digest[at] == "0" else "0") + plan.digest[at + 1 :]
        with pytest.raises(InputError, match="not the one that was shown"):
            plan.check(digest=other, now=plan.made_at, max_age=timedelta(days=7))
    for other in (plan.digest[:8], plan.digest[:-1], f"{plan.digest} "):
        with pytest.raises(InputError, match="not the one that was shown"):
            plan.check(digest=other, now=plan.made_at, max_age=timedelta(days=7))


def test_plan_round_trip(path):
    """A plan is read as it was written."""
    plan = Plan.read(path)
    assert plan
    assert (plan.leads.count, plan.counts) == (
        3,
        {"activities": 6, "tasks": 0, "notes": 3, "audits": 0, "tasks_of_unknown_type": 0},
    )
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


def unpacked(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def pack(path: Path, lines: list[bytes]) -> None:
    """Pack lines with an end that counts and digests them as a plan's own does."""
    leads = [json.loads(line) for line in lines if line.startswith(b'{"prospect_id"')]
    counts = {
        kind: sum(len(line[kind]) for line in leads if isinstance(line.get(kind), list))
        for kind in PLAN_KINDS
    }
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    end = {"end": True, "leads": len(leads), "counts": counts, "digest": digest}
    path.write_bytes(gzip.compress(b"".join(lines) + json.dumps(end).encode() + b"\n"))


HEAD = {
    "plan": 1,
    "account": {"host": "api.leadsquared.com", "code": "1"},
    "made_by": ["d", "r", "t", -1],
    "request_digest": "f",
    "window": "2026-08-31T00:00:00Z/2026-09-30T00:00:00Z",
    "timezone": "UTC",
    "selectors": {"activity_event_list": [166]},
    "made_at": "2026-10-02T00:00:00+00:00",
}
LEAD = {"prospect_id": LEADS[0], "activities": ["a"]}
PREVIEW = {"preview": {"leads": 3}, "finished_at": "2026-10-02T01:00:00+00:00"}


def lines_of(*contents: dict[str, Any]) -> list[bytes]:
    return [json.dumps(content).encode() + b"\n" for content in contents]


def test_lines_as_tests_write_them(path):
    """A plan of the lines below is one, so that it is their change that is refused."""
    pack(path, lines_of(HEAD, LEAD, PREVIEW))
    plan = Plan.read(path)
    assert plan
    assert list(plan.leads) == LEADS[:1]


@pytest.mark.parametrize(
    "content",
    [
        b"[1]\n",
        b'{"end": true}\n',
        b'{"plan": 1}\n{"end": true}\n',
        b"[" * 100_000,
        b"\xff\xfe",
        b"\0" * 5000,
        b"1\n",
        b"{}\n",
        b"NaN\n",
        b"\xef\xbb\xbf{}\n",
        json.dumps(HEAD).encode("utf-16"),
        b"x",
    ],
    ids=lambda content: repr(content)[:30],
)
def test_invalid_plan_refused(path, content):
    """A file that is not a plan is refused, packed or not."""
    path.write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"no plan|was changed"):
        Plan.read(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"no plan|was changed"):
        Plan.read(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": 2}, "it is of version 2"),
        ({"plan": True}, "it is of version True"),
        ({"plan": None}, "it is of version None"),
        ({"account": "api.leadsquared.com"}, "as account"),
        ({"account": {}}, "None as host"),
        ({"account": {"host": "h", "code": {}}}, "as account"),
        ({"account": {"host": "h", "code": "1", "key": []}}, "as account"),
        ({"made_by": ["d"]}, "as made_by"),
        ({"request_digest": 5}, "5 as request_digest"),
        ({"window": None}, "None as window"),
        ({"window": "2026-09-01"}, "is not two sides"),
        ({"window": "9999-01-01/P9999Y"}, "window"),
        ({"timezone": "Nowhere"}, "is not known"),
        ({"timezone": ["UTC"]}, "as timezone"),
        ({"selectors": None}, "as selectors"),
        ({"selectors": {}}, "nothing to delete was named"),
        ({"selectors": {"activity_event_list": [10**50]}}, "activity_event_list holds"),
        ({"selectors": {"new_list": [1]}}, "other selectors"),
        ({"made_at": "yesterday"}, "'yesterday' as made_at"),
        ({"made_at": "2026-10-02T00:00:00"}, "as made_at"),
        ({"made_at": 1e300}, "as made_at"),
    ],
    ids=written,
)
def test_odd_head_refused(path, change, said):
    """A plan whose head says what none can say is refused, though its end fits."""
    pack(path, lines_of({**HEAD, **change}, LEAD, PREVIEW))
    with pytest.raises(InputError, match=said) as caught:
        Plan.read(path)
    assert str(caught.value).startswith(f"{path} is no plan")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (lines_of(LEAD, PREVIEW), "line 1, a lead, comes after nothing"),
        (lines_of(HEAD, HEAD, PREVIEW), "line 2, the head, comes after the head"),
        (lines_of(HEAD, PREVIEW, LEAD), "line 3, a lead, comes after the preview"),
        (lines_of(HEAD, LEAD), "line 3, the end, comes after a lead"),
        (lines_of(HEAD, PREVIEW, PREVIEW), "comes after the preview"),
        (
            lines_of(HEAD, LEAD, {**LEAD, "prospect_id": LEADS[0].upper()}, PREVIEW),
            "names the lead .* a second time",
        ),
        (lines_of(HEAD, {**LEAD, "prospect_id": None}, PREVIEW), "prospect_id of line 2 holds None"),
        (lines_of(HEAD, {**LEAD, "activities": "ab"}, PREVIEW), "activities of line 2 are no list of ids"),
        (lines_of(HEAD, {**LEAD, "notes": [["a"]]}, PREVIEW), "notes of line 2 are no list of ids"),
        (lines_of(HEAD, LEAD, {"preview": None}), "line 3 holds no preview"),
        (lines_of(HEAD, LEAD, {"preview": {}}), "its last line but one has None as finished_at"),
        (lines_of(HEAD, LEAD, {**PREVIEW, "finished_at": "2026-10-02T01:00:00"}), "as finished_at"),
        (lines_of(HEAD, LEAD, {**PREVIEW, "finished_at": 1e300}), "as finished_at"),
        (lines_of(HEAD, {"other": 1}, PREVIEW), "line 2 is none of a plan's"),
        (
            [*lines_of(HEAD), b'{"prospect_id": "%b", "notes": ["a"], "notes": []}\n' % LEADS[0].encode()],
            "twice",
        ),
        ([*lines_of(HEAD), b'{"prospect_id": 1e999}\n'], "a number too large"),
        ([*lines_of(HEAD), b'{"prospect_id": ' + b"9" * 5000 + b"}\n"], "5000 digits"),
        ([*lines_of(HEAD), b'{"prospect_id": "\\ud800"}\n'], "no GUID"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_odd_lines_refused(path, lines, said):
    """A plan whose lines are not those of a plan is refused, though its end fits."""
    path.write_bytes(gzip.compress(b"".join(lines)))
    with contextlib.suppress(ValueError):  # no end of it can be made: it is refused before
        pack(path, lines)
    with pytest.raises(InputError, match=said):
        Plan.read(path)


def contents(plan: Plan) -> list[object]:
    return [
        list(plan.records()),
        plan.window,
        plan.selectors,
        plan.account,
        plan.made_at,
        plan.finished_at,
        plan.digest,
        plan.leads.digest,
        plan.leads.rows,
        plan.preview,
    ]


@pytest.mark.parametrize("mask", [0x55, 0xFF, 1, 2, 4, 8, 16, 32, 64, 128])
def test_damaged_plan_refused(path, mask):
    """A changed byte is refused wherever it is, unless it changes nothing of what is read; it never reads as none."""
    whole, as_written = path.read_bytes(), contents(Plan.read(path))
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        try:
            plan = Plan.read(path)
        except InputError:
            refused += 1
            continue
        assert plan, place
        assert contents(plan) == as_written, place
    assert refused > 0.9 * len(whole)


def test_changed_text_refused(path):
    """A changed character of any line is refused, or changes nothing of what is read."""
    text, as_written = b"".join(unpacked(path)), contents(Plan.read(path))
    refused = 0
    for place in range(len(text)):
        path.write_bytes(gzip.compress(text[:place] + b"~" + text[place + 1 :], 1))
        try:
            plan = Plan.read(path)
        except InputError:
            refused += 1
            continue
        assert plan is not None, place
        assert contents(plan) == as_written, place
    assert refused >= len(text) - 1


IMPORTS = "from airflow_provider_leadreset.leadsquared.safety.plan import Plan"
BOMBS = [
    (b"", b"a", b"", "line 1 is longer than 12 MiB"),
    (b"", b"\0", b"", "line 1 is longer than 12 MiB"),
    (b'{"plan": ', b"[", b"", "line 1 is longer than 12 MiB"),
]
LINES = [
    (b'{"plan": [', b"[],", b"0]}\n", "holds more than 400000 values"),
    (b'{"plan": [', b"{},", b"0]}\n", "holds more than 400000 values"),
    (b'{"plan": [', b'"ab",', b"0]}\n", "holds more than 400000 values"),
    (b'{"plan": "\\ud83d\\ude00', b"a", b'"}\n', "it is of version"),
    (b'{"plan": "\xf0\x9f\x98\x80', b"a", b'"}\n', "line 1 is none of a plan's"),
    (b'{"plan": ', b"1", b"}\n", "it has a number of"),
    (b'{"plan": ', b"[", b"}\n", "nested more than 100 deep|400000 values"),
    (b'{"plan": 1, "x": [', b'"12345678901234567890123456789012345",', b"0]}\n", "as window|line 2"),
]


@needs_linux
@pytest.mark.parametrize(("beginning", "block", "end", "said"), BOMBS + LINES)
def test_bomb_refused_in_flat_memory(path, beginning, block, end, said):
    """A small file that unpacks to much, or a line that parses to much, is refused and takes little memory."""
    most = 11 if end else 300
    path.write_bytes(bomb(beginning, block, most, end))
    cost = cost_of(IMPORTS, "Plan.read(path)", path)
    assert cost.error in ("InputError", ""), cost
    assert cost.mib < 100
    if cost.error:
        assert re.search(said, cost.text), cost.text
    else:
        assert "line 2" in said, "its one line is a plan's, and the plan is not finished"


def test_lead_with_many_records(path):
    """A plan may hold a lead with two hundred thousand records."""
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(200_000)]
    pack(path, lines_of(HEAD, {"prospect_id": LEADS[0], "activities": ids}, PREVIEW))
    plan = Plan.read(path)
    assert plan
    assert [records["activities"] for _, records in plan.records()] == [ids]


def test_larger_file_refused(path, monkeypatch):
    """A file that is larger than any plan is not copied."""
    monkeypatch.setattr(plan_module, "MOST_FILE", path.stat().st_size - 1)
    with pytest.raises(InputError, match="is no plan: it holds more than"):
        Plan.read(path)


MADE_AT = datetime(2026, 10, 2, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"digest": "other"}, "is not the one that was shown"),
        ({"now": MADE_AT + WEEK + timedelta(seconds=1)}, "longer ago than max_plan_age=7 days"),
        ({"max_age": timedelta(hours=1)}, "longer ago than max_plan_age=1:00:00"),
        ({"now": MADE_AT - timedelta(minutes=6)}, "which is in the future"),
    ],
)
def test_plan_check(path, changed, said):
    """A plan is accepted only as it was shown, and in time."""
    plan = Plan.read(path)
    assert plan
    good = {"digest": plan.digest, "now": MADE_AT + WEEK, "max_age": WEEK}
    plan.check(**good)
    plan.check(**{**good, "now": MADE_AT + 99 * WEEK, "max_age": None})
    with pytest.raises(InputError, match=said):
        plan.check(**{**good, **changed})


def test_plan_of_another_account(path):
    """A plan is taken for its own account only."""
    plan = Plan.read(path)
    own = AccountIdentity("api.leadsquared.com", "k", "1")
    plan.check_account(own)
    for other in (replace(own, code="2"), replace(own, host="api-in21.leadsquared.com")):
        with pytest.raises(InputError, match="and the connection leads to"):
            plan.check_account(other)


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
    """A plan that was cut off anywhere before its end was whole counts as none, and is not called damaged."""
    whole, as_written = path.read_bytes(), contents(Plan.read(path))
    none = 0
    for length in (0, *range(2, len(whole))):
        path.write_bytes(whole[:length])
        plan = Plan.read(path)
        none += plan is None
        assert plan is None or contents(plan) == as_written, length
    assert none >= len(whole) - 20


def test_plan_without_its_last_lines(path):
    """A plan whose last lines were never written counts as none."""
    lines = unpacked(path)
    for count in range(len(lines)):
        path.write_bytes(gzip.compress(b"".join(lines[:count])))
        assert Plan.read(path) is None
