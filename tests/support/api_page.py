"""The page of all public names, made of their signatures and docstrings.

``python tests/support/api_page.py > docs/api.md`` writes the page anew; a test holds it up to date.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.public_api import PACKAGE, PUBLIC

HEAD = """# Classes and functions

At the end you know what each public class and function takes, gives and raises. The page is made of the code's own
docstrings; how to use them is in the [guides](README.md).

"(templated)" means that Airflow renders it. *Documented* is what LeadSquared's pages say, *seen* what public code
reports of live accounts, *inferred* what follows from these. Names of types stand [at the end](#types).
"""

TITLES = {
    "operators.lead_reset": "Operators",
    "sensors.lead_reset": "Sensor",
    "task_groups.lead_reset": "Task group",
    "hooks.lead_reset": "Hook",
    "exceptions": "How a task ends",
    "leadsquared": "LeadSquared without Airflow",
    "emulator": "Emulator",
    "testing": "Fixtures of pytest",
}
"""Modules in the page's order; of the others nothing is for whoever writes DAGs."""

INTERNAL = ("argument_problem", "flag_problem", "get_connection_form", "get_ui_field", "get_openlineage")
"""What the methods are called that no user calls."""

TYPES = f"{PACKAGE}.operators._arguments"

_SECTION = re.compile(r"^:(param|raises|returns?)\b ?([^:]*):", re.MULTILINE)
_FIXTURE = "of pytest: a test names it as a parameter."


@dataclass(frozen=True)
class Docstring:
    """A docstring's parts, as Markdown.

    :param prose: what stands before and between the fields.
    :param parameters: text by name.
    :param raises: text by class.
    """

    prose: str
    parameters: dict[str, str]
    raises: dict[str, str]

    @classmethod
    def of(cls, value: Any) -> Docstring:
        """Read what ``value`` says of itself."""
        text = inspect.getdoc(value) or ""
        prose, parameters, raises = [], {}, {}
        for paragraph in re.split(r"\n\s*\n", text):
            fields = list(_SECTION.finditer(paragraph))
            if not fields:
                prose.append(markdown(paragraph))
                continue
            if before := paragraph[: fields[0].start()].strip():
                prose.append(markdown(before))
            ends = [one.start() for one in fields[1:]] + [len(paragraph)]
            for one, end in zip(fields, ends, strict=True):
                said = markdown(" ".join(paragraph[one.end() : end].split()))
                if one[1] == "param":
                    parameters[one[2]] = said
                elif one[1] == "raises":
                    raises[one[2]] = said
                else:
                    prose.append(f"Returns {said}")
        return cls("\n\n".join(prose), parameters, raises)


def markdown(text: str) -> str:
    """Return reStructuredText of a docstring as Markdown: names and literals as code, examples indented."""
    text = re.sub(r":\w+:`[.~]?([^`]+)`", r"`\1`", text)
    text = re.sub(r"``(.+?)``", r"`\1`", text, flags=re.DOTALL)
    return re.sub(r"::$", ":", text)


def page() -> str:
    """Return docs/api.md."""
    parts = [HEAD]
    for module, title in TITLES.items():
        if module not in PUBLIC:
            continue
        loaded = importlib.import_module(f"{PACKAGE}.{module}")
        parts.append(f"\n## {title}\n\nFrom `{PACKAGE}.{module}`.\n")
        for name in PUBLIC[module] or loaded.__all__:
            parts += described(name, getattr(loaded, name))
    parts.append("\n## Types\n\n| name | is |\n|---|---|\n")
    parts += [f"| `{name}` | {cell(without_mark(is_))} |\n" for name, is_ in aliases()]
    return "".join(parts)


def aliases() -> Iterator[tuple[str, str]]:
    """Yield the types that operators name by a word, as they are written."""
    source = Path(importlib.import_module(TYPES).__file__ or "").read_text("utf-8")
    for node in ast.parse(source).body:
        match node:
            case ast.AnnAssign(
                target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias"), value=ast.expr() as is_
            ):
                if not name.startswith("_"):
                    yield name, ast.unparse(is_)


def described(name: str, value: Any) -> Iterator[str]:
    """Write one public name: what it is, its parameters, what it raises, and its methods."""
    yield f"\n### {name}\n\n"
    if isinstance(value, Enum):
        yield f"{markdown(inspect.getdoc(type(value)) or '')}\n"
        return
    said = Docstring.of(value)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        yield f"A fixture {_FIXTURE} {said.prose}\n"
        yield from raising(said)
        return
    bases = [
        f"`{base.__name__}`" for base in getattr(value, "__bases__", ()) if base.__name__ in error_names()
    ]
    if bases:
        yield f"A kind of {', '.join(bases)}. "
    yield f"{said.prose}\n"
    yield from taking(value, said)
    yield from raising(said)
    if inspect.isclass(value):
        yield from methods(value)


def taking(value: Any, said: Docstring) -> Iterator[str]:
    """Write a table of the parameters that the docstring describes."""
    if not said.parameters:
        return
    known = inspect.signature(value).parameters
    rows = [(name, known[name], text) for name, text in said.parameters.items() if name in known]
    yield "\n| parameter | type | default | |\n|---|---|---|---|\n"
    for name, parameter, text in rows:
        yield f"| `{name}` | {cell(type_of(parameter))} | {cell(default_of(parameter))} | {cell(text)} |\n"


def type_of(parameter: inspect.Parameter) -> str:
    """Return a parameter's type as it is written, but for the one that its default says."""
    return "" if parameter.annotation is inspect.Parameter.empty else without_mark(str(parameter.annotation))


def without_mark(written: str) -> str:
    """Return a type without the mark of what was not given, which stands as the default."""
    return f"`{written.replace(' | NotGiven', '')}`"


def default_of(parameter: inspect.Parameter) -> str:
    """Return a parameter's default, in words where it is a mark of ours."""
    default = parameter.default
    if default is inspect.Parameter.empty:
        return "required"
    if isinstance(default, Enum):
        return "not given"
    return "" if "factory" in repr(default) else f"`{default!r}`".replace("datetime.", "")


def raising(said: Docstring) -> Iterator[str]:
    """Write what it raises, and when."""
    if said.raises:
        yield "\n"
        yield from (f"- Raises `{kind}`: {text}\n" for kind, text in said.raises.items())


def methods(value: type) -> Iterator[str]:
    """Write a class's own methods, one line each."""
    lines = []
    for key in sorted({key for owner in value.__mro__ if is_ours(owner) for key in vars(owner)}):
        member = getattr(value, key)
        if key.startswith("_") or not inspect.isfunction(member) or not member.__doc__:
            continue
        if is_airflows(key, value):
            continue
        said = Docstring.of(member)
        prose = " ".join(said.prose.split())
        raises = "".join(f" Raises `{kind}`: {text}" for kind, text in said.raises.items())
        names = ", ".join(
            name_of(one) for one in inspect.signature(member).parameters.values() if one.name != "self"
        )
        lines.append(f"- `{key}({names})`: {prose}{raises}\n")
        lines += [f"  - `{one}`: {text}\n" for one, text in said.parameters.items()]
    if lines:
        yield "\nMethods:\n\n"
        yield from lines


def name_of(parameter: inspect.Parameter) -> str:
    """Return a parameter as a caller writes it."""
    has_default = parameter.default is not inspect.Parameter.empty
    return f"{parameter.name}=…" if has_default else parameter.name


def is_ours(owner: type) -> bool:
    """Whether a class is of this package."""
    return owner.__module__.startswith(PACKAGE)


def is_airflows(key: str, value: type) -> bool:
    """Whether Airflow calls it, not the user, or the package's own classes do."""
    if key in ("get_conn", "test_connection"):
        return False
    return key.startswith(INTERNAL) or any(
        key in vars(owner) for owner in value.__mro__ if not is_ours(owner)
    )


def error_names() -> set[str]:
    """Return the names of all public errors, and of Airflow's that they are kinds of."""
    face = importlib.import_module(f"{PACKAGE}.leadsquared").__all__
    ours = [name for name in (*face, *(PUBLIC["exceptions"] or ())) if name.endswith("Error")]
    return {*ours, "AirflowException", "AirflowFailException"}


def cell(text: str) -> str:
    """Return text fit for a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
