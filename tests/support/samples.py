"""What LeadSquared answers, as data: the files below tests/samples, call by call.

Each file is one documented or seen form of one answer: field names and forms as published, ids, names and texts
invented. The emulator and the client are both held to them, so that neither is tested against the other alone: add one
for each documented or seen form of an answer, with its source and no field that the source does not have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent.parent / "samples"
ENVELOPES, THROTTLING, EDGE = "errors", "throttling", "edge"
"""What any call may answer: LeadSquared's errors, its throttling, and what stands in front of it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer."""

    name: str
    """The file's name without .json; it begins with ``seen`` where the mark is C."""
    call: str
    """The path after ``/v2/``, or one of the three above."""
    source: str
    """Where it was documented or seen, and which part of it is invented."""
    mark: Literal["D", "C"]
    """D: documented by LeadSquared. C: seen in public code."""
    status: int
    content_type: str
    body: Any
    """Parsed JSON; text where the content type is another."""
    request: Any = None
    """The JSON body of the request it answers, where one was given."""

    @property
    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        text = json.dumps(self.body) if self.content_type == "application/json" else self.body
        return str(text).encode()


def calls() -> list[str]:
    """Return every call that has samples."""
    return sorted({str(path.parent.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")})


def samples(call: str) -> list[Sample]:
    """Return the samples of a call, by name.

    :param call: the path after ``/v2/``, say ``"Task.svc/Retrieve"``, or ``errors``, ``throttling`` or ``edge``.
    :raises KeyError: for a call that has none: a test of no samples would pass by itself.
    """
    paths = sorted((FOLDER / call).glob("*.json"))
    if not paths:
        raise KeyError(f"No samples of {call!r}; there are those of {', '.join(calls())}")
    return [Sample(name=path.stem, **json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def sample(call: str, name: str) -> Sample:
    """Return one sample.

    :raises KeyError: when there is none of that name.
    """
    found = {one.name: one for one in samples(call)}
    if name not in found:
        raise KeyError(f"No sample {name!r} of {call}; there are {', '.join(found)}")
    return found[name]
