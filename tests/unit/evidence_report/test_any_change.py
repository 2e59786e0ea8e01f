"""Whatever is changed in the evidence of a real run: the auditor's command ends as it should, and notices it."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.emulator import LeadSquaredEmulator
from airflow_provider_leadreset.evidence import main
from airflow_provider_leadreset.exceptions import LeadResetLeadsFailedError
from airflow_provider_leadreset.leadsquared.api import client as client_module
from airflow_provider_leadreset.operators.lead_reset import LeadResetPreviewOperator
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor
from support.reset_tries import ResetTask, make_leads
from support.task_context import task_context

ROUNDS = 14
"""Changes of each file: the seed is its place and the round."""

GZIP_HEADER = 10
"""Bytes of a gzip file's header that names no file."""

NOT_COVERED = {
    "plan-": "how it is packed, and what stands behind its end, which is none of it",
}
"""Files of which not each changed byte is noticed, and why."""


class Evidence:
    """The evidence of a preview, a reset of two tries and a verification.

    :param digests: what Airflow's XCom keeps of the last try, and the log of the verification.
    """

    def __init__(self, root: Path, digests: list[str]) -> None:
        self.root = root
        self.digests = digests
        self.files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())

    def copy_to(self, folder: Path) -> Path:
        """Return a copy that may be changed."""
        shutil.rmtree(folder, ignore_errors=True)
        return Path(shutil.copytree(self.root, folder))

    def judge(self, folder: Path) -> tuple[int, str]:
        """Return the command's exit code, and what it prints; what it prints as an error fails."""
        said, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(errors):
            code = main([str(folder), *(part for digest in self.digests for part in ("--expect", digest))])
        assert errors.getvalue() == ""
        return code, said.getvalue()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    root = tmp_path_factory.mktemp("run") / "evidence"
    with (
        pytest.MonkeyPatch.context() as patch,
        LeadSquaredEmulator(calls_per_5s=None, queue_delay=0.0) as lsq,
    ):
        patch.setattr(client_module, "RETRY_DELAYS", ())
        patch.setattr("airflow_provider_leadreset.leadsquared.api.sliding_window.WINDOW", 0.02)
        patch.setenv("AIRFLOW_CONN_LEADSQUARED_DEFAULT", lsq.conn_json)
        leads = make_leads(lsq, 4)
        asked: dict[str, Any] = {
            "activity_event_list": [166],
            "window": "2026-09-01/2026-10-01",
            "evidence_path": str(root),
        }
        preview = LeadResetPreviewOperator(task_id="preview", prospect_ids=leads, **asked)
        plan = preview.execute(task_context("preview"))
        task = ResetTask(root, archive=True, plan=plan)
        del task.arguments["activity_event_list"], task.arguments["window"]
        lsq.fault("500", times=1, prospect_id=leads[1], path="LeadManagement.svc/Lead.Reset")
        with pytest.raises(LeadResetLeadsFailedError):
            task.run(1)
        digest = task.run(2)["evidence_digest"]
        lsq.wait_until_idle()
        assert LeadResetSensor(task_id="verify", plan=plan).poke(task_context("verify"))
        (verification,) = root.rglob("*-verification.json")
        yield Evidence(root, [digest, hashlib.sha256(verification.read_bytes()).hexdigest()])


def flipped(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def cut_at_a_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: dice.randrange(len(lines))])


def without_a_piece(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 40) :]


def a_piece_twice(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at : at + dice.randrange(1, 40)] + data[at:]


def another_digit(data: bytes, dice: random.Random) -> bytes:
    places = [at for at, sign in enumerate(data) if chr(sign).isdigit()]
    at = dice.choice(places or [0])
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


def longer(data: bytes, dice: random.Random) -> bytes:
    return data + dice.choice([b"\n", b" ", b"x", b"{}\n", b"\0" * 9, data])


CHANGES: list[Callable[[bytes, random.Random], bytes]] = [
    flipped,
    cut,
    cut_at_a_line,
    without_a_piece,
    a_piece_twice,
    another_digit,
    longer,
]


def content_of(path: Path, data: bytes) -> bytes:
    """Return what a file says: of a plan what is packed in it up to its end; where that cannot be told, its bytes."""
    if not path.name.startswith("plan-"):
        return data
    try:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[GZIP_HEADER:])
    except zlib.error:
        return data
    lines = content.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines, 1) if line.startswith(b'{"end"')), len(lines))
    return b"".join(lines[:end])


def test_evidence_is_whole(evidence, tmp_path):
    """Untouched, the evidence is as it was written, and every kind of file is there."""
    code, said = evidence.judge(evidence.root)
    assert (code, "\nAs expected: " in said) == (0, True)
    for word in ("Changed", "Unreadable", "no journal tells"):
        assert word not in said
    kinds = {"request", "summary", "failed", "shown", "00001", "archive", "verification", "plan"}
    assert {kind for kind in kinds if any(kind in path.name for path in evidence.files)} == kinds


def test_any_change_is_noticed(evidence, tmp_path):
    """One file changed at a random place: it is noticed, and never ends the command."""
    folder = evidence.copy_to(tmp_path / "copy")
    for place, path in enumerate(evidence.files):
        before = (evidence.root / path).read_bytes()
        for number in range(ROUNDS):
            dice = random.Random(1000 * place + number)
            change = CHANGES[number % len(CHANGES)]
            data = change(before, dice)
            (folder / path).write_bytes(data)
            code, said = evidence.judge(folder)
            same = content_of(path, data) == content_of(path, before)
            assert code == 3 or (same and code == 0), f"{path}, round {number}, {change.__name__}: {said}"
        (folder / path).write_bytes(before)
    assert evidence.judge(folder)[0] == 0


def test_any_missing_file_is_noticed(evidence, tmp_path):
    """One file removed: it is noticed; a copy of records is told as removed."""
    folder = evidence.copy_to(tmp_path / "copy")
    for path in evidence.files:
        (folder / path).rename(tmp_path / "away")
        code, said = evidence.judge(folder)
        if path.parts[0] == "archive":
            assert (code, "1 part written once, removed since" in said) == (0, True)
        else:
            assert code == 3, f"{path}: {said}"
        (tmp_path / "away").rename(folder / path)


def test_any_file_twice_ends_nothing(evidence, tmp_path):
    """One file under another's name, or of a process, try or task that never was: the command ends as it should."""
    folder = evidence.copy_to(tmp_path / "copy")
    for place, path in enumerate(evidence.files):
        dice, token = random.Random(place), path.name.partition("-")[0]
        twins = {
            path.with_name(path.name.replace(token, "eeee0000")),
            path.with_name(path.name.replace("00001", "00009").replace("plan-1", "plan-2")),
            path.parent.parent / "try-7" / path.name,
            path.parents[2] / "other" / path.parent.name / path.name,
            dice.choice([other for other in evidence.files if other != path]),
        }
        for twin in twins - {path}:
            (folder / twin).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(evidence.root / path, folder / twin)
            assert evidence.judge(folder)[0] in {0, 3}
            if twin in evidence.files:
                shutil.copyfile(evidence.root / twin, folder / twin)
            else:
                (folder / twin).unlink()
    assert evidence.judge(folder)[0] == 0


def test_what_is_not_covered_is_said(evidence):
    """The files of which not each byte is covered are files of this run."""
    for kind in NOT_COVERED:
        assert any(kind in path.name for path in evidence.files)
