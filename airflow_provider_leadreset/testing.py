"""Fixtures of pytest for tests of your own DAGs, against a local LeadSquared. In the topmost ``conftest.py``::

    pytest_plugins = ["airflow_provider_leadreset.testing"]

``leadsquared``
    A :class:`.LeadSquaredEmulator` that runs, the connection to it, and a short pace. An ``ApprovalOperator`` that
    nobody answers fails its task, in place of waiting for ever.
``approve_as``
    Answers approvals in ``dag.test()``: ``approve_as("reviewer")``.
``check_pools``
    Checks that the pools of a DAG exist and are large enough: ``check_pools(dag)``.

Override these to change what ``leadsquared`` makes: ``leadsquared_conn_id`` (the connection, by default
``leadsquared_default``) and ``leadsquared_options`` (arguments of the emulator, by default none).

Airflow reads its environment when it is first imported, so nothing here imports it before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

SHORT_WINDOW = 0.2
"""Seconds that stand for LeadSquared's 5 in a test: a task in the account's pool waits them at its end, too."""

DIGEST_SHOWN = 8
"""Characters of a plan's digest that an approver types."""


@pytest.fixture
def leadsquared_conn_id() -> str:
    """Return the id of the connection that leads to the emulator. Override it for another than the default one."""
    return "leadsquared_default"


@pytest.fixture
def leadsquared_options() -> dict[str, Any]:
    """Return arguments for :class:`.LeadSquaredEmulator`. Override it, to give such as ``{"calls_per_5s": 10}``."""
    return {}


@pytest.fixture
def short_pace(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let 0.2 s stand for 5 in the pace of calls, in this process; return it. Limit and pool count as ever."""
    from airflow_provider_leadreset.leadsquared.api import sliding_window

    monkeypatch.setattr(sliding_window, "WINDOW", SHORT_WINDOW)
    return SHORT_WINDOW


@pytest.fixture
def unanswered_approvals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the task of an ApprovalOperator that nobody answers: ``dag.test()`` would wait for ever."""
    operator = _approval_operator()
    if operator is None:
        return

    def refuse(self: Any, context: Any) -> None:
        from airflow_provider_leadreset.compat import AirflowFailException

        del context
        raise AirflowFailException(
            f"nobody answers the approval {self.task_id}: take the fixture approve_as, and call "
            'approve_as("reviewer") before dag.test()'
        )

    monkeypatch.setattr(operator, "execute", refuse)


@pytest.fixture
def leadsquared(
    monkeypatch: pytest.MonkeyPatch,
    short_pace: float,
    unanswered_approvals: None,
    leadsquared_conn_id: str,
    leadsquared_options: dict[str, Any],
) -> Iterator[LeadSquaredEmulator]:
    """Run a local LeadSquared for one test; the connection leads to it.

    What the emulator would throttle in 5 s it throttles in half the short pace, so that a busy machine's delays do not
    count as calls too many.
    """
    from airflow_provider_leadreset.emulator import LeadSquaredEmulator

    del unanswered_approvals
    with LeadSquaredEmulator(**{"window": short_pace / 2, **leadsquared_options}) as emulator:
        monkeypatch.setenv(f"AIRFLOW_CONN_{leadsquared_conn_id.upper()}", emulator.conn_json)
        yield emulator


@pytest.fixture
def approve_as(monkeypatch: pytest.MonkeyPatch, unanswered_approvals: None) -> Callable[..., None]:
    """Return a function that answers approvals in ``dag.test()``, as a person would.

    ``approve_as(name, chosen="Approve", params=None)``: who answers, which option, and what is typed into the
    question's params; one that is called ``digest`` and not given gets the first 8 characters of the digest of the
    preview before it. A call replaces the one before. ``approve_as("reviewer", "Reject")`` says no.

    :raises RuntimeError: this Airflow has no ApprovalOperator: it came with 3.1.
    """
    del unanswered_approvals

    def answer_as(name: str, chosen: str = "Approve", params: Mapping[str, Any] | None = None) -> None:
        operator = _approval_operator()
        if operator is None:
            raise RuntimeError(
                "there is no ApprovalOperator here: it needs Airflow 3.1 and its standard provider"
            )

        def execute(self: Any, context: Any) -> Any:
            typed = {key: _value_of(self, context, key) for key in self.params or {}}
            event = {
                "chosen_options": [chosen],
                "params_input": {**typed, **(params or {})},
                "responded_at": datetime.now(UTC),
                "responded_by_user": {"id": name, "name": name},
                "timedout": False,
            }
            return self.execute_complete(context, event)

        monkeypatch.setattr(operator, "execute", execute)

    return answer_as


@pytest.fixture
def check_pools() -> Callable[..., None]:
    """Return a function that checks a DAG's pools.

    ``check_pools(dag, pools=None)``: the slots of each pool, ``{"leadsquared_default": 25}``; by default those of the
    test's own Airflow. A task in a pool that does not exist, or with more ``pool_slots`` than it has, never starts.

    :raises AssertionError: naming each such task.
    """

    def check(dag: Any, pools: Mapping[str, int] | None = None) -> None:
        slots = _pools_of_airflow() if pools is None else {"default_pool": 128, **pools}
        wrong = []
        for task in dag.tasks:
            if task.pool not in slots:
                wrong.append(f"{task.task_id} is in the pool {task.pool!r}, which does not exist")
            elif 0 <= slots[task.pool] < task.pool_slots:  # -1 is without a limit
                wrong.append(
                    f"{task.task_id} takes {task.pool_slots} slots of the pool {task.pool!r}, which has "
                    f"{slots[task.pool]}"
                )
        if wrong:
            known = ", ".join(f"{name} ({number})" for name, number in sorted(slots.items()))
            raise AssertionError(
                f"DAG {dag.dag_id}: {'; '.join(wrong)}: such a task never starts. Pools are: {known}"
            )

    return check


def _approval_operator() -> Any:
    """Return the class; None where Airflow has none."""
    try:
        from airflow.providers.standard.operators.hitl import ApprovalOperator
    except Exception:  # Airflow's own, of another kind in each version
        return None
    return ApprovalOperator


def _value_of(operator: Any, context: Any, name: str) -> Any:
    """Return what is typed into a param of a question by who has read it."""
    if name == "digest":
        ti = context["ti"]
        for task_id in operator.upstream_task_ids:
            output = ti.xcom_pull(task_ids=task_id, map_indexes=ti.map_index)
            if isinstance(output, Mapping) and output.get("digest"):
                return str(output["digest"])[:DIGEST_SHOWN]
    return operator.params[name]


def _pools_of_airflow() -> dict[str, int]:
    from airflow.models.pool import Pool

    return {str(pool.pool): int(pool.slots) for pool in Pool.get_pools()}
