"""The members of a list, kept between the tries of a task: whole, of this run, or not at all."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.leadsquared.api.account_identity import AccountIdentity
from airflow_provider_leadreset.leadsquared.journal.folder import EvidenceFolder
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.safety.rules import AccountRules
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime import lead_source, listed_leads
from airflow_provider_leadreset.runtime.base import BaseRun
from airflow_provider_leadreset.runtime.listed_leads import FolderCopy, StoreCopy
from airflow_provider_leadreset.runtime.preview_run import PreviewRun
from airflow_provider_leadreset.runtime.reset_run import ResetRun

IDS = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{number:02}" for number in range(10)]
LIST, OTHER = "3f2504e0-4f89-11d3-9a0c-0305e82c3399", "3f2504e0-4f89-11d3-9a0c-0305e82c3398"
LOG = logging.getLogger("test")


class Store(dict[str, Any]):
    """A task's state, as Airflow 3.3 keeps it."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        del self[key]


def stored(store: Any) -> StoreCopy:
    return StoreCopy(store, "key", LOG)


def test_store_keeps_whole_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are kept in parts that Airflow does not warn of, and deleted by the try that succeeds."""
    monkeypatch.setattr(listed_leads, "PART_LEADS", 4)
    store = Store()
    assert stored(store).read() is None
    stored(store).keep(Leads.parse(IDS))
    assert max(len(part) for key, part in store.items() if "/" in key.removeprefix("leadreset-list/")) == 4
    later = stored(store)
    found = later.read()
    assert found is not None
    assert list(found) == IDS
    later.forget()
    assert store == {}


@pytest.mark.parametrize("damage", ["leadreset-list/key", "leadreset-list/key/1"])
def test_half_kept_list_is_not_counted(monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """What a killed try kept by half is not taken for the list."""
    monkeypatch.setattr(listed_leads, "PART_LEADS", 4)
    store = Store()
    stored(store).keep(Leads.parse(IDS))
    store.delete(damage)
    assert stored(store).read() is None


def test_store_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    """A store that does not delete costs nothing; one that does not keep ends the try before the first reset."""
    away = SimpleNamespace(get=lambda key: None)
    with caplog.at_level("WARNING"):
        stored(away).forget()
    assert "could not be deleted" in caplog.text
    with pytest.raises(AttributeError):
        stored(away).keep(Leads.parse(IDS))


def test_folder_keeps_one_file_a_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first file that is whole counts, for every later try; a torn, empty or foreign one does not."""
    folder = EvidenceFolder(tmp_path)

    def of_try(number: int, key: str = "k") -> FolderCopy:
        return FolderCopy(folder, key, number, LOG)

    assert of_try(1).read() is None
    of_try(1, "other").keep(Leads.parse(IDS[:1]))
    of_try(1).keep(Leads.parse(IDS))
    (empty,) = tmp_path.glob("leads-k-try-1-*.txt.gz")
    empty.write_bytes(b"")
    of_try(2).keep(Leads.parse(IDS))
    (torn,) = tmp_path.glob("leads-k-try-2-*.txt.gz")
    whole = torn.read_bytes()
    for cut in (1, 9, 20, len(whole) - 1):
        torn.write_bytes(whole[:cut])
        with caplog.at_level("WARNING"):
            assert of_try(3).read() is None, cut
    assert "is passed over" in caplog.text
    kept = of_try(3)
    kept.keep(Leads.parse(IDS))
    later = of_try(4)
    found = later.read()
    assert found is not None
    assert (list(found), later.path) == (IDS, kept.path)


def test_two_processes_of_a_try(tmp_path: Path) -> None:
    """Two processes of one try number keep a file each, and never write over one another's."""
    for _ in range(2):
        FolderCopy(EvidenceFolder(tmp_path), "k", 1, LOG).keep(Leads.parse(IDS))
    assert len(list(tmp_path.glob("leads-k-try-1-*.txt.gz"))) == 2


def source(monkeypatch: pytest.MonkeyPatch, members: list[str], reads: list[str], **context: Any) -> BaseRun:
    """A run whose account has one list."""

    def read(client: Any, list_id: str, on_page: object) -> list[str]:
        reads.append(list_id)
        return members

    monkeypatch.setattr(lead_source, "list_members", read)
    kind = context.pop("kind", LeadResetOperator)
    task = kind(
        task_id="reset",
        list_id=context.pop("list_id", LIST),
        window="2026-09-01/2026-10-01",
        activity_event_list=[166],
        evidence_path=context.pop("evidence"),
    )
    account = context.pop("account", "1001")
    names = {
        "dag_id": "d",
        "run_id": "r",
        "task_id": "reset",
        "map_index": -1,
        "try_number": 1,
        "max_tries": 2,
    }
    made = (ResetRun if kind is LeadResetOperator else PreviewRun)(
        task,
        {"ti": SimpleNamespace(**{**names, **context}), "dag_run": SimpleNamespace(clear_number=0)},  # type: ignore[typeddict-item]
    )
    client = SimpleNamespace(host="api.leadsquared.com", limiter=SimpleNamespace(calls=0))
    hook = SimpleNamespace(get_conn=lambda: client, settings=SimpleNamespace(rules=AccountRules(), pool="p"))
    made._hook = hook  # type: ignore[assignment]
    made.account = AccountIdentity("api.leadsquared.com", "key", account)
    return made


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"try_number": 2}, True),
        ({"try_number": 3, "max_tries": 5}, False),
        ({"run_id": "s"}, False),
        ({"map_index": 1}, False),
        ({"list_id": OTHER}, False),
        ({"account": "1002"}, False),
        ({"list_id": LIST.upper()}, True),
    ],
)
@pytest.mark.parametrize("kind", [LeadResetOperator, LeadResetPreviewOperator])
def test_same_leads_for_retries_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: Any, same: bool, kind: Any
) -> None:
    """A retry has the leads of the first try; a Clear, another run, another list and another account do not.

    A preview keeps them over a Clear too, as it keeps its plan.
    """
    reads: list[str] = []
    given = {"kind": kind, "evidence": str(tmp_path)}
    assert list(source(monkeypatch, IDS, reads, **given).source.leads()) == IDS
    later = list(source(monkeypatch, IDS[:2], reads, **given, **changed).source.leads())
    kept = same or (kind is LeadResetPreviewOperator and "max_tries" in changed)
    assert later == (IDS if kept else IDS[:2])
    assert len(reads) == (1 if kept else 2)


def test_colliding_run_ids_share_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs whose ids come to one folder have their own leads each."""
    reads: list[str] = []
    for run_id, members in (("a:b", IDS), ("a+b", IDS[:3])):
        run = source(monkeypatch, members, reads, evidence=str(tmp_path), run_id=run_id)
        assert list(run.source.leads()) == members
    assert len(reads) == 2
