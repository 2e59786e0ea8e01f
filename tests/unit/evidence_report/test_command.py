from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.evidence import main
from support.peak_memory import bomb, cost_of, needs_linux

LEADS = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(30)]
REQUEST = {
    "account": "api.leadsquared.com",
    "leads": 3,
    "selectors": {"activity_event_list": [166]},
    "window": "2026-09-01T00:00:00Z/2026-10-01T00:00:00Z",
    "sent": {"FromDate": "2026-09-01 00:00:00", "ToDate": "2026-09-30 23:59:59"},
    "plan": None,
    "approval": {"ticket": "CRM-17"},
}


def reset_line(lead: str, answer: str = "queued") -> dict[str, Any]:
    return {"prospect_id": lead, "sent_at": "2026-10-02T00:00:00.000+00:00", "answer": answer}


def json_lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of one try that reset three leads and copied two records."""
    path = tmp_path / "dag" / "run" / "reset" / "unmapped" / "try-1"
    path.mkdir(parents=True)
    (path / "request.json").write_text(json.dumps(REQUEST))
    (path / "report-00001.jsonl").write_bytes(json_lines(*map(reset_line, LEADS[:3])))
    rows = [{"kind": "notes", "id": "a"}, {"kind": "notes", "id": "b"}]
    (path / "archive-00001.jsonl.gz").write_bytes(gzip.compress(json_lines(*rows)))
    return path


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
    assert "3 leads at api.leadsquared.com" in text
    assert "CRM-17" in text
    assert "3 resets in 1 try: 3 leads queued by LeadSquared" in text
    assert "2 notes, in 1 closed part" in text
    assert "Unreadable" not in text


def test_tries_counted_together(folder, told):
    """A lead or record that several tries name counts once, and one refused first and queued later is queued."""
    later = folder.with_name("try-2")
    later.mkdir()
    (later / "report-00001.jsonl").write_bytes(
        json_lines(
            reset_line(LEADS[0].upper()), reset_line(LEADS[4], "HTTP 500: no"), reset_line(LEADS[5], "x")
        )
    )
    (later / "report-00002.jsonl").write_bytes(json_lines(reset_line(LEADS[5])))
    (later / "archive-00001.jsonl.gz").write_bytes((folder / "archive-00001.jsonl.gz").read_bytes())
    text = told()
    assert "4 leads queued by LeadSquared, from 2026-10-02T00:00:00.000+00:00 to" in text
    assert f". 1 lead not: {LEADS[4]}: HTTP 500: no" in text
    assert "2 notes, in 2 closed parts" in text


def test_many_refused_leads(folder, told):
    """Of many refused leads the first are named, and all are counted."""
    (folder / "report-00002.jsonl").write_bytes(json_lines(*(reset_line(lead, "no") for lead in LEADS[5:])))
    text = told()
    assert "25 leads not: " in text
    assert text.count(": no") == 20


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
        ("request.json", b"[]", "it is no JSON object"),
        ("request.json", b"{}", "KeyError"),
        ("request.json", b'{"a": ' + DEEP, "nested more than 100 deep"),
        ("request.json", b'{"account": 1, "account": 2}', "'account' stands in it twice"),
        ("request.json", json.dumps({**REQUEST, "leads": 1}).encode() + b"x", "no JSON"),
        ("request.json", b'{"leads": 1e400}', "a number too large"),
        ("request.json", b'{"leads": ' + b"9" * 5000 + b"}", "a number of 5000 digits"),
        ("request.json", json.dumps(REQUEST).encode("utf-16"), "it is not UTF-8"),
        ("request.json", b"\0" * 100, "no JSON"),
        ("report-00009.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("report-00009.jsonl", b"{}\n", "KeyError"),
        ("report-00009.jsonl", DEEP, "nested more than 100 deep"),
        ("report-00009.jsonl", b"\xff\n", "it is not UTF-8"),
        ("archive-00009.jsonl.gz", b"no gzip", "BadGzipFile"),
        ("archive-00009.jsonl.gz", gzip.compress(b"{}\n" * 50)[:-9], "cannot be read"),
        ("archive-00009.jsonl.gz", gzip.compress(b'{"kind": "a b", "id": 1}\n'), "'a b' is no kind"),
        (
            "archive-00009.jsonl.gz",
            gzip.compress(json_lines(*({"kind": f"k{n}", "id": 1} for n in range(99)))),
            "20",
        ),
        ("verification.json", b'{"gone": 1}', "KeyError"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_damage_named(folder, told, name, content, said):
    """A file that cannot be read is named with the reason, and the others are told all the same."""
    (folder / name).write_bytes(content)
    text = told()
    line = text.partition("Unreadable of reset")[2]
    assert f"try-1/{name} cannot be read (" in line
    assert said in line
    assert "3 leads queued by LeadSquared" in text


def test_half_an_archive_part(folder, told):
    """A part that is damaged in its middle counts nothing."""
    rows = [{"kind": "notes", "id": str(number)} for number in range(1000)]
    whole = gzip.compress(json_lines(*rows))
    (folder / "archive-00002.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert "2 notes, in 1 closed part" in told()


def test_odd_names_and_values(folder, tmp_path, told):
    """Names and values of others come without control signs, half signs and endless texts."""
    odd = {**REQUEST, "account": "a\x1b[2J\u202eb\ud800\nApproved", "approval": ["x" * 100_000]}
    (folder / "request.json").write_text(json.dumps(odd))
    run = tmp_path / "dag" / "run\n\x1b[31m"
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


def test_what_is_no_file(folder, told):
    """A named pipe or a folder where a file should be is named, not waited for."""
    os.mkfifo(folder / "report-00002.jsonl")
    (folder / "archive-00002.jsonl.gz").mkdir()
    os.mkfifo(folder.parent / "plan-1.jsonl.gz")
    text = told()
    assert "report-00002.jsonl cannot be read (it is no file)" in text
    assert "archive-00002.jsonl.gz cannot be read (it is no file)" in text
    assert "plan-1.jsonl.gz is no file" in text


IMPORTS = "from airflow_provider_leadreset.evidence import main"


@needs_linux
@pytest.mark.parametrize("name", ["archive-00002.jsonl.gz", "../plan-1.jsonl.gz"])
@pytest.mark.parametrize(
    ("beginning", "block"),
    [(b"", b"a"), (b"", b"\0"), (b'{"kind": "notes", "id": "', b"a"), (b'{"plan": ', b"[")],
)
def test_bombs_in_flat_memory(folder, tmp_path, name, beginning, block):
    """What unpacks to one endless line is named, and takes little memory."""
    (folder / name).resolve().write_bytes(bomb(beginning, block))
    code = "assert main([str(path), '--html', str(path / 'page')]) == 0"
    cost = cost_of(IMPORTS, code, tmp_path)
    assert not cost.error, cost
    assert cost.mib < 80
    assert "is longer than" in (tmp_path / "page").read_text()


@needs_linux
@pytest.mark.parametrize("name", ["request.json", "report-00001.jsonl", "verification.json"])
def test_huge_files_in_flat_memory(folder, tmp_path, name):
    """A file that is not packed and has no end is named, and takes little memory."""
    with (folder / name).open("wb") as file:
        file.write(b'{"prospect_id": "')
        file.truncate(1 << 30)  # takes no room: the rest is a hole of zeros
    code = "assert main([str(path), '--html', str(path / 'page')]) == 0"
    cost = cost_of(IMPORTS, code, tmp_path)
    assert not cost.error, cost
    assert cost.mib < 80
    assert "is longer than" in (tmp_path / "page").read_text()


@needs_linux
def test_many_records_in_flat_memory(folder, tmp_path):
    """Many leads and records are counted without being held."""
    with (folder / "report-00002.jsonl").open("wb") as report:
        report.writelines(json_lines(reset_line(f"lead {number}")) for number in range(200_000))
    with gzip.open(folder / "archive-00002.jsonl.gz", "wb", 1) as archive:
        archive.writelines(json_lines({"kind": "notes", "id": f"n{number}"}) for number in range(200_000))
    cost = cost_of(IMPORTS, "assert main([str(path), '--html', str(path / 'page')]) == 0", tmp_path)
    assert not cost.error, cost
    assert cost.mib < 60
    page = (tmp_path / "page").read_text()
    assert "200003 leads queued" in page
    assert "200002 notes" in page
