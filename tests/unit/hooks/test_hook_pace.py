"""How many calls a hook starts in 5 s: alone, beside others, and in a task."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_mock import MockerFixture

from airflow_provider_leadreset.compat import AirflowTaskTimeout
from airflow_provider_leadreset.exceptions import LeadResetInputError
from airflow_provider_leadreset.hooks import lead_reset, task_slots
from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook
from airflow_provider_leadreset.hooks.task_slots import current_slots, drain, slots_of
from airflow_provider_leadreset.leadsquared.api import account_window
from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient
from airflow_provider_leadreset.leadsquared.api.rate_limit import RateLimiter
from airflow_provider_leadreset.leadsquared.api.sliding_window import SlidingWindow
from airflow_provider_leadreset.leadsquared.errors import ClosedError
from airflow_provider_leadreset.leadsquared.request.lead_reset import LeadReset, parse_selectors
from airflow_provider_leadreset.leadsquared.request.window import parse_window
from airflow_provider_leadreset.leadsquared.safety.rules import AccountRules
from support.answering import ACCESS, SECRET, Answering, FakeClock, http

HOST = "api-in21.leadsquared.com"


@pytest.fixture(autouse=True)
def _none_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_window, "_windows", {})


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a hook of a connection with these fields."""

    def hook(*, calls: int | None = None, **fields: Any) -> LeadResetHook:
        connection = {"conn_type": "leadsquared", "host": HOST, "login": ACCESS, "password": SECRET} | fields
        monkeypatch.setenv("AIRFLOW_CONN_LSQ", json.dumps(connection))
        return LeadResetHook("lsq", calls=calls)

    return hook


def a_task(task_id: str = "task", pool: str = "lsq", slots: int = 1) -> SimpleNamespace:
    return SimpleNamespace(task_id=task_id, pool=pool, pool_slots=slots)


def context_of(task: Any, *, scheduled: Any = None, running: str = "") -> Any:
    """Return a context in which a task runs; the DAG knows it as ``scheduled``."""
    known = {one.task_id: one for one in (scheduled or task,)}
    dag = SimpleNamespace(has_task=known.__contains__, get_task=known.__getitem__)
    return {"task": task, "dag": dag, "ti": SimpleNamespace(task_id=running or task.task_id)}


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a task run."""

    def run(task: Any, **more: Any) -> None:
        monkeypatch.setattr(task_slots, "get_current_context", lambda: context_of(task, **more))

    return run


def share(hook: LeadResetHook) -> tuple[int, int]:
    window = hook.get_conn().limiter.sliding_window
    return window.share, window.limit


# -- several in one process -------------------------------------------------------------------------------------


def test_hooks_share_their_account(connect: Any) -> None:
    """Hooks of one account share one window whatever they ask for, and each stops alone."""
    windows, hooks = set(), []
    for fields in ({}, {"extra": {"calls_per_5s": 10}}, {"calls": 5}):
        hooks.append(connect(**fields))
        windows.add(id(hooks[-1].get_conn().limiter.sliding_window))
    first, second, _ = hooks
    assert len(windows) == 1
    assert share(first) == (5, 10)
    first.get_conn().stop()
    second.get_conn().limiter.acquire()
    with pytest.raises(ClosedError):
        first.get_conn().limiter.acquire()
    other = connect(host="api-us11.leadsquared.com")
    assert id(other.get_conn().limiter.sliding_window) not in windows


def test_hook_that_is_gone(connect: Any) -> None:
    """A hook that nobody holds any more limits nobody, at once."""
    gc.disable()
    try:
        few = connect(calls=2)
        assert share(few) == (2, 25)
        del few
        assert share(connect(calls=9)) == (9, 25)
    finally:
        gc.enable()


def test_spelling_of_host_makes_no_difference(connect: Any) -> None:
    """An account is one however its host and key are spelled."""
    one = connect().get_conn()
    other = connect(host=f"https://{HOST.upper()}/v2/", login=f" {ACCESS}\n").get_conn()
    assert one.limiter.sliding_window is other.limiter.sliding_window


def test_forked_process_has_a_client_of_its_own(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was forked off does not use its parent's connections, whose answers it would mix up."""
    hook = connect()
    client = hook.get_conn()
    client.limiter.acquire()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert hook.get_conn() is not client
    assert hook.get_conn() is hook.get_conn()
    assert hook.get_conn().limiter.sliding_window is client.limiter.sliding_window


def slowly(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function, with a pause after it in which other threads run."""

    def call(*args: Any) -> None:
        function(*args)
        time.sleep(0.02)

    return call


def test_copy_has_no_keys_and_no_client(connect: Any) -> None:
    """A hook that has called can be copied and pickled, for a pool of processes: its keys and client stay behind."""
    hook = connect(calls=3)
    client = hook.get_conn()
    packed = pickle.dumps(hook)
    assert SECRET.encode() not in packed
    assert ACCESS.encode() not in packed
    for made in (copy.copy(hook), copy.deepcopy(hook), pickle.loads(packed)):
        assert made.get_conn() is not client
        assert share(made) == (3, 25)


def test_forked_process_of_a_task_is_warned(
    connect: Any, running: Any, monkeypatch: Any, mocker: Any
) -> None:
    """A process that a task starts with its hook is told, once, that nobody counts its calls with the task's."""
    log = mocker.patch.object(LeadResetHook, "log")
    running(a_task(slots=2))
    hook = connect()
    hook.get_conn()
    assert not log.warning.called
    monkeypatch.setattr(os, "getpid", lambda: -1)
    hook.get_conn()
    hook.get_conn()
    ((told,),) = [call.args for call in log.warning.call_args_list]
    assert told.startswith(
        "This process was started by a task: its calls are counted neither with the task's"
    )


def forked(work: Callable[[], object]) -> int:
    """Run something in a process that is forked off; return how it ended, 14 for that it hung."""
    child = os.fork()
    if not child:
        ended = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(5)
            ended = 0 if work() in {None, True} else 2
        finally:
            os._exit(ended)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize(("calls", "warns"), [(None, True), (1, False)])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_hook_that_is_new_in_a_forked_process(
    connect: Any, running: Any, mocker: MockerFixture, calls: int | None, warns: bool
) -> None:
    """A hook that first calls in a process forked off a task says the same, unless it is told its share."""
    log = mocker.patch.object(LeadResetHook, "log")
    hook = connect(calls=calls)
    running(a_task(slots=2))

    def told() -> bool:
        hook.get_conn()
        hook.get_conn()
        texts = [call.args[0] for call in log.warning.call_args_list]
        return [text[:33] for text in texts] == ["This process was started by a tas"] * warns

    assert forked(told) == 0
    hook.get_conn()
    assert not log.warning.called, "the task itself is told nothing"


@contextmanager
def held(lock: Any) -> Any:
    """Let another thread hold a lock meanwhile."""
    holds, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            holds.set()
            leave.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(20)
    try:
        yield
    finally:
        leave.set()
        thread.join()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_while_other_threads_use_the_hook(connect: Any, mocker: MockerFixture) -> None:
    """A process can use a hook, whichever lock another thread of its parent held as it was forked off."""
    mocker.patch.object(LeadResetHook, "log")
    lead = LeadReset(
        "00000000-0000-4000-8000-000000000001", parse_selectors([166]), parse_window("2026-09-01/2026-10-01")
    )
    with Answering(http(200, '{"Status": "Success"}')) as server:
        hook = connect(host=server.url, calls=5, extra={"rules": {"max_leads": 5}})
        hook.get_conn().current_user()
        adapters: Any = hook.get_conn()._transport._session.adapters
        (pool,) = (one for kept in adapters.values() for one in kept.poolmanager.pools._container.values())
        new = connect(host=server.url, calls=5)
        for lock in (lead_reset._leads_lock, pool.pool.mutex, getattr(LeadResetHook._client, "lock", None)):
            if lock:
                with held(lock):
                    assert forked(lambda: hook.reset(lead) or gc.collect() >= 0) == 0
                    assert forked(lambda: new.get_conn() and None) == 0


def test_threads_keep_to_max_leads(connect: Any, monkeypatch: Any) -> None:
    """Threads that use one hook at once reset no more leads together than the account's rules allow."""
    hook = connect(extra={"rules": {"max_leads": 5}})
    reset: list[str] = []
    client = SimpleNamespace(reset=lambda one: reset.append(one.prospect_id), host=HOST)
    monkeypatch.setattr(LeadResetHook, "get_conn", lambda self: client)
    monkeypatch.setattr(AccountRules, "check_leads", slowly(AccountRules.check_leads))

    def call(number: int) -> None:
        lead = f"00000000-0000-4000-8000-0000000000{number:02}"
        with suppress(LeadResetInputError):
            hook.reset(LeadReset(lead, parse_selectors([166]), parse_window("2026-09-01/2026-10-01")))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reset) == 5


# -- in a task ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slots", "calls", "expected"),
    [(1, None, 1), (5, None, 5), (25, None, 10), (5, 3, 3), (5, 8, 5)],
)
def test_share_of_task_in_pool(
    connect: Any, running: Any, slots: int, calls: int | None, expected: int
) -> None:
    """In the account's pool the task's slots are the share, or less where less is asked for."""
    running(a_task(slots=slots))
    assert share(connect(calls=calls, extra={"calls_per_5s": 10})) == (expected, 10)


def test_pool_that_the_connection_names(connect: Any, running: Any) -> None:
    """The account's pool is the one that the connection names."""
    running(a_task(pool="crm", slots=2))
    assert share(connect(extra={"pool": "crm"})) == (2, 25)


@pytest.mark.parametrize(("calls", "expected"), [(None, 10), (4, 4)])
def test_warning_outside_the_pool(
    connect: Any, running: Any, mocker: MockerFixture, calls: int | None, expected: int
) -> None:
    """Outside it, the hook says once that others are not counted, and how to mend that."""
    log = mocker.patch.object(LeadResetHook, "log")
    running(a_task(pool="default_pool", slots=3))
    hook = connect(calls=calls, extra={"calls_per_5s": 10})
    assert share(hook) == (expected, 10)
    hook.get_conn()
    told = [call.args[0] % call.args[1:] for call in log.warning.call_args_list]
    assert told == [
        "This task is in the pool 'default_pool', not in 'lsq', the pool of the account",
        "So the calls of other tasks are not counted, and together they may exceed the account's limit",
        "Make that pool and give the task pool='lsq', or name another in the connection's extra pool",
    ]


def test_no_task_no_warning(connect: Any, mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a task nothing is said of pools, and calls= says the share."""
    monkeypatch.delenv("AIRFLOW_CTX_TASK_ID", raising=False)
    log = mocker.patch.object(LeadResetHook, "log")
    assert current_slots() is None
    assert share(connect(calls=7)) == (7, 25)
    assert not log.warning.called


def test_hook_of_the_files_top_level(connect: Any, running: Any) -> None:
    """A hook that called before there was a task, or in another one, has the slots of the task that it is used in."""
    hook = connect()
    assert share(hook) == (25, 25)
    running(a_task(slots=2))
    assert share(hook) == (2, 25)
    running(a_task(slots=4))
    assert share(hook) == (4, 25)
    assert hook.get_conn() is hook.get_conn()


def test_callback_keeps_the_tasks_slots(connect: Any, running: Any, monkeypatch: Any) -> None:
    """In a callback, where Airflow has no context, a hook that the task has used keeps the task's slots."""
    hook = connect()
    running(a_task(slots=2))
    assert share(hook) == (2, 25)
    monkeypatch.undo()
    assert share(hook) == (2, 25)


@pytest.mark.parametrize(("calls", "warns"), [(None, True), (1, False)])
def test_callback_is_warned(
    connect: Any, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, calls: int | None, warns: bool
) -> None:
    """A hook of a task's callback, where the slots are not known, says so once, unless it is told its share."""
    log = mocker.patch.object(LeadResetHook, "log")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "task")
    hook = connect(calls=calls)
    hook.get_conn()
    hook.get_conn()
    told = [call.args[0] % call.args[1:] for call in log.warning.call_args_list]
    assert [text.split(", or")[0] for text in told] == ["This is a callback of a task"] * warns


def test_mapped_pool_is_refused(connect: Any, running: Any) -> None:
    """A pool or slots that were mapped over are refused, naming what Airflow schedules by."""
    running(a_task(pool="lsq", slots=4), scheduled=a_task(pool="default_pool", slots=4))
    with pytest.raises(
        LeadResetInputError, match=r"pool is 'lsq' by expand\(\), .* the task has 'default_pool'"
    ):
        connect().get_conn()
    running(a_task(slots=4), scheduled=a_task(slots=1))
    with pytest.raises(LeadResetInputError, match=r"pool_slots is '?4'? by expand\(\)"):
        connect().get_conn()


def test_operator_that_a_task_calls() -> None:
    """An operator that another task calls runs in that one's slots."""
    outer, inner = a_task("outer", pool="lsq", slots=2), a_task("inner", pool="default_pool", slots=9)
    context = context_of(inner, scheduled=outer, running="outer")
    assert slots_of(inner, context) == slots_of(outer, {})


def test_task_of_no_pool() -> None:
    """A task that names no pool is in Airflow's default one, and one without a DAG is taken as it is."""
    assert slots_of(a_task(pool=None), {}).pool == "default_pool"  # type: ignore[arg-type]
    assert slots_of(a_task(), {"dag": None, "ti": None}).pool == "lsq"
    unknown = SimpleNamespace(has_task=lambda _: False)
    assert slots_of(a_task(), {"dag": unknown, "ti": SimpleNamespace(task_id="x")}).pool == "lsq"


# -- as a context manager -------------------------------------------------------------------------------------------


def test_context_manager_waits_its_window_out(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On leaving, it waits until its calls count no more, closes its connections and frees its share."""
    ends: list[str] = []
    close = LeadSquaredClient.close
    monkeypatch.setattr(RateLimiter, "drain", lambda self: ends.append("drained"))
    monkeypatch.setattr(LeadSquaredClient, "close", lambda self: (close(self), ends.append("closed")))
    other = connect(host="http://127.0.0.1:9")
    with Answering(http(200, "{}")) as server, connect(host=server.url, calls=2) as hook:
        hook.get_conn().current_user()
        window = hook.get_conn().limiter.sliding_window
        assert window.in_use
    assert ends == ["closed", "drained"]
    assert not window.in_use
    with other:
        pass
    assert len(ends) == 2, "no call, no wait"


def test_real_wait_on_leaving(connect: Any) -> None:
    """Nothing counts any more when it has been left."""
    with Answering(http(200, "{}")) as server:
        with connect(host=server.url) as hook:
            hook.get_conn().current_user()
            window, began = hook.get_conn().limiter.sliding_window, time.monotonic()
        assert window.drained_at() <= time.monotonic()
        assert 4.5 < time.monotonic() - began < 7


def test_time_out_while_leaving(connect: Any, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture) -> None:
    """A time-out while the window is waited out gives no slot back early, and changes no end."""
    mocker.patch.object(LeadResetHook, "log")
    drains: list[int] = []

    def drain(self: RateLimiter) -> None:
        drains.append(1)
        if len(drains) == 1:
            raise AirflowTaskTimeout("too long")

    monkeypatch.setattr(RateLimiter, "drain", drain)
    hook = connect()

    def work() -> None:
        with hook:
            hook.get_conn()
            raise KeyError("the end of the work")

    with pytest.raises(KeyError):
        work()
    assert len(drains) == 2


def test_why_the_last_seconds_are_waited(mocker: MockerFixture) -> None:
    """A wait for the window to pass says why; one that is over at once, or was said before, says nothing."""
    clock, log = FakeClock(), mocker.Mock()
    limiter = RateLimiter(SlidingWindow(5), clock)
    drain(limiter, log)
    limiter.accepted(limiter.acquire())
    drain(limiter, log, says=False)
    assert not log.info.called
    limiter.accepted(limiter.acquire())
    drain(limiter, log)
    ((text, *values),) = [call.args for call in log.info.call_args_list]
    assert text % tuple(values) == (
        "Waiting 5 s until the last calls count no more: so the next task in these slots has the whole limit"
    )
