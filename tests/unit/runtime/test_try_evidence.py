"""What a try writes can be read again, however long it ran."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.journal.reader import MOST_PART
from airflow_provider_leadreset.leadsquared.journal.schema import FileDigest
from airflow_provider_leadreset.leadsquared.journal.schema_results import Summary
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json
from airflow_provider_leadreset.runtime.try_evidence import TryEvidence
from support.evidence_files import a_request, a_summary


@pytest.fixture
def evidence(tmp_path: Path) -> TryEvidence:
    return TryEvidence(EvidenceFolder(tmp_path / "report"), EvidenceFolder(tmp_path / "archive"), 1)


def test_summary_of_very_many_parts(evidence, tmp_path):
    """The summary of a try of a million leads stays below what a reader takes: it lists the last files."""
    evidence.begin(a_request(), ahead=1)
    part, copy = (
        FileDigest(name=f"{evidence.token}-{kind}00001.jsonl", sha256="0" * 64) for kind in ("", "archive-")
    )
    evidence.journal.files += [part] * 76_000
    evidence.archive_files += [copy] * 76_000
    left_out = {"schema_version", "parts", "files", "archive_files"}
    evidence.write_summary(a_summary([]).model_dump(exclude=left_out))
    (path,) = tmp_path.glob("report/try-1/*-summary.json")
    assert path.stat().st_size < MOST_PART
    summary = Summary.parse(parse_json(path.read_bytes(), "it"))
    assert (summary.parts, summary.files[-1], summary.archive_files[-1]) == (76_000, part, copy)


def test_request_too_long_to_be_read(evidence):
    """A request that nobody could read again is refused before the first call."""
    with pytest.raises(InputError, match=r"the request has 9 MiB, and no more than 8 MiB can be read"):
        evidence.begin(a_request(approval={"approved": True, "by": "a", "said": "x" * (9 << 20)}), ahead=1)
