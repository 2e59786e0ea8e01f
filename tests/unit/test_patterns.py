"""No pattern, and no function that reads foreign text, takes more than linear time for it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import re._parser as parser
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import airflow_provider_leadreset
from airflow_provider_leadreset.leadsquared.api.connection import base_address, clean_key
from airflow_provider_leadreset.leadsquared.api.secret import Secret, spellings, strike_out
from airflow_provider_leadreset.leadsquared.errors import InputError
from airflow_provider_leadreset.leadsquared.request.guids import parse_guid
from airflow_provider_leadreset.leadsquared.request.lead_ids import parse_lead_ids
from airflow_provider_leadreset.leadsquared.request.lead_reset import parse_selectors
from airflow_provider_leadreset.leadsquared.request.storage_uris import parse_uri
from airflow_provider_leadreset.leadsquared.request.window import parse_timezone, parse_window
from airflow_provider_leadreset.leadsquared.text import quoted, scrubbed, without_invisible
from airflow_provider_leadreset.leadsquared.untrusted_files import parse_json

PACKAGE = Path(airflow_provider_leadreset.__file__).parent
METHODS = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")

LONG = 40_000
"""Characters of the longest text. Linear patterns take up to 10 ms for them, quadratic ones a second or more."""

MOST_SECONDS = 0.4

WORTH_A_LONG_TEXT = 20e-6
"""Seconds for a thousand characters: a pattern that takes less is not quadratic, which would be 150e-6 or more."""

MADE_AT_RUN_TIME = {
    "'|'.join([*units, *inner])": (
        "a group of literals and bounded repetitions for each character of a key, none like another's beginning"
    ),
}
"""Patterns that cannot be read from the source, with the reason why they are linear."""

OUR_OWN_TEXT: dict[str, str] = {}
"""Patterns that may take longer, since they only ever see text of our own, with where that comes from."""


@dataclass(frozen=True)
class Pattern:
    """A pattern of the package, with the methods by which it is used."""

    where: str
    text: str
    flags: int
    methods: tuple[str, ...]


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def is_re_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in (*METHODS, "compile")
    )


@cache
def methods_by_name() -> dict[str, set[str]]:
    """By which methods something of a name is used, in any module."""
    found = defaultdict(set)
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                found[name].add(node.attr)
    return found


def in_source() -> Iterator[Pattern | str]:
    """Every pattern of the package; the source of one that is made at run time."""
    for path, tree in trees().items():
        names = {
            id(node.value): getattr(target, "id", getattr(target, "attr", ""))
            for node in ast.walk(tree)
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        }
        for node in ast.walk(tree):
            if not is_re_call(node):
                continue
            called = node.func.attr
            try:
                text = ast.literal_eval(node.args[0])
            except ValueError:
                yield ast.unparse(node.args[0])
                continue
            flags = [ast.unparse(word.value) for word in node.keywords if word.arg == "flags"]
            position = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(called, 2)
            flags += [ast.unparse(argument) for argument in node.args[position : position + 1]]
            used = methods_by_name().get(names.get(id(node), ""), set()) if called == "compile" else {called}
            yield Pattern(
                f"{path.relative_to(PACKAGE)}:{node.lineno}",
                text,
                int(eval(flags[0], {"re": re})) if flags else 0,
                tuple(sorted(used)) or METHODS,
            )


FOUND = list(in_source())
PATTERNS = [found for found in FOUND if isinstance(found, Pattern)]


# -- texts that are hard for a pattern ------------------------------------------------------------------------


def of_set(items: Any) -> str:
    """Return characters of a set: of each part one; where it is negated one that is not in it."""
    if items[0][0] is parser.NEGATE:
        text = re.compile(parser_text(items[1:]))
        return next(sign for sign in "a1 -/:.\n" if not text.fullmatch(sign))
    return (
        "".join(chr(what if kind is parser.LITERAL else what[0]) for kind, what in items if kind in KNOWN)
        or "1"
    )


KNOWN = (parser.LITERAL, parser.RANGE)


def parser_text(items: Any) -> str:
    signs = "".join(
        re.escape(chr(what))
        if kind is parser.LITERAL
        else f"{re.escape(chr(what[0]))}-{re.escape(chr(what[1]))}"
        for kind, what in items
        if kind in KNOWN
    )
    return f"[{signs}]"


def samples(tree: Any) -> list[str]:
    """Return texts that a pattern matches or nearly matches; each repetition is there at least once."""
    texts = [""]
    for kind, what in tree:
        texts = [text + more for text in texts for more in samples_of(kind, what)][:12]
    return texts


def samples_of(kind: Any, what: Any) -> list[str]:
    if kind is parser.LITERAL:
        return [chr(what)]
    if kind is parser.NOT_LITERAL:
        return ["a" if what != ord("a") else "b"]
    if kind is parser.ANY:
        return ["a"]
    if kind is parser.IN:
        category = {parser.CATEGORY_DIGIT: "1", parser.CATEGORY_SPACE: " ", parser.CATEGORY_WORD: "a"}
        named = [
            category[value] for what_kind, value in what if what_kind is parser.CATEGORY and value in category
        ]
        return named + list(of_set(what))[-2:]
    if kind is parser.BRANCH:
        return [text for branch in what[1] for text in samples(branch)][:6]
    if kind is parser.SUBPATTERN:
        return samples(what[3])
    if kind is parser.ATOMIC_GROUP:
        return samples(what)
    if kind in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
        least, _, inner = what
        return [text * max(1, least) for text in samples(inner)]
    return [""]  # an assertion takes no text


def hard_texts(pattern: Pattern) -> Iterator[tuple[str, str, str]]:
    """Return beginning, what is repeated, and end: each part of a near match repeated, and then no match."""
    seen = set()
    for sample in samples(parser.parse(pattern.text, pattern.flags)):
        for start in range(len(sample) + 1):
            for length in (1, 2, 3):
                part = sample[start : start + length]
                for end in ("\0", sample[start + length :], "", "\n!"):
                    text = (sample[:start], part, end)
                    if part and text not in seen:
                        seen.add(text)
                        yield text
    for part in (
        "a",
        "1",
        "-",
        "/",
        " ",
        ".",
        ":",
        "\n",
        "a-",
        "/a",
        "1,",
        "a.",
        "[",
        "%2",
        "\\",
        "api-",
        "\N{DIGIT ONE}",
    ):
        yield "", part, "\0"


def uses(pattern: Pattern) -> dict[str, Callable[[str], object]]:
    compiled = re.compile(pattern.text, pattern.flags)
    return {
        "search": compiled.search,
        "match": compiled.match,
        "fullmatch": compiled.fullmatch,
        "split": compiled.split,
        "findall": compiled.findall,
        "finditer": compiled.findall,
        "sub": lambda text: compiled.sub("", text),
        "subn": lambda text: compiled.sub("", text),
    }


def lengths() -> Iterator[int]:
    """Return short steps first, so that an exponential pattern is found before it takes minutes."""
    length = 16.0
    while length < 100:
        yield int(length)
        length *= 1.2
    yield 1000
    yield LONG


def seconds(use: Callable[[str], object], text: str) -> float:
    """Return the processor's time of the least of up to six runs: what else a machine does must not count."""
    best = float("inf")
    for _ in range(6):
        began = time.thread_time()
        with suppress(InputError):
            use(text)
        best = min(best, time.thread_time() - began)
        if best < MOST_SECONDS or best > 5 * MOST_SECONDS:
            break
    return best


def slow_text(use: Callable[[str], object], texts: Iterable[tuple[str, str, str]]) -> str:
    """Return the first text that takes too long, as beginning, part times length, end."""
    for beginning, part, end in texts:
        for length in lengths():
            text = beginning + part * (length // len(part)) + end
            spent = seconds(use, text)
            if spent > MOST_SECONDS:
                return f"{beginning!r} + {part!r} * {length // len(part)} + {end!r}"
            if length == 1000 and spent < WORTH_A_LONG_TEXT:
                break
    return ""


@pytest.mark.exhaustive
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.where)
def test_pattern_is_linear(pattern: Pattern) -> None:
    """Each pattern takes linear time for texts that nearly match."""
    if pattern.text in OUR_OWN_TEXT:
        pytest.skip(OUR_OWN_TEXT[pattern.text])
    for method in pattern.methods:
        assert slow_text(uses(pattern)[method], hard_texts(pattern)) == "", method


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("text", "method"),
    [
        (r"(?<![a-z0-9.-])api(?:[.-][a-z0-9-]+)*\.leadsquared\.com\b", "search"),
        (r"^https?://|/.*$", "sub"),
        (r"(a+)+$", "match"),
        (r"\s*,\s*\Z", "search"),
        (r"[^<]*<.*>", "search"),
    ],
)
def test_slow_patterns_found(text: str, method: str) -> None:
    """Patterns that backtrack are found: the first two were in this package."""
    pattern = Pattern("here", text, 0, (method,))
    assert slow_text(uses(pattern)[method], hard_texts(pattern)) != ""


def test_no_pattern_is_missed() -> None:
    """Patterns that a module holds are those of its source, and those made at run time are named above."""
    known = {(found.text, re.compile(found.text, found.flags).flags) for found in PATTERNS}
    held = set()
    for module in pkgutil.walk_packages(airflow_provider_leadreset.__path__, "airflow_provider_leadreset."):
        if module.name.endswith("__main__"):
            continue
        with suppress(ImportError):  # of another Airflow
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, re.Pattern):
                    held.add((value.pattern, value.flags))
    assert len(PATTERNS) > 20
    assert len(held) > 8
    assert held <= known
    assert {found for found in FOUND if isinstance(found, str)} <= set(MADE_AT_RUN_TIME)


# -- functions that read foreign text -------------------------------------------------------------------------

KEYS = spellings(Secret("u$rAK0123456789abcdef"), Secret("s3c$ret+held/9=9&x%41"))
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "parse_guid": lambda text: parse_guid(text, "it"),
    "parse_lead_ids": parse_lead_ids,
    "parse_window": parse_window,
    "parse_window from a date": lambda text: parse_window(f"2026-09-01/{text}"),
    "parse_window up to a date": lambda text: parse_window(f"P{text}/2026-09-01"),
    "parse_timezone": parse_timezone,
    "event codes": lambda text: parse_selectors(activity_event_list=text),
    "event codes in a closed list": lambda text: parse_selectors(activity_event_list=f"[{text}]"),
    "event codes in a list": lambda text: parse_selectors(activity_event_list=f"[{text}"),
    "task types": lambda text: parse_selectors(task_type_list=text),
    "base_address": base_address,
    "clean_key": lambda text: clean_key("Login", Secret(text)),
    "parse_uri": lambda text: parse_uri("evidence_path", text, "folder"),
    "parse_uri of a local path": lambda text: parse_uri("evidence_path", f"/{text}", "folder"),
    "strike_out": lambda text: strike_out(KEYS, text),
    "quoted": quoted,
    "scrubbed": scrubbed,
    "without_invisible": without_invisible,
    "parse_json": lambda text: parse_json(text, "it"),
    "parse_json of an object": lambda text: parse_json(f'{{"{text}', "it"),
}
PARTS = [
    *"aAP1-/:.,;%\\\"'[]{}() \n\0@_|T",
    "a-",
    "1,",
    "/a",
    "1D",
    "[1,",
    '"a",',
    '{"a":',
    "\\u0061",
    "\N{EURO SIGN}",
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_linear(name: str) -> None:
    """Each function that reads foreign text takes linear time for it, and raises nothing but InputError."""
    assert slow_text(FUNCTIONS[name], (("", part, "") for part in PARTS)) == ""
