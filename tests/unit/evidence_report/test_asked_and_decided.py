"""What the auditor's page says was asked for, and who decided."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.evidence_report.collect import account_of
from airflow_provider_leadreset.evidence_report.render import Made, as_html, as_text
from airflow_provider_leadreset.evidence_report.run_page import RunPage
from airflow_provider_leadreset.leadsquared.journal.schema import KeysUser
from support.checked_account import account_check
from support.evidence_runs import SampleRun, answer, lead_id, queued

LEADS = [lead_id(number) for number in range(3)]
BY_ACTIVITY_DATE = account_check(
    {"activity_date": "ActivityDateTime"},
    account="21438",
    checked_on=date(2026, 9, 20),
    codes=(166, 167),
    note_date=None,
)
BY_CREATION = account_check(account="21438", checked_on=date(2026, 9, 20), codes=(166, 167))


def page_of(root: Path) -> RunPage:
    (run,) = account_of(root).runs
    return RunPage(run)


def facts(root: Path) -> dict[str, list[str]]:
    return {fact.name: fact.values for fact in page_of(root).facts}


def a_run(root: Path, check: dict[str, Any] | None = None, **request: Any) -> None:
    run = SampleRun(root)
    run.plan(LEADS, account_check=check["checksum"] if check else None)
    run.reset(queued(LEADS), summary={}, **{"account_check": check, **request})


def test_date_that_decides_is_that_of_the_request(tmp_path):
    """Where the account check in force had found another date, the page does not say that of creation."""
    a_run(tmp_path, BY_ACTIVITY_DATE)
    told = facts(tmp_path)
    assert "Created" not in told
    assert told["In the window"][0].startswith("from 2026-09-01 00:00:00 to before 2026-10-01 00:00:00")
    assert "; ".join(told["Deciding date"]) == (
        "ActivityDateTime of activities (found on this account on 2026-09-20); "
        "CreatedOn of notes (inferred, not documented)"
    )
    text = as_text(account_of(tmp_path).runs)
    assert "in the window from 2026-09-01" in text
    assert "created from" not in text
    assert "deciding date: ActivityDateTime of activities" in text


def test_date_that_was_found_to_be_creation(tmp_path):
    """A check that found CreatedOn is named; without one the page says that the date is inferred."""
    a_run(tmp_path / "a", BY_CREATION)
    told = facts(tmp_path / "a")
    assert "Created" in told
    assert told["Deciding date"] == ["CreatedOn of activities, notes (found on this account on 2026-09-20)"]
    a_run(tmp_path / "b")
    told = facts(tmp_path / "b")
    assert "Created" in told
    assert told["Deciding date"] == ["CreatedOn of activities, notes (inferred, not documented)"]


def test_check_that_nothing_tells_of(tmp_path):
    """A plan alone keeps only which check there was, and one that was changed is not believed."""
    SampleRun(tmp_path / "a").plan(LEADS, account_check="0" * 64)
    told = facts(tmp_path / "a")
    assert "Created" not in told
    assert told["Deciding date"] == ["found by an account check that no request here tells of"]
    a_run(tmp_path / "b", None, account_check={**BY_ACTIVITY_DATE, "found": {"activity_date": "CreatedOn"}})
    told = facts(tmp_path / "b")
    assert "Created" not in told
    assert "found by an account check that cannot be read (reset)" in told["Deciding date"]


def test_account_is_told_once(tmp_path):
    """A plan does not keep the account's name, and a request does: it is one account all the same."""
    a_run(tmp_path)
    assert facts(tmp_path)["Account"] == ["Acme Homes (code 21438) at api-in21.leadsquared.com"]


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (KeysUser(name="Asha", mail="asha@example.com"), "Asha <asha@example.com>"),
        (KeysUser(mail="asha@example.com"), "asha@example.com"),
        (KeysUser(name="Asha"), "Asha"),
        (KeysUser(), "not named"),
    ],
)
def test_user_of_the_keys(tmp_path, user, said):
    """The keys' user is told by name and e-mail address, as far as they are known."""
    a_run(tmp_path, keys_user=user)
    assert [one.who for one in page_of(tmp_path).decisions if one.did == "Keys of"] == [said]


def test_one_of_each(tmp_path):
    """One lead, record or activity is told in the singular."""
    run = SampleRun(tmp_path)
    run.plan(LEADS[:1])
    run.reset(queued(LEADS[:1]), summary={}, copies=2)
    run.verification(leads=1, records=1)
    page = page_of(tmp_path)
    told = " ".join(event.what for event in page.timeline.first)
    assert "no longer gives 1 of 1 planned record" in told
    assert "planned records" not in told
    text = as_text(account_of(tmp_path).runs)
    assert "1 activity, 1 note, in 1 closed part" in text
    assert not re.search(r"\b1 (leads|records|activities|parts|notes|planned records|lines|runs)\b", text)
    html = as_html(account_of(tmp_path).runs, Made(source="x", at=datetime(2026, 10, 5, tzinfo=UTC)))
    assert not re.search(r"\b1 (leads|records|activities|parts|notes|planned records|runs|tries)\b", html)


@pytest.mark.parametrize(
    ("approval", "same", "said"),
    [
        (
            answer("Meera"),
            False,
            "Who approved goes by another name than who started the run: by that, two persons",
        ),
        *(
            (
                approval,
                False,
                "Who approved goes by another name than who started the run: by that, who started it did not",
            )
            for approval in (
                [answer("Meera"), answer("Ravi")],
                {"approved": True, "by": ["Meera", "Ravi"]},
                {"approved": True, "by": "Meera and Ravi"},
                {"approved": True, "by": "Rao, Meera"},
            )
        ),
        (
            {"approved": True, "by": {"name": "Meera", "id": 17}},
            False,
            "Who approved goes by another name than who started the run: by that, two persons",
        ),
        ({"approved": True, "by": ["Asha", "Meera"]}, True, "One of those who approved also started"),
        (answer("Asha"), True, "Who approved also started the run: one person alone decided. Compared were"),
        (
            [answer("Asha"), answer("Meera")],
            True,
            "One of those who approved also started the run. Compared were",
        ),
        (answer("Asha"), None, "Whether who approved also started the run is not known"),
    ],
)
def test_one_person_or_two(tmp_path, approval, same, said):
    """The page says what was compared, and of one among several approvers not that he was alone."""
    a_run(tmp_path, approval=approval, approver_is_trigger=same)
    told = page_of(tmp_path).persons
    assert told.startswith(said)
    assert ("each name, id and e-mail address" in told) is (same is not None)


@pytest.mark.parametrize(
    ("beside", "at", "said"),
    [
        ({"approved_at": "2026-10-01T12:30:00+05:30"}, datetime(2026, 10, 1, 7, tzinfo=UTC), ""),
        ({"Decided at": 1795673400}, datetime(2026, 11, 26, 6, 10, tzinfo=UTC), ""),
        ({"at": "", "signed_at": "1795673400.5"}, datetime(2026, 11, 26, 6, 10, 0, 500_000, tzinfo=UTC), ""),
        ({"at": "2026-10-01"}, None, "2026-10-01"),
        ({"at": "0001-01-01T00:00:00+23:59"}, None, ""),
    ],
)
def test_moment_of_a_ticket(tmp_path, beside, at, said):
    """The page takes the moment from any key that means one; what is no moment for sure stays among what is said."""
    a_run(tmp_path, approval={"approved": True, "by": {"displayName": "Meera"}, **beside})
    [approved] = [one for one in page_of(tmp_path).decisions if one.did == "Approved"]
    assert (approved.who, approved.at) == ("Meera", at)
    assert said in approved.said
    assert not at or str(next(reversed(beside.values()))) not in approved.said
