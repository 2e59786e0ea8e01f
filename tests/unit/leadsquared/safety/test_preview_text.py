from __future__ import annotations

from airflow_provider_leadreset.leadsquared.records.catalog import AccountEventType, EventCodes
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.preview import LeadRecordCounts, RecordCounts
from airflow_provider_leadreset.leadsquared.safety.preview_text import TypeNames, log_table, markdown
from airflow_provider_leadreset.leadsquared.text import pluralize


def codes_of(names: dict[int, str]) -> EventCodes:
    types = {code: AccountEventType(name, is_custom=True) for code, name in names.items()}
    return EventCodes(tuple(names), unknown=(167,), system=(21,), types=types)


WINDOW = parse_window("2026-09-01/2026-10-01")


def test_audits_alone_mentioned():
    """A preview of audits alone does not say that nothing would be deleted."""
    text = markdown(
        RecordCounts(leads=3, unknown=["x"], asks_for_audits=True),
        Selectors(audit_activity_list=("StageChange",)),
        WINDOW,
        TypeNames(EventCodes(), {}),
        "host",
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
    counts.types["tasks", ""] = 2
    kind = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    text = markdown(
        counts, Selectors(task_type_list=(kind,)), WINDOW, TypeNames(EventCodes(), {kind: "Call"}), "host"
    )
    assert f"| tasks | Call ({kind}) | 0 |" in text
    assert "| tasks | tasks whose type could not be found out, counted as matching | 2 |" in text


def test_log_table_omissions():
    """The log says how many of the leads its table shows."""
    counts = RecordCounts(leads=60, with_records=60, listed=[LeadRecordCounts("x")])
    assert "(the 1 leads with most records, of 60)" in log_table(
        counts, Selectors((166,)), TypeNames(EventCodes(), {})
    )


def test_singular_and_plural():
    """A count of one uses the singular."""
    counts = RecordCounts(leads=1, listed=[LeadRecordCounts("a")], with_records=1, unknown=["x"])
    counts.kinds["notes"].count = 1
    assert markdown(
        counts, Selectors(should_delete_prospect_notes=True), WINDOW, TypeNames(EventCodes(), {}), "host"
    ).startswith("### 1 record of 1 lead would")
    assert pluralize(0, "try", "tries") == "0 tries"


def test_shown_audits_are_counted():
    """Audits that are shown stand in the table by kind, with what a lead without any proves."""
    counts = RecordCounts(leads=2, asks_for_audits=True, shows_audits=True)
    counts.types["audits", "StageChange"] = 3
    counts.kinds["audits"].count = 3
    selectors = Selectors(audit_activity_list=("StageChange", "OwnerChange"))
    for text in (
        markdown(counts, selectors, WINDOW, TypeNames(), "host"),
        log_table(counts, selectors, TypeNames()),
    ):
        assert "a lead that shows none may have some" in text
    text = markdown(counts, selectors, WINDOW, TypeNames(), "host")
    assert "| audits | StageChange | 3 |" in text
    assert "| audits | OwnerChange | 0 |" in text
    assert counts.totals()["audits"] == 3


def test_audits_that_are_not_shown():
    """Where no lead shows any audit, none is counted as 0."""
    counts = RecordCounts(leads=2, asks_for_audits=True)
    selectors = Selectors(audit_activity_list=("StageChange",))
    text = markdown(counts, selectors, WINDOW, TypeNames(), "host")
    assert "| audits | StageChange | cannot be counted |" in text
    assert "None of the leads shows any audit" in text
    assert counts.totals()["audits"] is None


def test_system_codes_stand_apart():
    """A code that is not sent is shown as one that is not sent."""
    codes = EventCodes((201,), system=(22,))
    text = markdown(RecordCounts(leads=1), Selectors((201,)), WINDOW, TypeNames(codes), "host")
    assert "| activities | event 22 (a system activity: never deleted, not sent) | 0 |" in text
