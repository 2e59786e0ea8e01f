from __future__ import annotations

from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.preview import LeadRecordCounts, RecordCounts
from airflow_provider_leadreset.leadsquared.safety.preview_text import TypeNames, log_table, markdown
from airflow_provider_leadreset.leadsquared.text import pluralize

WINDOW = parse_window("2026-09-01/2026-10-01")


def test_audits_alone_mentioned():
    """A preview of audits alone does not say that nothing would be deleted."""
    text = markdown(
        RecordCounts(leads=3, unknown=["x"]),
        Selectors(audit_activity_list=("StageChange",)),
        WINDOW,
        TypeNames({}, {}),
        "host",
    )
    assert text.startswith(
        "### 0 records of 0 leads would be deleted, and audits of 2 leads, which cannot be counted"
    )


def test_account_names_escaped():
    """A name from the account is escaped, so that it stays a name in Markdown and in the log."""
    hostile = "| x |\n# [Yes](http://evil) <b>&lt;b&gt;</b> `a` \u202e\x1b[2J ~~gone~~"
    name = TypeNames({166: hostile}, {}, in_markdown=True).activity(166)
    assert "\n" not in name
    assert name.isprintable()
    for sign in "|#[]<>`&~":
        assert name.count(sign) == name.count(f"\\{sign}")
    in_a_log = TypeNames({166: hostile}, {}).activity(166)
    assert in_a_log.isprintable()
    assert "\\" not in in_a_log


def test_unnamed_types():
    """A type without a name is still known to the account."""
    names = TypeNames({166: ""}, {"A": ""})
    assert (names.activity(166), names.task("a")) == ("unnamed (166)", "unnamed (a)")
    assert "unknown to the account" in names.activity(167)


def test_special_type_names():
    """The text says which types the account does not know and which it never deletes."""
    names = TypeNames({166: "Test call"}, {})
    assert names.activity(21) == "event 21 (a system activity, never deleted)"
    assert "unknown to the account" in names.task("3c8c")
    assert "could not be found out" in names.task("")


def test_row_for_unknown_task_types():
    """Tasks whose type could not be determined have their own row."""
    counts = RecordCounts(leads=1)
    counts.types["tasks", ""] = 2
    kind = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    text = markdown(counts, Selectors(task_type_list=(kind,)), WINDOW, TypeNames({}, {kind: "Call"}), "host")
    assert f"| tasks | Call ({kind}) | 0 |" in text
    assert "| tasks | tasks whose type could not be found out, counted as matching | 2 |" in text


def test_log_table_omissions():
    """The log says how many of the leads its table shows."""
    counts = RecordCounts(leads=60, with_records=60, listed=[LeadRecordCounts("x")])
    assert "(the 1 leads with most records, of 60)" in log_table(counts, Selectors((166,)), TypeNames({}, {}))


def test_singular_and_plural():
    """A count of one uses the singular."""
    counts = RecordCounts(leads=1, listed=[LeadRecordCounts("a")], with_records=1, unknown=["x"])
    counts.kinds["notes"].count = 1
    assert markdown(
        counts, Selectors(should_delete_prospect_notes=True), WINDOW, TypeNames({}, {}), "host"
    ).startswith("### 1 record of 1 lead would")
    assert pluralize(0, "try", "tries") == "0 tries"
