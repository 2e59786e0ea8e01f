"""What the operator does before it runs: its arguments, its defaults, its progress between tries."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace

from airflow_provider_leadreset.leadsquared.batch.outcomes import Outcome
from airflow_provider_leadreset.operators.lead_reset import LeadResetOperator
from airflow_provider_leadreset.runtime.checkpoint import SAVE_EVERY, Checkpoint
from airflow_provider_leadreset.runtime.failures import LeadResetFailedError

LEAD = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
WINDOW = "2026-09-01/2026-10-01"
HAS_POLICIES = hasattr(LeadResetOperator, "retry_policy")


def test_values_are_stored_as_given():
    """Values are stored as given and not judged before they are rendered."""
    codes = ["{{ params.code }}"]
    operator = LeadResetOperator(
        task_id="reset", prospect_ids="", window="nonsense", activity_event_list=codes
    )
    assert operator.activity_event_list is codes
    assert (operator.prospect_ids, operator.window) == ("", "nonsense")


def test_templated_fields():
    """Every templated field is an argument and is said to be templated."""
    operator = LeadResetOperator(task_id="reset", prospect_ids=LEAD, activity_event_list=[201], window=WINDOW)
    for name in operator.template_fields:
        assert hasattr(operator, name)
        assert f":param {name}: (templated)" in LeadResetOperator.__doc__
    assert LeadResetOperator.__doc__.count("(templated)") == len(operator.template_fields)


def retry_policy_of(**given):
    operator = LeadResetOperator(
        task_id="reset", prospect_ids=LEAD, activity_event_list=[201], window=WINDOW, **given
    )
    return getattr(operator, "retry_policy", None)


def test_default_retry_policy():
    """The default retry policy gives way to the user's."""
    if not HAS_POLICIES:
        assert retry_policy_of() is None
        return
    from airflow.sdk import ExceptionRetryPolicy

    from airflow_provider_leadreset.runtime.retry_policy import LeadResetRetryPolicy

    own = ExceptionRetryPolicy(rules=[])
    assert type(retry_policy_of()) is LeadResetRetryPolicy
    assert retry_policy_of(retry_policy=own) is own
    assert retry_policy_of(default_args={"retry_policy": own}) is own


def test_retry_policy_delays():
    """The retry policy waits as long as the error needs, and longer each time."""
    if not HAS_POLICIES:
        assert retry_policy_of() is None
        return
    policy = retry_policy_of()
    error = LeadResetFailedError("quota\nmore", timedelta(hours=1))
    delays = [policy.evaluate(error, number, 9).retry_delay for number in (1, 2, 3, 9)]
    assert delays == [timedelta(hours=hours) for hours in (1, 2, 4, 6)]
    assert policy.evaluate(error, 1, 9).reason == "quota"
    assert policy.evaluate(KeyError("x"), 1, 9).retry_delay is None


class Store(dict):
    """A task state store."""

    def set(self, key, value):
        if value == self.get("refuse"):
            raise ConnectionError("api server away")
        self[key] = value

    def delete(self, key):
        del self[key]


def checkpoint(store, max_tries=3, fingerprint="f", clears=0):
    context = {
        "ti": SimpleNamespace(max_tries=max_tries),
        "dag_run": SimpleNamespace(clear_number=clears),
        "task_state_store": store,
    }
    return Checkpoint(context, fingerprint, 5, logging.getLogger("test"))


def test_saved_progress():
    """Progress is found by a retry, and not after a clear or for other leads."""
    store = Store()
    first = checkpoint(store)
    first.progress.add(Outcome(0, LEAD))
    first.save()
    assert 0 in checkpoint(store).progress
    assert 0 not in checkpoint(store, max_tries=4).progress
    assert 0 in checkpoint(store, clears=1).progress  # of another task
    assert 0 not in checkpoint(store, fingerprint="g").progress
    last = checkpoint(store, fingerprint=None)  # whatever was asked for last
    assert (0 in last.progress, last.leads) == (True, 5)
    first.forget()
    assert store == {}
    assert checkpoint(store, fingerprint=None).leads is None


def test_progress_save_interval():
    """Progress is saved every two seconds, and only when it has changed."""
    store = Store()
    saving = checkpoint(store)
    saving.save_if_due(100.0)
    assert store == {}
    for index, (now, saved) in enumerate([(101.0, 1), (102.0, 1), (101.0 + SAVE_EVERY, 3), (104.5, 3)]):
        saving.progress.add(Outcome(index, LEAD))
        saving.save_if_due(now)
        assert sum(end for value in store.values() for _, end in value["queued"]) == saved


def test_unreachable_store(caplog):
    """A state store that cannot be reached costs a warning, not the batch."""
    store = Store()
    saving = checkpoint(store)
    saving.progress.add(Outcome(0, LEAD))
    store["refuse"] = saving._state()
    saving.save()
    assert "api server away" in caplog.text
    del store["refuse"]
    saving.save()
    assert 0 in checkpoint(store).progress


def test_without_a_store(caplog):
    """Without a state store the log says that a retry repeats all leads."""
    caplog.set_level(logging.INFO)
    saving = checkpoint(None)
    saving.progress.add(Outcome(0, LEAD))
    saving.save()
    saving.forget()
    assert "A retry will repeat all leads" in caplog.text
