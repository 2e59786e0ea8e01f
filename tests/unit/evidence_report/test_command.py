from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_leadreset.evidence import main
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.journal import Journal
from airflow_provider_leadreset.leadsquared.journal.schema import ArchivedLine, FileDigest, OutcomeLine
from support.evidence_files import a_request
from support.evidence_tries import LEADS, OTHER, TOKEN, json_lines, write_copies, write_try
from support.peak_memory import bomb, cost_of, needs_linux

NOTES = ({"kind": "notes", "id": "a"}, {"kind": "notes", "id": "b"})


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "report" / "dag" / "run" / "reset" / "unmapped"


@pytest.fixture
def folder(task: Path) -> Path:
    """The folder of one try that reset three leads and copied two records."""
    outcomes = [(lead, "queued", "") for lead in LEADS[:3]]
    return write_try(task, 1, outcomes, copied=NOTES, approval={"ticket": "CRM-17"})


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the command prints of the folder."""

    def run() -> str:
        assert main([str(tmp_path)]) == 0
        return capsys.readouterr().out

    return run


def test_account_of_a_run(folder, told):
    """What was asked, sent and copied is told."""
    text = told()
    assert "3 leads at api-in21.leadsquared.com (account 1234, keys of Asha <asha@example.com>)" in text
    assert "CRM-17" in text
    assert "3 resets in 1 try: 3 leads queued by LeadSquared" in text
    assert "2 notes, in 1 closed part\n" in text
    assert "Unreadable" not in text
    assert "Changed" not in text
    assert "Ended" not in text


def test_tries_counted_together(folder, task, told):
    """A lead or record that several tries name counts once, and one unanswered first and queued later is queued."""
    write_try(
        task,
        2,
        [
            (LEADS[0].upper(), "queued", ""),
            (LEADS[4], "failed", "HTTP 500: no"),
            (LEADS[5], "unanswered", "x"),
        ],
        leads=6,
    )
    write_try(task, 3, [(LEADS[5], "queued", "")], leads=6, copied=NOTES)
    text = told()
    assert "4 leads queued by LeadSquared, from 2026-10-02T00:00:00.000+00:00 to" in text
    assert (
        f"; 1 lead failed or unknown; 1 lead never sent\nFailed of reset\n    {LEADS[4]}: HTTP 500: no\n"
        in text
    )
    assert "nanswered" not in text.replace("_", " ").partition("Sent by")[2]
    assert "2 notes, in 2 closed parts" in text


def test_many_refused_leads(folder, task, told):
    """Of many refused leads the first are named, and all are counted."""
    write_try(task, 2, [(lead, "failed", "no") for lead in LEADS[5:]], leads=30)
    text = told()
    assert "; 25 leads failed or unknown" in text
    assert text.count(": no") == 20
    assert ": no; and 5 more\n" in text


def test_killed_try(task, told):
    """A try without a summary is named, its leads without an outcome are unanswered, the others never sent."""
    write_try(task, 1, [(LEADS[0], "queued", "")], named=tuple(LEADS[1:3]), leads=7, summary=False)
    text = told()
    assert "Ended: reset, try-1\n    without a summary" in text
    assert "1 lead queued" in text
    assert "; 2 leads unanswered, which may have been reset; 4 leads never sent" in text


def test_leads_without_a_call(task, told):
    """Leads that needed no call, and leads that were not reached, are no deletions and no doubts."""
    outcomes = [
        (LEADS[0], "nothing_to_reset", "already_gone"),
        (LEADS[1], "not_reached", ""),
        (LEADS[2], "unknown", "no such lead"),
    ]
    write_try(task, 1, outcomes)
    text = told()
    assert "0 leads queued" in text
    assert "1 lead: nothing to reset; 1 lead failed or unknown; 1 lead never sent" in text
    assert f"Failed of reset\n    {LEADS[2]}: no such lead" in text


def test_changed_part_is_named(folder, told):
    """A part of the journal that was changed, taken away or torn is named."""
    part = folder / f"{TOKEN}-00002.jsonl"
    part.write_text(part.read_text().replace("queued", "failed"))
    assert f"Changed or missing of reset\n    try-1/{part.name}: it is not as the summary says" in told()
    part.unlink()
    assert f"try-1/{part.name}: it is missing, and the summary names it" in told()


def test_removed_copies_are_told(task, told):
    """A copy of records that the journal tells of, and that is not there any more, was removed since."""
    folder = EvidenceFolder(task / "try-1")
    first = folder.write(f"{TOKEN}-request.json", a_request().as_line())
    journal = Journal(folder, token=TOKEN, first=first, ahead=5, later_try=lambda: None)
    file = FileDigest(name=f"{TOKEN}-archive-00001.jsonl.gz", sha256="0" * 64)
    journal.archived(ArchivedLine(file=file, leads=1, records=1))
    journal.close()
    assert "1 part written once, removed since" in told()


def test_account_of_a_folder_inside(folder, task, tmp_path, capsys):
    """The folder of a run, and that of its copies, tell the same as the evidence path."""
    assert main([str(tmp_path)]) == 0
    whole = capsys.readouterr().out
    for inside in (task.parents[1], task.parents[2], tmp_path / "archive"):
        assert main([str(inside)]) == 0
        assert capsys.readouterr().out == whole


def test_missing_path(tmp_path, capsys):
    """A path that does not exist is an error, and not an empty account."""
    assert main([str(tmp_path / "missing")]) == 2
    said = capsys.readouterr()
    assert "there is nothing at" in said.err
    assert said.out == ""
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["nowhere://bucket/leadreset"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_empty_folder(tmp_path, capsys):
    """An empty folder has no evidence, and the command says so."""
    assert main([str(tmp_path)]) == 1
    assert "No evidence was found" in capsys.readouterr().out


def test_unwritable_page(folder, tmp_path, capsys):
    """A page that cannot be written is an error."""
    assert main([str(tmp_path), "--html", str(tmp_path / "missing" / "page.html")]) == 2
    assert "page.html" in capsys.readouterr().err


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("request.json", b"", "which is no JSON"),
        ("request.json", b"[]", "which says no schema_version"),
        ("request.json", b"{}", "which says no schema_version"),
        ("request.json", b'{"schema_version": 9}', "of schema version 9"),
        ("request.json", b'{"schema_version": 1}', "it is no Request: dag_id"),
        ("request.json", b'{"a": ' + DEEP, "nested more than 100 deep"),
        ("request.json", b'{"account": 1, "account": 2}', "'account' stands in it twice"),
        ("request.json", a_request().as_line() + b"x", "no JSON"),
        ("request.json", b'{"leads": 1e400}', "a number too large"),
        ("request.json", b'{"leads": ' + b"9" * 5000 + b"}", "a number of 5000 digits"),
        ("request.json", a_request().as_line().decode().encode("utf-16"), "it is not UTF-8"),
        ("request.json", b"\0" * 100, "no JSON"),
        ("summary.json", b"[]", "which says no schema_version"),
        ("00009.jsonl", b"[1]\n", "which says no schema_version"),
        ("00009.jsonl", DEEP, "its last line has no end"),
        ("00009.jsonl", b"\xff\n", "it is not UTF-8"),
        ("archive-00009.jsonl.gz", b"no gzip", "BadGzipFile"),
        ("archive-00009.jsonl.gz", gzip.compress(b"{}\n" * 50)[:-9], "cannot be read"),
        ("archive-00009.jsonl.gz", gzip.compress(b'{"kind": "a b", "id": 1}\n'), "'a b' is no kind"),
        (
            "archive-00009.jsonl.gz",
            gzip.compress(json_lines(*({"kind": f"k{n}", "id": 1} for n in range(99)))),
            "20",
        ),
        ("verification.json", b'{"gone": 1}', "which says no schema_version"),
        ("verification.json", b'{"schema_version": 1, "gone": 1}', "it is no VerificationRecord: plan"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else f"{len(value)} bytes",
)
def test_damage_named(folder, told, name, content, said):
    """A file that cannot be read is named with the reason, and the others are told all the same."""
    token = TOKEN if name in {"summary.json", "00009.jsonl"} else OTHER
    damaged = folder / f"{token}-{name}"
    if name.startswith("archive"):
        damaged = Path(str(folder).replace("/report/", "/archive/")) / damaged.name
    damaged.write_bytes(content)
    text = told()
    line = text.partition("Unreadable of reset")[2]
    assert f"try-1/{damaged.name} cannot be read (" in line
    assert said in line
    assert "3 leads queued by LeadSquared" in text


def test_half_an_archive_part(folder, task, told):
    """A part that is damaged in its middle counts nothing."""
    rows = [{"kind": "notes", "id": str(number)} for number in range(1000)]
    part = write_copies(task, 1, "00002", *rows)
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    assert "2 notes, in 1 closed part" in told()


def test_odd_names_and_values(task, tmp_path, told):
    """Names and values of others come without control signs, half signs and endless texts."""
    odd = json.loads(a_request(approval=["x" * 100_000]).as_line())
    odd["account"]["host"] = "a\x1b[2J\u202eb\nApproved"
    folder = write_try(task, 1, [])
    (folder / f"{TOKEN}-request.json").write_text(json.dumps(odd))
    run = tmp_path / "report" / "dag" / "run\n\x1b[31m"
    folder.parents[2].rename(run)
    (run / "reset" / "unmapped" / "try-1" / "report-\x07\udcff.jsonl").write_bytes(b"x")
    text = told()
    text.encode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x07" not in text
    assert "dag/run" in text
    assert "(100004 characters)" in text
    assert len(text) < 12_000


def test_what_is_no_file(folder, task, told):
    """A named pipe or a folder where a file should be is named, not waited for."""
    os.mkfifo(folder / f"{TOKEN}-00003.jsonl")
    write_copies(task, 1, "00002").unlink()
    copies = Path(str(folder).replace("/report/", "/archive/")) / f"{TOKEN}-archive-00002.jsonl.gz"
    copies.mkdir()
    os.mkfifo(folder.parent / "plan-1.jsonl.gz")
    text = told()
    assert f"{TOKEN}-00003.jsonl cannot be read (it is no file)" in text
    assert f"{copies.name} cannot be read (it is no file)" in text
    assert "plan-1.jsonl.gz is no file" in text


IMPORTS = "from airflow_provider_leadreset.evidence import main"


@needs_linux
@pytest.mark.parametrize("name", [f"archive/{OTHER}-archive-00002.jsonl.gz", "report/../plan-1.jsonl.gz"])
@pytest.mark.parametrize(
    ("beginning", "block"),
    [(b"", b"a"), (b"", b"\0"), (b'{"kind": "notes", "id": "', b"a"), (b'{"plan": ', b"[")],
)
def test_bombs_in_flat_memory(folder, tmp_path, name, beginning, block):
    """What unpacks to one endless line is named, and takes little memory."""
    root, _, file = name.partition("/")
    (Path(str(folder).replace("/report/", f"/{root}/")) / file).resolve().write_bytes(bomb(beginning, block))
    code = "assert main([str(path), '--html', str(path / 'page')]) == 0"
    cost = cost_of(IMPORTS, code, tmp_path)
    assert not cost.error, cost
    assert cost.mib < 80
    assert "is longer than" in (tmp_path / "page").read_text()


@needs_linux
@pytest.mark.parametrize(
    "name",
    [f"{OTHER}-request.json", f"{TOKEN}-00003.jsonl", f"{OTHER}-verification.json", f"{TOKEN}-summary.json"],
)
def test_huge_files_in_flat_memory(folder, tmp_path, name):
    """A file that is not packed and has no end is named, and takes little memory."""
    with (folder / name).open("wb") as file:
        file.write(b'{"prospect_id": "')
        file.truncate(1 << 30)  # takes no room: the rest is a hole of zeros
    code = "assert main([str(path), '--html', str(path / 'page')]) == 0"
    cost = cost_of(IMPORTS, code, tmp_path)
    assert not cost.error, cost
    assert cost.mib < 80
    page = (tmp_path / "page").read_text()
    assert "is longer than" in page or "it holds more than 8 MiB" in page


@needs_linux
def test_many_records_in_flat_memory(task, folder, tmp_path):
    """Many leads and records are counted without being held."""
    evidence = EvidenceFolder(task / "try-2")
    first = evidence.write(f"{TOKEN}-request.json", a_request(leads=25_000).as_line())
    journal = Journal(evidence, token=TOKEN, first=first, ahead=1000, later_try=lambda: None)
    for index in journal.written_ahead(range(25_000), lambda index: (index, f"lead {index}")):
        journal.ended(OutcomeLine(index=index, prospect_id=f"lead {index}", outcome="queued", final=True))
    journal.close()
    write_copies(task, 1, "00002", *({"kind": "notes", "id": f"n{number}"} for number in range(100_000)))
    cost = cost_of(IMPORTS, "assert main([str(path), '--html', str(path / 'page')]) == 0", tmp_path)
    assert not cost.error, cost
    assert cost.mib < 60
    page = (tmp_path / "page").read_text()
    assert "LeadSquared queued the reset of 25,003 leads" in page
    assert ">100,002</td>" in page
    assert "Not listed here: 24,5" in page
    assert len(page) < 1_000_000
