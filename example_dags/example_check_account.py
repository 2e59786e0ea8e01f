"""Find out how your account behaves where LeadSquared is not documented, with a throw-away lead.

Trigger it once: with a custom activity, a task type, a stage and another owner it asks all that can be asked, in some
two hours and 800 calls; what is left empty is not asked about. `activity_event` takes several codes, `201, 202`, for
12 minutes and 85 calls more each. It creates a lead "ZZ leadreset check", which stays, and writes to no other;
automations may react. Its XCom `account_check` goes into the connection's Extra.

Needs the connection `leadsquared_default` and the pool of that name. The check makes at most a fifth of the calls that
the connection allows, so the task takes 5 slots of a pool of 25. For another pool, set `pool_slots` to a fifth of it.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2.11
    from airflow.decorators import dag, task


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    tags=["leadsquared"],
    doc_md=__doc__,
    params={"activity_event": "", "task_type": "", "stage": "", "owner": "", "patience": 600},
)
def example_check_account():
    # Not retried: a second try would make another lead.
    @task(
        multiple_outputs=True,
        pool="leadsquared_default",
        pool_slots=5,
        retries=0,
        execution_timeout=timedelta(days=2),
    )
    def check(params: dict | None = None) -> dict:
        from airflow_provider_leadreset.hooks.lead_reset import LeadResetHook

        asked = {name: value for name, value in (params or {}).items() if value}
        return LeadResetHook("leadsquared_default").check_account(**asked).as_json()

    check()


example_check_account()
