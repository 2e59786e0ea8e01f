"""What the tasks share when they run: values checked, errors turned into Airflow's, an end from outside."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_leadreset.compat import AirflowFailException, AirflowSkipException, AirflowTaskTimeout
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import SystemClock
from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    ClosedError,
    InputError,
    LeadRejectedError,
    OutageError,
    QuotaError,
    UnavailableError,
)
from airflow_provider_leadreset.leadsquared.request.lead_ids import Leads
from airflow_provider_leadreset.leadsquared.request.lead_reset import Selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.plan import PlanWriter
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator, LeadResetPreviewOperator
from airflow_provider_leadreset.runtime.base import BaseRun, task_errors
from airflow_provider_leadreset.runtime.failures import LeadResetFailedError
from airflow_provider_leadreset.runtime.preview_run import PreviewRun
from airflow_provider_leadreset.sensors.lead_reset import LeadResetSensor

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
OTHER = "3f2504e0-4f89-11d3-9a0c-0305e82c3302"


def a_task(**given: Any) -> LeadResetOperator:
    return LeadResetOperator(
        task_id="reset", prospect_ids=LEAD, activity_event_list=[201], window="2026-09-01/2026-10-01", **given
    )


@pytest.mark.parametrize("value", ["5", True, -1, 1.5])
def test_guard_must_be_whole_number(value):
    """A guard such as max_leads that is no whole number is refused."""
    run = BaseRun(a_task(max_leads=value), {})
    with pytest.raises(InputError, match=r"max_leads is .*: give a whole number"):
        run.checked("max_leads")


@pytest.mark.parametrize("path", ["", " ", "None"])
def test_empty_path(path):
    """A path that rendered to nothing is refused."""
    task = LeadResetOperator(
        task_id="reset", prospect_ids_path=path, activity_event_list=[201], window="2026-09-01/2026-10-01"
    )
    with pytest.raises(InputError, match="names no file"):
        BaseRun(task, {}).source.leads()


@pytest.mark.parametrize("error", [InputError("x"), AccessError("x"), LeadRejectedError("x")])
def test_permanent_errors_fail_at_once(error):
    """An error that a retry would only repeat fails the task at once."""
    with pytest.raises(AirflowFailException), task_errors():
        raise error


def test_other_errors_pass_unchanged():
    """Other errors pass as they are."""
    with pytest.raises(KeyError), task_errors():
        raise KeyError("x")


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (UnavailableError("x"), timedelta(minutes=1)),
        (OutageError("x"), timedelta(minutes=1)),
        (QuotaError("x"), timedelta(hours=1)),
    ],
)
def test_passing_errors_are_retried(error, wait):
    """An error that may pass is retried after the time that it needs."""
    with pytest.raises(LeadResetFailedError) as caught, task_errors():
        raise error
    assert caught.value.retry_after == wait


def test_killed_task_starts_no_call():
    """A killed task lets no further call start."""
    task = a_task()
    task.on_kill()  # before it runs, there is nothing to stop
    run = task._run = BaseRun(task, {})
    task.on_kill()  # before it has a client, there is nothing to stop either
    client = LeadSquaredClient("api-in21.leadsquared.com", "access", "secret")
    run._hook = SimpleNamespace(get_conn=lambda: client)
    task.on_kill()
    with pytest.raises(ClosedError):
        client.current_user()


@pytest.mark.parametrize("task", [LeadResetOperator, LeadResetPreviewOperator, LeadResetSensor])
def test_retry_policy_of_all_tasks(task):
    """All three tasks wait as long as the error needs."""
    made = task(task_id="one", prospect_ids=LEAD, activity_event_list=201, window="2026-09-01/2026-10-01")
    if hasattr(made, "retry_policy"):  # from Airflow 3.3 on
        assert type(made.retry_policy).__name__ == "LeadResetRetryPolicy"


class Draining:
    """A client whose limiter is at first interrupted while it drains."""

    host = "api.leadsquared.com"
    redact = staticmethod(str)

    def __init__(self) -> None:
        self.limiter = self
        self.drains = 0

        self.clock, self.calls = SystemClock(), 0

    def drains_in(self) -> float:
        return 0.0

    def drain(self) -> None:
        self.drains += 1
        if self.drains == 1:
            raise AirflowTaskTimeout("too long")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("error", [None, InputError])
def test_timeout_while_draining(error):
    """A timeout while slots are given back changes nothing of the task's end and gives none back early."""
    run, client = BaseRun(a_task(pool="p"), {}), Draining()
    run._hook = SimpleNamespace(get_conn=lambda: client, settings=SimpleNamespace(pool="p"))
    with nullcontext() if error is None else pytest.raises(error), run.account_session():
        if error:
            raise error("how the work ended")
    assert client.drains == 2


def test_skip_says_why():
    """A task that is skipped says why in its log."""
    run, said = BaseRun(a_task(), {}), []
    run._hook = SimpleNamespace(get_conn=Draining, settings=SimpleNamespace(pool="p"))
    run.log = SimpleNamespace(info=lambda text, *values: said.append(text % values))
    with pytest.raises(AirflowSkipException), run.account_session():
        raise AirflowSkipException("There are no leads to reset")
    assert said == ["Skipped: There are no leads to reset"]


def test_preview_of_another_request(tmp_path):
    """A preview that is asked for something else does not show its earlier plan."""
    task = LeadResetPreviewOperator(
        task_id="preview", prospect_ids=LEAD, window="2026-09-01/2026-10-01", activity_event_list=[166]
    )
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="preview", map_index=-1, try_number=1)
    run = PreviewRun(
        task, {"ti": ti, "dag_run": SimpleNamespace(run_after=datetime(2026, 10, 2, tzinfo=UTC))}
    )
    run._hook = SimpleNamespace(
        get_conn=lambda: SimpleNamespace(
            host="api.leadsquared.com", call=lambda *_: [], access_key_digest="k", current_user=dict
        ),
        settings=SimpleNamespace(pool="p", account_check=None),
    )
    request, folder = run.checked_request(), run.evidence_in(str(tmp_path))
    assert run._earlier(folder, request) is None
    writer = PlanWriter(
        account={"host": "api.leadsquared.com"},
        made_by=run.identity,
        request_digest=request.digest,
        window=request.window,
        selectors=request.selectors,
        now=datetime.now(UTC),
    )
    file, digest = writer.finish({}, datetime.now(UTC))
    with file:
        folder.write_file("plan-1.jsonl.gz", file)
    assert run._earlier(folder, request).digest == digest
    for other in (
        replace(request, leads=Leads.parse([OTHER])),
        replace(request, window=parse_window("2026-09-01/2026-10-02")),
        replace(request, asked_for=Selectors((167,))),
    ):
        with pytest.raises(InputError, match="made for other leads"):
            run._earlier(folder, other)
