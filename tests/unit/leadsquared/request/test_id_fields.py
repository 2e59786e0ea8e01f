"""The column or key of a lead's id: by its usual names, or by the one that is given."""

from __future__ import annotations

import csv
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.id_fields import IdField
from airflow_provider_leadreset.leadsquared.request.lead_files import read_lead_file
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads, chunked, parse_lead_ids
from support.peak_memory import cost_of, needs_linux

A = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
B = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
C = "3f2504e0-4f89-11d3-9a0c-0305e82c3303"
USUAL = ["ProspectID", "Prospect ID", "prospect_id", "ProspectId", "LeadId", "lead_id", "RelatedProspectId"]


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_usual_columns(tmp_path: Path, name: str, separator: str) -> None:
    """A column with a usual name is found, whatever separates the cells."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["Name", name], ["x,y;z|", A], ["", B]])
    path = tmp_path / "a.csv"
    path.write_text(text.getvalue())
    assert list(read_lead_file(path)) == [A, B]


@pytest.mark.parametrize("name", USUAL)
def test_usual_keys(tmp_path: Path, name: str) -> None:
    """A key with a usual name is found, in a line and in a row."""
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"Lead Number": 7, name: A}))
    assert list(read_lead_file(path)) == [A]
    assert parse_lead_ids([{"Lead Number": 7, name: A}]) == [A]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"ProspectID": A}, [A]),
        ([{"ProspectID": A, "Stage": "x"}, {"ProspectID": B}], [A, B]),
        ([[{"ProspectID": A}], [{"ProspectID": B}]], [A, B]),
        ([{"prospect_id": A}, {"LeadId": A.upper()}, B, [C, {"lead_id": B}]], [A, B, C]),
        ([{"ProspectID": uuid.UUID(A), 7: "x"}], [A]),
    ],
)
def test_rows_of_a_task(rows: Any, expected: list[str]) -> None:
    """Rows are taken by their id, flattened by one level, each lead once."""
    assert parse_lead_ids(rows) == expected
    assert list(Leads.parse(rows)) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"Stage": "x"}],
            "item 0 of prospect_ids has no ProspectID or .*it has: 'Stage'.*prospect_id_field",
        ),
        ([A, {}], "item 1 of prospect_ids has no ProspectID .*it has: nothing"),
        ({}, "^prospect_ids has no ProspectID"),
        ([{"ProspectID": A, "lead_id": B}], "has 2 keys .*'ProspectID', 'lead_id'.*prospect_id_field"),
        ([{"ProspectID": None}], "ProspectID of item 0 of prospect_ids holds None"),
        ([{"ProspectID": f"{A},{B}"}], "ProspectID of item 0 of prospect_ids holds '3f25"),
        ([[[{"ProspectID": A}]]], r"item 0 of prospect_ids holds \[\{"),
        ({"prospect_ids": [A]}, "it has: 'prospect_ids'"),
        (str([{"ProspectID": A}]), "prospect_ids holds .ProspectID"),
    ],
)
def test_rows_without_one_id(rows: Any, message: str) -> None:
    """A row that does not name one lead is refused, with what it has."""
    with pytest.raises(InputError, match=message):
        parse_lead_ids(rows)


def test_named_key_of_rows() -> None:
    """The key of the id can be named, and then no other counts."""
    rows = [{"ProspectID": A, "owner lead": B}]
    assert parse_lead_ids(rows, "OwnerLead") == [B]
    with pytest.raises(InputError, match="has no 'stage'; it has: 'ProspectID', 'owner lead'"):
        Leads.parse(rows, "Stage")


def test_exact_name_tells_twins_apart() -> None:
    """Of two names that differ in spelling alone, the one that is written so is meant."""
    rows = [{"Lead ID": A, "LeadID": B}]
    assert parse_lead_ids(rows, "LeadID") == [B]
    assert parse_lead_ids(rows, "Lead ID") == [A]
    with pytest.raises(InputError, match="2 keys"):
        parse_lead_ids(rows, "lead_id")
    assert IdField("LeadID").column(["Lead ID", "x", "LeadID"]) == 2


@pytest.mark.parametrize("name", ["", " _", "None", 5, [], True])
def test_field_that_names_nothing(tmp_path: Path, name: Any) -> None:
    """A field that rendered to nothing is refused, before the file is opened."""
    with pytest.raises(InputError, match=r"prospect_id_field is .*, which names no column or key: write"):
        list(read_lead_file(tmp_path / "none.csv", name))


def test_failed_leads_given_back(tmp_path: Path) -> None:
    """Lines of failed leads, each with its reason, are leads."""
    path = tmp_path / "failed.jsonl"
    lines = [{"schema_version": 1, "prospect_id": lead, "error": f"HTTP 500: {C}"} for lead in (A, B)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert list(Leads.from_file(path)) == [A, B]


def test_chunks_of_rows() -> None:
    """Rows are divided into chunks of their ids."""
    assert chunked([{"ProspectID": lead} for lead in (A, B, A, C)], 2) == [[A, B], [C]]


IMPORTS = "from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads"
LINES = {
    "a.csv": "x,{},Doe\n",
    "a.jsonl": '{{"ProspectID": "{}", "Stage": "x"}}\n',
}


@pytest.mark.exhaustive
@needs_linux
@pytest.mark.parametrize("name", LINES)
def test_million_rows_half_double(tmp_path: Path, name: str) -> None:
    """A million rows of a table or of JSON lines, half of them double, take flat memory."""
    path, line = tmp_path / name, LINES[name]
    with path.open("w") as file:
        if name == "a.csv":
            file.write("Name,Prospect ID,Stage\n")
        file.writelines(
            line.format(f"{number * 7919 % 500_000:08x}-0000-4000-8000-{number % 500_000:012x}")
            for number in range(1_000_000)
        )
    code = "leads = Leads.from_file(path); assert (leads.count, leads.rows) == (500_000, 10**6)"
    cost = cost_of(IMPORTS, code, path)
    assert not cost.error, cost
    assert cost.mib < 40


@needs_linux
def test_lazy_rows_in_flat_memory(tmp_path: Path) -> None:
    """A sequence that is read lazily, as a mapped task's output is, is never held as a whole."""
    imports = f"""{IMPORTS}
from collections.abc import Sequence

class Lazy(Sequence):
    def __len__(self):
        return 200_000

    def __getitem__(self, at):
        if at >= 200_000:
            raise IndexError
        return "%08x-0000-4000-8000-000000000000" % (at % 100_000)
"""
    code = "leads = Leads.parse(Lazy()); assert (leads.count, leads.rows) == (100_000, 200_000)"
    cost = cost_of(imports, code, tmp_path)
    assert not cost.error, cost
    assert cost.mib < 40
