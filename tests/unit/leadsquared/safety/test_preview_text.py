from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_provider_leadreset.leadsquared.records.catalog import AccountEventType, EventCodes
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.preview import LeadRecordCounts, RecordCounts
from airflow_provider_leadreset.leadsquared.safety.preview_text import (
    PreviewText,
    ResetAhead,
    with_digest,
)
from airflow_provider_leadreset.leadsquared.safety.type_names import TypeNames
from airflow_provider_leadreset.leadsquared.text import pluralize


def codes_of(names: dict[int, str]) -> EventCodes:
    types = {code: AccountEventType(name, is_custom=True) for code, name in names.items()}
    return EventCodes(tuple(names), unknown=(167,), system=(21,), types=types)


WINDOW = parse_window("2026-09-01/2026-10-01")
NOTES = Selectors(should_delete_prospect_notes=True)
LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
OLDEST, NEWEST = datetime(2026, 9, 1, 20, tzinfo=UTC), datetime(2026, 9, 30, 20, tzinfo=UTC)


def text_of(
    counts: RecordCounts, selectors: Selectors, names: TypeNames | None = None, **more: Any
) -> PreviewText:
    return PreviewText(counts, selectors, WINDOW, names or TypeNames(), "host", **more)


def markdown(counts: RecordCounts, selectors: Selectors, names: TypeNames | None = None, **more: Any) -> str:
    return text_of(counts, selectors, names, **more).markdown()


def log_text(counts: RecordCounts, selectors: Selectors, names: TypeNames | None = None) -> str:
    return "\n".join(text_of(counts, selectors, names).log_lines(None))


def notes_of(leads: int, each: int = 1) -> RecordCounts:
    """Leads with so many notes each."""
    counts = RecordCounts()
    for number in range(leads):
        lead = LeadRecordCounts(f"{number:08x}{LEAD[8:]}")
        lead.kinds["notes"].add(each, OLDEST, NEWEST)
        lead.by_type["notes", ""].add(each, OLDEST, NEWEST)
        counts.leads += 1
        counts.add(lead)
    return counts


def test_audits_alone_mentioned():
    """A preview of audits alone does not say that nothing would be deleted."""
    text = markdown(
        RecordCounts(leads=3, unknown=["x"], asks_for_audits=True),
        Selectors(audit_activity_list=("StageChange",)),
    )
    assert text.startswith(
        "### 0 records of 0 leads would be deleted, and audits of 2 leads, which cannot be counted"
    )


def test_account_names_escaped():
    """A name from the account is escaped, so that it stays a name in Markdown and in the log."""
    hostile = "| x |\n# [Yes](http://evil) <b>&lt;b&gt;</b> `a` \u202e\x1b[2J ~~gone~~"
    name = TypeNames(codes_of({166: hostile}), {}, in_markdown=True).activity(166)
    assert "\n" not in name
    assert name.isprintable()
    for sign in "|#[]<>`&~":
        assert name.count(sign) == name.count(f"\\{sign}")
    in_a_log = TypeNames(codes_of({166: hostile}), {}).activity(166)
    assert in_a_log.isprintable()
    assert "\\" not in in_a_log


def test_unnamed_types():
    """A type without a name is still known to the account."""
    names = TypeNames(codes_of({166: ""}), {"A": ""})
    assert (names.activity(166), names.task("a")) == ("unnamed (166)", "unnamed (a)")
    assert "unknown to the account" in names.activity(167)


def test_special_type_names():
    """The text says which types the account does not know and which it never deletes."""
    names = TypeNames(codes_of({166: "Test call"}), {})
    assert names.activity(21) == "event 21 (a system activity: never deleted, not sent)"
    assert "unknown to the account" in names.task("3c8c")
    assert "could not be found out" in names.task("")


def test_row_for_unknown_task_types():
    """Tasks whose type could not be determined have their own row."""
    counts = RecordCounts(leads=1)
    counts.by_type["tasks", ""].count = 2
    kind = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    text = markdown(counts, Selectors(task_type_list=(kind,)), TypeNames(EventCodes(), {kind: "Call"}))
    assert f"| tasks | Call ({kind}) | 0 |" in text
    assert "| tasks | tasks whose type could not be found out, counted as matching | 2 |" in text


def test_long_log():
    """A log has a short line for each of 1,000 leads, and no word of others."""
    lines = list(text_of(notes_of(1000), NOTES).log_lines("s3://b/plan-1.jsonl.gz"))
    listed = [line for line in lines if line.endswith(LEAD[8:]) or f"{LEAD[8:]} " in line]
    assert len(listed) == len({line[:36] for line in listed}) == 1000
    assert len(lines) < 1010
    assert max(map(len, listed)) < 130
    assert max(map(len, lines)) < 150
    assert sum(map(len, lines)) < 130_000
    assert not [line for line in lines if "\n" in line]
    assert not [line for line in lines if "with most records" in line]


def test_log_of_more_leads():
    """Of 1,001 leads that with the fewest records is left out, and the log says where it is."""
    counts = notes_of(1000, each=2)
    fewest = f"{10**7:08x}{LEAD[8:]}"
    lead = LeadRecordCounts(fewest)
    lead.kinds["notes"].add(1, OLDEST, NEWEST)
    most = LeadRecordCounts(f"{10**7 + 1:08x}{LEAD[8:]}")
    most.kinds["notes"].add(3, OLDEST, NEWEST)
    for one in (lead, most):
        counts.leads += 1
        counts.add(one)
    lines = list(text_of(counts, NOTES).log_lines("s3://b/plan-1.jsonl.gz"))
    assert lines[2].startswith(most.prospect_id)
    assert fewest not in "\n".join(lines)
    assert "(the 1000 leads with most records, of 1002; all are in the plan s3://b/plan-1.jsonl.gz)" in lines
    told = log_text(notes_of(1001), NOTES)
    assert "(the 1000 leads with most records, of 1001; with an evidence_path, all are in a plan)" in told


def test_many_types():
    """Of many types the first are shown, and of the others their sum."""
    counts = notes_of(1)
    for code in range(200, 300):
        counts.by_type["activities", str(code)].count = 2
    selectors = Selectors(tuple(range(200, 300)), should_delete_prospect_notes=True)
    assert "| others | 51 more types | 101 |" in markdown(counts, selectors)
    assert len(log_text(counts, selectors).splitlines()) < 60


def test_singular_and_plural():
    """A count of one uses the singular."""
    counts = notes_of(1)
    counts.unknown = ["x"]
    assert markdown(counts, NOTES).startswith("### 1 record of 1 lead would")
    assert pluralize(0, "try", "tries") == "0 tries"


def test_one_table_of_what_was_asked():
    """Types, counts and times stand in one table, of the kinds that were asked for, in one time zone."""
    text = markdown(notes_of(2), NOTES, zone="Asia/Kolkata")
    assert "| kind | type | records | oldest (Asia/Kolkata) | newest (Asia/Kolkata) |" in text
    assert "| notes |  | 2 | 2026-09-02 01:30 | 2026-10-01 01:30 |" in text
    assert "| lead | notes |" in text
    assert "from 2026-09-01 05:30:00 up to, not including, 2026-10-01 05:30:00 Asia/Kolkata" in text
    for kind in ("activities", "tasks", "audits"):
        assert kind not in text
    logged = log_text(notes_of(2), NOTES)
    assert "times in UTC:" in logged
    assert "notes: 2, 2026-09-01 20:00 to 2026-09-30 20:00" in logged


def test_leads_are_links():
    """A lead's id leads to its page, where that has an address."""
    lead = f"00000000{LEAD[8:]}"
    addresses = {lead: f"https://in21.leadsquared.com/LeadManagement/LeadDetails?LeadID={lead}"}
    assert f"| [{lead}]({addresses[lead]}) | 1 |" in markdown(notes_of(1), NOTES, address_of=addresses.get)
    assert f"\n| {lead} | 1 |" in markdown(notes_of(1), NOTES)


def test_lead_names_are_foreign_text():
    """A lead's name is cleaned, cut and escaped; where it is then kept is said, and the log has none."""
    lead = f"00000000{LEAD[8:]}"
    hostile = "![x](http://evil) | <img src=x>\n# Yes\u202e" + "a" * 500
    text = text_of(notes_of(2), NOTES, lead_names={lead: hostile})
    (row,) = [line for line in text.markdown().splitlines() if line.startswith(f"| {lead}")]
    assert len(row) < 200
    name = row.split(" | ", 1)[1].removesuffix(" | 1 |")
    for sign in "[]<>|#":
        assert name.count(sign) == name.count(f"\\{sign}")
    assert "http://evil" not in name
    assert name.isprintable()
    assert "| not given | 1 |" in text.markdown(), "of the other the account gave none"
    assert "is kept in Airflow's database" in text.markdown()
    assert "evil" not in "\n".join(text.log_lines(None))
    assert "names of leads" not in markdown(notes_of(1), NOTES)


def test_what_the_reset_does():
    """The text says calls and time of the reset, whether a copy is kept, and what it leaves out."""
    text = markdown(notes_of(1), NOTES, reset=ResetAhead(9000, 1795, 25, keeps_copy=False, leaves_out=True))
    assert "The reset makes 9000 calls at least, 25 in any 5 seconds: 30 min or more." in text
    assert "**No copy is kept.**" in text
    assert "Leads that the reset's exclude names when it runs are left alone" in text
    kept = markdown(notes_of(1), NOTES, reset=ResetAhead(1, 0, 25, keeps_copy=True))
    assert "1 call at least, 25 in any 5 seconds: a few seconds." in kept
    assert "A copy of each record is kept" in kept
    assert "copy" not in markdown(notes_of(1), NOTES, reset=ResetAhead(1, 0, 25))


def test_digest_is_added():
    """What an approver types stands at the end, where there is a plan."""
    assert with_digest("text", "0123456789ab").endswith("The plan's digest begins with `01234567`.")
    assert with_digest("text", None) == "text"


def test_shown_audits_are_counted():
    """Audits that are shown stand in the table by kind, with what a lead without any proves."""
    counts = RecordCounts(leads=2, asks_for_audits=True, shows_audits=True)
    counts.by_type["audits", "StageChange"].count = 3
    counts.kinds["audits"].count = 3
    selectors = Selectors(audit_activity_list=("StageChange", "OwnerChange"))
    for text in (markdown(counts, selectors), log_text(counts, selectors)):
        assert "a lead that shows none may have some" in text
    text = markdown(counts, selectors)
    assert "| audits | StageChange | 3 |" in text
    assert "| audits | OwnerChange | 0 |" in text
    assert counts.totals()["audits"] == 3


def test_audits_that_are_not_shown():
    """Where no lead shows any audit, none is counted as 0."""
    counts = RecordCounts(leads=2, asks_for_audits=True)
    selectors = Selectors(audit_activity_list=("StageChange",))
    text = markdown(counts, selectors)
    assert "| audits | StageChange | cannot be counted |" in text
    assert "None of the leads shows any audit" in text
    assert counts.totals()["audits"] is None


def test_system_codes_stand_apart():
    """A code that is not sent is shown as one that is not sent."""
    codes = EventCodes((201,), system=(22,))
    text = markdown(RecordCounts(leads=1), Selectors((201,)), TypeNames(codes))
    assert "| activities | event 22 (a system activity: never deleted, not sent) | 0 |" in text
