"""Whatever names a file of the evidence by its SHA-256 is held to it, and what was kept elsewhere to the summary."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from airflow_provider_leadreset.evidence import main
from airflow_provider_leadreset.evidence_report.as_written import PlanCheck
from airflow_provider_leadreset.leadsquared.journal.schema import EarlierTry, FileDigest, PlanReference
from airflow_provider_leadreset.leadsquared.safety.plan import Plan
from support.evidence_files import a_summary
from support.evidence_tries import LEADS, OTHER, TOKEN, write_copies, write_try

NOTES = ({"kind": "notes", "id": "a"}, {"kind": "notes", "id": "b"})


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return tmp_path / "report" / "dag" / "run" / "reset" / "unmapped"


@pytest.fixture
def folder(task: Path) -> Path:
    """The folder of the second of two tries: shown text, copies, a failed lead, a summary; it continues the first."""
    first = write_try(task, 1, [(LEADS[0], "queued", "")], copied=NOTES)
    ends = [file_of(next(first.glob(name))) for name in ("*-request.json", "*-00002.jsonl", "*-summary.json")]
    second = task / "try-2"
    second.mkdir()
    (second / f"{OTHER}-shown.md").write_text("shown")
    shown = file_of(second / f"{OTHER}-shown.md")
    outcomes = [(LEADS[1], "queued", ""), (LEADS[2], "failed", "no")]
    more = {"continues": [EarlierTry(try_number=1, files=ends)], "shown": shown, "token": OTHER}
    write_try(task, 2, outcomes, copied=NOTES, summary=False, **more)
    (second / f"{OTHER}-failed.jsonl").write_text("{}\n")
    files = [file_of(path) for path in sorted(second.glob("*")) if path != second / shown.name]
    copies = [file_of(path) for path in (copies_of(task) / "try-2").iterdir()]
    summary = a_summary(files, archive_files=copies)
    (second / f"{OTHER}-summary.json").write_bytes(summary.as_line())
    return second


def file_of(path: Path) -> FileDigest:
    return FileDigest(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def copies_of(task: Path) -> Path:
    return Path(str(task).replace("/report/", "/archive/"))


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What the command prints of the folder."""

    def run(*arguments: str, code: int = 0) -> str:
        assert main([str(tmp_path), *arguments]) == code
        return capsys.readouterr().out

    return run


CHANGES = {
    f"try-2/{OTHER}-shown.md": "the request",
    f"try-2/{OTHER}-failed.jsonl": "the summary",
    f"try-2/{OTHER}-00001.jsonl": "the summary",
    f"try-1/{TOKEN}-request.json": "try-2, which continued it,",
    f"try-1/{TOKEN}-00002.jsonl": "try-2, which continued it,",
    f"try-1/{TOKEN}-summary.json": "try-2, which continued it,",
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_file_is_named(folder, task, told, name):
    """A file whose digest another file has is named when it is changed, and when it is missing."""
    assert "Changed" not in told()
    path, before = task / name, (task / name).read_bytes()
    changed = before.replace(b"queued", b"failed").replace(b"shown", b"other").replace(b"{}", b"[]")
    for one, other in (
        (b'"Asha"', b'"Ravi"'),
        (b'"seconds": 0', b'"seconds": 1'),
        (b'"records": 2', b'"records": 1'),
    ):
        changed = changed.replace(one, other)
    path.write_bytes(changed)
    assert f"{name}: it is not as {CHANGES[name]} says" in told()
    path.unlink()
    text = told()
    assert f"{name}: it is missing, and {CHANGES[name]} names it" in text or name.endswith("request.json")
    path.write_bytes(before)
    assert "Changed" not in told()


def test_first_try_removed(folder, task, told):
    """A whole try that was removed is named by the one that continued it."""
    for path in (task / "try-1").iterdir():
        path.unlink()
    (task / "try-1").rmdir()
    assert f"try-1/{TOKEN}-request.json: it is missing, and try-2, which continued it, names it" in told()


def test_changed_copy_counts_for_nothing(folder, task, told):
    """A part of the archive that was changed is named and counts for nothing; one that was removed is no fault."""
    assert "2 notes, in 2 closed parts\n" in told()
    part = copies_of(task) / "try-2" / f"{OTHER}-archive-00001.jsonl.gz"
    part.unlink()
    text = told()
    assert "2 notes, in 1 closed part; 1 part written once, removed since\n" in text
    assert "Changed" not in text
    write_copies(task, 2, "00001", *NOTES, {"kind": "tasks", "id": "c"}, token=OTHER)
    text = told()
    assert f"try-2/{part.name}: it is not as the journal says, so it counts for nothing" in text
    assert "2 notes, in 1 closed part\n" in text


def test_copy_that_nothing_tells_of(folder, task, told):
    """A part of the archive that no journal tells of is named: only a process that was broken off may leave one."""
    digest, why = summary_digest(folder), "1 part that no journal tells of, so what they held first cannot be"
    part = write_copies(task, 2, "00002", *NOTES, token=OTHER)
    text = told("--expect", digest, code=3)
    assert why in text
    assert f"try-2/{part.name}: no journal tells of it, and no process that was broken off wrote it" in text
    part.unlink()
    write_try(task, 3, [(LEADS[0], "queued", "")], summary=False)
    write_copies(task, 3, "00001", *NOTES)
    text = told("--expect", digest)
    assert why in text
    assert "Changed" not in text


def test_part_that_was_added(folder, task, told):
    """A part that the summary does not list is named, and so is one under the name of another."""
    added = folder / f"{OTHER}-00003.jsonl"
    added.write_bytes((folder / f"{OTHER}-00002.jsonl").read_bytes())
    text = told()
    assert f"try-2/{added.name}: the summary does not list it" in text
    assert f"try-2/{added.name} cannot be read (its head says that it is part 2)" in text


@pytest.mark.parametrize("kind", ["summary.json", "failed.jsonl"])
def test_file_without_a_request(folder, told, kind):
    """A summary or a list of failed leads whose request is missing is named."""
    (folder / f"eeee0000-{kind}").write_bytes((folder / f"{OTHER}-{kind}").read_bytes())
    assert f"eeee0000-{kind} cannot be read (its request is missing, so nothing tells" in told()


def test_killed_before_its_request(folder, told):
    """Of a process that was ended before its request only the shown text may be there, which is no fault."""
    (folder / "eeee0000-shown.md").write_text("shown")
    text = told()
    assert "Ended: reset, try-2\n    before its request was written, and so before its first call" in text
    assert "Unreadable" not in text


def test_request_of_another_task(folder, task, told):
    """Files of another task in the same folder are named: storages differ in which names they hold for the same."""
    write_try(task, 3, [(LEADS[0], "queued", "")], task_id="T")
    assert f"try-3/{TOKEN}-request.json: it is of another task, ['d', 'r', 'T', -1]" in told()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "s3://b/report/dag/run/preview/unmapped/plan-1.jsonl.gz",
            "plan-1.jsonl.gz: it is missing, or cannot",
        ),
        ("s3://b/report/../run/preview/unmapped/plan-1.jsonl.gz", "a plan is named by a path of no plan"),
        ("plan-1.jsonl.gz", "a plan is named by a path of no plan"),
    ],
)
def test_plan_that_is_missing(task, told, path, said):
    """A plan that a request names, and that is not there any more, is named."""
    write_try(task, 1, [(LEADS[0], "queued", "")], plan=PlanReference(path=path, digest="0" * 64))
    assert said in told()


def summary_digest(folder: Path) -> str:
    return file_of(next(folder.glob("*-summary.json"))).sha256


def test_expected_digest(folder, task, told):
    """A digest that was kept elsewhere is found, with the file that has it."""
    digest = summary_digest(folder)
    place = f"dag/run/reset/unmapped/try-2/{OTHER}-summary.json"
    text = told("--expect", digest.upper(), "--expect", summary_digest(task / "try-1"))
    assert f"\nAs expected: {digest} is the digest of {place}, and all that it tells of is as it was" in text
    assert text.count("\nAs expected: ") == 2


def test_expected_digest_of_a_changed_summary(folder, told):
    """Where a summary was changed or removed, no file has the digest, and those that were found are named."""
    digest = summary_digest(folder)
    path = folder / f"{OTHER}-summary.json"
    path.write_text(path.read_text().replace('"queued": 0', '"queued": 9'))
    text = told("--expect", digest, code=3)
    assert (
        f"\nNOT as expected: no summary or verification here has the digest {digest}: changed or removed since"
        in text
    )
    assert f"try-2/{OTHER}-summary.json has {summary_digest(folder)}" in text
    path.unlink()
    assert f"Found: dag/run/reset/unmapped/try-1/{TOKEN}-summary.json has " in told(
        "--expect", digest, code=3
    )


def test_expected_digest_beside_a_change(folder, task, told):
    """A summary that is as it was proves nothing where a file that it tells of was changed; a removed copy is none."""
    digest = summary_digest(folder)
    (copies_of(task) / "try-2" / f"{OTHER}-archive-00001.jsonl.gz").unlink()
    told("--expect", digest)
    (folder / f"{OTHER}-shown.md").write_text("other")
    assert f"\nNOT as expected: {digest} is the digest of dag/run" in told("--expect", digest, code=3)


def test_digest_that_begins_alike(folder, told):
    """A digest that only begins as that of a summary does is another one."""
    digest = summary_digest(folder)
    other = digest[:63] + ("0" if digest[63] != "0" else "1")
    assert f"no summary or verification here has the digest {other}" in told("--expect", other, code=3)


@pytest.mark.parametrize("good", [True, False])
def test_plan_whose_digest_begins_alike(tmp_path, monkeypatch, good):
    """A plan is the one that a request names by its whole digest alone."""
    path = tmp_path / "report" / "dag" / "run" / "preview" / "unmapped" / "plan-1.jsonl.gz"
    path.parent.mkdir(parents=True)
    path.touch()
    monkeypatch.setattr(Plan, "read", lambda _: SimpleNamespace(digest="0" * 64))
    check = PlanCheck(tmp_path / "report" / "dag" / "run" / "reset" / "unmapped")
    said = check.difference(str(path), "0" * 63 + ("0" if good else "1"))
    assert said.endswith("" if good else f"its digest is not {'0' * 63}1")
    assert bool(said) is not good


def test_expected_digest_without_evidence(tmp_path, told):
    """Where no evidence is, no digest is found."""
    assert "Found: none" in told("--expect", "0" * 64, code=3)


@pytest.mark.parametrize("digest", ["", "0123abcd", "0" * 63, "0" * 65, "g" * 64])
def test_part_of_a_digest_is_refused(folder, tmp_path, capsys, digest):
    """A part of a digest proves nothing, and is refused with where the whole one stands."""
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--expect", digest])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "is no whole digest: give all 64 hexadecimal digits of evidence_digest" in said.err
    assert said.out == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_standard_output_takes_the_account(task, tmp_path, encoding):
    """Where standard output takes few signs, the others are printed as their codes, and nothing is lost."""
    name = "\N{DEVANAGARI LETTER A}\N{GRINNING FACE}"
    write_try(task, 1, [(LEADS[0], "failed", name)], leads=1)
    ended = subprocess.run(
        [sys.executable, "-m", "airflow_provider_leadreset.evidence", str(tmp_path)],
        env={"PYTHONIOENCODING": encoding, "PATH": ""},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    shown = name if encoding == "utf-8" else json.dumps("\N{DEVANAGARI LETTER A}")[1:-1] + "\\U0001f600"
    assert f"{LEADS[0]}: {shown}".encode() in ended.stdout
