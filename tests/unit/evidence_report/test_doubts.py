"""Leads that are unanswered: until another call of the same request was answered, named with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.evidence_report.timeline import timeline_of
from airflow_provider_leadreset.leadsquared.journal.schema import EarlierTry, FileDigest
from support.evidence_tries import LEADS, OTHER, TOKEN, write_try

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
        "2 leads unanswered, which may have been reset; 4 leads never sent, as far as the evidence goes"
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


def facts(task: Path, name: str) -> list[str]:
    """Return the values of a fact on the page."""
    (run,) = account_of(task.parents[4]).runs
    return [value for fact in RunPage(run).facts if fact.name == name for value in fact.values]


def queued(*places: int) -> list[tuple[str, str, str]]:
    return [(LEADS[place], "queued", "") for place in places]


def agrees(task: Path, **counts: int) -> None:
    """Hold the page's numbers to those that are meant; its leads in trouble are listed."""
    (run,) = account_of(task.parents[4]).runs
    page = RunPage(run)
    assert {outcome.name: outcome.leads for outcome in page.outcomes if outcome.leads} == {
        name.replace("_", " "): count for name, count in counts.items()
    }
    assert len(page.troubled) == page.troubled_count
    for one in page.tries:
        if not one.whole:
            assert (f"Ended: reset, try-{one.name}", one.ended) in run.lines


def test_killed_process_is_told(task):
    """What it recorded is the least that was sent, and what it named for no call was not sent as far as it goes."""
    write_try(task, 1, queued(0, 1), named=(LEADS[2],), leads=10, summary=False)
    ((_, said),) = told(task, "Sent")
    assert said.startswith("at least 2 resets in 1 try (ended without a summary): 2 leads queued")
    assert said.endswith(
        "; 1 lead unanswered, which may have been reset; 7 leads never sent, as far as the evidence goes"
    )
    assert facts(task, "Tries") == ["1 try (ended without a summary)"]
    agrees(task, queued=2, unanswered=1, not_reached=7)
    (run,) = account_of(task.parents[4]).runs
    assert "reset sent the last of 2 resets that are recorded" in {
        event.what for event in timeline_of(run).first
    }
    ((_, ended),) = told(task, "Ended")
    assert ended == "without a summary: it was ended from outside, could not write, or is still at work"


def test_two_processes_of_one_try_are_told(task):
    """They are one try, told apart by the order in which they came, and a second that went on is named."""
    first = write_try(task, 1, queued(0, 1), named=(LEADS[2],), leads=5, summary=False)
    read = [
        FileDigest(name=path.name, sha256=sha256(path.read_bytes()).hexdigest())
        for path in (first / f"{TOKEN}-request.json", sorted(first.glob(f"{TOKEN}-0*.jsonl"))[-1])
    ]
    write_try(
        task, 1, queued(2, 3), token="00000000", leads=5, continues=[EarlierTry(try_number=1, files=read)]
    )
    ((_, said),) = told(task, "Sent")
    assert said.startswith(
        "at least 4 resets in 1 try (2 processes, 1 of them ended without a summary): 4 leads queued"
    )
    assert said.endswith("; 1 lead never sent"), "the last process tells how it ended"
    assert [heading for heading, _ in told(task, "Requested")] == [
        "Requested of reset, try-1, process 1 of 2",
        "Requested of reset, try-1, process 2 of 2",
    ]
    ((heading, ended),) = told(task, "Ended")
    assert heading == "Ended: reset, try-1, process 1 of 2"
    assert ended.endswith("; another process of it went on from what it had told")
    assert facts(task, "Tries") == ["1 try (2 processes, 1 of them ended without a summary)"]


def test_retry_after_a_kill_is_told(task):
    """Both are counted as tries, the retry is named that went on, and what it settled is in doubt no more."""
    first = write_try(task, 1, queued(0, 1), named=tuple(LEADS[2:4]), leads=5, summary=False)
    request = first / f"{TOKEN}-request.json"
    read = FileDigest(name=request.name, sha256=sha256(request.read_bytes()).hexdigest())
    write_try(
        task,
        2,
        queued(2, 4),
        leads=5,
        summary=False,
        token=OTHER,
        continues=[EarlierTry(try_number=1, files=[read])],
    )
    ((_, said),) = told(task, "Sent")
    assert "4 resets in 2 tries (2 of them ended without a summary): 4 leads queued" in said
    assert said.endswith("; 1 lead unanswered, which may have been reset")
    first_end, last_end = (ended for _, ended in told(task, "Ended"))
    assert first_end.endswith("; try-2 went on from what it had told")
    assert last_end.endswith("or is still at work")
    agrees(task, queued=4, unanswered=1)


def test_left_out_by_a_killed_process(task):
    """Leads that it left out as not modified had nothing to reset, on the page as in the text."""
    outcomes = [*queued(0), *((lead, "nothing_to_reset", "not_modified") for lead in LEADS[1:4])]
    write_try(task, 1, outcomes, leads=6, summary=False)
    ((_, said),) = told(task, "Sent")
    assert "; 3 leads: left out, not modified since the window began; 2 leads never sent" in said
    agrees(task, queued=1, nothing_to_reset=3, not_reached=2)
