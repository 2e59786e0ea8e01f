"""A page of HTML as a tree, strictly: each element that is opened is closed, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with single blanks."""
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join(" ".join(parts).split())

    def all(self, *names: str) -> list[Element]:
        """Return the elements in it that have one of some names, in order; all without a name."""
        return list(self._walk(names))

    def one(self, name: str) -> Element:
        """Return the one element of a name."""
        (found,) = self.all(name)
        return found

    def rows(self) -> list[list[str]]:
        """Return the text of each cell, row by row."""
        return [[cell.text for cell in row.all("th", "td")] for row in self.all("tr")]

    def _walk(self, names: tuple[str, ...]) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                if not names or child.name in names:
                    yield child
                yield from child._walk(names)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse_html(page: str) -> Element:
    """Return what holds the page's elements."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser._open == [parser.root], "an element is not closed"
    return parser.root


def section(page: Element, heading: str) -> Element:
    """Return the one section with a heading."""
    (found,) = [
        one for one in page.all("section") if any(h.text.endswith(heading) for h in one.all("h2", "h3"))
    ]
    return found
