"""docs/errors.md quotes what the package says, and leaves no error out that is worth a line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "airflow_provider_leadreset"
HOLE = "…"
PATTERNS = [
    pattern
    for row in re.findall(r"^\| (`.*?`) \| ", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)
    for pattern in re.findall(r"`([^`]+)`", row)
]

NOT_WORTH_A_LINE = {
    "<str(change)>": "put together of words that the guide quotes",
    "<_about_unknown(pool.client, unknown, len(chunk))>": "the same",
    "… (…, …)": "put together of words that the guide quotes",
    "…: …": "names the file before a message that the guide quotes",
    "window …: …. …": "names the window before a message that the guide quotes",
    "window …: …": "the same",
    "<describe_none(name)>": "put together of words that the guide quotes",
    "<describe_none('should_delete_prospect_notes')>": "the same",
    "<describe_none('exclude')>": "the same",
    "<describe_none('patience')>": "the same",
    "<describe_none(where)>": "the same",
    "<describe_none(f'an item of {name}')>": "the same",
    "<_NOTHING_NAMED>": "the same",
    "the account check was about to write to another lead, …": "cannot happen: the last guard before a write",
    "record … was not made by the account check": "the same",
    "<contradiction>": "what describe_contradiction() says, which the guide quotes",
    "<describe_contradiction(self._contradiction, self.findings)>": "the same",
    "…\n…": "the same, and what a preview failed with beside it",
    "<problem>": "what LeadSelection.argument_problem() says, which the guide quotes",
    "task …: …": "the same, naming the task",
    "task group …: …": "names the task group before a message that the guide quotes",
    "connection …: …": "names the connection before a message that the guide quotes",
    "<text>": "put together of what failure() says, which the guide quotes",
    "<f'{said}: {fix}' if said else fix>": "put together of words that the guide quotes",
    "<said>": "LeadSquared's own words",
    **dict.fromkeys(
        ("spans must be in order, and apart", "must be a lead id", "there is no lead … of …"),
        "said after words that the guide quotes: what an earlier try stored cannot be read",
    ),
    "no address": "inside a call, which then says that the host cannot be reached",
    "the call's time is over": "the same",
    "a window's … must be a datetime with a time zone, not …": "for callers of Window in Python",
    "a window's …, …, is no year of ours": "for callers of Window in Python",
    "a LeadReset needs Selectors and a Window: without dates LeadSquared would delete everything": (
        "for callers of LeadReset in Python"
    ),
    "timeout is …: give a number of seconds above 0": "for callers of LeadSquaredClient in Python",
    "… calls in … s never lets a call start": "for callers of SlidingWindow in Python",
    "module … has no attribute …": "for callers of compat in Python",
    "… (window is …, in this run …)": "adds the window as given to a message that the guide quotes",
    "it is …: …": "put together of words that the guide quotes",
    "…; or give the absolute URI of a file of them": "the same, of exclude",
    "…; task_types() of a LeadResetHook gives the account's by name": "the same, of a task type",
    **dict.fromkeys(
        (
            "it has a number of … digits",
            "it has a number too large, …",
            "it has …, where JSON has null",
        ),
        "said after words that the guide quotes: which is no JSON",
    ),
    **dict.fromkeys(
        (
            "it cannot be unpacked: its header is damaged",
            "it cannot be unpacked: …",
            "it is of version …, and … is known alone",
            "its head has … as account",
            "its head has … as made_by",
            "its head has … as account_check",
            "last_modified of … is …, which is no date",
            "its head has … as …",
            "… has … as …",
            "what its end says is not so, but …",
            "… holds no preview",
            "… is none of a plan's: …",
            "… names the lead … a second time",
            "… of … are no list of ids",
            "…, …, comes after …",
        ),
        "said after words that the guide quotes: is no plan, or was changed",
    ),
    **dict.fromkeys(
        (
            "it is no file",
            "its request is missing, so nothing tells what it is about",
            "there are more than … kinds of records",
            "there is nothing at …: give an evidence_path, or a folder in it",
            "… is no JSON object",
            "… is no folder: give an evidence_path, or a folder in it",
            "… is no kind of records",
            "it names more than … leads without an outcome",
            "it is no file of this provider's",
        ),
        "for auditors: the command says it of a file, or of what was typed",
    ),
}


NOT_WORTH_A_LINE |= {
    "<error.message>": "an error's own words, which the guide quotes",
    "the request has …, and no more than … can be read again: what approval says beside its yes, or another argument, "
    "is too long": "megabytes in an approval: it says itself what to do",
    "<errno.EEXIST>": "then told in words that the guide quotes: exists already",
    **dict.fromkeys(
        (
            "<_told(error, 'line of a journal')>",
            "<_told(error, cls.__name__)>",
            "its head says that … lines follow, and … do",
            "its head says that it is part …",
            "it tells of a lead at place …, and … were asked for",
            "it is empty",
            "it is of schema version …, and this package knows … alone",
            "it is …, which says no schema_version",
            "its last line has no end",
        ),
        "said after words that the guide quotes: this cannot be relied on",
    ),
}


def said(node: ast.AST) -> str:
    """Return a text as it stands in the source, with holes for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(said, values))
        case ast.FormattedValue():
            return HOLE
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return said(left) + said(right)
        case ast.BoolOp(values=values):
            return " ".join(map(said, values))
        case _:
            return f"<{ast.unparse(node)}>"


def trees() -> Iterator[ast.Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        # These are for tests, and their errors say themselves what to write.
        if "emulator" not in path.parts and path.name != "testing.py":
            yield ast.parse(path.read_text(encoding="utf-8"))


@cache
def texts() -> set[str]:
    nodes = [node for tree in trees() for node in ast.walk(tree)]
    return {said(node) for node in nodes if isinstance(node, (ast.Constant, ast.JoinedStr))}


@cache
def raised() -> set[str]:
    calls = [node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        said(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id.endswith(("Error", "Exception"))
    }


def matches(pattern: str, text: str) -> bool:
    parts = [part.strip() for part in pattern.split(HOLE) if part.strip()]
    return re.search(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_quoted_errors_exist_in_source(pattern):
    """What the guide quotes is in the source."""
    assert len(pattern.replace(HOLE, "").strip()) >= 9, "too short to tell one message from another"
    assert any(matches(pattern, text) for text in texts())


def test_guide_covers_all_errors():
    """The guide has every error that is worth a line."""
    left_out = {text for text in raised() if not any(matches(pattern, text) for pattern in PATTERNS)}
    assert left_out == set(NOT_WORTH_A_LINE)


def test_check_can_fail():
    """The checks above have enough texts to compare and can fail."""
    assert len(PATTERNS) > 60
    assert len(raised()) > 90
    assert not any(matches("window … is of no use", text) for text in texts())
    assert matches("… rendered to …, which is nothing", "… rendered to …, which is nothing: give a list")
