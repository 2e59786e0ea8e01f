"""Records of the evidence, and the schemas that are published of them."""

from __future__ import annotations

import json

import jsonschema
import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.journal.schema import Request, VersionError, parse_journal_line
from airflow_provider_leadreset.leadsquared.journal.schema_results import FailedLine
from support.evidence_files import a_request
from support.evidence_schemas import FOLDER, schemas


def test_schemas_are_up_to_date():
    """The published schemas are those of the records."""
    published = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert published == schemas(), "run: python tests/support/evidence_schemas.py"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schemas_are_schemas(name):
    """Each published schema is one, and refuses what is no record."""
    schema = json.loads(schemas()[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"schema_version": 1, "unheard_of": 1}, schema)


def test_record_is_read_as_written():
    """A record that was written is read as it was, half an emoji and all."""
    request = a_request(approval={"by": "Asha \ud83d", "at": [1, None, True]})
    line = request.as_line()
    assert line.isascii()
    assert Request.parse(json.loads(line)) == request


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"schema_version": 2}, VersionError, "of schema version 2, and this package knows 1 alone"),
        ({"leads": "many"}, InputError, "leads: Input should be a valid integer"),
        ({"unheard_of": 1}, InputError, "unheard_of: Extra inputs are not permitted"),
    ],
)
def test_other_records_refused(change, error, said):
    """A record of another version, with another field or another value is refused by name."""
    content = json.loads(a_request().as_line()) | change
    with pytest.raises(error, match=said):
        Request.parse(content)


def test_unversioned_record_refused():
    """A record that does not say its version is refused."""
    content = json.loads(a_request().as_line())
    del content["schema_version"]
    with pytest.raises(InputError, match="says no schema_version"):
        Request.parse(content)


def test_unknown_journal_line_refused():
    """A line that is none of a journal's is refused, quoted."""
    with pytest.raises(InputError, match="it is no line of a journal: it: "):
        parse_journal_line({"line": "other"})


def test_failed_line_is_a_leads_file(tmp_path):
    """A file of failed leads can be given back as a file of leads."""
    from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads

    lead = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    path = tmp_path / "0123abcd-failed.jsonl"
    path.write_bytes(FailedLine(prospect_id=lead, outcome="unanswered", reason="no answer").as_line())
    assert list(Leads.from_file(path)) == [lead]
