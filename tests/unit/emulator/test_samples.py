"""The samples are what they say, and the emulator answers no field that they do not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.samples import EDGE, ENVELOPES, FOLDER, THROTTLING, calls, sample, samples

FILES = sorted(FOLDER.rglob("*.json"))
NEEDED = [
    "Authentication.svc/UserByAccessKey.Get",
    "LeadManagement.svc/Lead.Reset",
    "LeadManagement.svc/Leads/Retrieve/ByIds",
    "LeadManagement.svc/Leads/Retrieve/BySearchParameter",
    "LeadManagement.svc/LeadsMetaData.Get",
    "LeadManagement.svc/Lists.Get",
    "LeadManagement.svc/RetrieveNote",
    "LeadManagement.svc/RetrieveTaskByLeadId",
    "ProspectActivity.svc/ActivityTypes.Get",
    "ProspectActivity.svc/GetActivityDetails",
    "ProspectActivity.svc/Retrieve",
    "Task.svc/Retrieve",
    "Task.svc/RetrieveTaskType",
    EDGE,
    ENVELOPES,
    THROTTLING,
]


def test_every_call_has_samples() -> None:
    """Each call that the client uses has samples, and so have errors, throttling and edge pages."""
    assert set(NEEDED) <= set(calls())
    assert sum(len(samples(call)) for call in calls()) == len(FILES) > 60


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_sample_is_well_formed(file: Path) -> None:
    """A sample names its call, its source and how sure that is, and holds an answer of its content type."""
    raw = json.loads(file.read_text(encoding="utf-8"))
    assert set(raw) - {"request"} == {"call", "source", "mark", "status", "content_type", "body"}
    one = sample(raw["call"], file.stem)
    assert file.parent == FOLDER / one.call
    assert one.source.startswith({"D": "documented ", "C": ("seen ", "documented ")}[one.mark])
    assert one.name.startswith("seen") <= (one.mark == "C")
    assert 200 <= one.status < 600
    if one.content_type == "application/json":
        assert isinstance(one.body, dict | list)
        assert json.loads(one.payload) == one.body
    else:
        assert one.content_type in ("text/html", "text/plain")
        assert one.payload.decode() == one.body


def test_unknown_samples_are_refused() -> None:
    """Asking for samples that do not exist is an error that lists those there are."""
    with pytest.raises(KeyError, match=r"No samples of 'Lead\.Rest'.*Task\.svc/Retrieve"):
        samples("Lead.Rest")
    with pytest.raises(KeyError, match=r"No sample 'other'.*documented-id"):
        sample("Task.svc/Retrieve", "other")
