"""Links inside the README and the guides lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_OUTSIDE = ("https://", "http://", "mailto:")


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", shown).strip().replace(" ", "-")
        times = found[anchor] = found.get(anchor, -1) + 1
        if times:
            found[f"{anchor}-{times}"] = 0
    return set(found)


def broken(page: Path) -> list[str]:
    wrong = []
    for link in _LINK.findall(prose(page)):
        if link.startswith(_OUTSIDE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT.resolve()) and target.exists()
        if not inside or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page):
    """Every link inside a page leads to a file and a heading that exist."""
    assert broken(page) == []


def test_broken_links_are_found(tmp_path, monkeypatch):
    """Links to missing files, missing headings and places outside the repository are found."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# A `heading`, twice\n\n# A heading, twice\n\n```\n# none\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-heading-twice-1) [c](missing.md) [d](other.md#none) [e](#no) "
        "[f](../outside.md) [g](https://example.com/none)\n```\n[h](missing-too.md)\n```\n"
    )
    assert broken(page) == ["missing.md", "other.md#none", "#no", "../outside.md"]


def test_index_has_every_guide():
    """The index of the guides lists every guide, and nothing else."""
    index = ROOT / "docs" / "README.md"
    listed = re.findall(r"\]\(([\w-]+\.md)\)", index.read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(page.name for page in index.parent.glob("*.md") if page != index)


def test_guide_length_and_opening():
    """A guide fits on a page and says first what it is for."""
    for page in PAGES[1:]:
        if page.name in {"README.md", "decisions.md", "answers.md", "api.md", "errors.md"}:
            continue
        lines = page.read_text(encoding="utf-8").splitlines()
        # One line for each case of a test.
        assert len(lines) <= 100, page.name
        assert lines[2].startswith("At the end you "), page.name
