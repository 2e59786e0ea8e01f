from __future__ import annotations

from airflow_provider_leadreset.leadsquared.preview_text import Names, markdown
from airflow_provider_leadreset.leadsquared.reset import Selectors
from airflow_provider_leadreset.leadsquared.survey import Survey
from airflow_provider_leadreset.leadsquared.window import parse_window

WINDOW = parse_window("2026-09-01/2026-10-01")


def test_audits_alone_are_not_told_as_nothing():
    text = markdown(
        Survey(leads=3, unknown=["x"]),
        Selectors(audit_activity_list=("StageChange",)),
        WINDOW,
        Names({}, {}),
        "host",
    )
    assert text.startswith(
        "### 0 records of 0 leads would be deleted, and audits of 2 leads, which cannot be counted"
    )


def test_a_name_of_the_account_stays_a_name():
    hostile = "| x |\n# [Yes](http://evil) <b>&lt;b&gt;</b> `a` \u202e\x1b[2J ~~gone~~"
    name = Names({166: hostile}, {}).activity(166)
    assert "\n" not in name
    assert name.isprintable()
    for sign in "|#[]<>`&~":
        assert name.count(sign) == name.count(f"\\{sign}")


def test_a_type_without_a_name_is_still_known():
    names = Names({166: ""}, {"A": ""})
    assert (names.activity(166), names.task("a")) == ("unnamed (166)", "unnamed (a)")
    assert "unknown to the account" in names.activity(167)
