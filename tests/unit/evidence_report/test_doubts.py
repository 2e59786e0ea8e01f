"""Leads that are unanswered: until another call of the same request was answered, named with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_leadreset.evidence_report.collect import account_of
from support.evidence_tries import LEADS, write_try

TIMED_OUT = "no answer within 30 s"


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "report" / "dag" / "run" / "reset" / "unmapped"


def told(task: Path, begins: str) -> list[tuple[str, str]]:
    """Return the headings that begin so, and what is said under each."""
    (run,) = account_of(task.parents[4]).runs
    return [line for line in run.lines if line[0].startswith(begins)]


@pytest.mark.parametrize("other", [{"request_digest": "another window"}, {"generation": "1.1 after a Clear"}])
def test_another_request_settles_no_doubt(task, other):
    """What another request came to, or the same after a Clear, says nothing of a lead that was in doubt before."""
    write_try(task, 1, [(LEADS[0], "unanswered", TIMED_OUT), (LEADS[1], "queued", "")], leads=2)
    write_try(task, 2, [(LEADS[0], "queued", ""), (LEADS[1], "queued", "")], leads=2, **other)
    first, second = (said for _, said in told(task, "Sent"))
    assert "1 lead queued" in first
    assert first.endswith("; 1 lead unanswered, which may have been reset")
    assert "2 resets in 1 try: 2 leads queued" in second
    assert "unanswered" not in second
    assert [heading for heading, _ in told(task, "Sent")] == ["Sent by reset, try-1", "Sent by reset, try-2"]
    assert told(task, "Unanswered") == [("Unanswered of reset, try-1", f"{LEADS[0]}: {TIMED_OUT}")]


def test_same_request_settles_a_doubt(task):
    """A later try of the same request that has it queued settles the doubt, one that is refused does not."""
    doubts = [(lead, "unanswered", TIMED_OUT) for lead in LEADS[:4]]
    write_try(task, 1, doubts, leads=4)
    write_try(task, 2, [(LEADS[0], "queued", ""), (LEADS[1], "failed", "refused")], leads=4)
    write_try(task, 3, [(LEADS[2], "nothing_to_reset", "already_gone")], leads=4)
    ((heading, said),) = told(task, "Sent")
    assert heading == "Sent by reset"
    assert "1 lead queued" in said
    assert said.endswith("; 1 lead: nothing to reset; 2 leads unanswered, which may have been reset")
    ((_, named),) = told(task, "Unanswered")
    assert named == f"{LEADS[1]}: {TIMED_OUT}; later: refused; {LEADS[3]}: {TIMED_OUT}"
    assert told(task, "Failed") == []


def outcomes() -> Iterator[tuple[str, str, str]]:
    yield LEADS[0], "queued", ""
    yield LEADS[1], "failed", "refused"
    yield LEADS[2], "unknown", "no such lead"
    yield LEADS[3], "unanswered", TIMED_OUT
    yield LEADS[4], "nothing_to_reset", "without_records"
    yield LEADS[5], "not_reached", ""


def test_leads_add_up(task):
    """Each lead is told once: the numbers add up to the leads that were asked for, excluded ones too."""
    excluded = [(lead, "excluded", "excluded") for lead in LEADS[7:10]]
    write_try(task, 1, [*excluded, *outcomes()], named=(LEADS[6],), leads=13, excluded=3, summary=False)
    ((_, said),) = told(task, "Sent")
    assert said.partition("LeadSquared, from ")[0].endswith("1 lead queued by ")
    assert said.partition("+00:00; ")[2] == (
        "1 lead: nothing to reset; 3 leads: excluded; 2 leads failed or unknown; "
        "2 leads unanswered, which may have been reset; 4 leads never sent"
    )
    ((run,),) = (account_of(task.parents[4]).runs,)
    counts = run.tasks[0].outcomes()
    assert (counts["excluded"], counts["not_reached"], counts.total()) == (3, 4, 13)


def test_many_doubts_are_limited(task):
    """Of many unanswered leads twenty are named, each with its reason, and the others counted."""
    write_try(task, 1, [(lead, "unanswered", "x" * 400) for lead in LEADS], leads=30)
    ((_, named),) = told(task, "Unanswered")
    assert named.count(": xxx") == 20
    assert named.endswith("x; and 10 more")


def test_why_a_named_lead_is_unanswered(task):
    """Of a lead that a killed try only named it is said so, with the answer to its call if the journal has it."""
    folder = write_try(task, 1, [(LEADS[0], "queued", "")], named=(LEADS[1],), summary=False)
    ((_, named),) = told(task, "Unanswered")
    why = "named for a call, and the try was ended before it told what became of it"
    assert named == f"{LEADS[1]}: {why}"
    part = sorted(folder.glob("*-0????.jsonl"))[-1]
    head, call, _ = part.read_text().splitlines(keepends=True)
    part.write_text(head.replace('"lines": 2', '"lines": 1') + call)
    ((_, named),) = told(task, "Unanswered")
    assert f"{LEADS[0]}: {why}, but for its call: queued" in named
