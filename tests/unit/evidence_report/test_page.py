"""The page for an auditor, of runs that stand in folders as a run writes them."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.evidence import main
from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.render import Made, as_html
from airflow_provider_leadreset.leadsquared.journal.schema import Trigger
from support.evidence_runs import (
    TOKEN,
    SampleRun,
    Told,
    answer,
    done_and_verified,
    lead_id,
    nothing_sent,
    partly_done,
    queued,
)
from support.html_page import Element, parse_html, section

MADE = Made(source="/mnt/leadreset", at=datetime(2026, 10, 5, 8, 30, tzinfo=UTC), version="9.8.7")
LEADS = [lead_id(number) for number in range(6)]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202eevil\x00'


@pytest.fixture
def page(tmp_path: Path) -> Callable[[], Element]:
    """The page of the evidence that a test has written."""
    return lambda: parse_html(as_html(account_of(tmp_path).runs, MADE))


@pytest.fixture
def run(tmp_path: Path) -> SampleRun:
    """A run with a plan of six leads."""
    run = SampleRun(tmp_path)
    run.plan(LEADS)
    return run


def verdict(page: Element) -> tuple[str, list[str]]:
    """Return the words of the verdict, and the sentences below it."""
    box = page.all("section")[0]
    assert "verdict" in box.attributes["class"].split()
    sign, title = box.one("span").text, box.one("h3").text
    return title.removeprefix(sign).strip(), [item.text for item in box.all("li")]


def facts(page: Element, heading: str = "What was asked for") -> dict[str, str]:
    return dict(section(page, heading).one("table").rows())


SAMPLES = [done_and_verified, partly_done, nothing_sent]


@pytest.mark.parametrize("write", SAMPLES)
def test_structure(tmp_path, page, write):
    """A page has language, title and headings in order; its tables have heads with a scope; the verdict comes first."""
    write(tmp_path)
    html = page()
    assert html.one("html").attributes["lang"] == "en"
    assert html.one("title").text.endswith("Evidence of lead resets")
    assert [one.attributes["content"] for one in html.all("meta") if one.attributes.get("name") == "viewport"]
    headings = [int(one.name[1]) for one in html.all("h1", "h2", "h3", "h4")]
    assert headings[:3] == [1, 2, 3]
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert html.all("section")[0].attributes["class"].startswith("verdict")
    for table in html.all("table"):
        assert all(head.attributes["scope"] in {"row", "col"} for head in table.all("th"))
        assert (
            all(row.all("th") for row in table.one("tbody").all("tr")) or "times" in table.attributes["class"]
        )
        lengths = {len(cells) for cells in table.rows()}
        assert len(lengths) == 1
    ids = [one.attributes["id"] for one in html.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    named = [one.attributes["aria-labelledby"] for one in html.all() if "aria-labelledby" in one.attributes]
    assert named
    assert set(named) <= set(ids)


@pytest.mark.parametrize("write", SAMPLES)
def test_nothing_runs_or_loads(tmp_path, page, write):
    """No page has a script or loads anything, and its policy forbids both."""
    write(tmp_path)
    html = page()
    assert html.all("script", "link", "img", "iframe", "object", "base", "form") == []
    for one in html.all():
        assert not {"src", "style", "srcset", "action"} & set(one.attributes)
        assert not [name for name in one.attributes if name.startswith("on")]
        assert one.attributes.get("href", "#").startswith("#")
    style = html.one("style").text
    assert not re.search(r"url\(|@import|@font-face|expression", style)
    (policy,) = [
        one for one in html.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.attributes["content"].startswith("default-src 'none';")


def test_done_and_verified(tmp_path, page):
    """Of a run that did all, the page says that the API no longer gives it, and shows what, who and when."""
    done_and_verified(tmp_path)
    html = page()
    assert verdict(html) == (
        "The API no longer gives the planned records",
        [
            "LeadSquared queued the reset of 12 leads.",
            "The API no longer gives 36 of 36 planned records of 12 leads.",
        ],
    )
    told = facts(html)
    assert told["Account"] == "Acme Homes (code 21438) at api-in21.leadsquared.com"
    assert told["Records"] == "activities of event 166, 167; notes"
    assert told["Created"] == (
        "from 2026-09-01 00:00:00 to before 2026-10-01 00:00:00 Asia/Kolkata "
        "from 2026-08-31 18:30:00 to before 2026-09-30 18:30:00 UTC"
    )
    assert told["Sent as"] == "2026-08-31 18:30:00 to 2026-09-30 18:29:59 UTC"
    assert told["Reason given"] == "Test calls of the September import, ticket CRM-17"
    assert told["Copies"] == "24 activities, 12 notes, in 1 closed part"
    assert section(html, "Records of each kind").one("table").rows() == [
        ["Kind", "Planned", "Copied before"],
        ["activities", "24", "24"],
        ["notes", "12", "12"],
        ["all", "36", "36"],
    ]
    assert "the API no longer gives 36 of 36" in section(html, "Records of each kind").text
    assert facts(html, "Who decided") == {
        "Started the run": "asha (manual)",
        "Approved": "Meera Iyer (id 7) 2026-10-02 04:25:00 UTC 2026-10-02 09:55:00 Asia/Kolkata Approve",
        "Keys of": "Asha <asha@example.com> a user of LeadSquared",
    }
    assert "two persons decided" in section(html, "Who decided").text
    assert section(html, "What happened when").one("table").rows()[1:] == [
        [
            "2026-10-02 04:00:00 UTC 2026-10-02 09:30:00 Asia/Kolkata",
            "preview made the plan: 24 activities, 12 notes of 12 leads",
        ],
        ["2026-10-02 04:25:00 UTC 2026-10-02 09:55:00 Asia/Kolkata", "Meera Iyer (id 7) approved"],
        ["2026-10-02 04:26:00 UTC 2026-10-02 09:56:00 Asia/Kolkata", "reset, try 1, began with 12 leads"],
        ["2026-10-02 04:26:10 UTC 2026-10-02 09:56:10 Asia/Kolkata", "reset sent the first reset"],
        ["2026-10-02 04:26:12 UTC 2026-10-02 09:56:12 Asia/Kolkata", "reset sent the last of 12 resets"],
        [
            "2026-10-02 04:41:00 UTC 2026-10-02 10:11:00 Asia/Kolkata",
            "verify found that the API no longer gives 36 of 36 planned records",
        ],
    ]
    assert "Failed, unknown and unanswered" not in html.text
    assert "cannot be relied on" not in html.text


def test_made_when_and_from_what(run, page):
    """A page says when it was made, by which version and from what."""
    header = page().one("header")
    assert header.one("time").attributes["datetime"] == "2026-10-05T08:30:00+00:00"
    assert "2026-10-05 08:30:00 UTC by airflow-provider-leadreset 9.8.7" in header.text
    assert header.one("code").text == "/mnt/leadreset"


def test_digest_stands_once(tmp_path, page):
    """The digests of the chain, of the plan and of the verification stand on the page once each."""
    sample = done_and_verified(tmp_path)
    (summary,), (verification,) = tmp_path.rglob("*-summary.json"), tmp_path.rglob("*-verification.json")
    html = page()
    assert facts(html, "To hold against what others keep") == {
        "plan of preview": sample.digest,
        "evidence of reset, try 1": hashlib.sha256(summary.read_bytes()).hexdigest(),
        "verification of verify": hashlib.sha256(verification.read_bytes()).hexdigest(),
    }
    assert len(re.findall(r"\b[0-9a-f]{64}\b", html.text)) == 3


@pytest.mark.parametrize(("digest", "said"), [(None, "As expected:"), ("0" * 64, "NOT as expected:")])
def test_expected_digest(tmp_path, digest, said):
    """The page says whether the evidence is what a digest that was kept elsewhere says."""
    done_and_verified(tmp_path)
    (summary,) = tmp_path.rglob("*-summary.json")
    digest = digest or hashlib.sha256(summary.read_bytes()).hexdigest()
    file = tmp_path / "page.html"
    assert main([str(tmp_path / "report"), "--html", str(file), "--expect", digest]) == (
        3 if "NOT" in said else 0
    )
    assert said in parse_html(file.read_text()).one("header").text


def test_request_before_a_clear(run, page):
    """What was in doubt before a Clear stays in doubt, though all is queued after it."""
    run.reset([*queued(LEADS[:5]), Told(LEADS[5], "unanswered", "timed out")], summary={}, generation="0.1")
    run.reset(queued(LEADS), summary={}, try_number=2, minutes=90, generation="1.1")
    run.verification(leads=6, records=18)
    html = page()
    assert verdict(html)[0] == "Not all of the reset is done or shown"
    counts = {row[0]: row[1] for row in section(html, "What became of the leads").one("table").rows()}
    assert (counts["queued"], counts["unanswered"], counts["all"]) == ("11", "1", "12")


def test_unfinished_plan(run, page):
    """A plan whose preview was ended before it was done counts for nothing, and is named."""
    plan = Path(run.plan_path)
    packed = plan.read_bytes()
    plan.with_name("plan-2.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    assert "plan-2.jsonl.gz was never finished and counts for nothing" in facts(page())["Plan"]


def test_partly(tmp_path, page):
    """Of a run with failed and unanswered leads and a torn part, each is told with its reason."""
    partly_done(tmp_path)
    html = page()
    title, said = verdict(html)
    assert title == "Not all of the reset is done or shown"
    assert said == [
        "LeadSquared queued the reset of 36 leads.",
        "2 leads failed and were not reset.",
        "1 lead unknown to the account: not reset.",
        "1 lead unanswered: LeadSquared's own answer did not come, so it may have been reset.",
        "No verification of it is in the evidence: what is queued may still be there.",
        "1 file cannot be relied on: listed below.",
    ]
    rows = section(html, "Failed, unknown and unanswered leads").one("table").rows()[1:]
    assert [row[:2] for row in rows] == [
        [
            lead_id(3),
            "failed : holds 1 record that the plan does not show: activity 167/9b1c of 2026-10-02 09:41:07",
        ],
        [lead_id(11), "failed : HTTP 500, MXInvalidInputException: the lead is locked by an import"],
        [lead_id(17), "unknown : the account has no such lead"],
        [lead_id(39), "unanswered : the connection was closed before an answer came"],
    ]
    assert rows[3][2:] == ["2 activities, 1 note", "2026-10-02 04:37:12", "2"]
    assert [row[:4] for row in section(html, "Tries and their files").one("table").rows()[1:]] == [
        ["reset", "1", "40", "3"],
        ["reset", "2", "40", "2"],
    ]
    assert "without a summary" in section(html, "Tries and their files").text
    assert f"try-1/{TOKEN}-00003.jsonl cannot be read" in section(html, "Files that cannot be relied on").text
    counts = {row[0]: row[1] for row in section(html, "What became of the leads").one("table").rows()}
    assert (counts["queued"], counts["failed"], counts["unknown"], counts["unanswered"]) == (
        "36",
        "2",
        "1",
        "1",
    )
    assert counts["all"] == "40"
    assert "not known: Airflow did not tell who started it" in section(html, "Who decided").text


def test_nothing_sent(tmp_path, page):
    """Of a run that ended before its first call, the page says so, and why."""
    nothing_sent(tmp_path)
    html = page()
    title, said = verdict(html)
    assert title == "No reset was sent"
    assert said[0].endswith("ended before all leads were reached: interrupted by AirflowTaskTimeout.")
    assert said[1:] == ["12 leads not reached: no reset of them was sent."]
    assert "one person alone decided" in section(html, "Who decided").text
    assert "approved: true; ticket: CRM-18" in section(html, "Who decided").text
    assert facts(html)["Owner's rules"] == "resets: true; require: plan, approval"
    assert facts(html)["Copies"] == "none was asked for"
    assert section(html, "Records of each kind").one("table").rows()[0] == ["Kind", "Planned"]


def test_plan_alone(run, page):
    """Of a run with a plan and no reset, nothing was sent."""
    html = page()
    assert verdict(html) == ("No reset was sent", ["There is a plan, and no evidence of a reset."])
    assert "Who decided" not in html.text


def test_no_approval(run, page):
    """Of a run without an approval, the page says that nobody approved."""
    run.reset(queued(LEADS), summary={}, approval=None, approver_is_trigger=None, trigger=Trigger())
    told = facts(page(), "Who decided")
    assert told["Approved"] == "nobody no approval is in the evidence"
    assert told["Started the run"] == "not told by Airflow"


def test_not_verified(run, page):
    """What is queued and not verified is no more than queued."""
    run.reset(queued(LEADS), summary={})
    title, said = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert said[-1] == "No verification of it is in the evidence: what is queued may still be there."


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gone": 17}, "verify found that the API no longer gives 17 of 18 planned records."),
        ({"unverifiable": ["audits: none is shown"]}, "Not verified: audits: none is shown."),
        ({"unknown_leads": LEADS[:1]}, "1 lead unknown to the account: nothing is shown of them."),
    ],
)
def test_verified_in_part(run, page, values, said):
    """What a verification leaves open is said."""
    run.reset(queued(LEADS), summary={})
    run.verification(leads=6, records=18, **values)
    title, sentences = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert said in sentences


def test_verification_of_another_plan(run, page):
    """A verification of another plan verifies nothing."""
    run.reset(queued(LEADS), summary={})
    run.digest = "0" * 64
    run.verification(leads=6, records=18)
    assert verdict(page())[0] == "Not all of the reset is done or shown"


def test_unanswered_of_a_killed_try(run, page):
    """A lead that was named for a call, and of which nothing more is told, is unanswered, also after a failed retry."""
    run.reset([*queued(LEADS[:4]), Told(LEADS[4], None), Told(LEADS[5], None)], summary=None)
    html = page()
    title, said = verdict(html)
    assert title == "Not all of the reset is done or shown"
    assert any("unanswered" in sentence for sentence in said)
    assert "the try was ended before it told what became of it" in html.text
    run.reset([Told(LEADS[4], "failed", "no"), *queued(LEADS[5:])], try_number=2, minutes=30, summary=None)
    rows = section(page(), "Failed, unknown and unanswered leads").all("table")[-1].rows()
    assert LEADS[4] in {row[0] for row in rows if row[1].startswith("unanswered")}


def test_summary_against_its_journals(run, page):
    """A summary that says more than the journals tell makes no verdict."""
    folder = run.reset(queued(LEADS[:3]), leads=6, summary={"queued": 6})
    run.verification(leads=6, records=18)
    assert (folder / f"{TOKEN}-summary.json").exists()
    title, said = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert "The journals tell of 3 leads queued only." in said


def test_journals_against_their_summary(run, page):
    """What a journal has as queued is queued, whatever a summary says, and is never said not to be reached."""
    run.reset(queued(LEADS), summary={"queued": 4, "not_reached": 2})
    title, said = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert said[0] == "LeadSquared queued the reset of 6 leads."
    assert "The journals tell of 6 leads queued, the summaries of 4." in said
    assert "not reached" not in " ".join(said)


def test_reset_removed_since(tmp_path, page):
    """Where a verification and copies tell of a reset whose own files are gone, it is not said that none was sent."""
    done_and_verified(tmp_path)
    (reset,) = tmp_path.glob("report/*/*/reset")
    shutil.rmtree(reset)
    title, said = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert said == [
        "The evidence of the reset is missing: no reset is by the plan that verify verified.",
        "The evidence of the reset is missing: reset has copies, and no request.",
        "1 file cannot be relied on: listed below.",
    ]
    for part in tmp_path.rglob("*-archive-*.jsonl.gz"):
        part.unlink()
    assert verdict(page()) == ("Not all of the reset is done or shown", said[:1])


def test_later_try_removed_since(run, page):
    """After a try that was killed another may have been: of what it did not reach there is no evidence, and no more."""
    run.reset(queued(LEADS[:3]), leads=6, summary=None, closed=True)
    title, said = verdict(page())
    assert title == "Not all of the reset is done or shown"
    assert (
        "3 leads not reached, as far as is known: there is no evidence that a reset of them was sent." in said
    )


def test_copies_removed_since(run, page):
    """Copies that were written and are not there any more are removed since, which is no damage."""
    run.reset(queued(LEADS), summary={}, copies=3)
    run.verification(leads=6, records=18)
    for part in run.root.rglob("*-archive-*.jsonl.gz"):
        part.unlink()
    html = page()
    assert verdict(html)[0] == "The API no longer gives the planned records"
    assert facts(html)["Copies"] == "1 part written once, removed since"


def test_changed_part(run, page):
    """A part that was changed since is named, and there is no clean verdict."""
    folder = run.reset(queued(LEADS), summary={})
    run.verification(leads=6, records=18)
    part = folder / f"{TOKEN}-00002.jsonl"
    part.write_text(part.read_text().replace(LEADS[0], LEADS[1], 1))
    html = page()
    assert verdict(html)[0] == "Not all of the reset is done or shown"
    assert part.name in section(html, "Files that cannot be relied on").text


def test_nothing_readable(run, page):
    """Where what could tell of calls cannot be read, it is not said that none was sent."""
    folder = run.reset([Told(lead, "not_reached") for lead in LEADS], summary={})
    (folder / f"{TOKEN}-00001.jsonl").write_bytes(b"{")
    assert verdict(page())[0] == "Not all of the reset is done or shown"


def test_hostile_texts(tmp_path, page):
    """Texts of others come cleaned and escaped, wherever they stand."""
    run = SampleRun(tmp_path)
    run.plan(LEADS)
    approval: dict[str, Any] = answer(HOSTILE)
    folder = run.reset(
        [Told(HOSTILE, "failed", HOSTILE), Told(LEADS[0], "unanswered", HOSTILE)],
        summary={"stopped_because": HOSTILE},
        account={"host": HOSTILE, "code": HOSTILE, "name": HOSTILE},
        keys_user={"name": HOSTILE, "mail": HOSTILE},
        approval=[approval, {"approved": True, "by": HOSTILE, HOSTILE: HOSTILE}, HOSTILE],
        reason=HOSTILE,
        rules={HOSTILE: [HOSTILE]},
        selectors={HOSTILE: HOSTILE},
        window=HOSTILE,
        sent={"FromDate": HOSTILE, "ToDate": HOSTILE},
        trigger=Trigger(run_type=HOSTILE, user=HOSTILE),
        shown={"name": HOSTILE, "sha256": "0" * 64},
    )
    (folder / f"{HOSTILE.replace('/', '_').replace(chr(0), '')}.json").write_text("{}")
    run.verification(leads=6, records=18, unverifiable=[HOSTILE])
    folder.parents[2].rename(folder.parents[2].with_name("<b>run<b>"))
    html = page()
    assert html.all("script", "img") == []
    assert {one.text for one in html.all("b")} == {"failed", "unanswered", "Not done, or not shown:"}
    for sign in "\x1b\u202e\x00":
        assert sign not in html.text
    assert html.text.count("alert(1)") > 20


def test_endless_texts(run, page):
    """Long texts of others are cut."""
    long = "x" * 100_000
    run.reset(
        [Told(long, "failed", long)],
        summary={"stopped_because": long},
        approval=[{"approved": True, "by": long, "ticket": long}] * 100,
        reason=long,
        rules={long: long},
    )
    run.verification(leads=6, records=18, unverifiable=[long] * 100)
    assert len(page().text) < 100_000


def test_many_leads_are_cut(tmp_path, page):
    """Of many leads the first are listed, those in trouble first, and it is said where the others are."""
    run = SampleRun(tmp_path)
    ids = [lead_id(number) for number in range(700)]
    run.reset([*queued(ids[:-1]), Told(ids[-1], "failed", "no")], summary={})
    html = page()
    details = html.one("details")
    rows = details.one("table").rows()[1:]
    assert len(rows) == 501
    assert rows[0][0] == ids[-1]
    assert details.one("summary").text == "501 of 700 leads, those in trouble first"
    assert "open" not in details.attributes
    said = section(html, "Each lead").text
    assert "Not listed here: 199 leads" in said
    assert "report/monthly_clean_up/manual__2026-10-02T04_00_00/reset/unmapped/try-*/" in said


def test_reasons_are_summed_up(tmp_path, page):
    """Where several leads failed for one reason, it stands once with their number, and the leads beneath."""
    run = SampleRun(tmp_path)
    told = [Told(lead_id(number), "failed", f"lead {lead_id(number)} is locked") for number in range(120)]
    run.reset([*told, Told(lead_id(120), "unanswered", "no answer")], summary={})
    part = section(page(), "Failed, unknown and unanswered leads")
    sums, leads = part.all("table")
    assert sums.rows()[1:] == [["failed", "lead … is locked", "120"], ["unanswered", "no answer", "1"]]
    assert len(leads.rows()) == 1 + 50
    assert "50 of 121 leads. A try that ended by itself lists all in its …-failed.jsonl" in part.text


def test_mapped_tasks_are_told_together(tmp_path, page):
    """Parts of a mapped task are summed up, and each is named where they differ."""
    run = SampleRun(tmp_path)
    for index in range(30):
        run.reset(queued([lead_id(index)]), summary={}, map_index=index, reason=f"ticket {index % 2}")
    html = page()
    assert facts(html)["Leads"] == "30 in 30 tasks"
    assert facts(html)["Reason given"] == (
        "ticket 0 (reset map-0, reset map-10, reset map-12 and 12 more) "
        "ticket 1 (reset map-1, reset map-11, reset map-13 and 12 more)"
    )
    assert len(section(html, "Tries and their files").one("table").rows()) == 31
    events = section(html, "What happened when").one("table").rows()
    assert (len(events), events[31]) == (1 + 30 + 1 + 30, ["… 1 more …"])
    assert section(html, "Each lead").one("table").rows()[0][-1] == "Task"


def test_several_runs_have_an_index(tmp_path, page):
    """A page of several runs begins with a table of them that leads to each, and each begins a sheet of its own."""
    done_and_verified(tmp_path)
    partly_done(tmp_path)
    nothing_sent(tmp_path)
    html = page()
    assert html.one("title").text == "3 runs - Evidence of lead resets"
    assert section(html, "3 runs").one("table").rows()[1:] == [
        ["erase_on_request, manual__2026-10-02T04_00_00", "No reset was sent", "12", "0"],
        [
            "monthly_clean_up, manual__2026-10-02T04_00_00",
            "The API no longer gives the planned records",
            "12",
            "12",
        ],
        [
            "monthly_clean_up, scheduled__2026-10-01T18_30_00",
            "Not all of the reset is done or shown",
            "40",
            "36",
        ],
    ]
    ids = {one.attributes["id"] for one in html.all("h2") if "id" in one.attributes}
    assert {link.attributes["href"].removeprefix("#") for link in html.all("a")} <= ids
    assert len(html.all("article")) == 3


def test_no_evidence(page):
    """A page of nothing says so."""
    html = page()
    assert "No evidence was found here." in html.one("main").text
    assert html.one("title").text == "0 runs - Evidence of lead resets"


def test_printed_and_narrow(run, page):
    """The style repeats table heads on paper, opens what is folded, and knows narrow screens."""
    style = page().one("style").text
    paper = style.partition("@media print")[2]
    assert "thead { display: table-header-group; }" in paper
    assert "details::details-content { content-visibility: visible;" in paper
    assert "section + article, article + article { break-before: page; }" in paper
    assert "@page { size: A4;" in style
    assert "@media (max-width: 40rem)" in style


def feet(page: Element) -> list[tuple[str, str]]:
    """The names of the sheets, and what stands at their feet, as a browser reads it."""

    def unescaped(text: str) -> str:
        return re.sub(r"\\([0-9a-f]+) ?", lambda found: chr(int(found[1], 16)), text)

    rules = re.findall(r'@page ?(\S*) \{ @bottom-left \{ content: "([^"\n]*)"; \} \}', page.one("style").text)
    return [(name, unescaped(said)) for name, said in rules]


def test_sheets_name_their_run(tmp_path, page):
    """The foot of each sheet names the run; of several, each sheet its own, whatever its name is."""
    done_and_verified(tmp_path)
    said = "Evidence of lead resets: monthly_clean_up, manual__2026-10-02T04_00_00"
    assert feet(page()) == [("", said)]
    assert "style" not in page().one("article").attributes
    SampleRun(tmp_path, dag_id="x" * 60, run_id="y" * 60).reset(queued(LEADS), summary={})
    SampleRun(tmp_path, dag_id="a", run_id="b").reset(queued(LEADS), summary={})
    (tmp_path / "report" / "a" / "b").rename(tmp_path / "report" / "a" / '"; } } <\\')
    html = page()
    assert sorted(feet(html)) == sorted(
        (name, f"Evidence of lead resets: {run}")
        for name, run in (
            (sheet(html, "monthly_clean_up"), "monthly_clean_up, manual__2026-10-02T04_00_00"),
            (sheet(html, "x" * 60), f"{'x' * 39}…{'y' * 40}"),
            (sheet(html, "a"), 'a, "; } } <\\'),
        )
    )
    assert html.one("footer").attributes["style"] == "page: run-3"  # no sheet for it alone


def sheet(page: Element, dag: str) -> str:
    """The name of the sheets of a DAG's run."""
    (article,) = [one for one in page.all("article") if one.one("h2").text.startswith(f"{dag} run")]
    return article.attributes["style"].removeprefix("page: ")


def test_broken_plan_is_read_once_more(run, page):
    """A plan of a changed file is named, and its leads are told all the same."""
    run.reset(queued(LEADS), summary={})
    plan = Path(run.plan_path)
    plan.write_bytes(plan.read_bytes()[:-30])
    html = page()
    assert "plan-1.jsonl.gz" in section(html, "Files that cannot be relied on").text
    assert "Planned records" not in section(html, "Each lead").one("table").rows()[0]


def test_own_time_zone_alone(tmp_path, page):
    """A plan in UTC has no second time zone."""
    run = SampleRun(tmp_path)
    run.plan(LEADS, timezone="UTC")
    html = page()
    assert facts(html)["Created"].count("from") == 1
    assert section(html, "What happened when").one("table").rows()[1][0] == "2026-10-02 04:00:00 UTC"


def test_wrong_moments(run, page):
    """A moment that is none stands as it is, or is said not to be recorded."""
    run.reset(queued(LEADS), summary=None, asked_at="yesterday", approval={"by": "Asha", "at": "2026-10-02"})
    html = page()
    events = section(html, "What happened when").one("table").rows()
    assert ["no time is recorded", "reset, try 1, began with 6 leads"] in events
    assert facts(html, "Who decided")["Approved"] == "Asha at: 2026-10-02"
